"""One renewal at a time for any number of threads, and a bound on how long a call may take."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ..errors import OAuth2Error, Outcome, TransportError, UnsavedTokenError
from ..events import Endpoint
from ..flow import Flow, State
from ..keeper import AwaitRefresh, RefreshIt, Renewal, SaveIt, TokenKeeper, UseToken
from ..tokens import OAuth2Token

R = TypeVar("R")

# Which token is being saved in this thread: a save function that uses the client gets it at once.
_saving: contextvars.ContextVar[tuple[TokenKeeper, OAuth2Token] | None] = contextvars.ContextVar(
    "oauth2_sansio_saving", default=None
)


class ThreadFlight:
    """Renew a keeper's token for threads: the first one does it, the others wait.

    keeper: decides who does what.
    drive: runs a flow to its end.
    save: is called with a new token and the one before it, before anybody else gets the new one.
    deadline: how many seconds a thread waits for another one's renewal.
    """

    __slots__ = ("_deadline", "_done", "_drive", "_keeper", "_lock", "_save")

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
        call has renewed.
        """
        waited_for: int | None = None
        while True:
            with self._lock:
                decision = self._keeper.acquire(
                    time.time(),
                    rejected=rejected,
                    waited_for=waited_for,
                    by_hand=by_hand,
                    spending=spending,
                )
                if isinstance(decision, AwaitRefresh) and self._done is None:
                    self._done = threading.Event()
                done = self._done
            match decision:
                case UseToken(token):
                    return token
                case RefreshIt(ticket, flow, previous):
                    return self._renew(ticket, flow, previous)
                case SaveIt(ticket, token, previous):
                    return self._save_again(ticket, token, previous)
                case AwaitRefresh(ticket):
                    saving = _saving.get()
                    if saving is not None and saving[0] is self._keeper:
                        return saving[1]
                    assert done is not None  # made above, under the lock
                    self._wait(done)
                    waited_for = ticket

    def save_now(self) -> None:
        """Save a token that could not be saved before; raise `UnsavedTokenError` if it cannot."""
        with self._lock:
            decision = self._keeper.acquire_save()
        if decision is not None:
            self._finish(decision.ticket, decision.token, decision.previous)

    def _renew(self, ticket: int, flow: Flow[OAuth2Token], previous: OAuth2Token) -> OAuth2Token:
        outcome: OAuth2Token | OAuth2Error | None = None
        try:
            outcome = token = self._drive(flow)
        except OAuth2Error as error:
            outcome = error
            raise
        finally:
            if outcome is None and flow.state not in (State.READY, State.SIGNING):
                # Something like KeyboardInterrupt: the request may have gone out all the same.
                outcome = TransportError(
                    "the renewal was interrupted",
                    outcome=Outcome.UNKNOWN,
                    endpoint=Endpoint.TOKEN,
                    advice="the server may have acted: try once more, or authorize again",
                )
            if not isinstance(outcome, OAuth2Token):
                self._settle(ticket, outcome, saved=False)
        self._finish(ticket, token, previous)
        return token

    def _save_again(self, ticket: int, token: OAuth2Token, previous: OAuth2Token) -> OAuth2Token:
        try:
            self._finish(ticket, token, previous)
        except UnsavedTokenError:
            # Whoever renewed the token was told. The token is good, so this caller goes on with
            # it, and the next one tries again.
            pass
        return token

    def _finish(self, ticket: int, token: OAuth2Token, previous: OAuth2Token) -> None:
        saved = False
        mark = _saving.set((self._keeper, token))
        try:
            self._save(token, previous)
            saved = True
        except Exception as error:
            raise UnsavedTokenError(token) from error
        finally:
            _saving.reset(mark)
            self._settle(ticket, token, saved=saved)

    def _settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool
    ) -> None:
        with self._lock:
            self._keeper.settle(ticket, outcome, saved=saved)
            done, self._done = self._done, None
        if done is not None:
            done.set()

    def _wait(self, done: threading.Event) -> None:
        if not done.wait(self._deadline):
            raise TransportError(
                f"another thread's renewal has not ended within {self._deadline:g} seconds",
                outcome=Outcome.NOT_SENT,
                endpoint=Endpoint.TOKEN,
                advice="try again",
            )


def call_within(seconds: float, call: Callable[[], R], late: Callable[[], Exception]) -> R:
    """Return what a call returns, or raise `late()` once it has taken too long.

    The call runs in a thread of its own, with the context variables of this one: nothing else
    bounds an HTTP library that starts its clock anew with every byte that drips in. A call that is
    late goes on in the background until its own timeout, and nobody reads what it returns.
    """
    outcome: list[R | BaseException] = []
    failed = False

    def run() -> None:
        nonlocal failed
        try:
            outcome.append(call())
        except BaseException as error:
            failed = True
            outcome.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), daemon=True, name="oauth2_sansio")
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise late()
    [result] = outcome
    if failed:
        assert isinstance(result, BaseException)
        raise result
    return result  # type: ignore[return-value]  # not an exception, since nothing has failed
