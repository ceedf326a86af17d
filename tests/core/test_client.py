"""Every operation of the client: the exact request, what is done with the answer, what is refused."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from oauth2_sansio import (
    Answer,
    Client,
    ClientAuthentication,
    ClientIdentity,
    ClientSecretBasic,
    ClientSecretPost,
    DPoP,
    Endpoint,
    ErrorResponse,
    Exchange,
    Finished,
    Flow,
    Introspection,
    LocalProtocolError,
    MismatchingStateError,
    MissingTokenError,
    NoAuthentication,
    OAuth2Token,
    Outcome,
    PendingAuthorization,
    RemoteProtocolError,
    RequestToSend,
    ResponseMode,
    ResponseReceived,
    Server,
    ServerKeys,
    SignatureMade,
    SignatureNeeded,
    Signer,
    Unsigned,
    new_private_key,
)

from . import server_jwts

ISSUER = "https://server.example"
CALLBACK = "https://client.example/callback?own=1"
SERVER = Server(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    revocation_endpoint=f"{ISSUER}/revoke",
    introspection_endpoint=f"{ISSUER}/introspect",
    userinfo_endpoint=f"{ISSUER}/userinfo?tenant=1",
)


def counted(length: int) -> bytes:
    return bytes(range(length))


RANDOM = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"  # `counted(32)` in base64url
CHALLENGE = "6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A"

PUBLIC = Client(server=SERVER, client_id="app", random_bytes=counted)
CLIENT = replace(PUBLIC, auth=ClientSecretBasic("hush-hush"))
POSTING = replace(PUBLIC, auth=ClientSecretPost("hush-hush"))

JSON = ("Accept", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
BASIC = ("Authorization", "Basic YXBwOmh1c2gtaHVzaA==")


def request(
    *form: tuple[str, str], endpoint: Endpoint = Endpoint.TOKEN, path: str = "/token"
) -> RequestToSend:
    return RequestToSend(
        endpoint=endpoint, url=f"{ISSUER}{path}", headers=(JSON, FORM, BASIC), form=form
    )


def answer(status: int = 200, **members: object) -> ResponseReceived:
    return ResponseReceived(status=status, body=json.dumps(members).encode())


def pending_of(flow: Flow[PendingAuthorization], now: float = 1000.0) -> PendingAuthorization:
    action = flow.start(now)
    assert isinstance(action, Finished)
    return action.result


# To the authorization endpoint


def test_the_authorization_url() -> None:
    pending = pending_of(PUBLIC.authorize(redirect_uri=CALLBACK, scope=["openid", "profile"]))
    assert pending == PendingAuthorization(
        url=(
            "https://server.example/authorize?response_type=code&client_id=app"
            "&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback%3Fown%3D1"
            f"&scope=openid%20profile&state={RANDOM}&code_challenge={CHALLENGE}"
            "&code_challenge_method=S256"
        ),
        state=RANDOM,
        redirect_uri=CALLBACK,
        code_verifier=RANDOM,
        nonce=None,
        response_type="code",
        response_mode=ResponseMode.QUERY,
        issuer=ISSUER,
        issuer_required=False,
        expires_at=1600.0,
    )


def test_the_authorization_url_with_everything() -> None:
    server = replace(
        SERVER,
        authorization_endpoint=f"{ISSUER}/authorize?tenant=%7e1",
        authorization_response_iss_parameter_supported=True,
    )
    client = replace(PUBLIC, server=server, authorization_lifetime=60.0)
    pending = pending_of(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid",
            state="my state",
            nonce="n",
            response_type="code id_token",
            response_mode=ResponseMode.FORM_POST,
            code_verifier="v" * 43,
            resource=["https://a.example", "https://b.example"],
            parameters={"prompt": "login", "ui_locales": ["de", "fr"], "resource": "urn:c"},
        )
    )
    assert pending == PendingAuthorization(
        url=(
            "https://server.example/authorize?tenant=%7e1&response_type=code%20id_token"
            "&client_id=app&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback%3Fown%3D1"
            "&scope=openid&state=my%20state&code_challenge="
            "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM&code_challenge_method=S256&nonce=n"
            "&response_mode=form_post&resource=https%3A%2F%2Fa.example"
            "&resource=https%3A%2F%2Fb.example&prompt=login&ui_locales=de&ui_locales=fr"
            "&resource=urn%3Ac"
        ),
        state="my state",
        redirect_uri=CALLBACK,
        code_verifier="v" * 43,
        nonce="n",
        response_type="code id_token",
        response_mode=ResponseMode.FORM_POST,
        issuer=ISSUER,
        issuer_required=True,
        expires_at=1060.0,
    )


def test_pkce_can_be_left_out_by_name_alone() -> None:
    server = replace(SERVER, code_challenge_methods_supported=("plain",))
    with pytest.raises(RemoteProtocolError, match="S256 is not among them"):
        replace(PUBLIC, server=server).authorize(redirect_uri=CALLBACK)
    client = replace(PUBLIC, server=server, omit_pkce=True)
    pending = pending_of(client.authorize(redirect_uri=None, state=""))
    assert pending.url == f"{ISSUER}/authorize?response_type=code&client_id=app&state={RANDOM}"
    assert (pending.code_verifier, pending.redirect_uri) == (None, None)


def test_state_and_verifier_are_drawn_one_after_the_other() -> None:
    drawn: list[bytes] = []

    def draw(length: int) -> bytes:
        drawn.append(bytes([len(drawn)]) * length)
        return drawn[-1]

    pending = pending_of(replace(PUBLIC, random_bytes=draw).authorize(redirect_uri=CALLBACK))
    assert [len(raw) for raw in drawn] == [32, 32]
    assert pending.state != pending.code_verifier


def test_each_authorization_is_random_by_default() -> None:
    client = Client(server=SERVER, client_id="app")
    both = [pending_of(client.authorize(redirect_uri=None)) for _ in range(2)]
    assert len({text for each in both for text in (each.state, each.code_verifier)}) == 4


def test_implicit() -> None:
    pending = pending_of(PUBLIC.implicit(redirect_uri=CALLBACK, scope="a", parameters={"x": "1"}))
    assert pending == PendingAuthorization(
        url=(
            "https://server.example/authorize?response_type=token&client_id=app"
            "&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback%3Fown%3D1"
            f"&scope=a&state={RANDOM}&x=1"
        ),
        state=RANDOM,
        redirect_uri=CALLBACK,
        response_type="token",
        response_mode=ResponseMode.FRAGMENT,
        issuer=ISSUER,
        expires_at=1600.0,
    )
    flow = PUBLIC.redeem_implicit(
        pending, f"{CALLBACK}#access_token=t&token_type=bearer&expires_in=60&state={RANDOM}"
    )
    action = flow.start(1600.0)
    assert isinstance(action, Finished)
    assert (action.result.access_token, action.result.expires_at) == ("t", 1660.0)


@pytest.mark.parametrize(
    ("name", "value"), [("state", "x"), ("client_id", "evil"), ("code_challenge_method", "plain")]
)
def test_nothing_of_ours_is_said_twice(name: str, value: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"the parameter {name} is given twice"):
        PUBLIC.authorize(redirect_uri=CALLBACK, parameters={name: value})


def test_no_secret_gets_into_the_authorization_url() -> None:
    with pytest.raises(LocalProtocolError, match="a client secret never goes into a URL"):
        PUBLIC.authorize(redirect_uri=CALLBACK, parameters={"client_secret": "hush-hush"})
    assert "hush" not in pending_of(CLIENT.authorize(redirect_uri=CALLBACK)).url


def test_a_wrong_verifier_is_misuse() -> None:
    with pytest.raises(ValueError, match="43 to 128"):
        PUBLIC.authorize(redirect_uri=CALLBACK, code_verifier="short")


# Back from it


PENDING = pending_of(PUBLIC.authorize(redirect_uri=CALLBACK))
BACK = f"{CALLBACK}&code=c1&state={RANDOM}&iss=https%3A%2F%2Fserver.example"


def test_a_code_becomes_a_token() -> None:
    flow = CLIENT.redeem(PENDING, BACK, parameters={"resource": ["https://a.example"]})
    assert flow.start(1600.0) == request(
        ("grant_type", "authorization_code"),
        ("code", "c1"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", RANDOM),
        ("resource", "https://a.example"),
    )
    # However long the server takes: what it has issued is not thrown away.
    finished = flow.receive(answer(access_token="t", token_type="bearer", expires_in=60), 2000.0)
    assert finished == Finished(
        OAuth2Token(access_token="t", token_type="bearer", expires_in=60, expires_at=2060)
    )


def test_a_public_client_names_itself() -> None:
    bare = replace(PENDING, redirect_uri=None, code_verifier=None)
    assert PUBLIC.redeem(bare, BACK).start(1000.0) == RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=f"{ISSUER}/token",
        headers=(JSON, FORM),
        form=(("grant_type", "authorization_code"), ("code", "c1"), ("client_id", "app")),
    )


def test_a_forged_callback_makes_no_flow() -> None:
    with pytest.raises(MismatchingStateError):
        CLIENT.redeem(PENDING, f"{CALLBACK}&code=c1&state=forged")
    with pytest.raises(ErrorResponse):
        CLIENT.redeem(PENDING, f"{CALLBACK}&error=access_denied&state={RANDOM}")
    with pytest.raises(LocalProtocolError, match="code is given twice"):
        CLIENT.redeem(PENDING, BACK, parameters={"code": "c2"})


Redeem = Callable[[PendingAuthorization], Flow[OAuth2Token]]
REDEEM: list[Redeem] = [
    lambda pending: CLIENT.redeem(pending, BACK),
    lambda pending: CLIENT.redeem_implicit(
        replace(pending, response_type="token", response_mode=ResponseMode.FRAGMENT),
        f"{CALLBACK}#access_token=t&state={RANDOM}",
    ),
]


@pytest.mark.parametrize("redeem", REDEEM)
def test_it_can_be_too_late_to_redeem(redeem: Redeem) -> None:
    with pytest.raises(LocalProtocolError, match="too old") as got:
        redeem(PENDING).start(1600.5)
    assert got.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("redeem", REDEEM)
@pytest.mark.parametrize("issuer", [None, "https://evil.example"])
def test_what_was_begun_at_one_server_is_not_redeemed_at_another(
    redeem: Redeem, issuer: str | None
) -> None:
    with pytest.raises(LocalProtocolError, match="begun at another server"):
        redeem(replace(PENDING, issuer=issuer))


@pytest.mark.parametrize("redeem", REDEEM)
def test_what_has_no_state_is_not_redeemed(redeem: Redeem) -> None:
    with pytest.raises(LocalProtocolError, match="has no state"):
        redeem(replace(PENDING, state=""))


# The other requests


def read_status(given: Answer) -> int:
    return given.response.status


TOKEN = OAuth2Token(access_token="a1", refresh_token="r1", scope="x", own=1)

REQUESTS: dict[str, tuple[Flow[Any], RequestToSend]] = {
    "client_credentials": (
        CLIENT.client_credentials(
            scope="a b", resource="https://a.example", parameters=[("audience", "x"), ("b", "")]
        ),
        request(
            ("grant_type", "client_credentials"),
            ("scope", "a b"),
            ("resource", "https://a.example"),
            ("audience", "x"),
            ("b", ""),
        ),
    ),
    "refresh": (
        CLIENT.refresh(TOKEN, scope=("x", "y"), resource=["urn:a", "urn:b"]),
        request(
            ("grant_type", "refresh_token"),
            ("refresh_token", "r1"),
            ("scope", "x y"),
            ("resource", "urn:a"),
            ("resource", "urn:b"),
        ),
    ),
    "refresh for less": (
        CLIENT.refresh("r1", authorization_details=[{"type": "a"}], parameters={"own": "1"}),
        request(
            ("grant_type", "refresh_token"),
            ("refresh_token", "r1"),
            ("authorization_details", '[{"type":"a"}]'),
            ("own", "1"),
        ),
    ),
    "client_credentials in detail": (
        CLIENT.client_credentials(authorization_details=[{"type": "a"}, {"type": "b"}]),
        request(
            ("grant_type", "client_credentials"),
            ("authorization_details", '[{"type":"a"},{"type":"b"}]'),
        ),
    ),
    "redeem for less": (
        CLIENT.redeem(
            PENDING,
            BACK,
            resource="urn:a",
            authorization_details=[{"type": "a"}],
        ),
        request(
            ("grant_type", "authorization_code"),
            ("code", "c1"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", RANDOM),
            ("resource", "urn:a"),
            ("authorization_details", '[{"type":"a"}]'),
        ),
    ),
    "refresh with the refresh token alone": (
        CLIENT.refresh("r2", parameters={"own": "1"}),
        request(("grant_type", "refresh_token"), ("refresh_token", "r2"), ("own", "1")),
    ),
    "refresh with headers": (
        PUBLIC.refresh("r2", headers=(("accept", "text/plain"), ("X-Own", "1"))),
        RequestToSend(
            endpoint=Endpoint.TOKEN,
            url=f"{ISSUER}/token",
            headers=(FORM, ("accept", "text/plain"), ("X-Own", "1")),
            form=(("grant_type", "refresh_token"), ("refresh_token", "r2"), ("client_id", "app")),
        ),
    ),
    "password": (
        CLIENT.password("jo ü", "", scope="a", parameters={"b": "1"}),
        request(
            ("grant_type", "password"),
            ("username", "jo ü"),
            ("password", ""),
            ("scope", "a"),
            ("b", "1"),
        ),
    ),
    "request_token": (
        CLIENT.request_token(
            "urn:own:grant",
            scope="a",
            resource=["urn:a", "urn:b"],
            audience=["x", "y"],
            parameters={"audience": "z", "more": ["1", "2"]},
        ),
        request(
            ("grant_type", "urn:own:grant"),
            ("scope", "a"),
            ("resource", "urn:a"),
            ("resource", "urn:b"),
            ("audience", "x"),
            ("audience", "y"),
            ("audience", "z"),
            ("more", "1"),
            ("more", "2"),
        ),
    ),
    "request_token by GET": (
        CLIENT.request_token(
            "own", scope="a b", audience="x", method="GET", headers=(("X-Own", "1"),)
        ),
        RequestToSend(
            endpoint=Endpoint.TOKEN,
            method="GET",
            url=f"{ISSUER}/token?grant_type=own&scope=a%20b&audience=x",
            headers=(JSON, ("X-Own", "1"), BASIC),
        ),
    ),
    "request_token by GET of a public client": (
        PUBLIC.request_token("own", method="GET"),
        RequestToSend(
            endpoint=Endpoint.TOKEN,
            method="GET",
            url=f"{ISSUER}/token?grant_type=own&client_id=app",
            headers=(JSON,),
        ),
    ),
    "request_token by PUT": (
        POSTING.request_token("own", method="PUT"),
        RequestToSend(
            endpoint=Endpoint.TOKEN,
            method="PUT",
            url=f"{ISSUER}/token",
            headers=(JSON, FORM),
            form=(("grant_type", "own"), ("client_id", "app"), ("client_secret", "hush-hush")),
        ),
    ),
    "revoke": (
        CLIENT.revoke(TOKEN, parameters={"own": "1"}),
        request(
            ("token", "r1"),
            ("token_type_hint", "refresh_token"),
            ("own", "1"),
            endpoint=Endpoint.REVOCATION,
            path="/revoke",
        ),
    ),
    "revoke an access token": (
        CLIENT.revoke(OAuth2Token(access_token="a1")),
        request(
            ("token", "a1"),
            ("token_type_hint", "access_token"),
            endpoint=Endpoint.REVOCATION,
            path="/revoke",
        ),
    ),
    "revoke any text": (
        CLIENT.revoke("a1"),
        request(("token", "a1"), endpoint=Endpoint.REVOCATION, path="/revoke"),
    ),
    "introspect": (
        CLIENT.introspect(TOKEN, parameters={"own": "1"}),
        request(("token", "a1"), ("own", "1"), endpoint=Endpoint.INTROSPECTION, path="/introspect"),
    ),
    "introspect with a hint": (
        CLIENT.introspect("r1", token_type_hint="refresh_token"),
        request(
            ("token", "r1"),
            ("token_type_hint", "refresh_token"),
            endpoint=Endpoint.INTROSPECTION,
            path="/introspect",
        ),
    ),
    "exchange": (
        CLIENT.exchange(Endpoint.USERINFO, {"b": "1", "a": ["2", "3"]}, read_status),
        request(
            ("b", "1"),
            ("a", "2"),
            ("a", "3"),
            endpoint=Endpoint.USERINFO,
            path="/userinfo?tenant=1",
        ),
    ),
    "exchange by GET": (
        CLIENT.exchange(
            Endpoint.USERINFO, [("a", "1 2")], read_status, method="GET", headers=(("accept", "*"),)
        ),
        RequestToSend(
            endpoint=Endpoint.USERINFO,
            method="GET",
            url=f"{ISSUER}/userinfo?tenant=1&a=1%202",
            headers=(("accept", "*"), BASIC),
        ),
    ),
}


@pytest.mark.parametrize(("flow", "wanted"), REQUESTS.values(), ids=REQUESTS)
def test_the_exact_request(flow: Flow[Any], wanted: RequestToSend) -> None:
    assert flow.start(1000.0) == wanted


@pytest.mark.parametrize(
    "begin",
    [
        lambda: CLIENT.client_credentials(parameters={"grant_type": "password"}),
        lambda: CLIENT.client_credentials(scope="a", parameters={"scope": "b"}),
        lambda: CLIENT.refresh(TOKEN, parameters={"refresh_token": "r2"}),
        lambda: CLIENT.password("a", "b", parameters={"password": "c"}),
        lambda: CLIENT.revoke(TOKEN, parameters={"token": "x"}),
        lambda: CLIENT.introspect(TOKEN, parameters={"token": "x"}),
    ],
)
def test_no_parameter_is_sent_twice(begin: Callable[[], Flow[Any]]) -> None:
    with pytest.raises(LocalProtocolError, match="is given twice") as got:
        begin()
    assert got.value.endpoint is not None


def test_a_get_takes_no_secret() -> None:
    with pytest.raises(LocalProtocolError, match="never goes into a URL"):
        POSTING.request_token("own", method="GET").start(0.0)
    with pytest.raises(LocalProtocolError, match="never goes into a URL"):
        PUBLIC.request_token("own", method="GET", parameters={"client_secret": "hush-hush"})


@pytest.mark.parametrize("token", [OAuth2Token(), OAuth2Token(access_token=None), ""])
def test_there_has_to_be_a_token(token: OAuth2Token | str) -> None:
    for begin in (CLIENT.revoke, CLIENT.introspect):
        with pytest.raises(MissingTokenError, match="there is no token to ask about"):
            begin(token)
    with pytest.raises(LocalProtocolError, match="no refresh token") as got:
        CLIENT.refresh(token)
    assert got.value.error == "missing_refresh_token"


def test_an_endpoint_has_to_be_known() -> None:
    with pytest.raises(LocalProtocolError, match="this server has no token endpoint"):
        replace(CLIENT, server=Server()).client_credentials()


# The answers


def finish(flow: Flow[Any], response: ResponseReceived) -> object:
    flow.start(1000.0)
    action = flow.receive(response, 1000.0)
    assert isinstance(action, Finished)
    return action.result


def test_a_refresh_keeps_what_the_answer_leaves_out() -> None:
    token = finish(CLIENT.refresh(TOKEN), answer(access_token="a2", refresh_token=None))
    assert token == {"access_token": "a2", "refresh_token": "r1", "scope": "x", "own": 1}
    assert TOKEN["access_token"] == "a1"
    token = finish(CLIENT.refresh("r1"), answer(access_token="a2", refresh_token="r2"))
    assert token == {"access_token": "a2", "refresh_token": "r2"}


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("body", [b"", b"{}", b"gone", b"\xff"])
def test_a_token_is_revoked_by_200_whatever_the_body(status: int, body: bytes) -> None:
    assert finish(CLIENT.revoke("a1"), ResponseReceived(status=status, body=body)) is None


@pytest.mark.parametrize("status", [201, 202, 302, 400, 401, 404, 500, 503])
def test_a_token_may_be_alive_after_any_other_status(status: int) -> None:
    with pytest.raises(RemoteProtocolError) as got:
        finish(CLIENT.revoke("a1"), ResponseReceived(status=status))
    assert (got.value.status, got.value.endpoint) == (status, Endpoint.REVOCATION)


def test_a_refused_revocation_says_why() -> None:
    with pytest.raises(ErrorResponse, match="unsupported_token_type"):
        finish(CLIENT.revoke("a1"), answer(400, error="unsupported_token_type"))


def test_introspection_and_ones_own_reader() -> None:
    read = finish(CLIENT.introspect("a1"), answer(active=True, scope="x"))
    assert isinstance(read, Introspection)
    assert (read.active, read.scope) == (True, "x")
    flow = CLIENT.exchange(Endpoint.USERINFO, (), read_status)
    assert finish(flow, ResponseReceived(status=418)) == 418


# What the server has signed

KEYS = ServerKeys(server_jwts.jwk_set("ES256"))
TRUSTING = replace(
    CLIENT,
    server=replace(SERVER, issuer=server_jwts.ISSUER),
    authorization_signed_response_alg="ES256",
    introspection_signed_response_alg="ES256",
)


def signed_back(begun: PendingAuthorization, **claims: object) -> str:
    jwt = server_jwts.signed_jwt({**server_jwts.CLAIMS, "state": begun.state, **claims})
    return f"{CALLBACK}&response={jwt}"


def begun_by(client: Client, mode: ResponseMode, response_type: str = "code") -> Any:
    flow = client.authorize(redirect_uri=CALLBACK, response_mode=mode, response_type=response_type)
    action = flow.start(server_jwts.NOW)
    assert isinstance(action, Finished)
    return action.result


def test_a_signed_callback() -> None:
    begun = begun_by(TRUSTING, ResponseMode.JWT)
    assert "response_mode=jwt" in begun.url
    callback = signed_back(begun, code="c1")
    sent = TRUSTING.redeem(begun, callback, keys=KEYS).start(server_jwts.NOW)
    assert isinstance(sent, RequestToSend)
    assert ("code", "c1") in sent.form
    with pytest.raises(RemoteProtocolError, match="jwt_expired"):
        TRUSTING.redeem(begun, callback, keys=KEYS).start(server_jwts.NOW + 91)
    with pytest.raises(LocalProtocolError, match=r"ServerKeys\.fetch"):
        TRUSTING.redeem(begun, callback)
    with pytest.raises(RemoteProtocolError, match="unknown_key"):
        TRUSTING.redeem(begun, callback, keys=ServerKeys(server_jwts.jwk_set("EdDSA")))
    with pytest.raises(RemoteProtocolError, match="not signed"):
        TRUSTING.redeem(begun, BACK, keys=KEYS)
    nameless = replace(CLIENT, server=replace(SERVER, issuer=None))
    with pytest.raises(LocalProtocolError, match="names its issuer"):
        nameless.authorize(redirect_uri=None, response_mode=ResponseMode.JWT)


def test_a_signed_callback_with_a_token() -> None:
    begun = begun_by(TRUSTING, ResponseMode.JWT, "token")
    callback = signed_back(begun, access_token="t1").replace("&response", "#response")
    action = TRUSTING.redeem_implicit(begun, callback, keys=KEYS).start(server_jwts.NOW)
    assert isinstance(action, Finished)
    assert action.result.access_token == "t1"


@pytest.mark.parametrize(
    "client", [TRUSTING, replace(TRUSTING, introspection_signed_response_alg=None)]
)
def test_a_signed_introspection(client: Client) -> None:
    flow = client.introspect("a1", keys=KEYS)
    sent = flow.start(0.0)
    assert isinstance(sent, RequestToSend)
    assert sent.header("Accept") == "application/token-introspection+jwt"
    with pytest.raises(RemoteProtocolError, match="is not signed"):
        flow.receive(answer(active=True), 0.0)


def test_what_was_registered_is_asked_for() -> None:
    with pytest.raises(LocalProtocolError, match=r"ServerKeys\.fetch"):
        TRUSTING.introspect("a1")


# Authentication


@pytest.mark.parametrize(
    ("methods", "secret", "headers", "form"),
    [
        (None, None, (), (("client_id", "app"),)),
        (None, "hush-hush", (BASIC,), ()),
        (
            ("client_secret_post",),
            "hush-hush",
            (),
            (("client_id", "app"), ("client_secret", "hush-hush")),
        ),
    ],
)
def test_the_metadata_choose_the_authentication(
    methods: tuple[str, ...] | None,
    secret: str | None,
    headers: tuple[tuple[str, str], ...],
    form: tuple[tuple[str, str], ...],
) -> None:
    server = replace(SERVER, token_endpoint_auth_methods_supported=methods)
    client = Client(server=server, client_id="app", client_secret=secret)
    assert client.client_credentials().start(0.0) == RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=f"{ISSUER}/token",
        headers=(JSON, FORM, *headers),
        form=(("grant_type", "client_credentials"), *form),
    )


def test_a_client_authenticates_in_one_way() -> None:
    with pytest.raises(TypeError, match="give auth or client_secret, not both"):
        Client(server=SERVER, client_id="app", auth=NoAuthentication(), client_secret="x")
    server = replace(SERVER, token_endpoint_auth_methods_supported=("private_key_jwt",))
    with pytest.raises(LocalProtocolError, match="takes neither"):
        Client(server=server, client_id="app", client_secret="x")


@dataclass
class RemoteKey:
    """One's own way, whose key is elsewhere: asks for a signature, and learns one nonce."""

    method: str = "own_method"
    seen: list[ClientIdentity] = field(default_factory=list)
    nonce: str = ""

    def __bool__(self) -> bool:
        return False  # what it says of itself is nobody's business

    def signer(self, identity: ClientIdentity) -> Signer:
        self.seen.append(identity)
        return self

    def sign(self, request: RequestToSend, now: float) -> Unsigned:
        text = f"{self.nonce}{now:.0f}"
        return Unsigned(
            SignatureNeeded(algorithm="ES256", signing_input=text.encode(), key_id="k1"),
            lambda signature: request.with_parameters(
                (("assertion", f"{text}.{signature.hex()}"),)
            ),
        )

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        self.nonce = response.header("Own-Nonce") or ""
        return self.nonce != ""


