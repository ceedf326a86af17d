from __future__ import annotations

from dataclasses import replace

import pytest

from oauth2_sansio.coordinator_events import (
    CoordinatorEvent,
    RecordLoaded,
    TooLateToSend,
)
from oauth2_sansio.coordinator_policy import MOST_ROUNDS, Knowledge, Pause
from oauth2_sansio.coordinator_renewal import RenewalStep
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    OAuth2Error,
    Outcome,
    RemoteProtocolError,
    StoreError,
    TransportError,
)
from oauth2_sansio.events import RequestFailed
from oauth2_sansio.flow import Flow, finished
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
    INVALID,
    ME,
    NEW,
    NOW,
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
    tell,
    written,
)

SENT = (TAKEN, loaded(EXPIRED), written(2))  # up to the request
MARK = RefreshStarted(owner=ME, at=NOW, fingerprint=fingerprint("r1"))
BROKEN = answer(500, "")
CUT_OFF = RefreshStarted(owner=OTHER, at=NOW - 90, fingerprint=fingerprint("r1"))
MARKED = loaded(EXPIRED, 2, started=MARK)


def renew(*events: CoordinatorEvent, known: Knowledge | None = None) -> Story:
    """Renew a token that has expired."""
    step = RenewalStep(known or knowledge(), EXPIRED, CLIENT.refresh, usable=True)
    return tell(step, *events)


@pytest.mark.parametrize(
    ("event", "error", "outcome", "pause"),
    [
        (RequestFailed(TimeoutError()), TransportError, Outcome.UNKNOWN, 1),
        (RequestFailed(OSError(), sent=False), TransportError, Outcome.NOT_SENT, 1),
        (BROKEN, RemoteProtocolError, Outcome.UNKNOWN, 1),
        (answer(400, '{"error":"invalid_client"}'), ErrorResponse, Outcome.REFUSED, 1),
        (answer(200, "{}"), RemoteProtocolError, Outcome.UNKNOWN, 1),
    ],
)
def test_a_failure_is_noted_for_all(
    event: CoordinatorEvent, error: type[OAuth2Error], outcome: Outcome, pause: float
) -> None:
    known = knowledge()
    story = renew(*SENT, event, written(3), RELEASED, known=known)
    assert story.stages == "leasing loading marking requesting noting releasing"
    assert type(story.error) is error
    assert story.error.outcome is outcome
    noted = RefreshStarted(
        owner=ME,
        at=NOW,
        fingerprint=fingerprint("r1"),
        outcome=outcome,
        failures=1,
        pause_until=NOW + pause,
    )
    assert story.written()[-1] == record(EXPIRED, started=noted)
    assert known.pause == Pause(NOW, NOW + pause, story.error.error)


def test_failures_add_up_and_a_server_may_ask_for_more() -> None:
    before = RefreshStarted(
        owner=OTHER, at=NOW - 9, outcome=Outcome.UNKNOWN, failures=3, pause_until=NOW - 1
    )
    events = (TAKEN, loaded(EXPIRED, started=before), written(2))
    busy = answer(503, "")
    slow = type(busy)(status=503, headers=(("Retry-After", "40"),))
    for event, pause in ((busy, 8), (slow, 40)):
        last = renew(*events, event, written(3), RELEASED).written()[-1].started
        assert last is not None
        assert (last.failures, last.pause_until) == (4, NOW + pause)


def test_where_the_note_is_lost_the_error_is_not() -> None:
    story = renew(*SENT, BROKEN, FAILED, FAILED)
    assert story.stages == "leasing loading marking requesting noting releasing"
    assert type(story.error) is RemoteProtocolError


def test_a_fault_of_the_caller_leaves_no_mark() -> None:
    def refuse(_token: OAuth2Token) -> Flow[OAuth2Token]:
        def fail(_now: float) -> OAuth2Token:
            raise LocalProtocolError("a hook has refused")

        return finished(fail)

    known = knowledge()
    step = RenewalStep(known, EXPIRED, refuse, usable=True)
    story = tell(step, TAKEN, loaded(EXPIRED), written(2), written(3), RELEASED)
    assert story.stages == "leasing loading marking noting releasing"
    assert story.written()[-1] == record(EXPIRED)
    assert type(story.error) is LocalProtocolError
    assert known.pause is None


def test_an_invalid_grant_is_looked_at_twice_and_then_buried() -> None:
    known = knowledge()
    story = renew(*SENT, INVALID, MARKED, written(3), RELEASED, known=known)
    assert story.stages == "leasing loading marking requesting confirming burying releasing"
    tombstone = DeadRefreshToken(fingerprint=fingerprint("r1"), at=NOW, error="invalid_grant")
    assert story.written()[-1] == record(EXPIRED, dead=tombstone)
    assert isinstance(story.error, ErrorResponse)
    assert story.error.error == "invalid_grant"
    assert not hasattr(story.error, "__notes__")
    assert known.dead == (fingerprint("r1"), story.error)


def test_a_refresh_that_was_cut_off_is_told_of() -> None:
    found = loaded(EXPIRED, started=CUT_OFF)
    story = renew(TAKEN, found, written(2), INVALID, MARKED, written(3), RELEASED)
    assert isinstance(story.error, ErrorResponse)
    [note] = story.error.__notes__
    assert note == (
        "An earlier refresh, begun at 999910 (seconds since the epoch), was cut off: "
        "its answer, with the token that followed, may have been lost."
    )


