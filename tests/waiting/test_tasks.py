"""One renewal at a time for tasks, under asyncio and under trio, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from typing import Any, TypeAlias

import anyio
import pytest
from anyio.lowlevel import checkpoint

from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    OAuth2Error,
    Outcome,
    TransportError,
    UnsavedTokenError,
)
from oauth2_sansio.events import Action, Endpoint, Event, RequestToSend
from oauth2_sansio.flow import Flow
from oauth2_sansio.keeper import TokenKeeper
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.tasks import TaskFlight

Main: TypeAlias = Callable[[], Awaitable[None]]
Run: TypeAlias = Callable[[Main], None]

LONG = 60.0  # seconds after which a test that hangs fails
SHORT = 0.01  # seconds: the deadline where nothing else ends the waiting

OLD = OAuth2Token(access_token="A", refresh_token="r1", expires_at=1)
NEW = OAuth2Token(access_token="B", refresh_token="r2")


def renew(_token: OAuth2Token) -> Flow[OAuth2Token]:
    def step(_event: Event, _now: float) -> Action[OAuth2Token]:
        return RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")

    return Flow(step)


class Side:
    """Drives flows, saves tokens, and tells what happened in which order."""

    def __init__(self, token: OAuth2Token | None = OLD, *, deadline: float = LONG) -> None:
        self.happened: list[str] = []
        self.keeper = TokenKeeper(token, renew)
        self.flight = TaskFlight(self.keeper, self.drive, self.save, deadline=deadline)
        self.driving, self.go_on = anyio.Event(), anyio.Event()
        self.issued: list[OAuth2Token | Exception] = [NEW]
        self.failures: list[Exception | None] = []

    async def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        flow.start(0)
        self.happened.append("drive")
        self.driving.set()
        await self.go_on.wait()
        outcome = self.issued.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
        await checkpoint()
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.happened.append(f"save {token.access_token} for {previous.access_token}")


class Asking:
    """A task that asks for a token, and what came of it."""

    def __init__(self, ask: Callable[[], Awaitable[OAuth2Token]]) -> None:
        self._ask = ask
        self.scope = anyio.CancelScope()
        self.came: OAuth2Token | BaseException | None = None

    async def __call__(self) -> None:
        with self.scope:
            try:
                self.came = await self._ask()
            except (OAuth2Error, RuntimeError) as error:
                self.came = error


# anyio cancels a task of an older trio by an argument that trio does not know, and hangs.
TRIO_IS_TOO_OLD = tuple(map(int, version("trio").split(".")[:2])) < (0, 32)


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine function to its end, under each library."""
    if request.param == "trio" and TRIO_IS_TOO_OLD:
        pytest.skip("anyio takes trio from 0.32 on")

    async def in_time(main: Main) -> None:
        with anyio.fail_after(LONG):
            await main()

    return lambda main: anyio.run(in_time, main, backend=request.param)


async def until_all_wait() -> None:
    # Each step of the loop takes every task that can go on one step further.
    for _ in range(20):
        await checkpoint()


def test_a_fresh_token_is_returned_at_once(run: Run) -> None:
    async def main() -> None:
        side = Side(NEW)
        assert await side.flight.token() is NEW
        await side.flight.keep(NEW)  # there is no store
        await side.flight.discard()
        await side.flight.save_now()
        assert side.happened == []

    run(main)


@pytest.mark.parametrize(
    "arguments", [{}, {"rejected": "A"}, {"by_hand": renew, "spending": "r1"}], ids=str
)
def test_two_hundred_tasks_renew_a_token_once(run: Run, arguments: dict[str, Any]) -> None:
    async def main() -> None:
        side = Side()
        asking = [Asking(lambda: side.flight.token(**arguments)) for _ in range(200)]
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
            await side.driving.wait()
            await until_all_wait()
            side.go_on.set()
        assert all(each.came is NEW for each in asking)
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_a_failure_is_shared_by_all_who_waited(run: Run) -> None:
    async def main() -> None:
        side = Side()
        side.issued = [ErrorResponse("invalid_grant", endpoint=Endpoint.TOKEN)]
        asking = [Asking(side.flight.token) for _ in range(200)]
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
            await side.driving.wait()
            await until_all_wait()
            side.go_on.set()
        assert {(type(each.came), str(each.came)) for each in asking} == {
            (ErrorResponse, "invalid_grant (token endpoint)")
        }
        assert len({id(each.came) for each in asking}) == 200
        assert side.happened == ["drive"]

    run(main)


