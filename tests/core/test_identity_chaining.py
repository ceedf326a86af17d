"""A user's identity from one server to another: both legs, and what is not taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth2_sansio import Client, ClientSecretBasic, Server
from oauth2_sansio.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnsupportedTokenTypeError,
)
from oauth2_sansio.events import Endpoint, Finished, Pairs, RequestToSend, ResponseReceived
from oauth2_sansio.identity_chaining import redeem_jwt_grant, request_jwt_grant
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.token_exchange import TokenType
from oauth2_sansio.tokens import OAuth2Token

ID_JAG = "urn:ietf:params:oauth:token-type:id-jag"
JWT = "urn:ietf:params:oauth:token-type:jwt"
IDENTITY = Client(
    server=Server(token_endpoint="https://idp.example/token"),
    client_id="wiki",
    auth=ClientSecretBasic("s"),
)
RESOURCE = Client(server=Server(token_endpoint="https://chat.example/token"), client_id="wiki-2")
ISSUED = {
    "access_token": "e30.e30.AA",
    "issued_token_type": ID_JAG,
    "token_type": "N_A",
    "expires_in": 300,
}
GRANT = OAuth2Token(ISSUED, expires_at=1300)


def client_with(**metadata: Any) -> Client:
    server = Server(token_endpoint="https://chat.example/token", metadata=metadata)
    return Client(server=server, client_id="wiki-2")


def form_of(flow: Any) -> Pairs:
    request = flow.start(1000.0)
    assert isinstance(request, RequestToSend)
    return request.form


def test_the_first_leg() -> None:
    flow = request_jwt_grant(
        IDENTITY,
        "an.id.token",
        audience="https://chat.example",
        resource=["https://api.chat.example"],
        scope="chat.read",
        authorization_details=[{"type": "t"}],
        parameters={"x": "y"},
    )
    assert form_of(flow) == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", "an.id.token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("requested_token_type", ID_JAG),
        ("resource", "https://api.chat.example"),
        ("audience", "https://chat.example"),
        ("scope", "chat.read"),
        ("authorization_details", '[{"type":"t"}]'),
        ("x", "y"),
    )


def test_identity_chaining_asks_for_a_jwt() -> None:
    flow = request_jwt_grant(
        IDENTITY,
        "a-token",
        TokenType.ACCESS_TOKEN,
        audience="https://chat.example",
        requested_token_type=TokenType.JWT,
    )
    assert dict(form_of(flow))["requested_token_type"] == JWT


def test_no_other_type_is_a_grant() -> None:
    with pytest.raises(ValueError, match="ID_JAG or JWT"):
        request_jwt_grant(IDENTITY, "t", audience="a", requested_token_type=TokenType.ACCESS_TOKEN)


def granted(members: dict[str, Any], wanted: TokenType = TokenType.ID_JAG) -> OAuth2Token:
    flow = request_jwt_grant(IDENTITY, "t", audience="a", requested_token_type=wanted)
    flow.start(1000.0)
    action = flow.receive(ResponseReceived(status=200, body=json.dumps(members).encode()), 1000.0)
    assert isinstance(action, Finished)
    return action.result


def test_the_answer() -> None:
    token = granted(ISSUED)
    assert token == GRANT
    with pytest.raises(UnsupportedTokenTypeError):
        authorization_header(token)
    chained = {**ISSUED, "issued_token_type": JWT, "token_type": "n_a"}
    assert granted(chained, TokenType.JWT)["issued_token_type"] == JWT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issued_token_type": JWT}, "of the type asked for"),
        ({"issued_token_type": None}, "of the type asked for"),
        ({"issued_token_type": [ID_JAG]}, "of the type asked for"),
        ({"token_type": "Bearer"}, "an access token"),
        ({"token_type": None}, "an access token"),
        ({"token_type": 5}, "an access token"),
        ({"access_token": "opaque"}, "no signed JWT"),
        ({"access_token": "a.b.c.d"}, "no signed JWT"),
        ({"access_token": "a..c"}, "no signed JWT"),
        ({"access_token": None}, "no access_token"),
    ],
)
def test_what_is_not_taken_for_a_grant(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        granted({**ISSUED, **changes})
    assert got.value.response is not None


def test_a_type_that_is_left_out_is_none() -> None:
    without = {name: value for name, value in ISSUED.items() if name != "token_type"}
    with pytest.raises(RemoteProtocolError, match="an access token"):
        granted(without)


@pytest.mark.parametrize("grant", [GRANT, "e30.e30.AA"])
def test_the_second_leg(grant: OAuth2Token | str) -> None:
    flow = redeem_jwt_grant(
        RESOURCE, grant, scope="chat.read", resource=["https://r.example"], parameters={"x": "y"}
    )
    assert form_of(flow) == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("scope", "chat.read"),
        ("resource", "https://r.example"),
        ("x", "y"),
        ("assertion", "e30.e30.AA"),
        ("client_id", "wiki-2"),
    )
    action = flow.receive(ResponseReceived(status=200, body=b'{"access_token": "a"}'), 1000.0)
    assert isinstance(action, Finished)
    assert action.result == {"access_token": "a"}


def test_a_grant_that_has_expired_is_not_sent() -> None:
    assert isinstance(redeem_jwt_grant(RESOURCE, GRANT).start(1299.5), RequestToSend)
    flow = redeem_jwt_grant(RESOURCE, GRANT)
    with pytest.raises(LocalProtocolError, match="another one with request_jwt_grant") as got:
        flow.start(1300.0)
    assert got.value.error == "expired_grant"


@pytest.mark.parametrize("kind", [None, "urn:ietf:params:oauth:token-type:access_token", [JWT]])
def test_what_is_no_grant_is_not_sent(kind: object) -> None:
    with pytest.raises(LocalProtocolError, match="no JWT grant") as got:
        redeem_jwt_grant(RESOURCE, OAuth2Token(ISSUED, issued_token_type=kind))
    assert got.value.endpoint is Endpoint.TOKEN


PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"


@pytest.mark.parametrize("listed", [["other"], []])
def test_servers_that_say_that_they_do_not_take_part(listed: list[str]) -> None:
    knows_users = client_with(identity_chaining_requested_token_types_supported=listed)
    guards = client_with(authorization_grant_profiles_supported=listed)
    with pytest.raises(LocalProtocolError, match="does not take part"):
        request_jwt_grant(knows_users, "t", audience="a")
    with pytest.raises(LocalProtocolError, match="does not take part"):
        redeem_jwt_grant(guards, GRANT)


@pytest.mark.parametrize("listed", [None, "text", [PROFILE, ID_JAG]])
def test_servers_that_say_so_or_nothing(listed: object) -> None:
    knows_users = client_with(identity_chaining_requested_token_types_supported=listed)
    guards = client_with(authorization_grant_profiles_supported=listed)
    assert form_of(request_jwt_grant(knows_users, "t", audience="a"))
    assert form_of(redeem_jwt_grant(guards, GRANT))
    assert form_of(redeem_jwt_grant(client_with(), OAuth2Token(GRANT, issued_token_type=JWT)))


def test_secrets_do_not_print() -> None:
    flow = redeem_jwt_grant(RESOURCE, GRANT)
    assert "e30.e30" not in repr(flow.start(1000.0))