@pytest.mark.parametrize(
    ("events", "stages", "result"),
    [
        pytest.param(
            [loaded(OTHERS, 3), RELEASED],
            "confirming releasing finished",
            OTHERS,
            id="a newer token is in the store",
        ),
        pytest.param(
            [MARKED, written(None), loaded(OTHERS, 3), RELEASED],
            "confirming burying confirming releasing finished",
            OTHERS,
            id="it comes at the last moment",
        ),
        pytest.param(
            [
                loaded(make("C", "r3", life=-5), 3),
                TAKEN,
                loaded(make("C", "r3", life=-5), 3),
                written(4),
                GRANTED,
                written(5),
                RELEASED,
            ],
            "confirming leasing loading marking requesting saving releasing finished",
            NEW,
            id="it has expired, and is renewed",
        ),
    ],
)
def test_an_invalid_grant_for_an_old_token_ends_nothing(
    events: list[CoordinatorEvent], stages: str, result: OAuth2Token
) -> None:
    story = renew(*SENT, INVALID, *events)
    assert story.stages == f"leasing loading marking requesting {stages}"
    assert story.result is not None
    assert story.result.access_token == result.access_token


@pytest.mark.parametrize(
    ("events", "error"),
    [
        pytest.param([FAILED, RELEASED], StoreError, id="nobody can say whether it is dead"),
        pytest.param([RecordLoaded(b"x", 3), RELEASED], DamagedRecordError, id="the same"),
        pytest.param([loaded(None), RELEASED], ErrorResponse, id="somebody has logged out"),
        pytest.param([MARKED, FAILED, RELEASED], ErrorResponse, id="the tombstone is lost"),
        pytest.param(
            [*[MARKED, written(None)] * (MOST_ROUNDS + 1), RELEASED],
            StoreError,
            id="others write again and again",
        ),
    ],
)
def test_what_may_come_between(events: list[CoordinatorEvent], error: type[OAuth2Error]) -> None:
    known = knowledge()
    story = renew(*SENT, INVALID, *events, known=known)
    assert type(story.error) is error
    assert known.dead is not None  # in any case this process does not send it again
    assert known.dead[0] == fingerprint("r1")


def test_an_invalid_grant_that_no_refresh_token_has_caused_is_a_failure_as_any() -> None:
    token = make("A", life=-10)

    def fetch(_token: OAuth2Token) -> Flow[OAuth2Token]:
        return CLIENT.client_credentials()

    step = RenewalStep(knowledge(), token, fetch, usable=True)
    story = tell(step, TAKEN, loaded(token), written(2), INVALID, written(3), RELEASED)
    assert story.stages == "leasing loading marking requesting noting releasing"


@pytest.mark.parametrize(
    ("events", "stages"),
    [
        ([FAILED], "leasing"),
        ([TAKEN, FAILED, RELEASED], "leasing loading releasing"),
        ([TAKEN, loaded(EXPIRED), FAILED, RELEASED], "leasing loading marking releasing"),
    ],
)
def test_a_store_that_is_down_pauses(events: list[CoordinatorEvent], stages: str) -> None:
    known = knowledge()
    story = renew(*events, known=known)
    assert story.stages == stages
    assert type(story.error) is StoreError
    assert story.error.outcome is Outcome.NOT_SENT
    assert known.pause == Pause(NOW, NOW + 1, "the store has failed")
    # The next one looks first, and may come once the pause is over.
    assert renew(FAILED, known=known).stages == "peeking"


def test_it_does_not_begin_anew_for_ever() -> None:
    rounds: list[CoordinatorEvent] = [TAKEN, loaded(EXPIRED), written(2), TooLateToSend()] * (
        MOST_ROUNDS + 1
    )
    story = renew(*rounds, RELEASED)
    assert story.stages.endswith("requesting releasing")
    assert type(story.error) is StoreError


@pytest.mark.parametrize("own_key", [None, "key 2"])
def test_a_refusal_to_a_process_with_another_key_leaves_the_login_to_the_others(
    own_key: str | None,
) -> None:
    known = replace(knowledge(), dpop_key=own_key)
    bound = loaded(EXPIRED, dpop_key="key 1")
    story = renew(TAKEN, bound, written(2), INVALID, written(3), RELEASED, known=known)
    assert isinstance(story.error, LocalProtocolError)
    assert story.error.error == "other_dpop_key"
    assert "thumbprint is key 1" in str(story.error)
    *_, last = story.written()
    assert (last.dead, last.started, last.dpop_key) == (None, None, "key 1")
    assert (known.dead, known.pause) == (None, None)


def test_a_refusal_to_a_process_with_the_very_key_ends_the_login() -> None:
    known = replace(knowledge(), dpop_key="key 1")
    bound = loaded(EXPIRED, dpop_key="key 1")
    again = loaded(EXPIRED, 2, dpop_key="key 1", started=MARK)
    story = renew(TAKEN, bound, written(2), INVALID, again, written(3), RELEASED, known=known)
    assert isinstance(story.error, ErrorResponse)
    assert story.written()[-1].dead is not None
