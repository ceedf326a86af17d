"""Keys in all their forms, the exact bytes of published JWTs, and what is refused."""

from __future__ import annotations

import hmac
import json
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from oauth2_sansio import Endpoint, LocalProtocolError, RequestToSend, SignatureNeeded, Unsigned
from oauth2_sansio.jwt_algorithms import base64url
from oauth2_sansio.jwt_signing import (
    JWTSigner,
    RemoteKey,
    SigningKey,
    UnsignedJWT,
    own_copy,
    read_key,
    read_private_key,
    read_secret,
)

from .keys_for_tests import ALL, OKP, SECRET, key_for, pem_of, verified

REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example.com/token")
CLAIMS = {"iss": "me"}


def attach(token: str) -> RequestToSend:
    return REQUEST.with_parameters((("jwt", token),))


def signed(key: Any, algorithm: str | None = None, **claims: Any) -> str:
    result = JWTSigner(read_key(key, algorithm), "JWT").attach(claims or CLAIMS, attach)
    assert isinstance(result, RequestToSend)
    return dict(result.form)["jwt"]


@pytest.mark.parametrize("algorithm", [*ALL, "Ed25519"])
def test_each_algorithm_is_verified_by_joserfc(algorithm: str) -> None:
    shared = algorithm.startswith("HS")
    key: Any = SECRET * 2 if shared else pem_of(key_for(algorithm))
    token = signed(key, algorithm)
    checked = OctKey.import_key(SECRET * 2) if shared else key_for(algorithm)
    header, payload = verified(token, checked, algorithm)
    assert header == {"alg": algorithm, "typ": "JWT"}
    assert json.loads(payload) == CLAIMS


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_each_form_of_a_key_says_its_algorithm(algorithm: str) -> None:
    key = key_for(algorithm)
    members = key.as_dict(private=True)
    for form in (key, members, json.dumps(members), pem_of(key), pem_of(key).encode()):
        assert read_key(form).algorithm == algorithm
        assert read_key(form, algorithm).algorithm == algorithm


