"""Client authentication by JWT: exact bytes, audiences, and both vocabularies."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import time
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jwk import OctKey

from oauth2_sansio import (
    Client,
    Endpoint,
    LocalProtocolError,
    RequestToSend,
    ResponseReceived,
    Server,
    SignatureNeeded,
    drive,
    drive_async,
    jose,
)
from oauth2_sansio.client_assertion import (
    CLIENT_ASSERTION_TYPE,
    AssertionAudience,
    ClientSecretJWT,
    PrivateKeyJWT,
)
from oauth2_sansio.client_auth import ClientIdentity
from oauth2_sansio.jwt_signing import RemoteKey, SigningKey, read_key

from .keys_for_tests import OKP, SECRET, THUMBPRINT, key_for, pem_of, verified

NOW = 1_700_000_000.5
SERVER = Server(
    issuer="https://as.example.com",
    token_endpoint="https://as.example.com/token?tenant=1",
    introspection_endpoint="https://as.example.com/introspect",
)
HEADER_A = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImNsaWVudC1hdXRoZW50aWNhdGlvbitqd3QifQ"
HEADER_B = (
    "eyJhbGciOiJFZERTQSIsInR5cCI6ImNsaWVudC1hdXRoZW50aWNhdGlvbitqd3QiLCJraWQiOiJrUHJLX3FteFZXYVlW"
    "QTl3d0JGNkl1bzN2Vnp6N1R4SENUd1hCeWdyUzRrIn0"
)
PAYLOAD = (
    "eyJpc3MiOiJzNkJoZFJrcXQzIiwic3ViIjoiczZCaGRSa3F0MyIsImF1ZCI6Imh0dHBzOi8vYXMuZXhhbXBsZS5jb20i"
    "LCJqdGkiOiJpZC0wMDAxIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAwNjB9"
)
SIGNATURE_A = "LqmQrU8V-pUa_gl2B1f70lGsITmYxCcEDhEbYReuNy4"
SIGNATURE_B = (
    "D5OD37I0s0cDYpLFrK9p3YFfgEVBlMoDUquqC7XTEtaYJNYZ3aG5miP6-YB--ZSe1oAar97AdnMEcOcrBqZXDw"
)
FIXED: dict[str, Any] = {"audience": AssertionAudience.ISSUER, "claims": {"jti": "id-0001"}}
ANSWER = ResponseReceived(status=200, body=b'{"access_token": "a"}')


def client(way: Any, **settings: Any) -> Client:
    return Client(server=SERVER, client_id="s6BhdRkqt3", auth=way, **settings)


def sent(way: Any, endpoint: Endpoint = Endpoint.TOKEN, **settings: Any) -> RequestToSend:
    made = client(way, **settings)
    flow: Any = (
        made.client_credentials() if endpoint is Endpoint.TOKEN else made.introspect("a token")
    )
    action = flow.start(NOW)
    assert isinstance(action, RequestToSend)
    return action


def claims_of(request: RequestToSend) -> dict[str, Any]:
    token = dict(request.form)["client_assertion"]
    found: dict[str, Any] = json.loads(verified(token, key_for("EdDSA"), "EdDSA")[1])
    return found


@pytest.mark.parametrize(
    ("way", "assertion"),
    [
        (ClientSecretJWT(client_secret=SECRET, **FIXED), f"{HEADER_A}.{PAYLOAD}.{SIGNATURE_A}"),
        (
            PrivateKeyJWT(private_key=OKP, key_id=THUMBPRINT, **FIXED),
            f"{HEADER_B}.{PAYLOAD}.{SIGNATURE_B}",
        ),
    ],
)
def test_exact_requests(way: Any, assertion: str) -> None:
    assert sent(way).form == (
        ("grant_type", "client_credentials"),
        ("client_id", "s6BhdRkqt3"),
        ("client_assertion_type", CLIENT_ASSERTION_TYPE),
        ("client_assertion", assertion),
    )


def test_the_claims_of_a_request() -> None:
    request = sent(PrivateKeyJWT(private_key=OKP, lifetime=1), random_bytes=bytes)
    assert claims_of(request) == {
        "iss": "s6BhdRkqt3",
        "sub": "s6BhdRkqt3",
        "aud": "https://as.example.com/token",
        "jti": "A" * 22,
        "iat": 1_700_000_000,
        "exp": 1_700_000_001,
    }


def test_each_attempt_has_a_new_jti() -> None:
    way = PrivateKeyJWT(private_key=OKP)
    assert claims_of(sent(way))["jti"] != claims_of(sent(way))["jti"]


@pytest.mark.parametrize(
    ("settings", "audience", "typ"),
    [
        ({}, "https://as.example.com/token", "JWT"),
        (
            {"audience": AssertionAudience.ISSUER},
            "https://as.example.com",
            "client-authentication+jwt",
        ),
        ({"audience": "urn:any"}, "urn:any", "JWT"),
        (
            {"token_endpoint": "https://x.example/t?a=b", "typ": "own"},
            "https://x.example/t?a=b",
            "own",
        ),
    ],
)
def test_audience_and_typ(settings: dict[str, Any], audience: str, typ: str) -> None:
    request = sent(PrivateKeyJWT(private_key=OKP, **settings), Endpoint.INTROSPECTION)
    assert claims_of(request)["aud"] == audience
    token = dict(request.form)["client_assertion"]
    assert verified(token, key_for("EdDSA"), "EdDSA")[0] == {"alg": "EdDSA", "typ": typ}


def test_where_the_server_does_not_say() -> None:
    server = Server()
    assert (
        AssertionAudience.TOKEN_ENDPOINT.of(server, "https://x.example/t?a")
        == "https://x.example/t"
    )
    with pytest.raises(LocalProtocolError, match="this server has none"):
        AssertionAudience.ISSUER.of(server, "")


def test_what_the_caller_has_put_in_counts() -> None:
    flow = client(PrivateKeyJWT(private_key=OKP)).request_token(
        "g", parameters={"client_assertion": "mine"}
    )
    action = flow.start(NOW)
    assert isinstance(action, RequestToSend)
    assert action.form == (("grant_type", "g"), ("client_assertion", "mine"))
    named = client(PrivateKeyJWT(private_key=OKP)).request_token("g", parameters={"client_id": "x"})
    action = named.start(NOW)
    assert isinstance(action, RequestToSend)
    assert [value for name, value in action.form if name == "client_id"] == ["x"]


def test_no_assertion_goes_into_a_url() -> None:
    with pytest.raises(LocalProtocolError, match="private_key_jwt never goes into a URL"):
        client(PrivateKeyJWT(private_key=OKP)).request_token("g", method="GET").start(NOW)


@pytest.mark.parametrize(
    ("make", "error", "complaint"),
    [
        (lambda: ClientSecretJWT(SECRET), ValueError, "its own keyword"),
        (lambda: PrivateKeyJWT(pem_of(key_for("ES256"))), ValueError, "its own keyword"),
        (lambda: PrivateKeyJWT(lifetime=0), ValueError, "above 0"),
        (lambda: PrivateKeyJWT("https://x.example", audience="y"), TypeError, "not both"),
        (lambda: PrivateKeyJWT(private_key=OKP, alg="none"), ValueError, "no algorithm none"),
        (lambda: ClientSecretJWT(client_secret=SECRET, alg="RS256"), ValueError, "private key"),
        (lambda: client(ClientSecretJWT()), TypeError, "was given no key"),
    ],
)
def test_misuse_is_seen_at_once(make: Any, error: type[Exception], complaint: str) -> None:
    with pytest.raises(error, match=complaint) as got:
        make()
    assert SECRET not in str(got.value)


def test_a_steady_client_reads_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[object] = []
    real = importlib.import_module

    def load(name: str) -> Any:
        reads.append(name)
        return real(name)

    monkeypatch.setattr(jose, "import_module", load)
    pem = pem_of(key_for("ES256"))
    steady, called = client(PrivateKeyJWT(private_key=pem)), PrivateKeyJWT()
    session = SimpleNamespace(client_id="me", client_secret=pem)
    called(session, "POST", "https://as.example.com/token", {}, "")
    before = len(reads)
    for _ in range(5):
        steady.client_credentials().start(NOW)
        called(session, "POST", "https://as.example.com/token", {}, "")
    assert before > 0
    assert len(reads) == before


def test_many_sessions_share_one_object_within_bounds() -> None:
    way = ClientSecretJWT()
    for number in range(40):
        secret = f"{SECRET}{number}"
        session = SimpleNamespace(client_id="me", client_secret=secret)
        _, _, body = way(session, "POST", "https://as.example.com/token", {}, "")
        token = body.rpartition("client_assertion=")[2]
        verified(token, OctKey.import_key(secret), "HS256")
        assert len(way._read) == number % 16 + 1


def test_the_drop_in_call() -> None:
    claims = {"extra": [1]}
    way = PrivateKeyJWT("https://as.example.com/t", claims, {"x": 1}, "EdDSA")
    session = SimpleNamespace(client_id="me", client_secret=OKP)
    before, headers = time.time(), {"A": "b"}
    uri, given_back, body = way(session, "POST", "https://other.example", headers, "grant_type=g")
    assert (uri, given_back, claims) == ("https://other.example", {"A": "b"}, {"extra": [1]})
    assert body.startswith("grant_type=g&client_id=me&client_assertion_type=urn%3Aietf")
    token = body.rpartition("client_assertion=")[2]
    header, payload = verified(token, key_for("EdDSA"), "EdDSA")
    assert header == {"alg": "EdDSA", "typ": "JWT", "x": 1}
    found = json.loads(payload)
    assert found["aud"] == "https://as.example.com/t"
    assert found["extra"] == [1]
    assert before - 1 <= found["iat"] == found["exp"] - 60
    assert (way.name, way.has_key, ClientSecretJWT().name) == (
        "private_key_jwt",
        False,
        "client_secret_jwt",
    )


@pytest.mark.parametrize(
    ("metadata", "audience"),
    [
        ({"token_endpoint": "https://as.example.com/token"}, "https://as.example.com/token"),
        (None, "https://as.example.com/revoke"),
    ],
)
def test_the_drop_in_call_knows_the_token_endpoint(metadata: Any, audience: str) -> None:
    session = SimpleNamespace(client_id="me", client_secret=OKP, metadata=metadata)
    _, _, body = PrivateKeyJWT()(session, "POST", "https://as.example.com/revoke?a=b", {}, "")
    payload = verified(body.rpartition("client_assertion=")[2], key_for("EdDSA"), "EdDSA")[1]
    assert json.loads(payload)["aud"] == audience


def test_the_drop_in_call_leaves_it_to_others_where_the_request_may_go() -> None:
    metadata = {"token_endpoint": "http://as.internal/token"}
    session = SimpleNamespace(client_id="me", client_secret=OKP, metadata=metadata)
    assert PrivateKeyJWT()(session, "POST", "http://as.internal/token", {}, "")[2]


def test_a_function_cannot_wait_for_a_remote_key() -> None:
    way = PrivateKeyJWT(private_key=RemoteKey("ES256"))
    with pytest.raises(LocalProtocolError, match="cannot wait for a remote key"):
        way(SimpleNamespace(client_id="me"), "POST", "https://as.example.com/token", {}, "")


def remote() -> tuple[Client, SigningKey]:
    held = read_key(OKP)
    assert isinstance(held, SigningKey)
    return client(PrivateKeyJWT(private_key=RemoteKey("EdDSA", THUMBPRINT), **FIXED)), held


def test_a_slow_remote_signer() -> None:
    made, held = remote()
    seen: list[str] = []

    def sign(needed: SignatureNeeded) -> bytes:
        seen.append(f"{needed.algorithm} {needed.key_id}")
        return held.sign(needed.signing_input)

    def send(request: RequestToSend) -> ResponseReceived:
        seen.append(dict(request.form)["client_assertion"])
        return ANSWER

    token = drive(made.client_credentials(), send, lambda _seconds: None, lambda: NOW, sign)
    assert token.access_token == "a"
    assert seen == [f"EdDSA {THUMBPRINT}", f"{HEADER_B}.{PAYLOAD}.{SIGNATURE_B}"]


@pytest.mark.trio
@pytest.mark.usefixtures("autojump_clock")
async def test_a_slow_remote_signer_with_awaits() -> None:
    import trio

    made, held = remote()

    async def sign(needed: SignatureNeeded) -> bytes:
        await trio.sleep(5)
        return held.sign(needed.signing_input)

    async def send(request: RequestToSend) -> ResponseReceived:
        assert dict(request.form)["client_assertion"].endswith(SIGNATURE_B)
        return ANSWER

    token = await drive_async(made.client_credentials(), send, trio.sleep, lambda: NOW, sign)
    assert token.access_token == "a"
    assert trio.current_time() >= 5


def test_what_is_given_is_all_that_counts_and_no_secret_is_shown() -> None:
    further: dict[str, Any] = {"claims": {"x": "hush"}, "headers": {"y": "hush"}}
    one, other = (PrivateKeyJWT(private_key=OKP, **further) for _ in range(2))
    assert one == other
    assert [*signature(PrivateKeyJWT).parameters] == [
        *("token_endpoint", "claims", "headers", "alg"),
        *("audience", "typ", "lifetime", "key_id", "private_key"),
    ]
    assert repr(one) == (
        f"PrivateKeyJWT(token_endpoint=None, alg=None, "
        f"audience={AssertionAudience.TOKEN_ENDPOINT!r}, typ=None, lifetime=60, key_id=None)"
    )
    used = ClientSecretJWT()
    used(
        SimpleNamespace(client_id="me", client_secret=SECRET),
        "POST",
        "https://as.example/t",
        {},
        "",
    )
    assert used == ClientSecretJWT()


def test_secrets_are_neither_shown_nor_pickled() -> None:
    identity = ClientIdentity(client_id="c", server=SERVER, random_bytes=bytes)
    for way in (ClientSecretJWT(client_secret=SECRET), PrivateKeyJWT(private_key=OKP)):
        for value in (way, way.signer(identity)):
            assert SECRET not in repr(value)
            assert OKP["d"] not in repr(value)
            with pytest.raises(TypeError, match="may hold secrets"):
                pickle.dumps(value)
            assert copy.deepcopy(value) is value
    assert way.signer(identity).learn(sent(way), ANSWER) is False
