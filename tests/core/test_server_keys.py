"""The keys of a server: what is read of a document, which key serves, and how they are fetched."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import (
    DPoP,
    Endpoint,
    ErrorResponse,
    Finished,
    LocalProtocolError,
    OAuth2Error,
    Pipeline,
    RemoteProtocolError,
    RequestToSend,
    ResponseReceived,
    Server,
    ServerKeys,
)
from oauth2_sansio.jwt_algorithms import base64url
from oauth2_sansio.server_keys import MOST_KEYS

from .keys_for_tests import OKP, key_for
from .server_jwts import jwk_set, public_jwk

ALL_KINDS = ("RS256", "ES256", "ES384", "ES512", "EdDSA")
SERVER = Server(jwks_uri="https://as.example/jwks")
EC = public_jwk("ES256")
RSA = public_jwk("RS256")


def names(keys: ServerKeys, algorithm: str, key_id: str | None = None) -> list[str | None]:
    return [key.key_id for key in keys.find(algorithm, key_id)]


def test_each_kind_of_key() -> None:
    keys = ServerKeys(jwk_set(*ALL_KINDS))
    assert [key.kind for key in keys.keys] == ["RSA", "P-256", "P-384", "P-521", "Ed25519"]
    for algorithm in ALL_KINDS:
        assert names(keys, algorithm) == [f"k-{algorithm}"]
        assert names(keys, algorithm, f"k-{algorithm}") == [f"k-{algorithm}"]
    assert names(keys, "PS512") == ["k-RS256"]
    assert names(keys, "Ed25519") == ["k-EdDSA"]
    assert names(keys, "HS256") == []


def test_a_value_like_any_other() -> None:
    keys = ServerKeys(jwk_set("ES256"))
    for other in (pickle.loads(pickle.dumps(keys)), copy.copy(keys), copy.deepcopy(keys)):
        assert other == keys
        assert hash(other) == hash(keys)
    assert ServerKeys(jwk_set("EdDSA")) != keys
    assert ServerKeys(keys.document) == keys


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (EC, 1),
        ({**EC, "use": "sig", "key_ops": ["verify"], "alg": "ES256", "x5c": ["AAAA"]}, 1),
        ({**EC, "alg": "ES384"}, 0),
        ({**EC, "alg": "ECDH-ES"}, 0),
        ({**EC, "alg": ["ES256"]}, 0),
        ({**EC, "use": "enc"}, 0),
        ({**EC, "use": None, "key_ops": None, "alg": None, "kid": None}, 1),
        ({**EC, "key_ops": ["encrypt"]}, 0),
        ({**EC, "key_ops": "verify"}, 0),
        ({**EC, "kid": 7}, 0),
        ({**EC, "kty": "RSA"}, 0),
        ({**EC, "kty": "OKP"}, 0),
        ({**EC, "kty": ["EC"]}, 0),
        ({**EC, "kty": "XY"}, 0),
        ({**EC, "crv": "secp256k1"}, 0),
        ({**EC, "crv": ["P-256"]}, 0),
        ({**EC, "x": EC["y"]}, 0),  # not on the curve
        ({**EC, "x": None}, 0),
        ({**EC, "x": "A" * 3000}, 0),
        ({}, 0),
    ],
)
def test_what_cannot_be_used_is_left_out(key: dict[str, Any], found: int) -> None:
    keys = ServerKeys({"keys": [public_jwk("EdDSA"), key]})
    assert len(keys.find("ES256", None)) == found
    assert len(keys.find("EdDSA", None)) == 1


def number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8))


@pytest.mark.parametrize(
    "members",
    [
        {"n": number((1 << 2047) - 1)},
        {"n": number((1 << 8192) + 1)},
        {"n": "A" * 2049},
        {"e": number((1 << 64) + 1)},
        {"n": "?"},
        {"e": "AA"},
    ],
    ids=["short", "long", "endless", "exponent", "no base64url", "zero"],
)
def test_an_rsa_key_of_another_size_is_left_out(members: dict[str, str]) -> None:
    with pytest.raises(RemoteProtocolError, match="none of its keys"):
        ServerKeys({"keys": [{**RSA, **members}]})


@pytest.mark.parametrize(
    "members",
    [{"n": number((1 << 8191) + 1)}, {"n": number((1 << 2047) + 1)}, {"e": number((1 << 63) + 1)}],
    ids=["longest", "shortest", "exponent"],
)
def test_an_rsa_key_at_the_bounds_is_taken(members: dict[str, str]) -> None:
    assert len(ServerKeys({"keys": [{**RSA, **members}]}).find("RS256", None)) == 1


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (None, "no list of keys"),
        ([], "no list of keys"),
        ({}, "no list of keys"),
        ({"keys": {"k": EC}}, "no list of keys"),
        ({"keys": []}, "none of its keys"),
        ({"keys": [EC, "key"]}, "not a JSON object"),
        ({"keys": [EC] * (MOST_KEYS + 1)}, "more than 100 keys"),
        ({"keys": [EC, OKP]}, "private_key_published"),
        ({"keys": [EC, {**RSA, "p": "AQAB"}]}, "private_key_published"),
        ({"keys": [EC, {"kty": "oct", "k": "c2VjcmV0"}]}, "private_key_published"),
    ],
)
def test_a_document_that_is_refused(document: Any, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint) as got:
        ServerKeys(document)
    assert got.value.endpoint is Endpoint.JWKS
    assert OKP["d"] not in str(got.value)
    begins = "trust nothing" if complaint == "private_key_published" else "check jwks_uri"
    assert (got.value.advice or "").startswith(begins)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.sampled_from(["keys", "kty", "crv", "x", "y", "n", "e", "alg", "use", "kid"]),
                st.one_of(inner, st.sampled_from(["EC", "RSA", "OKP", "P-256", "Ed25519", "AQAB"])),
                max_size=6,
            ),
        ),
        max_leaves=12,
    ).map(lambda value: {"keys": value})
)
def test_any_document_is_keys_or_our_error(document: dict[str, Any]) -> None:
    try:
        ServerKeys(document)
    except OAuth2Error:
        return


def test_which_key_serves() -> None:
    keys = ServerKeys(
        {
            "keys": [
                {**EC, "kid": "one"},
                {**EC, "kid": "one", "alg": "ES256"},
                EC,
                {**RSA, "kid": "one", "alg": "PS256"},
                {**RSA, "kid": "two"},
            ]
        }
    )
    assert names(keys, "ES256", "one") == ["one", "one"]
    assert names(keys, "ES256", "unknown") == [None]  # has no name, so it may be the one
    assert names(keys, "RS256", "one") == []
    assert names(keys, "PS256") == ["one", "two"]


def test_a_key_is_shown_by_its_name() -> None:
    keys = ServerKeys({"keys": [{**EC, "kid": "one", "alg": "ES256"}]})
    assert repr(keys) == (
        "ServerKeys(keys=(PublicKey(kind='P-256', key_id='one', algorithm='ES256'),))"
    )


def test_one_signature_is_tried_with_few_keys() -> None:
    keys = ServerKeys({"keys": [EC] * MOST_KEYS})
    assert len(keys.find("ES256", None)) == 8


def fetched(body: bytes, status: int = 200) -> ServerKeys:
    flow = ServerKeys.fetch(SERVER)
    flow.start(0.0)
    action = flow.receive(ResponseReceived(status=status, body=body), 1.0)
    assert isinstance(action, Finished)
    return action.result


def test_they_are_fetched_by_a_flow_of_its_own() -> None:
    assert ServerKeys.fetch(SERVER).start(0.0) == RequestToSend(
        endpoint=Endpoint.JWKS,
        method="GET",
        url="https://as.example/jwks",
        headers=(("Accept", "application/jwk-set+json, application/json"),),
    )
    document = jwk_set("ES256")
    keys = fetched(json.dumps(document).encode())
    assert keys == ServerKeys(document)
    # Anew, from the keys that are at hand.
    assert isinstance(keys.fetch(SERVER).start(0.0), RequestToSend)


def test_nobody_has_to_know_who_asks() -> None:
    pipeline = Pipeline(
        signers=(DPoP(key_for("ES256")),), url_allowed=lambda url: "as.example" in url
    )
    request = ServerKeys.fetch(SERVER, pipeline=pipeline).start(0.0)
    assert isinstance(request, RequestToSend)
    assert [name for name, _ in request.headers] == ["Accept"]
    elsewhere = replace(SERVER, jwks_uri="https://evil.example/jwks")
    with pytest.raises(LocalProtocolError, match="url_allowed"):
        ServerKeys.fetch(elsewhere, pipeline=pipeline).start(0.0)


def test_plain_http_is_the_servers_setting() -> None:
    server = Server(jwks_uri="http://as.internal/jwks", allow_insecure_http=True)
    assert isinstance(ServerKeys.fetch(server).start(0.0), RequestToSend)


def test_without_an_address() -> None:
    with pytest.raises(LocalProtocolError, match="jwks_uri"):
        ServerKeys.fetch(Server())


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, json.dumps({"keys": [OKP]}).encode(), "private_key_published"),
        (200, b"{}", "remote_protocol_error"),
        (200, b"[]", "remote_protocol_error"),
        (200, b"<html>", "remote_protocol_error"),
        (200, b'{"keys": [' + b" " * (1 << 20) + b"]}", "remote_protocol_error"),
        (302, b"", "remote_protocol_error"),
        (404, b"", "remote_protocol_error"),
    ],
)
def test_an_answer_that_is_refused_is_reachable(status: int, body: bytes, error: str) -> None:
    with pytest.raises(RemoteProtocolError) as got:
        fetched(body, status)
    assert (got.value.error, got.value.status) == (error, status)
    assert got.value.endpoint is Endpoint.JWKS
    assert got.value.response is not None
    assert got.value.response.body == body


def test_a_refusal() -> None:
    with pytest.raises(ErrorResponse, match="server_error"):
        fetched(b'{"error": "server_error"}', 500)
