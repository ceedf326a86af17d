"""One renewal at a time for any number of threads, and a bound on how long a call may take."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar, assert_never

from ..errors import OAuth2Error, UnsavedTokenError
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
from .workers import in_worker

R = TypeVar("R")

_TO_END = 1.0  # seconds: how long a call that was told to end is waited for
_PIECE = 1.0  # seconds: how late a Ctrl-C can come


class ThreadFlight:
    """Renew a keeper's token for threads: the first one does it, the others wait.

    keeper: decides who does what.
    drive: runs a flow to its end.
    save: is called with a new token and the one before it, before anybody else gets the new one.
    deadline: how many seconds a thread waits for other ones' renewals.
    """

    __slots__ = ("__weakref__", "_deadline", "_done", "_drive", "_keeper", "_lock", "_save")

    def __init__(
        self,
        keeper: TokenKeeper,
        drive: Callable[[Flow[OAuth2Token]], OAuth2Token],
        save: Callable[[OAuth2Token, OAuth2Token], object],
        *,
        deadline: float = 30.0,
    ) -> None:
        self._keeper = keeper
        self._drive = drive
        self._save = save
        self._deadline = deadline
        self._lock = threading.Lock()
        self._done: threading.Event | None = None  # made by the first thread that has to wait
        remember(self)

    def token(
        self,
        *,
        rejected: str | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
    ) -> OAuth2Token:
        """Return a token to use, after a renewal where it takes one.

        See `TokenKeeper.acquire` for the arguments and errors.
        Raises `UnsavedTokenError` where the save function failed for the token that this very
        call has renewed, and `TransportError` where another thread's renewal takes too long.
        """
        until = time.monotonic() + self._deadline
        waited_for: int | None = None
        tried_to_save = False
        while True:
            with self._lock:
                decision = self._keeper.acquire(
                    now(),
                    rejected=rejected,
                    waited_for=waited_for,
                    by_hand=by_hand,
                    spending=spending,
                    tried_to_save=tried_to_save,
                )
                done = self._end_of(decision)
            match decision:
                case UseToken(token):
                    return token
                case RefreshIt():
                    return self._renew(decision)
                case SaveIt():
                    tried_to_save = True
                    # Whoever renewed the token was told that it is not saved. The token is good,
                    # so this caller goes on with it, and the next one tries again.
                    with suppress(UnsavedTokenError):
                        self._save_again(decision)
                case AwaitRefresh(ticket):
                    own = own_token(self._keeper, ticket)
                    if own is not None:
                        return own
                    if not _wait(done, until):
                        raise too_late(self._deadline, "another thread's")
                    if waited_for is None:
                        waited_for = ticket
                case _:
                    assert_never(decision)

    def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given, where there is a store."""

    def discard(self) -> None:
        """Delete the token from the store, where there is one."""

    def save_now(self) -> None:
        """Save what is unsaved, at the end of a renewal that is running; for `close()`.

        A renewal that does not end in time is left to the thread that runs it.
        Raises `UnsavedTokenError` where the save function fails.
        """
        until = time.monotonic() + self._deadline
        while True:
            with self._lock:
                decision = self._keeper.acquire_save()
                done = self._end_of(decision)
            match decision:
                case None:
                    return
                case SaveIt():
                    self._save_again(decision)
                    return
                case AwaitRefresh(ticket):
                    if is_own(self._keeper, ticket) or not _wait(done, until):
                        return
                case _:
                    assert_never(decision)

    def after_fork(self) -> None:
        """Leave to the parent of a fork what its other threads are at."""
        self._lock = threading.Lock()  # the old one may be held, and nobody gives it back
        self._done = None
        self._keeper.leave(partial(is_own, self._keeper), self._left_to_the_parent())

    def _left_to_the_parent(self) -> OAuth2Error | None:
        return left_to_the_parent()

    def _end_of(self, decision: object) -> threading.Event | None:
        # What tells of the end of the renewal that runs; to be called under the lock.
        if self._done is None and isinstance(decision, AwaitRefresh):
            self._done = threading.Event()
        return self._done

    def _renew(self, decision: RefreshIt) -> OAuth2Token:
        outcome: OAuth2Token | OAuth2Error | None = None
        saved = False
        try:
            with UnderWay(self._keeper, decision.ticket) as mark:
                outcome = token = mark.token = self._drive(decision.flow)
                self._call_save(token, decision.previous)
            saved = True
        except OAuth2Error as error:
            if outcome is None:
                outcome = error
            raise
        finally:
            if outcome is None and decision.flow.state not in (State.READY, State.SIGNING):
                # Something like KeyboardInterrupt: the request may be out all the same.
                outcome = interrupted()
            self._settle(decision.ticket, outcome, saved=saved)
        return token

    def _save_again(self, decision: SaveIt) -> None:
        saved = False
        try:
            with UnderWay(self._keeper, decision.ticket, decision.token):
                self._call_save(decision.token, decision.previous)
            saved = True
        finally:
            self._settle(decision.ticket, decision.token, saved=saved)

    def _call_save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
        try:
            self._save(token, previous)
        except Exception as error:
            raise UnsavedTokenError(token) from error

    def _settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool
    ) -> None:
        with self._lock:
            self._keeper.settle(ticket, outcome, saved=saved)
            done, self._done = self._done, None
        if done is not None:
            done.set()


def _wait(done: threading.Event | None, until: float) -> bool:
    return done is None or wait_in_pieces(done.wait, until - time.monotonic())


def wait_in_pieces(wait: Callable[[float], bool], seconds: float) -> bool:
    """Wait so many seconds at most, and return whether what was waited for has come.

    wait: does the same, without a break. One long wait would leave Ctrl-C unheard until its end
        where that comes in the very moment in which the wait begins, and on some systems always.
    """
    while seconds > _PIECE:
        if wait(_PIECE):
            return True
        seconds -= _PIECE
    return wait(seconds)


def call_within(
    seconds: float,
    call: Callable[[], R],
    late: Callable[[], Exception],
    end: Callable[[], object] | None = None,
) -> R:
    """Return what a call returns, or raise `late()` once it has taken too long.

    The call runs in another thread, with the context variables of this one: nothing else bounds an
    HTTP library that starts its clock anew with every byte that drips in. One that is late, or that
    Ctrl-C leaves alone, is told to `end`, and what it returns in that very moment counts. If it
    cannot be ended, it goes on in the background until its own timeout, and nobody reads what it
    returns.
    """
    results: list[R] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            errors.append(error)

    under_way = threading.Lock()
    under_way.acquire()
    has_ended = False
    try:
        in_worker(partial(contextvars.copy_context().run, run), under_way.release)
        has_ended = wait_in_pieces(partial(under_way.acquire, True), seconds)
    finally:
        if end is not None and not has_ended:
            end()
            under_way.acquire(timeout=_TO_END)
            errors.clear()  # they come of the end
    if errors:
        raise errors.pop()  # nothing here refers to it any more, since it refers to this frame
    if not results:
        raise late()
    return results.pop()
