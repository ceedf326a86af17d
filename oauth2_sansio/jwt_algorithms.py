"""The algorithms that JWTs are signed with, what each needs of a key, and base64url."""

from __future__ import annotations

import base64
import re
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .errors import printable

SMALLEST_RSA_KEY = 2048
"""Bits of an RSA key, at least (RFC 7518 section 3.3)."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What an algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1) needs.

    kind: of key: `RSA`, `oct` (a shared secret), or the name of a curve.
    length: of a signature, in bytes; None where the key decides.
    """

    kind: str
    length: int | None = None


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "HS256": Algorithm("oct", 32),
        "HS384": Algorithm("oct", 48),
        "HS512": Algorithm("oct", 64),
        "RS256": Algorithm("RSA"),
        "RS384": Algorithm("RSA"),
        "RS512": Algorithm("RSA"),
        "PS256": Algorithm("RSA"),
        "PS384": Algorithm("RSA"),
        "PS512": Algorithm("RSA"),
        "ES256": Algorithm("P-256", 64),
        "ES384": Algorithm("P-384", 96),
        "ES512": Algorithm("P-521", 132),
        "EdDSA": Algorithm("Ed25519", 64),
        "Ed25519": Algorithm("Ed25519", 64),  # its newer name (RFC 9864)
    }
)
"""All that are known, by their JOSE names. `none` is not among them."""

PUBLIC_MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EC": ("crv", "kty", "x", "y"),
        "OKP": ("crv", "kty", "x"),
        "RSA": ("e", "kty", "n"),
    }
)
"""For each `kty`, what makes up a public JWK (RFC 7638 section 3.2, RFC 8037 section 2), in order."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def find_algorithm(name: str) -> Algorithm:
    """Return an algorithm by its name; raise `ValueError` for one that is not known."""
    found = ALGORITHMS.get(name)
    if found is None:
        shown = printable(str(name), 40)
        raise ValueError(f"no algorithm {shown}; there are: {', '.join(ALGORITHMS)}")
    return found


def base64url(raw: bytes) -> str:
    """Return bytes in base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def read_base64url(text: str) -> bytes:
    """Return the bytes in a base64url text without padding; raise `ValueError` for another one."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("it is no base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
