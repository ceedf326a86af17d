"""Asynchronous classes: one event loop at a time, one after the other, and none after the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from oauth2_sansio import Client, Server
from tests.interop.sessions import Kind

from .conftest import AWAITING, LOOPS
from .site import Answer, Site

GOOD = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r-1"}

pytestmark = pytest.mark.parametrize("kind", AWAITING, indirect=True)


def client_at(kind: Kind, site: Site, **settings: Any) -> Any:
    endpoint = site.answer("/token", Answer(200, GOOD))
    return kind.client_class(
        "app", "secret", token_endpoint=endpoint, **{**(kind.settings or {}), **settings}
    )


def calls(client: Any, site: Site) -> list[Callable[[], Any]]:
    async def stream() -> None:
        async with client.stream("GET", f"{site.url}/api"):
            raise AssertionError

    async def run() -> None:
        server = Server(token_endpoint=f"{site.url}/token")
        await client.run(Client(server=server, client_id="app").client_credentials())

    async def fetch() -> None:
        await client.fetch_token()

    return [lambda: client.get(f"{site.url}/api"), stream, fetch, client.refresh_token, run]


async def refusals(client: Any, site: Site) -> list[str]:
    said: list[str] = []
    for call in calls(client, site):
        try:
            await call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            said.append(str(error))
    return said


@pytest.mark.parametrize("loop", LOOPS)
def test_two_loops_at_the_same_time(kind: Kind, site: Site, loop: str) -> None:
    if loop == "asyncio" and kind.adapter == "oauth2_sansio_trio":
        loop = "trio"  # it knows no other
    assert kind.portal is not None
    client = client_at(kind, site)
    kind.portal.call(client.fetch_token)
    before = len(site.requests)
    with start_blocking_portal(loop) as elsewhere:
        said = elsewhere.call(refusals, client, site)
    assert len(said) == len(calls(client, site))
    assert all("another event loop" in each or "another run of trio" in each for each in said)
    assert len(site.requests) == before
    assert kind.portal.call(client.get, f"{site.url}/api").status_code == 200
    kind.portal.call(client.aclose)


def test_one_loop_after_the_other(kind: Kind, site: Site) -> None:
    client = client_at(kind, site)  # where no loop runs

    async def use() -> int:
        await client.fetch_token()
        client.token["expires_at"] = 1
        response = await client.get(f"{site.url}/api")  # over a connection that is kept
        return int(response.status_code)

    loops = ["trio"] * 3 if kind.adapter == "oauth2_sansio_trio" else ["asyncio", "trio", "asyncio"]
    for loop in loops:
        assert anyio.run(use, backend=loop) == 200
    anyio.run(client.aclose, backend=loops[-1])
    assert len(site.seen("/token")) == 6


def test_none_after_the_end(kind: Kind, site: Site) -> None:
    assert kind.portal is not None
    client = client_at(kind, site, token=GOOD)
    kind.portal.call(client.aclose)
    said = kind.portal.call(refusals, client, site)
    assert len(said) == len(calls(client, site))
    assert all("closed" in each for each in said), said
    assert site.requests == []
    kind.portal.call(client.aclose)  # once more does nothing
