"""The name of a certificate, as tokens that are bound to it have it (RFC 8705 section 3.1)."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from .jwt_algorithms import base64url

_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----"
)
_SEQUENCE = 0x30  # what DER begins a certificate with (RFC 5280 section 4.1)


def certificate_thumbprint(certificate: bytes | str) -> str:
    """Return the `x5t#S256` of a certificate (RFC 8705 section 3.1).

    certificate: PEM, of which the first certificate counts, or DER.
    A token that is bound to the certificate has it in `cnf`, as introspection tells.
    Raises `ValueError` for what is no certificate.
    """
    given = certificate.encode("ascii", "replace") if isinstance(certificate, str) else certificate
    return base64url(sha256(_der(given)).digest())


def _der(given: bytes) -> bytes:
    found = _PEM.search(given)
    try:
        der = (
            given if found is None else base64.b64decode(b"".join(found[1].split()), validate=True)
        )
    except ValueError:
        der = b""
    if _length_of_sequence(der) != len(der):
        raise ValueError("this is no certificate: give its PEM or its DER")
    return der


def _length_of_sequence(der: bytes) -> int:
    # A certificate has 128 bytes or more, and fewer than 16 MiB: two to four bytes tell.
    if len(der) < 6 or der[0] != _SEQUENCE or not 0x81 <= der[1] <= 0x83:
        return -1
    count = der[1] - 0x80
    return 2 + count + int.from_bytes(der[2 : 2 + count], "big")
