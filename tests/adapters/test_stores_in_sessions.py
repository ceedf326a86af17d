"""Sessions and clients that share a store: each stands for a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import trio

from oauth2_sansio.coordinator import RefreshPolicy
from oauth2_sansio.errors import OAuth2Error, StoreError, UnsavedTokenError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.stores import (
    AsyncMemoryStore,
    MemoryStore,
    SQLiteStore,
    StoredRecord,
    StoreInThreads,
)
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_httpx import AsyncOAuth2Client, OAuth2Client
from oauth2_sansio_httpx2 import AsyncOAuth2Client as AsyncOAuth2Client2
from oauth2_sansio_httpx2 import OAuth2Client as OAuth2Client2
from oauth2_sansio_requests import OAuth2Session
from oauth2_sansio_trio import OAuth2Client as TrioClient
from tests.password_server import password_server

Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], object]

BLOCKING = [OAuth2Session, OAuth2Client, OAuth2Client2]


class Full(MemoryStore):
    """A store whose disk is full, as long as it is told to be."""

    full = False
    loads = 0

    def load(self, key: str) -> StoredRecord | None:
        self.loads += 1
        return super().load(key)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        if self.full:
            raise StoreError("the disk is full")
        return super().replace(key, content, expected=expected)


@pytest.fixture
def server() -> Generator[AuthorizationServer, None, None]:
    with serve(password_server) as running:
        yield running


def settings(server: AuthorizationServer) -> dict[str, Any]:
    return {
        "client_id": "app",
        "token_endpoint": server.url(Endpoint.TOKEN),
        "revocation_endpoint": server.url(Endpoint.REVOCATION),
    }


@pytest.mark.parametrize("kind", BLOCKING)
def test_what_one_has_fetched_or_renewed_the_others_use(
    server: AuthorizationServer, kind: Callable[..., Any]
) -> None:
    store = MemoryStore()
    url, saved = server.url(Endpoint.RESOURCE), list[str]()

    def make() -> Any:
        def save(token: dict[str, Any], **_replaced: str) -> None:
            saved.append(token["access_token"])

        return kind(**settings(server), store=store, update_token=save)

    first, second = make(), make()
    fetched = first.fetch_token(username="alice", password="secret")
    assert second.get(url).status_code == 200  # it had no token
    assert second.token["access_token"] == fetched["access_token"]
    renewed = second.refresh_token()
    assert saved == [renewed["access_token"]]
    assert first.refresh_token()["access_token"] == renewed["access_token"]
    assert server.count(grant_type="refresh_token") == 1
    for each in (first, second):
        each.close()


@pytest.mark.parametrize("kind", BLOCKING)
def test_a_request_with_a_fresh_token_asks_no_store(
    server: AuthorizationServer, kind: Callable[..., Any]
) -> None:
    store, url = Full(), server.url(Endpoint.RESOURCE)
    with (
        kind(**settings(server), store=store) as first,
        kind(**settings(server), store=store) as second,
    ):
        first.fetch_token(username="alice", password="secret")
        second.get(url)
        before = store.loads
        assert [each.get(url).status_code for each in (first, second) * 5] == [200] * 10
    assert store.loads == before


@pytest.mark.parametrize("kind", BLOCKING)
@pytest.mark.parametrize(("reread", "sees"), [(0, True), (3600, False)])
def test_how_often_a_fresh_token_is_looked_up_is_the_users_choice(
    server: AuthorizationServer, kind: Callable[..., Any], reread: float, sees: bool
) -> None:
    common = settings(server) | {
        "store": MemoryStore(),
        "store_key": "alice",
        "refresh_policy": RefreshPolicy(reread=reread),
    }
    with kind(**common) as first, kind(**common) as second:
        first.fetch_token(username="alice", password="secret")
        second.get(server.url(Endpoint.RESOURCE))
        newer = first.fetch_token(username="alice", password="secret")
        second.get(server.url(Endpoint.RESOURCE))
        assert (second.token["access_token"] == newer["access_token"]) is sees


@pytest.mark.parametrize("kind", [*BLOCKING, AsyncOAuth2Client, TrioClient])
def test_a_policy_has_to_allow_for_what_a_request_may_take(
    server: AuthorizationServer, kind: Callable[..., Any]
) -> None:
    policy = RefreshPolicy(deadline=20)
    common = settings(server) | {"store": MemoryStore(), "refresh_policy": policy}
    with pytest.raises(ValueError, match="may take 30 seconds"):
        kind(**common)
    client = kind(**common, deadline=20, leeway=7, token={"access_token": "A"})
    assert client._coordinator().policy == replace(policy, leeway=60)
    without = settings(server) | {"store": MemoryStore(), "deadline": 5, "leeway": 7}
    expected = RefreshPolicy(deadline=5, lease=10, patience=15, leeway=7)
    assert kind(**without)._coordinator().policy == expected


class FullFile(SQLiteStore):
    """The same in a file."""

    full = False
    loads = 0

    def load(self, key: str) -> StoredRecord | None:
        self.loads += 1
        return super().load(key)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        if self.full:
            raise StoreError("the disk is full")
        return super().replace(key, content, expected=expected)


over_asyncio: Run = lambda work: asyncio.run(work())  # noqa: E731 - beside `trio.run`


@pytest.mark.parametrize(
    ("kind", "run"),
    [
        pytest.param(AsyncOAuth2Client, over_asyncio, id="httpx-asyncio"),
        pytest.param(AsyncOAuth2Client, trio.run, id="httpx-trio"),
        pytest.param(AsyncOAuth2Client2, over_asyncio, id="httpx2-asyncio"),
        pytest.param(AsyncOAuth2Client2, trio.run, id="httpx2-trio"),
        pytest.param(TrioClient, trio.run, id="trio"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True], ids=["memory", "sqlite"])
def test_asynchronous_clients_share_a_store(
    server: AuthorizationServer, tmp_path: Path, kind: Callable[..., Any], run: Run, in_file: bool
) -> None:
    inner: Full | FullFile = FullFile(tmp_path / "tokens.sqlite") if in_file else Full()
    store = AsyncMemoryStore(inner) if isinstance(inner, Full) else StoreInThreads(inner)
    common = settings(server) | {"store": store, "store_key": "alice"}

    async def work() -> None:
        url = server.url(Endpoint.RESOURCE)
        async with kind(**common) as first, kind(**common) as second:
            fetched = await first.fetch_token(username="alice", password="secret")
            assert (await second.get(url)).status_code == 200
            assert second.token == fetched
            loads = inner.loads
            assert [(await each.get(url)).status_code for each in (first, second)] == [200] * 2
            assert inner.loads == loads  # the store is not asked for a fresh token
            inner.full = True
            with pytest.raises(OAuth2Error):
                await second.refresh_token()
            inner.full = False
            assert server.count(grant_type="refresh_token") == 0
            renewed = await first.refresh_token()
            assert await second.refresh_token() == renewed != fetched
            assert server.count(grant_type="refresh_token") == 1
            async with kind(**settings(server)) as other:
                await other.revoke_token(token=renewed["access_token"])
            assert (await second.get(url)).status_code == 200  # it was refused, and renewed
            assert (await first.get(url)).status_code == 200  # the other's new token is taken
            assert server.count(grant_type="refresh_token") == 2
            await first.revoke_token()
            assert inner.load("alice") is None

    run(work)


@pytest.mark.parametrize(
    ("kind", "run"),
    [
        pytest.param(AsyncOAuth2Client, over_asyncio, id="httpx-asyncio"),
        pytest.param(AsyncOAuth2Client2, trio.run, id="httpx2-trio"),
        pytest.param(TrioClient, trio.run, id="trio"),
    ],
)
def test_a_token_that_no_task_has_stored_is_stored_at_the_end(
    server: AuthorizationServer, kind: Callable[..., Any], run: Run
) -> None:
    inner = Full()

    async def work() -> None:
        client = kind(**settings(server), store=AsyncMemoryStore(inner), store_key="alice")
        inner.full = True
        with pytest.raises(UnsavedTokenError) as caught:
            await client.fetch_token(username="alice", password="secret")
        assert client.token == caught.value.token
        inner.full = False
        await client.aclose()
        assert inner.load("alice") is not None

    run(work)


@pytest.mark.parametrize(
    ("kind", "transport"),
    [
        (AsyncOAuth2Client, httpx.AsyncHTTPTransport),
        (AsyncOAuth2Client2, httpx2.AsyncHTTPTransport),
    ],
    ids=["httpx", "httpx2"],
)
@pytest.mark.parametrize("shared", ["memory", "sqlite"])
def test_asyncio_run_ends_once_a_renewal_is_saved(
    server: AuthorizationServer,
    tmp_path: Path,
    kind: Callable[..., Any],
    transport: Any,
    shared: str,
) -> None:
    inner = MemoryStore() if shared == "memory" else SQLiteStore(tmp_path / "tokens.sqlite")
    store = AsyncMemoryStore(inner) if isinstance(inner, MemoryStore) else StoreInThreads(inner)
    renewing: list[asyncio.Task[Any]] = []

    def client(**options: Any) -> Any:
        return kind(**settings(server), store=store, store_key="alice", **options)

    async def first() -> None:
        class Telling(transport):  # type: ignore[misc]  # one of two
            async def handle_async_request(self, request: Any) -> Any:
                request.extensions["trace"] = trace
                return await super().handle_async_request(request)

        async def trace(event: str, _about: Any) -> None:
            if event == "http11.send_request_body.complete":
                sent.set()

        async with client() as other:
            await other.fetch_token(username="alice", password="secret")
        sent = asyncio.Event()
        renewing.append(asyncio.create_task(client(transport=Telling()).refresh_token()))
        await sent.wait()  # nobody awaits the answer, nor closes the client

    async def second() -> None:
        async with client() as other:
            assert (await other.get(server.url(Endpoint.RESOURCE))).status_code == 200
            assert server.is_active(other.token["refresh_token"])

    asyncio.run(first())
    assert renewing[0].cancelled()
    asyncio.run(second())
    assert server.count(grant_type="refresh_token") == 1
