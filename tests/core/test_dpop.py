"""Proofs of possession: what is in them, what is learnt, and when it is worth one more try."""

from __future__ import annotations

import json
import pickle
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from inspect import signature
from typing import Any, cast

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, ClientSecretBasic, DPoP, OAuth2Token, Server, new_private_key
from oauth2_sansio.device import DeviceAuthorization, poll_device
from oauth2_sansio.dpop import asks_for_nonce
from oauth2_sansio.errors import ErrorResponse, LocalProtocolError, RemoteProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.exchange import Unsigned
from oauth2_sansio.flow import Flow
from oauth2_sansio.jwt_signing import RemoteKey
from oauth2_sansio.token_exchange import TokenType, exchange_token

from .keys_for_tests import ALL, CURVES, OKP, THUMBPRINT, key_for, pem_of, rsa_key, verified

SERVER = Server(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://AS.example:443/token?tenant=1",
    pushed_authorization_request_endpoint="https://as.example/par",
    revocation_endpoint="https://as.example/revoke",
)
EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
RSA = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
    "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ"
    "u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
BOUND: dict[str, Any] = {"access_token": "a", "token_type": "DPoP", "expires_in": 60}
CHALLENGE = ("WWW-Authenticate", 'Basic realm="x", DPoP algs="ES256", error="use_dpop_nonce"')


def dpop_of(key: object = OKP, alg: str | None = "Ed25519", **settings: Any) -> DPoP:
    return DPoP(key, alg, random_bytes=bytes, **settings)


def client_of(dpop: DPoP, server: Server = SERVER, **settings: Any) -> Client:
    return Client(server=server, client_id="app", dpop=dpop, random_bytes=bytes, **settings)


def says(status: int = 200, nonce: str | None = None, **members: Any) -> ResponseReceived:
    headers = () if nonce is None else (("dpop-nonce", nonce),)
    return ResponseReceived(status=status, headers=headers, body=json.dumps(members).encode())


def asks(nonce: str) -> ResponseReceived:
    return says(400, nonce, error="use_dpop_nonce")


def started(flow: Flow[Any]) -> RequestToSend:
    action = flow.start(1000.7)
    assert isinstance(action, RequestToSend)
    return action


def proof_in(request: object) -> tuple[dict[str, Any], dict[str, Any]]:
    assert isinstance(request, RequestToSend)
    parts = (request.header("DPoP") or "").split(".")
    header, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in parts[:2])
    return header, claims


# A proof


def test_a_token_request_carries_a_proof() -> None:
    request = started(client_of(dpop_of()).client_credentials())
    public = {"crv": "Ed25519", "kty": "OKP", "x": OKP["x"]}
    assert proof_in(request) == (
        {"alg": "Ed25519", "typ": "dpop+jwt", "jwk": public},
        {"jti": "A" * 22, "htm": "POST", "htu": "https://as.example/token", "iat": 1000},
    )
    assert sum(name == "DPoP" for name, _ in request.headers) == 1


@pytest.mark.parametrize("algorithm", [name for name in ALL if not name.startswith("HS")])
def test_others_verify_the_proofs(algorithm: str) -> None:
    key = key_for(algorithm)
    dpop = DPoP(pem_of(key), algorithm)
    bound = dpop.bind("GET", "https://api.example/", "token", 1000.0)
    assert isinstance(bound, RequestToSend)
    proof = bound.header("DPoP") or ""
    header, claims = verified(proof, key, algorithm)
    assert header["jwk"] == dpop.public_jwk
    assert "d" not in header["jwk"]
    public = pyjwt.PyJWK(header["jwk"], algorithm)
    again = pyjwt.decode_complete(
        proof, public.key, algorithms=[algorithm], options={"verify_iat": False}
    )
    assert (again["header"], again["payload"]) == (header, json.loads(claims))


def test_a_resource_request_names_the_token() -> None:
    # The access token of RFC 9449 section 7.1, and its hash there.
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    url = "https://resource.example.org/protectedresource?a=b#c"
    request = dpop_of().bind("GET", url, token, 1562262618.9)
    assert proof_in(request)[1] == {
        "jti": "A" * 22,
        "htm": "GET",
        "htu": "https://resource.example.org/protectedresource",
        "iat": 1562262618,
        "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
    }
    assert isinstance(request, RequestToSend)
    assert request.header("Authorization") == f"DPoP {token}"
    assert request.endpoint is Endpoint.RESOURCE


def test_the_proof_alone_is_the_one_that_is_bound() -> None:
    dpop, parts = dpop_of(), ("GET", "https://api.example/a", "token", 1000.0)
    bound = dpop.bind(*parts)
    assert isinstance(bound, RequestToSend)
    assert bound.header("DPoP") == dpop.prove(*parts)


