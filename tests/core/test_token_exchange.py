"""One token for another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth2_sansio import Client, Server
from oauth2_sansio.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    UnsupportedTokenTypeError,
)
from oauth2_sansio.events import Finished, Pairs, RequestToSend, ResponseReceived
from oauth2_sansio.resource import authorization_header
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE, TokenType, exchange_token
from oauth2_sansio.tokens import OAuth2Token

CLIENT = Client(server=Server(token_endpoint="https://as.example/token"), client_id="app")
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
FIRST = (
    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
    ("subject_token", "s"),
)


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        ({}, (("subject_token_type", ACCESS),)),
        ({"subject_token_type": "their:own"}, (("subject_token_type", "their:own"),)),
        (
            {"actor_token": "a", "actor_token_type": TokenType.JWT},
            (("subject_token_type", ACCESS), ("actor_token", "a"), ("actor_token_type", JWT)),
        ),
        (
            {
                "requested_token_type": TokenType.JWT,
                "resource": ["https://a.example", "https://b.example"],
                "audience": "b",
                "scope": "x y",
                "parameters": {"more": "1", "client_secret": "x"},
            },
            (
                ("subject_token_type", ACCESS),
                ("requested_token_type", JWT),
                ("resource", "https://a.example"),
                ("resource", "https://b.example"),
                ("audience", "b"),
                ("scope", "x y"),
                ("more", "1"),
                ("client_secret", "x"),
            ),
        ),
    ],
)
def test_the_request(arguments: dict[str, Any], form: Pairs) -> None:
    action = exchange_token(CLIENT, "s", **arguments).start(0.0)
    assert isinstance(action, RequestToSend)
    assert action.form == (*FIRST, *form, ("client_id", "app"))
    assert FIRST[0][1] == TOKEN_EXCHANGE


@pytest.mark.parametrize("alone", [{"actor_token": "a"}, {"actor_token_type": TokenType.JWT}])
def test_an_actor_token_has_a_type(alone: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="go together"):
        exchange_token(CLIENT, "s", **alone)


def test_nothing_is_given_twice() -> None:
    with pytest.raises(LocalProtocolError, match="subject_token is given twice"):
        exchange_token(CLIENT, "s", parameters={"subject_token": "t"})


def issued(wanted: TokenType | str | None, **members: Any) -> OAuth2Token:
    flow = exchange_token(CLIENT, "s", requested_token_type=wanted)
    flow.start(1000.0)
    body = json.dumps({"access_token": "new", **members}).encode()
    action = flow.receive(ResponseReceived(status=200, body=body), 1000.0)
    assert isinstance(action, Finished)
    return action.result


@pytest.mark.parametrize("wanted", [None, TokenType.JWT, JWT])
@pytest.mark.parametrize("said", [{}, {"issued_token_type": JWT}])
def test_the_answer(wanted: TokenType | str | None, said: dict[str, str]) -> None:
    token = issued(wanted, expires_in=60, **said)
    assert token == {"access_token": "new", "expires_in": 60, "expires_at": 1060, **said}


@pytest.mark.parametrize("said", [ACCESS, "", 5, [JWT]])
def test_another_type_than_the_one_asked_for(said: object) -> None:
    with pytest.raises(RemoteProtocolError, match="a token of another type") as got:
        issued(TokenType.JWT, issued_token_type=said)
    assert got.value.response is not None
    assert b'"new"' in got.value.response.body


def test_what_is_no_access_token_is_not_sent_as_one() -> None:
    token = issued(TokenType.JWT, issued_token_type=JWT, token_type="N_A")
    with pytest.raises(UnsupportedTokenTypeError):
        authorization_header(token)
