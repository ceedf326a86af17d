"""Pushed authorization requests (RFC 9126) of the session, at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth2_sansio import Server
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, ServerSettings
from oauth2_sansio_requests import OAuth2Session

from .requests_world import REDIRECT_URI, SECRET, running, session_at


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with running(ServerSettings(require_pushed_authorization_requests=True)) as found:
        yield found


def names(url: str) -> set[str]:
    return set(parse_qs(urlsplit(url).query))


def test_a_session_told_by_the_metadata(server: AuthorizationServer) -> None:
    with OAuth2Session() as anybody:
        found = anybody.run(Server.discover(server.issuer))
    with OAuth2Session(
        "app", SECRET, redirect_uri=REDIRECT_URI, server=found, code_challenge_method="S256"
    ) as session:
        url, state = session.create_authorization_url(scope="read", timeout=9)
        assert (names(url), session.state) == ({"client_id", "request_uri"}, state)
        pushed = server.log[-1].parameters
        assert ("scope", "read") in pushed
        assert "timeout" not in dict(pushed)
        assert SECRET not in dict(pushed).values()  # it is in the header
        token = session.fetch_token(authorization_response=server.visit(url))
        assert token["scope"] == "read"


def test_a_session_that_asks_for_it(server: AuthorizationServer) -> None:
    pushed_to: dict[str, Any] = {
        "pushed_authorization_request_endpoint": server.url(Endpoint.PUSHED_AUTHORIZATION)
    }
    with session_at(server, **pushed_to) as session:
        url, state = session.push_authorization_request(
            f"{server.issuer}/authorize?tenant=1", "st-1", "v" * 43, prompt="login"
        )
        assert (state, names(url)) == ("st-1", {"client_id", "request_uri", "tenant"})
        assert session.fetch_token(authorization_response=server.visit(url))["access_token"]
        server.misbehave(Misbehaviour.PUSHED_REQUEST_URI_LIST, times=1)
        with pytest.raises(OAuth2Error, match="request_uri"):
            session.push_authorization_request(state="st-2")
        assert session.state == "st-1"


def test_a_session_without_the_endpoint(server: AuthorizationServer) -> None:
    with (
        session_at(server) as session,
        pytest.raises(LocalProtocolError, match="give pushed_authorization_request_endpoint="),
    ):
        session.push_authorization_request()
