"""Keys that the tests sign with: published ones, and one RSA key for the whole run."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

# RFC 8037 appendix A.
OKP: dict[str, Any] = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
SECRET = "cf136dc3c1fc93f31185e5885805d-32bytes!!"
# Their security warnings are about names and recommendations, not about our use.
ALL = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
ALL += ["ES256", "ES384", "ES512", "EdDSA"]


@cache
def rsa_key() -> RSAKey:
    """Return an RSA key of the least size that is allowed."""
    return RSAKey.generate_key(2048)


@cache
def key_for(algorithm: str) -> Any:
    """Return a private key for an algorithm."""
    if algorithm in CURVES:
        return ECKey.generate_key(CURVES[algorithm])
    return OKPKey.import_key(OKP) if algorithm in ("EdDSA", "Ed25519") else rsa_key()


def pem_of(key: Any) -> str:
    """Return the PEM text of a private key."""
    return str(key.as_pem(private=True), "ascii")


def verified(token: str, key: Any, algorithm: str) -> tuple[dict[str, Any], bytes]:
    """Return header and payload of a JWT whose signature joserfc has verified."""
    model = jws.JWSRegistry.algorithms["EdDSA" if algorithm == "Ed25519" else algorithm]
    message, _, signature = token.rpartition(".")
    assert model.verify(message.encode(), urlsafe_b64decode(signature.encode()), key)
    # Decoded here: joserfc reads no header that is longer than 512 bytes, as one with an RSA key is.
    header, payload = (urlsafe_b64decode(part.encode()) for part in message.split("."))
    return dict(json.loads(header)), payload
