"""Single flight across threads or tasks, and across the processes that share a store.

`CoordinatedThreads` and `CoordinatedTasks` do what `ThreadFlight` and `TaskFlight` do; whoever is
elected in this process asks the coordinator, and does with the store what that says.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from ..coordinator import Coordination, RefreshCoordinator
from ..coordinator_events import (
    CoordinatorAction,
    CoordinatorEvent,
    SendRequest,
    StoreFailed,
    TooLateToSend,
)
from ..errors import OAuth2Error, StoreError, UnsavedTokenError
from ..events import (
    Finished,
    SignatureNeeded,
    Wait,
    WaitElapsed,
)
from ..flow import Flow
from ..keeper import Renewal, TokenKeeper
from ..stores.protocol import AsyncTokenStore, TokenStore
from ..tokens import OAuth2Token
from .clock import now, sleep
from .shared_token import SENT, SharedToken, ask, told, unheard_of
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
        self._shared = shared = SharedToken(keeper, coordinator, renew)

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
        token = super().token(rejected=rejected, by_hand=by_hand, spending=spending)
        return shared.used(token)

    def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given: it counts, whatever the store holds.

        Raises `UnsavedTokenError` where the store fails: it is saved with the next renewal, or by
        `save_now`.
        """
        self._run(self._shared.coordinator.keep(token))

    def discard(self) -> None:
        """Forget the token, here and in the store; raise `StoreError` where that fails."""
        self._shared.keeper.token = None
        self._run(self._shared.coordinator.discard())

    def save_now(self) -> None:
        """Save what is unsaved: see `ThreadFlight.save_now`."""
        super().save_now()
        self._run(self._shared.coordinator.save())

    def after_fork(self) -> None:
        """Leave to the parent of a fork what it is at: the store tells what comes of it."""
        super().after_fork()
        self._shared.after_fork()

    def _left_to_the_parent(self) -> None:
        return None

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
                return SENT
            case Wait(seconds):
                sleep(seconds)
                return WaitElapsed()
            case SignatureNeeded() | Finished():
                raise unheard_of(action)
            case _:
                try:
                    return told(action, ask(self._store, action))
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
        self._shared = shared = SharedToken(keeper, coordinator, renew)

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
        token = await super().token(rejected=rejected, by_hand=by_hand, spending=spending)
        return shared.used(token)

    async def keep(self, token: OAuth2Token) -> None:
        """Store a token that the keeper was given: see `CoordinatedThreads.keep`."""
        await self._run(self._shared.coordinator.keep(token))

    async def discard(self) -> None:
        """Forget the token, here and in the store; raise `StoreError` where that fails."""
        self._shared.keeper.token = None
        await self._run(self._shared.coordinator.discard())

    async def save_now(self) -> None:
        """Save what is unsaved: see `TaskFlight.save_now`."""
        await super().save_now()
        await self._run(self._shared.coordinator.save())

    def after_fork(self) -> None:
        """Leave to the parent of a fork what it is at: the store tells what comes of it."""
        super().after_fork()
        self._shared.after_fork()

    def _left_to_the_parent(self) -> None:
        return None

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
                return SENT
            case Wait(seconds):
                await current_loop().sleep(seconds)
                return WaitElapsed()
            case SignatureNeeded() | Finished():
                raise unheard_of(action)
            case _:
                try:
                    return told(action, await ask(self._store, action))
                except Exception as error:  # noqa: BLE001 - it is told to the coordinator
                    return StoreFailed(error)
                except BaseException as error:
                    # `asyncio.run` cancels, at its end, also tasks that a store's library has made.
                    if not current_loop().is_of_another(error):
                        raise
                    return StoreFailed(StoreError("the call of the store was cut off"))
