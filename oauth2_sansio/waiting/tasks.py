"""One renewal at a time for any number of tasks, under asyncio and under trio."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, assert_never

from ..errors import LocalProtocolError, OAuth2Error, UnsavedTokenError
from ..events import Endpoint
from ..flow import Flow, State
from ..keeper import AwaitRefresh, RefreshIt, Renewal, SaveIt, TokenKeeper, UseToken
from ..tokens import OAuth2Token
from .clock import now
from .forks import remember
from .under_way import (
    UnderWay,
    interrupted,
    is_own,
    left_to_the_parent,
    own_token,
    too_late,
)

R = TypeVar("R")


class EventLoop(ABC):
    """What the waiting half needs of asyncio or trio."""

    @abstractmethod
    def has_ended(self) -> bool:
        """Say whether this loop runs no more."""

    @abstractmethod
    def is_current(self) -> bool:
        """Say whether the caller runs in this loop."""

    @abstractmethod
    def time(self) -> float:
        """Return this loop's time in seconds; it only goes forward."""

    @abstractmethod
    def new_event(self) -> Any:
        """Return an event that has `set()` and an awaitable `wait()`."""

    @abstractmethod
    async def wait(self, event: Any, seconds: float) -> bool:
        """Wait for an event; return False where it has not come within so many seconds."""

    @abstractmethod
    async def protect(
        self,
        work: Callable[[], Coroutine[Any, Any, OAuth2Token]],
        given_up: Callable[[], None],
        bound: float,
    ) -> OAuth2Token | None:
        """Run work to its end, also if the caller is cancelled; the caller is cancelled still.

        given_up: is called where the work could not even begin.
        bound: how many seconds a loop that ends waits for the work.
        Returns None where somebody has cancelled the work itself.
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

    @abstractmethod
    def is_of_another(self, error: BaseException) -> bool:
        """Say whether an exception says that another task was cancelled, and not the caller."""


def current_loop() -> EventLoop:
    """Return the loop that the caller runs in."""
    if sys.modules.get("trio") is not None:  # else nobody can run in it
        from .loop_of_trio import TrioLoop, runs_here

        if runs_here():
            return TrioLoop()
    from .loop_of_asyncio import AsyncioLoop

    return AsyncioLoop()


class TaskFlight:
    """Renew a keeper's token for tasks: the first one does it, the others wait.

    A renewal outlives the cancellation of whoever began it: its answer is read, saved, and used by
    the others. `asyncio.run` waits for it at its end, for `deadline` seconds at most.

    keeper: decides who does what.
    drive: runs a flow to its end.
    save: is awaited with a new token and the one before it, before anybody else gets the new one.
    deadline: how many seconds a task waits for other ones' renewals, and saving may take.
    """

    __slots__ = (
        "__weakref__",
        "_at",
        "_deadline",
        "_done",
        "_drive",
        "_keeper",
        "_loop",
        "_save",
    )

    def __init__(
        self,
        keeper: TokenKeeper,
        drive: Callable[[Flow[OAuth2Token]], Awaitable[OAuth2Token]],
        save: Callable[[OAuth2Token, OAuth2Token], Coroutine[Any, Any, object]],
        *,
        deadline: float = 30.0,
    ) -> None:
        self._keeper = keeper
        self._drive = drive
        self._save = save
        self._deadline = deadline
        self._done: Any = None  # an event, made by the first task that has to wait
        self._at: int | None = None  # the ticket of the renewal that runs, and the loop it runs in
        self._loop: EventLoop | None = None
        remember(self)

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
        call has renewed, and `TransportError` where another task's renewal takes too long.
        """
        until: float | None = None
        waited_for: int | None = None
        tried_to_save = False
        while True:
            # From here to the next await nothing else runs in this loop: no lock is needed.
            decision = self._keeper.acquire(
                now(),
                rejected=rejected,
                waited_for=waited_for,
                by_hand=by_hand,
                spending=spending,
                tried_to_save=tried_to_save,
            )
            match decision:
                case UseToken(token):
                    return token
                case RefreshIt(ticket):
                    renewed = await self._protect(ticket, partial(self._renew, decision))
                    if renewed is not None:
                        return renewed
                case SaveIt(ticket, token, previous):
                    tried_to_save = True
                    # Whoever renewed the token was told that it is not saved. The token is good,
                    # so this caller goes on with it, and the next one tries again.
                    with suppress(UnsavedTokenError):
                        await self._protect(ticket, partial(self._finish, ticket, token, previous))
                    continue
                case AwaitRefresh(ticket):
                    own = own_token(self._keeper, ticket)
                    if own is not None:
                        return own
                    until = until or self._deadline_from_now()
                    if not await self._wait(ticket, until):
                        raise too_late(self._deadline, "another task's")
                case _:
                    assert_never(decision)
            if waited_for is None:
                waited_for = ticket

    async def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given, where there is a store."""

    async def discard(self) -> None:
        """Delete the token from the store, where there is one."""

    async def save_now(self) -> None:
        """Save what is unsaved, at the end of a renewal that is running; for `aclose()`.

        A renewal that does not end in time is left to the task that runs it.
        Raises `UnsavedTokenError` where the save function fails.
        """
        until: float | None = None
        while True:
            match decision := self._keeper.acquire_save():
                case None:
                    return
                case SaveIt(ticket, token, previous):
                    await self._protect(ticket, partial(self._finish, ticket, token, previous))
                    return
                case AwaitRefresh(ticket):
                    until = until or self._deadline_from_now()
                    if is_own(self._keeper, ticket) or not await self._wait(ticket, until):
                        return
                case _:
                    assert_never(decision)

    def after_fork(self) -> None:
        """Leave to the parent of a fork what its event loop is at."""
        if self._keeper.leave(partial(is_own, self._keeper), self._left_to_the_parent()):
            self._done = self._at = self._loop = None

    def _left_to_the_parent(self) -> OAuth2Error | None:
        return left_to_the_parent()

    async def _protect(
        self, ticket: int, work: Callable[[], Coroutine[Any, Any, OAuth2Token]]
    ) -> OAuth2Token | None:
        self._at = ticket
        self._loop = current_loop()
        return await self._loop.protect(
            work, lambda: self._settle(ticket, None, saved=False), self._deadline
        )

    async def _renew(self, decision: RefreshIt) -> OAuth2Token:
        outcome: OAuth2Token | OAuth2Error | None = None
        try:
            with UnderWay(self._keeper, decision.ticket):
                outcome = token = await self._drive(decision.flow)
        except OAuth2Error as error:
            outcome = error
            raise
        finally:
            if outcome is None and decision.flow.state not in (State.READY, State.SIGNING):
                outcome = interrupted()
            if not isinstance(outcome, OAuth2Token):
                self._settle(decision.ticket, outcome, saved=False)
        return await self._finish(decision.ticket, token, decision.previous)

    async def _finish(self, ticket: int, token: OAuth2Token, previous: OAuth2Token) -> OAuth2Token:
        saved = False
        try:
            with UnderWay(self._keeper, ticket, token):
                # Nobody can cancel this: so it needs a bound.
                await current_loop().within(
                    self._deadline, lambda: self._save(token, previous), self._not_saved_in_time
                )
            saved = True
        except Exception as error:
            raise UnsavedTokenError(token) from error
        finally:
            self._settle(ticket, token, saved=saved)
        return token

    def _not_saved_in_time(self) -> Exception:
        return TimeoutError(f"update_token has not ended within {self._deadline:g} seconds")

    def _settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool
    ) -> None:
        if self._at != ticket:  # it was given up when its loop had ended
            return
        self._keeper.settle(ticket, outcome, saved=saved)
        done, self._done, self._loop, self._at = self._done, None, None, None
        if done is not None:
            done.set()

    def _deadline_from_now(self) -> float:
        return current_loop().time() + self._deadline

    async def _wait(self, ticket: int, until: float) -> bool:
        loop = self._loop
        assert loop is not None  # a ticket that is not settled is at work in a loop
        if loop.is_current():
            if self._done is None:
                self._done = loop.new_event()
            return await loop.wait(self._done, until - loop.time())
        if not loop.has_ended():
            raise LocalProtocolError(
                "the token is being renewed in another event loop",
                endpoint=Endpoint.TOKEN,
                advice="use one client in one event loop at a time",
            )
        # The loop was closed in the middle of the renewal: nobody else will settle it.
        self._done = None
        self._settle(ticket, interrupted(), saved=False)
        return True
