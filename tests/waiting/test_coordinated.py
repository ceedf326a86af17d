"""The coordinator over real stores: each keeper here stands for a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from oauth2_sansio.client import Client
from oauth2_sansio.coordinator import RefreshCoordinator, RefreshPolicy
from oauth2_sansio.coordinator_errors import RefreshPausedError
from oauth2_sansio.driving import drive
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    StoreError,
    UnsavedTokenError,
)
from oauth2_sansio.events import Endpoint, SignatureNeeded
from oauth2_sansio.flow import Flow
from oauth2_sansio.keeper import TokenKeeper
from oauth2_sansio.server import Server
from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore, SQLiteStore, TokenStore
from oauth2_sansio.stores.protocol import StoredRecord
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.token_record import TokenIdentity, TokenRecord
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.clock import now, sleep
from oauth2_sansio.waiting.coordinated import CoordinatedTasks, CoordinatedThreads

PROCESSES = 12
POLICY = RefreshPolicy(deadline=5, lease=10, patience=60)


class Failing(MemoryStore):
    """A store that is down whenever it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.calls: list[str] = []

    def load(self, key: str) -> StoredRecord | None:
        self._note("load")
        return super().load(key)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        self._note("replace" if b'"started":null' in content else "mark")
        return super().replace(key, content, expected=expected)

    def delete(self, key: str, *, expected: int) -> bool:
        self._note("delete")
        return super().delete(key, expected=expected)

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        self._note("lease")
        return super().lease(key, owner, seconds)

    def release(self, key: str, owner: str) -> None:
        self._note("release")
        super().release(key, owner)

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name in self.broken:
            raise OSError(f"no {name} for now")