def test_each_token_has_its_own_hash() -> None:
    dpop, of_a = dpop_of(), "ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs"
    hashes = [
        proof_in(dpop.bind("GET", "https://api.example", token, 0.0))[1]["ath"]
        for token in ("b", "a", "a", of_a)
    ]
    of_b, of_the_hash = "PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0", hash_of(of_a)
    assert hashes == [of_b, of_a, of_a, of_the_hash]
    assert of_the_hash != of_a


def hash_of(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip("=")


def test_what_an_object_remembers_is_not_given() -> None:
    given = ["private_key", "alg", "public_jwk", "random_bytes"]
    assert [*signature(DPoP).parameters] == given


@given(st.text(), st.text(st.characters(exclude_characters="?#"), max_size=20))
def test_whatever_method_and_path_hold_stands_in_the_proof(method: str, path: str) -> None:
    bound = dpop_of().bind(method, f"https://api.example/a{path}", "token", 1000.0)
    claims = proof_in(bound)[1]
    assert set(claims) == {"jti", "htm", "htu", "iat", "ath"}
    assert claims["htm"] == method
    if "/." not in path:
        assert claims["htu"] == f"https://api.example/a{path}"


def test_a_request_to_no_url_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="no URL that a DPoP proof could name"):
        dpop_of().bind("GET", "ftp://api.example/", "token", 0.0)


