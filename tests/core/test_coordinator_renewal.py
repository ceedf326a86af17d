from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio.coordinator_errors import RefreshPausedError
from oauth2_sansio.coordinator_events import (
    CoordinatorEvent,
    LeaseHeld,
    LoadRecord,
    RecordLoaded,
    ReleaseLease,
    ReplaceRecord,
    SendRequest,
    TakeLease,
    TooLateToSend,
)
from oauth2_sansio.coordinator_policy import Pause, Unsaved
from oauth2_sansio.coordinator_renewal import RenewalStep
from oauth2_sansio.coordinator_table import Coordination, Stage
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    MissingTokenError,
    OAuth2Error,
    Outcome,
    RemoteProtocolError,
    StoreError,
    TransportError,
    UnsavedTokenError,
)
from oauth2_sansio.events import (
    Action,
    Endpoint,
    Event,
    Finished,
    RequestToSend,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow
from oauth2_sansio.token_record import (
    DamagedRecordError,
    DeadRefreshToken,
    RefreshStarted,
    fingerprint,
)
from oauth2_sansio.tokens import OAuth2Token
from tests.core.coordinator_stories import (
    CLIENT,
    EXPIRED,
    FAILED,
    GRANTED,
    HELD,
    ME,
    NEW,
    NOW,
    OLD,
    OTHER,
    OTHERS,
    RELEASED,
    TAKEN,
    Story,
    answer,
    knowledge,
    loaded,
    make,
    record,
    still_unsaved,
    tell,
    written,
)

R1 = fingerprint("r1")
MARK = RefreshStarted(owner=ME, at=NOW, fingerprint=R1)
DEAD = DeadRefreshToken(fingerprint=R1, at=NOW - 5, error="invalid_grant")
STALE = make("C", "r3", life=-5)


def renewing(token: OAuth2Token = EXPIRED, *, usable: bool = True, **more: Any) -> RenewalStep:
    """Return the step that renews a token."""
    known = more.get("known") or knowledge()
    return RenewalStep(known, token, more.get("renew", CLIENT.refresh), usable=usable)


def access(story: Story) -> str | None:
    """Return the access token that came of it."""
    return None if story.result is None else story.result.access_token


def test_a_renewal_from_beginning_to_end() -> None:
    known = knowledge()
    story = tell(
        renewing(known=known), TAKEN, loaded(EXPIRED), written(2), GRANTED, written(3), RELEASED
    )
    lease, load, mark, send, save, release, end = story.actions
    assert lease == TakeLease("k", ME, 60.0)
    assert load == LoadRecord("k")
    assert mark == ReplaceRecord("k", record(EXPIRED, started=MARK).to_bytes(), 1)
    assert isinstance(send, SendRequest)
    assert send.not_after == NOW + 15
    assert send.request.form[:2] == (("grant_type", "refresh_token"), ("refresh_token", "r1"))
    assert isinstance(end, Finished)
    assert story.result is not None
    assert save == ReplaceRecord("k", record(story.result).to_bytes(), 2)
    assert release == ReleaseLease("k", ME)
    assert story.result.access_token == "B"
    assert (still_unsaved(known), known.seen) == (None, True)


@pytest.mark.parametrize(
    ("held", "events", "stages", "token"),
    [
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(OTHERS), RELEASED],
            "leasing loading releasing finished",
            "C",
            id="somebody has renewed it: adopted under the lease",
        ),
        pytest.param(
            EXPIRED,
            [HELD, WaitElapsed(), loaded(OTHERS)],
            "leasing waiting peeking finished",
            "C",
            id="somebody is at it: adopted without the lease",
        ),
        pytest.param(
            EXPIRED,
            [HELD, WaitElapsed(), loaded(EXPIRED), TAKEN, loaded(OTHERS), FAILED],
            "leasing waiting peeking leasing loading releasing finished",
            "C",
            id="the lease cannot be given back: it ends by itself",
        ),
        pytest.param(
            OLD,
            [HELD],
            "leasing finished",
            "A",
            id="somebody is at it, and the token has not expired",
        ),
        pytest.param(
            OLD,
            [TAKEN, FAILED, RELEASED],
            "leasing loading releasing finished",
            "A",
            id="the store is down, and the token has not expired",
        ),
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(STALE), written(2), GRANTED, written(3), RELEASED],
            "leasing loading marking requesting saving releasing finished",
            "B",
            id="the store has another one, which has expired as well",
        ),
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(None), written(1), GRANTED, written(2), RELEASED],
            "leasing loading marking requesting saving releasing finished",
            "B",
            id="the store has none yet",
        ),
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(OAuth2Token()), written(2), GRANTED, written(3), RELEASED],
            "leasing loading marking requesting saving releasing finished",
            "B",
            id="somebody has died before the first token came",
        ),
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(EXPIRED), written(None), loaded(OTHERS), RELEASED],
            "leasing loading marking loading releasing finished",
            "C",
            id="somebody has written between reading and marking",
        ),
        pytest.param(
            EXPIRED,
            [
                *(TAKEN, loaded(EXPIRED), written(2), TooLateToSend()),
                *(TAKEN, loaded(EXPIRED, 2, started=MARK), written(3)),
                *(GRANTED, written(4), RELEASED),
            ],
            "leasing loading marking requesting leasing loading marking requesting saving "
            "releasing finished",
            "B",
            id="it was too late to send, and nobody else has begun",
        ),
        pytest.param(
            EXPIRED,
            [
                *(TAKEN, loaded(EXPIRED), written(2), TooLateToSend()),
                *(HELD, WaitElapsed(), loaded(OTHERS)),
            ],
            "leasing loading marking requesting leasing waiting peeking finished",
            "C",
            id="it was too late to send, and somebody else has begun",
        ),
        pytest.param(
            EXPIRED,
            [TAKEN, loaded(EXPIRED), written(2), GRANTED, written(None), loaded(OTHERS), RELEASED],
            "leasing loading marking requesting saving reconciling releasing finished",
            "C",
            id="somebody has logged in while the request was under way",
        ),
    ],
)
def test_who_gets_which_token(
    held: OAuth2Token, events: list[CoordinatorEvent], stages: str, token: str
) -> None:
    story = tell(renewing(held), *events)
    assert (story.stages, access(story), story.error) == (stages, token, None)


