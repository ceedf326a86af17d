"""The place that loads joserfc: each kind of key, and what is no key."""

from __future__ import annotations

import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.dsa import generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import OctKey

from oauth2_sansio import LocalProtocolError
from oauth2_sansio.jose import (
    kind_of,
    load_jwk,
    load_pem,
    new_jwk,
    public_members,
    signer_of,
    verifier_of,
)
from oauth2_sansio.jwt_algorithms import base64url

from .keys_for_tests import OKP, key_for, pem_of

SSH = key_for("EdDSA").private_key.private_bytes(
    Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("RS256", "RSA"), ("ES256", "P-256"), ("EdDSA", "Ed25519")]
)
def test_a_pem_text_is_read_as_what_it_is(algorithm: str, kind: str) -> None:
    key = load_pem(pem_of(key_for(algorithm)).encode())
    assert kind_of(key) == kind
    assert key.as_dict(private=True) == key_for(algorithm).as_dict(private=True)


def test_a_key_of_ssh() -> None:
    assert load_pem(SSH).as_dict(private=True) == OKP


@pytest.mark.parametrize(
    ("pem", "complaint"),
    [
        (key_for("ES256").as_pem(private=False), "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n", r"read \(ValueError"),
        (
            key_for("ES256").private_key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            ),
            "encrypted",
        ),
        (
            generate_private_key(1024).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            r"cannot be read \(TypeError\)",
        ),
    ],
    ids=["public", "broken", "encrypted", "dsa"],
)
def test_a_pem_text_without_a_key_to_use(pem: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as got:
        load_pem(pem)
    assert got.value.__context__ is None


def test_jwk() -> None:
    assert kind_of(load_jwk(OKP)) == "Ed25519"
    assert kind_of(OctKey.import_key("k" * 32)) == "oct"
    with pytest.raises(ValueError, match="this JWK cannot be read"):
        load_jwk({"kty": "EC"})


def test_the_published_signature() -> None:
    """RFC 8037 appendix A.4, under both names of the algorithm."""
    message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signatures = {signer_of(load_jwk(OKP), name)(message) for name in ("EdDSA", "Ed25519")}
    assert [signature.hex()[:16] for signature in signatures] == ["860c98d2297f3060"]


def test_without_joserfc_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
    with pytest.raises(LocalProtocolError, match=r'install "oauth2-sansio\[jose\]"'):
        load_jwk(OKP)


@pytest.mark.parametrize("curve", ["P-256", "Ed25519"])
def test_a_new_key_is_made_of_the_random_bytes(curve: str) -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return b"7" * count

    made = new_jwk(curve, random_bytes)
    assert made == new_jwk(curve, random_bytes)
    assert asked == ([40, 40] if curve == "P-256" else [32, 32])
    key = load_jwk(made)
    assert kind_of(key) == curve
    public = public_members(key)
    assert "d" not in public
    assert {**public, "d": made["d"]}.items() >= made.items()


def test_the_smallest_and_the_largest_number_make_a_key() -> None:
    # SEC 2 section 2.4.2: how many points there are.
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for drawn, number in ((0, 1), (order - 2, order - 1), (order - 1, 1), (order, 2)):
        made = new_jwk("P-256", drawn.to_bytes)
        assert made["d"] == base64url(number.to_bytes(32))
    assert kind_of(load_jwk(new_jwk("P-256", lambda count: b"\xff" * count))) == "P-256"


@pytest.mark.parametrize(
    "algorithm", ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
def test_what_is_signed_is_verified(algorithm: str) -> None:
    key = key_for(algorithm)
    signature = signer_of(key, algorithm)(b"message")
    verify = verifier_of(key.as_dict(private=False))
    assert verify(algorithm, b"message", signature) is True
    assert verify(algorithm, b"another", signature) is False
    assert verify(algorithm, b"message", b"") is False


@pytest.mark.parametrize(("algorithm", "bits"), [("ES256", 256), ("ES384", 384), ("ES512", 521)])
def test_numbers_of_any_length_in_a_signature(algorithm: str, bits: int) -> None:
    class Native:
        key_size = bits

        def sign(self, message: bytes, _way: object) -> bytes:
            return message

    class Key:
        key_type, private_key = "EC", Native()

    sign, length = signer_of(Key(), algorithm), (bits + 7) // 8
    numbers = [1, 127, 128, 255, 256, 1 << bits - 9, 1 << bits - 2, (1 << bits) - 1]
    # Beside the longest of 521 bits these make 127 and 128 bytes: a length of one byte, and of two.
    numbers += [1 << power for power in (454, 462) if power < bits]
    for r in numbers:
        for s in numbers:
            raw = r.to_bytes(length, "big") + s.to_bytes(length, "big")
            assert sign(encode_dss_signature(r, s)) == raw


def test_a_jwk_that_cannot_verify() -> None:
    with pytest.raises(ValueError, match="this JWK cannot be read"):
        verifier_of({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})