@pytest.mark.parametrize(
    ("public", "thumbprint"),
    [
        ({"kty": "OKP", "crv": "Ed25519", "x": OKP["x"]}, THUMBPRINT),
        (EC, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
    ],
)
def test_thumbprints_of_published_keys(public: dict[str, str], thumbprint: str) -> None:
    dpop = DPoP(RemoteKey("ES256"), public_jwk=public)
    assert dpop.thumbprint == thumbprint
    assert set(dpop.public_jwk or ()) <= {"kty", "crv", "x", "y", "n", "e"}


def test_the_authorization_request_names_the_key() -> None:
    dpop = dpop_of()
    action = client_of(dpop).authorize(redirect_uri="https://app.example/cb").start(0.0)
    assert isinstance(action, Finished)
    assert f"dpop_jkt={THUMBPRINT}" in action.result.url
    pushed = started(client_of(dpop).authorize(redirect_uri="https://app.example/cb", push=True))
    assert ("dpop_jkt", THUMBPRINT) in pushed.form
    assert proof_in(pushed)[1]["htu"] == "https://as.example/par"


def test_requests_that_need_no_proof_carry_none() -> None:
    assert started(client_of(dpop_of()).revoke("t")).header("DPoP") is None


def test_the_secret_of_a_client_goes_along_and_is_not_hashed() -> None:
    client = client_of(dpop_of(), auth=ClientSecretBasic("secret"))
    request = started(client.client_credentials())
    assert (request.header("Authorization") or "").startswith("Basic ")
    assert "ath" not in proof_in(request)[1]


# Keys


def test_new_keys() -> None:
    made = new_private_key(random_bytes=lambda count: b"\x07" * count)
    assert made == new_private_key(random_bytes=lambda count: b"\x07" * count)
    assert sorted(made) == ["crv", "d", "kty", "x", "y"]
    assert DPoP(made).algorithm == "ES256"
    other = new_private_key("Ed25519")
    assert sorted(other) == ["crv", "d", "kty", "x"]
    assert other != new_private_key("Ed25519")
    assert DPoP(other, "Ed25519").algorithm == "Ed25519"
    with pytest.raises(ValueError, match="a new key is for"):
        new_private_key("RS256")


def test_a_key_that_does_not_tell_its_public_half() -> None:
    def sign(_message: bytes) -> bytes:
        return bytes(64)

    for key in (sign, RemoteKey("ES256")):
        with pytest.raises(ValueError, match="give public_jwk="):
            DPoP(key, "ES256")
    request = DPoP(sign, "ES256", public_jwk=EC).bind("GET", "https://a.example", "t", 0.0)
    assert proof_in(request)[0]["jwk"] == EC


@pytest.mark.parametrize(
    ("public", "what"),
    [
        ({"kty": "oct", "k": "AA"}, "no public key"),
        ({}, "no public key"),
        ({"kty": "EC", "crv": "P-256", "x": "AA"}, "lacks one of: crv, kty, x, y"),
        ({"kty": "OKP", "crv": "Ed25519", "x": 5}, "lacks one of"),
    ],
)
def test_a_public_half_that_is_none(public: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        DPoP(RemoteKey("ES256"), public_jwk=public)


def test_a_shared_secret_is_no_key() -> None:
    with pytest.raises(ValueError, match="HS256 takes a secret"):
        DPoP("a secret of thirty-two characters", "HS256")


def test_a_key_elsewhere_signs() -> None:
    key = key_for("ES256")
    public = key.as_dict(private=False)
    dpop = DPoP(RemoteKey("ES256", "k1"), public_jwk=public, random_bytes=bytes)
    flow = client_of(dpop).client_credentials()
    needed = flow.start(1000.0)
    assert isinstance(needed, SignatureNeeded)
    assert needed.key_id == "k1"
    from joserfc import jws

    signature = jws.JWSRegistry.algorithms["ES256"].sign(needed.signing_input, key)
    request = flow.receive(SignatureMade(signature), 1000.0)
    assert isinstance(request, RequestToSend)
    verified(request.header("DPoP") or "", key, "ES256")
    again = flow.receive(asks("n1"), 1001.0)
    assert isinstance(again, SignatureNeeded)
    unsigned = dpop.bind("GET", "https://api.example", "t", 0.0)
    assert isinstance(unsigned, Unsigned)


def test_nothing_of_the_key_is_shown_or_pickled() -> None:
    dpop = dpop_of()
    assert repr(dpop) == f"DPoP(alg='Ed25519', thumbprint='{THUMBPRINT}', algorithm='Ed25519')"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(dpop)


def test_it_is_the_same_whatever_it_has_learnt() -> None:
    dpop = dpop_of()
    dpop.learn(
        cast("RequestToSend", dpop.bind("GET", "https://api.example", "t", 0.0)), says(200, "n")
    )
    assert dpop == dpop_of() != dpop_of(alg=None)
    with pytest.raises(TypeError, match="_nonces"):
        dpop_of(_nonces={})


# Nonces


def test_one_more_try_with_the_nonce() -> None:
    flow = client_of(dpop_of()).client_credentials()
    started(flow)
    again = flow.receive(asks("n-1"), 1001.0)
    assert proof_in(again)[1]["nonce"] == "n-1"
    assert proof_in(again)[1]["iat"] == 1001
    done = flow.receive(says(**BOUND), 1002.0)
    assert isinstance(done, Finished)


def test_not_more_than_one() -> None:
    flow = client_of(dpop_of()).client_credentials()
    started(flow)
    flow.receive(asks("n-1"), 1001.0)
    with pytest.raises(ErrorResponse) as caught:
        flow.receive(asks("n-2"), 1002.0)
    assert caught.value.error == "use_dpop_nonce"


def test_the_nonce_that_was_there_already_is_not_tried_again() -> None:
    client = client_of(dpop_of())
    flow = client.client_credentials()
    started(flow)
    assert isinstance(flow.receive(says(200, "n-1", **BOUND), 1001.0), Finished)
    flow = client.client_credentials()
    assert proof_in(started(flow))[1]["nonce"] == "n-1"
    with pytest.raises(ErrorResponse):
        flow.receive(asks("n-1"), 1001.0)


def test_what_another_request_has_learnt_meanwhile_is_tried() -> None:
    client = client_of(dpop_of())
    slow, quick = client.client_credentials(), client.client_credentials()
    started(slow)
    started(quick)
    assert isinstance(quick.receive(asks("n-1"), 1001.0), RequestToSend)
    again = slow.receive(asks("n-1"), 1001.0)  # its proof had none
    assert proof_in(again)[1]["nonce"] == "n-1"


def test_each_origin_has_its_own_nonce() -> None:
    dpop = dpop_of()
    first = cast("RequestToSend", dpop.bind("GET", "https://API.example:443/a", "t", 0.0))
    assert not dpop.learn(first, says(200, "n-api"))
    other = dpop.bind("GET", "https://api.example:8443/", "t", 0.0)
    assert "nonce" not in proof_in(other)[1]
    same = dpop.bind("POST", "https://api.example/b?c", "t", 0.0)
    assert proof_in(same)[1]["nonce"] == "n-api"


def test_a_nonce_of_any_length_is_worth_one_try() -> None:
    dpop = dpop_of()
    for length in range(1, 21):
        nonce = "n" * length
        for is_worth_it in (True, False):
            request = cast("RequestToSend", dpop.bind("GET", "https://api.example", "t", 0.0))
            assert dpop.learn(request, asks(nonce)) is is_worth_it


def test_only_so_many_are_remembered() -> None:
    dpop = dpop_of()

    def visit(number: int, nonce: str | None = None) -> object:
        request = cast("RequestToSend", dpop.bind("GET", f"https://a{number}.example", "t", 0.0))
        dpop.learn(request, says(200, nonce))
        return proof_in(request)[1].get("nonce")

    for number in range(64):
        visit(number, f"n-{number}")
    visit(0, "n-newer")  # so that 1 is the oldest
    visit(64, "n-last")
    assert visit(1) is None
    assert visit(0) == "n-newer"
    assert visit(2) == "n-2"


@pytest.mark.parametrize(
    "values", [[], ["n-1", "n-2"], [""], ["n 1"], ['n"1'], ["n\\1"], ["n\x00"], ["n" * 2049]]
)
def test_a_nonce_that_is_none_is_not_learnt(values: list[str]) -> None:
    dpop = dpop_of()
    request = cast("RequestToSend", dpop.bind("GET", "https://api.example", "t", 0.0))
    refusal = ResponseReceived(
        status=401, headers=(CHALLENGE, *(("DPoP-Nonce", value) for value in values))
    )
    assert not dpop.learn(request, refusal)
    assert "nonce" not in proof_in(dpop.bind("GET", "https://api.example", "t", 0.0))[1]


@given(st.lists(st.text() | st.sampled_from(["n-1", "n-2"]), max_size=3), st.booleans())
def test_whatever_is_handed_out_the_next_proof_can_be_sent(values: list[str], asked: bool) -> None:
    dpop = dpop_of()
    request = cast("RequestToSend", dpop.bind("GET", "https://api.example", "t", 0.0))
    headers = tuple(("DPoP-Nonce", value) for value in values)
    again = dpop.learn(
        request, ResponseReceived(status=401, headers=(*headers, *[CHALLENGE] * asked))
    )
    assert not again or (asked and len(values) == 1)
    proof = cast("RequestToSend", dpop.bind("GET", "https://api.example", "t", 0.0)).header("DPoP")
    assert proof is not None
    assert proof.isascii()
    assert proof.isprintable()


def test_a_request_without_a_proof_is_not_repeated() -> None:
    dpop = dpop_of()
    request = started(client_of(dpop).revoke("t"))
    assert not dpop.learn(request, asks("n-1"))
    assert proof_in(started(client_of(dpop).client_credentials()))[1]["nonce"] == "n-1"


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (401, (CHALLENGE,), b"", True),
        (400, (CHALLENGE,), b"", False),
        (400, (), b'{"error": "use_dpop_nonce"}', True),
        (401, (), b'{"error": "use_dpop_nonce"}', True),
        (403, (CHALLENGE,), b'{"error": "use_dpop_nonce"}', False),
        (200, (), b'{"error": "use_dpop_nonce"}', False),
        (400, (), b'{"error": "invalid_dpop_proof"}', False),
        (400, (), b'"use_dpop_nonce"', False),
        (400, (), b"use_dpop_nonce", False),
        (401, (("WWW-Authenticate", 'Bearer error="use_dpop_nonce"'),), b"", False),
    ],
)
def test_what_asks_for_a_nonce(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes, expected: bool
) -> None:
    response = ResponseReceived(status=status, headers=headers, body=body)
    assert asks_for_nonce(response) is expected


