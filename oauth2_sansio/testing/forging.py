"""Misbehaviours of a server that signs: what is wrong with its JWTs."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

from oauth2_sansio.dpop import new_private_key
from oauth2_sansio.events import Endpoint
from oauth2_sansio.jwt_algorithms import base64url
from oauth2_sansio.jwt_signing import SigningKey, read_key

from .determinism import SeededBytes
from .fault import ELSEWHERE, Fault
from .misbehaviour import Misbehaviour

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class UnsignedJWT:
    """A JWT before it is signed.

    sign: signs its bytes.
    public_jwk: the public half of the key that does; empty where it is a secret that is shared.
    is_wanted: false where the server answers without one all the same.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    sign: Callable[[bytes], bytes] = field(repr=False)
    public_jwk: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_wanted: bool = True

    def compact(self) -> str:
        """Return it signed (RFC 7515 section 3.1)."""
        parts = (json.dumps(part).encode() for part in (self.header, self.claims))
        message = ".".join(map(base64url, parts))
        return f"{message}.{base64url(self.sign(message.encode('ascii')))}"

    def with_header(self, **members: object) -> UnsignedJWT:
        """Return it with other members of its header."""
        return replace(self, header={**self.header, **members})

    def with_claims(self, **members: object) -> UnsignedJWT:
        """Return it with other claims; one of None is left out."""
        claims = {**self.claims, **members}
        return replace(
            self, claims={name: value for name, value in claims.items() if value is not None}
        )


Forgery: TypeAlias = Callable[[UnsignedJWT], UnsignedJWT]
"""What becomes of a JWT that the server is about to sign."""


def _jwt(change: Forgery, *endpoints: Endpoint) -> Fault[Forgery]:
    where = endpoints or (Endpoint.AUTHORIZATION, Endpoint.INTROSPECTION)
    return Fault(change, frozenset(where))


def _unsigned(jwt: UnsignedJWT) -> UnsignedJWT:
    def sign(_message: bytes) -> bytes:
        return b""

    return replace(jwt.with_header(alg="none"), sign=sign)


def _confused(jwt: UnsignedJWT) -> UnsignedJWT:
    # The public key as a secret: everybody has it.
    jwk = import_module("joserfc.jwk")
    secret: bytes = jwk.JWKRegistry.import_key(dict(jwt.public_jwk)).as_pem(private=False)

    def sign(message: bytes) -> bytes:
        return hmac.digest(secret, message, "sha256")

    return replace(jwt.with_header(alg="HS256"), sign=sign)


def _strangers_key() -> SigningKey:
    key = read_key(new_private_key(random_bytes=SeededBytes(1)))
    assert isinstance(key, SigningKey)  # it is at hand
    return key


def _by_stranger(jwt: UnsignedJWT, **header: object) -> UnsignedJWT:
    key = _strangers_key()
    return replace(jwt.with_header(alg=key.algorithm, **header), sign=key.sign)


def _with_own_key(jwt: UnsignedJWT) -> UnsignedJWT:
    return _by_stranger(jwt, jwk=dict(_strangers_key().public_jwk or {}))


def _spoilt(jwt: UnsignedJWT) -> UnsignedJWT:
    def sign(message: bytes) -> bytes:
        signature = jwt.sign(message)
        return bytes([signature[0] ^ 1]) + signature[1:]

    return replace(jwt, sign=sign)


def _moved(seconds: int) -> Forgery:
    def change(jwt: UnsignedJWT) -> UnsignedJWT:
        times = {name: jwt.claims[name] + seconds for name in ("iat", "exp") if name in jwt.claims}
        return jwt.with_claims(**times, nbf=times["iat"])

    return change


def _expired(jwt: UnsignedJWT) -> UnsignedJWT:
    return jwt.with_claims(exp=jwt.claims["iat"] - _HOUR)


def _of_nobody(jwt: UnsignedJWT) -> UnsignedJWT:
    return jwt.with_claims(iss=f"{jwt.claims['iss']}/")


FORGERIES: Mapping[Misbehaviour, Fault[Forgery]] = MappingProxyType(
    {
        Misbehaviour.JWT_ALG_NONE: _jwt(_unsigned),
        Misbehaviour.JWT_HS_CONFUSION: _jwt(_confused),
        Misbehaviour.JWT_EMBEDDED_KEY: _jwt(_with_own_key),
        Misbehaviour.JWT_KEY_URL: _jwt(lambda jwt: _by_stranger(jwt, jku=f"{ELSEWHERE}/jwks")),
        Misbehaviour.JWT_UNKNOWN_KEY: _jwt(lambda jwt: _by_stranger(jwt, kid="of-tomorrow")),
        Misbehaviour.JWT_WRONG_SIGNATURE: _jwt(_spoilt),
        Misbehaviour.JWT_CRITICAL_HEADER: _jwt(lambda jwt: jwt.with_header(crit=["exp"], exp=1)),
        Misbehaviour.JWT_WRONG_ISSUER: _jwt(_of_nobody),
        Misbehaviour.JWT_WRONG_AUDIENCE: _jwt(lambda jwt: jwt.with_claims(aud="somebody-else")),
        Misbehaviour.JWT_EXPIRED: _jwt(_expired),
        Misbehaviour.JWT_OF_TOMORROW: _jwt(_moved(24 * _HOUR)),
        Misbehaviour.JWT_WITHOUT_TIMES: _jwt(lambda jwt: jwt.with_claims(iat=None, exp=None)),
        Misbehaviour.JWT_OVERSIZE: _jwt(lambda jwt: jwt.with_claims(padding="x" * 20_000)),
        Misbehaviour.JWT_WRONG_TYPE: _jwt(
            lambda jwt: jwt.with_header(typ="at+jwt"), Endpoint.INTROSPECTION
        ),
        Misbehaviour.PLAIN_INSTEAD_OF_JWT: _jwt(lambda jwt: replace(jwt, is_wanted=False)),
    }
)
