"""Single flight across threads or tasks, and across the processes that share a store.

`CoordinatedThreads` and `CoordinatedTasks` do what `ThreadFlight` and `TaskFlight` do; whoever is
elected in this process asks the coordinator, and does with the store what that says.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, assert_never

from ..coordinator import Coordination, RefreshCoordinator
from ..coordinator_events import (
    CoordinatorAction,
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
    SendRequest,
    StoreAction,
    StoreEvent,
    StoreFailed,
    TakeLease,
    TooLateToSend,
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
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from ..flow import Flow
from ..keeper import Renewal, TokenKeeper
from ..stores.protocol import AsyncTokenStore, StoredRecord, TokenStore
from ..tokens import OAuth2Token
from .clock import now, sleep
from .tasks import TaskFlight, current_loop
from .threads import ThreadFlight

_Save: TypeAlias = Callable[[OAuth2Token, OAuth2Token], object]
_SaveAsync: TypeAlias = Callable[[OAuth2Token, OAuth2Token], Coroutine[Any, Any, object]]


class CoordinatedThreads(ThreadFlight):
    """Renew a keeper's token for the threads of all processes that share a store.

    keeper, drive, save, deadline: see `ThreadFlight`; `save` is called once the store has the token.
    coordinator: knows what to do with the store.
    renew: makes the flow for a token that the store has instead of the keeper's.
    """

    __slots__ = ("_shared", "_store")

    def __init__(
        self,
        keeper: TokenKeeper,
        drive: Callable[[Flow[OAuth2Token]], OAuth2Token],
        save: _Save,
        *,
        store: TokenStore,
        coordinator: RefreshCoordinator,
        renew: Renewal,
        deadline: float = 30.0,
    ) -> None:
        self._store = store
        self._shared = shared = _Shared(keeper, coordinator, renew)

        def renewed(flow: Flow[OAuth2Token]) -> OAuth2Token:
            run, relay = shared.renewal(flow)

            def send() -> None:
                try:
                    token = drive(relay.flow)
                except OAuth2Error as error:
                    relay.settle(error)
                else:
                    relay.settle(token)

            try:
                return self._run(run, send)
            except UnsavedTokenError as error:
                return shared.not_saved(error)

        def saved(token: OAuth2Token, previous: OAuth2Token) -> None:
            shared.raise_failed_save()
            if coordinator.unsaved is not None:
                self._run(coordinator.save())
            save(token, previous)

        super().__init__(keeper, renewed, saved, deadline=deadline)

    def token(
        self,
        *,
        rejected: str | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
    ) -> OAuth2Token:
        """Return a token to use: see `ThreadFlight.token`.

        Raises `StoreError` too, where the store is needed and has failed.
        """
        shared = self._shared
        shared.refused = rejected or shared.refused
        if shared.must_look():
            with shared.looking():
                shared.found(self._run(shared.coordinator.look()))
        return super().token(rejected=rejected, by_hand=by_hand, spending=spending)

    def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given: it counts, whatever the store holds.

        Raises `UnsavedTokenError` where the store fails; it is saved with the next renewal.
        """
        self._run(self._shared.coordinator.keep(token))

    def discard(self) -> None:
        """Forget the token, here and in the store; raise `StoreError` where that fails."""
        self._shared.keeper.token = None
        self._run(self._shared.coordinator.discard())

    def _run(self, run: Coordination, send: Callable[[], None] | None = None) -> OAuth2Token:
        try:
            action = run.start(now())
            while not isinstance(action, Finished):
                action = run.receive(self._perform(action, send), now())
        except BaseException:
            left = run.abandon()
            if left is not None:
                with suppress(Exception):  # the lease ends by itself
                    self._store.release(left.key, left.owner)
            raise
        return action.result or OAuth2Token()

    def _perform(
        self, action: CoordinatorAction, send: Callable[[], None] | None
    ) -> CoordinatorEvent:
        match action:
            case SendRequest(_, not_after):
                if now() > not_after:
                    return TooLateToSend()
                assert send is not None  # only a renewal sends
                send()
                return _SENT
            case Wait(seconds):
                sleep(seconds)
                return WaitElapsed()
            case SignatureNeeded() | Finished():
                raise _unheard_of(action)
            case _:
                try:
                    return _told(action, _ask(self._store, action))
                except Exception as error:  # noqa: BLE001 - it is told to the coordinator
                    return StoreFailed(error)