FAILURE = RefreshStarted(
    owner=OTHER, at=NOW - 3, outcome=Outcome.UNKNOWN, failures=2, pause_until=NOW + 2
)


@pytest.mark.parametrize(
    ("events", "stages", "error"),
    [
        pytest.param(
            [TAKEN, loaded(EXPIRED, started=FAILURE), RELEASED],
            "leasing loading releasing",
            RefreshPausedError,
            id="somebody else has failed a moment ago",
        ),
        pytest.param(
            [TAKEN, loaded(EXPIRED, dead=DEAD), RELEASED],
            "leasing loading releasing",
            ErrorResponse,
            id="the refresh token is dead",
        ),
        pytest.param(
            [TAKEN, RecordLoaded(b"x", 1), RELEASED],
            "leasing loading releasing",
            DamagedRecordError,
            id="the record is damaged",
        ),
        pytest.param(
            [HELD, WaitElapsed(), RecordLoaded(b"x", 1)],
            "leasing waiting peeking",
            DamagedRecordError,
            id="the record is damaged, seen without the lease",
        ),
        pytest.param(
            [TAKEN, loaded(make("C", life=-5)), RELEASED],
            "leasing loading releasing",
            LocalProtocolError,
            id="there is no refresh token",
        ),
        pytest.param(
            [TAKEN, loaded(EXPIRED), written(None), loaded(None), RELEASED],
            "leasing loading marking loading releasing",
            MissingTokenError,
            id="somebody has logged out",
        ),
        pytest.param(
            [*(TAKEN, loaded(None), written(1), TooLateToSend()), *(TAKEN, loaded(None), RELEASED)],
            "leasing loading marking requesting leasing loading releasing",
            MissingTokenError,
            id="somebody has logged out just after the first mark",
        ),
    ],
)
@pytest.mark.parametrize("held", [EXPIRED, OLD], ids=["expired", "usable"])
def test_nothing_is_sent(
    events: list[CoordinatorEvent], stages: str, error: type[OAuth2Error], held: OAuth2Token
) -> None:
    if held is OLD:  # then those who wait need not
        if events[0] == HELD:
            return
        story = tell(renewing(held), *events)
        assert story.result is OLD
        story = tell(renewing(held, usable=False), *events)
    else:
        story = tell(renewing(held), *events)
    assert (story.stages, type(story.error)) == (stages, error)
    assert story.error is not None
    assert story.error.outcome is Outcome.NOT_SENT


