"""Clients that show a certificate (RFC 8705): what the server makes of it, without a socket."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    SelfSignedTLSClientAuth,
    Server,
    TLSClientAuth,
    certificate_thumbprint,
    drive,
)
from oauth2_sansio.errors import ErrorResponse, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.testing import (
    AuthorizationServer,
    ClientAuthMethod,
    Clock,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)

from .world import CALLBACK

# Of the form of one, which is all that is looked at here.
OWN, OTHER = (b"\x30\x81\xc8" + letter * 200 for letter in (b"a", b"b"))
MTLS = "https://mtls.as.example.com"
BANK = RegisteredClient(
    client_id="bank",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token", "client_credentials"),
    scope="read",
    token_endpoint_auth_method=ClientAuthMethod.TLS_CLIENT_AUTH,
    certificates=(OWN,),
    tls_client_certificate_bound_access_tokens=True,
)
SELF_SIGNED = replace(
    BANK,
    client_id="self-signed",
    token_endpoint_auth_method=ClientAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH,
    tls_client_certificate_bound_access_tokens=False,
)
PHONE = replace(
    BANK, client_id="phone", token_endpoint_auth_method=ClientAuthMethod.NONE, certificates=()
)


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.server = AuthorizationServer(
            clients=(BANK, SELF_SIGNED, PHONE),
            settings=ServerSettings(mtls_url=MTLS),
            now=self.clock,
        )

    def run(self, flow: Any, certificate: bytes | None = OWN) -> Any:
        send = partial(self.server.send, certificate=certificate)
        return drive(flow, send, self.clock.advance, self.clock)

    def client(self, client_id: str = "bank", **settings: Any) -> Client:
        server = self.run(Server.discover(self.server.issuer))
        given = {"auth": TLSClientAuth(), **settings}
        return Client(server=server, client_id=client_id, **given)

    def resource(self, token: str, certificate: bytes | None) -> ResponseReceived:
        request = RequestToSend(
            endpoint=Endpoint.RESOURCE,
            method="GET",
            url=self.server.url(Endpoint.RESOURCE),
            headers=(("Authorization", f"Bearer {token}"),),
        )
        return self.server.handle(request, certificate)


def test_by_its_certificate_at_the_alias() -> None:
    world = World()
    client = world.client()
    token = world.run(client.client_credentials())
    request = world.server.log[-1].request
    assert request.url == f"{MTLS}/token"
    assert request.form == (("grant_type", "client_credentials"), ("client_id", "bank"))
    assert token["token_type"] == "Bearer"  # it is bound all the same
    told = world.run(client.introspect(token))
    assert told["cnf"] == {"x5t#S256": certificate_thumbprint(OWN)}
    world.run(client.revoke(token))
    assert {entry.request.url for entry in world.server.log[2:]} == {
        f"{MTLS}/introspect",
        f"{MTLS}/revoke",
    }


@pytest.mark.parametrize("certificate", [OTHER, None])
def test_another_certificate_is_none(certificate: bytes | None) -> None:
    world = World()
    with pytest.raises(ErrorResponse, match="invalid_client"):
        world.run(world.client().client_credentials(), certificate)


def test_a_certificate_that_is_known_itself() -> None:
    world = World()
    client = world.client("self-signed", auth=SelfSignedTLSClientAuth())
    token = world.run(client.client_credentials())
    # This client's tokens are bound to nothing.
    assert world.resource(token["access_token"], None).status == 200


def test_a_bound_token_at_a_resource() -> None:
    world = World()
    token = world.run(world.client().client_credentials())["access_token"]
    assert world.resource(token, OWN).status == 200
    for other in (OTHER, None):
        refused = world.resource(token, other)
        assert refused.status == 401
        assert 'error="invalid_token"' in str(refused.header("WWW-Authenticate"))


@pytest.mark.parametrize("alias", [True, False])
def test_a_public_client_with_bound_tokens(alias: bool) -> None:
    world = World()
    client = world.client("phone", auth=None, use_mtls_endpoint_aliases=alias)
    pending = world.run(client.authorize(redirect_uri=CALLBACK))
    assert pending.url.startswith("https://as.example.com/authorize")
    callback = world.server.visit(pending.url)
    token = world.run(client.redeem(pending, callback))
    assert world.server.log[-1].request.url.startswith(MTLS) is alias
    with pytest.raises(ErrorResponse, match="bound to another certificate"):
        world.run(client.refresh(token), OTHER)
    assert world.run(client.refresh(token))["access_token"]


def test_a_public_client_that_shows_none() -> None:
    world = World()
    client = world.client("phone", auth=None)
    pending = world.run(client.authorize(redirect_uri=CALLBACK))
    callback = world.server.visit(pending.url)
    with pytest.raises(ErrorResponse, match="has to show its certificate"):
        world.run(client.redeem(pending, callback), None)


@pytest.mark.parametrize(
    "misbehaviour", [Misbehaviour.METADATA_HTTP_ALIASES, Misbehaviour.METADATA_ALIASES_AS_LIST]
)
def test_aliases_that_are_none(misbehaviour: Misbehaviour) -> None:
    world = World()
    world.server.misbehave(misbehaviour)
    with pytest.raises(RemoteProtocolError) as got:
        world.client()
    assert got.value.endpoint is Endpoint.METADATA