class CoordinatedTasks(TaskFlight):
    """Renew a keeper's token for the tasks of all processes that share a store.

    The arguments are those of `CoordinatedThreads`; drive, save and the store are asynchronous.
    """

    __slots__ = ("_shared", "_store")

    def __init__(
        self,
        keeper: TokenKeeper,
        drive: Callable[[Flow[OAuth2Token]], Coroutine[Any, Any, OAuth2Token]],
        save: _SaveAsync,
        *,
        store: AsyncTokenStore,
        coordinator: RefreshCoordinator,
        renew: Renewal,
        deadline: float = 30.0,
    ) -> None:
        self._store = store
        self._shared = shared = _Shared(keeper, coordinator, renew)

        async def renewed(flow: Flow[OAuth2Token]) -> OAuth2Token:
            run, relay = shared.renewal(flow)

            async def send() -> None:
                try:
                    token = await drive(relay.flow)
                except OAuth2Error as error:
                    relay.settle(error)
                else:
                    relay.settle(token)

            try:
                return await self._run(run, send)
            except UnsavedTokenError as error:
                return shared.not_saved(error)

        async def saved(token: OAuth2Token, previous: OAuth2Token) -> None:
            shared.raise_failed_save()
            if coordinator.unsaved is not None:
                await self._run(coordinator.save())
            await save(token, previous)

        super().__init__(keeper, renewed, saved, deadline=deadline)

    async def token(
        self,
        *,
        rejected: str | None = None,
        by_hand: Renewal | None = None,
        spending: str | None = None,
    ) -> OAuth2Token:
        """Return a token to use: see `TaskFlight.token`.

        Raises `StoreError` too, where the store is needed and has failed.
        """
        shared = self._shared
        shared.refused = rejected or shared.refused
        if shared.must_look():
            with shared.looking():
                shared.found(await self._run(shared.coordinator.look()))
        return await super().token(rejected=rejected, by_hand=by_hand, spending=spending)

    async def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given: see `CoordinatedThreads.keep`."""
        await self._run(self._shared.coordinator.keep(token))

    async def discard(self) -> None:
        """Forget the token, here and in the store; raise `StoreError` where that fails."""
        self._shared.keeper.token = None
        await self._run(self._shared.coordinator.discard())

    async def _run(
        self, run: Coordination, send: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> OAuth2Token:
        # Where this is cancelled, the lease ends by itself: nothing can be awaited any more.
        action = run.start(now())
        while not isinstance(action, Finished):
            action = run.receive(await self._perform(action, send), now())
        return action.result or OAuth2Token()

    async def _perform(
        self, action: CoordinatorAction, send: Callable[[], Coroutine[Any, Any, None]] | None
    ) -> CoordinatorEvent:
        match action:
            case SendRequest(_, not_after):
                if now() > not_after:
                    return TooLateToSend()
                assert send is not None  # only a renewal sends
                await send()
                return _SENT
            case Wait(seconds):
                await current_loop().sleep(seconds)
                return WaitElapsed()
            case SignatureNeeded() | Finished():
                raise _unheard_of(action)
            case _:
                try:
                    return _told(action, await _ask(self._store, action))
                except Exception as error:  # noqa: BLE001 - it is told to the coordinator
                    return StoreFailed(error)


class _Relay:
    """A flow that runs as a whole where the coordinator sends a request.

    The HTTP libraries' adapters drive a flow in their own ways, with options, hooks and errors of
    their own: so the coordinator gets a stand-in, whose one request stands for all of the flow.
    """

    def __init__(self) -> None:
        self.flow: Flow[OAuth2Token]
        self._outcome: OAuth2Token | OAuth2Error | None = None

    def stand_in(self, flow: Flow[OAuth2Token]) -> Flow[OAuth2Token]:
        self.flow = flow
        return Flow(self._step)

    def settle(self, outcome: OAuth2Token | OAuth2Error) -> None:
        self._outcome = outcome

    def _step(self, event: Event, _now: float) -> Action[OAuth2Token]:
        if isinstance(event, Started):
            return _STANDS_FOR_ALL
        assert self._outcome is not None  # the flow has ended
        if isinstance(self._outcome, OAuth2Error):
            raise self._outcome
        return Finished(self._outcome)


class _Shared:
    """What threads and tasks share of it."""

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

    def renewal(self, flow: Flow[OAuth2Token]) -> tuple[Coordination, _Relay]:
        """Return the run that does what a flow would do alone, and what stands for the flow."""
        relay, held = _Relay(), self.keeper.token or OAuth2Token()

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

    def raise_failed_save(self) -> None:
        """Raise why the token that has just come was not saved, once."""
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed


_STANDS_FOR_ALL = RequestToSend(endpoint=Endpoint.TOKEN, url="")
_SENT = ResponseReceived(status=200)


def _ask(store: TokenStore | AsyncTokenStore, action: StoreAction) -> Any:
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


def _told(action: StoreAction, answer: Any) -> StoreEvent:
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


def _unheard_of(action: object) -> LocalProtocolError:
    return LocalProtocolError(f"no renewal asks for {type(action).__name__} here")