def test_a_refresh_token_that_this_process_knows_to_be_dead_is_not_sent() -> None:
    known = knowledge()
    known.dead = R1, ErrorResponse("invalid_grant")
    story = tell(renewing(known=known), TAKEN, loaded(EXPIRED), RELEASED)
    assert isinstance(story.error, ErrorResponse)
    # Another one is.
    story = tell(renewing(known=known), TAKEN, loaded(STALE), written(2), GRANTED)
    assert story.stages == "leasing loading marking requesting saving"


def test_another_tombstone_does_not_count() -> None:
    dead = replace(DEAD, fingerprint=fingerprint("other"))
    story = tell(renewing(), TAKEN, loaded(EXPIRED, dead=dead), written(2))
    assert story.stages == "leasing loading marking requesting"


@pytest.mark.parametrize(
    ("started", "cut_off"),
    [
        (RefreshStarted(owner=OTHER, at=NOW - 90, fingerprint=R1), True),
        (MARK, False),
        (replace(FAILURE, pause_until=NOW - 1), False),
        (replace(FAILURE, pause_until=None), False),
        (replace(FAILURE, at=NOW + 1, pause_until=NOW + 9), False),
        (None, False),
    ],
    ids=["others died", "our own", "long ago", "no pause", "a wrong clock", "none"],
)
def test_a_refresh_that_was_cut_off_is_known(started: RefreshStarted | None, cut_off: bool) -> None:
    run = Coordination(renewing())
    run.start(NOW)
    run.receive(TAKEN, NOW)
    assert isinstance(run.receive(loaded(EXPIRED, started=started), NOW), ReplaceRecord)
    assert run.cut_off == (started if cut_off else None)


@pytest.mark.parametrize(("seconds", "end"), [(9, "finished"), (10, "waiting")])
def test_a_token_that_others_renew_is_used_up_to_its_end(seconds: int, end: str) -> None:
    assert tell(renewing(OLD), seconds, HELD).stages == f"leasing {end}"


def test_waiting_has_an_end() -> None:
    step = renewing(EXPIRED, known=knowledge(patience=10))
    story = tell(step, HELD, 10, WaitElapsed(), loaded(EXPIRED), HELD)
    assert story.stages == "leasing waiting peeking leasing"
    assert isinstance(story.error, TransportError)
    assert story.error.outcome is Outcome.NOT_SENT


def test_looks_become_rarer_and_differ_from_one_process_to_the_next() -> None:
    known = knowledge()
    known.random_bytes = lambda size: b"\xff" * size
    turns: list[CoordinatorEvent] = [LeaseHeld(30.0), WaitElapsed(), loaded(EXPIRED)] * 3
    story = tell(renewing(known=known), *turns)
    waits = [action.seconds for action in story.actions if isinstance(action, Wait)]
    assert waits == pytest.approx([0.025, 0.05, 0.1])


def test_within_a_pause_the_store_is_read_and_nothing_sent() -> None:
    known = knowledge()
    known.pause = Pause(NOW, NOW + 5, "server_error")
    story = tell(renewing(known=known), loaded(EXPIRED))
    assert (story.stages, type(story.error)) == ("peeking", RefreshPausedError)
    story = tell(renewing(known=known), loaded(None))
    assert (story.stages, type(story.error)) == ("peeking", RefreshPausedError)
    story = tell(renewing(known=known), loaded(OTHERS))
    assert (story.stages, access(story)) == ("peeking finished", "C")
    assert tell(renewing(known=known)).stages == "leasing"  # the pause is over for good


def test_a_pause_that_is_over_is_none() -> None:
    known = knowledge()
    known.pause = Pause(NOW - 5, NOW, "server_error")
    assert tell(renewing(known=known)).stages == "leasing"


