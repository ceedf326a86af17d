"""What a server requires by its metadata, and what a resource asks for: it gets it, or is refused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth2_sansio import (
    LocalProtocolError,
    ProtectedResource,
    RemoteProtocolError,
    Repair,
    RequestObject,
    new_private_key,
    read_refusal,
)
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import (
    AuthorizationServer,
    LoginDemand,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve

if TYPE_CHECKING:
    from tests.interop.sessions import Kind

CALLBACK = "https://app.example/cb"
VERIFIER = "v" * 43
KEY = new_private_key()
PAYMENT = {"type": "payment", "amount": "12.00"}


@pytest.fixture(scope="module")
def running() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app",
        client_secret="secret",
        redirect_uris=(CALLBACK,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        keys=(KEY,),
        scope="read write",
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer, clients=[client], now=time.time, lock=threading.RLock()
        )

    with serve(build) as found:
        yield found


@pytest.fixture
def server(running: AuthorizationServer) -> AuthorizationServer:
    running.settings = ServerSettings()
    running.behave()
    return running


@contextmanager
def session_at(kind: Kind, server: AuthorizationServer, **settings: Any) -> Iterator[Any]:
    found = kind.discover(server.issuer)
    with kind.session("app", "secret", server=found, redirect_uri=CALLBACK, **settings) as session:
        yield session


def begun(kind: Kind, session: Any, **asked: Any) -> tuple[str, dict[str, list[str]]]:
    """Return the URL of a new login, made in the way that this class has for pushed ones."""
    is_required = session.metadata.get("require_pushed_authorization_requests")
    if kind.portal is not None and is_required:
        with pytest.raises(LocalProtocolError, match="push_authorization_request"):
            session.create_authorization_url(code_verifier=VERIFIER, **asked)
        url, _ = session.push_authorization_request(code_verifier=VERIFIER, **asked)
    else:
        url, _ = session.create_authorization_url(code_verifier=VERIFIER, **asked)
    return url, parse_qs(urlsplit(url).query)


def log_in(kind: Kind, session: Any, server: AuthorizationServer, **asked: Any) -> Any:
    url, _ = begun(kind, session, **asked)
    return session.fetch_token(authorization_response=server.visit(url), code_verifier=VERIFIER)


@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_requests_go_the_way_that_the_metadata_require(
    kind: Kind, server: AuthorizationServer, pushed: bool, signed: bool
) -> None:
    server.settings = ServerSettings(
        require_pushed_authorization_requests=pushed, require_signed_request_object=signed
    )
    more = {"request_object": RequestObject(KEY)} if signed else {}
    with session_at(kind, server, **more) as session:
        before = server.count(Endpoint.PUSHED_AUTHORIZATION)
        url, query = begun(kind, session, scope="read")
        assert server.count(Endpoint.PUSHED_AUTHORIZATION) - before == pushed
        if pushed:
            assert query.keys() == {"client_id", "request_uri"}
        elif signed:
            assert query.keys() == {"client_id", "request"}
        else:
            assert query["code_challenge_method"] == ["S256"]
        callback = server.visit(url)
        token = session.fetch_token(authorization_response=callback, code_verifier=VERIFIER)
        assert token["scope"] == "read"


def test_a_request_that_has_to_be_signed_and_no_key(
    kind: Kind, server: AuthorizationServer
) -> None:
    server.settings = ServerSettings(require_signed_request_object=True)
    with session_at(kind, server) as session:
        before = server.count()
        with pytest.raises(LocalProtocolError, match="request_object="):
            session.create_authorization_url()
        with pytest.raises(LocalProtocolError, match="request_object="):
            session.push_authorization_request()
        assert server.count() == before


def test_a_server_that_does_not_take_s256_is_refused(
    kind: Kind, server: AuthorizationServer
) -> None:
    with (
        server.misbehave(Misbehaviour.METADATA_WITHOUT_S256),
        session_at(kind, server, code_challenge_method="S256") as session,
    ):
        before = server.count()
        for asked in ({}, {"code_verifier": VERIFIER}):
            with pytest.raises(RemoteProtocolError, match="S256 is not among them"):
                session.create_authorization_url(**asked)
            with pytest.raises(RemoteProtocolError, match="S256 is not among them"):
                session.push_authorization_request(**asked)
        assert server.count() == before


def test_a_callback_of_another_issuer_is_refused(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server) as session:
        for misbehaviour in (
            Misbehaviour.ISSUER_MIXUP,
            Misbehaviour.CALLBACK_WRONG_ISSUER,
            Misbehaviour.CALLBACK_WITHOUT_ISSUER,  # the metadata say that there is one
        ):
            url, _ = begun(kind, session)
            with server.misbehave(misbehaviour, endpoint=Endpoint.AUTHORIZATION):
                callback = server.visit(url)
            before = server.count(Endpoint.TOKEN)
            with pytest.raises(RemoteProtocolError) as caught:
                session.fetch_token(authorization_response=callback, code_verifier=VERIFIER)
            assert caught.value.error == "issuer_mismatch"
            assert server.count(Endpoint.TOKEN) == before


def test_resources_and_details_in_every_request(kind: Kind, server: AuthorizationServer) -> None:
    server.settings = ServerSettings(authorization_details_types=("payment", "account"))
    several = ["https://a.example", "https://b.example"]
    account = {"type": "account"}
    with session_at(kind, server) as session:
        token = log_in(
            kind, session, server, resource=several, authorization_details=[PAYMENT, account]
        )
        assert token.authorization_details == (PAYMENT, account)
        renewed = session.refresh_token(resource=several[:1], authorization_details=[account])
        assert renewed.authorization_details == (account,)
        asked = server.log[-1].parameters
        assert [value for name, value in asked if name == "resource"] == several[:1]
        assert json.loads(dict(asked)["authorization_details"]) == [account]
        itself = session.fetch_token(
            grant_type="client_credentials", resource=several, authorization_details=[PAYMENT]
        )
        assert itself.authorization_details == (PAYMENT,)
        seen = session.introspect_token(
            server.url(Endpoint.INTROSPECTION), itself["access_token"]
        ).json()
        assert (seen["aud"], seen["authorization_details"]) == (several, [PAYMENT])
        before = server.count()
        with pytest.raises(LocalProtocolError, match="of the type photograph"):
            session.create_authorization_url(authorization_details=[{"type": "photograph"}])
        assert server.count() == before


def test_from_a_refusal_to_a_stronger_login(kind: Kind, server: AuthorizationServer) -> None:
    server.settings = ServerSettings(
        acr_values_supported=("password", "passkey"),
        resource_logins={"/api/transfers": LoginDemand(acr_values=("passkey",), max_age=60)},
        resource_scopes={"/api/transfers": "write"},
    )
    transfers = f"{server.url(Endpoint.RESOURCE)}/transfers"
    with session_at(kind, server, scope="read") as session:
        log_in(kind, session, server)
        before = server.count()
        response = session.post(transfers, **{kind.content: b"12.00"})
        refusal = read_refusal(response)
        assert (response.status_code, server.count() - before) == (401, 1)  # it was not repeated
        assert refusal is not None
        assert refusal.repair is Repair.STEP_UP
        log_in(kind, session, server, **refusal.step_up(session.scope))
        refusal = read_refusal(session.post(transfers, **{kind.content: b"12.00"}))
        assert refusal is not None
        assert refusal.repair is Repair.WIDER_SCOPE
        log_in(
            kind,
            session,
            server,
            acr_values="passkey",
            max_age=60,
            claims={"id_token": {"acr": {"essential": True}}},
            **refusal.step_up(session.scope),
        )
        assert session.post(transfers, **{kind.content: b"12.00"}).json()["received"] == 5


def test_the_resource_says_where_to_get_a_token(kind: Kind, server: AuthorizationServer) -> None:
    server.settings = replace(server.settings, resource_metadata=True)
    api = server.url(Endpoint.RESOURCE)
    with kind.session() as session:
        refusal = read_refusal(session.get(api, withhold_token=True))
        assert refusal is not None
        assert refusal.repair is Repair.DISCOVERY
        found = session.run(ProtectedResource.discover(api, url=refusal.resource_metadata))
        assert found.authorization_servers == (server.issuer,)
