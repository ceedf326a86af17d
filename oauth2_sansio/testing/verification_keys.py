"""The keys that the server verifies signatures with: read once, when they are handed over."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, TypeAlias

from oauth2_sansio.errors import LocalProtocolError

PublicKey: TypeAlias = str | bytes | Mapping[str, Any]
"""The PEM text of a key, or a JWK. Of a private key the public half is used."""

ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("HS256", "HS384", "HS512"), "oct"),
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
        "ES256": "P-256",
        "ES384": "P-384",
        "ES512": "P-521",
        **dict.fromkeys(("EdDSA", "Ed25519"), "Ed25519"),
    }
)
"""The algorithms (RFC 7518 section 3.1, RFC 8037, RFC 9864), and the kind of key for each."""

_SERIALIZATION = "cryptography.hazmat.primitives.serialization"
_SMALLEST_RSA_KEY = 2048  # bits; RFC 7518 section 3.3


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key that was read and checked.

    kind: `oct`, `RSA`, or the name of a curve.
    key_id: its `kid`, if it has one.
    algorithm: the only one that it is for, if it says so.
    verify: says whether a signature is right, given the algorithm, the message and the signature.
    """

    kind: str
    key_id: str | None
    algorithm: str | None
    verify: Callable[[str, bytes, bytes], bool] = field(repr=False)

    def fits(self, algorithm: str, key_id: str | None) -> bool:
        """Return whether a JWT with this header may have been signed with this key."""
        return (
            ALGORITHMS.get(algorithm) == self.kind
            and self.algorithm in (None, algorithm)
            and (key_id is None or self.key_id in (None, key_id))
        )


def read_public_key(key: PublicKey) -> VerificationKey:
    """Read a key that verifies.

    Raises `ValueError` for one that cannot be read or is not for signatures, and
    `LocalProtocolError` where joserfc is missing; a JWK that is a secret (`oct`) needs none.
    """
    if isinstance(key, Mapping):
        return _from_jwk(key)
    return _of_joserfc(_attempt(lambda: _load_pem(key), "this PEM text"), {})


def secret_key(secret: str) -> VerificationKey:
    """Return a secret that client and server share, as a key (RFC 7518 section 3.2)."""
    return _of_secret(secret.encode(), {})


def _from_jwk(members: Mapping[str, Any]) -> VerificationKey:
    if members.get("use") not in (None, "sig"):
        raise ValueError("this JWK is not for signatures, by its own use")
    if members.get("kty") == "oct":
        return _of_secret(_attempt(lambda: _decoded(members["k"]), "this JWK"), members)
    registry = _load("joserfc.jwk").JWKRegistry
    # What may be done with the private half says nothing of the public one.
    public = {name: value for name, value in members.items() if name != "key_ops"}
    return _of_joserfc(_attempt(lambda: registry.import_key(public), "this JWK"), members)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _load_pem(key: str | bytes) -> Any:
    pem = key.encode() if isinstance(key, str) else key
    jwk, serialization = _load("joserfc.jwk"), _load(_SERIALIZATION)
    if b"PRIVATE KEY-----" in pem:
        native = serialization.load_pem_private_key(pem, None).public_key()
    else:
        native = serialization.load_pem_public_key(pem)
    for kind in (jwk.RSAKey, jwk.ECKey, jwk.OKPKey):
        if kind.binding.check_cryptography_key(native):
            return kind(native, native)
    raise TypeError(type(native).__name__)


def _of_secret(secret: bytes, members: Mapping[str, Any]) -> VerificationKey:
    if not secret:
        raise ValueError("this secret is empty")

    def verify(algorithm: str, message: bytes, signature: bytes) -> bool:
        right = hmac.digest(secret, message, f"sha{algorithm[2:]}")
        return hmac.compare_digest(right, signature)

    return VerificationKey("oct", members.get("kid"), members.get("alg"), verify)


def _of_joserfc(key: Any, members: Mapping[str, Any]) -> VerificationKey:
    kind = str(getattr(key, "curve_name", key.key_type))
    if kind not in ALGORITHMS.values():
        raise ValueError(f"keys of the kind {kind} are not for signatures")
    if kind == "RSA" and key.raw_value.key_size < _SMALLEST_RSA_KEY:
        raise ValueError(f"an RSA key has {_SMALLEST_RSA_KEY} bits or more")
    models = _load("joserfc.jws").JWSRegistry.algorithms

    def verify(algorithm: str, message: bytes, signature: bytes) -> bool:
        model = models["EdDSA" if algorithm == "Ed25519" else algorithm]
        return bool(model.verify(message, signature, key))

    return VerificationKey(kind, members.get("kid"), members.get("alg"), verify)


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise LocalProtocolError(
            "to verify with a public key takes joserfc, which is not installed",
            advice='install "oauth2-sansio[jose]"; client_secret_jwt works without it',
        ) from error


def _attempt(read: Callable[[], Any], what: str) -> Any:
    try:
        return read()
    except LocalProtocolError:
        raise
    except Exception as error:  # noqa: BLE001 - the libraries raise a dozen kinds for bad keys
        kind = type(error).__name__
    raise ValueError(f"{what} cannot be read ({kind})")  # outside: the exception may hold the key
