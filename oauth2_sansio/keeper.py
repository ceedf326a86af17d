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
| the new token could not be saved | `SaveIt` to each caller that comes next, one at a time |
| another token was assigned meanwhile | what that token calls for: what the user says counts |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from .errors import ErrorResponse, LocalProtocolError, MissingTokenError, OAuth2Error, anew
from .flow import Flow
from .keeper_decisions import AwaitRefresh, Decision, RefreshIt, SaveIt, UseToken
from .resource import authorization_header, bound_access_token
from .tokens import DEFAULT_LEEWAY, OAuth2Token

__all__ = [
    "MOST_SPENT",
    "AwaitRefresh",
    "Decision",
    "RefreshIt",
    "Renewal",
    "SaveIt",
    "TokenKeeper",
    "UseToken",
]

Renewal: TypeAlias = Callable[[OAuth2Token], Flow[OAuth2Token]]
"""Makes the flow that renews a token; raises `LocalProtocolError` where there is no way to.

It runs while the adapter holds its lock, so it does nothing but build the flow.
"""

MOST_SPENT = 4
"""How many refresh tokens that were rotated away are remembered, so that none is sent again."""


@dataclass(slots=True)
class _Running:
    """A renewal, or a saving, that was handed out and is not settled."""

    ticket: int
    previous: OAuth2Token
    spending: str | None = None
    by_hand_at: float | None = None  # since when, in seconds since the epoch
    saving: bool = False
    superseded: bool = False  # whether the user has assigned another token since it began


@dataclass(slots=True)
class _Ended:
    """How the renewal ended that was answered last."""

    ticket: int
    spending: str | None
    outcome: OAuth2Token | OAuth2Error
    superseded: bool  # then it concerns only those who asked for it by hand


