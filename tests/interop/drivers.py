"""Every driver there is, as one function that drives a flow to its end.

What awaits has an event loop in a thread of its own, and one client in it for all flows.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Protocol

from anyio.from_thread import BlockingPortal, start_blocking_portal

import oauth2_sansio_trio
from oauth2_sansio import Flow
from oauth2_sansio.events import T
from oauth2_sansio_requests import OAuth2Session

from . import over_urllib


class Run(Protocol):
    """Drive a flow to its end, and return its result."""

    def __call__(self, flow: Flow[T]) -> T: ...


@contextmanager
def _urllib() -> Iterator[Run]:
    yield over_urllib.run


@contextmanager
def _requests() -> Iterator[Run]:
    with OAuth2Session("of no matter") as session:
        yield session.run


@contextmanager
def _blocking(adapter: str) -> Iterator[Run]:
    client_class: Any = importlib.import_module(adapter).OAuth2Client
    with client_class("of no matter") as client:
        yield client.run


@contextmanager
def _awaiting(adapter: str, loop: str) -> Iterator[Run]:
    client_class: Any = importlib.import_module(adapter).AsyncOAuth2Client
    with start_blocking_portal(loop) as portal:
        client = client_class("of no matter")
        with portal.wrap_async_context_manager(client):
            yield _through(portal, client.run)


@contextmanager
def _trio() -> Iterator[Run]:
    with start_blocking_portal("trio") as portal:
        client = portal.call(oauth2_sansio_trio.HTTPClient)
        with portal.wrap_async_context_manager(client):
            yield _through(portal, lambda flow: oauth2_sansio_trio.run(flow, client))


def _through(portal: BlockingPortal, run: Callable[[Any], Any]) -> Run:
    def call(flow: Flow[T]) -> T:
        result: T = portal.call(run, flow)
        return result

    return call


DRIVERS: Mapping[str, Callable[[], AbstractContextManager[Run]]] = {
    "urllib": _urllib,
    "requests": _requests,
    "httpx-sync": partial(_blocking, "oauth2_sansio_httpx"),
    "httpx-asyncio": partial(_awaiting, "oauth2_sansio_httpx", "asyncio"),
    "httpx-trio": partial(_awaiting, "oauth2_sansio_httpx", "trio"),
    "httpx2-sync": partial(_blocking, "oauth2_sansio_httpx2"),
    "httpx2-asyncio": partial(_awaiting, "oauth2_sansio_httpx2", "asyncio"),
    "httpx2-trio": partial(_awaiting, "oauth2_sansio_httpx2", "trio"),
    "trio-h11": _trio,
}