@pytest.mark.parametrize("waiting", [0, 1, 50])
def test_the_leaders_cancellation_loses_nothing(run: Run, waiting: int) -> None:
    async def main() -> None:
        side = Side()
        leader = Asking(side.flight.token)
        others = [Asking(side.flight.token) for _ in range(waiting)]
        async with anyio.create_task_group() as group:
            group.start_soon(leader)
            await side.driving.wait()
            for each in others:
                group.start_soon(each)
            await until_all_wait()
            leader.scope.cancel()
            await until_all_wait()
            side.go_on.set()
        # Under trio the leader has done its work to the end, and is cancelled where it waits next.
        assert leader.scope.cancelled_caught or leader.came is NEW
        assert [each.came for each in others] == [NEW] * waiting
        assert await side.flight.token() is NEW
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_all_who_wait_may_be_cancelled(run: Run) -> None:
    async def main() -> None:
        side = Side()
        asking = [Asking(side.flight.token) for _ in range(50)]
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
            await side.driving.wait()
            await until_all_wait()
            for each in asking:
                each.scope.cancel()
            await until_all_wait()
            side.go_on.set()
        assert await side.flight.token() is NEW
        assert side.happened == ["drive", "save B for A"]

    run(main)


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_cancellations_lose_no_token(run: Run, seed: int) -> None:
    # The server rotates, and a refresh token that comes twice ends the family.
    chance = random.Random(seed)
    current, spent, saved = OAuth2Token(access_token="0", refresh_token="r0"), 0, ["0"]

    class Rotating(Side):
        async def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
            nonlocal current, spent
            flow.start(0)
            for _ in range(chance.randrange(4)):
                await checkpoint()
            assert self.keeper.token == current  # what is spent is what was issued last
            spent += 1
            current = OAuth2Token(access_token=str(spent), refresh_token=f"r{spent}")
            for _ in range(chance.randrange(4)):
                await checkpoint()
            return current

        async def save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
            assert previous.access_token == saved[-1]
            for _ in range(chance.randrange(4)):
                await checkpoint()
            saved.append(str(token.access_token))

    async def main() -> None:
        side = Rotating(current)
        cancelled = 0
        while cancelled < 250:  # with each of four seeds
            ask = partial(side.flight.token, rejected=str(current.access_token))
            asking = [Asking(ask) for _ in range(8)]
            async with anyio.create_task_group() as group:
                for each in asking:
                    group.start_soon(each)
                for each in chance.sample(asking, k=6):
                    for _ in range(chance.randrange(3)):
                        await checkpoint()
                    each.scope.cancel()
                    cancelled += 1
            assert all(each.came is None or each.came == current for each in asking)
            assert (await side.flight.token()) == current
        assert [int(each) for each in saved] == list(range(spent + 1))

    run(main)
    assert spent > 0


def test_a_cancelled_task_of_asyncio(recwarn: pytest.WarningsRecorder) -> None:
    async def main() -> None:
        side = Side()
        leader = asyncio.create_task(side.flight.token())
        await side.driving.wait()
        other = asyncio.create_task(side.flight.token())
        await until_all_wait()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        side.go_on.set()
        assert await other is NEW
        assert side.happened == ["drive", "save B for A"]

    asyncio.run(main())
    assert not recwarn.list


def test_what_is_no_oauth_error_reaches_the_leader_alone(run: Run) -> None:
    async def main() -> None:
        side = Side()
        side.issued = [RuntimeError("a hook's"), NEW]
        asking = [Asking(side.flight.token) for _ in range(3)]
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
            await side.driving.wait()
            await until_all_wait()
            side.go_on.set()
        hook, *shared = sorted((each.came for each in asking), key=lambda came: type(came).__name__)
        assert isinstance(hook, RuntimeError)
        for error in shared:
            assert isinstance(error, TransportError)
            assert error.outcome is Outcome.UNKNOWN
        assert await side.flight.token() is NEW
        assert side.happened == ["drive", "drive", "save B for A"]

    run(main)


def test_what_was_given_up_before_its_request_is_begun_by_the_next(run: Run) -> None:
    class GivesUp(Side):
        async def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
            if not self.driving.is_set():
                self.driving.set()
                await self.go_on.wait()
                raise RuntimeError("a hook's")
            return await super().drive(flow)

    async def main() -> None:
        side = GivesUp()
        asking = [Asking(side.flight.token) for _ in range(4)]
        async with anyio.create_task_group() as group:
            for each in asking:
                group.start_soon(each)
            await side.driving.wait()
            await until_all_wait()
            side.go_on.set()
        assert sorted(type(each.came).__name__ for each in asking) == [
            "OAuth2Token",
            "OAuth2Token",
            "OAuth2Token",
            "RuntimeError",
        ]
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_a_waiter_keeps_its_own_deadline(run: Run) -> None:
    async def main() -> None:
        side = Side(deadline=SHORT)
        leader, other = Asking(side.flight.token), Asking(side.flight.token)
        async with anyio.create_task_group() as group:
            group.start_soon(leader)
            await side.driving.wait()
            await other()
            assert isinstance(other.came, TransportError)
            assert other.came.outcome is Outcome.NOT_SENT
            assert str(other.came).startswith("transport_error: another task's renewal has not end")
            side.go_on.set()
        assert leader.came is NEW

    run(main)


