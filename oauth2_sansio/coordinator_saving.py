"""Steps of the coordinator that bring a token into the store, look for it there, or delete it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from .coordinator_errors import store_error, store_failed
from .coordinator_events import (
    CoordinatorEvent,
    DeleteRecord,
    LeaseHeld,
    LeaseReleased,
    LeaseTaken,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    RecordReplaced,
    ReleaseLease,
    ReplaceRecord,
    StoreFailed,
    TakeLease,
)
from .coordinator_policy import MOST_LINEAGES, MOST_ROUNDS, Knowledge, Unsaved, is_same
from .coordinator_table import Handler, Next, Stage
from .errors import LocalProtocolError, MissingTokenError, OAuth2Error, UnsavedTokenError
from .events import Finished, Started
from .token_record import RecordError, RefreshStarted, TokenRecord
from .tokens import OAuth2Token

Handlers = Mapping[tuple[Stage, type], Handler]


class SavingStep:
    """Save the token that is unsaved, whatever others have written meanwhile.

    The record is replaced only where it holds the token that was spent for the new one: what
    others have stored since is newer, and is adopted instead.
    """

    def __init__(self, known: Knowledge) -> None:
        self.cut_off: RefreshStarted | None = None
        self._known = known
        self._owner: str | None = None  # of the lease, while it is held
        self._pending: OAuth2Error | None = None  # is raised once the lease is given back
        self._result: OAuth2Token | None = None
        self._rounds = 0
        self._tried_again = False
        self._unsaved = Unsaved(OAuth2Token(), ())  # what this run saves

    def step(self, stage: Stage, event: CoordinatorEvent, now: float) -> Next:
        """Return the next stage and what to do in it."""
        return self.HANDLERS[stage, type(event)](self, event, now)

    def abandon(self, stage: Stage) -> ReleaseLease | None:
        """Return what may be given back: nothing, since others must not use the spent token."""
        return None

    def _start(self, _event: Started, now: float) -> Next:
        unsaved = self._known.unsaved
        if unsaved is None:
            return Stage.FINISHED, Finished(None)
        self._owner = unsaved.owner
        return self._save(unsaved)

    def _save(self, unsaved: Unsaved) -> Next:
        self._unsaved = unsaved
        try:
            content = self._known.record(unsaved.token, unsaved.lineages).to_bytes()
        except LocalProtocolError as error:
            return self._not_saved(unsaved, error)
        unsaved.in_doubt += 1
        return Stage.SAVING, ReplaceRecord(self._known.key, content, unsaved.expected)

    def _saved(self, event: RecordReplaced, now: float) -> Next:
        if event.version is None:
            self._unsaved.in_doubt -= 1
            return Stage.RECONCILING, LoadRecord(self._known.key)
        return self._settle(self._unsaved.token, now)

    def _reconcile(self, event: RecordLoaded, now: float) -> Next:
        unsaved, self._rounds = self._unsaved, self._rounds + 1
        try:
            record = self._known.read(event, now)
        except RecordError as error:
            return self._not_saved(unsaved, error)
        if record is None and unsaved.replaces:
            # Somebody has logged out meanwhile: their word counts, and the caller gets the token.
            self._is_saved()
            self._pending = _unsaved_error(unsaved.token, MissingTokenError(_DELETED))
            return self._end(now)
        if record is not None and is_same(record.token, unsaved.token):
            return self._settle(unsaved.token, now)  # the answer to an earlier try was lost
        if record is not None and _has_newer(record, unsaved):
            return self._settle(record.token, now)
        if self._rounds > MOST_ROUNDS:
            return self._not_saved(unsaved, store_error(_OTHERS_WRITE))
        unsaved.expected = event.version
        if record is not None and unsaved.based_on is None:
            unsaved.lineages = (*unsaved.lineages[:1], *record.lineages)[:MOST_LINEAGES]
        return self._save(unsaved)

    def _settle(self, token: OAuth2Token, now: float) -> Next:
        # The store holds this token, ours or a newer one.
        self._is_saved()
        self._known.seen, self._known.read_at, self._known.pause = True, now, None
        return self._stored(token, now)

    def _is_saved(self) -> None:
        if self._known.unsaved is self._unsaved:  # else the user has assigned another one meanwhile
            self._known.unsaved = None

    def _stored(self, token: OAuth2Token, now: float) -> Next:
        self._result = token
        return self._end(now)

    def _saving_failed(self, event: StoreFailed, now: float) -> Next:
        return self._not_saved(self._unsaved, store_failed(event.cause, "saving the new token"))

    def _not_saved(self, unsaved: Unsaved, cause: Exception) -> Next:
        unsaved.cause = cause
        if unsaved.owner is None:
            raise _unsaved_error(unsaved.token, cause)
        # As long as the lease lasts, nobody sends the refresh token that is spent.
        lease = self._known.policy.lease
        return Stage.EXTENDING, TakeLease(self._known.key, unsaved.owner, lease)

    def _extended(self, _event: LeaseTaken, now: float) -> Next:
        if self._tried_again:
            return self._raise(_event, now)
        self._tried_again = True  # the store answers again
        return self._save(self._unsaved)

    def _raise(self, _event: object, now: float) -> Next:
        raise _unsaved_error(self._unsaved.token, self._unsaved.cause)

    def _end(self, now: float) -> Next:
        if self._owner is None:
            return self._conclude(now)
        return Stage.RELEASING, ReleaseLease(self._known.key, self._owner)

    def _released(self, _event: object, now: float) -> Next:
        self._owner = None  # where the store has failed, the lease ends by itself
        return self._conclude(now)

    def _conclude(self, now: float) -> Next:
        if self._pending is not None:
            raise self._pending
        return Stage.FINISHED, Finished(self._result)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {
            (Stage.READY, Started): _start,
            (Stage.SAVING, RecordReplaced): _saved,
            (Stage.SAVING, StoreFailed): _saving_failed,
            (Stage.RECONCILING, RecordLoaded): _reconcile,
            (Stage.RECONCILING, StoreFailed): _saving_failed,
            (Stage.EXTENDING, LeaseTaken): _extended,
            (Stage.EXTENDING, LeaseHeld): _raise,
            (Stage.EXTENDING, StoreFailed): _raise,
            (Stage.RELEASING, LeaseReleased): _released,
            (Stage.RELEASING, StoreFailed): _released,
        }
    )


class KeepingStep(SavingStep):
    """Store a token that the user has fetched or assigned: it counts, whatever the store holds."""

    def __init__(self, known: Knowledge, token: OAuth2Token) -> None:
        super().__init__(known)
        self._token = token

    def _start(self, _event: Started, now: float) -> Next:
        known = self._known
        known.unsaved = self._unsaved = Unsaved(self._token, (known.name(),))
        known.dead = known.pause = None
        return Stage.RECONCILING, LoadRecord(known.key)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {**SavingStep.HANDLERS, (Stage.READY, Started): _start}
    )


class LookingStep(SavingStep):
    """Read the token that the store holds, without the lease."""

    def _start(self, _event: Started, now: float) -> Next:
        unsaved = self._known.unsaved
        if unsaved is not None:
            return Stage.FINISHED, Finished(unsaved.token)
        return Stage.PEEKING, LoadRecord(self._known.key)

    def _looked(self, event: RecordLoaded, now: float) -> Next:
        record = self._known.read(event, now)
        return Stage.FINISHED, Finished(record.token if record is not None else None)

    def _looking_failed(self, event: StoreFailed, now: float) -> Next:
        self._known.read_at = now  # a store that is down is not asked for each token that is fresh
        raise store_failed(event.cause, "reading the stored token")

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {
            (Stage.READY, Started): _start,
            (Stage.PEEKING, RecordLoaded): _looked,
            (Stage.PEEKING, StoreFailed): _looking_failed,
        }
    )


class DiscardingStep(SavingStep):
    """Delete the record, as after a logout."""

    def _start(self, _event: Started, now: float) -> Next:
        self._known.unsaved = None
        return Stage.PEEKING, LoadRecord(self._known.key)

    def _found(self, event: RecordLoaded, now: float) -> Next:
        if event.content is None:
            return Stage.FINISHED, Finished(None)
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            raise store_error(_OTHERS_WRITE)
        return Stage.DELETING, DeleteRecord(self._known.key, event.version)

    def _deleted(self, event: RecordDeleted, now: float) -> Next:
        if not event.deleted:
            return Stage.PEEKING, LoadRecord(self._known.key)
        return Stage.FINISHED, Finished(None)

    def _deleting_failed(self, event: StoreFailed, now: float) -> Next:
        raise store_failed(event.cause, "deleting the stored token")

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {
            (Stage.READY, Started): _start,
            (Stage.PEEKING, RecordLoaded): _found,
            (Stage.PEEKING, StoreFailed): _deleting_failed,
            (Stage.DELETING, RecordDeleted): _deleted,
            (Stage.DELETING, StoreFailed): _deleting_failed,
        }
    )


_DELETED = "somebody has deleted the stored token while it was renewed"
_OTHERS_WRITE = "others write this record again and again"


def _has_newer(record: TokenRecord, unsaved: Unsaved) -> bool:
    if unsaved.based_on is None:  # it was written after all, and has been renewed since
        return unsaved.lineages[0] in record.lineages
    return not is_same(record.token, unsaved.based_on)


def _unsaved_error(token: OAuth2Token, cause: Exception | None) -> UnsavedTokenError:
    error = UnsavedTokenError(token)
    error.__cause__ = cause
    return error
