"""Sessions and clients in the child of a fork, while the parent is in the middle of something."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
import trio

from oauth2_sansio import Endpoint
from oauth2_sansio.stores import SQLiteStore, StoreInThreads
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_httpx import AsyncOAuth2Client, OAuth2Client
from oauth2_sansio_httpx2 import AsyncOAuth2Client as AsyncOAuth2Client2
from oauth2_sansio_httpx2 import OAuth2Client as OAuth2Client2
from oauth2_sansio_requests import OAuth2Session
from oauth2_sansio_trio import OAuth2Client as TrioClient
from tests.password_server import password_server

from ..forking import LONGEST, fork
from .kinds import SHARED, Kind, Place, open_store

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    # That is what is tested.
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

over_blocking = pytest.mark.parametrize(
    "client", [OAuth2Session, OAuth2Client, OAuth2Client2], ids=["requests", "httpx", "httpx2"]
)


@pytest.fixture
def server() -> Generator[AuthorizationServer]:
    with serve(password_server) as running:
        yield running


class Holding:
    """A session with an expired token, whose renewal waits where its answer has come."""

    def __init__(self, server: AuthorizationServer, client: Callable[..., Any], store: Any) -> None:
        self.session = client(
            client_id="app", token_endpoint=server.url(Endpoint.TOKEN), store=store
        )
        self.url = server.url(Endpoint.RESOURCE)
        self.session.fetch_token(username="alice", password="secret")
        self.session.token["expires_at"] = 1
        self.session.register_compliance_hook("refresh_token_response", self._hold)
        self._answered, self._go_on = threading.Event(), threading.Event()

    @contextmanager
    def renewing(self) -> Generator[None]:
        """Let a thread renew the token, which goes on at the end of the block."""
        thread = threading.Thread(target=self.use)
        thread.start()
        assert self._answered.wait(LONGEST)
        try:
            yield
        finally:
            self._go_on.set()
            thread.join()

    def use(self) -> tuple[int, str]:
        """Use the token; return the status, and the token."""
        status = self.session.get(self.url).status_code
        return status, self.session.token["access_token"]

    def _hold(self, response: Any) -> Any:
        self._answered.set()
        self._go_on.wait()
        return response


@over_blocking
@pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.name)
def test_a_child_takes_the_token_that_its_parent_is_renewing(
    server: AuthorizationServer,
    client: Callable[..., Any],
    kind: Kind,
    place: Callable[[Kind], Place],
) -> None:
    holding = Holding(server, client, open_store(place(kind)))
    with holding.renewing():
        child = fork(holding.use)
    assert child.result() == str(holding.use())
    assert server.count(grant_type="refresh_token") == 1
    holding.session.close()


@over_blocking
def test_without_a_store_a_child_leaves_the_refresh_token_to_its_parent(
    server: AuthorizationServer, client: Callable[..., Any]
) -> None:
    holding = Holding(server, client, None)

    def in_child() -> str:
        for _ in range(2):
            with pytest.raises(Exception, match="by the process that this one was forked from"):
                holding.use()
        holding.session.fetch_token(username="alice", password="secret")
        return str(holding.use()[0])

    with holding.renewing():
        child = fork(in_child)
    assert child.result() == "200"
    assert server.count(grant_type="refresh_token") == 1
    assert holding.use()[0] == 200
    assert server.is_active(holding.session.token["refresh_token"])
    holding.session.close()


@over_blocking
def test_a_lock_that_another_thread_holds_stops_no_child(
    server: AuthorizationServer, client: Callable[..., Any]
) -> None:
    holding = Holding(server, client, None)
    holding._go_on.set()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with holding.session._flight._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = fork(lambda: holding.use()[0])
    assert child.result() == "200"
    done.set()
    thread.join()
    holding.session.close()


@over_blocking
def test_a_child_that_update_token_makes_uses_the_new_token(
    server: AuthorizationServer, client: Callable[..., Any]
) -> None:
    results: list[str] = []

    def save(_token: object, **_replaced: str) -> None:
        url = server.url(Endpoint.RESOURCE)
        results.append(fork(lambda: session.get(url).status_code).result())

    with client(
        client_id="app", token_endpoint=server.url(Endpoint.TOKEN), update_token=save
    ) as session:
        session.fetch_token(username="alice", password="secret")
        session.refresh_token()
    assert results == ["200"]


# Connections.


class TellingPorts(BaseHTTPRequestHandler):
    """Answer each request with the port that it has come from: it tells connections apart."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def telling_ports() -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), TellingPorts) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


