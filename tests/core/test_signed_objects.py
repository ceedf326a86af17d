"""Every object that this library signs, with every algorithm: joserfc and PyJWT verify each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt as pyjwt
import pytest
from joserfc.jwk import OctKey

from oauth2_sansio import (
    AssertionAudience,
    Client,
    ClientSecretBasic,
    ClientSecretJWT,
    DPoP,
    Finished,
    JWTAssertion,
    PrivateKeyJWT,
    RequestObject,
    RequestToSend,
    Server,
    assert_jwt,
    authenticate_backchannel,
)

from .keys_for_tests import ALL, SECRET, key_for, pem_of, verified

ISSUER = "https://as.example"
SERVER = Server(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    pushed_authorization_request_endpoint=f"{ISSUER}/par",
    backchannel_authentication_endpoint=f"{ISSUER}/backchannel",
)
NOW = 1_700_000_000.0
SHARED = SECRET * 2
FOR_ISSUER = AssertionAudience.ISSUER
AUTH = ClientSecretBasic("hush")


def client_of(**settings: Any) -> Client:
    return Client(**{"server": SERVER, "client_id": "app", "auth": AUTH, **settings})


def sent(flow: Any) -> RequestToSend:
    action = flow.start(NOW)
    assert isinstance(action, RequestToSend)
    return action


def secret_assertion(key: Any, algorithm: str) -> str:
    client = client_of(auth=ClientSecretJWT(client_secret=key, alg=algorithm, audience=FOR_ISSUER))
    return dict(sent(client.client_credentials()).form)["client_assertion"]


def key_assertion(key: Any, algorithm: str) -> str:
    client = client_of(auth=PrivateKeyJWT(private_key=key, alg=algorithm, audience=FOR_ISSUER))
    return dict(sent(client.client_credentials()).form)["client_assertion"]


def grant(key: Any, algorithm: str) -> str:
    assertion = JWTAssertion(key=key, issuer="app", audience=ISSUER, alg=algorithm)
    return dict(sent(assert_jwt(client_of(), assertion)).form)["assertion"]


def request_in_url(key: Any, algorithm: str) -> str:
    client = client_of(request_object=RequestObject(key, algorithm))
    action = client.authorize(redirect_uri=None).start(NOW)
    assert isinstance(action, Finished)
    return parse_qs(urlsplit(action.result.url).query)["request"][0]


def pushed_request(key: Any, algorithm: str) -> str:
    client = client_of(request_object=RequestObject(key, algorithm))
    return dict(sent(client.authorize(redirect_uri=None, push=True)).form)["request"]


def backchannel_request(key: Any, algorithm: str) -> str:
    client = client_of(request_object=RequestObject(key, algorithm))
    flow = authenticate_backchannel(client, scope="openid", login_hint="alice", signed=True)
    return dict(sent(flow).form)["request"]


def proof(key: Any, algorithm: str) -> str:
    client = client_of(dpop=DPoP(key, algorithm))
    return sent(client.client_credentials()).header("DPoP") or ""


def resource_proof(key: Any, algorithm: str) -> str:
    bound = DPoP(key, algorithm).bind("GET", "https://api.example/", "a-1", NOW)
    assert isinstance(bound, RequestToSend)
    return bound.header("DPoP") or ""


Maker = Callable[[Any, str], str]
PRIVATE: dict[Maker, tuple[str, str | None]] = {
    key_assertion: ("client-authentication+jwt", ISSUER),
    grant: ("JWT", ISSUER),
    request_in_url: ("oauth-authz-req+jwt", ISSUER),
    pushed_request: ("oauth-authz-req+jwt", ISSUER),
    backchannel_request: ("oauth-authz-req+jwt", ISSUER),
    proof: ("dpop+jwt", None),
    resource_proof: ("dpop+jwt", None),
}
BY_SECRET: dict[Maker, tuple[str, str | None]] = {
    secret_assertion: ("client-authentication+jwt", ISSUER),
    grant: ("JWT", ISSUER),
}
MATRIX = [
    pytest.param(make, algorithm, typ, audience, id=f"{make.__name__}-{algorithm}")
    for algorithm in [*ALL, "Ed25519"]
    for make, (typ, audience) in (BY_SECRET if algorithm[:2] == "HS" else PRIVATE).items()
]


@pytest.mark.parametrize(("make", "algorithm", "typ", "audience"), MATRIX)
def test_others_verify_it(make: Maker, algorithm: str, typ: str, audience: str | None) -> None:
    shared = algorithm.startswith("HS")
    text = make(SHARED if shared else pem_of(key_for(algorithm)), algorithm)
    key: Any = OctKey.import_key(SHARED) if shared else key_for(algorithm)
    header, payload = verified(text, key, algorithm)
    claims = json.loads(payload)
    assert header["alg"] == algorithm
    assert header["typ"] == typ
    assert claims.get("aud") == audience
    if algorithm == "Ed25519":  # a name that PyJWT does not know
        return
    found = pyjwt.decode_complete(
        text,
        SHARED if shared else key.as_pem(private=False),
        algorithms=[algorithm],
        audience=audience,
        # the times are those of a test
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (found["header"], found["payload"]) == (header, claims)