# Servers


def test_a_server_that_takes_no_such_proofs_is_refused() -> None:
    server = Server(dpop_signing_alg_values_supported=("ES256", "PS256"))
    with pytest.raises(LocalProtocolError, match="Ed25519.*one of: ES256, PS256"):
        client_of(dpop_of(), server)
    assert client_of(DPoP(rsa_key(), "PS256"), server).dpop


@pytest.mark.parametrize("kind", ["Bearer", "bearer", None, "mac", 5])
def test_a_token_that_is_not_bound_is_refused(kind: object) -> None:
    members = {name: value for name, value in BOUND.items() if name != "token_type"}
    if kind is not None:
        members["token_type"] = kind
    client = client_of(dpop_of())
    device = DeviceAuthorization(
        device_code="d",
        user_code="u",
        verification_uri="https://as.example/device",
        expires_at=9000.0,
        interval=5.0,
    )
    old = OAuth2Token(refresh_token="r", token_type="DPoP")
    flows: list[Flow[Any]] = [client.client_credentials(), client.refresh(old)]
    flows += [exchange_token(client, "s"), poll_device(client, device)]
    for flow in flows:
        action = flow.start(1000.0)
        if isinstance(action, Wait):
            action = flow.receive(WaitElapsed(), 1005.0)
        assert "DPoP" in dict(cast("RequestToSend", action).headers)
        with pytest.raises(RemoteProtocolError) as caught:
            flow.receive(says(**members), 1001.0)
        assert caught.value.error == "token_not_bound"
        assert caught.value.response is not None
        assert b'"access_token": "a"' in caught.value.response.body


def test_bound_tokens_of_any_letter_case_and_tokens_that_are_no_access_tokens() -> None:
    client = client_of(dpop_of())
    for kind in ("DPoP", "dpop", "N_A"):
        flow = exchange_token(client, "s", requested_token_type=TokenType.ID_JAG)
        started(flow)
        answer = says(**BOUND | {"token_type": kind, "issued_token_type": TokenType.ID_JAG.value})
        assert isinstance(flow.receive(answer, 1001.0), Finished)


def test_curves() -> None:
    for algorithm in CURVES:
        assert DPoP(key_for(algorithm)).algorithm == algorithm
