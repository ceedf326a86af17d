"""One renewal at a time for any number of tasks, under asyncio and under trio."""

from __future__ import annotations

import contextvars
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from ..errors import LocalProtocolError, OAuth2Error, Outcome, TransportError, UnsavedTokenError
from ..events import Endpoint
from ..flow import Flow, State
from ..keeper import AwaitRefresh, RefreshIt, Renewal, SaveIt, TokenKeeper, UseToken
from ..tokens import OAuth2Token
from .clock import now

R = TypeVar("R")

# Which token is being saved in this task: a save function that uses the client gets it at once.
_saving: contextvars.ContextVar[tuple[TokenKeeper, OAuth2Token] | None] = contextvars.ContextVar(
    "oauth2_sansio_saving_task", default=None
)


class EventLoop(ABC):
    """What the waiting half needs of asyncio or trio."""

    @abstractmethod
    def has_ended(self) -> bool:
        """Say whether this loop runs no more."""

    @abstractmethod
    def is_current(self) -> bool:
        """Say whether the caller runs in this loop."""

    @abstractmethod
    def new_event(self) -> Any:
        """Return an event that has `set()` and an awaitable `wait()`."""

    @abstractmethod
    async def wait(self, event: Any, seconds: float) -> bool:
        """Wait for an event; return False where it has not come within so many seconds."""

    @abstractmethod
    async def protect(
        self, work: Callable[[], Coroutine[Any, Any, OAuth2Token]], given_up: Callable[[], None]
    ) -> OAuth2Token:
        """Run work to its end, also if the caller is cancelled; the caller is cancelled still.

        given_up: is called where the work could not even begin.
        """

    @abstractmethod
    async def within(
        self,
        seconds: float,
        call: Callable[[], Coroutine[Any, Any, R]],
        late: Callable[[], Exception],
    ) -> R:
        """Return what a call returns, or cancel it and raise `late()` once it takes too long."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds."""


def current_loop() -> EventLoop:
    """Return the loop that the caller runs in."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        from .loop_of_trio import TrioLoop

        return TrioLoop()
    from .loop_of_asyncio import AsyncioLoop

    return AsyncioLoop()


class TaskFlight:
    """Renew a keeper's token for tasks: the first one does it, the others wait.

    A renewal outlives the cancellation of whoever began it: its answer is read, saved, and used by
    the others.

    keeper: decides who does what.
    drive: runs a flow to its end.
    save: is awaited with a new token and the one before it, before anybody else gets the new one.
    deadline: how many seconds a task waits for another one's renewal.
    """

    __slots__ = ("_deadline", "_done", "_drive", "_keeper", "_loop", "_save")

    def __init__(
        self,
        keeper: TokenKeeper,
        drive: Callable[[Flow[OAuth2Token]], Awaitable[OAuth2Token]],
        save: Callable[[OAuth2Token, OAuth2Token], Awaitable[object]],
        *,
        deadline: float = 30.0,
    ) -> None:
        self._keeper = keeper
        self._drive = drive
        self._save = save
        self._deadline = deadline
        self._done: Any = None  # an event, made by the first task that has to wait
        self._loop: EventLoop | None = None  # where the renewal runs that runs now

    async def token(
        self,
        *,
        rejected: str | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
    ) -> OAuth2Token:
        """Return a token to use, after a renewal where it takes one.

        See `TokenKeeper.acquire` for the arguments and errors.
        Raises `UnsavedTokenError` where the save function failed for the token that this very
        call has renewed.
        """
        waited_for: int | None = None
        while True:
            # From here to the next await nothing else runs in this loop: no lock is needed.
            decision = self._keeper.acquire(
                now(), rejected=rejected, waited_for=waited_for, by_hand=by_hand, spending=spending
            )
            match decision:
                case UseToken(token):
                    return token
                case RefreshIt(ticket, flow, previous):
                    return await self._protected(
                        ticket, partial(self._renew, ticket, flow, previous)
                    )
                case SaveIt(ticket, token, previous):
                    return await self._protected(
                        ticket, partial(self._save_again, ticket, token, previous)
                    )
                case AwaitRefresh(ticket):
                    saving = _saving.get()
                    if saving is not None and saving[0] is self._keeper:
                        return saving[1]
                    await self._wait()
                    waited_for = ticket

    async def save_now(self) -> None:
        """Save a token that could not be saved before; raise `UnsavedTokenError` if it cannot."""
        while True:
            match self._keeper.acquire_save():
                case None:
                    return
                case SaveIt(ticket, token, previous):
                    await self._protected(ticket, partial(self._finish, ticket, token, previous))
                    return
                case AwaitRefresh():
                    saving = _saving.get()
                    if saving is not None and saving[0] is self._keeper:
                        return
                    await self._wait()

    async def _protected(
        self, ticket: int, work: Callable[[], Coroutine[Any, Any, OAuth2Token]]
    ) -> OAuth2Token:
        self._loop = current_loop()
        return await self._loop.protect(work, lambda: self._settle(ticket, None, saved=False))

    async def _renew(
        self, ticket: int, flow: Flow[OAuth2Token], previous: OAuth2Token
    ) -> OAuth2Token:
        outcome: OAuth2Token | OAuth2Error | None = None
        try:
            outcome = token = await self._drive(flow)
        except OAuth2Error as error:
            outcome = error
            raise
        finally:
            if outcome is None and flow.state not in (State.READY, State.SIGNING):
                outcome = TransportError(
                    "the renewal was interrupted",
                    outcome=Outcome.UNKNOWN,
                    endpoint=Endpoint.TOKEN,
                    advice="the server may have acted: try once more, or authorize again",
                )
            if not isinstance(outcome, OAuth2Token):
                self._settle(ticket, outcome, saved=False)
        return await self._finish(ticket, token, previous)

    async def _save_again(
        self, ticket: int, token: OAuth2Token, previous: OAuth2Token
    ) -> OAuth2Token:
        try:
            return await self._finish(ticket, token, previous)
        except UnsavedTokenError:
            # Whoever renewed the token was told. The token is good, so this caller goes on with
            # it, and the next one tries again.
            return token

    async def _finish(self, ticket: int, token: OAuth2Token, previous: OAuth2Token) -> OAuth2Token:
        saved = False
        mark = _saving.set((self._keeper, token))
        try:
            await self._save(token, previous)
            saved = True
        except Exception as error:
            raise UnsavedTokenError(token) from error
        finally:
            _saving.reset(mark)
            self._settle(ticket, token, saved=saved)
        return token

    def _settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool
    ) -> None:
        self._keeper.settle(ticket, outcome, saved=saved)
        done, self._done, self._loop = self._done, None, None
        if done is not None:
            done.set()

    async def _wait(self) -> None:
        loop = self._loop
        if loop is None or not loop.is_current():
            raise LocalProtocolError(
                "the token is being renewed in another event loop",
                endpoint=Endpoint.TOKEN,
                advice="use one client in one event loop at a time",
            )
        if self._done is None:
            self._done = loop.new_event()
        if not await loop.wait(self._done, self._deadline):
            raise TransportError(
                f"another task's renewal has not ended within {self._deadline:g} seconds",
                outcome=Outcome.NOT_SENT,
                endpoint=Endpoint.TOKEN,
                advice="try again",
            )