# Saving.


def test_a_token_that_is_not_saved_reaches_the_leader_and_is_saved_by_the_next(run: Run) -> None:
    async def main() -> None:
        side = Side()
        side.failures = [OSError("full"), OSError("full"), None]
        side.go_on.set()
        with pytest.raises(UnsavedTokenError) as caught:
            await side.flight.token()
        assert caught.value.token is NEW
        assert await side.flight.token() is NEW  # which has tried in vain
        assert side.happened == ["drive"]
        assert await side.flight.token() is NEW
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_closing_saves_what_is_unsaved(run: Run) -> None:
    async def main() -> None:
        side = Side()
        side.failures = [OSError("full"), OSError("full"), None]
        side.go_on.set()
        with pytest.raises(UnsavedTokenError):
            await side.flight.token()
        with pytest.raises(UnsavedTokenError):
            await side.flight.save_now()
        await side.flight.save_now()
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_closing_waits_for_a_renewal_that_is_running(run: Run) -> None:
    async def main() -> None:
        side = Side()
        leader = Asking(side.flight.token)

        async def close() -> None:
            await side.flight.save_now()
            side.happened.append("closed")

        async with anyio.create_task_group() as group:
            group.start_soon(leader)
            await side.driving.wait()
            group.start_soon(close)
            await until_all_wait()
            assert side.happened == ["drive"]
            side.go_on.set()
        assert leader.came is NEW
        assert side.happened == ["drive", "save B for A", "closed"]

    run(main)


def test_closing_leaves_a_renewal_that_takes_too_long_to_its_task(run: Run) -> None:
    async def main() -> None:
        side = Side(deadline=SHORT)
        leader = Asking(side.flight.token)
        async with anyio.create_task_group() as group:
            group.start_soon(leader)
            await side.driving.wait()
            await side.flight.save_now()
            assert side.happened == ["drive"]
            side.go_on.set()
        assert leader.came is NEW
        assert side.happened == ["drive", "save B for A"]

    run(main)


def test_saving_has_a_deadline(run: Run) -> None:
    class Slow(Side):
        async def save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
            await anyio.sleep_forever()

    async def main() -> None:
        side = Slow(deadline=SHORT)
        side.go_on.set()
        with pytest.raises(UnsavedTokenError) as caught:
            await side.flight.token()
        assert isinstance(caught.value.__cause__, TimeoutError)
        assert "update_token has not ended within 0.01 seconds" in str(caught.value.__cause__)

    run(main)


def test_update_token_may_use_the_token_that_it_saves(run: Run) -> None:
    class Using(Side):
        async def save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
            assert await self.flight.token() is token
            await self.flight.save_now()  # which does not wait for itself
            self.happened.append("save")

    async def main() -> None:
        side = Using()
        side.go_on.set()
        assert await side.flight.token() is NEW
        assert side.happened == ["drive", "save"]

    run(main)


def test_a_renewal_that_asks_for_its_own_token_does_not_wait_for_itself(run: Run) -> None:
    class Asks(Side):
        async def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
            return await self.flight.token()

    async def main() -> None:
        with pytest.raises(LocalProtocolError, match="asks for this very token"):
            await Asks().flight.token()

    run(main)


# Event loops, one after the other and at once.


def test_a_client_works_in_one_loop_after_the_other(run: Run) -> None:
    side = Side()
    side.issued = [NEW, OAuth2Token(access_token="C", refresh_token="r3")]

    async def first() -> None:
        side.go_on.set()
        assert await side.flight.token() is NEW

    async def second() -> None:
        side.go_on = anyio.Event()
        side.go_on.set()
        assert (await side.flight.token(rejected="B")).access_token == "C"

    run(first)
    run(second)
    assert side.happened == ["drive", "save B for A", "drive", "save C for B"]