def test_ones_own_way_may_suspend_and_try_once_more() -> None:
    key = RemoteKey()
    way: ClientAuthentication = key
    client = replace(PUBLIC, auth=way)
    assert key.seen[-1] == ClientIdentity(client_id="app", server=SERVER, random_bytes=counted)
    flow = client.client_credentials()
    assert flow.start(10.0) == SignatureNeeded(algorithm="ES256", signing_input=b"10", key_id="k1")

    def signed(assertion: str) -> RequestToSend:
        return RequestToSend(
            endpoint=Endpoint.TOKEN,
            url=f"{ISSUER}/token",
            headers=(JSON, FORM),
            form=(("grant_type", "client_credentials"), ("assertion", assertion)),
        )

    assert flow.receive(SignatureMade(b"\x01"), 11.0) == signed("10.01")
    refusal = ResponseReceived(status=400, headers=(("own-nonce", "n"),))
    assert flow.receive(refusal, 12.0) == SignatureNeeded(
        algorithm="ES256", signing_input=b"n12", key_id="k1"
    )
    assert flow.receive(SignatureMade(b"\x02"), 13.0) == signed("n12.02")
    with pytest.raises(RemoteProtocolError, match="an empty body"):
        flow.receive(refusal, 14.0)


def test_redeeming_with_a_remote_key_asks_for_the_age_once() -> None:
    flow = replace(PUBLIC, auth=RemoteKey()).redeem(PENDING, BACK)
    assert isinstance(flow.start(1600.0), SignatureNeeded)
    assert isinstance(flow.receive(SignatureMade(b""), 1700.0), RequestToSend)


