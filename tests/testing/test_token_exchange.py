"""One token for another: what the server does, and what the client makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import Client, Server, TokenType, drive, exchange_token
from oauth2_sansio.errors import ErrorResponse, RemoteProtocolError
from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import AssertionIssuer, Misbehaviour, ServerSettings
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

from .assertions import public_jwk, signed
from .world import APP, World, error, members

TRUSTED = ServerSettings(
    assertion_issuers=(AssertionIssuer("https://idp.example", (public_jwk("ES256"),)),)
)
ACCESS, REFRESH = TokenType.ACCESS_TOKEN, TokenType.REFRESH_TOKEN
HERE = "https://as.example.com"


class Trading(World):
    """The world with a client that trades tokens."""

    def __init__(self) -> None:
        super().__init__(TRUSTED)
        self.server.register(replace(APP, grant_types=(*APP.grant_types, TOKEN_EXCHANGE)))

    def trade(self, *more: tuple[str, str], **form: str) -> ResponseReceived:
        pairs = (("grant_type", TOKEN_EXCHANGE), *form.items(), *more)
        return self.post(Endpoint.TOKEN, *pairs)

    def run(self, flow: Any) -> Any:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def client(self) -> Client:
        server = self.run(Server.discover(self.server.issuer))
        return Client(server=server, client_id="app", client_secret="s3cret")

    def jwt(self, audience: str = HERE, **claims: Any) -> str:
        told = {"iss": "https://idp.example", "sub": "carol", "exp": self.clock() + 60}
        return signed({"alg": "ES256"}, {**told, "aud": audience, **claims})


def test_whose_tokens_they_are() -> None:
    world = Trading()
    tokens = world.tokens(scope="read write")
    token = world.run(
        exchange_token(
            world.client(),
            tokens["access_token"],
            actor_token=world.jwt(),
            actor_token_type=TokenType.JWT,
            resource=["https://a.example", "https://b.example"],
            audience=["c"],
            scope="read",
        )
    )
    assert token["issued_token_type"] == ACCESS.value
    assert token["token_type"] == "Bearer"
    assert "refresh_token" not in token
    known = world.run(world.client().introspect(token))
    assert known["sub"] == "alice"
    assert known["act"] == {"sub": "carol"}
    assert known["scope"] == "read"
    assert known["aud"] == ["https://a.example", "https://b.example", "c"]


@pytest.mark.parametrize(("kind", "audience"), [(TokenType.JWT, HERE), (TokenType.ID_TOKEN, "app")])
def test_a_token_of_a_trusted_issuer(kind: TokenType, audience: str) -> None:
    world = Trading()
    token = world.run(exchange_token(world.client(), world.jwt(audience), kind))
    assert token["scope"] == APP.scope
    assert world.run(world.client().introspect(token))["sub"] == "carol"


def test_a_token_that_is_no_access_token() -> None:
    world = Trading()
    tokens = world.tokens()
    token = world.run(
        exchange_token(
            world.client(), tokens["refresh_token"], REFRESH, requested_token_type=REFRESH
        )
    )
    assert token["token_type"] == "N_A"
    assert members(world.refresh(token["access_token"]))["access_token"]


def test_a_client_s_own_token() -> None:
    world = Trading()
    own = members(world.token_request("client_credentials"))
    token = world.run(exchange_token(world.client(), own["access_token"]))
    assert world.run(world.client().introspect(token))["sub"] == "app"


def subject(kind: TokenType, token: str) -> dict[str, str]:
    return {"subject_token": token, "subject_token_type": kind.value}


def test_what_is_refused() -> None:
    world = Trading()
    tokens = world.tokens()
    good = subject(ACCESS, tokens["access_token"])
    actor_type = ("actor_token_type", ACCESS.value)
    refused = [
        world.trade(),
        world.trade(subject_token="x"),
        world.trade(subject_token="x", subject_token_type="their:own"),
        world.trade(**subject(ACCESS, "unknown")),
        world.trade(**subject(ACCESS, tokens["refresh_token"])),
        world.trade(**subject(TokenType.JWT, world.jwt("https://other.example"))),
        world.trade(**subject(TokenType.JWT, world.jwt(iss="https://other.example"))),
        world.trade(**subject(TokenType.JWT, world.jwt(sub=""))),
        world.trade(**subject(TokenType.ID_TOKEN, world.jwt("other"))),
        world.trade(**good, requested_token_type="their:own"),
        world.trade(actor_type, **good),
        world.trade(("actor_token", "unknown"), actor_type, **good),
    ]
    assert {error(each) for each in refused} == {(400, "invalid_request")}
    assert error(world.trade(**good, scope="admin")) == (400, "invalid_scope")
    world.server.revoke(tokens["access_token"])
    assert error(world.trade(**good)) == (400, "invalid_request")


def test_a_client_that_may_not() -> None:
    world = World()
    refused = world.token_request(TOKEN_EXCHANGE)
    assert error(refused) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (Misbehaviour.EXCHANGE_OF_ANOTHER_TYPE, "of another type"),
        (Misbehaviour.EXCHANGE_TYPE_LIST, "of another type"),
        (Misbehaviour.NULL_ACCESS_TOKEN, "no access_token"),
        (Misbehaviour.LINE_BREAK_IN_ACCESS_TOKEN, "characters that no token may have"),
        (Misbehaviour.EXCHANGE_WITHOUT_TYPE, None),
        (Misbehaviour.MISSING_TOKEN_TYPE, None),
    ],
)
def test_what_the_client_makes_of_misbehaviours(
    misbehaviour: Misbehaviour, reason: str | None
) -> None:
    world = Trading()
    client, tokens = world.client(), world.tokens()
    world.server.misbehave(misbehaviour)
    flow = exchange_token(client, tokens["access_token"], requested_token_type=ACCESS)
    if reason is None:
        assert world.run(flow)["access_token"]
        return
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        world.run(flow)
    assert got.value.response is not None
    assert tokens["access_token"] not in str(got.value)


def test_a_server_that_says_no() -> None:
    world = Trading()
    with pytest.raises(ErrorResponse, match="invalid_request") as got:
        world.run(exchange_token(world.client(), "unknown"))
    assert got.value.endpoint is Endpoint.TOKEN
