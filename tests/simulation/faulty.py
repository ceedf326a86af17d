"""The policy with one fault each, to show that the simulation finds it."""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar

from oauth2_sansio.coordinator import Coordination, RefreshCoordinator
from oauth2_sansio.coordinator_events import RecordLoaded
from oauth2_sansio.coordinator_policy import Unsaved
from oauth2_sansio.coordinator_renewal import RenewalStep
from oauth2_sansio.coordinator_saving import Handlers
from oauth2_sansio.coordinator_table import Next, Stage
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, UnsavedTokenError
from oauth2_sansio.keeper import Renewal
from oauth2_sansio.testing import SeededBytes
from oauth2_sansio.token_record import TokenIdentity
from oauth2_sansio.tokens import OAuth2Token

from .clients import POLICY
from .scenario import MakeCoordinator


class WithoutReading(RenewalStep):
    """Renews the token that it held before it got the lease, whatever the store has by now."""

    def _loaded(self, event: RecordLoaded, now: float) -> Next:
        held = self._known.record(self._token, ()).to_bytes()
        return super()._loaded(RecordLoaded(held, event.version), now)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {**RenewalStep.HANDLERS, (Stage.LOADING, RecordLoaded): _loaded}
    )


class PublishingFirst(RenewalStep):
    """Hands the new token to the caller, and leaves saving it to the next one."""

    def _renewed(self, token: OAuth2Token, now: float) -> Next:
        self._known.unsaved = Unsaved(
            token, self._record.lineages, self._token, self._version, self._me
        )
        self._result = token
        return self._end(now)


class WithoutSecondLook(RenewalStep):
    """Takes an invalid_grant for the end, though a newer token may be in the store."""

    def _refused(self, error: ErrorResponse, now: float) -> Next:
        return self._end(now)


class Forgetting(RenewalStep):
    """Sends a refresh token that the server has called invalid to somebody else."""

    def _refusal(self, now: float) -> OAuth2Error | None:
        return None


class GivingUp(RenewalStep):
    """Forgets a new token that it could not save."""

    def _not_saved(self, unsaved: Unsaved, cause: Exception) -> Next:
        self._known.unsaved = None
        raise UnsavedTokenError(unsaved.token)


class BringingBack(RenewalStep):
    """Writes a new record where somebody has deleted the one that was there."""

    def _loaded(self, event: RecordLoaded, now: float) -> Next:
        self._known.seen = False
        return super()._loaded(event, now)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {**RenewalStep.HANDLERS, (Stage.LOADING, RecordLoaded): _loaded}
    )


class SavingAnyhow(RenewalStep):
    """Saves a new token though somebody has deleted the record while it was fetched."""

    def _reconcile(self, event: RecordLoaded, now: float) -> Next:
        if event.content is None:
            self._unsaved.expected = 0
            return self._save(self._unsaved)
        return super()._reconcile(event, now)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {**RenewalStep.HANDLERS, (Stage.RECONCILING, RecordLoaded): _reconcile}
    )


def make_with(step: type[RenewalStep]) -> MakeCoordinator:
    """Return what makes coordinators whose renewals have a fault."""

    class Faulty(RefreshCoordinator):
        def renew(
            self, token: OAuth2Token, renew: Renewal, *, usable: bool = False
        ) -> Coordination:
            return Coordination(step(self._known, token, renew, usable=usable))

    def make(identity: TokenIdentity, random_bytes: SeededBytes) -> RefreshCoordinator:
        return Faulty(identity, policy=POLICY, random_bytes=random_bytes)

    return make
