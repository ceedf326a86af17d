"""Requests over httpx with a signature in them, beside a signature and a request by hand."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from oauth2_sansio import DPoP, PrivateKeyJWT

from .comparing import Case, Group
from .keys import assertion_by_hand, ec_key, rsa_key, signing_too
from .material import CREDENTIALS, TOKEN, TOKEN_URL, module
from .measuring import Step
from .over_httpx import NEW_TOKEN, TRANSPORT, asking, client_of_authlib, get_by_hand, new_client

# A token that is bound to a key.


def _get_and_sign(port: int) -> Step | None:
    return signing_too(get_by_hand(port))


def _get_with_proof(port: int) -> Step | None:
    key = ec_key()
    if key is None:
        return None
    bound = {**TOKEN, "token_type": "DPoP"}
    return asking(new_client(token=bound, dpop=DPoP(key.pem)), port)


# A token by private_key_jwt.


def _sign_and_post(algorithm: str) -> Callable[[int], Step | None]:
    def build(_port: int) -> Step | None:
        key = rsa_key() if algorithm == "RS256" else ec_key()
        if key is None:
            return None
        client = httpx.Client(transport=TRANSPORT, trust_env=False)
        headers = {name: CREDENTIALS[name] for name in CREDENTIALS if name != "Authorization"}
        form = {
            **NEW_TOKEN,
            "client_id": "a-client",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }

        def step() -> object:
            assertion = assertion_by_hand(key, algorithm)
            signed = {**form, "client_assertion": assertion}
            return client.post(TOKEN_URL, data=signed, headers=headers)

        return step

    return build


def _fetch_signed(algorithm: str) -> Callable[[int], Step | None]:
    def build(_port: int) -> Step | None:
        key = rsa_key() if algorithm == "RS256" else ec_key()
        if key is None:
            return None
        method = PrivateKeyJWT(private_key=key.pem, alg=algorithm)
        client = new_client(transport=TRANSPORT, token_endpoint_auth_method=method)
        return client.fetch_token

    return build


def _fetch_signed_of_authlib(_port: int) -> Step | None:
    key = rsa_key()
    if key is None:
        return None
    client = client_of_authlib(
        "OAuth2Client",
        httpx.Client,
        transport=TRANSPORT,
        client_secret=key.pem,
        token_endpoint_auth_method="private_key_jwt",
    )
    if client is None:
        return None
    client.register_client_auth_method(module("authlib.oauth2.rfc7523").PrivateKeyJWT(TOKEN_URL))
    return lambda: client.fetch_token(grant_type="client_credentials")


def _signed(algorithm: str) -> Group:
    cases: dict[str, Case] = {
        "a signature, and client.post": _sign_and_post(algorithm),
        "OAuth2Client": _fetch_signed(algorithm),
    }
    if algorithm == "RS256":  # Authlib reads each key for this method as one of RSA
        cases["Authlib"] = _fetch_signed_of_authlib
    return Group(
        f"private-key-jwt-{algorithm.lower()}",
        f"fetch_token by private_key_jwt with {algorithm}, over a canned transport of httpx",
        1.1,
        "OAuth2Client",
        cases,
        times=40,
    )


GROUPS = (
    Group(
        "httpx-dpop",
        "A request with a DPoP-bound token over httpx, on the loopback interface",
        1.1,
        "OAuth2Client, dpop=",
        {
            "a bare one, and an ES256 signature": _get_and_sign,
            "OAuth2Client, dpop=": _get_with_proof,
        },
        times=40,
    ),
    _signed("RS256"),
    _signed("ES256"),
)
"""The groups, in the order in which they are printed."""
