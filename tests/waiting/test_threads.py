from __future__ import annotations

import contextvars
import math
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    Outcome,
    TransportError,
    UnsavedTokenError,
)
from oauth2_sansio.events import Action, Endpoint, Event, RequestToSend
from oauth2_sansio.flow import Flow
from oauth2_sansio.keeper import AwaitRefresh, Decision, TokenKeeper
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting import threads, workers
from oauth2_sansio.waiting.threads import ThreadFlight, call_within, wait_in_pieces

R = TypeVar("R")

LONG = 60.0  # seconds after which a test that hangs fails

OLD = OAuth2Token(access_token="A", refresh_token="r1", expires_at=1)
NEW = OAuth2Token(access_token="B", refresh_token="r2")


def renew(_token: OAuth2Token) -> Flow[OAuth2Token]:
    def step(_event: Event, _now: float) -> Action[OAuth2Token]:
        return RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")

    return Flow(step)


class WatchedKeeper(TokenKeeper):
    """Tells when so many callers have been told to wait."""

    def __init__(self, token: OAuth2Token | None, expected: int = 1) -> None:
        super().__init__(token, renew)
        self.waiting = threading.Semaphore(0)
        self.expected = expected

    def acquire(self, now: float, **arguments: Any) -> Decision:
        decision = super().acquire(now, **arguments)
        if isinstance(decision, AwaitRefresh):
            self.waiting.release()
        return decision

    def until_all_wait(self) -> None:
        for _ in range(self.expected):
            assert self.waiting.acquire(timeout=LONG)


class Side:
    """Drives flows, saves tokens, and tells what happened in which order."""

    def __init__(
        self,
        keeper: TokenKeeper,
        *,
        drive: Callable[[Flow[OAuth2Token]], OAuth2Token] = lambda _flow: NEW,
        save: Callable[[OAuth2Token, OAuth2Token], object] = lambda _token, _previous: None,
        deadline: float = LONG,
    ) -> None:
        self.happened: list[str] = []
        self.inner_drive, self.inner_save = drive, save
        self.flight = ThreadFlight(keeper, self.drive, self.save, deadline=deadline)

    def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        self.happened.append("drive")
        self.assert_not_under_the_lock()
        return self.inner_drive(flow)

    def save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
        self.happened.append(f"save {token.access_token} for {previous.access_token}")
        self.assert_not_under_the_lock()
        self.inner_save(token, previous)

    def assert_not_under_the_lock(self) -> None:
        # Another thread may hold it, but not for long.
        assert self.flight._lock.acquire(timeout=LONG)
        self.flight._lock.release()

    def use(self) -> OAuth2Token:
        token = self.flight.token()
        self.happened.append("use")
        return token


def run_in_threads(*calls: Callable[[], R]) -> list[R | BaseException]:
    """Run all calls at once; return what each has returned or raised."""
    ended: list[R | BaseException] = []
    begin = threading.Barrier(len(calls))

    def run(call: Callable[[], R]) -> None:
        begin.wait(LONG)
        try:
            ended.append(call())
        except BaseException as error:  # noqa: BLE001 - it is looked at in the main thread
            ended.append(error)

    started = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(LONG)
    assert len(ended) == len(calls)
    return ended


def failing(*errors: BaseException | None) -> Callable[..., None]:
    """Return a function that raises these errors, one for each call; None is none."""
    left = iter(errors)

    def fail(*_arguments: object) -> None:
        error = next(left, None)
        if error is not None:
            raise error

    return fail


def test_a_fresh_token_is_returned_at_once() -> None:
    side = Side(TokenKeeper(NEW, renew))
    assert side.flight.token() is NEW
    assert side.happened == []


def test_what_is_asked_reaches_the_keeper_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder(TokenKeeper):
        def acquire(self, now: float, **arguments: Any) -> Decision:
            asked.append((now, arguments))
            return super().acquire(now, **arguments)

    asked: list[tuple[float, dict[str, Any]]] = []
    monkeypatch.setattr(threads, "now", lambda: 12.5)
    ThreadFlight(Recorder(NEW, renew), lambda _flow: NEW, failing()).token(
        rejected="A", by_hand=renew, spending="r9"
    )
    expected = {"rejected": "A", "by_hand": renew, "spending": "r9"}
    assert asked == [(12.5, {**expected, "waited_for": None, "tried_to_save": False})]


