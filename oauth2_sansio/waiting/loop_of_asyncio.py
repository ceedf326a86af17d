"""Waiting under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..tokens import OAuth2Token
from .tasks import EventLoop, R

# asyncio holds its tasks weakly: a renewal whose caller was cancelled would be collected.
_running: set[asyncio.Task[OAuth2Token]] = set()


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
        self, work: Callable[[], Coroutine[Any, Any, OAuth2Token]], given_up: Callable[[], None]
    ) -> OAuth2Token | None:
        """Run work in a task of its own, which the caller's cancellation does not reach."""
        begun = False

        async def run() -> OAuth2Token:
            nonlocal begun
            begun = True
            return await work()

        def done(task: asyncio.Task[OAuth2Token]) -> None:
            _running.discard(task)
            if not begun:  # cancelled before its first step, as `asyncio.run` does at its end
                given_up()
            if not task.cancelled():
                task.exception()  # seen, also where the caller has gone

        task = asyncio.create_task(run(), name="oauth2_sansio")
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
