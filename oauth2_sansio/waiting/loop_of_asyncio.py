"""Waiting under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..tokens import OAuth2Token
from .tasks import EventLoop, R

# asyncio holds its tasks weakly: a renewal whose caller was cancelled would be collected.
_running: set[asyncio.Task[OAuth2Token]] = set()


class _Held(asyncio.Task[OAuth2Token]):
    """A task that a loop waits for at its end, where `asyncio.run` cancels all tasks.

    A refresh whose answer is on its way must not be cut off. What cancels this task while the loop
    runs are deadlines of what it is at: those count.
    """

    bound: float  # how many seconds the end of the loop waits for this

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel this task: once its time is up, where the loop is about to end."""
        loop = self.get_loop()
        if loop.is_running():
            return super().cancel(msg)
        loop.call_later(self.bound, super().cancel)
        return False


class AsyncioLoop(EventLoop):
    """The asyncio loop that the caller runs in."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def has_ended(self) -> bool:
        """Say whether this loop is closed."""
        return self._loop.is_closed()

    def is_current(self) -> bool:
        """Say whether the caller runs in this loop."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:  # the caller runs in no asyncio loop at all
            return False

    def time(self) -> float:
        """Return this loop's time in seconds."""
        return self._loop.time()

    def new_event(self) -> asyncio.Event:
        """Return an event."""
        return asyncio.Event()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event; return False where it has not come within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True

    async def protect(
        self,
        work: Callable[[], Coroutine[Any, Any, OAuth2Token]],
        given_up: Callable[[], None],
        bound: float,
    ) -> OAuth2Token | None:
        """Run work in a task of its own, which the caller's cancellation does not reach."""
        begun = False

        async def run() -> OAuth2Token:
            nonlocal begun
            begun = True
            return await work()

        def done(task: asyncio.Task[OAuth2Token]) -> None:
            _running.discard(task)
            if not begun:  # somebody has cancelled all tasks of the loop, before its first step
                given_up()
            if not task.cancelled():
                task.exception()  # seen, also where the caller has gone

        task = _Held(run(), loop=self._loop, name="oauth2_sansio")
        task.bound = bound
        _running.add(task)
        task.add_done_callback(done)
        await asyncio.wait((task,))  # which cancels nothing where it is cancelled itself
        return None if task.cancelled() else task.result()

    async def within(
        self,
        seconds: float,
        call: Callable[[], Coroutine[Any, Any, R]],
        late: Callable[[], Exception],
    ) -> R:
        """Return what a call returns, or cancel it and raise `late()` once it takes too long."""
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout:
                return await call()
        except TimeoutError:
            if not timeout.expired():
                raise
        raise late()

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""
        await asyncio.sleep(seconds)

    def is_of_another(self, error: BaseException) -> bool:
        """Say whether this is the cancellation of a task that the caller has waited for."""
        task = asyncio.current_task()
        return isinstance(error, asyncio.CancelledError) and not (task and task.cancelling())
