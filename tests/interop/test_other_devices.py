"""Grants that need no browser here, over each driver, at the server of the tests on a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from oauth2_sansio import (
    Client,
    ErrorResponse,
    Server,
    TokenType,
    authorize_device,
    exchange_token,
    poll_device,
)
from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings, User
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

if TYPE_CHECKING:
    from .drivers import Run


@pytest.fixture
def site() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app",
        client_secret="secret",
        grant_types=(DEVICE_CODE, TOKEN_EXCHANGE, "refresh_token"),
        scope="read write",
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer,
            clients=[client],
            settings=ServerSettings(polling_interval=0.05),
            now=time.time,
            user=User(decides_after=0.15),
        )

    with serve(build) as found:
        yield found


def test_from_a_device_to_a_narrower_token(site: AuthorizationServer, run: Run) -> None:
    server = run(Server.discover(site.issuer))
    client = Client(server=server, client_id="app", client_secret="secret")
    device = run(authorize_device(client))
    assert device.verification_uri.startswith(site.issuer)
    # A second at least, so that nobody is flooded; here it is our own server.
    assert device.interval == 1.0
    token = run(poll_device(client, replace(device, interval=0.06)))
    assert site.count(grant_type=DEVICE_CODE) > 1
    narrower = run(exchange_token(client, token["access_token"], scope="read"))
    assert run(client.introspect(narrower))["scope"] == "read"
    refresh = TokenType.REFRESH_TOKEN
    moved = run(
        exchange_token(client, token["refresh_token"], refresh, requested_token_type=refresh)
    )
    assert moved["token_type"] == "N_A"
    assert run(client.refresh(moved["access_token"]))["access_token"]


def test_a_user_who_says_no(site: AuthorizationServer, run: Run) -> None:
    site.user = User(decides_after=None)
    server = run(Server.discover(site.issuer))
    client = Client(server=server, client_id="app", client_secret="secret")
    device = run(authorize_device(client))
    site.decide(device.user_code, User(approves=False))
    with pytest.raises(ErrorResponse, match="access_denied"):
        run(poll_device(client, replace(device, interval=0.06)))
