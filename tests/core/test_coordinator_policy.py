from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from oauth2_sansio.coordinator_events import RecordLoaded
from oauth2_sansio.coordinator_policy import (
    MOST_LINEAGES,
    MOST_ROUNDS,
    Knowledge,
    Pause,
    RefreshPolicy,
    Unsaved,
    is_same,
)
from oauth2_sansio.token_record import DamagedRecordError, TokenIdentity
from oauth2_sansio.tokens import OAuth2Token

NOW = 1_000_000.0
WHO = TokenIdentity(issuer="https://as.example", client_id="app")


def known(share: float = 0.0, **policy: Any) -> Knowledge:
    """Return what a process knows whose random numbers are all the same."""
    return Knowledge(
        key="k",
        identity=WHO,
        policy=RefreshPolicy(**policy),
        random_bytes=lambda size: bytes([round(share * 255)] * size),
        dpop_key="key 1",
    )


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"deadline": 0}, "deadline is a number of seconds above 0, not 0"),
        ({"lease": inf}, "lease is a number of seconds above 0, not inf"),
        ({"patience": nan}, "patience is a number"),
        ({"longest_pause": -1}, "longest_pause is a number"),
        ({"deadline": 30, "lease": 30}, r"the lease \(30 s\) has to be longer than .* \(30 s\)"),
        ({"leeway": -1}, "not negative"),
        ({"reread": -1}, "not negative"),
        ({"first_pause": -1}, "not negative"),
        ({"first_pause": nan}, "not negative"),
        ({"jitter": -0.1}, "from 0 to 1"),
        ({"jitter": 1.1}, "from 0 to 1"),
        ({"jitter": nan}, "from 0 to 1"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(settings: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RefreshPolicy(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        *({"leeway": 0}, {"reread": 0}, {"first_pause": 0}, {"jitter": 0}, {"jitter": 1}),
        {"deadline": 0.1, "lease": 0.2, "patience": 0.1, "longest_pause": 0.1},
    ],
)
def test_a_policy_may_go_to_the_border(settings: dict[str, float]) -> None:
    RefreshPolicy(**settings)


def test_what_holds_where_nothing_is_said() -> None:
    policy = RefreshPolicy()
    assert (policy.deadline, policy.lease, policy.patience) == (30, 60, 90)
    assert (policy.leeway, policy.jitter, policy.reread) == (60, 0.5, inf)
    assert (policy.first_pause, policy.longest_pause) == (1, 60)
    assert (MOST_ROUNDS, MOST_LINEAGES) == (8, 8)
    assert (known().read_at, known().seen, known().unsaved) == (-inf, False, None)


def test_half_of_what_the_lease_is_longer_is_left_for_saving() -> None:
    assert RefreshPolicy(deadline=10, lease=34).margin == 12


@pytest.mark.parametrize(
    ("failures", "retry_after", "seconds"),
    [
        (0, None, 1),
        (1, None, 1),
        (2, None, 2),
        (5, None, 16),
        (50, None, 60),
        (10**6, None, 60),
        (1, 30.0, 30),
        (7, 30.0, 60),
        (1, 1e9, 3600),
    ],
)
def test_the_pause_doubles_up_to_a_bound(
    failures: int, retry_after: float | None, seconds: float
) -> None:
    assert RefreshPolicy().pause(failures, retry_after) == seconds


def test_the_pause_may_be_none_at_all_and_is_always_a_number() -> None:
    assert RefreshPolicy(first_pause=0).pause(9, None) == 0
    assert RefreshPolicy(longest_pause=1e300).pause(10**6, None) == 2.0**60


@pytest.mark.parametrize(
    ("looks", "held", "seconds"),
    [(0, 30, 0.05), (1, 30, 0.1), (4, 30, 0.8), (5, 30, 1.0), (999, 30, 1.0), (5, 0.2, 0.2)],
)
def test_looks_at_a_lease_become_rarer(looks: int, held: float, seconds: float) -> None:
    assert RefreshPolicy().poll(looks, held) == pytest.approx(seconds)


def test_a_lease_that_has_ended_is_looked_at_soon() -> None:
    assert RefreshPolicy().poll(5, -3) == 0.001


@pytest.mark.parametrize(
    ("since", "until", "left"),
    [
        (NOW - 5, NOW - 1, None),
        (NOW - 5, NOW, None),
        (NOW, NOW + 5, 5.0),
        (NOW - 5, NOW + 3600, 3600.0),
        (NOW + 1, NOW + 5, None),
    ],
)
def test_a_pause_ends_and_a_clock_that_was_set_makes_none(
    since: float, until: float, left: float | None
) -> None:
    error = Pause(since, until, "x").error(NOW)
    assert (None if error is None else error.retry_after) == left


def test_a_record_is_read_and_remembered() -> None:
    one = known()
    record = one.record(OAuth2Token(access_token="A"), ("first",))
    assert (record.lineages, record.dpop_key, record.identity) == (("first",), "key 1", WHO)
    assert one.read(RecordLoaded(None, 0), NOW) is None
    assert (one.seen, one.read_at) == (False, NOW)
    assert one.read(RecordLoaded(record.to_bytes(), 1), NOW + 1) == record
    assert (one.seen, one.read_at) == (True, NOW + 1)
    with pytest.raises(DamagedRecordError):
        one.read(RecordLoaded(b"x", 2), NOW)


@pytest.mark.parametrize(
    ("members", "fresh"),
    [
        ({"access_token": "A", "expires_at": NOW + 3600}, True),
        ({"access_token": "A", "expires_at": NOW + 59}, False),
        ({"access_token": "A"}, True),
        ({"expires_at": NOW + 3600}, False),
    ],
)
def test_whether_a_token_is_fresh(members: dict[str, Any], fresh: bool) -> None:
    assert known().is_fresh(OAuth2Token(members), NOW) is fresh


@pytest.mark.parametrize(
    ("members", "share", "leeway"),
    [
        ({"expires_at": NOW + 3600, "expires_in": 3600}, 0.0, 60),
        ({"expires_at": NOW + 3600, "expires_in": 3600}, 1.0, 30),
        ({"expires_at": NOW + 100, "expires_in": 100}, 0.0, 20),
        ({"expires_at": NOW + 100, "expires_in": 100}, 1.0, 10),
        ({"expires_in": 0}, 1.0, 30),
        ({}, 1.0, 30),
    ],
)
def test_the_leeway_is_drawn_and_at_most_a_fifth_of_a_short_life(
    members: dict[str, Any], share: float, leeway: float
) -> None:
    token = OAuth2Token(members, access_token="A")
    assert known(share).leeway(token) == leeway


def test_the_leeway_is_drawn_once_for_each_token() -> None:
    one, drawn = known(), iter([b"\x00\x00", b"\xff\xff"])
    one.random_bytes = lambda _size: next(drawn)
    first, second = OAuth2Token(access_token="A"), OAuth2Token(access_token="B")
    assert [one.leeway(each) for each in (first, first, second, second)] == [60, 60, 30, 30]


@pytest.mark.parametrize(
    ("unsaved", "replaces"),
    [
        (Unsaved(OAuth2Token(), (), based_on=OAuth2Token()), True),
        (Unsaved(OAuth2Token(), ()), False),
        (Unsaved(OAuth2Token(), (), expected=3), False),
        (Unsaved(OAuth2Token(), (), in_doubt=1), False),
        (Unsaved(OAuth2Token(), (), in_doubt=1, expected=1), True),
    ],
)
def test_whether_an_unsaved_token_stands_for_a_record(unsaved: Unsaved, replaces: bool) -> None:
    assert unsaved.replaces is replaces


def test_a_token_that_just_came_replaces_nothing_and_is_not_in_doubt() -> None:
    just_came = Unsaved(OAuth2Token(), ())
    assert (just_came.expected, just_came.in_doubt) == (0, 0)


def test_a_name_is_long_enough_to_be_unlike_any_other() -> None:
    assert known(1.0).name() == "ff" * 12


def test_two_values_are_one_token_if_both_of_its_texts_are() -> None:
    one = OAuth2Token(access_token="A", refresh_token="r", expires_at=5)
    assert is_same(one, OAuth2Token(access_token="A", refresh_token="r"))
    assert not is_same(one, OAuth2Token(access_token="A", refresh_token="s"))
    assert not is_same(one, OAuth2Token(access_token="B", refresh_token="r"))


def test_what_is_known_shows_no_secret() -> None:
    one = known()
    one.leeway(OAuth2Token(access_token="secret"))
    assert "secret" not in repr(one)
    assert "random_bytes" not in repr(one)