@over_blocking
def test_a_child_opens_connections_of_its_own(
    client: Callable[..., Any], telling_ports: str
) -> None:
    with client("app", token={"access_token": "A"}) as session:
        first = session.get(telling_ports).text
        assert session.get(telling_ports).text == first
        child = fork(lambda: [session.get(telling_ports).text for _ in range(2)])
        one, other = child.result().strip("[]").split(", ")
        assert one == other != repr(first)
        assert session.get(telling_ports).text == first


def test_a_child_opens_connections_of_its_own_for_token_requests_too(telling_ports: str) -> None:
    with requests.Session() as through:
        first = through.get(telling_ports).text
        with OAuth2Session("app", token={"access_token": "A"}, token_client=through):
            child = fork(lambda: through.get(telling_ports).text)
        assert child.result() != first
        assert through.get(telling_ports).text == first


# Tasks.


class HeldStore(StoreInThreads):
    """A store that waits before it saves a new token."""

    def __init__(self, path: Path, event: Callable[[], Any]) -> None:
        super().__init__(SQLiteStore(path))
        self.holds = False
        self.saving, self.go_on = event(), event()

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        if self.holds and b'"started":null' in content:
            self.saving.set()
            await self.go_on.wait()
        return await super().replace(key, content, expected=expected)


async def renewed_in_both(
    server: AuthorizationServer, client: Any, store: HeldStore, start: Any, run: Any
) -> None:
    """Fork while a task renews the token: the child takes it, in an event loop of its own."""
    url = server.url(Endpoint.RESOURCE)

    async def use() -> str:
        assert (await client.get(url)).status_code == 200
        return str(client.token["access_token"])

    def in_child() -> object:
        store.holds = False
        return run(use)

    token = await client.fetch_token(username="alice", password="secret")
    first = token["access_token"]
    token["expires_at"] = 1
    store.holds = True
    start(use)
    await store.saving.wait()
    child = fork(in_child)
    store.go_on.set()
    assert await use() == child.result() != first
    assert server.count(grant_type="refresh_token") == 1


def options(server: AuthorizationServer) -> dict[str, Any]:
    return {"client_id": "app", "token_endpoint": server.url(Endpoint.TOKEN)}


@pytest.mark.parametrize("client", [AsyncOAuth2Client, AsyncOAuth2Client2], ids=["httpx", "httpx2"])
def test_a_child_of_a_loop_of_asyncio(
    server: AuthorizationServer, client: Callable[..., Any], tmp_path: Path
) -> None:
    tasks: list[asyncio.Task[str]] = []

    async def main() -> None:
        store = HeldStore(tmp_path / "tokens.sqlite", asyncio.Event)
        made = client(**options(server), store=store)
        await renewed_in_both(
            server,
            made,
            store,
            lambda use: tasks.append(asyncio.create_task(use())),
            lambda use: asyncio.run(use()),
        )
        await asyncio.gather(*tasks)
        await made.aclose()

    asyncio.run(main())


@pytest.mark.skipif(
    not hasattr(import_module("trio._core._thread_cache"), "clear_worker_threads"),
    reason="this trio waits, in a child, for threads of the parent",
)
@pytest.mark.parametrize(
    "client", [AsyncOAuth2Client, AsyncOAuth2Client2, TrioClient], ids=["httpx", "httpx2", "trio"]
)
def test_a_child_of_a_loop_of_trio(
    server: AuthorizationServer, client: Callable[..., Any], tmp_path: Path
) -> None:
    def run(use: Callable[[], Any]) -> str:
        results: list[str] = []
        thread = threading.Thread(target=lambda: results.append(trio.run(use)))
        thread.start()  # in the thread of the fork, the parent's loop counts as running
        thread.join()
        return results[0]

    async def main() -> None:
        store = HeldStore(tmp_path / "tokens.sqlite", trio.Event)
        made = client(**options(server), store=store)
        async with trio.open_nursery() as nursery:
            await renewed_in_both(server, made, store, nursery.start_soon, run)
        await made.aclose()

    trio.run(main)
