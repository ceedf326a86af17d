"""Assertions that the tests sign themselves, right and wrong."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

SECRET = "a secret of sixty-four bytes or more, as HS512 would like to have it"
KINDS = {
    **dict.fromkeys(("HS256", "HS384", "HS512"), "oct"),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
}
ALGORITHMS = tuple(KINDS)


@cache
def key_of(kind: str) -> Any:
    """Return a private key of a kind, the same in one run."""
    match kind:
        case "oct":
            return OctKey.import_key(SECRET)
        case "RSA":
            return RSAKey.generate_key(2048)
        case "Ed25519":
            return OKPKey.generate_key("Ed25519")
        case _:
            return ECKey.generate_key(kind)


def public_jwk(algorithm: str) -> dict[str, Any]:
    """Return the JWK of what verifies the signatures of an algorithm."""
    kind = KINDS[algorithm]
    return dict(key_of(kind).as_dict(private=kind == "oct"))


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes) -> str:
    """Return a JWT, signed as its header says if that can be."""
    parts = [
        base64url(part if isinstance(part, bytes) else json.dumps(part).encode())
        for part in (header, claims)
    ]
    message = ".".join(parts)
    algorithm = header.get("alg") if not isinstance(header, bytes) else None
    signature = b"no signature"
    if isinstance(algorithm, str) and algorithm in KINDS:
        model = JWSRegistry.algorithms["EdDSA" if algorithm == "Ed25519" else algorithm]
        signature = model.sign(message.encode(), key_of(KINDS[algorithm]))
    return f"{message}.{base64url(signature)}"


def without(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return members with changes; `...` leaves one out."""
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}