def test_sixty_four_threads_with_an_expired_token_renew_it_once() -> None:
    keeper = WatchedKeeper(OLD, expected=63)

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        return NEW

    side = Side(keeper, drive=drive)
    ended = run_in_threads(*[side.use] * 64)
    assert all(token is NEW for token in ended)
    assert side.happened == ["drive", "save B for A", *["use"] * 64]


def test_sixty_four_threads_in_any_order_renew_it_once() -> None:
    side = Side(TokenKeeper(OLD, renew))
    ended = run_in_threads(*[lambda: side.flight.token(rejected="A")] * 64)
    assert all(token is NEW for token in ended)
    assert side.happened == ["drive", "save B for A"]


def test_a_second_renewal_is_waited_for_like_the_first() -> None:
    keeper = WatchedKeeper(OLD)
    issued = iter((NEW, OAuth2Token(access_token="C", refresh_token="r3")))

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        assert not keeper.waiting.acquire(timeout=0.02)  # who waits does not ask again and again
        return next(issued)

    side = Side(keeper, drive=drive)
    assert run_in_threads(*[side.flight.token] * 2) == [NEW] * 2
    ended = run_in_threads(*[lambda: side.flight.token(rejected="B")] * 2)
    assert ended[0] is ended[1] is keeper.token
    assert side.happened == ["drive", "save B for A", "drive", "save C for B"]


def test_a_failure_is_shared_by_all_who_waited() -> None:
    keeper = WatchedKeeper(OLD, expected=15)

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        raise ErrorResponse("invalid_grant", endpoint=Endpoint.TOKEN)

    side = Side(keeper, drive=drive)
    ended = run_in_threads(*[side.flight.token] * 16)
    assert [type(error) for error in ended] == [ErrorResponse] * 16
    assert {str(error) for error in ended} == {"invalid_grant (token endpoint)"}
    assert len({id(error) for error in ended}) == 16
    assert side.happened == ["drive"]


def test_two_callers_by_hand_share_one_renewal() -> None:
    keeper = WatchedKeeper(NEW)

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        return OAuth2Token(access_token="C", refresh_token="r3")

    side = Side(keeper, drive=drive)
    ended = run_in_threads(*[lambda: side.flight.token(by_hand=renew, spending="r2")] * 2)
    assert ended[0] is ended[1] is keeper.token
    assert side.happened == ["drive", "save C for B"]


# Whoever renews is interrupted.


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), ValueError("a hook's")])
def test_an_interruption_when_the_request_may_be_out_has_an_unknown_outcome(
    error: BaseException,
) -> None:
    keeper = WatchedKeeper(OLD, expected=2)

    def drive(flow: Flow[OAuth2Token]) -> OAuth2Token:
        flow.start(0)
        keeper.until_all_wait()
        raise error

    side = Side(keeper, drive=drive)
    ended = run_in_threads(*[side.flight.token] * 3)
    ended.remove(error)
    for shared in ended:
        assert isinstance(shared, TransportError)
        assert (shared.outcome, shared.endpoint) == (Outcome.UNKNOWN, Endpoint.TOKEN)
        assert str(shared).startswith("transport_error: the renewal was interrupted")
    assert side.happened == ["drive"]
    side.inner_drive = lambda _flow: NEW
    assert side.flight.token() is NEW  # who comes next may try once more


def test_an_interruption_before_the_request_goes_out_hands_over_to_the_next() -> None:
    keeper = WatchedKeeper(OLD, expected=2)
    interruption = KeyboardInterrupt()

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        if side.happened == ["drive"]:
            keeper.until_all_wait()
            raise interruption
        return NEW

    side = Side(keeper, drive=drive)
    ended = run_in_threads(*[side.flight.token] * 3)
    ended.remove(interruption)
    assert ended == [NEW, NEW]
    assert side.happened == ["drive", "drive", "save B for A"]


def test_a_renewal_that_asks_for_its_own_token_does_not_wait_for_itself() -> None:
    side = Side(TokenKeeper(OLD, renew), drive=lambda _flow: side.flight.token())
    with pytest.raises(LocalProtocolError, match="asks for this very token"):
        side.flight.token()
    side.inner_drive = lambda _flow: NEW
    assert side.flight.token() is NEW


