"""One policy, without I/O, for a token that threads, tasks, processes and machines share.

A `TokenKeeper` elects one caller in a process; the coordinator lets one process at a time renew the
token, and the store keeps it. Whoever drives a `Coordination` does what its actions say with any
store and any HTTP library; `coordinator_events` lists the actions.

| Situation | What a renewal does |
|---|---|
| the lease is free | take it, read the record again, write a mark, send, save, give the lease back |
| others have the lease | use the token while it has not expired; else wait, and read what they wrote |
| the store has a newer token | adopt it, and send nothing |
| the answer is a token | save it before anybody gets it |
| saving fails | keep it in memory, raise it as `UnsavedTokenError`, save again at the next use |
| `invalid_grant` | read again: adopt a newer token; else write a tombstone, and never send it again |
| any other failure | note it in the record, so that everybody pauses before the next try |
| a mark, and nobody at it | somebody has died in a renewal: try once more, and say so if that fails |
"""

from __future__ import annotations

import os
from collections.abc import Callable
from math import inf

from .coordinator_policy import Knowledge, RefreshPolicy
from .coordinator_renewal import RenewalStep
from .coordinator_saving import DiscardingStep, KeepingStep, LookingStep, SavingStep
from .coordinator_table import Coordination
from .keeper import Renewal
from .token_record import TokenIdentity, token_key
from .tokens import OAuth2Token

__all__ = ["Coordination", "RefreshCoordinator", "RefreshPolicy"]


class RefreshCoordinator:
    """What one process does about one token in a store. Each method returns a run to be driven.

    One renewal runs at a time: let a `TokenKeeper` see to that. No method blocks or does I/O.

    identity: whose token it is.
    policy: how long to wait, and for what.
    key: the key in the store; made from the identity where it is left out.
    dpop_key: the name of the key that tokens are bound to (RFC 9449).
    random_bytes: makes so many random bytes; a test hands in its own.
    """

    __slots__ = ("_known",)

    def __init__(
        self,
        identity: TokenIdentity,
        *,
        policy: RefreshPolicy | None = None,
        key: str | None = None,
        dpop_key: str | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._known = Knowledge(
            key=key or token_key(identity),
            identity=identity,
            policy=policy or RefreshPolicy(),
            random_bytes=random_bytes,
            dpop_key=dpop_key,
        )

    @property
    def key(self) -> str:
        """The key in the store."""
        return self._known.key

    @property
    def policy(self) -> RefreshPolicy:
        """How long to wait, and for what."""
        return self._known.policy

    @property
    def unsaved(self) -> OAuth2Token | None:
        """The new token that the store does not have yet; None where it has all."""
        unsaved = self._known.unsaved
        return None if unsaved is None else unsaved.token

    def leeway(self, token: OAuth2Token) -> float:
        """Return how many seconds before its end this process renews this token.

        It is drawn once for each token, so that not all processes come at once; never more than
        the policy's leeway, nor than a fifth of a short life.
        """
        return self._known.leeway(token)

    @property
    def trusted_until(self) -> float:
        """Until when a fresh token is used without a look into the store.

        In seconds since the epoch.
        """
        read_at = self._known.read_at
        return read_at if read_at == -inf else read_at + self._known.policy.reread

    def must_look(self, now: float) -> bool:
        """Say whether the store has to be read before a fresh token is used.

        now: seconds since the epoch.
        """
        return now >= self.trusted_until

    def look(self) -> Coordination:
        """Read the token that the store holds; the result is None where there is none.

        Ends in `RecordError` or `StoreError` where it cannot be read.
        """
        return Coordination(LookingStep(self._known))

    def renew(self, token: OAuth2Token, renew: Renewal, *, usable: bool = False) -> Coordination:
        """Renew a token, unless somebody else has; the result is the token to use.

        token: the one to renew, as far as this process knows; an empty one where there is none.
        renew: makes the flow; it is called once it is known which token is to be renewed.
        usable: whether the token may still be used while it has not expired, where others are
            renewing it or where the renewal fails; false where a resource server refused it.
        Ends in the error of the flow; in `UnsavedTokenError` where a new token came and was not
        saved; in `StoreError`, `RecordError`, `RefreshPausedError`, or `TransportError` where
        others take too long: then nothing was sent.
        """
        return Coordination(RenewalStep(self._known, token, renew, usable=usable))

    def keep(self, token: OAuth2Token) -> Coordination:
        """Store a token that was fetched or assigned: it counts, whatever the store holds.

        Ends in `UnsavedTokenError` where it cannot be saved.
        """
        return Coordination(KeepingStep(self._known, token))

    def save(self) -> Coordination:
        """Save what is unsaved; the result is the token to use, None where all was saved.

        Ends in `UnsavedTokenError` where it cannot be saved.
        """
        return Coordination(SavingStep(self._known))

    def discard(self) -> Coordination:
        """Delete the record, as after a logout; the result is None.

        Ends in `StoreError` where that fails.
        """
        return Coordination(DiscardingStep(self._known))

    def after_fork(self) -> None:
        """Leave to the parent of a fork the lease that it has; call this in the child.

        What is unsaved is saved by whichever of the two comes first.
        """
        if self._known.unsaved is not None:
            self._known.unsaved.owner = None

    def __repr__(self) -> str:
        unsaved = ", with an unsaved token" if self._known.unsaved is not None else ""
        return f"<RefreshCoordinator of {self._known.key}{unsaved}>"
