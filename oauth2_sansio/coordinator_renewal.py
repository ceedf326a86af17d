"""The step of the coordinator that renews a token, so that nobody else does so meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar, TypeAlias

from .coordinator_errors import busy, dead
from .coordinator_events import (
    LeaseHeld,
    LeaseTaken,
    LoadRecord,
    RecordLoaded,
    RecordReplaced,
    ReleaseLease,
    SendRequest,
    TooLateToSend,
)
from .coordinator_failures import FailureStep
from .coordinator_policy import Knowledge, Pause, Unsaved, is_same
from .coordinator_table import Handler, Next, Stage
from .errors import (
    LocalProtocolError,
    MissingTokenError,
    OAuth2Error,
    UnsavedTokenError,
)
from .events import (
    Action,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    Started,
    Wait,
    WaitElapsed,
)
from .flow import Flow
from .keeper import Renewal
from .token_record import (
    DeadRefreshToken,
    RecordError,
    RefreshStarted,
    TokenRecord,
)
from .tokens import OAuth2Token

_FlowEvent: TypeAlias = Started | ResponseReceived | RequestFailed | SignatureMade | WaitElapsed


class RenewalStep(FailureStep):
    """Renew a token that others may hold too.

    token: the one to renew, as this process knows it. Where the store has another one, that one is
        adopted, or renewed in its place.
    renew: makes the flow.
    usable: whether the token may go on to be used while it has not expired, where nothing comes of
        the renewal; false where a resource server has refused it.
    """

    def __init__(
        self, known: Knowledge, token: OAuth2Token, renew: Renewal, *, usable: bool
    ) -> None:
        super().__init__(known, token)
        self._held = token
        self._renew = renew
        self._usable = usable
        self._began: float  # once it has
        self._not_after: float  # once there is a lease: the last time at which a request may go out
        self._looks = 0
        self._flow: Flow[OAuth2Token] | None = None
        self._sent = False

    def abandon(self, stage: Stage) -> ReleaseLease | None:
        """Return the lease that may be given back: where no request has gone out."""
        held = self._owner is not None or stage is Stage.LEASING
        if not held or (self._sent and stage is not Stage.RELEASING):
            return None
        return ReleaseLease(self._known.key, self._me)

    # Before the lease.

    def _start(self, _event: Started, now: float) -> Next:
        self._began = now
        unsaved = self._known.unsaved
        if unsaved is not None:  # what it was spent for is never used again
            self._held = self._token = unsaved.token
            self._owner = unsaved.owner
            self._me = unsaved.owner or self._me  # the lease is extended, not taken anew
            self._sent = True
            return self._save(unsaved)
        if self._paused(now) is not None:  # others may have had more luck
            return self._peek()
        return self._ask_for_lease(now)

    def _stored(self, token: OAuth2Token, now: float) -> Next:
        self._known.pause = None
        if self._flow is None and not self._known.is_fresh(token, now):
            self._held = self._token = token  # an old one that could not be saved any earlier
            self._sent = False
            return self._ask_for_lease(now)
        return super()._stored(token, now)

    def _peek(self) -> Next:
        return Stage.PEEKING, LoadRecord(self._known.key)

    def _peeked(self, event: RecordLoaded, now: float) -> Next:
        try:
            record = self._known.read(event, now)
        except RecordError as error:
            return self._give_up(error, now)
        if record is not None and self._adopts(record, now):
            return self._stored(record.token, now)
        paused = self._paused(now)
        if paused is not None:
            return self._give_up(paused, now)
        return self._ask_for_lease(now)

    def _leased(self, _event: LeaseTaken, now: float) -> Next:
        self._owner = self._me
        self._not_after = self._asked_at + self._known.policy.margin
        return self._reload()

    def _others_at_it(self, event: LeaseHeld, now: float) -> Next:
        self._owner = None
        waited = now - self._began
        if self._may_use(now) or waited >= self._known.policy.patience:
            return self._give_up(busy(waited), now)
        seconds = self._known.policy.poll(self._looks, event.seconds)
        self._looks += 1
        seconds *= 1 - self._known.share() / 2  # so that those who wait do not all come at once
        return Stage.WAITING, Wait(seconds, "others are at the renewal of this token")

    def _waited(self, _event: WaitElapsed, now: float) -> Next:
        return self._peek()

    # Under the lease, before the request.

    def _reload(self) -> Next:
        return Stage.LOADING, LoadRecord(self._known.key)

    def _loaded(self, event: RecordLoaded, now: float) -> Next:
        known_before = self._known.seen
        assigned = self._known.unsaved
        if assigned is not None and self._known.is_fresh(assigned.token, now):
            # By the user, meanwhile: it counts, and is about to be saved.
            return self._stored(assigned.token, now)
        try:
            record = self._known.read(event, now)
        except RecordError as error:
            return self._give_up(error, now)
        if record is None:
            if known_before:
                return self._give_up(_deleted(), now)
            record = self._known.record(self._token, (self._known.name(),))
        elif self._adopts(record, now):
            return self._stored(record.token, now)
        self._record, self._version = record, event.version
        if record.token:
            self._token = record.token
        refusal = self._refusal(now)
        if refusal is not None:
            return self._give_up(refusal, now)
        try:
            self._flow = self._renew(self._token)
        except OAuth2Error as error:
            return self._give_up(error, now)
        return self._mark(now)

    def _adopts(self, record: TokenRecord, now: float) -> bool:
        # Whether somebody else has renewed the token, so that there is nothing left to do.
        return not is_same(record.token, self._token) and self._known.is_fresh(record.token, now)

    def _refusal(self, now: float) -> OAuth2Error | None:
        # Why the record that was loaded forbids a request.
        spending, started = self._spending, self._record.started
        if spending is not None:
            tombstone = self._record.dead
            if tombstone is not None and tombstone.fingerprint == spending:
                return dead(tombstone)
            if self._known.dead is not None and self._known.dead[0] == spending:
                return dead(DeadRefreshToken(fingerprint=spending, at=now, error="invalid_grant"))
        if started is not None and started.outcome is not None and started.pause_until is not None:
            outcome = f"its outcome: {started.outcome.value}"
            return Pause(started.at, started.pause_until, outcome).error(now)
        if started is not None and started.outcome is None and started.owner != self._me:
            self.cut_off = started
        return None

    def _mark(self, now: float) -> Next:
        before = self._record.started
        mark = RefreshStarted(
            owner=self._me,
            at=now,
            fingerprint=self._spending,
            failures=0 if before is None else before.failures,
        )
        self._record = replace(self._record, token=self._token, started=mark)
        try:
            return Stage.MARKING, self._replace(self._record)
        except LocalProtocolError as error:
            return self._give_up(error, now)

    def _marked(self, event: RecordReplaced, now: float) -> Next:
        if event.version is None:  # somebody has written who did not have the lease
            return self._again(now, self._reload)
        self._version, self._known.seen = event.version, True
        if now > self._not_after:
            return self._too_late(TooLateToSend(), now)
        return self._go_on(Started(), now)

    def _too_late(self, _event: TooLateToSend, now: float) -> Next:
        self._sent = False
        return self._again(now, lambda: self._ask_for_lease(now))

    # The request.

    def _go_on(self, event: _FlowEvent, now: float) -> Next:
        assert self._flow is not None  # it is made before the mark
        try:
            action = self._flow.receive(event, now)
        except OAuth2Error as error:
            return self._failed(error, now)
        return self._pass_on(action, now)

    def _pass_on(self, action: Action[OAuth2Token], now: float) -> Next:
        match action:
            case RequestToSend():
                self._sent = True
                return Stage.REQUESTING, SendRequest(action, self._not_after)
            case Finished(token):
                return self._renewed(token, now)
            case _:
                return Stage.REQUESTING, action

    def _renewed(self, token: OAuth2Token, now: float) -> Next:
        unsaved = Unsaved(token, self._record.lineages, self._token, self._version, self._me)
        if self._known.unsaved is None:  # else the user has assigned another one meanwhile
            self._known.unsaved = unsaved
        return self._save(unsaved)

    # The end.

    def _conclude(self, now: float) -> Next:
        error = self._pending
        if error is not None and not isinstance(error, UnsavedTokenError) and self._may_use(now):
            return Stage.FINISHED, Finished(self._held)
        return super()._conclude(now)

    def _may_use(self, now: float) -> bool:
        end = self._held.expires_at
        return (
            self._usable and self._held.access_token is not None and end is not None and now < end
        )

    def _paused(self, now: float) -> OAuth2Error | None:
        return None if self._known.pause is None else self._known.pause.error(now)

    HANDLERS: ClassVar[Mapping[tuple[Stage, type], Handler]] = MappingProxyType(
        {
            **FailureStep.HANDLERS,
            (Stage.READY, Started): _start,
            (Stage.PEEKING, RecordLoaded): _peeked,
            (Stage.LEASING, LeaseTaken): _leased,
            (Stage.LEASING, LeaseHeld): _others_at_it,
            (Stage.WAITING, WaitElapsed): _waited,
            (Stage.LOADING, RecordLoaded): _loaded,
            (Stage.MARKING, RecordReplaced): _marked,
            (Stage.REQUESTING, ResponseReceived): _go_on,
            (Stage.REQUESTING, RequestFailed): _go_on,
            (Stage.REQUESTING, SignatureMade): _go_on,
            (Stage.REQUESTING, WaitElapsed): _go_on,
            (Stage.REQUESTING, TooLateToSend): _too_late,
        }
    )


def _deleted() -> MissingTokenError:
    return MissingTokenError(
        "somebody has deleted the stored token", advice="authorize again, or assign a token"
    )
