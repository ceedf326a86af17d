"""`auth=` of an `HTTPClient`: names with passwords, and tokens of any number of users."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import trio

import oauth2_sansio_httpx
from oauth2_sansio import DPoP, new_private_key
from oauth2_sansio.errors import LocalProtocolError, MissingTokenError, UnsavedTokenError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, RegisteredClient, User
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_trio import (
    HTTPClient,
    OAuth2Auth,
    OAuth2Client,
    Request,
    Response,
    UnusableClientError,
)

from .world import answering, keep_answering, serving

REDIRECT_URI = "https://app.example/cb"
GOOD = {"access_token": "good", "token_type": "Bearer", "expires_in": 3600}
STALE = {"access_token": "stale", "refresh_token": "r1", "expires_at": 1}

pytestmark = pytest.mark.trio


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    app = RegisteredClient(
        client_id="app", client_secret="secret", redirect_uris=(REDIRECT_URI,), scope="read"
    )
    with serve(
        lambda issuer: AuthorizationServer(issuer=issuer, clients=[app], now=time.time)
    ) as found:
        yield found


def client_of(server: AuthorizationServer, **settings: Any) -> OAuth2Client:
    return OAuth2Client(
        "app",
        "secret",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        authorization_endpoint=server.url(Endpoint.AUTHORIZATION),
        token_endpoint=server.url(Endpoint.TOKEN),
        **settings,
    )


async def sign_in(client: OAuth2Client, server: AuthorizationServer, name: str = "alice") -> Any:
    url, _ = client.create_authorization_url()
    callback = server.visit(url, User(subject=name))
    return await client.fetch_token(authorization_response=callback)


async def name_of_user(http: HTTPClient, server: AuthorizationServer, auth: Any) -> str:
    found = (await http.get(f"{server.issuer}/api/me", auth=auth)).json()["subject"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (("Aladdin", "open sesame"), b"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (("ü", ""), b"Authorization: Basic w7w6"),
        (OAuth2Auth(GOOD), b"Authorization: Bearer good"),
    ],
)
async def test_auth_of_a_plain_client(auth: Any, header: bytes) -> None:
    async with serving(keep_answering) as raw, HTTPClient() as http:
        assert (await http.get(raw.url, auth=auth)).content == b"ok"
        async with http.stream("GET", raw.url, auth=auth) as response:
            assert await response.aread() == b"ok"
    assert [request.split(b"\r\n").count(header) for request in raw.requests] == [1, 1]


@pytest.mark.parametrize(
    "auth", ["name", ("name",), ("name", None), oauth2_sansio_httpx.OAuth2Auth(GOOD), object()]
)
async def test_what_is_no_auth(auth: Any) -> None:
    async with serving(keep_answering) as raw, HTTPClient() as http:
        with pytest.raises(TypeError, match="auth is a name and a password") as caught:
            await http.get(raw.url, auth=auth)
    assert "good" not in str(caught.value)
    assert raw.requests == []


async def test_an_auth_of_ones_own_replaces_the_token() -> None:
    class Signing:
        async def exchange(
            self,
            request: Request,
            send: Callable[[Request], Awaitable[Response]],
            *,
            follows_redirects: bool,
        ) -> Response:
            return await send(request.with_header("X-Signed", str(follows_redirects)))

    async with serving(keep_answering) as raw, OAuth2Client(token=GOOD) as client:
        await client.get(raw.url, auth=Signing(), follow_redirects=True)
        await client.get(raw.url, auth=("name", "word"))
        assert client.token == GOOD
    assert [b"Bearer" in request for request in raw.requests] == [False, False]
    assert b"X-Signed: True" in raw.requests[0]
    assert b"Authorization: Basic" in raw.requests[1]


async def test_a_call_to_an_endpoint_with_an_auth_object() -> None:
    answer = b'{"access_token": "new", "expires_in": 3600}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer)
    async with (
        serving(answering(head + answer)) as raw,
        OAuth2Client("app", "secret", token_endpoint=f"{raw.url}/token") as client,
    ):
        await client.fetch_token(auth=OAuth2Auth(GOOD))
    [request] = raw.requests
    assert b"Authorization: Bearer good" in request
    assert b"secret" not in request


async def test_users_of_one_client_are_not_mixed(server: AuthorizationServer) -> None:
    names = ("alice", "bob", "carol")
    saved: list[str] = []
    async with (
        client_of(server, update_token=lambda token, **_old: saved.append(token)) as client,
        HTTPClient() as http,
    ):
        auths = [OAuth2Auth(await sign_in(client, server, name), client=client) for name in names]
        for auth in auths:
            assert auth.token is not None
            auth.token["expires_at"] = 0
        found: list[tuple[str, str]] = []

        async def ask(name: str, auth: OAuth2Auth) -> None:
            found.append((name, await name_of_user(http, server, auth)))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                for name, auth in zip(names, auths, strict=True):
                    nursery.start_soon(ask, name, auth)
        assert sorted(found) == sorted((name, name) for name in names for _ in range(20))
        assert await name_of_user(http, server, client.token_auth) == "carol"
    assert server.count(Endpoint.TOKEN, grant_type="refresh_token") == len(saved) == 3


async def test_a_refused_token_is_renewed_once(server: AuthorizationServer) -> None:
    async with client_of(server) as client, HTTPClient() as http:
        await sign_in(client, server)
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        assert await name_of_user(http, server, client.token_auth) == "alice"
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
        refused = await http.get(f"{server.issuer}/api/me", auth=client.token_auth)
        assert refused.status_code == 401
    assert server.count(Endpoint.TOKEN, grant_type="refresh_token") == 2


async def test_a_token_that_nobody_renews() -> None:
    refusal = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer error="invalid_token"\r\n'
    async with (
        serving(answering(refusal + b"Content-Length: 0\r\n\r\n")) as raw,
        HTTPClient() as http,
    ):
        auth = OAuth2Auth(GOOD)
        assert (await http.get(raw.url, auth=auth)).status_code == 401
        auth.set_token(STALE)
        with pytest.raises(LocalProtocolError, match="no client to renew"):
            await http.get(raw.url, auth=auth)
        with pytest.raises(MissingTokenError):
            await http.get(raw.url, auth=OAuth2Auth(None))
    assert len(raw.requests) == 1


async def test_a_renewal_that_fails_gives_the_refusal_up(server: AuthorizationServer) -> None:
    # The answer that says 401 must not keep its connection while the error goes up.
    async with client_of(server) as client, HTTPClient() as http:
        await sign_in(client, server)
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        server.misbehave(Misbehaviour.SERVER_ERROR_500_JSON, endpoint=Endpoint.TOKEN, times=1)
        closed: list[bool] = []
        send = http.send

        async def watch(request: Request, *, stream: bool = False) -> Response:
            response = await send(request, stream=stream)
            answers.append(response)
            return response

        answers: list[Response] = []
        http.send = watch  # type: ignore[method-assign]  # as users' tests do
        with pytest.raises(oauth2_sansio_httpx.OAuthError):
            async with http.stream("GET", f"{server.issuer}/api/me", auth=client.token_auth):
                closed.append(False)
        assert [each.is_closed for each in answers] == [True]
        assert closed == []


async def test_what_is_unsaved_of_another_users_token_is_saved_at_the_end(
    server: AuthorizationServer,
) -> None:
    saved: list[Any] = []

    def save(token: Any, **_old: Any) -> None:
        saved.append(token)
        if len(saved) == 1:
            raise OSError("the disk is full")

    async with client_of(server, update_token=save) as client, HTTPClient() as http:
        auth = OAuth2Auth(await sign_in(client, server, "bob"), client=client)
        await sign_in(client, server, "carol")
        assert auth.token is not None
        auth.token["expires_at"] = 0
        with pytest.raises(UnsavedTokenError):
            await name_of_user(http, server, auth)
    assert saved == [auth.token, auth.token]


async def test_no_token_is_fetched_for_a_client_that_is_closed(server: AuthorizationServer) -> None:
    async with client_of(server) as client:
        await sign_in(client, server)
        assert client.token is not None
        client.token = replace_end(client.token)
        http = HTTPClient()
        await http.aclose()
        with pytest.raises(UnusableClientError, match="closed"):
            await http.get(f"{server.issuer}/api/me", auth=client.token_auth)
    assert server.count(Endpoint.TOKEN, grant_type="refresh_token") == 0


def replace_end(token: Any) -> dict[str, Any]:
    return {**token, "expires_at": 0}


async def test_a_request_is_left_as_it_was() -> None:
    request = Request(method="GET", url="https://api.example/")
    sent: list[Request] = []

    async def send(each: Request) -> Response:
        sent.append(each)
        return Response(200)

    await OAuth2Auth(GOOD).exchange(request, send, follows_redirects=False)
    assert sent == [replace(request, headers=sent[0].headers)]
    assert dict(request.headers) == {}


# Tokens that are bound to a key


ASKS = (
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: DPoP error=use_dpop_nonce\r\n"
    b"DPoP-Nonce: n-1\r\nContent-Length: 0\r\n\r\n"
)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BOUND = {"access_token": "a-1", "token_type": "DPoP"}


async def test_a_bound_token_is_proved_and_a_nonce_taken_up() -> None:
    dpop = DPoP(new_private_key())
    async with serving(answering(ASKS, FINE)) as server, HTTPClient() as http:
        auth = OAuth2Auth(BOUND, dpop=dpop)
        response = await http.post(server.url, content=b"body", auth=auth)
        assert response.status_code == 200
        first, second = server.requests
        assert b"\r\nauthorization: dpop a-1\r\n" in first.lower()
        assert first.lower().count(b"\r\ndpop: ") == 1
        assert second.lower().count(b"\r\ndpop: ") == 1
        assert second.endswith(b"body")


async def test_what_went_out_as_a_stream_is_not_proved_again() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"one"

    async with serving(answering(ASKS, FINE)) as server, HTTPClient() as http:
        auth = OAuth2Auth(BOUND, dpop=DPoP(new_private_key()))
        response = await http.post(server.url, content=body(), auth=auth)
        assert response.status_code == 401


async def test_an_answer_that_belongs_to_no_request() -> None:
    async def send(_request: Request) -> Response:
        return Response(401)

    auth = OAuth2Auth(BOUND, dpop=DPoP(new_private_key()))
    request = Request(method="GET", url="https://api.example")
    assert (await auth.exchange(request, send, follows_redirects=False)).status_code == 401
