"""Published values that no other test of the core holds, as this library reads and writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth2_sansio import (
    DPoP,
    Endpoint,
    RequestToSend,
    ServerKeys,
    url_encode,
)
from oauth2_sansio.jwt_algorithms import base64url
from oauth2_sansio.jwt_verification import JWT, read_jwt
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.urls import url_decode

from .keys_for_tests import OKP

# RFC 9449 sections 4.1, 8 (the refresh request) and 7.1: each is signed with the key in it.
_TOKEN_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh"
    "0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8"
    "v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
_REFRESH_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh"
    "0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR"
    "93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA"
)
_RESOURCE_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR"
    "1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCw"
    "iYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-E"
    "y71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
# The draft of attestation-based client authentication: the attestation names the key of the proof.
_ATTESTATION = (
    "eyJ0eXAiOiJvYXV0aC1jbGllbnQtYXR0ZXN0YXRpb24rand0IiwiYWxnIjoiRVMyNTYiLCJraWQiOiIxMSJ9.eyJzdWI"
    "iOiJodHRwczovL2NsaWVudC5leGFtcGxlLmNvbSIsImlhdCI6MTc3MjQ4NzU5NSwiZXhwIjoyNTI5ODY2Mzk0LCJjbmY"
    "iOnsiandrIjp7Imt0eSI6IkVDIiwidXNlIjoic2lnIiwiY3J2IjoiUC0yNTYiLCJ4IjoiVmNLVk5CWjRJYUJBWVczanh"
    "NNHczVEpGVkE3bXllVUdReUd0LWdfeXZwUSIsInkiOiJmLUUtaFlFM1RBV0t3aFZ2OXBlajlOQUJzOVNYOVhzTk84MHg"
    "1N2pGVHlVIn19fQ._TS4d-LAnRlwdN97wiVnl4z7C9gvm45IWr-BvGTzeZaHtZtgNZ88gvzroU3LElUPbgF4kWi_DFOR"
    "nKzsx5yu6A"
)
_ATTESTED = (
    "eyJ0eXAiOiJvYXV0aC1jbGllbnQtYXR0ZXN0YXRpb24tcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.eyJhdWQiOiJodHRw"
    "czovL2FzLmV4YW1wbGUuY29tIiwianRpIjoiZDI1ZDAwYWItNTUyYi00NmZjLWFlMTktOThmNDQwZjI1MDY0IiwiaWF0"
    "IjoxNzcyNDg3NTk1LCJjaGFsbGVuZ2UiOiI1YzFhOWUxMC0yOWZmLTRjMmItYWU3My01N2MwOTU3YzA5YzQifQ.M4Uc4"
    "rWVAqaLlmDDUXQKkKPbAQKj0JrTizLgWhZndmbkvM3VL8y-w_QJr7Z0HZlH94E64cLa8L5fSjJItYv0jg"
)
# Made and checked with two other libraries: a proof for an access token, and with a nonce.
_OUR_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVkRFNBIiwiandrIjp7Imt0eSI6Ik9LUCIsImNydiI6IkVkMjU1MTkiLCJ4"
    "IjoiMTFxWUFZS3hDcmZWU183VHlXUUhPZzdoY3ZQYXBpTWxyd0lhYVBjSFVSbyJ9fQ.eyJqdGkiOiJpZC0wMDAyIiwia"
    "HRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vdjEvaXRlbXMiLCJpYXQiOjE3MDAwMDAwMDAsI"
    "mF0aCI6InVPRklWRnNUeDR2SFRhTHhweWRkMXg1VzNlemhLZGZTOTdQc3dHOTVsTm8iLCJub25jZSI6Im4tMSJ9.TnEU"
    "PLj648bSQfjtHJBvpO6uLozPnRHa5Q53iIxw_zn9BBiq6tdklX2IvSstQ1ulb17Lwn-6pwpKHquoqANyBw"
)


def is_signed_by(jwk: Any, jwt: JWT) -> bool:
    (key,) = ServerKeys({"keys": [jwk]}).find(jwt.algorithm, None)
    return key.verify(jwt.algorithm, jwt.message, jwt.signature)


@pytest.mark.parametrize(
    ("proof", "claims"),
    [
        (
            _TOKEN_PROOF,
            {
                "jti": "-BwC3ESc6acc2lTc",
                "htm": "POST",
                "htu": "https://server.example.com/token",
                "iat": 1562262616,
            },
        ),
        (
            _REFRESH_PROOF,
            {
                "jti": "-BwC3ESc6acc2lTc",
                "htm": "POST",
                "htu": "https://server.example.com/token",
                "iat": 1562265296,
            },
        ),
        (
            _RESOURCE_PROOF,
            {
                "jti": "e1j3V_bKic8-LAEB",
                "htm": "GET",
                "htu": "https://resource.example.org/protectedresource",
                "iat": 1562262618,
                "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
            },
        ),
    ],
)
def test_proofs_of_rfc_9449(proof: str, claims: dict[str, Any]) -> None:
    jwt = read_jwt(proof)
    assert (jwt.typ, jwt.algorithm, jwt.claims) == ("dpop+jwt", "ES256", claims)
    assert is_signed_by(jwt.header["jwk"], jwt)
    other = read_jwt(_ATTESTATION).claims["cnf"]["jwk"]
    assert not is_signed_by(other, jwt)


@pytest.mark.parametrize(
    ("proof", "now"), [(_TOKEN_PROOF, 1562262616), (_REFRESH_PROOF, 1562265296)]
)
def test_the_testing_server_takes_them(proof: str, now: int) -> None:
    client = RegisteredClient(
        client_id="app", client_secret="hush", grant_types=("client_credentials",), scope="a"
    )
    server = AuthorizationServer(
        issuer="https://server.example.com", clients=[client], now=lambda: float(now)
    )
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=server.url(Endpoint.TOKEN),
        headers=(("DPoP", proof), ("Content-Type", "application/x-www-form-urlencoded")),
        form=(
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "hush"),
        ),
    )
    answer = json.loads(server.handle(request).body)
    assert answer["token_type"] == "DPoP"


def test_a_proof_of_ours_says_the_same() -> None:
    published = read_jwt(_OUR_PROOF)
    assert is_signed_by({name: OKP[name] for name in ("kty", "crv", "x")}, published)
    ours = DPoP(OKP, "EdDSA").bind(
        "GET", "https://api.example.com/v1/items", "mF_9.B5f-4.1JqM", 1_700_000_000.0
    )
    assert isinstance(ours, RequestToSend)
    made = read_jwt(ours.header("DPoP") or "")
    assert made.header == published.header
    own = {"jti": made.claims["jti"]}
    assert {**published.claims, **own} == {**made.claims, "nonce": "n-1"}


def test_a_proof_of_possession() -> None:
    attestation, proof = read_jwt(_ATTESTATION), read_jwt(_ATTESTED)
    assert (attestation.typ, proof.typ) == (
        "oauth-client-attestation+jwt",
        "oauth-client-attestation-pop+jwt",
    )
    assert is_signed_by(attestation.claims["cnf"]["jwk"], proof)
    assert not is_signed_by(attestation.claims["cnf"]["jwk"], attestation)  # its issuer's key


def test_the_headers_of_rfc_7523() -> None:
    assert base64url(b'{"alg":"ES256","kid":"16"}') == "eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0"
    assert base64url(b'{"alg":"RS256","kid":"22"}') == "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIyIn0"


def test_the_form_encoding_of_rfc_6749_appendix_b() -> None:
    text = " %&+\u00a3\u20ac"
    assert url_encode([("a", text)]) == "a=+%25%26%2B%C2%A3%E2%82%AC"
    assert url_decode("a=+%25%26%2B%C2%A3%E2%82%AC") == [("a", text)]
