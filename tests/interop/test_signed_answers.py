"""Callbacks that the server has signed (JARM), through every class of the drop-in vocabulary."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import (
    Endpoint,
    LocalProtocolError,
    OAuth2Error,
    Server,
    ServerKeys,
    new_private_key,
)
from oauth2_sansio.testing import (
    AuthorizationServer,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve

if TYPE_CHECKING:
    from .sessions import Kind

CALLBACK = "https://app.example/cb"
SECRET = "s" * 40
MODES = ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"]
TYPE = "application/token-introspection+jwt"


def signing(key_id: str) -> ServerSettings:
    return ServerSettings(signing_key={**new_private_key(), "kid": key_id}, require_pkce=False)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app", client_secret=SECRET, redirect_uris=(CALLBACK,), scope="read"
    )
    by_secret = RegisteredClient(
        client_id="mac",
        client_secret=SECRET,
        redirect_uris=(CALLBACK,),
        scope="read",
        authorization_signed_response_alg="HS256",
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer,
            clients=[client, by_secret],
            settings=signing("k-1"),
            now=time.time,
            lock=threading.RLock(),
        )

    with serve(build) as found:
        yield found


@contextmanager
def session_at(
    kind: Kind, server: AuthorizationServer, client_id: str = "app", **settings: Any
) -> Iterator[Any]:
    with kind.session() as anybody:
        found = anybody.run(Server.discover(server.issuer))
        if client_id == "app":
            settings.setdefault("server_keys", anybody.run(ServerKeys.fetch(found)))
    with kind.session(
        client_id, SECRET, server=found, redirect_uri=CALLBACK, **settings
    ) as session:
        yield session


def came_back(session: Any, server: AuthorizationServer, **parameters: Any) -> str:
    return server.visit(session.create_authorization_url(**parameters)[0])


@pytest.mark.parametrize("mode", MODES)
def test_each_mode(kind: Kind, server: AuthorizationServer, mode: str) -> None:
    # For each request, or for all of them.
    with session_at(kind, server) as session:
        callback = came_back(session, server, response_mode=mode)
        assert session.fetch_token(authorization_response=callback)["access_token"]
    with session_at(kind, server, response_mode=mode) as session:
        callback = came_back(session, server)
        assert session.fetch_token(authorization_response=callback)["access_token"]


def test_a_shared_secret(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(
        kind, server, "mac", response_mode="jwt", authorization_signed_response_alg="HS256"
    ) as session:
        callback = came_back(session, server)
        assert session.fetch_token(authorization_response=callback)["access_token"]


@pytest.mark.parametrize(
    ("misbehaviour", "error"),
    [
        (Misbehaviour.JWT_ALG_NONE, "unexpected_algorithm"),
        (Misbehaviour.JWT_HS_CONFUSION, "unexpected_algorithm"),
        (Misbehaviour.JWT_EMBEDDED_KEY, "invalid_signature"),
        (Misbehaviour.JWT_WRONG_AUDIENCE, "audience_mismatch"),
        (Misbehaviour.JWT_EXPIRED, "jwt_expired"),
        (Misbehaviour.JWT_OVERSIZE, "remote_protocol_error"),
        (Misbehaviour.PLAIN_INSTEAD_OF_JWT, "remote_protocol_error"),
        (Misbehaviour.CALLBACK_WRONG_STATE, "mismatching_state"),
    ],
)
def test_a_forged_callback_causes_no_request(
    kind: Kind, server: AuthorizationServer, misbehaviour: Misbehaviour, error: str
) -> None:
    with session_at(kind, server, response_mode="jwt") as session:
        before = len(server.log)
        server.misbehave(misbehaviour)
        callback = came_back(session, server)
        with pytest.raises(kind.error) as got:
            session.fetch_token(authorization_response=callback)
        assert got.value.error == error
        assert len(server.log) == before + 1


def test_the_server_has_a_new_key(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server, response_mode="jwt") as session:
        server.settings = signing("k-2")
        callback = came_back(session, server)
        with pytest.raises(OAuth2Error, match="fetch the keys anew, once"):
            session.fetch_token(authorization_response=callback)
        found = Server(jwks_uri=server.url(Endpoint.JWKS))
        session.server_keys = session.run(ServerKeys.fetch(found))
        assert session.fetch_token(authorization_response=callback)["access_token"]


def test_what_is_missing(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server, response_mode="jwt", server_keys=None) as session:
        callback = came_back(session, server)
        with pytest.raises(LocalProtocolError, match=r"ServerKeys\.fetch"):
            session.fetch_token(authorization_response=callback)
        assert session.server_keys is None
    with (
        kind.session("app", authorization_endpoint=server.url(Endpoint.AUTHORIZATION)) as session,
        pytest.raises(LocalProtocolError, match="names its issuer"),
    ):
        session.create_authorization_url(response_mode="jwt")


def test_introspection_hands_out_the_response_as_it_is(
    kind: Kind, server: AuthorizationServer
) -> None:
    with session_at(kind, server) as session:
        callback = came_back(session, server)
        token = session.fetch_token(authorization_response=callback)["access_token"]
        signed = session.introspect_token(token=token, headers={"Accept": TYPE})
        assert signed.headers["Content-Type"] == TYPE
        assert signed.content.count(b".") == 2
        plain = session.introspect_token(token=token)
        assert json.loads(plain.content)["active"] is True
