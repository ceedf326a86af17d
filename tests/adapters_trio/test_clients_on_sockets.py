"""`OAuth2Client` and `AssertionClient` with a real server: each grant, and one renewal for all."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio
import trustme

from oauth2_sansio import Server
from oauth2_sansio.errors import ErrorResponse, MismatchingStateError, OAuth2Error
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import (
    AssertionIssuer,
    AuthorizationServer,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_trio import AssertionClient, HTTPError, OAuth2Client, Response

REDIRECT_URI = "https://app.example/cb"
SECRET = "a-secret of 100% & more: ü"
SHARED_KEY = "c2VjcmV0IG9mIGEgc3VmZmljaWVudCBsZW5ndGggMTIz"  # as in a JWK: base64url
APP = RegisteredClient(
    client_id="app",
    client_secret=SECRET,
    redirect_uris=(REDIRECT_URI,),
    grant_types=("authorization_code", "refresh_token", "client_credentials", "password"),
    scope="read write",
)
ROBOT = RegisteredClient(
    client_id="robot", grant_types=("urn:ietf:params:oauth:grant-type:jwt-bearer",), scope="read"
)
SETTINGS = ServerSettings(
    passwords={"alice": "wonder"},
    assertion_issuers=(AssertionIssuer("me", ({"kty": "oct", "k": SHARED_KEY},)),),
)


def build(issuer: str) -> AuthorizationServer:
    return AuthorizationServer(
        issuer=issuer, clients=[APP, ROBOT], settings=SETTINGS, now=time.time
    )


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with serve(build) as found:
        yield found


def client_of(server: AuthorizationServer, **settings: Any) -> OAuth2Client:
    issuer = server.issuer
    return OAuth2Client(
        "app",
        SECRET,
        redirect_uri=REDIRECT_URI,
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        code_challenge_method="S256",
        **settings,
    )


async def sign_in(client: OAuth2Client, server: AuthorizationServer) -> Any:
    url, _ = client.create_authorization_url()
    return await client.fetch_token(authorization_response=server.visit(url))


def expire(client: OAuth2Client) -> None:
    assert client.token is not None
    client.token["expires_at"] = 0


async def status_of(client: OAuth2Client, server: AuthorizationServer) -> int:
    response = await client.get(f"{server.issuer}/api/me")
    assert isinstance(response, Response)
    return response.status_code


def refreshes(server: AuthorizationServer) -> int:
    return server.count(Endpoint.TOKEN, grant_type="refresh_token")


@pytest.mark.trio
@pytest.mark.parametrize("tls", [False, True])
async def test_the_whole_way(tls: bool) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    saved: list[Any] = []
    with serve(build, ssl_context=context if tls else None) as server:
        async with client_of(
            server, verify=trusting, update_token=lambda token, **old: saved.append((token, old))
        ) as client:
            token = dict(await sign_in(client, server))
            me = await client.get(f"{server.issuer}/api/me")
            assert me.json()["subject"] == "alice"
            expire(client)
            assert await status_of(client, server) == 200
            assert saved == [(client.token, {"refresh_token": token["refresh_token"]})]
            assert (await client.introspect_token()).json()["active"] is True
            assert (await client.run(Server.discover(server.issuer))).issuer == server.issuer
            by_hand = await client.refresh_token()
            assert by_hand == client.token
            assert await client.ensure_active_token() is True
            assert (await client.revoke_token()).status_code == 200
            assert await client.ensure_active_token() is False  # since it is gone from here too


@pytest.mark.trio
@pytest.mark.parametrize(
    ("arguments", "grant"),
    [
        ({}, "client_credentials"),
        ({"username": "alice", "password": "wonder"}, "password"),
        ({"grant_type": "client_credentials", "scope": "write"}, "client_credentials"),
    ],
)
@pytest.mark.parametrize("method", [None, "client_secret_post", "client_secret_basic"])
async def test_grants(
    server: AuthorizationServer, arguments: Any, grant: str, method: str | None
) -> None:
    async with client_of(server, token_endpoint_auth_method=method) as client:
        token = await client.fetch_token(**arguments)
        assert token["access_token"]
        assert await status_of(client, server) == 200
    assert server.count(Endpoint.TOKEN, grant_type=grant) == 1


@pytest.mark.trio
async def test_an_assertion(server: AuthorizationServer) -> None:
    async with AssertionClient(
        f"{server.issuer}/token",
        "me",
        "alice",
        client_id="robot",
        key={"kty": "oct", "k": SHARED_KEY},
        alg="HS256",
    ) as client:
        for _ in range(2):
            me = await client.get(f"{server.issuer}/api/me")
            assert me.json()["subject"] == "alice"
        expire(client)
        async with client.stream("GET", f"{server.issuer}/api/me") as streamed:
            assert (streamed.status_code, b"alice" in await streamed.aread()) == (200, True)
    assert server.count(Endpoint.TOKEN) == 2


@pytest.mark.trio
async def test_a_refused_password_and_a_forged_callback(server: AuthorizationServer) -> None:
    async with client_of(server) as client:
        with pytest.raises(ErrorResponse, match="invalid_grant"):
            await client.fetch_token(username="alice", password="wrong")
        before = server.count()
        _, state = client.create_authorization_url()
        with pytest.raises(ErrorResponse, match="access_denied"):
            await client.fetch_token(
                authorization_response=f"{REDIRECT_URI}?error=access_denied&state={state}"
                f"&iss={server.issuer}"
            )
        with pytest.raises(MismatchingStateError):
            await client.fetch_token(authorization_response=f"{REDIRECT_URI}?code=c&state=other")
        assert server.count() == before


async def pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


@pytest.mark.trio
async def test_a_stream_goes_out_once(server: AuthorizationServer) -> None:
    async with client_of(server) as client:
        await sign_in(client, server)
        url = f"{server.issuer}/api/x"
        async with client.stream("POST", url, content=pieces()) as response:
            await response.aread()
        assert response.json()["received"] == 2
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        assert (await client.post(url, content=pieces())).status_code == 401
        assert refreshes(server) == 0
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        assert (await client.post(url, content=b"ab")).json()["received"] == 2
        assert refreshes(server) == 1


@pytest.mark.trio
async def test_two_hundred_tasks_send_one_token_request(server: AuthorizationServer) -> None:
    statuses: list[int] = []
    async with client_of(server) as client:
        await sign_in(client, server)
        for _ in range(2):  # and the rotated refresh token is good for the next time
            expire(client)

            async def ask() -> None:
                statuses.append(await status_of(client, server))

            async with trio.open_nursery() as nursery:
                for _ in range(200):
                    nursery.start_soon(ask)
    assert statuses == [200] * 400
    assert refreshes(server) == 2


@pytest.mark.trio
async def test_the_leaders_cancellation_loses_nothing(server: AuthorizationServer) -> None:
    saved: list[Any] = []
    leader = trio.CancelScope()
    sent = trio.Event()
    statuses: list[int] = []

    class Watched(OAuth2Client):
        async def send(self, request: Any, *, stream: bool = False) -> Response:
            if request.url.endswith("/token"):
                sent.set()
            return await super().send(request, stream=stream)

    async with Watched(
        "app",
        SECRET,
        token_endpoint=server.url(Endpoint.TOKEN),
        update_token=lambda token, **_old: saved.append(token),
    ) as client:
        async with client_of(server) as first:
            client.token = {**await sign_in(first, server), "expires_at": 0}

        async def lead() -> None:
            with leader:
                await status_of(client, server)

        async def follow() -> None:
            await sent.wait()
            leader.cancel()
            statuses.append(await status_of(client, server))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lead)
            for _ in range(5):
                nursery.start_soon(follow)
        assert leader.cancelled_caught
        assert (saved, statuses) == ([client.token], [200] * 5)
    assert refreshes(server) == 1


@pytest.mark.trio
async def test_a_failure_is_shared_and_passes(server: AuthorizationServer) -> None:
    failures: list[OAuth2Error] = []
    async with client_of(server) as client:
        await sign_in(client, server)
        expire(client)
        server.misbehave(Misbehaviour.SERVER_ERROR_500_JSON, endpoint=Endpoint.TOKEN, times=1)

        async def ask() -> None:
            with pytest.raises(OAuth2Error) as caught:
                await status_of(client, server)
            failures.append(caught.value)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
        assert (len(failures), refreshes(server)) == (20, 1)
        assert await status_of(client, server) == 200


@pytest.mark.trio
async def test_update_token_may_use_the_client(server: AuthorizationServer) -> None:
    seen: list[int] = []

    async def save(_token: Any, **_old: Any) -> None:
        seen.append(await status_of(client, server))

    async with client_of(server, update_token=save) as client:
        await sign_in(client, server)
        expire(client)
        assert await status_of(client, server) == 200
    assert seen == [200]


def test_one_run_after_the_other(server: AuthorizationServer) -> None:
    client = client_of(server)  # made outside of trio
    trio.run(sign_in, client, server)
    for _ in range(2):
        expire(client)
        assert trio.run(status_of, client, server) == 200
    trio.run(client.aclose)
    assert refreshes(server) == 2


def test_two_runs_at_once(server: AuthorizationServer) -> None:
    client = client_of(server)
    problems: list[BaseException] = []

    async def elsewhere() -> None:
        for call in (client.get(f"{server.issuer}/api/me"), client.fetch_token()):
            try:
                await call
            except (HTTPError, OAuth2Error) as error:
                problems.append(error)

    async def whole() -> None:
        async with client:
            await sign_in(client, server)
            thread = threading.Thread(target=trio.run, args=(elsewhere,))
            thread.start()
            await trio.to_thread.run_sync(thread.join)
            assert await status_of(client, server) == 200

    trio.run(whole)
    assert ["in another run of trio" in str(each) for each in problems] == [True, True]
    assert server.count(Endpoint.TOKEN) == 1


@pytest.mark.trio
async def test_a_pushed_authorization_request(server: AuthorizationServer) -> None:
    pushed_to = server.url(Endpoint.PUSHED_AUTHORIZATION)
    server.settings = ServerSettings(require_pushed_authorization_requests=True)
    async with client_of(
        server,
        pushed_authorization_request_endpoint=pushed_to,
        require_pushed_authorization_requests=True,
    ) as client:
        with pytest.raises(OAuth2Error, match="await push_authorization_request"):
            client.create_authorization_url()
        url, state = await client.push_authorization_request(scope="read", timeout=9)
        assert (client.state, "request_uri=" in url, "scope=" in url) == (state, True, False)
        token = await client.fetch_token(authorization_response=server.visit(url))
        assert token["scope"] == "read"