@pytest.mark.parametrize(
    ("late", "stages"),
    [(15.0, "leasing loading marking requesting"), (15.5, "leasing loading marking leasing")],
)
def test_a_store_that_is_slow_does_not_let_the_lease_run_out(late: float, stages: str) -> None:
    assert tell(renewing(), TAKEN, loaded(EXPIRED), late, written(2)).stages == stages


# What was not saved comes first.


def unsaved(token: OAuth2Token = NEW, owner: str | None = OTHER) -> Unsaved:
    """Return a token that an earlier run could not save."""
    return Unsaved(token, ("first",), EXPIRED, 2, owner)


@pytest.mark.parametrize("owner", [OTHER, None])
def test_an_unsaved_token_is_saved_and_used(owner: str | None) -> None:
    known = knowledge()
    known.unsaved = unsaved(owner=owner)
    release = [] if owner is None else [RELEASED]
    story = tell(renewing(known=known), written(3), *release)
    assert (story.result, still_unsaved(known)) == (NEW, None)
    assert not any(isinstance(action, SendRequest) for action in story.actions)


def test_an_unsaved_token_that_cannot_be_saved_is_not_renewed() -> None:
    known = knowledge()
    known.unsaved = unsaved()
    story = tell(renewing(OLD, known=known), FAILED, FAILED)
    assert isinstance(story.error, UnsavedTokenError)
    assert still_unsaved(known) is NEW


def test_an_unsaved_token_that_has_expired_is_saved_and_renewed_under_the_same_lease() -> None:
    known = knowledge()
    known.unsaved = unsaved(STALE)
    events: list[CoordinatorEvent] = [
        written(3),
        TAKEN,
        loaded(STALE, 3),
        written(4),
        GRANTED,
        written(5),
        RELEASED,
    ]
    story = tell(renewing(known=known), *events)
    assert story.stages == "saving leasing loading marking requesting saving releasing finished"
    assert TakeLease("k", OTHER, 60.0) in story.actions
    assert access(story) == "B"


def test_a_token_that_is_assigned_meanwhile_counts() -> None:
    known = knowledge()
    step = renewing(known=known)
    run = Coordination(step)
    run.start(NOW)
    known.unsaved = Unsaved(OTHERS, ("later",))
    run.receive(TAKEN, NOW)
    assert run.receive(loaded(EXPIRED), NOW) == ReleaseLease("k", ME)
    assert run.receive(RELEASED, NOW) == Finished(OTHERS)
    assert still_unsaved(known) is OTHERS


def test_a_stale_token_that_is_assigned_meanwhile_keeps_nobody() -> None:
    known = knowledge()
    step = renewing(known=known)
    run = Coordination(step)
    run.start(NOW)
    known.unsaved = Unsaved(STALE, ("later",))
    run.receive(TAKEN, NOW)
    run.receive(loaded(EXPIRED), NOW)
    run.receive(written(2), NOW)
    run.receive(GRANTED, NOW)
    assert run.stage is Stage.SAVING  # what the server has issued is not thrown away
    assert still_unsaved(known) is STALE
    run.receive(written(3), NOW)
    assert still_unsaved(known) is STALE


def test_a_failed_save_raises_the_token_and_keeps_others_away() -> None:
    known = knowledge()
    events: list[CoordinatorEvent] = [TAKEN, loaded(EXPIRED), written(2), GRANTED, FAILED, FAILED]
    story = tell(renewing(OLD, known=known), *events)
    assert story.stages == "leasing loading marking requesting saving extending"
    assert isinstance(story.error, UnsavedTokenError)
    assert story.error.token["access_token"] == "B"
    assert isinstance(story.error.__cause__, StoreError)
    assert story.actions[-1] == TakeLease("k", ME, 60.0)
    kept = still_unsaved(known)
    assert kept is not None
    assert kept.access_token == "B"


def test_the_error_of_a_refresh_is_noted_and_raised_and_a_token_that_lives_is_used_on() -> None:
    noted = (TAKEN, loaded(OLD), written(2), answer(500, ""), written(3), RELEASED)
    stages = "leasing loading marking requesting noting releasing"
    story = tell(renewing(OLD, usable=False), *noted)
    assert (story.stages, type(story.error)) == (stages, RemoteProtocolError)
    story = tell(renewing(OLD), *noted)
    assert (story.stages, story.result) == (f"{stages} finished", OLD)