class TokenKeeper:
    """Hold the current token, and let one renewal run at a time.

    No method blocks or does I/O. Threads hold one lock around each call but `header` and `fresh`,
    which need none; tasks on one event loop need none at all.

    token: the token to start with, if there is one.
    renew: makes the flow that renews a token, with its refresh token where it has one.
    leeway: how many seconds before its end a token is renewed.
    """

    __slots__ = (
        "_dead",
        "_ended",
        "_heir",
        "_leeway",
        "_ready",
        "_renew",
        "_running",
        "_spent",
        "_ticket",
        "_token",
        "_trusted_until",
        "_unsaved",
        "_untried",
    )

    def __init__(
        self, token: OAuth2Token | None, renew: Renewal, *, leeway: float = DEFAULT_LEEWAY
    ) -> None:
        self._renew = renew
        self._leeway = leeway
        self._trusted_until = inf
        self._ticket = 0
        self._running: _Running | None = None
        self._ended: _Ended | None = None
        # Refresh tokens that were rotated away, and the token that they have become.
        self._spent: tuple[str, ...] = ()
        self._heir: OAuth2Token | None = None
        self._dead: tuple[str, OAuth2Error] | None = None  # a refresh token, and how it died
        # Until when, and for which members of the token, this header is good; None in its place for
        # a token that is bound to a key. One value, so that threads see all of it or nothing.
        self._ready: tuple[float, dict[str, object], str | None] | None = None
        self._unsaved: OAuth2Token | None = None  # the token saved last, while this one is not
        # The expiry of a token that has arrived expired: used once, unless the user changes it.
        self._untried: tuple[object, object] | None = None
        self._token = token

    @property
    def token(self) -> OAuth2Token | None:
        """The current token. Assigning another one forgets all that is known of the last."""
        return self._token

    @token.setter
    def token(self, token: OAuth2Token | None) -> None:
        last = self._token
        if token is None or token != last:
            self._forget()
            self._hold(token)
            return
        # The same token once more, or read back from its store: what is known of it holds on.
        if self._ended is not None and self._ended.outcome is last:
            self._ended.outcome = token
        if self._heir is last:
            self._heir = token
        self._hold(token, unsaved=self._unsaved, untried=self._untried == _expiry(token))

    @property
    def leeway(self) -> float:
        """How many seconds before its end a token is renewed."""
        return self._leeway

    @leeway.setter
    def leeway(self, leeway: float) -> None:
        self._leeway = leeway
        self._ready = None

    @property
    def trusted_until(self) -> float:
        """Until when `header` has an answer, in seconds since the epoch.

        After that whoever shares the token with others asks them first, and sets this anew.
        """
        return self._trusted_until

    @trusted_until.setter
    def trusted_until(self, until: float) -> None:
        self._trusted_until = until
        self._ready = None

    @property
    def unsaved(self) -> bool:
        """Whether the current token still has to be saved."""
        return self._unsaved is not None

    def arrive(self, token: OAuth2Token, now: float) -> None:
        """Take a token that was just issued: if it has expired already, it is used once.

        now: seconds since the epoch.
        """
        self._forget()
        self._hold(token, untried=self._came_expired(token, now))

    def header(self, now: float) -> str | None:
        """Return the value of `Authorization` at once, or None where `acquire` has to decide.

        now: seconds since the epoch.
        Raises `InvalidTokenError` for a token that cannot be sent.
        """
        ready = self._ready
        # The user may change the token in place.
        if ready is not None and now < ready[0] and self._token == ready[1]:
            return ready[2]
        return self._look_again(now)

    def fresh(self, now: float) -> OAuth2Token | None:
        """Return the current token where `header` has found it good, and it has not changed since;
        None where `acquire` has to decide.

        now: seconds since the epoch.
        """
        ready, token = self._ready, self._token
        return token if ready is not None and now < ready[0] and token == ready[1] else None

    def acquire(
        self,
        now: float,
        *,
        rejected: str | None = None,
        waited_for: int | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
        tried_to_save: bool = False,
    ) -> Decision:
        """Decide what this caller does.

        now: seconds since the epoch.
        rejected: the access token that a resource server has just refused. It forces a renewal
            only while it is current.
        waited_for: the first ticket that this caller has waited for: the outcome of that renewal,
            or of a later one, is this caller's outcome.
        by_hand: renews in any case, and how.
        spending: the refresh token that `by_hand` is about to use: where another renewal has
            used it up, the token that came of it serves this caller too.
        tried_to_save: true where this caller has just done what a `SaveIt` said.
        Raises `MissingTokenError` where there is no token, and the error of a failed renewal.
        """
        ended = self._outcome(waited_for, by_hand is not None, spending)
        if isinstance(ended, OAuth2Error):
            raise anew(ended)
        if self._running is not None:
            return AwaitRefresh(self._running.ticket)
        if not tried_to_save and (to_save := self.acquire_save()) is not None:
            return to_save
        if by_hand is not None:
            if ended is not None:
                return UseToken(ended)
            if spending in self._spent and self._heir is not None:
                return UseToken(self._heir)
            return self._begin(by_hand, self._token or OAuth2Token(), spending, now)
        token = self._token
        if token is None:
            raise MissingTokenError(
                "there is no token", advice="fetch one, or assign one, before the first request"
            )
        if ended is None:
            refused = rejected is not None and token.get("access_token") == rejected
            untried = self._untried == _expiry(token)
            if refused or (not untried and token.is_expired(self._leeway, now)):
                return self._begin(self._renew, token, token.refresh_token)
        self._untried = None
        return UseToken(token)

    def acquire_save(self) -> SaveIt | AwaitRefresh | None:
        """Decide what a caller does that goes and wants all saved; None where all is."""
        if self._running is not None:
            return AwaitRefresh(self._running.ticket)
        if self._unsaved is None or self._token is None:
            return None
        self._ticket += 1
        self._running = _Running(self._ticket, self._unsaved, saving=True)
        self._ready = None
        return SaveIt(self._ticket, self._token, self._unsaved)

    def settle(
        self, ticket: int, outcome: OAuth2Token | OAuth2Error | None, *, saved: bool = True
    ) -> None:
        """End a renewal, or a saving.

        ticket: of the `RefreshIt` or `SaveIt`.
        outcome: the new token; or the error that every waiter gets; or None where it was given up
            before its request went out: all is as before, and the next caller takes over.
        saved: false where the new token could not be saved: the next caller tries again.
        Raises `LocalProtocolError` for a ticket that is not running.
        """
        running = self._running
        if running is None or ticket != running.ticket:
            raise LocalProtocolError(
                f"nothing with ticket {ticket} is running",
                advice="settle each RefreshIt and each SaveIt once",
            )
        match outcome:
            case OAuth2Token() if running.saving:
                # A token assigned meanwhile is none of those that are to be saved.
                self._unsaved = None if saved else self._unsaved
            case OAuth2Token():
                self._succeed(running, outcome, saved=saved)
            case OAuth2Error() if not running.saving:
                error = anew(outcome)
                self._ended = _Ended(ticket, running.spending, error, running.superseded)
                dead = isinstance(error, ErrorResponse) and error.error == "invalid_grant"
                if dead and running.spending is not None:
                    self._dead = (running.spending, error)
            case _:
                pass  # given up: all is as it was before
        # Last, since `header` looks on without a lock.
        self._running = None

    def leave(self, own: Callable[[int], bool], error: OAuth2Error | None) -> bool:
        """End, in the child of a fork, what another thread of the parent goes on with.

        own: says whether the caller itself is at a ticket: that goes on here.
        error: for whoever would send the refresh token that the parent is using up; None where
            there is a store that tells what has come of it.
        """
        running = self._running
        if running is None or own(running.ticket):
            return False
        self.settle(running.ticket, None)
        if error is not None and running.spending is not None:
            self._dead = (running.spending, error)
        return True

    def _outcome(
        self, waited_for: int | None, by_hand: bool, spending: str | None
    ) -> OAuth2Token | OAuth2Error | None:
        # What has come of the renewal that this caller has waited for, where it concerns it.
        ended = self._ended
        if ended is None or waited_for is None or waited_for > ended.ticket:
            return None
        concerned = spending in (None, ended.spending) if by_hand else not ended.superseded
        return ended.outcome if concerned else None

    def _begin(
        self,
        renew: Renewal,
        token: OAuth2Token,
        spending: str | None,
        by_hand_at: float | None = None,
    ) -> RefreshIt:
        if self._dead is not None and self._dead[0] == spending:
            raise anew(self._dead[1])
        flow = renew(token)
        self._ticket += 1
        previous = token if self._unsaved is None else self._unsaved
        if spending not in (None, token.refresh_token):  # the caller has brought it along
            previous = OAuth2Token({**previous, "refresh_token": spending})
        self._running = _Running(self._ticket, previous, spending, by_hand_at)
        self._ready = None
        return RefreshIt(self._ticket, flow, previous)

    def _succeed(self, running: _Running, token: OAuth2Token, *, saved: bool) -> None:
        spending, held = running.spending, self._token
        rotated = spending is not None and token.refresh_token != spending
        superseded = running.superseded and not (
            held == token
            # What was assigned meanwhile holds the very refresh token that is used up now.
            or (rotated and held is not None and held.refresh_token == spending)
        )
        self._ended = _Ended(running.ticket, spending, token, superseded)
        if spending is not None:
            if self._heir is None or self._heir.refresh_token != spending:
                self._spent = ()  # these belong to another authorization
            if rotated:
                self._spent = (*self._spent, spending)[-MOST_SPENT:]
            self._heir = token
        if not superseded:
            began = running.by_hand_at
            untried = began is not None and self._came_expired(token, began)
            self._hold(token, unsaved=None if saved else running.previous, untried=untried)

    def _came_expired(self, token: OAuth2Token, now: float) -> bool:
        # Where the clocks of server and client differ, or a life is as short as the leeway: to
        # renew it would bring another such token. One that was good has to be renewed later.
        return bool(token.is_expired(self._leeway, now))

    def _hold(
        self,
        token: OAuth2Token | None,
        *,
        unsaved: OAuth2Token | None = None,
        untried: bool = False,
    ) -> None:
        # In this order, since `header` looks on without a lock: nobody sees a token before it is
        # known whether it is saved.
        self._unsaved = unsaved
        self._untried = _expiry(token) if untried and token is not None else None
        self._token = token
        self._ready = None

    def _forget(self) -> None:
        if self._running is not None:
            self._running.superseded = True
        self._ended = self._heir = self._dead = None
        self._spent = ()

    def _look_again(self, now: float) -> str | None:
        token = self._token
        if token is None or self._running is not None or self._unsaved is not None:
            return None
        members = dict(token)  # before they are read, since another thread may change them
        found = token.stale_at(self._leeway)
        stale_at = self._trusted_until if found is None else min(found, self._trusted_until)
        if now >= stale_at:
            return None
        # The headers of a bound token belong to one request alone.
        header = None if bound_access_token(token) is not None else authorization_header(token)
        self._untried = None
        self._ready = (stale_at, members, header)
        return header


def _expiry(token: OAuth2Token) -> tuple[object, object]:
    return token.get("expires_at"), token.get("expires_in")
