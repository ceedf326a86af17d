"""JWTs of a server: the strict reader, what is believed, and each way to cheat that is known."""

from __future__ import annotations

import json
import pickle
import re
from base64 import urlsafe_b64decode
from dataclasses import FrozenInstanceError, replace
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    ClientSecretJWT,
    LocalProtocolError,
    RemoteProtocolError,
    Server,
    ServerKeys,
)
from oauth2_sansio.jwt_verification import (
    LONGEST_JWT,
    JWTVerification,
    authorization_verification,
    introspection_verification,
    read_jwt,
)

from .keys_for_tests import ALL, SECRET, key_for
from .server_jwts import CLAIMS, ISSUER, NOW, encoded, jwk_set, public_jwk, signed_jwt

KEYS = ServerKeys(jwk_set("RS256", "ES256", "EdDSA"))
VERIFICATION = JWTVerification(issuer=ISSUER, client_id="app", algorithms=("ES256",), keys=KEYS)
SERVER = Server(issuer=ISSUER)


def broken(
    description: str, /, *, error: str | None = None, advice: str | None = None
) -> RemoteProtocolError:
    return RemoteProtocolError(description, error=error, advice=advice)


def claims_in(text: str, verification: JWTVerification = VERIFICATION) -> Any:
    return verification.verify(text, broken).claims


# The reader