@dataclass
class Fleet:
    """A server, a store, and what all processes save and send."""

    store: TokenStore
    server: AuthorizationServer = field(
        default_factory=lambda: AuthorizationServer(
            clients=[RegisteredClient(client_id="app", grant_types=("password", "refresh_token"))],
            settings=ServerSettings(passwords={"alice": "secret"}),
            now=now,
            lock=threading.RLock(),
        )
    )
    saved: list[OAuth2Token] = field(default_factory=list[OAuth2Token])

    def __post_init__(self) -> None:
        self.client = Client(
            server=Server(
                issuer=self.server.issuer, token_endpoint=self.server.url(Endpoint.TOKEN)
            ),
            client_id="app",
        )
        self.identity = TokenIdentity(issuer=self.server.issuer, client_id="app")
        self.expired = self.drive(self.client.password("alice", "secret"))
        self.expired["expires_at"] = 1

    def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        return drive(flow, self.server.send, sleep, now)

    async def drive_async(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        return self.drive(flow)

    def save(self, token: OAuth2Token, _previous: OAuth2Token) -> None:
        self.saved.append(token)

    async def save_async(self, token: OAuth2Token, _previous: OAuth2Token) -> None:
        self.saved.append(token)

    def coordinator(self, policy: RefreshPolicy = POLICY) -> RefreshCoordinator:
        return RefreshCoordinator(self.identity, policy=policy, key="k")

    def process(
        self,
        token: OAuth2Token | None = None,
        *,
        drive: Callable[[Flow[OAuth2Token]], OAuth2Token] | None = None,
        policy: RefreshPolicy = POLICY,
    ) -> CoordinatedThreads:
        keeper = self.keeper = TokenKeeper(token, self.client.refresh)
        return CoordinatedThreads(
            keeper,
            drive or self.drive,
            self.save,
            store=self.store,
            coordinator=self.coordinator(policy),
            renew=self.client.refresh,
        )

    def tasks(self, store: Any, token: OAuth2Token | None = None) -> CoordinatedTasks:
        keeper = self.keeper = TokenKeeper(token, self.client.refresh)
        return CoordinatedTasks(
            keeper,
            self.drive_async,
            self.save_async,
            store=store,
            coordinator=self.coordinator(),
            renew=self.client.refresh,
        )

    @property
    def refreshes(self) -> int:
        return self.server.count(grant_type="refresh_token")


def together(*calls: Callable[[], OAuth2Token]) -> list[OAuth2Token]:
    """Call them all at once, each in a thread of its own."""
    results: list[OAuth2Token] = []
    begin = threading.Barrier(len(calls))

    def run(call: Callable[[], OAuth2Token]) -> None:
        begin.wait()
        results.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = SQLiteStore(tmp_path / "private" / "tokens.sqlite")
    yield opened
    opened.close()


def test_many_processes_send_one_request(store: TokenStore) -> None:
    fleet = Fleet(store)
    fleet.process(fleet.expired).keep(fleet.expired)
    processes = [fleet.process() for _ in range(PROCESSES)]
    tokens = together(*(process.token for process in processes))
    assert fleet.refreshes == 1
    assert len(tokens) == PROCESSES
    assert len({token.access_token for token in tokens}) == 1
    assert fleet.server.is_active(str(tokens[0].refresh_token))


def test_a_fresh_token_costs_no_call_of_the_store() -> None:
    store = Failing()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    token = process.token()
    store.calls.clear()
    assert process.token() == token
    assert store.calls == []


def test_each_process_draws_when_it_renews_a_token() -> None:
    fleet, leeways = Fleet(MemoryStore()), set[float]()
    for _ in range(5):
        fleet.process(fleet.expired).token()
        leeways.add(fleet.keeper.leeway)
    assert len(leeways) > 1
    assert all(30 <= each <= 60 for each in leeways)


def test_within_a_bound_the_store_is_read_all_the_same() -> None:
    store = Failing()
    fleet = Fleet(store)
    first = fleet.process(fleet.expired, policy=RefreshPolicy(reread=0))
    token = first.token()
    other = fleet.process()
    assert other.token() == token
    newer = OAuth2Token(token, access_token="another login")
    other.keep(newer)
    assert first.token() == newer


def test_a_token_that_was_not_saved_is_saved_by_the_next() -> None:
    store = Failing()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    store.broken = {"replace"}
    with pytest.raises(UnsavedTokenError) as caught:
        process.token()
    assert isinstance(caught.value.__cause__, StoreError)
    again = process.token()  # it cannot be saved, and is used all the same
    assert again == caught.value.token
    assert fleet.saved == []
    store.broken = set()
    assert process.token() == again
    assert fleet.saved == [again]
    record = store.load("k")
    assert record is not None
    assert TokenRecord.from_bytes(record.content, fleet.identity).token == again
    assert fleet.refreshes == 1


def test_close_saves_what_is_unsaved() -> None:
    store = Failing()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    store.broken = {"replace"}
    with pytest.raises(UnsavedTokenError):
        process.token()
    with pytest.raises(UnsavedTokenError):
        process.save_now()
    store.broken = set()
    process.save_now()
    assert len(fleet.saved) == 1


@pytest.mark.parametrize("broken", ["load", "lease", "mark"])
def test_a_store_that_is_down_lets_nothing_be_sent(broken: str) -> None:
    store = Failing()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    store.broken = {broken}
    with pytest.raises(StoreError):
        process.token()
    assert fleet.refreshes == 0
    store.broken = set()


def test_a_token_that_has_not_expired_is_used_while_the_store_is_down() -> None:
    store = Failing()
    fleet = Fleet(store)
    near = OAuth2Token(fleet.expired, expires_at=now() + 20)
    process = fleet.process(near)
    process.keep(near)
    store.broken = {"lease"}
    assert process.token() == near
    with pytest.raises(RefreshPausedError):  # a resource server has refused it
        process.token(rejected=near.access_token)


def test_a_fresh_token_is_used_though_the_store_was_down_from_the_start() -> None:
    store = Failing()
    fleet = Fleet(store)
    fresh = OAuth2Token(fleet.expired, expires_at=now() + 3600)
    store.broken = {"load"}
    process = fleet.process(fresh)
    assert [process.token(), process.token()] == [fresh, fresh]
    assert store.calls == ["load"]
    with pytest.raises(StoreError):
        fleet.process().token()


def test_what_the_server_refuses_nobody_sends_again() -> None:
    fleet = Fleet(MemoryStore())
    fleet.server.revoke(str(fleet.expired.refresh_token))
    for _ in range(3):
        with pytest.raises(ErrorResponse, match="invalid_grant"):
            fleet.process(fleet.expired).token()
    assert fleet.refreshes == 1


def test_a_token_that_the_store_has_instead_is_renewed() -> None:
    fleet = Fleet(MemoryStore())
    fleet.process(fleet.expired).keep(fleet.expired)
    other = OAuth2Token(access_token="x", refresh_token="y", expires_at=1)
    assert fleet.process(other).token().access_token != "x"
    assert fleet.refreshes == 1


def test_a_logout_is_one_for_all() -> None:
    fleet = Fleet(MemoryStore())
    first, second = fleet.process(fleet.expired), fleet.process()
    first.token()
    second.token()
    first.discard()
    with pytest.raises(LocalProtocolError, match="there is no token"):
        first.token()
    with pytest.raises(LocalProtocolError, match="somebody has deleted"):
        second.token(by_hand=fleet.client.refresh)


@pytest.mark.parametrize("release_fails", [False, True])
def test_whoever_is_interrupted_gives_the_lease_back(release_fails: bool) -> None:
    class Interrupting(Failing):
        """Somebody presses Ctrl+C while this process reads the record under the lease."""

        def load(self, key: str) -> StoredRecord | None:
            if self.calls == ["load", "lease"]:
                raise KeyboardInterrupt
            return super().load(key)

    store = Interrupting()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    store.broken = {"release"} if release_fails else set()
    with pytest.raises(KeyboardInterrupt):
        process.token()
    store.broken = set()
    assert (store.lease("k", "somebody else", 5) is None) is not release_fails


class Slow(Failing):
    """After the first mark, the process sleeps for an hour, before it looks at the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        if "mark" not in self.calls:
            self.times.extend([0.0, 3600.0])
        return super().replace(key, content, expected=expected)

    def now(self) -> float:
        return now() + (self.times.pop(0) if self.times else 0.0)


def test_a_request_that_would_go_out_too_late_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Slow()
    fleet = Fleet(store)
    process = fleet.process(fleet.expired)
    monkeypatch.setattr("oauth2_sansio.waiting.coordinated.now", store.now)
    assert process.token().access_token is not None
    assert store.calls.count("lease") == 2
    assert fleet.refreshes == 1


def test_no_other_action_comes_up() -> None:
    fleet = Fleet(MemoryStore())
    needed = SignatureNeeded(algorithm="ES256", signing_input=b"")
    with pytest.raises(LocalProtocolError, match="SignatureNeeded"):
        fleet.process()._perform(needed, None)
    with pytest.raises(LocalProtocolError, match="SignatureNeeded"):
        asyncio.run(fleet.tasks(AsyncMemoryStore())._perform(needed, None))


def test_threads_wait_for_a_lease_of_others() -> None:
    fleet = Fleet(MemoryStore())
    fleet.store.lease("k", "somebody who has died", 0.05)
    token = fleet.process(fleet.expired).token()
    assert (fleet.saved, fleet.refreshes) == ([token], 1)


# Tasks.


def run_both(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())
    trio.run(work)


def test_tasks_of_many_processes_send_one_request() -> None:
    async def work() -> None:
        store, fleet = AsyncMemoryStore(), Fleet(MemoryStore())
        await fleet.tasks(store, fleet.expired).keep(fleet.expired)
        flights = [fleet.tasks(store) for _ in range(3)]
        tokens = [await flight.token() for flight in flights]
        assert len({token.access_token for token in tokens}) == 1
        assert fleet.refreshes == 1
        await flights[0].discard()
        with pytest.raises(LocalProtocolError):
            await flights[0].token()

    run_both(work)


def test_tasks_wait_for_a_lease_of_others() -> None:
    async def work() -> None:
        store, fleet = AsyncMemoryStore(), Fleet(MemoryStore())
        await store.lease("k", "somebody who has died", 0.2)
        token = await fleet.tasks(store, fleet.expired).token()
        assert (fleet.saved, fleet.refreshes) == ([token], 1)

    run_both(work)


def test_a_token_that_no_task_could_save_is_saved_by_the_next() -> None:
    async def work() -> None:
        inner = Failing()
        store, fleet = AsyncMemoryStore(inner), Fleet(MemoryStore())
        flight = fleet.tasks(store, fleet.expired)
        inner.broken = {"replace"}
        with pytest.raises(UnsavedTokenError) as caught:
            await flight.token()
        inner.broken = set()
        assert await flight.token() == caught.value.token
        assert fleet.saved == [caught.value.token]

    run_both(work)


def test_no_task_sends_too_late_and_each_gets_the_error_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        store, fleet = Slow(), Fleet(MemoryStore())
        fleet.server.revoke(str(fleet.expired.refresh_token))
        flight = fleet.tasks(AsyncMemoryStore(store), fleet.expired)
        monkeypatch.setattr("oauth2_sansio.waiting.coordinated.now", store.now)
        with pytest.raises(ErrorResponse, match="invalid_grant"):
            await flight.token()
        assert store.calls.count("lease") == 2
        assert fleet.refreshes == 1

    run_both(work)


def test_what_a_loop_cancels_at_its_end_within_a_store_is_done_again() -> None:
    class Library(AsyncMemoryStore):
        """A store whose library makes tasks of its own."""

        async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
            if b'"started":null' in content:
                saving.set()
                await asyncio.create_task(asyncio.sleep(0.01))
            return await super().replace(key, content, expected=expected)

    saving = asyncio.Event()
    fleet = Fleet(MemoryStore())
    inner = MemoryStore()

    async def work() -> None:
        asking = asyncio.ensure_future(fleet.tasks(Library(inner), fleet.expired).token())
        await saving.wait()
        assert not asking.done()

    asyncio.run(work())
    record = inner.load("k")
    assert record is not None
    assert TokenRecord.from_bytes(record.content, fleet.identity).token == fleet.saved[0]
    assert fleet.refreshes == 1


def test_a_cancelled_look_into_the_store_stays_cancelled() -> None:
    class Frozen(AsyncMemoryStore):
        async def load(self, key: str) -> StoredRecord | None:
            await asyncio.sleep(3600)
            return None

    async def work() -> None:
        asking = asyncio.ensure_future(Fleet(MemoryStore()).tasks(Frozen()).token())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(work())
