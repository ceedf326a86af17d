from __future__ import annotations

from math import inf

import pytest

from oauth2_sansio.coordinator import RefreshCoordinator, RefreshPolicy
from oauth2_sansio.coordinator_events import DeleteRecord, LoadRecord, ReplaceRecord, TakeLease
from oauth2_sansio.errors import StoreError
from oauth2_sansio.events import Finished
from oauth2_sansio.token_record import token_key
from tests.core.coordinator_stories import (
    CLIENT,
    EXPIRED,
    FAILED,
    GRANTED,
    ME,
    NEW,
    NOW,
    OLD,
    OTHERS,
    RELEASED,
    TAKEN,
    WHO,
    loaded,
    written,
)


def coordinator(**policy: float) -> RefreshCoordinator:
    """Return a coordinator whose random numbers are all 0."""
    return RefreshCoordinator(WHO, policy=RefreshPolicy(**policy), random_bytes=bytes)


def test_it_has_a_key_and_a_policy() -> None:
    one = RefreshCoordinator(WHO)
    assert (one.key, one.policy) == (token_key(WHO), RefreshPolicy())
    assert RefreshCoordinator(WHO, key="mine").key == "mine"
    assert repr(one) == f"<RefreshCoordinator of {token_key(WHO)}>"


def test_two_coordinators_never_have_one_name() -> None:
    leases = [RefreshCoordinator(WHO).renew(EXPIRED, CLIENT.refresh).start(NOW) for _ in "12"]
    assert leases[0] != leases[1]


def test_a_renewal_begins_with_the_lease() -> None:
    run = coordinator(lease=90).renew(EXPIRED, CLIENT.refresh)
    assert run.start(NOW) == TakeLease(token_key(WHO), ME, 90.0)


def test_a_token_is_used_on_where_it_is_usable() -> None:
    for known in ({"usable": True}, {"usable": False}, {}):
        run = coordinator().renew(OLD, CLIENT.refresh, **known)
        run.start(NOW)
        for event in (TAKEN, FAILED):
            run.receive(event, NOW)
        if known.get("usable"):
            assert run.receive(RELEASED, NOW) == Finished(OLD)
        else:
            with pytest.raises(StoreError):
                run.receive(RELEASED, NOW)


def test_an_unsaved_token_is_known_until_it_is_saved() -> None:
    one = coordinator()
    run = one.renew(EXPIRED, CLIENT.refresh)
    run.start(NOW)
    for event in (TAKEN, loaded(EXPIRED), written(2), GRANTED):
        run.receive(event, NOW)
    assert one.unsaved is not None
    assert one.unsaved.access_token == "B"
    assert repr(one).endswith(", with an unsaved token>")
    again = one.save()
    again.start(NOW)
    again.receive(written(3), NOW)
    assert one.unsaved is None


def test_a_child_of_a_fork_saves_without_the_lease_of_its_parent() -> None:
    one = coordinator()
    one.after_fork()  # with nothing unsaved there is nothing to leave
    run = one.renew(EXPIRED, CLIENT.refresh)
    run.start(NOW)
    for event in (TAKEN, loaded(EXPIRED), written(2), GRANTED):
        run.receive(event, NOW)
    one.after_fork()
    again = one.save()
    assert isinstance(again.start(NOW), ReplaceRecord)
    assert isinstance(again.receive(written(3), NOW), Finished)


def test_a_token_is_kept_looked_at_and_discarded() -> None:
    one = coordinator()
    keep = one.keep(NEW)
    assert keep.start(NOW) == LoadRecord(one.key)
    keep.receive(loaded(None), NOW)
    assert keep.receive(written(1), NOW) == Finished(NEW)
    look = one.look()
    assert look.start(NOW) == LoadRecord(one.key)
    assert look.receive(loaded(OTHERS), NOW) == Finished(OTHERS)
    discard = one.discard()
    assert discard.start(NOW) == LoadRecord(one.key)
    assert discard.receive(loaded(OTHERS, 4), NOW) == DeleteRecord(one.key, 4)


@pytest.mark.parametrize(
    ("reread", "after", "must"), [(inf, 1e9, False), (30, 29, False), (30, 30, True), (0, 0, True)]
)
def test_when_the_store_has_to_be_read(reread: float, after: float, must: bool) -> None:
    one = coordinator(reread=reread)
    assert one.must_look(NOW)  # it never was
    look = one.look()
    look.start(NOW)
    look.receive(loaded(NEW), NOW)
    assert one.must_look(NOW + after) is must


def test_the_leeway_is_that_of_the_policy() -> None:
    assert coordinator(leeway=40).leeway(NEW) == 40
