"""What a protected resource says of itself (RFC 9728), and the way from a refusal to a token."""

from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio import Client, ProtectedResource, Repair, Server, drive, read_refusal
from oauth2_sansio.errors import RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, T
from oauth2_sansio.flow import Flow
from oauth2_sansio.testing import AuthorizationServer, Clock, Misbehaviour, ServerSettings

from .world import APP, World, members

SETTINGS = ServerSettings(
    resource_metadata=True,
    resource_scopes={"/api/items": "read", "/api/transfers": "write read"},
    authorization_details_types=("payment",),
)
TENANT = "https://as.example.com/tenant/"


def at(issuer: str) -> tuple[AuthorizationServer, Any]:
    clock = Clock()
    server = AuthorizationServer(issuer=issuer, clients=[APP], now=clock, settings=SETTINGS)

    def run(flow: Flow[T]) -> T:
        return drive(flow, server.send, clock.advance, clock)

    return server, run


@pytest.mark.parametrize("issuer", ["https://as.example.com", "https://as.example.com/", TENANT])
def test_from_a_refusal_to_a_token(issuer: str) -> None:
    server, run = at(issuer)
    api = server.url(Endpoint.RESOURCE)
    refusal = read_refusal(
        server.handle(RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url=api))
    )
    assert refusal is not None
    assert refusal.repair is Repair.DISCOVERY
    found = run(ProtectedResource.discover(api, url=refusal.resource_metadata))
    assert found == run(ProtectedResource.discover(api))
    assert found.authorization_servers == (issuer,)
    assert found.scopes_supported == ("read", "write")
    assert found.authorization_details_types_supported == ("payment",)
    client = Client(
        server=run(Server.discover(found.authorization_servers[0])),
        client_id="app",
        client_secret=APP.client_secret,
    )
    assert run(client.client_credentials(resource=[found.resource]))["access_token"]


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (Misbehaviour.RESOURCE_METADATA_OF_ANOTHER, "another resource"),
        (Misbehaviour.RESOURCE_METADATA_WITH_SLASH, "another resource"),
        (Misbehaviour.RESOURCE_METADATA_HTTP_SERVER, "plain http"),
        (Misbehaviour.RESOURCE_METADATA_WRONG_TYPES, "not a list of texts"),
    ],
)
def test_a_document_that_is_not_to_be_believed(misbehaviour: Misbehaviour, reason: str) -> None:
    server, run = at("https://as.example.com")
    with server.misbehave(misbehaviour), pytest.raises(RemoteProtocolError, match=reason):
        run(ProtectedResource.discover(server.url(Endpoint.RESOURCE)))


def test_all_challenges_name_the_document() -> None:
    world = World(SETTINGS)
    url = "https://as.example.com/.well-known/oauth-protected-resource/api"
    headers = world.get("https://as.example.com/api").headers
    challenges = [value for name, value in headers if name == "WWW-Authenticate"]
    assert len(challenges) == 2
    assert all(value.endswith(f', resource_metadata="{url}"') for value in challenges)
    assert members(world.get(url))["resource"] == "https://as.example.com/api"
    assert world.get(url, method="POST").status == 405


def test_a_server_that_publishes_none() -> None:
    world = World()
    assert world.get("https://as.example.com/.well-known/oauth-protected-resource/api").status == (
        404
    )
    assert "resource_metadata" not in str(world.get("https://as.example.com/api").headers)