def test_hooks_come_before_the_authentication() -> None:
    def amended(draft: RequestToSend) -> RequestToSend:
        assert draft.header("Authorization") is None
        return draft.with_header("X-Own", "1")

    def repaired(_sent: RequestToSend, response: ResponseReceived) -> ResponseReceived:
        return replace(response, status=200)

    client = replace(
        CLIENT,
        amend_request=(amended,),
        amend_response=(repaired,),
        url_allowed=lambda url: "token" in url,
    )
    flow = client.client_credentials()
    sent = flow.start(0.0)
    assert isinstance(sent, RequestToSend)
    assert sent.headers == (JSON, FORM, ("X-Own", "1"), BASIC)
    assert isinstance(flow.receive(answer(418, access_token="t"), 0.0), Finished)
    with pytest.raises(LocalProtocolError, match="url_allowed refuses"):
        client.revoke("a1").start(0.0)


@pytest.mark.parametrize("allowed", [False, True])
def test_plain_http_is_the_servers_setting(allowed: bool) -> None:
    endpoint = "http://server.example/token" if allowed else "http://127.0.0.1/token"
    server = Server(token_endpoint=endpoint, allow_insecure_http=allowed)
    sent = Client(server=server, client_id="app").client_credentials().start(0.0)
    assert isinstance(sent, RequestToSend)
    assert sent.url == endpoint


