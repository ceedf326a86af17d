"""Keys to sign with, where cryptography is installed, and signatures by hand."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from .material import TOKEN_URL
from .measuring import Step


@dataclass(frozen=True, slots=True)
class Key:
    """A private key, and its PEM text."""

    key: Any
    pem: str


def ec_key() -> Key | None:
    """Return a new key for ES256."""
    if not _can_sign():
        return None
    from cryptography.hazmat.primitives.asymmetric import ec

    return _with_pem(ec.generate_private_key(ec.SECP256R1()))


def rsa_key() -> Key | None:
    """Return a new key for RS256."""
    if not _can_sign():
        return None
    from cryptography.hazmat.primitives.asymmetric import rsa

    return _with_pem(rsa.generate_private_key(65_537, 2_048))


def sign_es256(key: Key, message: bytes = b"x" * 300) -> bytes:
    """Return a signature as JOSE has it: r and s."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    r, s = decode_dss_signature(key.key.sign(message, _ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signing_too(ask: Step) -> Step | None:
    """Return a step that makes a signature for ES256 before it asks, as a proof takes one."""
    key = ec_key()
    if key is None:
        return None

    def step() -> object:
        sign_es256(key)
        return ask()

    return step


def sign_rs256(key: Key, message: bytes) -> bytes:
    """Return a signature."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signature: bytes = key.key.sign(message, PKCS1v15(), SHA256())
    return signature


def assertion_by_hand(key: Key, algorithm: str) -> str:
    """Return a client's JWT (RFC 7523 section 2.2), made by what Python and cryptography have."""
    now = int(time.time())
    claims = {
        "iss": "a-client",
        "sub": "a-client",
        "aud": TOKEN_URL,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + 60,
    }
    header = _base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    message = f"{header}.{_base64url(json.dumps(claims).encode())}"
    sign = sign_rs256 if algorithm == "RS256" else sign_es256
    return f"{message}.{_base64url(sign(key, message.encode()))}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _can_sign() -> bool:
    return find_spec("cryptography") is not None and find_spec("joserfc") is not None


def _with_pem(key: Any) -> Key:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Key(key, pem.decode())


def _ECDSA(digest: Any) -> Any:  # noqa: N802 - the name that it has there
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    return ECDSA(digest)
