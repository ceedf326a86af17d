"""Requests over httpx, blocking and under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx

from oauth2_sansio_httpx import AsyncOAuth2Client, OAuth2Auth, OAuth2Client

from .comparing import Group, Judge
from .material import (
    BEARER,
    CREDENTIALS,
    SETTINGS,
    SHORT_ANSWER,
    TOKEN,
    TOKEN_URL,
    module,
    url_on,
)
from .measuring import Step

BATCH = 10  # requests in one run of the event loop: a run of its own for each would be half of all
UPLOAD = 32 * 1024 * 1024  # bytes
_PIECE = bytes(64 * 1024)

_BODY = SHORT_ANSWER.encode()
_KEPT = {key: value for key, value in SETTINGS.items() if key != "redirect_uri"}


def _canned(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "application/json"}, content=_BODY)


TRANSPORT = httpx.MockTransport(_canned)
"""Answers every request with a token, without any connection."""


def new_client(**settings: Any) -> OAuth2Client:
    """Return a client of ours with a token, and without what the environment says."""
    return OAuth2Client(
        **_KEPT, token_endpoint=TOKEN_URL, trust_env=False, **{"token": TOKEN, **settings}
    )


def _async_client(**settings: Any) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        **_KEPT, token_endpoint=TOKEN_URL, trust_env=False, token=TOKEN, **settings
    )


def client_of_authlib(kind: str, over: type[Any], **settings: Any) -> Any:
    """Return a client of Authlib; None where it has none over httpx.

    Where httpx2 is installed, it takes that instead, and cannot be compared here.
    """
    library = module("authlib.integrations.httpx_client")
    if library is None or not issubclass(getattr(library, kind), over):
        return None
    given = {**_KEPT, "token": dict(TOKEN), **settings}
    return getattr(library, kind)(token_endpoint=TOKEN_URL, trust_env=False, **given)


# An authorized request.


def asking(client: Any, port: int) -> Step:
    """Return the step that sends a GET."""
    url = url_on(port)
    return lambda: client.get(url)


def get_by_hand(port: int) -> Step:
    """Return the step that sends a GET with a header that is always the same."""
    return asking(httpx.Client(trust_env=False, headers={"Authorization": BEARER}), port)


def _get(port: int) -> Step:
    return asking(new_client(), port)


def _get_by_auth(port: int) -> Step:
    return asking(httpx.Client(trust_env=False, auth=OAuth2Auth(TOKEN)), port)


def _get_of_authlib(port: int) -> Step | None:
    client = client_of_authlib("OAuth2Client", httpx.Client)
    return None if client is None else asking(client, port)


def _get_of_httpx_auth(port: int) -> Step | None:
    library = module("httpx_auth")
    if library is None:
        return None
    auth = library.OAuth2ClientCredentials(
        TOKEN_URL,
        client_id="a-client",
        client_secret="a-secret",
        client=httpx.Client(transport=TRANSPORT),
    )
    return asking(httpx.Client(trust_env=False, auth=auth), port)


def _in_loop(step: Callable[[], Awaitable[object]]) -> Step:
    loop = asyncio.new_event_loop()

    async def batch() -> None:
        for _ in range(BATCH):
            await step()

    return lambda: loop.run_until_complete(batch())


def _async_get_by_hand(port: int) -> Step:
    client = httpx.AsyncClient(trust_env=False, headers={"Authorization": BEARER})
    return _in_loop(lambda: client.get(url_on(port)))


def _async_get(port: int) -> Step:
    client = _async_client()
    return _in_loop(lambda: client.get(url_on(port)))


def _async_get_of_authlib(port: int) -> Step | None:
    client = client_of_authlib("AsyncOAuth2Client", httpx.AsyncClient)
    return None if client is None else _in_loop(lambda: client.get(url_on(port)))


# A token, new or renewed.

NEW_TOKEN = {"grant_type": "client_credentials", "scope": "profile email"}
"""The form of a request for a token."""

_RENEWED = {
    "grant_type": "refresh_token",
    "refresh_token": str(TOKEN["refresh_token"]),
    "scope": "profile email",
}


def _post(form: dict[str, str]) -> Step:
    client = httpx.Client(transport=TRANSPORT, trust_env=False)
    return lambda: client.post(TOKEN_URL, data=form, headers=CREDENTIALS)


def _post_and_read(_port: int) -> Step:
    post: Any = _post(NEW_TOKEN)
    return lambda: post().json()


def _fetch(_port: int) -> Step:
    return new_client(transport=TRANSPORT).fetch_token


def _fetch_of_authlib(_port: int) -> Step | None:
    client = client_of_authlib("OAuth2Client", httpx.Client, transport=TRANSPORT)
    if client is None:
        return None
    return lambda: client.fetch_token(grant_type="client_credentials")


def _refresh(_port: int) -> Step:
    return new_client(transport=TRANSPORT).refresh_token


def _refresh_of_authlib(_port: int) -> Step | None:
    client = client_of_authlib("OAuth2Client", httpx.Client, transport=TRANSPORT)
    return None if client is None else client.refresh_token


def _async_post(_port: int) -> Step:
    client = httpx.AsyncClient(transport=TRANSPORT, trust_env=False)
    return _in_loop(lambda: client.post(TOKEN_URL, data=NEW_TOKEN, headers=CREDENTIALS))


def _async_fetch(_port: int) -> Step:
    return _in_loop(_async_client(transport=TRANSPORT).fetch_token)


def _async_fetch_of_authlib(_port: int) -> Step | None:
    client = client_of_authlib("AsyncOAuth2Client", httpx.AsyncClient, transport=TRANSPORT)
    if client is None:
        return None
    return _in_loop(lambda: client.fetch_token(grant_type="client_credentials"))


# A body that is streamed.


def _pieces() -> Iterator[bytes]:
    for _ in range(UPLOAD // len(_PIECE)):
        yield _PIECE


def _uploading(client: Any, port: int) -> Step:
    url = url_on(port)
    return lambda: client.post(url, content=_pieces(), timeout=60)


def _upload_by_hand(port: int) -> Step:
    return _uploading(httpx.Client(trust_env=False, headers={"Authorization": BEARER}), port)


def _upload(port: int) -> Step:
    return _uploading(new_client(), port)


def _upload_of_authlib(port: int) -> Step | None:
    client = client_of_authlib("OAuth2Client", httpx.Client)
    return None if client is None else _uploading(client, port)


GROUPS = (
    Group(
        "httpx",
        "An authorized request over httpx, on the loopback interface",
        1.02,
        "OAuth2Client",
        {
            "httpx.Client with a fixed header": get_by_hand,
            "OAuth2Client": _get,
            "OAuth2Auth": _get_by_auth,
            "Authlib": _get_of_authlib,
            "httpx-auth": _get_of_httpx_auth,
        },
        times=40,
    ),
    Group(
        "httpx-async",
        "The same with asynchronous clients, under asyncio",
        1.03,
        "AsyncOAuth2Client",
        {
            "httpx.AsyncClient, fixed header": _async_get_by_hand,
            "AsyncOAuth2Client": _async_get,
            "Authlib": _async_get_of_authlib,
        },
        times=4,
        each=BATCH,
    ),
    Group(
        "httpx-fetch",
        "fetch_token over httpx, with a canned transport",
        1.06,
        "OAuth2Client",
        {
            "client.post": lambda _port: _post(NEW_TOKEN),
            "client.post(...).json()": _post_and_read,
            "OAuth2Client": _fetch,
            "Authlib": _fetch_of_authlib,
        },
        times=40,
    ),
    Group(
        "httpx-refresh",
        "refresh_token over httpx, with a canned transport",
        1.06,
        "OAuth2Client",
        {
            "client.post": lambda _port: _post(_RENEWED),
            "OAuth2Client": _refresh,
            "Authlib": _refresh_of_authlib,
        },
        times=40,
    ),
    Group(
        "httpx-async-fetch",
        "fetch_token with asynchronous clients of httpx, with a canned transport, under asyncio",
        1.06,
        "AsyncOAuth2Client",
        {
            "client.post": _async_post,
            "AsyncOAuth2Client": _async_fetch,
            "Authlib": _async_fetch_of_authlib,
        },
        times=4,
        each=BATCH,
    ),
    Group(
        "upload",
        f"A streamed upload of {UPLOAD // 1024**2} MiB over httpx: bytes in use at most",
        1.02,
        "OAuth2Client",
        {
            "httpx.Client with a fixed header": _upload_by_hand,
            "OAuth2Client": _upload,
            "Authlib": _upload_of_authlib,
        },
        judge=Judge.PEAK,
    ),
)
"""The groups, in the order in which they are printed."""
