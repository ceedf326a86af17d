"""JWTs as servers sign them, and worse ones: made without this library."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

from joserfc import jws

from .keys_for_tests import SECRET, key_for

ISSUER = "https://as.example"
NOW = 1_700_000_000.0
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": "app", "exp": NOW + 60}


def encoded(part: object) -> str:
    """Return bytes, or anything else as JSON, in base64url."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_jwt(
    claims: object = None, algorithm: str = "ES256", *, key: Any = None, **header: Any
) -> str:
    """Return a JWT that is signed as its header says; a header of None is left out.

    claims: what `CLAIMS` are where it is left out.
    key: of joserfc; for HS256 and its kind bytes, or the secret of the tests.
    """
    members = {"alg": algorithm, **header}
    members = {name: value for name, value in members.items() if value is not None}
    message = f"{encoded(members)}.{encoded(CLAIMS if claims is None else claims)}"
    if algorithm.startswith("HS"):
        secret = key or (SECRET * 2).encode()
        return f"{message}.{encoded(hmac.digest(secret, message.encode(), f'sha{algorithm[2:]}'))}"
    model = jws.JWSRegistry.algorithms["EdDSA" if algorithm == "Ed25519" else algorithm]
    return f"{message}.{encoded(model.sign(message.encode(), key or key_for(algorithm)))}"


def public_jwk(algorithm: str, **members: Any) -> dict[str, Any]:
    """Return the public half of the key for an algorithm; a member of None is left out."""
    found = {**key_for(algorithm).as_dict(private=False), **members}
    return {name: value for name, value in found.items() if value is not None}


def jwk_set(*algorithms: str) -> dict[str, Any]:
    """Return a JWK Set of these keys, each with the `kid` k-ALGORITHM."""
    return {"keys": [public_jwk(each, kid=f"k-{each}") for each in algorithms]}
