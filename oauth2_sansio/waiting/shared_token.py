"""What threads and tasks share of driving the coordinator: which call an action is, and what for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, assert_never

from ..coordinator import Coordination, RefreshCoordinator
from ..coordinator_events import (
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
    StoreAction,
    StoreEvent,
    TakeLease,
)
from ..coordinator_policy import is_same
from ..errors import LocalProtocolError, OAuth2Error, StoreError, UnsavedTokenError
from ..events import (
    Action,
    Endpoint,
    Event,
    Finished,
    RequestToSend,
    ResponseReceived,
    Started,
)
from ..flow import Flow
from ..keeper import Renewal, TokenKeeper
from ..stores.protocol import AsyncTokenStore, StoredRecord, TokenStore
from ..tokens import OAuth2Token
from .clock import now

SENT = ResponseReceived(status=200)
"""What the coordinator is told once a flow has ended that a `Relay` stands for."""

_STANDS_FOR_ALL = RequestToSend(endpoint=Endpoint.TOKEN, url="")


class Relay:
    """A flow that runs as a whole where the coordinator sends a request.

    The HTTP libraries' adapters drive a flow in their own ways, with options, hooks and errors of
    their own: so the coordinator gets a stand-in, whose one request stands for all of the flow.
    """

    def __init__(self) -> None:
        self.flow: Flow[OAuth2Token]
        self._outcome: OAuth2Token | OAuth2Error | None = None

    def stand_in(self, flow: Flow[OAuth2Token]) -> Flow[OAuth2Token]:
        """Return what the coordinator gets instead of a flow."""
        self.flow = flow
        return Flow(self._step)

    def settle(self, outcome: OAuth2Token | OAuth2Error) -> None:
        """Say how the flow has ended."""
        self._outcome = outcome

    def _step(self, event: Event, _now: float) -> Action[OAuth2Token]:
        if isinstance(event, Started):
            return _STANDS_FOR_ALL
        assert self._outcome is not None  # the flow has ended
        if isinstance(self._outcome, OAuth2Error):
            raise self._outcome
        return Finished(self._outcome)


class SharedToken:
    """A keeper's token, as one that other processes have too.

    coordinator: knows what to do with the store.
    renew: makes the flow for a token that the store has instead of the keeper's.
    """

    def __init__(
        self, keeper: TokenKeeper, coordinator: RefreshCoordinator, renew: Renewal
    ) -> None:
        self.keeper = keeper
        self.coordinator = coordinator
        self._renew = renew
        self.refused: str | None = None  # the access token that a resource server refused last
        self._failed: Exception | None = None  # why the token that has just come was not saved

    def must_look(self) -> bool:
        """Say whether the store has to be read first: seldom, where the token is fresh."""
        return self.keeper.token is None or self.coordinator.must_look(now())

    @contextmanager
    def looking(self) -> Generator[None]:
        """Let the token in memory be used where the store cannot be read."""
        try:
            yield
        except StoreError:
            if self.keeper.token is None:
                raise

    def found(self, token: OAuth2Token) -> None:
        """Take what the store holds, unless this process holds the same, or something unsaved."""
        held = self.keeper.token
        if token and not self.keeper.unsaved and (held is None or not is_same(held, token)):
            self.keeper.token = token

    def used(self, token: OAuth2Token) -> OAuth2Token:
        """Return a token that is about to be used, and let this process renew it in its own time.

        Each draws its own leeway for each token, so that not all of them come at once.
        """
        leeway, until = self.coordinator.leeway(token), self.coordinator.trusted_until
        if self.keeper.leeway != leeway:
            self.keeper.leeway = leeway
        if self.keeper.trusted_until != until:
            self.keeper.trusted_until = until
        return token

    def renewal(self, flow: Flow[OAuth2Token]) -> tuple[Coordination, Relay]:
        """Return the run that does what a flow would do alone, and what stands for the flow."""
        relay, held = Relay(), self.keeper.token or OAuth2Token()

        def renew(token: OAuth2Token) -> Flow[OAuth2Token]:
            return relay.stand_in(flow if is_same(token, held) else self._renew(token))

        # What is renewed for another reason than its age was refused, or is renewed by hand.
        aged = bool(held.is_expired(self.keeper.leeway, now()))
        usable = aged and held.access_token != self.refused
        return self.coordinator.renew(held, renew, usable=usable), relay

    def not_saved(self, error: UnsavedTokenError) -> OAuth2Token:
        """Return the token, as one that still has to be saved."""
        cause = error.__cause__
        self._failed = cause if isinstance(cause, Exception) else error
        return OAuth2Token(error.token)

    def after_fork(self) -> None:
        """Leave to the parent of a fork what it holds."""
        self._failed = None
        self.coordinator.after_fork()

    def raise_failed_save(self) -> None:
        """Raise why the token that has just come was not saved, once."""
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed


def ask(store: TokenStore | AsyncTokenStore, action: StoreAction) -> Any:
    """Call the store as an action says, and return what it returns: or what is to be awaited."""
    match action:
        case TakeLease(key, owner, seconds):
            return store.lease(key, owner, seconds)
        case LoadRecord(key):
            return store.load(key)
        case ReplaceRecord(key, content, expected):
            return store.replace(key, content, expected=expected)
        case DeleteRecord(key, expected):
            return store.delete(key, expected=expected)
        case ReleaseLease(key, owner):
            return store.release(key, owner)
        case _:
            assert_never(action)


def told(action: StoreAction, answer: Any) -> StoreEvent:
    """Return the event for what a store has returned."""
    match action:
        case TakeLease():
            return LeaseTaken() if answer is None else LeaseHeld(answer)
        case LoadRecord():
            found: StoredRecord | None = answer
            return (
                RecordLoaded(None, 0)
                if found is None
                else RecordLoaded(found.content, found.version)
            )
        case ReplaceRecord():
            return RecordReplaced(answer)
        case DeleteRecord():
            return RecordDeleted(deleted=answer)
        case ReleaseLease():
            return LeaseReleased()
        case _:
            assert_never(action)


def unheard_of(action: object) -> LocalProtocolError:
    """Return the error for an action that a stand-in never asks for."""
    return LocalProtocolError(f"no renewal asks for {type(action).__name__} here")
