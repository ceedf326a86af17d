"""Ten thousand users over one HTTP client: each has a token of its own, and none gets another's."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import requests
import trio
from requests.adapters import BaseAdapter

import oauth2_sansio_httpx
import oauth2_sansio_requests
from oauth2_sansio import OAuth2Token

USERS = 10_000
API = "https://api.example/of/"
TOKEN_URL = "https://server.example/token"


def token_of(user: int) -> dict[str, Any]:
    # That of every other user has expired.
    return {
        "access_token": f"old-{user}",
        "refresh_token": f"refresh-{user}",
        "token_type": "Bearer",
        "expires_at": 1 if user % 2 else 4_000_000_000,
    }


class World:
    """A resource server, and an authorization server that renews each refresh token once."""

    def __init__(self) -> None:
        self.renewed: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.saved: dict[str, str] = {}

    def answer(self, url: str, authorization: str | None, body: bytes) -> tuple[int, bytes]:
        if url == TOKEN_URL:
            sent = dict(parse_qsl(body.decode()))["refresh_token"]
            user = sent.removeprefix("refresh-")
            self.renewed[user] += 1
            issued = {"access_token": f"new-{user}", "refresh_token": f"next-{user}"}
            return 200, json.dumps({**issued, "token_type": "Bearer", "expires_in": 3600}).encode()
        user = url.removeprefix(API)
        good = f"Bearer {'new' if int(user) % 2 else 'old'}-{user}"
        self.served[user] += authorization == good
        return (200, b"") if authorization == good else (403, b"")

    def save(self, token: OAuth2Token, *, refresh_token: str) -> None:
        self.saved[refresh_token] = str(token.access_token)

    async def save_later(self, token: OAuth2Token, *, refresh_token: str) -> None:
        self.save(token, refresh_token=refresh_token)

    def check(self) -> None:
        assert self.served == {str(user): 2 for user in range(USERS)}
        assert self.renewed == {str(user): 1 for user in range(1, USERS, 2)}
        assert self.saved == {f"refresh-{user}": f"new-{user}" for user in range(1, USERS, 2)}

    def over_httpx(self, request: httpx.Request) -> httpx.Response:
        authorization = request.headers.get("Authorization")
        status, body = self.answer(str(request.url), authorization, request.read())
        return httpx.Response(status, content=body)


class InMemory(BaseAdapter):
    """Requests go to a world in memory."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        status, content = self._world.answer(
            request.url or "",
            request.headers.get("Authorization"),
            body if isinstance(body, bytes) else body.encode(),
        )
        response = requests.Response()
        response.status_code, response.raw = status, BytesIO(content)
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Have nothing to close."""


def _clients(world: World) -> tuple[httpx.AsyncClient, oauth2_sansio_httpx.AsyncOAuth2Client]:
    transport = httpx.MockTransport(world.over_httpx)
    renewing = oauth2_sansio_httpx.AsyncOAuth2Client(
        "app",
        "secret",
        token_endpoint=TOKEN_URL,
        update_token=world.save_later,
        transport=transport,
    )
    return httpx.AsyncClient(transport=transport), renewing


@pytest.mark.parametrize("under", ["asyncio", "trio"])
def test_two_tasks_for_each_user_over_httpx(under: str) -> None:
    world = World()
    shared, renewing = _clients(world)
    auths = [
        oauth2_sansio_httpx.OAuth2Auth(token_of(user), client=renewing) for user in range(USERS)
    ]

    async def use(users: range) -> None:
        for user in users:
            assert (await shared.get(f"{API}{user}", auth=auths[user])).status_code == 200

    # A hundred tasks in each direction, so that two meet at each user's token.
    shares = [range(begin, USERS, 100) for begin in range(100)]
    shares += [share[::-1] for share in shares]

    async def under_asyncio() -> None:
        async with shared, renewing, asyncio.TaskGroup() as group:
            for share in shares:
                group.create_task(use(share))

    async def under_trio() -> None:
        async with shared, renewing, trio.open_nursery() as nursery:
            for share in shares:
                nursery.start_soon(use, share)

    if under == "asyncio":
        asyncio.run(under_asyncio())
    else:
        trio.run(under_trio)
    world.check()


def test_two_threads_for_each_user_over_requests() -> None:
    world = World()
    session = oauth2_sansio_requests.OAuth2Session(
        "app", "secret", token_endpoint=TOKEN_URL, update_token=world.save
    )
    session.mount("https://", InMemory(world))
    auths = [
        oauth2_sansio_requests.OAuth2Auth(token_of(user), client=session) for user in range(USERS)
    ]

    def use(users: range) -> None:
        for user in users:
            assert session.get(f"{API}{user}", auth=auths[user]).status_code == 200

    shares = [range(0, USERS, 2), range(1, USERS, 2)]
    with session, ThreadPoolExecutor(4) as pool:
        list(pool.map(use, [*shares, *(share[::-1] for share in shares)]))
    world.check()


@pytest.mark.parametrize("over", ["requests", "httpx"])
def test_what_a_user_costs(over: str) -> None:
    world = World()
    renewing: Any
    auth_class: Any
    if over == "requests":
        renewing = oauth2_sansio_requests.OAuth2Session("app", "s", token_endpoint=TOKEN_URL)
        auth_class = oauth2_sansio_requests.OAuth2Auth
    else:
        _, renewing = _clients(world)
        auth_class = oauth2_sansio_httpx.OAuth2Auth
    tokens = [token_of(user) for user in range(1_001)]
    kept = [auth_class(tokens.pop(), client=renewing)]
    gc.collect()
    tracemalloc.start()
    try:
        kept += [auth_class(token, client=renewing) for token in tokens]
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] / len(tokens)
    finally:
        tracemalloc.stop()
    assert kept[-1].token == tokens[-1]
    assert size < 2_000, f"{size:.0f} bytes for each user"
