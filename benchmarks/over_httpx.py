"""Requests over httpx, blocking and under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx

from oauth2_sansio import DPoP
from oauth2_sansio_httpx import AsyncOAuth2Client, OAuth2Auth, OAuth2Client

from .comparing import Group, Judge
from .keys import assertion_by_hand, ec_key, rsa_key, sign_es256
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


_TRANSPORT = httpx.MockTransport(_canned)


def _client(**settings: Any) -> OAuth2Client:
    return OAuth2Client(
        **_KEPT, token_endpoint=TOKEN_URL, trust_env=False, **{"token": TOKEN, **settings}
    )


def _async_client(**settings: Any) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        **_KEPT, token_endpoint=TOKEN_URL, trust_env=False, token=TOKEN, **settings
    )


def _of_authlib(kind: str, over: type[Any], **settings: Any) -> Any:
    # Where httpx2 is installed, it takes that instead, and cannot be compared here.
    library = module("authlib.integrations.httpx_client")
    if library is None or not issubclass(getattr(library, kind), over):
        return None
    given = {**_KEPT, "token": dict(TOKEN), **settings}
    return getattr(library, kind)(token_endpoint=TOKEN_URL, trust_env=False, **given)


# An authorized request.


def _asking(client: Any, port: int, **options: Any) -> Step:
    url = url_on(port)
    return lambda: client.get(url, **options)


def _get_by_hand(port: int) -> Step:
    return _asking(httpx.Client(trust_env=False, headers={"Authorization": BEARER}), port)


def _get(port: int) -> Step:
    return _asking(_client(), port)


def _get_by_auth(port: int) -> Step:
    return _asking(httpx.Client(trust_env=False, auth=OAuth2Auth(TOKEN)), port)


def _get_of_authlib(port: int) -> Step | None:
    client = _of_authlib("OAuth2Client", httpx.Client)
    return None if client is None else _asking(client, port)


def _get_of_httpx_auth(port: int) -> Step | None:
    library = module("httpx_auth")
    if library is None:
        return None
    auth = library.OAuth2ClientCredentials(
        TOKEN_URL,
        client_id="a-client",
        client_secret="a-secret",
        client=httpx.Client(transport=_TRANSPORT),
    )
    return _asking(httpx.Client(trust_env=False, auth=auth), port)


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
    client = _of_authlib("AsyncOAuth2Client", httpx.AsyncClient)
    return None if client is None else _in_loop(lambda: client.get(url_on(port)))


# One with a proof.


def _get_and_sign(port: int) -> Step | None:
    key = ec_key()
    if key is None:
        return None
    ask = _get_by_hand(port)

    def step() -> object:
        sign_es256(key)
        return ask()

    return step


def _get_with_proof(port: int) -> Step | None:
    key = ec_key()
    if key is None:
        return None
    bound = {**TOKEN, "token_type": "DPoP"}
    return _asking(_client(token=bound, dpop=DPoP(key.pem)), port)


# A token, new or renewed.

_NEW = {"grant_type": "client_credentials", "scope": "profile email"}
_RENEWED = {
    "grant_type": "refresh_token",
    "refresh_token": str(TOKEN["refresh_token"]),
    "scope": "profile email",
}


def _post(form: dict[str, str]) -> Step:
    client = httpx.Client(transport=_TRANSPORT, trust_env=False)
    return lambda: client.post(TOKEN_URL, data=form, headers=CREDENTIALS)


def _post_and_read(_port: int) -> Step:
    post: Any = _post(_NEW)
    return lambda: post().json()


def _fetch(_port: int) -> Step:
    return _client(transport=_TRANSPORT).fetch_token


def _fetch_of_authlib(_port: int) -> Step | None:
    client = _of_authlib("OAuth2Client", httpx.Client, transport=_TRANSPORT)
    if client is None:
        return None
    return lambda: client.fetch_token(grant_type="client_credentials")


def _refresh(_port: int) -> Step:
    return _client(transport=_TRANSPORT).refresh_token


def _refresh_of_authlib(_port: int) -> Step | None:
    client = _of_authlib("OAuth2Client", httpx.Client, transport=_TRANSPORT)
    return None if client is None else client.refresh_token


def _async_post(_port: int) -> Step:
    client = httpx.AsyncClient(transport=_TRANSPORT, trust_env=False)
    return _in_loop(lambda: client.post(TOKEN_URL, data=_NEW, headers=CREDENTIALS))


def _async_fetch(_port: int) -> Step:
    return _in_loop(_async_client(transport=_TRANSPORT).fetch_token)


def _async_fetch_of_authlib(_port: int) -> Step | None:
    client = _of_authlib("AsyncOAuth2Client", httpx.AsyncClient, transport=_TRANSPORT)
    if client is None:
        return None
    return _in_loop(lambda: client.fetch_token(grant_type="client_credentials"))


# A token by private_key_jwt.


def _sign_and_post(algorithm: str) -> Callable[[int], Step | None]:
    def build(_port: int) -> Step | None:
        key = rsa_key() if algorithm == "RS256" else ec_key()
        if key is None:
            return None
        client = httpx.Client(transport=_TRANSPORT, trust_env=False)
        headers = {name: CREDENTIALS[name] for name in CREDENTIALS if name != "Authorization"}
        form = {
            **_NEW,
            "client_id": "a-client",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }

        def step() -> object:
            assertion = assertion_by_hand(key, algorithm)
            signed = {**form, "client_assertion": assertion}
            return client.post(TOKEN_URL, data=signed, headers=headers)

        return step

    return build


def _fetch_signed(algorithm: str) -> Callable[[int], Step | None]:
    def build(_port: int) -> Step | None:
        key = rsa_key() if algorithm == "RS256" else ec_key()
        if key is None:
            return None
        from oauth2_sansio import PrivateKeyJWT

        method = PrivateKeyJWT(private_key=key.pem, alg=algorithm)
        client = _client(transport=_TRANSPORT, token_endpoint_auth_method=method)
        return client.fetch_token

    return build


def _fetch_signed_of_authlib(algorithm: str) -> Callable[[int], Step | None]:
    def build(_port: int) -> Step | None:
        key = rsa_key() if algorithm == "RS256" else ec_key()
        if key is None:
            return None
        client = _of_authlib(
            "OAuth2Client",
            httpx.Client,
            transport=_TRANSPORT,
            client_secret=key.pem,
            token_endpoint_auth_method="private_key_jwt",
        )
        if client is None:
            return None
        method = module("authlib.oauth2.rfc7523").PrivateKeyJWT(TOKEN_URL, alg=algorithm)
        client.register_client_auth_method(method)
        return lambda: client.fetch_token(grant_type="client_credentials")

    return build


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
    return _uploading(_client(), port)


def _upload_of_authlib(port: int) -> Step | None:
    client = _of_authlib("OAuth2Client", httpx.Client)
    return None if client is None else _uploading(client, port)


def _signed(algorithm: str) -> Group:
    return Group(
        f"private-key-jwt-{algorithm.lower()}",
        f"fetch_token by private_key_jwt with {algorithm}, over a canned transport of httpx",
        1.1,
        "OAuth2Client",
        {
            "a signature, and client.post": _sign_and_post(algorithm),
            "OAuth2Client": _fetch_signed(algorithm),
            "Authlib": _fetch_signed_of_authlib(algorithm),
        },
        times=40,
    )


GROUPS = (
    Group(
        "httpx",
        "An authorized request over httpx, on the loopback interface",
        1.02,
        "OAuth2Client",
        {
            "httpx.Client with a fixed header": _get_by_hand,
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
        "httpx-dpop",
        "A request with a DPoP-bound token over httpx, on the loopback interface",
        1.1,
        "OAuth2Client, dpop=",
        {
            "a bare one, and an ES256 signature": _get_and_sign,
            "OAuth2Client, dpop=": _get_with_proof,
        },
        times=40,
    ),
    Group(
        "httpx-fetch",
        "fetch_token over httpx, with a canned transport",
        1.06,
        "OAuth2Client",
        {
            "client.post": lambda _port: _post(_NEW),
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
    _signed("RS256"),
    _signed("ES256"),
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
