"""Every class with the drop-in vocabulary, behind the same blocking calls.

What a client awaits, a portal awaits for it in an event loop of its own; so one suite serves all,
and its threads become tasks.
"""

from __future__ import annotations

import importlib
import inspect
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from oauth2_sansio import Server

_SYSTEM = ssl.create_default_context()  # once, since reading all certificates takes long


@dataclass(frozen=True)
class Kind:
    """A library, and its classes.

    content: the argument that holds the body of a request.
    settings: of a client of the library.
    portal: to where a client's calls are awaited; None for one that blocks.
    """

    adapter: str
    client_class: Any
    assertion_class: Any
    plain_class: Any
    content: str = "content"
    settings: Mapping[str, Any] | None = None
    portal: BlockingPortal | None = None

    @property
    def error(self) -> Any:
        return importlib.import_module(self.adapter).OAuthError

    @property
    def has_auth(self) -> bool:
        """Whether the library has `auth=` objects, and the adapter one of its own."""
        return hasattr(importlib.import_module(self.adapter), "OAuth2Auth")

    def auth(self, *arguments: Any, client: Any = None) -> Any:
        """Return an `OAuth2Auth` of this library."""
        return self.auth_class(
            *arguments, client=client.client if self.portal and client else client
        )

    @property
    def auth_class(self) -> Any:
        """The `OAuth2Auth` of this library."""
        return importlib.import_module(self.adapter).OAuth2Auth

    @property
    def following(self) -> dict[str, bool]:
        """The arguments of a request that follows redirects."""
        return {} if self.adapter == "oauth2_sansio_requests" else {"follow_redirects": True}

    def streamed(self, pieces: list[bytes]) -> Any:
        """Return a body that can be sent once."""
        if self.portal is None:
            return iter(pieces)

        async def stream() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return stream()

    def read_stream(self, session: Any, url: str) -> Any:
        """Return the JSON of a response that is read as it comes."""
        if self.portal is None:
            if self.adapter == "oauth2_sansio_requests":
                with session.get(url, stream=True) as response:
                    return json.loads(b"".join(response.iter_content(7)))
            with session.stream("GET", url) as response:
                return json.loads(b"".join(response.iter_bytes()))

        over_trio = self.adapter == "oauth2_sansio_trio"

        async def read() -> Any:
            async with session.client.stream("GET", url) as response:
                chunks = response.iter_bytes() if over_trio else response.aiter_bytes()
                return json.loads(b"".join([chunk async for chunk in chunks]))

        return self.portal.call(read)

    @contextmanager
    def session(self, *arguments: Any, **settings: Any) -> Iterator[Any]:
        """Open a client with the drop-in vocabulary."""
        with self._open(self.client_class, *arguments, **settings) as client:
            yield client

    def discover(self, issuer: str) -> Server:
        """Return the server that a client of this class has found."""
        with self.session() as anybody:
            server: Server = anybody.run(Server.discover(issuer))
            return server

    @contextmanager
    def assertion_session(self, *arguments: Any, **settings: Any) -> Iterator[Any]:
        """Open a client that gets its tokens for assertions."""
        with self._open(self.assertion_class, *arguments, **settings) as client:
            yield client

    @contextmanager
    def plain(self) -> Iterator[Any]:
        """Open a client of the library itself."""
        with self._open(self.plain_class) as client:
            yield client

    @contextmanager
    def _open(self, kind: Any, *arguments: Any, **settings: Any) -> Iterator[Any]:
        settings = {**(self.settings or {}), **settings}
        if self.portal is None:
            with kind(*arguments, **settings) as client:
                yield client
        else:
            client = self.portal.call(partial(kind, *arguments, **settings))
            with self.portal.wrap_async_context_manager(client):
                yield Awaited(client, self.portal)


class Awaited:
    """A client whose calls are made in its event loop, and awaited there."""

    def __init__(self, client: Any, portal: BlockingPortal) -> None:
        self.__dict__.update(client=client, portal=portal)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not inspect.ismethod(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            result = found(*arguments, **named)
            return await result if inspect.isawaitable(result) else result

        return lambda *arguments, **named: self.portal.call(partial(call, *arguments, **named))

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.client, name, value)


@contextmanager
def _over_requests() -> Iterator[Kind]:
    requests: Any = importlib.import_module("requests")
    adapter = "oauth2_sansio_requests"
    ours: Any = importlib.import_module(adapter)
    yield Kind(adapter, ours.OAuth2Session, ours.AssertionSession, requests.Session, content="data")


@contextmanager
def _over_httpx(library: str) -> Iterator[Kind]:
    adapter = f"oauth2_sansio_{library}"
    ours: Any = importlib.import_module(adapter)
    plain = importlib.import_module(library).Client
    yield Kind(
        adapter, ours.OAuth2Client, ours.AssertionClient, plain, settings={"verify": _SYSTEM}
    )


@contextmanager
def _over_async_httpx(library: str, loop: str) -> Iterator[Kind]:
    adapter = f"oauth2_sansio_{library}"
    ours: Any = importlib.import_module(adapter)
    plain = importlib.import_module(library).AsyncClient
    with start_blocking_portal(loop) as portal:
        yield Kind(
            adapter,
            ours.AsyncOAuth2Client,
            ours.AsyncAssertionClient,
            plain,
            settings={"verify": _SYSTEM},
            portal=portal,
        )


@contextmanager
def _over_trio_and_h11() -> Iterator[Kind]:
    adapter = "oauth2_sansio_trio"
    ours: Any = importlib.import_module(adapter)
    with start_blocking_portal("trio") as portal:
        yield Kind(
            adapter,
            ours.OAuth2Client,
            ours.AssertionClient,
            ours.HTTPClient,
            settings={"verify": _SYSTEM},
            portal=portal,
        )


KINDS: Mapping[str, Callable[[], Any]] = {
    "requests": _over_requests,
    "httpx-sync": partial(_over_httpx, "httpx"),
    "httpx-asyncio": partial(_over_async_httpx, "httpx", "asyncio"),
    "httpx-trio": partial(_over_async_httpx, "httpx", "trio"),
    "httpx2-sync": partial(_over_httpx, "httpx2"),
    "httpx2-asyncio": partial(_over_async_httpx, "httpx2", "asyncio"),
    "httpx2-trio": partial(_over_async_httpx, "httpx2", "trio"),
    "trio-h11": _over_trio_and_h11,
}