# The client as a value


def test_a_client_is_a_frozen_value() -> None:
    same = Client(
        server=SERVER, client_id="app", auth=ClientSecretBasic("hush-hush"), random_bytes=counted
    )
    assert (CLIENT, hash(CLIENT)) == (same, hash(same))
    assert CLIENT not in (PUBLIC, POSTING, replace(CLIENT, client_id="other"))
    other = replace(CLIENT, client_id="other")
    sent = other.client_credentials().start(0.0)
    assert isinstance(sent, RequestToSend)
    assert sent.header("Authorization") == "Basic b3RoZXI6aHVzaC1odXNo"
    with pytest.raises(FrozenInstanceError):
        CLIENT.client_id = "other"  # type: ignore[misc]  # what the test is about
    with pytest.raises(TypeError, match="omit_pkc"):
        Client(server=SERVER, client_id="app", omit_pkc=True)  # type: ignore[call-arg]  # the same


@pytest.mark.parametrize(
    "client", [CLIENT, POSTING, Client(server=SERVER, client_id="app", client_secret="hush-hush")]
)
def test_a_client_shows_and_pickles_no_secret(client: Client) -> None:
    assert "hush" not in repr(client)
    assert BASIC[1] not in repr(client)
    assert repr(client).startswith("Client(server=Server(issuer='https://server.example'")
    with pytest.raises(TypeError, match="a Client may hold secrets, and is not pickled"):
        pickle.dumps(client)
    assert copy.copy(client) is copy.deepcopy(client) is client


