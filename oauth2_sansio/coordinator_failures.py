"""The steps of the coordinator after a refresh that has failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar, TypeAlias

from .coordinator_errors import bound_elsewhere, store_error, store_failed
from .coordinator_events import (
    LoadRecord,
    RecordLoaded,
    RecordReplaced,
    ReplaceRecord,
    StoreFailed,
    TakeLease,
)
from .coordinator_policy import MOST_ROUNDS, Knowledge, Pause, is_same
from .coordinator_saving import Handlers, SavingStep
from .coordinator_table import Next, Stage
from .errors import ErrorResponse, LocalProtocolError, OAuth2Error, Outcome
from .token_record import DeadRefreshToken, RecordError, TokenRecord, fingerprint
from .tokens import OAuth2Token

_GoOn: TypeAlias = Callable[[], Next]


class FailureStep(SavingStep):
    """Write down that a refresh has failed, so that all who share the token know.

    Only an invalid_grant for the very token that the store still holds makes it dead, and only
    where that is not bound to a key that this process has not.
    """

    def __init__(self, known: Knowledge, token: OAuth2Token) -> None:
        super().__init__(known)
        self._token = token  # what is to be renewed
        self._me = known.name()
        self._asked_at: float  # once it has been asked for the lease
        self._record = known.record(token, ())
        self._version: int  # once the record was loaded

    def _ask_for_lease(self, now: float) -> Next:
        self._asked_at = now
        return Stage.LEASING, TakeLease(self._known.key, self._me, self._known.policy.lease)

    def _failed(self, error: OAuth2Error, now: float) -> Next:
        self._pending = error
        if isinstance(error, ErrorResponse) and error.error == "invalid_grant" and self._spending:
            if self._record.dpop_key not in (None, self._known.dpop_key):
                # Refused because of the key, perhaps: then it is still good for those who have it.
                self._pending = error = bound_elsewhere(self._record.dpop_key)
                return self._note(error, now)
            return self._refused(error, now)
        return self._note(error, now)

    def _refused(self, error: ErrorResponse, now: float) -> Next:
        assert self._spending is not None  # looked at by the caller
        self._known.dead = self._spending, error
        if self.cut_off is not None:
            error.add_note(
                f"An earlier refresh, begun at {self.cut_off.at:.0f} (seconds since the epoch), "
                "was cut off: its answer, with the token that followed, may have been lost."
            )
        return self._confirm()

    def _confirm(self) -> Next:
        return Stage.CONFIRMING, LoadRecord(self._known.key)

    def _confirmed(self, event: RecordLoaded, now: float) -> Next:
        try:
            record = self._known.read(event, now)
        except RecordError as error:
            return self._give_up(error, now)  # nobody knows whether a newer token lives
        if record is None:
            return self._end(now)
        if not is_same(record.token, self._token):
            # Another refresh token lives: this one was none but an old one.
            self._pending = None
            if self._known.is_fresh(record.token, now):
                return self._stored(record.token, now)
            return self._again(now, lambda: self._ask_for_lease(now))
        return self._bury(record, event.version, now)

    def _bury(self, record: TokenRecord, version: int, now: float) -> Next:
        assert self._spending is not None  # nothing else is refused like that
        self._record, self._version = record, version
        tombstone = DeadRefreshToken(fingerprint=self._spending, at=now, error="invalid_grant")
        return Stage.BURYING, self._replace(replace(record, started=None, dead=tombstone))

    def _buried(self, event: RecordReplaced, now: float) -> Next:
        if event.version is None:
            return self._again(now, self._confirm)
        return self._end(now)

    def _note(self, error: OAuth2Error, now: float) -> Next:
        mark = self._record.started
        assert mark is not None  # it was written before the request
        if isinstance(error, LocalProtocolError):  # nothing has begun
            return Stage.NOTING, self._replace(replace(self._record, started=None))
        failures = mark.failures + 1
        until = now + self._known.policy.pause(failures, error.retry_after)
        self._known.pause = Pause(now, until, error.error)
        noted = replace(
            mark,
            outcome=error.outcome or Outcome.UNKNOWN,
            failures=failures,
            pause_until=until,
        )
        return Stage.NOTING, self._replace(replace(self._record, started=noted))

    def _noted(self, _event: object, now: float) -> Next:
        return self._end(now)

    def _store_failed(self, event: StoreFailed, now: float) -> Next:
        policy = self._known.policy
        self._known.pause = Pause(now, now + policy.first_pause, "the store has failed")
        return self._give_up(store_failed(event.cause, "reaching the token's record"), now)

    def _again(self, now: float, go_on: _GoOn) -> Next:
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            return self._give_up(store_error("others write this record again and again"), now)
        return go_on()

    def _give_up(self, error: OAuth2Error, now: float) -> Next:
        self._pending = error
        return self._end(now)

    @property
    def _spending(self) -> str | None:
        refresh_token = self._token.refresh_token
        return None if refresh_token is None else fingerprint(refresh_token)

    def _replace(self, record: TokenRecord) -> ReplaceRecord:
        return ReplaceRecord(self._known.key, record.to_bytes(), self._version)

    HANDLERS: ClassVar[Handlers] = MappingProxyType(
        {
            **SavingStep.HANDLERS,
            (Stage.PEEKING, StoreFailed): _store_failed,
            (Stage.LEASING, StoreFailed): _store_failed,
            (Stage.LOADING, StoreFailed): _store_failed,
            (Stage.MARKING, StoreFailed): _store_failed,
            (Stage.CONFIRMING, RecordLoaded): _confirmed,
            (Stage.CONFIRMING, StoreFailed): _store_failed,
            (Stage.BURYING, RecordReplaced): _buried,
            (Stage.BURYING, StoreFailed): _noted,
            (Stage.NOTING, RecordReplaced): _noted,
            (Stage.NOTING, StoreFailed): _noted,
        }
    )
