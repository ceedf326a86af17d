"""Waiting under trio."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import trio

from ..tokens import OAuth2Token
from .tasks import EventLoop, R


class TrioLoop(EventLoop):
    """The trio run that the caller runs in."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()

    def has_ended(self) -> bool:
        """Say whether this run has ended."""
        try:
            self._token.run_sync_soon(_nothing, idempotent=True)
        except trio.RunFinishedError:
            return True
        return False

    def is_current(self) -> bool:
        """Say whether the caller runs in this run."""
        return runs_here() and trio.lowlevel.current_trio_token() is self._token

    def time(self) -> float:
        """Return this run's time in seconds."""
        return trio.current_time()

    def new_event(self) -> trio.Event:
        """Return an event."""
        return trio.Event()

    async def wait(self, event: trio.Event, seconds: float) -> bool:
        """Wait for an event; return False where it has not come within so many seconds."""
        with trio.move_on_after(seconds) as scope:
            await event.wait()
        return not scope.cancelled_caught

    async def protect(
        self,
        work: Callable[[], Coroutine[Any, Any, OAuth2Token]],
        given_up: Callable[[], None],
        bound: float,
    ) -> OAuth2Token | None:
        """Run work where the caller's cancellation does not reach; all of it has a deadline."""
        token: OAuth2Token | None = None
        with trio.CancelScope(shield=True):
            token = await work()
        return token  # noqa: RET504 - type checkers think that the scope may swallow an error

    async def within(
        self,
        seconds: float,
        call: Callable[[], Coroutine[Any, Any, R]],
        late: Callable[[], Exception],
    ) -> R:
        """Return what a call returns, or cancel it and raise `late()` once it takes too long."""
        results: list[R] = []
        with trio.move_on_after(seconds):
            results.append(await call())
        if not results:
            raise late()
        return results[0]

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""
        await trio.sleep(seconds)

    def is_of_another(self, error: BaseException) -> bool:
        """Return False: under trio a cancellation never reaches anybody else."""
        return False


def runs_here() -> bool:
    """Say whether the caller is a task of trio."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:  # what every version of trio says of it; a question there is only in newer
        return False
    return True


def _nothing() -> None:
    """Do nothing: only a run that goes on takes this."""