@pytest.mark.parametrize("first", ["asyncio", "trio"])
@pytest.mark.parametrize("second", ["asyncio", "trio"])
def test_two_loops_at_once_are_refused(first: str, second: str) -> None:
    side = Side()
    is_driving, may_end = threading.Event(), threading.Event()
    came: list[OAuth2Token] = []

    async def drive(flow: Flow[OAuth2Token]) -> OAuth2Token:
        flow.start(0)
        is_driving.set()
        await anyio.to_thread.run_sync(may_end.wait, LONG)
        return NEW

    async def lead() -> None:
        came.append(await side.flight.token())

    async def intrude() -> None:
        with pytest.raises(LocalProtocolError, match="in another event loop") as caught:
            await side.flight.token()
        assert caught.value.advice == "use one client in one event loop at a time"

    side.flight._drive = drive
    leading = threading.Thread(target=lambda: anyio.run(lead, backend=first))
    leading.start()
    try:
        assert is_driving.wait(LONG)
        anyio.run(intrude, backend=second)
    finally:
        may_end.set()
        leading.join(LONG)
    assert came == [NEW]
    anyio.run(lead, backend=second)
    assert came == [NEW, NEW]


@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize("hook_fails", [False, True])
def test_a_loop_that_ends_waits_for_a_renewal_that_has_begun(steps: int, hook_fails: bool) -> None:
    # `asyncio.run` cancels all tasks at its end, also one that has not begun.
    class Answered(Side):
        async def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
            flow.start(0)
            self.happened.append("drive")
            await asyncio.sleep(0.01)  # what is on its way arrives when the loop runs no more
            if hook_fails and self.happened == ["drive"]:
                raise RuntimeError("a hook's")
            return NEW

    side = Answered()
    asking: list[asyncio.Task[OAuth2Token]] = []

    async def first() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        asking.append(asyncio.create_task(side.flight.token()))
        for _ in range(steps):
            await asyncio.sleep(0)

    async def second() -> None:
        assert await side.flight.token() is NEW

    asyncio.run(first())
    assert asking[0].cancelled()
    assert side.happened == (["drive"] if hook_fails else ["drive", "save B for A"])
    asyncio.run(second())
    assert side.happened[-1] == "save B for A"
    assert side.happened.count("drive") == (2 if hook_fails else 1)


def test_a_loop_that_ends_waits_for_no_longer_than_the_deadline() -> None:
    side = Side(deadline=SHORT)

    async def first() -> None:
        asking = asyncio.ensure_future(side.flight.token())
        await side.driving.wait()
        assert not asking.done()

    async def second() -> None:
        side.go_on = anyio.Event()
        side.go_on.set()
        assert await side.flight.token() is NEW

    asyncio.run(first())
    asyncio.run(second())
    assert side.happened == ["drive", "drive", "save B for A"]


def test_whoever_cancels_all_tasks_cancels_a_renewal_too() -> None:
    side = Side()

    async def main() -> None:
        asking = asyncio.ensure_future(side.flight.token())
        await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(tasks) == 2
        for each in tasks:
            each.cancel()
        await asyncio.wait((asking,))
        assert asking.cancelled()
        side.go_on.set()
        assert await side.flight.token() is NEW

    asyncio.run(main())
    assert side.happened == ["drive", "save B for A"]


def test_whoever_cancels_a_renewal_alone_leaves_its_outcome_unknown() -> None:
    side = Side()

    async def main() -> None:
        asking = asyncio.ensure_future(side.flight.token())
        await side.driving.wait()
        (renewal,) = asyncio.all_tasks() - {asyncio.current_task(), asking}
        renewal.cancel()
        with pytest.raises(TransportError, match="interrupted") as caught:
            await asking
        assert caught.value.outcome is Outcome.UNKNOWN
        side.go_on.set()
        assert await side.flight.token() is NEW

    asyncio.run(main())
    assert side.happened == ["drive", "drive", "save B for A"]


def test_a_loop_that_was_closed_without_cancelling_its_tasks() -> None:
    # pytest makes an error of what is raised where the tasks are thrown away.
    side = Side()
    loop = asyncio.new_event_loop()

    async def lead() -> None:
        asking = asyncio.ensure_future(side.flight.token())
        asking._log_destroy_pending = False  # type: ignore[attr-defined]  # that is the test
        await side.driving.wait()

    async def again() -> None:
        side.go_on = anyio.Event()
        side.go_on.set()
        with pytest.raises(TransportError, match="interrupted") as caught:
            await side.flight.token()
        assert caught.value.outcome is Outcome.UNKNOWN
        assert await side.flight.token() is NEW

    loop.run_until_complete(lead())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # that is the test
    loop.close()
    asyncio.run(again())
    gc.collect()
    assert side.happened == ["drive", "drive", "save B for A"]
