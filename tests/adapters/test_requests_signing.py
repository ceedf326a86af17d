"""Signed authorization requests (RFC 9101) of the session, at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from oauth2_sansio import RequestObject
from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.jwt_signing import RemoteKey
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings

from .requests_world import REDIRECT_URI, SECRET, running, session_at

KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = {name: str(value) for name, value in KEY.as_dict(private=False).items()}
ES256 = RequestObject(KEY.as_dict(private=True), "ES256")
SETTINGS = ServerSettings(require_signed_request_object=True)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with running(SETTINGS) as found:
        found.register(
            RegisteredClient(
                client_id="app",
                client_secret=SECRET,
                keys=(PUBLIC,),
                redirect_uris=(REDIRECT_URI,),
                scope="read write",
            )
        )
        yield found


@pytest.mark.parametrize("push", [False, True])
def test_the_whole_way(server: AuthorizationServer, push: bool) -> None:
    settings: dict[str, Any] = {
        "request_object": ES256,
        "require_signed_request_object": True,
        "require_pushed_authorization_requests": push,
        "pushed_authorization_request_endpoint": server.url(Endpoint.PUSHED_AUTHORIZATION),
    }
    with session_at(server, **settings) as session:
        url, state = session.create_authorization_url(scope="read", max_age=60)
        query = parse_qs(urlsplit(url).query)
        assert query.keys() == {"client_id", "request_uri" if push else "request"}
        assert session.state == state
        token = session.fetch_token(authorization_response=server.visit(url))
        assert token["scope"] == "read"


def test_a_server_that_requires_it(server: AuthorizationServer) -> None:
    required: dict[str, Any] = {"require_signed_request_object": True}
    with (
        session_at(server, **required) as session,
        pytest.raises(LocalProtocolError, match="only where they are signed"),
    ):
        session.create_authorization_url()


def test_a_key_elsewhere(server: AuthorizationServer) -> None:
    elsewhere: dict[str, Any] = {"request_object": RequestObject(RemoteKey("ES256", "k-1"))}
    with (
        session_at(server, **elsewhere) as session,
        pytest.raises(LocalProtocolError, match="no signer was given"),
    ):
        session.create_authorization_url()