@pytest.mark.parametrize(
    "begin",
    [
        lambda: PUBLIC.authorize(redirect_uri=None, state="hush\ud800"),
        lambda: CLIENT.password("a", "hush\ud800"),
        lambda: CLIENT.client_credentials(parameters={"a": "hush\ud800"}),
        lambda: CLIENT.request_token("a", method="GET", parameters={"a": "hush\ud800"}),
        lambda: CLIENT.revoke("hush\ud800"),
    ],
)
def test_what_utf8_cannot_write_is_refused_and_not_shown(begin: Callable[[], Flow[Any]]) -> None:
    with pytest.raises(LocalProtocolError, match="surrogate") as got:
        begin()
    assert "hush" not in str(got.value)
    assert got.value.__context__ is None


# For operations of one's own


def test_a_draft_and_the_pipeline_make_an_exchange_of_ones_own() -> None:
    draft = CLIENT.server.draft(Endpoint.TOKEN, (("a", "b"),), headers=(("Accept", "x/y"),))
    assert (draft.header("Accept"), draft.form) == ("x/y", (("a", "b"),))
    in_url = CLIENT.server.draft(Endpoint.TOKEN, (("a", "b"),), method="GET")
    assert (in_url.url.endswith("?a=b"), in_url.form) == (True, ())
    flow = Exchange(CLIENT.pipeline, draft, lambda answer: answer.response.status).flow()
    sent = flow.start(0.0)
    assert isinstance(sent, RequestToSend)
    assert sent.header("Authorization") == BASIC[1]


def test_a_key_that_tokens_are_bound_to() -> None:
    dpop = DPoP(new_private_key(random_bytes=lambda count: b"1" * count))
    client = Client(server=SERVER, client_id="app", dpop=dpop)
    begun = client.authorize(redirect_uri=None).start(0.0)
    assert isinstance(begun, Finished)
    assert f"dpop_jkt={dpop.thumbprint}" in begun.result.url
    for kind, is_taken in (("DPoP", True), ("Bearer", False)):
        flow = client.client_credentials()
        sent = flow.start(0.0)
        assert isinstance(sent, RequestToSend)
        assert sent.header("DPoP")
        reply = answer(access_token="a", token_type=kind)
        if is_taken:
            assert isinstance(flow.receive(reply, 0.0), Finished)
        else:
            with pytest.raises(RemoteProtocolError, match="not bound"):
                flow.receive(reply, 0.0)
    with pytest.raises(LocalProtocolError, match="ES256"):
        Client(
            server=Server(dpop_signing_alg_values_supported=("PS256",)), client_id="app", dpop=dpop
        )
