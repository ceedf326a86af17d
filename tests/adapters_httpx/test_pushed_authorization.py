"""Pushed authorization requests (RFC 9126) of the clients, at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth2_sansio.errors import LocalProtocolError, OAuth2Error
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, ServerSettings

from .drivers import AWAITING, BLOCKING, REDIRECT_URI, SECRET, Driver, at, done, running

REFERENCE_ALONE = {"client_id", "request_uri"}


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with running(ServerSettings(require_pushed_authorization_requests=True)) as found:
        yield found


def client_at(server: AuthorizationServer, driver: Driver, **arguments: Any) -> Any:
    return at(
        server,
        driver,
        pushed_authorization_request_endpoint=server.url(Endpoint.PUSHED_AUTHORIZATION),
        **arguments,
    )


def names(url: str) -> set[str]:
    return set(parse_qs(urlsplit(url).query))


async def test_the_whole_way(driver: Driver, server: AuthorizationServer) -> None:
    client = client_at(server, driver)
    url, state = await done(
        client.push_authorization_request(scope="read", resource=["https://r.example"], timeout=9)
    )
    assert names(url) == REFERENCE_ALONE
    assert client.state == state
    pushed = dict(server.log[-1].parameters)
    assert (pushed["scope"], pushed["resource"], pushed["redirect_uri"]) == (
        "read",
        "https://r.example",
        REDIRECT_URI,
    )
    assert pushed["code_challenge_method"] == "S256"
    assert "timeout" not in pushed
    assert SECRET not in pushed.values()  # it is in the header
    token = await done(client.fetch_token(authorization_response=server.visit(url)))
    assert token["scope"] == "read"
    await driver.close(client)


async def test_everything_may_be_given(driver: Driver, server: AuthorizationServer) -> None:
    client = client_at(server, driver, token_endpoint_auth_method="client_secret_post")
    url, state = await done(
        client.push_authorization_request(
            f"{server.issuer}/authorize?tenant=1", "st-1", "v" * 43, prompt="login"
        )
    )
    assert (state, names(url)) == ("st-1", REFERENCE_ALONE | {"tenant"})
    pushed = server.log[-1].parameters
    assert [value for name, value in pushed if name == "client_secret"] == [SECRET]
    token = await done(client.fetch_token(authorization_response=server.visit(url)))
    assert token["access_token"]
    await driver.close(client)


@pytest.mark.parametrize("driver", BLOCKING, ids=str)
async def test_a_server_that_requires_it_gets_it_without_being_asked(
    driver: Driver, server: AuthorizationServer
) -> None:
    client = client_at(server, driver, require_pushed_authorization_requests=True)
    url, _ = client.create_authorization_url(scope="read")
    assert names(url) == REFERENCE_ALONE
    assert client.fetch_token(authorization_response=server.visit(url))["scope"] == "read"
    await driver.close(client)


@pytest.mark.parametrize("driver", AWAITING, ids=str)
async def test_what_cannot_be_awaited_says_what_can(
    driver: Driver, server: AuthorizationServer
) -> None:
    client = client_at(server, driver, require_pushed_authorization_requests=True)
    with pytest.raises(LocalProtocolError, match="await push_authorization_request"):
        client.create_authorization_url()
    assert server.count() == 0
    await driver.close(client)


async def test_errors(driver: Driver, server: AuthorizationServer) -> None:
    client = at(server, driver)
    with pytest.raises(LocalProtocolError, match="give pushed_authorization_request_endpoint="):
        await done(client.push_authorization_request())
    await driver.close(client)
    client = client_at(server, driver)
    client.state = "as before"
    server.misbehave(Misbehaviour.PUSHED_WITHOUT_REQUEST_URI, times=1)
    with pytest.raises(OAuth2Error, match="request_uri"):
        await done(client.push_authorization_request())
    with pytest.raises(OAuth2Error, match="invalid_request"):
        await done(client.push_authorization_request(redirect_uri="https://evil.example"))
    assert client.state == "as before"
    await driver.close(client)
