from __future__ import annotations

import json
from typing import Any

import pytest

from oauth2_sansio import Client, ClientSecretPost, DPoP, OAuth2Token, Server, drive
from oauth2_sansio.errors import ErrorResponse, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.jwt_algorithms import base64url
from oauth2_sansio.jwt_signing import JWTSigner, read_private_key
from oauth2_sansio.testing import (
    AuthorizationServer,
    Clock,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
    User,
)

from ..core.keys_for_tests import OKP, key_for

ISSUER = "https://as.example.com"
CALLBACK = "https://app.example.com/cb"
WITH_NONCE = ServerSettings(require_dpop_nonce=True)
GRANTS = ("authorization_code", "refresh_token", "client_credentials")


class Bench:
    """A server, a confidential and a public client with a key, and a clock."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self.clock = Clock(1_000_000)
        self.server = AuthorizationServer(
            issuer=ISSUER,
            settings=settings,
            now=self.clock,
            clients=(
                RegisteredClient(
                    client_id="app",
                    client_secret="secret",
                    redirect_uris=(CALLBACK,),
                    grant_types=GRANTS,
                ),
                RegisteredClient(
                    client_id="phone",
                    redirect_uris=(CALLBACK,),
                    grant_types=GRANTS,
                    dpop_bound_access_tokens=True,
                ),
            ),
        )
        self.dpop = DPoP(OKP, "Ed25519")

    def run(self, flow: Any) -> Any:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def client(self, client_id: str = "app", dpop: DPoP | None = None, **settings: Any) -> Client:
        server = self.run(Server.discover(ISSUER))
        if client_id == "app":
            settings.setdefault("auth", ClientSecretPost("secret"))
        return Client(server=server, client_id=client_id, dpop=dpop or self.dpop, **settings)

    def log_in(self, client: Client, **arguments: Any) -> OAuth2Token:
        pending = self.run(client.authorize(redirect_uri=CALLBACK, **arguments))
        callback = self.server.visit(pending.url, User())
        token = self.run(client.redeem(pending, callback))
        assert isinstance(token, OAuth2Token)
        return token

    def call(self, token: OAuth2Token, dpop: DPoP | None = None) -> ResponseReceived:
        request = (dpop or self.dpop).bind(
            "GET", f"{ISSUER}/api/things?a=b", token.access_token or "", self.clock()
        )
        assert isinstance(request, RequestToSend)
        response = self.server.handle(request)
        (dpop or self.dpop).learn(request, response)
        return response


def challenge_of(response: ResponseReceived) -> str:
    return response.header_values("WWW-Authenticate")[0]


@pytest.mark.parametrize("client_id", ["app", "phone"])
@pytest.mark.parametrize("push", [False, True])
@pytest.mark.parametrize("settings", [None, WITH_NONCE], ids=["plain", "nonce"])
def test_a_login_from_the_beginning(
    client_id: str, push: bool, settings: ServerSettings | None
) -> None:
    bench = Bench(settings)
    client = bench.client(client_id)
    token = bench.log_in(client, push=push)
    assert token.token_type == "DPoP"
    assert bench.call(token).status == 200
    assert bench.call(bench.run(client.refresh(token))).status == 200
    seen = bench.run(client.introspect(bench.run(client.refresh(bench.log_in(client)))))
    assert seen["cnf"] == {"jkt": bench.dpop.thumbprint}
    assert seen["token_type"] == "DPoP"


def test_nonces_change_and_the_one_before_counts_still() -> None:
    bench = Bench(WITH_NONCE)
    token = bench.log_in(bench.client())
    for _ in range(3):
        bench.clock.advance(301)
        assert bench.call(token).status == 200  # it brings the newer one
    bench.clock.advance(301)
    fresh = DPoP(OKP, "Ed25519")
    response = bench.call(token, fresh)
    assert (response.status, response.header("DPoP-Nonce") is None) == (401, False)
    assert 'error="use_dpop_nonce"' in challenge_of(response)
    assert bench.call(token, fresh).status == 200


def test_a_token_of_another_key() -> None:
    bench = Bench()
    token = bench.log_in(bench.client())
    response = bench.call(token, DPoP(key_for("ES256")))
    assert response.status == 401
    assert challenge_of(response).startswith('DPoP algs="RS256 ')
    assert 'error="invalid_token"' in challenge_of(response)


def test_a_bound_token_without_a_proof_and_a_bearer_token_with_one() -> None:
    bench = Bench()
    bound = bench.log_in(bench.client())
    request = RequestToSend(
        endpoint=Endpoint.RESOURCE,
        method="GET",
        url=f"{ISSUER}/api",
        headers=(("Authorization", f"Bearer {bound.access_token}"),),
    )
    response = bench.server.handle(request)
    assert 'error="invalid_dpop_proof"' in challenge_of(response)
    plain = Client(
        server=bench.run(Server.discover(ISSUER)), client_id="app", client_secret="secret"
    )
    bearer = bench.run(plain.client_credentials())
    assert 'error="invalid_token"' in challenge_of(bench.call(bearer))


def test_a_request_without_a_token_learns_of_both_ways() -> None:
    bench = Bench()
    response = bench.server.handle(
        RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url=f"{ISSUER}/api")
    )
    assert [value.split()[0] for value in response.header_values("WWW-Authenticate")] == [
        "Bearer",
        "DPoP",
    ]


def test_codes_and_refresh_tokens_are_bound() -> None:
    bench = Bench()
    other = DPoP(key_for("ES256"))
    client, thief = bench.client("phone"), bench.client("phone", other)
    pending = bench.run(client.authorize(redirect_uri=CALLBACK))
    callback = bench.server.visit(pending.url)
    with pytest.raises(ErrorResponse, match="code is bound to another key"):
        bench.run(thief.redeem(pending, callback))
    token = bench.run(client.redeem(pending, callback))
    with pytest.raises(ErrorResponse, match="refresh_token is bound to another key"):
        bench.run(thief.refresh(token))
    # That of a confidential client is bound by its authentication (RFC 9449 section 5).
    token = bench.log_in(bench.client())
    renewed = bench.run(bench.client(dpop=other).refresh(token))
    assert bench.call(renewed, other).status == 200


def test_a_client_that_has_to_prove_its_key() -> None:
    bench = Bench()
    client = Client(server=bench.run(Server.discover(ISSUER)), client_id="phone")
    with pytest.raises(ErrorResponse, match="has to prove"):
        bench.log_in(client)


def test_a_pushed_request_names_the_key_that_it_proves() -> None:
    bench = Bench()
    client = bench.client("phone")
    asked = (
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", "A" * 43),
        ("code_challenge_method", "S256"),
    )

    def push(*more: tuple[str, str]) -> Any:
        return client.exchange(
            Endpoint.PUSHED_AUTHORIZATION,
            (*asked, *more),
            lambda answer: answer.read()["request_uri"],
        )

    reference = bench.run(push())
    url = f"{bench.server.url(Endpoint.AUTHORIZATION)}?client_id=phone&request_uri={reference}"
    callback = bench.server.visit(url)
    thief = bench.client("phone", DPoP(key_for("ES256")))
    code = callback.partition("code=")[2].partition("&")[0]
    with pytest.raises(ErrorResponse, match="bound to another key"):
        bench.run(
            thief.request_token(
                "authorization_code", parameters=(("code", code), ("redirect_uri", CALLBACK))
            )
        )
    with pytest.raises(ErrorResponse, match="another key than dpop_jkt names"):
        bench.run(push(("dpop_jkt", "somebody else")))


class Forger:
    """Makes proofs that are wrong in one thing."""

    def __init__(self, clock: Clock) -> None:
        self.key = read_private_key(OKP, "Ed25519")
        public = {name: OKP[name] for name in ("crv", "kty", "x")}
        self.header: dict[str, Any] = {"jwk": public}
        self.claims: dict[str, Any] = {
            "jti": "j-1",
            "htm": "POST",
            "htu": f"{ISSUER}/token",
            "iat": clock(),
        }
        self.typ = "dpop+jwt"

    def proof(self) -> str:
        made: list[str] = []
        request = RequestToSend(endpoint=Endpoint.TOKEN, url=ISSUER)

        def attach(jwt: str) -> RequestToSend:
            made.append(jwt)
            return request

        JWTSigner(self.key, self.typ, self.header).attach(self.claims, attach)
        return made[0]


def send(bench: Bench, *proofs: str) -> tuple[int, str]:
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=f"{ISSUER}/token",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded"),
            *(("dpop", proof) for proof in proofs),
        ),
        form=(
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "secret"),
        ),
    )
    response = bench.server.handle(request)
    members = json.loads(response.body)
    return response.status, str(members.get("error_description", members.get("token_type")))


WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"htm": "GET"}, "for another method"),
    ({"htu": None}, "for another method"),
    ({"htu": f"{ISSUER}/token?a=b"}, "for another URL"),
    ({"htu": f"{ISSUER}/token#a"}, "for another URL"),
    ({"htu": f"{ISSUER}/par"}, "for another URL"),
    ({"htu": "nothing"}, "no URL"),
    ({"iat": None}, "when it was made"),
    ({"iat": True}, "when it was made"),
    ({"iat": 999_940}, "has expired"),
    ({"iat": 1_000_001}, "does not count yet"),
    ({"jti": ""}, "no jti"),
    ({"jti": 5}, "no jti"),
]


@pytest.mark.parametrize(("claims", "reason"), WRONG_CLAIMS)
def test_a_proof_with_wrong_claims(claims: dict[str, Any], reason: str) -> None:
    bench = Bench()
    forger = Forger(bench.clock)
    assert send(bench, forger.proof()) == (200, "DPoP")
    forger.claims |= {"jti": "j-2"} | claims
    status, description = send(bench, forger.proof())
    assert status == 400
    assert reason in description


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"jwk": None}, "no public key"),
        ({"jwk": "key"}, "no public key"),
        ({"jwk": dict(OKP)}, "private key away"),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, "private key away"),
        ({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(bytes(32))}}, "signature"),
        ({"jwk": {"kty": "OKP", "crv": "Ed25519"}}, "cannot be read"),
    ],
)
def test_a_proof_with_a_wrong_key(header: dict[str, Any], reason: str) -> None:
    bench = Bench()
    forger = Forger(bench.clock)
    forger.header = header
    status, description = send(bench, forger.proof())
    assert status == 400
    assert reason in description


def test_proofs_of_other_kinds() -> None:
    bench = Bench()
    forger = Forger(bench.clock)
    good = forger.proof()
    assert send(bench, good, good) == (400, "The proof is refused. There is more than one.")
    assert send(bench, good) == (200, "DPoP")
    assert send(bench, good) == (400, "The proof is refused. It was used before.")
    assert send(bench, "no JWT") == (400, "The proof is refused. It is no signed JWT.")
    forger.typ = "JWT"
    assert send(bench, forger.proof())[1].endswith("Its typ is that of another kind of JWT.")
    forger.typ = "dpop+jwt"
    assert send(bench) == (200, "Bearer")


def test_a_proof_for_another_token() -> None:
    bench = Bench()
    one, two = (bench.log_in(bench.client()) for _ in range(2))
    request = bench.dpop.bind("GET", f"{ISSUER}/api", one.access_token or "", bench.clock())
    assert isinstance(request, RequestToSend)
    request = request.with_header("Authorization", f"DPoP {two.access_token}")
    response = bench.server.handle(request)
    assert "It is for another access token." in challenge_of(response)


@pytest.mark.parametrize("endpoint", [Endpoint.TOKEN, Endpoint.RESOURCE])
@pytest.mark.parametrize(
    ("misbehaviour", "tries"),
    [
        (Misbehaviour.DPOP_ENDLESS_NONCES, 2),
        (Misbehaviour.DPOP_SAME_NONCE, 2),
        (Misbehaviour.DPOP_TWO_NONCES, 1),
        (Misbehaviour.DPOP_WITHOUT_NONCE, 1),
        (Misbehaviour.DPOP_NONCE_WITH_SPACES, 1),
    ],
)
def test_a_server_that_never_has_enough(
    misbehaviour: Misbehaviour, endpoint: Endpoint, tries: int
) -> None:
    bench = Bench()
    client = bench.client()
    token = bench.log_in(client)
    bench.server.misbehave(misbehaviour)
    before = bench.server.count(endpoint)
    if endpoint is Endpoint.TOKEN:
        with pytest.raises(ErrorResponse) as caught:
            bench.run(client.refresh(token))
        assert caught.value.error == "use_dpop_nonce"
        assert bench.server.count(endpoint) - before == tries
        bench.server.behave()
        assert bench.call(bench.run(client.refresh(token))).status == 200
    else:
        assert bench.call(token).status == 401


def test_a_server_that_binds_nothing() -> None:
    bench = Bench()
    client = bench.client()
    bench.server.misbehave(Misbehaviour.DPOP_BEARER_ANSWER)
    with pytest.raises(RemoteProtocolError, match="not bound to the key") as caught:
        bench.run(client.client_credentials())
    assert caught.value.response is not None
    assert b"access_token" in caught.value.response.body
