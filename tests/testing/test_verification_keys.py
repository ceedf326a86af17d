from __future__ import annotations

import sys
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.testing import AssertionIssuer, RegisteredClient
from oauth2_sansio.testing.verification_keys import (
    ALGORITHMS,
    PublicKey,
    read_public_key,
    secret_key,
)

from .assertions import KINDS, SECRET, key_of, public_jwk, signed

ASYMMETRIC = [algorithm for algorithm in ALGORITHMS if not algorithm.startswith("HS")]


def _parts(algorithm: str) -> tuple[bytes, bytes]:
    from oauth2_sansio.testing.jwt_assertions import read_jwt

    jwt = read_jwt(signed({"alg": algorithm}, {"a": 1}), ("jwt",))
    return jwt.message, jwt.signature


def test_the_algorithms() -> None:
    assert dict(ALGORITHMS) == KINDS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_jwk(algorithm: str) -> None:
    key = read_public_key(public_jwk(algorithm))
    message, signature = _parts(algorithm)
    assert key.fits(algorithm, None)
    assert key.verify(algorithm, message, signature)
    assert not key.verify(algorithm, message + b"x", signature)
    assert not key.verify(algorithm, message, signature[:-1])
    assert not key.verify(algorithm, message, b"")


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_pem_text(algorithm: str, private: bool, as_text: bool) -> None:
    pem: bytes = key_of(KINDS[algorithm]).as_pem(private=private)
    key = read_public_key(pem.decode() if as_text else pem)
    assert key.verify(algorithm, *_parts(algorithm))


def test_a_private_jwk() -> None:
    members = {**key_of("Ed25519").as_dict(private=True), "key_ops": ["sign"]}
    assert read_public_key(members).verify("EdDSA", *_parts("EdDSA"))


def test_a_secret() -> None:
    assert secret_key(SECRET).verify("HS256", *_parts("HS256"))
    assert not secret_key("another").verify("HS256", *_parts("HS256"))


@pytest.mark.parametrize(
    ("members", "algorithm", "key_id", "expected"),
    [
        ({}, "HS256", None, True),
        ({}, "HS512", "any", True),
        ({}, "RS256", None, False),
        ({}, "none", None, False),
        ({}, "", None, False),
        ({"alg": "HS256"}, "HS256", None, True),
        ({"alg": "HS256"}, "HS384", None, False),
        ({"kid": "1"}, "HS256", None, True),
        ({"kid": "1"}, "HS256", "1", True),
        ({"kid": "1"}, "HS256", "2", False),
        ({"use": "sig"}, "HS256", None, True),
    ],
)
def test_which_key_is_meant(
    members: dict[str, Any], algorithm: str, key_id: str | None, expected: bool
) -> None:
    key = read_public_key({**public_jwk("HS256"), **members})
    assert key.fits(algorithm, key_id) is expected


def _x25519_pem() -> bytes:
    pem: bytes = OKPKey.generate_key("X25519").as_pem(private=False)
    return pem


def _dsa_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.dsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = generate_private_key(2048).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _short_rsa_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = generate_private_key(65537, 1024).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("hunter2", "this PEM text cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nhunter2\n", "this PEM text cannot be read"),
        ({"kty": "hunter2"}, "this JWK cannot be read"),
        ({"kty": "EC", "crv": "P-256", "x": "hunter2"}, "this JWK cannot be read"),
        ({"kty": "oct"}, "this JWK cannot be read"),
        ({"kty": "oct", "k": 1}, "this JWK cannot be read"),
        ({"kty": "oct", "k": ""}, "this secret is empty"),
        ({"kty": "oct", "k": "AAAA", "use": "enc"}, "not for signatures"),
    ],
)
def test_a_bad_key(key: PublicKey, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RegisteredClient(client_id="a", keys=(key,))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None
    with pytest.raises(ValueError, match=message):
        AssertionIssuer("a", (key,))


def test_keys_of_other_kinds() -> None:
    with pytest.raises(ValueError, match="kind X25519"):
        read_public_key(_x25519_pem())
    with pytest.raises(ValueError, match="cannot be read"):
        read_public_key(_dsa_pem())
    with pytest.raises(ValueError, match="2048 bits"):
        read_public_key(_short_rsa_pem())


@pytest.mark.parametrize("key", [public_jwk("ES256"), "-----BEGIN PUBLIC KEY-----"])
def test_joserfc_is_missing(monkeypatch: pytest.MonkeyPatch, key: PublicKey) -> None:
    for name in ("joserfc.jwk", "joserfc.jws"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LocalProtocolError, match=r"oauth2-sansio\[jose\]"):
        RegisteredClient(client_id="a", keys=(key,))
    secret = RegisteredClient(client_id="a", keys=(public_jwk("HS256"),))
    assert secret.verification_keys[0].kind == "oct"
