"""The clients of Authlib, and ours in their place: pairs of sides, one for each HTTP library."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import authlib.integrations.httpx_client._compat
import authlib.integrations.requests_client


@dataclass(frozen=True)
class Side:
    """The classes of one library. `awaits` tells the asynchronous ones."""

    module: ModuleType
    http: ModuleType
    jwt: ModuleType
    awaits: bool = False

    @property
    def is_ours(self) -> bool:
        return not self.module.__name__.startswith("authlib.")

    @property
    def over_requests(self) -> bool:
        return self.http.__name__ == "requests"

    @property
    def session_class(self) -> Any:
        return getattr(self.module, self._named("OAuth2Session", "OAuth2Client"))

    @property
    def assertion_class(self) -> Any:
        return getattr(self.module, self._named("AssertionSession", "AssertionClient"))

    @property
    def plain_class(self) -> Any:
        return getattr(self.http, self._named("Session", "Client"))

    @property
    def auth_class(self) -> Any:
        return self.module.OAuth2Auth

    @property
    def error_class(self) -> type[Exception]:
        error: type[Exception] = self.module.OAuthError
        return error

    @property
    def http_errors(self) -> tuple[str, ...]:
        """The HTTP library's own exceptions, by name, the particular ones first."""
        if self.over_requests:
            return (
                "HTTPError",
                "JSONDecodeError",
                "ConnectionError",
                "Timeout",
                "RequestException",
            )
        return ("HTTPStatusError", "ConnectError", "TimeoutException", "HTTPError", "InvalidURL")

    def build(self, cls: Any, *args: Any, **kwargs: Any) -> Any:
        """Build a client; those of httpx get a TLS context, which costs much to make."""
        if not self.over_requests:
            kwargs.setdefault("verify", _tls_context())
        return cls(*args, **kwargs)

    def run(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a story; with blocking clients it never waits, and needs no loop."""
        if self.awaits:
            asyncio.run(story())
            return
        coroutine = story()
        try:
            coroutine.send(None)
        except StopIteration:
            return
        coroutine.close()
        raise AssertionError("a blocking client has waited")

    async def close(self, client: Any) -> None:
        await done(client.aclose() if self.awaits else client.close())

    def _named(self, over_requests: str, over_httpx: str) -> str:
        if self.over_requests:
            return over_requests
        return f"Async{over_httpx}" if self.awaits else over_httpx


@dataclass(frozen=True)
class Pair:
    """Two sides whose clients get the same calls."""

    name: str
    theirs: Side
    ours: Side

    @property
    def over_requests(self) -> bool:
        return self.ours.over_requests

    def __str__(self) -> str:
        return self.name


async def done(result: Any) -> Any:
    """Return what a call has come to, awaited where that has to be."""
    return await result if inspect.isawaitable(result) else result


def _pairs() -> list[Pair]:
    named = importlib.import_module
    their_jwt, our_jwt = named("authlib.oauth2.rfc7523"), named("oauth2_sansio")
    # Authlib takes one of the two libraries of httpx's shape, whichever is there.
    theirs = authlib.integrations.httpx_client._compat.httpx2
    requests = named("requests")
    pairs = [
        Pair(
            "requests",
            Side(authlib.integrations.requests_client, requests, their_jwt),
            Side(named("oauth2_sansio_requests"), requests, our_jwt),
        )
    ]
    for name in ("httpx", "httpx2"):
        library, ours = named(name), named(f"oauth2_sansio_{name}")
        if name == "httpx" and _writes_otherwise(library) and theirs is not library:
            continue
        pairs += [
            Pair(
                f"{name}-{way}",
                Side(authlib.integrations.httpx_client, theirs, their_jwt, way == "asyncio"),
                Side(ours, library, our_jwt, way == "asyncio"),
            )
            for way in ("blocking", "asyncio")
        ]
    return pairs


def _writes_otherwise(library: ModuleType) -> bool:
    # httpx before 0.28 has another JSON and another query than the httpx2 that Authlib prefers:
    # what would differ is the library, and not the client.
    version: str = library.__version__
    return tuple(map(int, version.split(".")[:2])) < (0, 28)


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


PAIRS = _pairs()
