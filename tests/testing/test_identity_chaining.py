"""Two servers: one knows the user, the other guards the resource."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    Server,
    TokenType,
    drive,
    new_private_key,
    redeem_jwt_grant,
    request_jwt_grant,
)
from oauth2_sansio.assertions import JWT_BEARER
from oauth2_sansio.errors import ErrorResponse, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.testing import (
    AssertionIssuer,
    AuthorizationServer,
    Clock,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
    User,
)
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

from .world import CALLBACK

KEY = new_private_key()
WIKI = RegisteredClient(
    client_id="wiki",
    client_secret="s3cret",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token", TOKEN_EXCHANGE, JWT_BEARER),
    scope="chat.read chat.write",
)
CHAT = "https://chat.example"


class TwoServers:
    def __init__(self) -> None:
        self.clock = Clock()
        self.identity = AuthorizationServer(
            issuer="https://idp.example",
            clients=(WIKI,),
            settings=ServerSettings(signing_key=KEY),
            now=self.clock,
            user=User(subject="dave"),
        )
        trusted = AssertionIssuer("https://idp.example", (KEY,))
        self.chat = AuthorizationServer(
            issuer=CHAT,
            clients=(WIKI, replace(WIKI, client_id="other")),
            settings=ServerSettings(assertion_issuers=(trusted,)),
            now=self.clock,
        )

    def send(self, request: RequestToSend) -> Any:
        at_chat = request.url.startswith(CHAT)
        return (self.chat if at_chat else self.identity).send(request)

    def run(self, flow: Any) -> Any:
        return drive(flow, self.send, self.clock.advance, self.clock)

    def client(self, issuer: str, client_id: str = "wiki") -> Client:
        server = self.run(Server.discover(issuer))
        return Client(server=server, client_id=client_id, client_secret="s3cret")

    def refresh_token(self, client: Client) -> str:
        pending = self.run(client.authorize(redirect_uri=CALLBACK))
        token = self.run(client.redeem(pending, self.identity.visit(pending.url)))
        return str(token["refresh_token"])

    def grant(self, scope: str = "chat.read", audience: str = CHAT) -> Any:
        client = self.client("https://idp.example")
        token = self.refresh_token(client)
        return self.run(
            request_jwt_grant(
                client,
                token,
                TokenType.REFRESH_TOKEN,
                audience=audience,
                scope=scope,
                resource=["https://api.chat.example"],
            )
        )


def test_from_one_server_to_the_other() -> None:
    world = TwoServers()
    chat = world.client(CHAT)
    token = world.run(redeem_jwt_grant(chat, world.grant(), scope="chat.read"))
    assert token["scope"] == "chat.read"
    assert "refresh_token" not in token
    assert world.run(chat.introspect(token))["sub"] == "dave"


def test_what_the_other_server_does_not_take() -> None:
    world = TwoServers()
    chat, grant = world.client(CHAT), world.grant()
    with pytest.raises(ErrorResponse, match="issued to another client"):
        world.run(redeem_jwt_grant(world.client(CHAT, "other"), grant))
    with pytest.raises(ErrorResponse, match="somebody else"):
        world.run(redeem_jwt_grant(chat, world.grant(audience="https://third.example")))
    # What may be asked for is what the first server has allowed.
    with pytest.raises(ErrorResponse, match="invalid_scope"):
        world.run(redeem_jwt_grant(chat, grant, scope="chat.write"))


def test_a_grant_is_for_one_server() -> None:
    world = TwoServers()
    client = world.client("https://idp.example")
    with pytest.raises(ErrorResponse, match="invalid_target"):
        world.run(
            request_jwt_grant(
                client,
                world.refresh_token(client),
                TokenType.REFRESH_TOKEN,
                audience=CHAT,
                parameters={"audience": "https://third.example"},
            )
        )


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.EXCHANGE_OF_ANOTHER_TYPE,
        Misbehaviour.EXCHANGE_WITHOUT_TYPE,
        Misbehaviour.EXCHANGE_TYPE_LIST,
        Misbehaviour.MISSING_TOKEN_TYPE,
        Misbehaviour.LINE_BREAK_IN_ACCESS_TOKEN,
    ],
)
def test_what_is_not_taken_for_a_grant(misbehaviour: Misbehaviour) -> None:
    world = TwoServers()
    client = world.client("https://idp.example")
    token = world.refresh_token(client)
    world.identity.misbehave(misbehaviour)
    with pytest.raises(RemoteProtocolError) as got:
        world.run(request_jwt_grant(client, token, TokenType.REFRESH_TOKEN, audience=CHAT))
    assert got.value.endpoint is Endpoint.TOKEN
    assert isinstance(got.value.response, ResponseReceived)
