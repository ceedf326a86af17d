"""The name of a certificate."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.certificates import certificate_thumbprint

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
    ],
)
def test_what_is_no_certificate(given: bytes | str) -> None:
    with pytest.raises(ValueError, match="no certificate: give its PEM or its DER"):
        certificate_thumbprint(given)


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_anything_is_a_certificate_or_a_value_error(given: bytes | str) -> None:
    try:
        assert len(certificate_thumbprint(given)) == 43
    except ValueError as error:
        assert "no certificate" in str(error)
