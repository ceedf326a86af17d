"""Signed authorization requests: what is in them, and what stays outside."""

from __future__ import annotations

import json
import pickle
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt as pyjwt
import pytest

from oauth2_sansio import Client, ClientSecretBasic, PendingAuthorization, RequestObject, Server
from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
)
from oauth2_sansio.jwt_signing import RemoteKey

from .keys_for_tests import CURVES, key_for, pem_of, verified

SERVER = Server(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize?tenant=1",
    pushed_authorization_request_endpoint="https://as.example/par",
)
CLAIMS = {
    "iss": "app",
    "aud": "https://as.example",
    "client_id": "app",
    "iat": 1000,
    "nbf": 1000,
    "exp": 1300,
    "jti": "A" * 22,
}


def client_of(
    request_object: RequestObject | None, server: Server = SERVER, **settings: Any
) -> Client:
    return Client(
        server=server,
        client_id="app",
        request_object=request_object,
        random_bytes=bytes,
        **settings,
    )


def result_of(client: Client, **arguments: Any) -> PendingAuthorization:
    arguments.setdefault("redirect_uri", "https://app.example/cb")
    action = client.authorize(**arguments).start(1000.7)
    assert isinstance(action, Finished)
    return action.result


def query_of(pending: PendingAuthorization) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(pending.url).query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("algorithm", [*CURVES, "RS256", "PS256", "EdDSA", "Ed25519"])
def test_others_verify_it(algorithm: str) -> None:
    key = key_for(algorithm)
    signing = RequestObject(pem_of(key), algorithm, key_id="k-1")
    assert signing.algorithm == algorithm
    query = query_of(result_of(client_of(signing), scope="read", state="st-1"))
    assert query.keys() == {"tenant", "client_id", "request"}
    expected = {
        **CLAIMS,
        "response_type": "code",
        "redirect_uri": "https://app.example/cb",
        "scope": "read",
        "state": "st-1",
        "code_challenge": "DwBzhbb51LfusnSGBa_hqYSgo7-j8BTQnip4TOnlzRo",
        "code_challenge_method": "S256",
    }
    header, payload = verified(query["request"], key, algorithm)
    assert header == {"alg": algorithm, "typ": "oauth-authz-req+jwt", "kid": "k-1"}
    assert json.loads(payload) == expected
    if algorithm != "Ed25519":  # a name that PyJWT does not know
        public = key.as_pem(private=False)
        assert (
            pyjwt.decode(
                query["request"],
                public,
                algorithms=[algorithm],
                audience="https://as.example",
                # the times are those of a test
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            == expected
        )


ES256 = RequestObject(pem_of(key_for("ES256")))


def claims_of(pending: PendingAuthorization) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(
        verified(query_of(pending)["request"], key_for("ES256"), "ES256")[1]
    )
    return claims


def test_json_is_no_text() -> None:
    claims = claims_of(
        result_of(
            client_of(ES256),
            resource=["https://r.example", "https://q.example"],
            nonce="n-1",
            parameters={
                "max_age": "60",
                "claims": '{"id_token":{"acr":null}}',
                "authorization_details": '[{"type":"payment"}]',
                "ui_locales": "de",
            },
        )
    )
    assert claims["resource"] == ["https://r.example", "https://q.example"]
    assert claims["max_age"] == 60
    assert claims["claims"] == {"id_token": {"acr": None}}
    assert claims["authorization_details"] == [{"type": "payment"}]
    assert (claims["nonce"], claims["ui_locales"]) == ("n-1", "de")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_repeats_is_a_list(count: int) -> None:
    resources = [f"https://r{number}.example" for number in range(count)]
    claims = claims_of(result_of(client_of(ES256), resource=resources))
    assert claims["resource"] == (resources if count > 1 else resources[0])


def test_openid_connect_wants_two_parameters_outside_too() -> None:
    pending = result_of(client_of(ES256), scope="openid read")
    query = query_of(pending)
    assert query.keys() == {"tenant", "client_id", "request", "response_type", "scope"}
    assert (query["response_type"], query["scope"]) == ("code", "openid read")
    assert claims_of(pending)["scope"] == "openid read"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"max_age": "soon"}, "max_age is not a whole number"),
        ({"max_age": "-1"}, "max_age is not a whole number"),
        ({"max_age": "²"}, "max_age is not a whole number"),
        ({"claims": "{"}, "claims is not JSON"),
        ({"authorization_details": ""}, "authorization_details is not JSON"),
        ({"request": "e30.e30."}, "holds no other one"),
        ({"request_uri": "urn:x"}, "holds no other one"),
    ],
)
def test_what_cannot_be_signed(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        result_of(client_of(ES256), parameters=parameters)


def test_a_server_without_an_issuer() -> None:
    server = Server(authorization_endpoint="https://as.example/authorize")
    with pytest.raises(LocalProtocolError, match="names the issuer"):
        result_of(client_of(ES256, server))
    named = RequestObject(pem_of(key_for("ES256")), audience="https://other.example", lifetime=1)
    claims = claims_of(result_of(client_of(named, server)))
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("https://other.example", 1)


def test_what_is_pushed_is_signed_and_bare() -> None:
    client = client_of(ES256, auth=ClientSecretBasic("s3cret"))
    flow = client.authorize(redirect_uri=None, scope="openid", push=True)
    request = flow.start(1000.0)
    assert isinstance(request, RequestToSend)
    assert request.endpoint is Endpoint.PUSHED_AUTHORIZATION
    assert [name for name, _ in request.form] == ["client_id", "request"]
    assert request.header("Authorization")
    claims = json.loads(verified(dict(request.form)["request"], key_for("ES256"), "ES256")[1])
    assert claims["scope"] == "openid"
    assert "secret" not in repr(request)
    body = b'{"request_uri": "urn:x", "expires_in": 9}'
    action = flow.receive(ResponseReceived(status=201, body=body), 1000.0)
    assert isinstance(action, Finished)
    assert query_of(action.result) == {"tenant": "1", "client_id": "app", "request_uri": "urn:x"}


@pytest.mark.parametrize("push", [False, True])
def test_a_key_that_is_elsewhere(push: bool) -> None:
    flow = client_of(RequestObject(RemoteKey("ES256", "k-9"))).authorize(
        redirect_uri=None, state="st-1", push=push
    )
    needed = flow.start(1000.0)
    assert isinstance(needed, SignatureNeeded)
    assert (needed.algorithm, needed.key_id) == ("ES256", "k-9")
    action = flow.receive(SignatureMade(b"s" * 64), 1000.0)
    if push:
        assert isinstance(action, RequestToSend)
        assert dict(action.form)["request"].startswith(needed.signing_input.decode())
    else:
        assert isinstance(action, Finished)
        assert query_of(action.result)["request"].startswith(needed.signing_input.decode())


def test_what_is_no_signature() -> None:
    flow = client_of(RequestObject(RemoteKey("ES256", "k-9"))).authorize(redirect_uri=None)
    flow.start(1000.0)
    with pytest.raises(LocalProtocolError):
        flow.receive(SignatureMade(b"short"), 1000.0)


def test_a_server_that_requires_it() -> None:
    server = Server.from_metadata(
        {
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/authorize",
            "require_signed_request_object": True,
        }
    )
    with pytest.raises(LocalProtocolError, match="request_object=RequestObject"):
        client_of(None, server).authorize(redirect_uri=None)
    assert "request" in query_of(result_of(client_of(ES256, server)))


@pytest.mark.parametrize("lifetime", [0, -1])
def test_a_lifetime_has_to_be_one(lifetime: int) -> None:
    with pytest.raises(ValueError, match="lifetime"):
        RequestObject(pem_of(key_for("ES256")), lifetime=lifetime)


@pytest.mark.parametrize("key", ["a secret", {"kty": "oct", "k": "c2VjcmV0" * 6}, None, b""])
def test_a_key_has_to_be_private(key: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        RequestObject(key)


def test_a_key_is_never_shown() -> None:
    assert repr(RequestObject(pem_of(key_for("ES256")), headers={"x": "hush"})) == (
        "RequestObject(alg=None, audience=None, lifetime=300, key_id=None)"
    )
    assert RequestObject(pem_of(key_for("ES256"))) == ES256
    with pytest.raises(TypeError):
        pickle.dumps(ES256)


def test_headers_are_those_of_the_construction() -> None:
    headers = {"x5t#S256": "abc"}
    signing = RequestObject(pem_of(key_for("ES256")), headers=headers)
    headers["x5t#S256"] = "changed"
    request = query_of(result_of(client_of(signing)))["request"]
    assert verified(request, key_for("ES256"), "ES256")[0]["x5t#S256"] == "abc"