# Flows of other kinds.


def scripted(*actions: Action[OAuth2Token]) -> Flow[OAuth2Token]:
    """Return a flow that does this, whatever comes."""
    left = list(actions)

    def step(_event: Event, _now: float) -> Action[OAuth2Token]:
        return left.pop(0)

    return Flow(step)


REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")
SIGN = SignatureNeeded(algorithm="ES256", signing_input=b"x")


def test_what_a_flow_asks_for_is_passed_on() -> None:
    flow = scripted(SIGN, REQUEST, Wait(3, "why not"), REQUEST, Finished(NEW))
    step = renewing(renew=lambda _token: flow)
    story = tell(
        step,
        *(TAKEN, loaded(EXPIRED), written(2)),
        *(SignatureMade(b"y"), GRANTED, WaitElapsed(), GRANTED),
        *(written(3), RELEASED),
    )
    send = SendRequest(REQUEST, NOW + 15)
    assert story.actions[3:7] == [SIGN, send, Wait(3, "why not"), send]
    assert story.result is NEW


def test_a_token_without_refresh_token_is_fetched_anew_by_one_process_alone() -> None:
    step = renewing(OAuth2Token(), renew=lambda _token: CLIENT.client_credentials())
    story = tell(step, TAKEN, loaded(None), written(1), GRANTED, written(2), RELEASED)
    assert access(story) == "B"
    placeholder = story.written()[0]
    assert placeholder.token == {}
    assert placeholder.lineages == (ME,)
    assert placeholder.started == replace(MARK, fingerprint=None)


def test_a_token_that_no_record_can_hold_is_not_renewed() -> None:
    token = make("A", "r1", life=-10, more={1})
    story = tell(renewing(token), TAKEN, loaded(None), RELEASED)
    assert isinstance(story.error, LocalProtocolError)


# Whoever is interrupted.


@pytest.mark.parametrize(
    ("events", "given_back"),
    [
        pytest.param([], True, id="the lease may be ours already"),
        pytest.param([HELD], False, id="waiting"),
        pytest.param([TAKEN], True, id="loading"),
        pytest.param([TAKEN, loaded(EXPIRED)], True, id="marking"),
        pytest.param([TAKEN, loaded(EXPIRED), written(2)], False, id="the request is out"),
        pytest.param([TAKEN, loaded(EXPIRED), written(2), TooLateToSend()], True, id="too late"),
        pytest.param([TAKEN, loaded(EXPIRED), written(2), GRANTED], False, id="saving"),
        pytest.param(
            [TAKEN, loaded(EXPIRED), written(2), GRANTED, written(3)], True, id="releasing"
        ),
        pytest.param(
            [TAKEN, loaded(EXPIRED), written(2), GRANTED, written(3), RELEASED], False, id="done"
        ),
    ],
)
def test_what_is_given_back(events: list[CoordinatorEvent], given_back: bool) -> None:
    run = Coordination(renewing())
    run.start(NOW)
    for event in events:
        run.receive(event, NOW)
    assert run.abandon() == (ReleaseLease("k", ME) if given_back else None)


def test_the_lease_that_guards_an_unsaved_token_is_not_given_back() -> None:
    known = knowledge()
    known.unsaved = unsaved(STALE)
    step = renewing(known=known)
    assert step.step(Stage.READY, Started(), NOW)[0] is Stage.SAVING
    assert step.abandon(Stage.SAVING) is None
    step.step(Stage.SAVING, written(3), NOW)  # it is saved now, and to be renewed
    assert step.abandon(Stage.LEASING) == ReleaseLease("k", OTHER)


def test_a_function_that_raises_something_else_leaves_no_lease() -> None:
    def fail(_token: OAuth2Token) -> Flow[OAuth2Token]:
        raise KeyError("a hook of the user")

    run = Coordination(renewing(renew=fail))
    run.start(NOW)
    run.receive(TAKEN, NOW)
    with pytest.raises(KeyError):
        run.receive(loaded(EXPIRED), NOW)
    assert run.abandon() == ReleaseLease("k", ME)
