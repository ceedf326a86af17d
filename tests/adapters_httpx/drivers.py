"""One story for six clients: blocking, under asyncio and under trio, over httpx and httpx2.

A story is an `async def`. Whatever a client returns goes through `done`, which awaits it where that
has to be; so with a blocking client a story never waits, and is run without any loop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import trio

from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve

SECRET = "a-secret of 100% & more: ü"
REDIRECT_URI = "https://app.example/cb"
SERVER = "https://as.example"
TOKEN_URL = f"{SERVER}/token"
API = "https://api.example/things"
GOOD: dict[str, Any] = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600}
EXPIRED: dict[str, Any] = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}

APP = RegisteredClient(
    client_id="app",
    client_secret=SECRET,
    redirect_uris=(REDIRECT_URI,),
    grant_types=("authorization_code", "refresh_token", "client_credentials", "password"),
    scope="read write",
)


async def done(result: Any) -> Any:
    """Return what a call of a client has come to."""
    return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True)
class Driver:
    """A library, and how its clients are run: `sync`, `asyncio` or `trio`."""

    name: str
    way: str

    @property
    def library(self) -> ModuleType:
        return importlib.import_module(self.name)

    @property
    def adapter(self) -> ModuleType:
        return importlib.import_module(f"oauth2_sansio_{self.name}")

    @property
    def client_class(self) -> Any:
        return self._of(self.adapter, "OAuth2Client", "AsyncOAuth2Client")

    @property
    def plain_class(self) -> Any:
        return self._of(self.library, "Client", "AsyncClient")

    def _of(self, module: ModuleType, blocking: str, awaiting: str) -> Any:
        return getattr(module, blocking if self.way == "sync" else awaiting)

    def client(self, **arguments: Any) -> Any:
        """Return a client of `app`; `client_id` and `client_secret` may be others."""
        arguments.setdefault("token_endpoint", TOKEN_URL)
        given = arguments.pop("client_id", "app"), arguments.pop("client_secret", SECRET)
        return self.client_class(*given, **arguments)

    def answering(self, answer: Callable[[Any], Any], **arguments: Any) -> tuple[Any, list[Any]]:
        """Return a client whose transport answers by a function, and the requests that it sees."""
        sent: list[Any] = []

        def handle(request: Any) -> Any:
            sent.append(request)
            return answer(request)

        return self.client(transport=self.library.MockTransport(handle), **arguments), sent

    def run(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        match self.way:
            case "sync":
                coroutine = story()
                try:
                    coroutine.send(None)
                except StopIteration:
                    return
                coroutine.close()
                raise AssertionError("a blocking client has waited")
            case "asyncio":
                asyncio.run(story())
            case _:
                trio.run(story)

    async def at_once(self, count: int, call: Callable[[], Any]) -> list[Any]:
        """Make so many calls at the same time; return results, and errors in their place."""
        results: list[Any] = []

        async def one() -> None:
            try:
                results.append(await done(call()))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                results.append(error)

        match self.way:
            case "sync":
                threads = [threading.Thread(target=self.run, args=(one,)) for _ in range(count)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            case "asyncio":
                await asyncio.gather(*(one() for _ in range(count)))
            case _:
                async with trio.open_nursery() as nursery:
                    for _ in range(count):
                        nursery.start_soon(one)
        return results

    async def close(self, client: Any) -> None:
        await done(client.close() if self.way == "sync" else client.aclose())

    def __str__(self) -> str:
        return f"{self.name}-{self.way}"


DRIVERS = [Driver(name, way) for name in ("httpx", "httpx2") for way in ("sync", "asyncio", "trio")]
AWAITING = [driver for driver in DRIVERS if driver.way != "sync"]
BLOCKING = [driver for driver in DRIVERS if driver.way == "sync"]


@contextmanager
def running(settings: ServerSettings | None = None) -> Iterator[AuthorizationServer]:
    """Serve on a loopback socket."""

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(issuer=issuer, clients=(APP,), settings=settings, now=time.time)

    with serve(build) as server:
        yield server


def at(server: AuthorizationServer, driver: Driver, **arguments: Any) -> Any:
    """Return a client of `app` at a running server."""
    issuer = server.issuer
    return driver.client(
        redirect_uri=REDIRECT_URI,
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        code_challenge_method="S256",
        **arguments,
    )


async def sign_in(client: Any, server: AuthorizationServer) -> Any:
    """Go the whole way to a user's token."""
    url, _ = client.create_authorization_url()
    return await done(client.fetch_token(authorization_response=server.visit(url)))
