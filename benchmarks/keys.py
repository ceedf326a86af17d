"""Keys to sign with, where cryptography is installed, and signatures by hand."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from .material import TOKEN_URL
from .measuring import Step


@dataclass(frozen=True, slots=True)
class Key:
    """A private key: its PEM text, and what signs with it as JOSE has it."""

    pem: str
    sign: Callable[[bytes], bytes]


def ec_key() -> Key | None:
    """Return a new key for ES256."""
    if not _can_sign():
        return None
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return Key(_pem_of(key), sign)


def rsa_key() -> Key | None:
    """Return a new key for RS256."""
    if not _can_sign():
        return None
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    key = rsa.generate_private_key(65_537, 2_048)
    return Key(_pem_of(key), lambda message: key.sign(message, PKCS1v15(), SHA256()))


def signing_too(ask: Step) -> Step | None:
    """Return a step that makes a signature for ES256 before it asks, as a proof takes one."""
    key, message = ec_key(), b"x" * 300
    if key is None:
        return None

    def step() -> object:
        key.sign(message)
        return ask()

    return step


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
    return f"{message}.{_base64url(key.sign(message.encode()))}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _can_sign() -> bool:
    return find_spec("cryptography") is not None and find_spec("joserfc") is not None


def _pem_of(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()