def test_the_published_mac() -> None:
    """RFC 7515 appendix A.1."""
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    message = (
        b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo"
        b"gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    found = read_key({"kty": "oct", "k": key, "kid": "mine"})
    assert isinstance(found, SigningKey)
    assert (found.algorithm, found.key_id) == ("HS256", "mine")
    assert base64url(found.sign(message)) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_a_mac_needs_no_joserfc() -> None:
    code = (
        "import sys\nfrom oauth2_sansio.jwt_signing import read_secret\n"
        "read_secret('k' * 32).sign(b'x')\n"
        "assert 'joserfc' not in sys.modules and 'cryptography' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_secret_of_joserfc() -> None:
    assert read_secret(OctKey.import_key(SECRET)).algorithm == "HS256"
    assert read_key(OctKey.import_key(SECRET)).algorithm == "HS256"
    assert read_key(OctKey.import_key(SECRET * 2), "HS512").algorithm == "HS512"


def test_what_was_read_is_not_read_again() -> None:
    key = read_key(OKP)
    assert read_key(key) is key
    assert read_key(key, "EdDSA", "other").key_id == "other"
    assert read_key(RemoteKey("ES256", "k1"), "ES256") == RemoteKey("ES256", "k1")
    with pytest.raises(ValueError, match="signs with EdDSA, not with ES256"):
        read_key(key, "ES256")


def test_a_function_that_signs() -> None:
    token = signed(lambda message: message[:1] * 64, "ES256")
    assert token.endswith("." + base64url(b"e" * 64))


@pytest.mark.parametrize(
    ("key", "algorithm", "complaint"),
    [
        (OKP, "none", "no algorithm none"),
        (OKP, "ES256", "is not for this key, which is of the kind Ed25519"),
        (OKP, "RS256", "is not for this key"),
        (key_for("ES384"), "ES256", "of the kind P-384"),
        ({**OKP, "alg": "EdDSA"}, "Ed25519", "is for EdDSA, not for Ed25519"),
        ({**OKP, "alg": "none"}, None, "no algorithm none"),
        ({**OKP, "use": "enc"}, None, "not for signing"),
        ({**OKP, "key_ops": ["verify"]}, None, "not for signing"),
        ({"kty": "oct", "k": "QUJD"}, "ES256", "takes a private key"),
        ({"kty": "oct", "k": "ü"}, None, "no base64url"),
        ({"kty": "oct", "k": f"{'A' * 44}****"}, None, "no base64url"),
        ({"kty": "oct"}, None, "empty"),
        ({"kty": "RSA", "n": "AQAB"}, None, "2048 bits or more, not 17"),
        ({"kty": "EC"}, None, "cannot be read"),
        ({name: OKP[name] for name in ("kty", "crv", "x")}, None, "public key"),
        (ECKey.generate_key("P-256", private=False), None, "public key"),
        ("a password", None, "no private key"),
        ("{no JSON", None, "no JSON"),
        ("", "HS256", "empty"),
        (pem_of(key_for("ES256")), "HS256", "no secret for HS256"),
        (bytes, None, "give alg="),
    ],
)
def test_what_is_refused(key: Any, algorithm: str | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_key(key, algorithm)


def test_a_short_rsa_key() -> None:
    with pytest.warns(UserWarning, match="2048"):
        short = RSAKey.generate_key(1024)
    for form in (short, pem_of(short), short.as_dict(private=True)):
        with pytest.raises(ValueError, match="2048 bits or more, not 1024"):
            read_key(form)


@pytest.mark.parametrize("length", range(32, 36))
def test_a_secret_in_a_jwk_may_have_its_padding(length: int) -> None:
    secret = bytes(range(length))
    for written in (base64url(secret), urlsafe_b64encode(secret).decode()):
        found = read_key({"kty": "oct", "k": written})
        assert isinstance(found, SigningKey)
        assert found.sign(b"x") == hmac.digest(secret, b"x", "sha256")


def test_the_algorithm_of_a_jwk_is_shown_as_far_as_any_name_goes() -> None:
    for name, shown in (("x" * 40, "x" * 40), ("x" * 41, "x" * 37 + "...")):
        with pytest.raises(ValueError, match=f"is for {re.escape(shown)}, not for EdDSA"):
            read_key({**OKP, "alg": name}, "EdDSA")


def test_an_algorithm_for_a_curve_that_nobody_has() -> None:
    class Odd:
        key_type, is_private, curve_name = "EC", True, "P-1"

        def get(self, name: str) -> None:
            return None

    with pytest.raises(ValueError, match="no algorithm none"):
        read_key(Odd())


def test_what_is_no_key() -> None:
    with pytest.raises(TypeError, match="a key is no int"):
        read_key(7)
    with pytest.raises(TypeError, match="a key is no SimpleNamespace"):
        read_key(SimpleNamespace(key_type="EC"))


def test_a_short_secret_is_taken_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="should have 32 bytes or more") as warned:
        assert read_secret("s" * 31).algorithm == "HS256"
    assert warned[0].filename == __file__  # it shows the line of whoever has called
    assert read_secret("s" * 32).algorithm == "HS256"


def test_secrets_and_private_keys_are_not_mistaken() -> None:
    with pytest.raises(ValueError, match="no secret that is shared"):
        read_secret(SECRET, "RS256")
    with pytest.raises(ValueError, match="no private key"):
        read_private_key(SECRET, "HS256")
    assert read_private_key(OKP).algorithm == "EdDSA"


@pytest.mark.parametrize(
    ("headers", "complaint"), [({"alg": "none"}, "contradicts"), ({"b64": False}, "b64")]
)
def test_a_header_cannot_change_how_to_sign(headers: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        JWTSigner(read_key(OKP), "JWT", headers)


def test_members_of_the_header() -> None:
    key = read_key(OKP, key_id="k1")
    result = JWTSigner(key, "JWT", {"alg": "EdDSA", "x": 1}).attach(CLAIMS, attach)
    assert isinstance(result, RequestToSend)
    header, _ = verified(dict(result.form)["jwt"], key_for("EdDSA"), "EdDSA")
    assert list(header.items()) == [("alg", "EdDSA"), ("typ", "JWT"), ("kid", "k1"), ("x", 1)]


def test_a_remote_key_waits_for_its_signature() -> None:
    unsigned = JWTSigner(RemoteKey("EdDSA", "k1"), "JWT").attach(CLAIMS, attach)
    assert isinstance(unsigned, Unsigned)
    needed = unsigned.needed
    assert (needed.algorithm, needed.key_id) == ("EdDSA", "k1")
    assert isinstance(needed, SignatureNeeded)
    local = read_key(OKP)
    assert isinstance(local, SigningKey)
    token = dict(unsigned.attach(local.sign(needed.signing_input)).form)["jwt"]
    assert json.loads(verified(token, key_for("EdDSA"), "EdDSA")[1]) == CLAIMS


def test_a_jwt_alone() -> None:
    here, elsewhere = (JWTSigner(key, "JWT") for key in (read_key(OKP), RemoteKey("EdDSA")))
    made = here.jwt('{"iss":"me"}')
    assert isinstance(made, str)
    assert verified(made, key_for("EdDSA"), "EdDSA")[1] == b'{"iss":"me"}'
    unsigned = elsewhere.jwt('{"iss":"me"}')
    assert isinstance(unsigned, UnsignedJWT)
    assert made.startswith(f"{unsigned.text}.")
    assert unsigned.needed.signing_input == unsigned.text.encode()
    assert unsigned.text not in repr(unsigned)


@pytest.mark.parametrize(
    ("algorithm", "signature", "complaint"),
    [
        ("ES256", b"\x30" * 70, "not DER"),
        ("RS256", b"x" * 255, "255 bytes"),
        ("RS256", "text", "a str"),
    ],
)
def test_what_is_no_signature(algorithm: str, signature: Any, complaint: str) -> None:
    with pytest.raises(LocalProtocolError, match=complaint):
        signed(lambda _message: signature, algorithm)
    unsigned = JWTSigner(RemoteKey(algorithm), "JWT").attach(CLAIMS, attach)
    assert isinstance(unsigned, Unsigned)
    with pytest.raises(LocalProtocolError, match=complaint):
        unsigned.attach(signature)


def test_a_long_rsa_signature() -> None:
    assert signed(lambda _message: b"x" * 512, "RS256").endswith("." + base64url(b"x" * 512))


def test_claims_are_copied_and_have_to_be_json() -> None:
    given = {"a": {"b": [1]}}
    copied = own_copy(given)
    given["a"]["b"].append(2)
    assert copied == {"a": {"b": [1]}}
    with pytest.raises(ValueError, match="Out of range"):
        own_copy({"a": float("nan")})
    with pytest.raises(TypeError, match="not JSON serializable"):
        own_copy({"a": object()})


def test_no_secret_is_shown() -> None:
    assert repr(read_secret(SECRET)) == "SigningKey(algorithm='HS256', key_id=None)"
    key = read_key(OKP, key_id="k-1")
    assert repr(key) == "SigningKey(algorithm='EdDSA', key_id='k-1')"
    assert repr(JWTSigner(key, "JWT", {"x": "hush"})) == f"JWTSigner(key={key!r}, typ='JWT')"


def test_the_order_of_headers_makes_no_other_signer() -> None:
    key = read_key(OKP)
    assert JWTSigner(key, "JWT", {"x": 1, "y": 2}) == JWTSigner(key, "JWT", {"y": 2, "x": 1})
