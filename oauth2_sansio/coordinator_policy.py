"""When to refresh, how long to wait, and what one process knows of a token that many share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite

from .coordinator_errors import RefreshPausedError
from .coordinator_events import RecordLoaded
from .errors import OAuth2Error
from .token_record import TokenIdentity, TokenRecord
from .tokens import DEFAULT_LEEWAY, OAuth2Token

MOST_ROUNDS = 8
"""How often one coordination begins anew, since others were in between, before it gives up."""

MOST_LINEAGES = 8
"""How many authorizations a record names, so that an earlier one does not come back."""

LONGEST_RETRY_AFTER = 3600.0
"""Up to how many seconds a server's Retry-After counts."""

_SHORTEST_POLL, _LONGEST_POLL = 0.05, 1.0  # seconds between two looks at a lease of others


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPolicy:
    """How a token that many share is renewed. All are seconds, but for `jitter`.

    deadline: how long a token request may take; the driver has to bound it by this.
    lease: for how long one holder keeps the others away; longer than `deadline`. Of what it is
        longer, one half is for the store before the request goes out, and one for saving.
    leeway: how long before its end a token is renewed; of a short life at most a fifth.
    jitter: up to which share of the leeway a process comes later, at random, so that not all of
        them come at once: from 0 to 1.
    patience: how long a caller waits for others who are at the renewal.
    first_pause, longest_pause: the pause after a failure; it doubles with each further one.
    reread: for how long a token that is fresh is used without a look into the store.
    Raises `ValueError` for what cannot work.
    """

    deadline: float = 30.0
    lease: float = 60.0
    leeway: float = DEFAULT_LEEWAY
    jitter: float = 0.5
    patience: float = 90.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    reread: float = inf

    def __post_init__(self) -> None:
        for name in ("deadline", "lease", "patience", "longest_pause"):
            seconds = getattr(self, name)
            if not (isfinite(seconds) and seconds > 0):
                raise ValueError(f"{name} is a number of seconds above 0, not {seconds!r}")
        if self.lease <= self.deadline:
            raise ValueError(
                f"the lease ({self.lease:g} s) has to be longer than a token request may take "
                f"({self.deadline:g} s): else another one begins while the first is under way"
            )
        if not (self.leeway >= 0 and self.reread >= 0 and self.first_pause >= 0):
            raise ValueError("leeway, reread and first_pause are not negative")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter is a share, from 0 to 1")

    @property
    def margin(self) -> float:
        """How long after the lease was asked for a request may go out, in seconds."""
        return (self.lease - self.deadline) / 2

    def pause(self, failures: int, retry_after: float | None) -> float:
        """Return how many seconds nobody tries again after so many failures in a row.

        retry_after: what the server has said.
        """
        doubled = self.first_pause * 2.0 ** min(max(failures - 1, 0), 60)
        asked = min(retry_after or 0.0, LONGEST_RETRY_AFTER)
        return max(min(doubled, self.longest_pause), asked)

    def poll(self, looks: int, held: float) -> float:
        """Return how long to wait for the next look at a lease that others hold.

        held: how many seconds that lease still lasts.
        """
        return min(_SHORTEST_POLL * 2.0 ** min(looks, 10), _LONGEST_POLL, max(held, 0.001))


@dataclass(slots=True)
class Unsaved:
    """A new token that the store does not have yet.

    lineages: the authorizations that its tokens came from: see `TokenRecord`.
    based_on: the token that was spent for it; None where the user has assigned it: then it counts
        whatever the store holds, but for what has come of it already.
    expected: the version of the record that it replaces.
    owner: who holds the lease for it; None where nobody does.
    in_doubt: how many tries to save it have come to no end that is known: it may have been there.
    cause: why it could not be saved.
    """

    token: OAuth2Token
    lineages: tuple[str, ...]
    based_on: OAuth2Token | None = None
    expected: int = 0
    owner: str | None = None
    in_doubt: int = 0
    cause: Exception | None = None

    @property
    def replaces(self) -> bool:
        """Whether it takes the place of a record: where that is gone, nobody wants it any more."""
        return self.based_on is not None or (self.in_doubt > 0 and self.expected > 0)


@dataclass(frozen=True, slots=True)
class Pause:
    """A refresh has failed, and nobody tries again from `since` to `until`.

    Both are seconds since the epoch. A clock that is set wrong somewhere keeps nobody waiting.
    """

    since: float
    until: float
    last: str

    def error(self, now: float) -> RefreshPausedError | None:
        """Return the error for a caller that comes within the pause; None for a later one."""
        if not self.since <= now < self.until:
            return None
        return RefreshPausedError(self.until - now, self.last)


@dataclass(slots=True)
class Knowledge:
    """What one process knows of a token that is in a store.

    unsaved: the new token, where the store does not have it yet.
    seen: whether there was a record of it: then, where none is, somebody has deleted it.
    read_at: when the store was read last, in seconds since the epoch.
    dead: the fingerprint of a refresh token that the server has called invalid, and its answer.
    """

    key: str
    identity: TokenIdentity
    policy: RefreshPolicy
    random_bytes: Callable[[int], bytes] = field(repr=False)
    dpop_key: str | None = None
    unsaved: Unsaved | None = None
    seen: bool = False
    read_at: float = -inf
    dead: tuple[str, OAuth2Error] | None = None
    pause: Pause | None = None
    drawn: tuple[str | None, float] | None = field(default=None, repr=False)

    def read(self, loaded: RecordLoaded, now: float) -> TokenRecord | None:
        """Return the record that was loaded; None where there is none.

        Raises `RecordError` for one that cannot be used.
        """
        record = None
        if loaded.content is not None:
            record = TokenRecord.from_bytes(loaded.content, self.identity)
            self.seen = True
        self.read_at = now
        return record

    def record(self, token: OAuth2Token, lineages: tuple[str, ...]) -> TokenRecord:
        """Return a record for a token that just came."""
        return TokenRecord(
            identity=self.identity, token=token, lineages=lineages, dpop_key=self.dpop_key
        )

    def is_fresh(self, token: OAuth2Token, now: float) -> bool:
        """Say whether a token can be used without a renewal."""
        expired = token.is_expired(self.leeway(token), now)
        return token.access_token is not None and not expired

    def leeway(self, token: OAuth2Token) -> float:
        """Return how many seconds before its end this process renews this token."""
        if self.drawn is None or self.drawn[0] != token.access_token:
            widest, end = self.policy.leeway, token.expires_at
            stale_at = token.stale_at(widest)
            if stale_at is not None and end is not None:
                widest = end - stale_at
            self.drawn = token.access_token, widest * (1 - self.policy.jitter * self.share())
        return self.drawn[1]

    def share(self) -> float:
        """Return a number from 0 to 1 at random."""
        return int.from_bytes(self.random_bytes(2), "big") / 65_535

    def name(self) -> str:
        """Return a name that nobody else has, also not after a fork."""
        return self.random_bytes(12).hex()


def is_same(one: OAuth2Token, other: OAuth2Token) -> bool:
    """Say whether two values are one token."""
    return (one.access_token, one.refresh_token) == (other.access_token, other.refresh_token)
