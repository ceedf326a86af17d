"""The name of a certificate."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.certificates import certificate_thumbprint
from oauth2_sansio.jwt_algorithms import base64url

# RFC 8705 appendix A.
DER = b64decode(
    "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcw"
    "OVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9Oyl"
    "MbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD"
    "/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY="
)
THUMBPRINT = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
LINES = b64encode(DER).decode()
PEM = "\n".join(
    (
        "-----BEGIN CERTIFICATE-----",
        *(LINES[at : at + 64] for at in range(0, len(LINES), 64)),
        "-----END CERTIFICATE-----",
        "",
    )
)


@pytest.mark.parametrize("given", [DER, PEM, PEM.encode(), PEM.replace("\n", "\r\n")], ids=str)
def test_the_published_thumbprint(given: bytes | str) -> None:
    assert certificate_thumbprint(given) == THUMBPRINT


def test_the_first_certificate_of_a_chain_counts() -> None:
    other = PEM.replace("MIIBBj", "MIIBBm")
    assert certificate_thumbprint(f"a comment\n{PEM}{other}") == THUMBPRINT


@pytest.mark.parametrize(
    "given",
    [
        b"",
        "",
        "ü",
        DER[:-1],
        DER + b"\0",
        b"\x30\x80" + DER[2:],
        LINES,
        PEM.replace("CERTIFICATE", "PRIVATE KEY"),
        PEM.replace("MIIB", "M=IB"),
        PEM.replace("MIIB", ""),
        PEM.replace("SY=", "SY=="),
    ],
)
def test_what_is_no_certificate(given: bytes | str) -> None:
    refuse(given)


def refuse(given: bytes | str) -> None:
    with pytest.raises(ValueError, match="no certificate: give its PEM or its DER"):
        certificate_thumbprint(given)


HEADS = [b"\x30\x81\x03", b"\x30\x81\x80", b"\x30\x82\x01\x00", b"\x30\x83\x01\x00\x00"]


@pytest.mark.parametrize("head", HEADS, ids=bytes.hex)
def test_its_length_is_what_it_says(head: bytes) -> None:
    body = bytes(int.from_bytes(head[2:]))
    assert certificate_thumbprint(head + body) == base64url(sha256(head + body).digest())
    for first in (b"\x2f", b"\x31"):
        refuse(first + head[1:] + body)
    refuse(head + body + b"\0")
    refuse(head + body[1:])


@pytest.mark.parametrize("head", [b"\x30\x81\x02", b"\x30\x80", b"\x30\x84\x00\x00\x00\x80"])
def test_no_certificate_has_such_a_length(head: bytes) -> None:
    refuse(head + bytes(int.from_bytes(head[2:])))


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_anything_is_a_certificate_or_a_value_error(given: bytes | str) -> None:
    try:
        assert len(certificate_thumbprint(given)) == 43
    except ValueError as error:
        assert "no certificate" in str(error)
