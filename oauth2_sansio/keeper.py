"""Who renews the token? One caller at a time, decided without a lock or any I/O.

| Situation | `acquire` gives |
|---|---|
| fresh token | `UseToken` |
| stale token, nobody at it | `RefreshIt` to the first caller |
| renewal running | `AwaitRefresh` to all others |
| waited, and it succeeded | `UseToken` with the new token |
| waited, and it failed | that error, to every waiter |
| waited, and it was given up before its request went out | `RefreshIt` to the next |
| a resource server refused token A, A is current | `RefreshIt` (or `AwaitRefresh`) |
| ... refused A, but B is current by now | `UseToken` with B: thirty refusals, one renewal |
| the new token could not be saved | `SaveIt` to the first caller that comes next |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from .errors import ErrorResponse, LocalProtocolError, MissingTokenError, OAuth2Error
from .flow import Flow
from .resource import authorization_header
from .tokens import DEFAULT_LEEWAY, OAuth2Token

Renewal: TypeAlias = Callable[[OAuth2Token], Flow[OAuth2Token]]
"""Makes the flow that renews a token; raises `LocalProtocolError` where there is no way to."""


@dataclass(frozen=True, slots=True)
class UseToken:
    """The token is good: use it."""

    token: OAuth2Token


@dataclass(frozen=True, slots=True)
class RefreshIt:
    """You are first: drive `flow`, save what comes, then settle the ticket, come what may."""

    ticket: int
    flow: Flow[OAuth2Token]
    previous: OAuth2Token


@dataclass(frozen=True, slots=True)
class AwaitRefresh:
    """Somebody is at it: wait until the ticket is settled, then ask again."""

    ticket: int


@dataclass(frozen=True, slots=True)
class SaveIt:
    """The token is good, but was not saved: save it, then settle the ticket with it.

    previous: the token before it.
    """

    ticket: int
    token: OAuth2Token
    previous: OAuth2Token


Decision: TypeAlias = UseToken | RefreshIt | AwaitRefresh | SaveIt


class TokenKeeper:
    """Hold the current token, and let one renewal run at a time.

    No method blocks or does I/O. Threads hold one lock around each call; tasks on one event loop
    need none.

    token: the token to start with, if there is one.
    renew: makes the flow that renews a token.
    leeway: how many seconds before its end a token is renewed.
    """

    __slots__ = (
        "_dead",
        "_failure",
        "_ready",
        "_renew",
        "_renewed_from",
        "_renewing",
        "_running",
        "_spent",
        "_ticket",
        "_token",
        "_unsaved",
        "_untried",
        "leeway",
    )

    def __init__(
        self, token: OAuth2Token | None, renew: Renewal, *, leeway: float = DEFAULT_LEEWAY
    ) -> None:
        self.leeway = leeway
        self._renew = renew
        self._ticket = 0
        self._running = False
        self._renewing: OAuth2Token | None = None  # the token that was current at its beginning
        self._renewed_from: str | None = None  # the refresh token of the renewal begun last
        self._failure: OAuth2Error | None = None  # of the ticket settled last
        self._spent: str | None = None  # the refresh token that a renewal has replaced
        self._dead: tuple[str, OAuth2Error] | None = None  # a refresh token, and how it died
        self._unsaved: OAuth2Token | None = None  # the token before, while this one is not saved
        # Until when, for which access token and which expiry, this header is good. One value, so
        # that threads see all of it or nothing.
        self._ready: tuple[float, object, object, str] | None = None
        self._hold(token)

    @property
    def token(self) -> OAuth2Token | None:
        """The current token. Assigning another one forgets all that is known of the last."""
        return self._token

    @token.setter
    def token(self, token: OAuth2Token | None) -> None:
        self._hold(token)

    @property
    def unsaved(self) -> bool:
        """Whether the current token still has to be saved."""
        return self._unsaved is not None

    def arrive(self, token: OAuth2Token) -> None:
        """Take a token that was just issued: it is used once, even if it has expired already."""
        self._hold(token)
        self._untried = True

    def header(self, now: float) -> str | None:
        """Return the value of `Authorization` at once, or None where `acquire` has to decide.

        now: seconds since the epoch.
        """
        ready, token = self._ready, self._token
        if (
            ready is not None
            and now < ready[0]
            and token is not None
            # The user may change the token in place.
            and token.get("access_token") == ready[1]
            and token.get("expires_at") == ready[2]
        ):
            return ready[3]
        return self._look_again(now)

    def acquire(
        self,
        now: float,
        *,
        rejected: str | None = None,
        waited_for: int | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
    ) -> Decision:
        """Decide what this caller does.

        now: seconds since the epoch.
        rejected: the access token that a resource server has just refused. It forces a renewal
            only while it is current.
        waited_for: the ticket this caller has waited for, or has settled itself: its outcome is
            this caller's outcome.
        by_hand: renews in any case, and how.
        spending: the refresh token that `by_hand` is about to use: where another renewal has
            just used it up, its result serves this caller too.
        Raises `MissingTokenError` where there is no token, and the error of a failed renewal.
        """
        if self._running:
            return AwaitRefresh(self._ticket)
        token = self._token
        waited = waited_for == self._ticket
        if waited and self._failure is not None:
            raise self._failure
        if token is None and by_hand is None:
            raise MissingTokenError(
                "there is no token", advice="fetch one, or assign one, before the first request"
            )
        if (unsaved := self.acquire_save()) is not None:
            return unsaved
        if token is not None:
            served = waited and spending in (None, self._renewed_from)
            if served or (spending is not None and spending == self._spent):
                return UseToken(token)
        if by_hand is not None:
            return self._begin(by_hand, token or OAuth2Token(), spending)
        assert token is not None  # else it was raised above
        refused = rejected is not None and token.get("access_token") == rejected
        if not refused and (self._untried or not token.is_expired(self.leeway, now)):
            self._untried = False
            return UseToken(token)
        return self._begin(self._renew, token, token.refresh_token)

    def acquire_save(self) -> SaveIt | None:
        """Return what there is to save and nobody is saving; None where there is nothing."""
        if self._running or self._unsaved is None or self._token is None:
            return None
        return SaveIt(self._start(None), self._token, self._unsaved)

    def settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool = True
    ) -> None:
        """End a renewal.

        outcome: the new token; or the error that every waiter gets; or None where it was given up
            before its request went out, so that the next caller takes over.
        saved: false where the new token could not be saved: the next caller tries again.
        """
        if not self._running or ticket != self._ticket:
            raise LocalProtocolError(f"no renewal with ticket {ticket} is running")
        self._running = False
        begun_with, self._renewing = self._renewing, None
        match outcome:
            case OAuth2Token() if self._token is begun_with:
                previous = self._unsaved or self._token or OAuth2Token()
                if previous.refresh_token != outcome.refresh_token:
                    self._spent = previous.refresh_token
                self._hold(outcome)
                self._unsaved = None if saved else previous
            case OAuth2Error():
                self._failure = outcome
                if _is_dead(outcome) and self._renewed_from is not None:
                    self._dead = (self._renewed_from, outcome)
            case _:
                # Given up before anything was sent; or the user has assigned another token while
                # this renewal ran, and what the user says counts.
                pass

    def _begin(self, renew: Renewal, token: OAuth2Token, spending: str | None) -> RefreshIt:
        if self._dead is not None and self._dead[0] == spending:
            raise self._dead[1]
        flow = renew(token)
        return RefreshIt(self._start(spending), flow, token)

    def _start(self, spending: str | None) -> int:
        self._ticket += 1
        self._running, self._failure, self._ready = True, None, None
        self._renewing = self._token
        if spending is not None:
            self._renewed_from = spending
        return self._ticket

    def _hold(self, token: OAuth2Token | None) -> None:
        self._token = token
        self._unsaved = None
        self._untried = False
        self._ready = None

    def _look_again(self, now: float) -> str | None:
        token = self._token
        if token is None or self._running or self._unsaved is not None:
            return None
        stale_at = token.stale_at(self.leeway)
        if stale_at is None:
            stale_at = inf
        if now >= stale_at:
            return None
        header = authorization_header(token)
        self._untried = False
        self._ready = (stale_at, token.get("access_token"), token.get("expires_at"), header)
        return header


def _is_dead(error: OAuth2Error) -> bool:
    return isinstance(error, ErrorResponse) and error.error == "invalid_grant"
