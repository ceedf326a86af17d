"""A bound token in one request: what goes along, and what an answer asks for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from oauth2_sansio import DPoP, OAuth2Token, RemoteKey, new_private_key
from oauth2_sansio.dropin.binding import BoundToken, bound
from oauth2_sansio.errors import InvalidTokenError, LocalProtocolError
from oauth2_sansio.events import SignatureNeeded

URL = "https://api.example/a"
TOKEN = OAuth2Token(access_token="a-1", token_type="DPoP")
ASKS = {"WWW-Authenticate": ['DPoP error="use_dpop_nonce"']}
PRIVATE = new_private_key()


def bound_token(dpop: DPoP | None = None) -> BoundToken:
    found = bound(TOKEN, "header", dpop or DPoP(PRIVATE))
    assert found is not None
    return found


def claims_of(proof: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(proof.split(".")[1] + "=="))
    return claims


def learn(token: BoundToken, nonce: str | None = None, **other: Any) -> bool:
    headers = {**ASKS, **({} if nonce is None else {"DPoP-Nonce": [nonce]})}
    arguments: dict[str, Any] = {
        "method": "GET",
        "url": URL,
        "status": 401,
        "values_of": lambda name: headers.get(name, ()),
    }
    return token.learn(**arguments | other)


def test_each_try_has_a_proof_of_its_own() -> None:
    token = bound_token()
    first, second = (claims_of(token.prove("GET", f"{URL}?b=c", 1000.0)) for _ in range(2))
    assert first.pop("jti") != second.pop("jti")
    assert first == second
    assert (first["htm"], first["htu"], first["iat"]) == ("GET", URL, 1000)
    assert token.authorization == "DPoP a-1"


def test_a_nonce_is_worth_another_try() -> None:
    token = bound_token()
    token.prove("GET", URL, 1000.0)
    assert learn(token, "n-1")
    assert claims_of(token.prove("GET", URL, 1001.0))["nonce"] == "n-1"
    assert not learn(token, "n-1")


@pytest.mark.parametrize(
    "other",
    [
        {"status": 200},
        {"status": 403},
        {"values_of": lambda _name: ()},
    ],
)
def test_what_is_not_worth_another_try(other: dict[str, Any]) -> None:
    token = bound_token()
    token.prove("GET", URL, 1000.0)
    assert not learn(token, "n-1", **other)


def test_an_answer_from_where_a_redirect_led() -> None:
    token = bound_token()
    token.prove("POST", URL, 1000.0)
    assert not learn(token, status=200, url=f"{URL}/b", values_of=lambda _name: ())
    assert learn(token, url=f"{URL}/b", values_of=lambda _name: ())
    token.prove("POST", URL, 1000.0)
    assert learn(token, method="GET", values_of=lambda _name: ())


def test_the_url_of_an_answer_may_be_another_kind_of_value() -> None:
    class Address:
        def __str__(self) -> str:
            return URL

    token = bound_token()
    token.prove("GET", URL, 1000.0)
    assert not learn(token, url=Address())
    assert learn(token, "n-1", url=Address())


def test_nothing_is_learnt_before_anything_was_sent() -> None:
    assert not learn(bound_token(), "n-1")


def test_what_an_answer_teaches_stays() -> None:
    dpop = DPoP(PRIVATE)
    token = bound_token(dpop)
    token.prove("GET", URL, 1000.0)
    learn(token, "n-1", status=200)
    assert claims_of(bound_token(dpop).prove("GET", f"{URL}/b", 1000.0))["nonce"] == "n-1"


def test_only_bound_tokens_are() -> None:
    dpop = DPoP(PRIVATE)
    assert bound(OAuth2Token(access_token="a"), "body", dpop) is None
    with pytest.raises(InvalidTokenError):
        bound(OAuth2Token(token_type="DPoP"), "header", dpop)
    for placement in ("body", "uri"):
        with pytest.raises(LocalProtocolError, match="goes into the header"):
            bound(TOKEN, placement, dpop)


def test_a_key_elsewhere() -> None:
    public = {name: value for name, value in PRIVATE.items() if name != "d"}
    dpop = DPoP(RemoteKey("ES256"), public_jwk=public)

    def sign(_needed: SignatureNeeded) -> bytes:
        return bytes(64)

    token = bound(TOKEN, "header", dpop, sign)
    assert token is not None
    proof = token.prove("GET", URL, 1000.0)
    assert proof.endswith("." + "A" * 86)
    assert claims_of(proof)["iat"] == 1000
    assert learn(token, "n-1")
    proving = token.prove_async("POST", URL, 1001.0)
    with pytest.raises(StopIteration) as stopped:
        proving.send(None)
    claims = claims_of(stopped.value.value)
    assert (claims["htm"], claims["nonce"]) == ("POST", "n-1")


def test_a_key_elsewhere_and_nobody_to_sign() -> None:
    public = {name: value for name, value in PRIVATE.items() if name != "d"}
    token = bound_token(DPoP(RemoteKey("ES256"), public_jwk=public))
    with pytest.raises(LocalProtocolError, match="no signer was given"):
        token.prove("GET", URL, 1000.0)
