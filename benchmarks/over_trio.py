"""Requests over trio and h11, beside a client of thirty lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import h11
import trio

from oauth2_sansio_trio import Limits, OAuth2Client

from .comparing import Case, Group, Judge
from .material import BEARER, SETTINGS, TOKEN, TOKEN_URL, module, url_on
from .measuring import Step

ON_ONE = 200  # requests, one after the other
TASKS, OF_EACH = 100, 5

_KEPT = {key: value for key, value in SETTINGS.items() if key != "redirect_uri"}
_LEAST = 0.65  # of the requests per second of the client by hand


class _ByHand:
    """One connection."""

    def __init__(self, stream: trio.SocketStream, port: int) -> None:
        self._stream = stream
        self._connection = h11.Connection(h11.CLIENT)
        self._headers = [
            ("Host", f"127.0.0.1:{port}"),
            ("Accept", "*/*"),
            ("User-Agent", "by-hand/1"),
            ("Authorization", BEARER),
        ]

    async def get(self) -> bytes:
        connection = self._connection
        request = h11.Request(method="GET", target="/me", headers=self._headers)
        head = (connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b"")
        await self._stream.send_all(head)
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await self._stream.receive_some(65_536))
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                connection.start_next_cycle()
                return bytes(body)


async def _repeat(get: Callable[[], Awaitable[object]], times: int) -> None:
    for _ in range(times):
        await get()


def _by_hand(port: int, tasks: int, of_each: int) -> Step:
    async def task() -> None:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await _repeat(_ByHand(stream, port).get, of_each)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(task)

    return lambda: trio.run(main)


def _by_client(open_client: Callable[[], Any], port: int, tasks: int, of_each: int) -> Step:
    url = url_on(port)

    async def main() -> None:
        async with open_client() as client, trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(_repeat, lambda: client.get(url), of_each)

    return lambda: trio.run(main)


def _ours(port: int, tasks: int, of_each: int, limits: Limits) -> Step:
    def open_client() -> OAuth2Client:
        # While valgrind counts, all is fifty times as slow, and nothing is to time out.
        return OAuth2Client(
            **_KEPT, token_endpoint=TOKEN_URL, token=TOKEN, timeout=600, limits=limits
        )

    return _by_client(open_client, port, tasks, of_each)


def _of_httpx(port: int, tasks: int, of_each: int) -> Step | None:
    httpx = module("httpx")
    if httpx is None or module("anyio") is None:
        return None
    headers = {"Authorization": BEARER}

    def open_client() -> Any:
        return httpx.AsyncClient(trust_env=False, headers=headers)

    return _by_client(open_client, port, tasks, of_each)


def _group(name: str, title: str, tasks: int, of_each: int) -> Group:
    by_default = Limits()
    # By hand each task has a connection of its own, so as many are allowed here.
    as_many = Limits(connections_per_origin=tasks)
    cases: dict[str, Case] = {
        "trio and h11 by hand": lambda port: _by_hand(port, tasks, of_each),
        "OAuth2Client": lambda port: _ours(port, tasks, of_each, as_many),
        "bare httpx on trio": lambda port: _of_httpx(port, tasks, of_each),
    }
    if tasks > by_default.connections_per_origin:
        fewer = f"OAuth2Client, {by_default.connections_per_origin} connections"
        cases[fewer] = lambda port: _ours(port, tasks, of_each, by_default)
    return Group(
        name,
        title,
        1 / _LEAST,
        "OAuth2Client",
        cases,
        times=1,
        each=tasks * of_each,
        judge=Judge.TIME,
    )


GROUPS = (
    _group("trio", "Authorized requests over trio and h11, on one connection", 1, ON_ONE),
    _group(
        "trio-100",
        f"The same with {TASKS} tasks at once, of {OF_EACH} requests each",
        TASKS,
        OF_EACH,
    ),
)
"""The groups, in the order in which they are printed."""