def test_a_jwt_is_taken_apart() -> None:
    jwt = read_jwt(signed_jwt(kid="k-1", typ="application/X+JWT"))
    assert (jwt.algorithm, jwt.key_id, jwt.typ) == ("ES256", "k-1", "x+jwt")
    assert jwt.claims == CLAIMS
    assert read_jwt(signed_jwt()).typ is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no signed JWT"),
        (".", "no signed JWT"),
        ("a" * (LONGEST_JWT + 1), "longer than 16384"),
        ("." * LONGEST_JWT, "no signed JWT"),
        ("e30.e30", "no signed JWT"),
        ("e30.e30.e30.e30.e30", "encrypted, which is not supported"),
        ("..", "not JSON"),
        ("e30.e30.", "no alg"),
        ("bnVsbA.e30.", "JSON objects"),
        ("e30.W10.", "JSON objects"),
        ("é.e30.", "no base64url"),
        ("e30=.e30.", "no base64url"),
        (" e30.e30.", "no base64url"),
        (encoded(b'{"a": 1, "a": 1}') + ".e30.", "repeats a member"),
        (f"{encoded(b'[' * 9000)}.e30.", "nested too deeply"),
        (encoded(b'{"a": NaN}') + ".e30.", "not finite"),
        (encoded(b'{"alg": "ES256", "a": "\xff"}') + ".e30.", "not UTF-8"),
        (f"{encoded({'alg': None})}.e30.", "no alg"),
        (f"{encoded({'alg': ['ES256']})}.e30.", "no alg"),
        (signed_jwt(kid=5), "kid or typ"),
        (signed_jwt(typ=["JWT"]), "kid or typ"),
        (signed_jwt(crit=["exp"], exp=1), "not understood"),
        (signed_jwt(crit=[]), "not understood"),
        (signed_jwt(b64=False), "not understood"),
        (f"{signed_jwt()}=", "no base64url"),
    ],
)
def test_what_is_refused_before_anything_is_believed(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_jwt(text)
    with pytest.raises(RemoteProtocolError, match=complaint) as got:
        claims_in(text)
    assert got.value.__context__ is None


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda raw: raw.decode("latin-1")),
        st.lists(st.binary(max_size=40).map(encoded), min_size=2, max_size=6).map(".".join),
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just("ES256")),
        ).map(lambda header: f"{encoded(header)}.{encoded(CLAIMS)}.{'A' * 86}"),
    )
)
def test_any_text_is_refused_with_our_own_error(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        claims_in(text)


# Vectors: RFC 7515 appendices A.1 and A.3, RFC 8037 appendix A.4, OpenID Connect Core appendix A.2

_PAYLOAD = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
_ES256 = (
    f"eyJhbGciOiJFUzI1NiJ9.{_PAYLOAD}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
_OF_A_3 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
_HS256 = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{_PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
_OF_A_1 = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
_ID_TOKEN = (
    "eyJraWQiOiIxZTlnZGs3IiwiYWxnIjoiUlMyNTYifQ.ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiw"
    "KICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qI"
    "iwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAibmFtZSI6ICJKYW5lIERvZSIsCiAiZ2l2ZW5"
    "fbmFtZSI6ICJKYW5lIiwKICJmYW1pbHlfbmFtZSI6ICJEb2UiLAogImdlbmRlciI6ICJmZW1hbGUiLAogImJpcnRoZGF0Z"
    "SI6ICIwMDAwLTEwLTMxIiwKICJlbWFpbCI6ICJqYW5lZG9lQGV4YW1wbGUuY29tIiwKICJwaWN0dXJlIjogImh0dHA6Ly9"
    "leGFtcGxlLmNvbS9qYW5lZG9lL21lLmpwZyIKfQ.rHQjEmBqn9Jre0OLykYNnspA10Qql2rvx4FsD00jwlB0Sym4NzpgvP"
    "KsDjn_wMkHxcp6CilPcoKrWHcipR2iAjzLvDNAReF97zoJqq880ZD1bwY82JDauCXELVR9O6_B0w3K-E7yM2macAAgNCUw"
    "tik6SjoSUZRcf-O5lygIyLENx882p6MtmwaL1hd6qn5RZOQ0TLrOYu0532g9Exxcm-ChymrB4xLykpDj3lUivJt63eEGGN"
    "6DH5K6o33TcxkIjNrCD4XB1CKKumZvCedgHHF3IAK4dVEDSUoGlH9z4pP_eWYNXvqQOjGs-rDaQzUHl6cQQWNiDpWOl_lx"
    "XjQEvQ"
)
_MODULUS = (
    "w7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b-X84BfC8hmCTOj2b2e"
    "HT7NsZegFPKRUQzJ9wW8ipn_aDJWMGDuB1XyqT1E7DYqjUCEOD1b4FLpy_xPn6oV_TYOfQ9fZdbE5HGxJUzekuGcOKqOQ8"
    "M7wfYHhHHLxGpQVgL0apWuP2gDDOdTtpuld4D2LK1MZK99s9gaSjRHE8JDb1Z4IGhEcEyzkxswVdPndUWzfvWBBWXWxtSU"
    "vQGBRkuy1BHOa4sP6FKjWEeeF7gm7UMs2Nm2QUgNZw6xvEDGaLk4KASdIxRQ"
)
_OF_A_2 = {"kty": "RSA", "kid": "1e9gdk7", "e": "AQAB", "n": _MODULUS}
_OF_A_4 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.mark.parametrize(
    ("text", "key"), [(_ES256, _OF_A_3), (_ID_TOKEN, _OF_A_2)], ids=["RFC 7515", "OpenID Connect"]
)
def test_published_signatures(text: str, key: dict[str, Any]) -> None:
    jwt = read_jwt(text)
    (found,) = ServerKeys({"keys": [key]}).find(jwt.algorithm, jwt.key_id)
    assert found.verify(jwt.algorithm, jwt.message, jwt.signature)
    assert not found.verify(jwt.algorithm, jwt.message + b"x", jwt.signature)


def test_the_published_signature_of_ed25519() -> None:
    message, _, signature = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    ).rpartition(".")
    (found,) = ServerKeys({"keys": [_OF_A_4]}).find("EdDSA", None)
    assert found.verify("EdDSA", message.encode(), urlsafe_b64decode(signature + "=="))


def test_the_whole_of_a_published_id_token() -> None:
    verification = JWTVerification(
        issuer="http://server.example.com",
        client_id="s6BhdRkqt3",
        algorithms=("RS256",),
        keys=ServerKeys({"keys": [_OF_A_2]}),
    )
    jwt = verification.verify(_ID_TOKEN, broken)
    assert jwt.claims["nonce"] == "n-0S6_WzA2Mj"
    jwt.check_times(1_311_281_000, broken, required="exp")
    with pytest.raises(RemoteProtocolError, match="jwt_expired"):
        jwt.check_times(1_311_282_001, broken, required="exp")


def test_the_published_mac() -> None:
    verification = JWTVerification(
        issuer="joe", client_id="app", algorithms=("HS256",), secret=urlsafe_b64decode(_OF_A_1)
    )
    with pytest.raises(RemoteProtocolError, match="audience_mismatch"):  # so all before it is right
        verification.verify(_HS256, broken)
    jwt = read_jwt(_HS256)
    assert verification._is_signed(jwt, broken)
    assert not replace(verification, secret=b"another" * 6)._is_signed(jwt, broken)


# What is believed


@pytest.mark.parametrize("algorithm", [*ALL, "Ed25519"])
def test_each_algorithm(algorithm: str) -> None:
    shared = algorithm.startswith("HS")
    verification = JWTVerification(
        issuer=ISSUER,
        client_id="app",
        algorithms=(algorithm,),
        keys=None if shared else ServerKeys({"keys": [public_jwk(algorithm)]}),
        secret=(SECRET * 2).encode() if shared else None,
    )
    text = signed_jwt(algorithm=algorithm)
    assert claims_in(text, verification) == CLAIMS
    head, _, signature = text.rpartition(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for worse in (f"{head}.{flipped}", f"{head}.", f"{head}.{signature[4:]}"):
        with pytest.raises(RemoteProtocolError, match=r"^invalid_signature"):
            claims_in(worse, verification)


def test_one_that_another_library_has_signed() -> None:
    key = key_for("ES256").as_pem(private=True)
    text = pyjwt.encode(CLAIMS, key, algorithm="ES256", headers={"kid": "k-ES256"})
    assert claims_in(text) == CLAIMS


def test_the_audience_may_be_one_of_several() -> None:
    claims = {**CLAIMS, "aud": ["other", "app"]}
    assert claims_in(signed_jwt(claims)) == claims


# The ways to cheat (RFC 8725 section 2)

STRANGER = ECKey.generate_key("P-256")
PUBLIC_PEM = key_for("RS256").as_pem(private=False)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{encoded({'alg': 'none'})}.{encoded(CLAIMS)}.", "unexpected_algorithm"),
        (f"{encoded({'alg': 'nOnE'})}.{encoded(CLAIMS)}.", "unexpected_algorithm"),
        (f"{encoded({'alg': ''})}.{encoded(CLAIMS)}.", "unexpected_algorithm"),
        (signed_jwt(algorithm="HS256", key=PUBLIC_PEM), "unexpected_algorithm"),
        (signed_jwt(algorithm="RS256"), "unexpected_algorithm"),  # good, and not allowed
        (signed_jwt(key=STRANGER), "invalid_signature"),
        (signed_jwt(key=STRANGER, jwk=STRANGER.as_dict(private=False)), "invalid_signature"),
        (signed_jwt(key=STRANGER, jku="https://evil.example/keys"), "invalid_signature"),
        (
            signed_jwt(key=STRANGER, x5u="https://evil.example/x5", x5c=["AAAA"]),
            "invalid_signature",
        ),
        (signed_jwt(kid="k-RS256"), "unknown_key"),  # of another kind
        (signed_jwt(kid="../../dev/null"), "unknown_key"),
        (signed_jwt({**CLAIMS, "iss": f"{ISSUER}/"}), "issuer_mismatch"),
        (signed_jwt({**CLAIMS, "iss": [ISSUER]}), "issuer_mismatch"),
        (signed_jwt({"aud": "app"}), "issuer_mismatch"),
        (signed_jwt({**CLAIMS, "aud": "ap"}), "audience_mismatch"),
        (signed_jwt({**CLAIMS, "aud": "app2"}), "audience_mismatch"),
        (signed_jwt({**CLAIMS, "aud": ["app2", ["app"]]}), "audience_mismatch"),
        (signed_jwt({**CLAIMS, "aud": {"app": 1}}), "audience_mismatch"),
        (signed_jwt({"iss": ISSUER}), "audience_mismatch"),
    ],
)
def test_what_is_not_believed(text: str, error: str) -> None:
    with pytest.raises(RemoteProtocolError, match=f"^{error}"):
        claims_in(text)


def test_a_name_is_shown_as_far_as_any_name_goes() -> None:
    for name, shown in (("x" * 40, "x" * 40), ("x" * 41, "x" * 37 + "...")):
        text = f"{encoded({'alg': name})}.{encoded(CLAIMS)}."
        with pytest.raises(RemoteProtocolError, match=f"with {re.escape(shown)}, which is not"):
            claims_in(text)


def test_a_key_of_another_kind_is_not_even_tried() -> None:
    """HMAC with the public key as its secret, where both algorithms are allowed."""
    both = replace(VERIFICATION, algorithms=("RS256", "HS256"))
    with pytest.raises(RemoteProtocolError, match=r"^invalid_signature"):
        claims_in(signed_jwt(algorithm="HS256", key=PUBLIC_PEM), both)


def test_without_keys_nothing_is_believed() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^unknown_key"):
        claims_in(signed_jwt(), replace(VERIFICATION, keys=None))


# Times


@pytest.mark.parametrize(
    ("times", "complaint"),
    [
        ({}, "has no claim exp"),
        ({"exp": None}, "has no claim exp"),
        ({"exp": "1700000060"}, "exp .*is no time"),
        ({"exp": True}, "exp .*is no time"),
        ({"exp": [1]}, "exp .*is no time"),
        ({"exp": 10**399}, "exp .*is no time"),
        ({"exp": 1e12}, "exp .*is no time"),
        ({"exp": -1e12}, "exp .*is no time"),
        ({"exp": NOW - 30}, "jwt_expired"),
        ({"exp": 0}, "jwt_expired"),
        ({"exp": NOW + 9, "iat": "then"}, "iat .*is no time"),
        ({"exp": NOW + 9, "nbf": NOW + 31}, "jwt_not_yet_valid"),
        ({"exp": NOW + 9, "iat": NOW + 31}, "jwt_not_yet_valid"),
    ],
)
def test_when_it_does_not_count(times: dict[str, Any], complaint: str) -> None:
    jwt = read_jwt(signed_jwt({**CLAIMS, "exp": None, **times}))
    with pytest.raises(RemoteProtocolError, match=complaint):
        jwt.check_times(NOW, broken, required="exp")


def test_when_it_counts() -> None:
    claims = {"exp": NOW - 29, "iat": NOW + 30, "nbf": -0.5}
    read_jwt(signed_jwt(claims)).check_times(NOW, broken, required="exp")
    read_jwt(signed_jwt({"iat": NOW})).check_times(NOW, broken, required="iat")
    read_jwt(signed_jwt({"exp": 999_999_999_999})).check_times(NOW, broken, required="exp")


# What a client is registered with


def client_of(server: Server = SERVER, **settings: Any) -> Client:
    return Client(server=server, client_id="app", **settings)


@pytest.mark.parametrize(
    ("registered", "supported", "allowed"),
    [
        (None, None, ("RS256",)),
        ("ES256", None, ("ES256",)),
        ("ES256", ("RS256",), ("ES256",)),
        (None, ("HS256", "none", "ES256", "XY1", "PS256"), ("ES256", "PS256")),
        (None, ("RS256", "HS512", "EdDSA"), ("RS256", "EdDSA")),
    ],
)
def test_which_algorithms_are_allowed(
    registered: str | None, supported: tuple[str, ...] | None, allowed: tuple[str, ...]
) -> None:
    server = replace(
        SERVER,
        authorization_signing_alg_values_supported=supported,
        introspection_signing_alg_values_supported=supported,
    )
    client = client_of(
        server,
        authorization_signed_response_alg=registered,
        introspection_signed_response_alg=registered,
    )
    for verification_of in (authorization_verification, introspection_verification):
        verification = verification_of(client, KEYS)
        assert verification.algorithms == allowed
        assert (verification.issuer, verification.client_id) == (ISSUER, "app")
        assert verification.secret is None


@pytest.mark.parametrize(
    "settings",
    [
        {"client_secret": SECRET},
        {"auth": ClientSecretBasic(SECRET)},
        {"auth": ClientSecretJWT(client_secret=SECRET)},
    ],
)
def test_a_secret_only_where_it_is_registered(settings: dict[str, Any]) -> None:
    client = client_of(authorization_signed_response_alg="HS256", **settings)
    verification = authorization_verification(client, None)
    assert (verification.algorithms, verification.secret) == (("HS256",), SECRET.encode())
    assert SECRET not in repr(verification)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(verification)


@pytest.mark.parametrize(
    ("client", "keys", "complaint"),
    [
        (client_of(Server()), KEYS, "names its issuer"),
        (client_of(), None, r"ServerKeys\.fetch"),
        (
            client_of(replace(SERVER, authorization_signing_alg_values_supported=("HS256",))),
            KEYS,
            "no algorithm",
        ),
        (client_of(authorization_signed_response_alg="HS256"), KEYS, "32 bytes"),
        (
            client_of(authorization_signed_response_alg="HS512", client_secret=SECRET),
            KEYS,
            "64 bytes",
        ),
    ],
)
def test_what_is_missing(client: Client, keys: ServerKeys | None, complaint: str) -> None:
    with pytest.raises(LocalProtocolError, match=complaint):
        authorization_verification(client, keys)


@pytest.mark.parametrize("length", [31, 32])
def test_how_long_a_secret_has_to_be(length: int) -> None:
    client = client_of(authorization_signed_response_alg="HS256", client_secret="s" * length)
    if length == 32:
        assert authorization_verification(client, None).secret == b"s" * 32
    else:
        with pytest.raises(LocalProtocolError, match="32 bytes"):
            authorization_verification(client, None)


def test_a_jwt_shows_nothing_but_its_header() -> None:
    jwt = read_jwt(signed_jwt(kid="k-1"))
    assert repr(jwt) == "JWT(header={'alg': 'ES256', 'kid': 'k-1'})"
    with pytest.raises(FrozenInstanceError):
        jwt.claims = {}  # type: ignore[misc]  # what the test is about


def test_nothing_of_a_refused_jwt_is_quoted() -> None:
    secret = "the-code-of-somebody"
    for text in (
        signed_jwt({**CLAIMS, "code": secret, "iss": secret}),
        signed_jwt({**CLAIMS, "code": secret}, crit=[secret]),
        f"{encoded(secret.encode())}.e30.e30",
    ):
        with pytest.raises(RemoteProtocolError) as got:
            claims_in(text)
        assert secret not in str(got.value) + repr(got.value) + json.dumps(str(got.value.args))
