"""The one place that loads joserfc (the extra `jose`), and that only when a key needs it.

Nothing here is called for a request: what comes out is a function that signs, or one that verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from .errors import LocalProtocolError

_SERIALIZATION = "cryptography.hazmat.primitives.serialization"
_ASYMMETRIC = "cryptography.hazmat.primitives.asymmetric"
_ORDER_OF_P_256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def load_pem(pem: bytes) -> Any:
    """Return the private key in a PEM text as a key of joserfc: RSA, EC, or Ed25519.

    Raises `ValueError` for a text that holds none, or an encrypted one.
    """
    if b"PRIVATE KEY-----" not in pem:
        raise ValueError("this PEM text holds no private key")
    if b"ENCRYPTED" in pem:
        raise ValueError("this PEM text is encrypted: decrypt it before you hand it over")
    jwk, serialization = _load("joserfc.jwk"), _load(_SERIALIZATION)
    is_ssh = b"OPENSSH PRIVATE" in pem
    load = serialization.load_ssh_private_key if is_ssh else serialization.load_pem_private_key

    def read() -> Any:
        native = load(pem, None)  # once: to try the three kinds in turn would read it up to thrice
        for kind in (jwk.RSAKey, jwk.ECKey, jwk.OKPKey):
            if kind.binding.check_cryptography_key(native):
                return kind(native, native)  # `import_key` warns of sizes: `read_key` refuses them
        raise TypeError(type(native).__name__)

    return _attempt(read, "this PEM text")


def load_jwk(members: Mapping[str, Any]) -> Any:
    """Return a JWK (RFC 7517) as a key of joserfc; raise `ValueError` for one that is none."""
    registry = _load("joserfc.jwk").JWKRegistry
    return _attempt(lambda: registry.import_key(dict(members)), "this JWK")


def kind_of(key: Any) -> str:
    """Return what a key of joserfc is: `RSA`, `oct`, or the name of its curve."""
    kind = _attempt(lambda: getattr(key, "curve_name", key.key_type), "this key")
    return str(kind)


def public_members(key: Any) -> dict[str, Any]:
    """Return the public half of a key of joserfc as a JWK."""
    members: dict[str, Any] = _attempt(lambda: key.as_dict(private=False), "this key")
    return members


def new_jwk(curve: str, random_bytes: Callable[[int], bytes]) -> dict[str, str]:
    """Return a new private key as a JWK.

    curve: P-256 or Ed25519.
    random_bytes: makes so many random bytes; the same ones make the same key.
    """
    jwk = _load("joserfc.jwk")
    if curve == "Ed25519":
        ed25519 = _load(f"{_ASYMMETRIC}.ed25519")
        native = ed25519.Ed25519PrivateKey.from_private_bytes(random_bytes(32))
        members = jwk.OKPKey(native, native).as_dict(private=True)
    else:
        elliptic = _load(f"{_ASYMMETRIC}.ec")
        # 64 bits more than the order has, so that no remainder is likelier (FIPS 186-5 A.2.1).
        number = int.from_bytes(random_bytes(40)) % (_ORDER_OF_P_256 - 1) + 1
        native = elliptic.derive_private_key(number, elliptic.SECP256R1())
        members = jwk.ECKey(native, native).as_dict(private=True)
    return {name: members[name] for name in ("kty", "crv", "x", "y", "d") if name in members}


def signer_of(key: Any, algorithm: str) -> Callable[[bytes], bytes]:
    """Return what signs with a key of joserfc.

    algorithm: one that fits the key.
    """
    name = "EdDSA" if algorithm == "Ed25519" else algorithm  # the same under its newer name
    model = _load("joserfc.jws").JWSRegistry.algorithms[name]
    if key.key_type == "EC":
        return _signer_by_ecdsa(key.private_key, model.hash_alg())

    def sign(message: bytes) -> bytes:
        signature: bytes = model.sign(message, key)
        return signature

    return sign


def verifier_of(members: Mapping[str, Any]) -> Callable[[str, bytes, bytes], bool]:
    """Return what verifies with a public JWK: given the algorithm, the message and the signature.

    members: those that make up the key, and no others.
    Raises `ValueError` for a JWK that is none.
    """
    key = load_jwk(members)
    models = _load("joserfc.jws").JWSRegistry.algorithms

    def verify(algorithm: str, message: bytes, signature: bytes) -> bool:
        model = models["EdDSA" if algorithm == "Ed25519" else algorithm]
        return bool(model.verify(message, signature, key))

    return verify


def _signer_by_ecdsa(native: Any, digest: Any) -> Callable[[bytes], bytes]:
    # As joserfc does it, which says anew for each signature how to sign, and makes numbers of what
    # comes: that takes a sixth as long as the signature itself.
    way = _load(f"{_ASYMMETRIC}.ec").ECDSA(digest)
    length = (native.key_size + 7) // 8

    def sign(message: bytes) -> bytes:
        # DER (RFC 3279 section 2.2.3): two numbers, each behind its type and its length, which are
        # behind the type and the length of both.
        der: bytes = native.sign(message, way)
        r = 4 if der[1] < 0x80 else 5
        s = r + der[r - 1] + 2
        # A number has as many bytes as it takes, and one of zero before it where it looks negative.
        first, second = der[r : s - 2][-length:], der[s:][-length:]
        return first.rjust(length, b"\0") + second.rjust(length, b"\0")

    return sign


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise LocalProtocolError(
            "to sign with a private key, or to verify with a public one, takes joserfc, which is "
            "not installed",
            advice='install "oauth2-sansio[jose]"; to sign, a function that signs will do too',
        ) from error


def _attempt(read: Callable[[], Any], what: str) -> Any:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - the libraries raise a dozen kinds for bad keys
        kind = type(error).__name__
    raise ValueError(f"{what} cannot be read ({kind})")  # outside: the exception may hold the key
