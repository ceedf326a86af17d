"""Whole flows over every driver, against the testing server, over plain sockets and TLS."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from oauth2_sansio import Client, Endpoint, ErrorResponse, Server
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve

from .certificates import Certified
from .drivers import Driver, Run, Trust

REDIRECT_URI = "https://app.example/callback"
SECRET = "a secret: 100% & more, ü"


def build(issuer: str) -> AuthorizationServer:
    app = RegisteredClient(
        client_id="app",
        client_secret=SECRET,
        redirect_uris=(REDIRECT_URI,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope="read write",
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def running(
    scheme: str, certified: Certified
) -> Generator[tuple[AuthorizationServer, Trust | None], None, None]:
    context = certified.server if scheme == "https" else None
    with serve(build, ssl_context=context) as server:
        yield server, None if context is None else certified.trust


async def discovered(run: Run, server: AuthorizationServer) -> Client:
    found = await run(Server.discover(server.issuer))
    return Client(server=found, client_id="app", client_secret=SECRET)


def test_authorization_code_with_pkce(driver: Driver, scheme: str, certified: Certified) -> None:
    async def story(run: Run) -> None:
        client = await discovered(run, server)
        pending = await run(client.authorize(redirect_uri=REDIRECT_URI, scope="read"))
        assert "code_challenge_method=S256" in pending.url
        callback = server.visit(pending.url)
        token = await run(client.redeem(pending, callback))
        assert token.refresh_token is not None
        assert token.scope == "read"
        with pytest.raises(ErrorResponse) as caught:
            await run(client.redeem(pending, callback))  # a code counts once
        assert caught.value.error == "invalid_grant"

    with running(scheme, certified) as (server, trust):
        driver.tell(story, trust=trust)


def test_refresh_with_rotation(driver: Driver, scheme: str, certified: Certified) -> None:
    async def story(run: Run) -> None:
        client = await discovered(run, server)
        pending = await run(client.authorize(redirect_uri=REDIRECT_URI, scope="read"))
        first = await run(client.redeem(pending, server.visit(pending.url)))
        second = await run(client.refresh(first))
        third = await run(client.refresh(second))
        assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
        with pytest.raises(ErrorResponse) as caught:
            await run(client.refresh(first))  # which is the sign of a thief
        assert caught.value.error == "invalid_grant"
        assert not (await run(client.introspect(third))).active

    with running(scheme, certified) as (server, trust):
        driver.tell(story, trust=trust)


def test_client_credentials_introspection_and_revocation(
    driver: Driver, scheme: str, certified: Certified
) -> None:
    async def story(run: Run) -> None:
        client = await discovered(run, server)
        token = await run(client.client_credentials(scope="write"))
        introspection = await run(client.introspect(token))
        assert (introspection.active, introspection.scope) == (True, "write")
        await run(client.revoke(token))
        assert not (await run(client.introspect(token))).active

    with running(scheme, certified) as (server, trust):
        driver.tell(story, trust=trust)


def test_what_the_server_refuses(driver: Driver, scheme: str, certified: Certified) -> None:
    async def story(run: Run) -> None:
        found = Server(
            token_endpoint=server.url(Endpoint.TOKEN),
            revocation_endpoint=server.url(Endpoint.REVOCATION),
        )
        client = Client(server=found, client_id="app", client_secret="wrong")
        for flow in (client.client_credentials(), client.password("a", "b")):
            with pytest.raises(ErrorResponse) as caught:
                await run(flow)
            assert (caught.value.status, caught.value.error) == (401, "invalid_client")

    with running(scheme, certified) as (server, trust):
        driver.tell(story, trust=trust)