def test_a_renewal_may_use_another_token() -> None:
    other = Side(TokenKeeper(OLD, renew))
    side = Side(TokenKeeper(OLD, renew), drive=lambda _flow: other.flight.token())
    assert side.flight.token() is NEW
    assert (side.happened, other.happened) == (["drive", "save B for A"],) * 2


# Saving.


def test_a_save_function_that_uses_the_client_gets_the_new_token_while_others_wait() -> None:
    keeper = WatchedKeeper(OLD)
    inside: list[OAuth2Token] = []

    def save(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        inside.append(side.flight.token())
        inside.append(side.flight.token(rejected="B"))
        inside.append(side.flight.token(by_hand=renew, spending="r2"))
        side.flight.save_now()
        for _ in inside:
            assert keeper.waiting.acquire(timeout=LONG)
        keeper.until_all_wait()  # the other thread
        assert keeper.token is OLD
        side.happened.append("saved")

    side = Side(keeper, save=save)
    ended = run_in_threads(side.use, side.use)
    assert ended == [NEW, NEW]
    assert inside == [NEW] * 3
    assert side.happened == ["drive", "save B for A", "saved", "use", "use"]


def test_save_functions_may_use_each_others_clients() -> None:
    def save_first(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        second.use()

    def save_second(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        first.use()

    first = Side(TokenKeeper(OLD, renew), save=save_first)
    second = Side(TokenKeeper(OLD, renew), save=save_second)
    assert first.flight.token() is NEW
    assert first.happened == second.happened == ["drive", "save B for A", "use"]


def test_a_save_function_waits_for_another_clients_token() -> None:
    keeper = WatchedKeeper(OLD)
    running = threading.Event()
    got: list[OAuth2Token] = []

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        running.set()
        keeper.until_all_wait()
        return OAuth2Token(access_token="other")

    def save(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        assert running.wait(LONG)
        got.append(other.flight.token())

    other = Side(keeper, drive=drive)
    side = Side(TokenKeeper(OLD, renew), save=save)
    run_in_threads(side.flight.token, other.flight.token)
    assert got == [OAuth2Token(access_token="other")]


def test_what_a_save_function_leaves_behind_waits_like_all_others() -> None:
    keeper = WatchedKeeper(OLD)
    left: list[contextvars.Context] = []
    side = Side(keeper, save=lambda *_: left.append(contextvars.copy_context()))
    assert side.flight.token() is NEW
    third = OAuth2Token(access_token="C", refresh_token="r3")

    got: list[OAuth2Token] = []
    behind = threading.Thread(
        target=lambda: got.append(left[0].run(side.flight.token)), daemon=True
    )

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        behind.start()
        keeper.until_all_wait()
        return third

    side.inner_drive = drive
    assert side.flight.token(rejected="B") is third
    behind.join(LONG)
    assert got == [third]


def test_a_token_that_could_not_be_saved_is_told_to_who_renewed_it_and_saved_again() -> None:
    keeper = TokenKeeper(OLD, renew)
    full, still_full = OSError("disk full"), OSError("disk still full")
    side = Side(keeper, save=failing(full, still_full))
    with pytest.raises(UnsavedTokenError) as caught:
        side.flight.token()
    assert caught.value.token is NEW
    assert caught.value.__cause__ is full
    # The next one goes on with it, though it cannot be saved; the one after that can save it.
    seen = [(side.use() is NEW, keeper.unsaved) for _ in range(3)]
    assert seen == [(True, True), (True, False), (True, False)]
    again = ["save B for A", "use"]
    assert side.happened == ["drive", "save B for A", *again, *again, "use"]


def test_each_waiter_tries_to_save_and_goes_on() -> None:
    keeper = WatchedKeeper(OLD, expected=3)

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        return NEW

    side = Side(keeper, drive=drive, save=failing(*[OSError()] * 4))
    ended = run_in_threads(*[side.flight.token] * 4)
    assert sum(token is NEW for token in ended) == 3
    assert sum(isinstance(error, UnsavedTokenError) for error in ended) == 1
    assert side.happened == ["drive", *["save B for A"] * 4]
    side.flight.save_now()
    assert not keeper.unsaved


def test_an_error_of_the_client_inside_a_save_function_is_no_failed_renewal() -> None:
    keeper = TokenKeeper(OLD, renew)
    error = ErrorResponse("invalid_grant")
    side = Side(keeper, save=failing(error))
    with pytest.raises(UnsavedTokenError) as caught:
        side.flight.token()
    assert caught.value.__cause__ is error
    assert keeper.token is NEW
    assert side.flight.token() is NEW


def test_a_save_function_that_always_fails_does_not_stop_renewals() -> None:
    keeper = TokenKeeper(OLD, renew)
    side = Side(keeper, save=failing(*[OSError()] * 9))
    with pytest.raises(UnsavedTokenError):
        side.flight.token()
    side.inner_drive = lambda _flow: OAuth2Token(access_token="C", refresh_token="r3")
    with pytest.raises(UnsavedTokenError):
        side.flight.token(rejected="B")
    assert keeper.token == OAuth2Token(access_token="C", refresh_token="r3")
    assert side.happened == ["drive", *["save B for A"] * 2, "drive", "save C for A"]


def test_an_interruption_while_saving_loses_nothing() -> None:
    keeper = TokenKeeper(OLD, renew)
    side = Side(keeper, save=failing(KeyboardInterrupt(), KeyboardInterrupt()))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            side.flight.token()
        assert keeper.token is NEW
        assert keeper.unsaved
    assert side.flight.token() is NEW
    assert side.happened == ["drive", *["save B for A"] * 3]


def test_saving_now() -> None:
    keeper = TokenKeeper(OLD, renew)
    side = Side(keeper, save=failing(OSError(), OSError()))
    side.flight.save_now()
    assert side.happened == []
    for call in (side.flight.token, side.flight.save_now):
        with pytest.raises(UnsavedTokenError) as caught:
            call()
        assert caught.value.token is NEW
    side.flight.save_now()
    assert not keeper.unsaved
    side.flight.save_now()
    assert side.happened == ["drive", *["save B for A"] * 3]


class AwaitedAtTheEnd(WatchedKeeper):
    def acquire_save(self) -> Any:
        decision = super().acquire_save()
        if isinstance(decision, AwaitRefresh):
            self.waiting.release()
        return decision


def test_saving_now_waits_for_a_renewal_that_runs() -> None:
    keeper = AwaitedAtTheEnd(OLD)
    running = threading.Event()

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        running.set()
        keeper.until_all_wait()
        return NEW

    def close() -> None:
        assert running.wait(LONG)
        side.flight.save_now()
        side.happened.append("closed")

    side = Side(keeper, drive=drive, save=failing(OSError()))
    calls: list[Callable[[], object]] = [side.flight.token, close]
    ended = run_in_threads(*calls)
    assert {type(end) for end in ended} == {UnsavedTokenError, type(None)}
    assert side.happened == ["drive", "save B for A", "save B for A", "closed"]
    assert not keeper.unsaved


# Deadlines.


def test_a_waiter_has_a_deadline_and_the_renewal_goes_on() -> None:
    late = threading.Event()

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        ended = run_in_threads(side.flight.token, side.flight.token)
        for error in ended:
            assert isinstance(error, TransportError)
            assert (error.outcome, error.endpoint) == (Outcome.NOT_SENT, Endpoint.TOKEN)
            assert str(error).startswith(
                "transport_error: another thread's renewal has not ended within 0.001 seconds"
            )
        run_in_threads(side.flight.save_now)
        late.set()
        return NEW

    side = Side(TokenKeeper(OLD, renew), drive=drive, deadline=0.001)
    assert side.flight.token() is NEW
    assert late.is_set()


def test_the_deadline_covers_all_that_one_call_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(TokenKeeper):
        def acquire(self, now: float, **arguments: Any) -> Decision:
            waited_for.append(arguments["waited_for"])
            if len(waited_for) < 4:
                return AwaitRefresh(len(waited_for))
            return super().acquire(now, **arguments)

    def wait(_done: threading.Event | None, until: float) -> bool:
        deadlines.append(until)
        return True

    waited_for: list[int | None] = []
    deadlines: list[float] = []
    monkeypatch.setattr(threads, "_wait", wait)
    assert ThreadFlight(Busy(NEW, renew), lambda _flow: NEW, failing()).token() is NEW
    assert waited_for == [None, 1, 1, 1]
    assert len(deadlines) == 3
    assert len(set(deadlines)) == 1


def test_a_deadline_may_be_endless() -> None:
    keeper = WatchedKeeper(OLD)

    def drive(_flow: Flow[OAuth2Token]) -> OAuth2Token:
        keeper.until_all_wait()
        return NEW

    side = Side(keeper, drive=drive, deadline=math.inf)
    assert run_in_threads(*[side.flight.token] * 2) == [NEW] * 2


@pytest.mark.parametrize(
    ("seconds", "comes_after", "waited"),
    [
        (0.5, None, [0.5]),
        (2.5, None, [1.0, 1.0, 0.5]),
        (1.0, None, [1.0]),
        (2.5, 1, [1.0, 1.0]),
        (math.inf, 3, [1.0] * 4),
    ],
)
def test_no_wait_is_so_long_that_it_would_keep_back_ctrl_c(
    seconds: float, comes_after: int | None, waited: list[float]
) -> None:
    waits: list[float] = []

    def wait(piece: float) -> bool:
        waits.append(piece)
        return len(waits) - 1 == comes_after

    assert wait_in_pieces(wait, seconds) == (comes_after is not None)
    assert waits == waited


# A bound on a call.


class Late(Exception):
    pass


@pytest.fixture
def no_idling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread of a call end with it."""
    monkeypatch.setattr(workers, "_IDLE", 0.0)


@pytest.mark.parametrize("result", ["done", None, ValueError("returned, not raised")])
@pytest.mark.parametrize("seconds", [LONG, math.inf])
def test_a_call_in_time_returns(result: object, seconds: float) -> None:
    assert call_within(seconds, lambda: result, Late) is result


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_a_call_in_time_raises(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        call_within(LONG, failing(error), Late)
    assert caught.value is error


@pytest.mark.usefixtures("no_idling")
def test_a_call_that_is_late_is_left_behind() -> None:
    go_on, thread = threading.Event(), list[threading.Thread]()
    begun = threading.Event()

    def call() -> None:
        thread.append(threading.current_thread())
        begun.set()
        assert go_on.wait(LONG)

    with pytest.raises(Late):
        call_within(0.001, call, Late)
    assert begun.wait(LONG)
    assert thread[0].daemon
    go_on.set()
    thread[0].join(LONG)
    assert not thread[0].is_alive()


@pytest.mark.usefixtures("no_idling")
@pytest.mark.parametrize("ends_in", [None, ValueError("cut")], ids=str)
def test_a_call_that_is_late_is_ended(ends_in: Exception | None) -> None:
    end, thread = threading.Event(), list[threading.Thread]()

    def call() -> str:
        thread.append(threading.current_thread())
        assert end.wait(LONG)
        if ends_in is not None:
            raise ends_in
        return "just in time"

    if ends_in is None:
        assert call_within(0.001, call, Late, end.set) == "just in time"
    else:
        with pytest.raises(Late):
            call_within(0.001, call, Late, end.set)
    thread[0].join(LONG)
    assert not thread[0].is_alive()


def test_a_call_in_time_is_not_ended() -> None:
    ended = list[None]()
    assert call_within(LONG, lambda: 1, Late, lambda: ended.append(None)) == 1
    with pytest.raises(ValueError, match="no"):
        call_within(LONG, failing(ValueError("no")), Late, lambda: ended.append(None))
    assert ended == []


def test_a_call_sees_the_context_variables_and_changes_none() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    def call() -> str:
        seen = variable.get()
        variable.set("changed")
        return seen

    mark = variable.set("ours")
    try:
        assert call_within(LONG, call, Late) == "ours"
        assert variable.get() == "ours"
    finally:
        variable.reset(mark)


def test_a_bounded_call_inside_a_save_function_still_belongs_to_it() -> None:
    def save(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        assert call_within(LONG, side.flight.token, Late) is NEW

    side = Side(TokenKeeper(OLD, renew), save=save)
    assert side.flight.token() is NEW
