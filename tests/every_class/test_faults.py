"""What the library that ours replaces does wrong, and no class of ours does: a test for each fault.

Each runs over real sockets of this machine, in every class of every adapter.
"""

from __future__ import annotations

import json
import threading
import time
import warnings
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from joserfc.jwk import ECKey, OKPKey

from oauth2_sansio import (
    AssertionAudience,
    ClientSecretJWT,
    Endpoint,
    ErrorResponse,
    LocalProtocolError,
    MismatchingStateError,
    OAuth2Error,
    OAuth2Token,
    PrivateKeyJWT,
    RemoteProtocolError,
)
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, RegisteredClient, User
from oauth2_sansio.testing.loopback import serve
from tests.core.keys_for_tests import rsa_key
from tests.interop.sessions import Kind

from .site import Answer, Seen, Site, serving

SECRET = "a-secret of 100% & more: ü"
BACK = "https://app.example/cb"
CALLBACK = f"{BACK}?code=c-1&state=s-1"
GOOD: dict[str, Any] = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600}
EXPIRED: dict[str, Any] = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}
INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@contextmanager
def session_at(kind: Kind, site: Site, *answers: Answer, **settings: Any) -> Iterator[Any]:
    """Open a session of `app`; `answers` are those of the token endpoint, a good token if none."""
    site.answer("/token", *answers or (Answer(200, GOOD),))
    given = {
        "client_id": "app",
        "client_secret": SECRET,
        "redirect_uri": BACK,
        **{
            f"{name}_endpoint": f"{site.url}/{name}"
            for name in ("authorization", "token", "revocation", "introspection")
        },
        **settings,
    }
    with kind.session(given.pop("client_id"), given.pop("client_secret"), **given) as session:
        yield session


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    """Return a server that knows OAuth."""
    client = RegisteredClient(
        client_id="app",
        client_secret=SECRET,
        redirect_uris=(BACK,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope="read write",
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(issuer=issuer, clients=(client,), now=time.time)

    with serve(build) as found:
        yield found


@contextmanager
def known_at(kind: Kind, server: AuthorizationServer, **settings: Any) -> Iterator[Any]:
    """Open a session of `app` at that server."""
    found = kind.discover(server.issuer)
    settings = {"server": found, "code_challenge_method": "S256", **settings}
    with kind.session("app", SECRET, redirect_uri=BACK, **settings) as session:
        yield session


def sign_in(session: Any, server: AuthorizationServer) -> dict[str, Any]:
    url, _ = session.create_authorization_url()
    return dict(session.fetch_token(authorization_response=server.visit(url)))


def test_fault_01_an_error_in_the_callback_is_raised(
    kind: Kind, server: AuthorizationServer
) -> None:
    with known_at(kind, server) as session:
        url, _ = session.create_authorization_url()
        with pytest.raises(ErrorResponse) as caught:
            session.fetch_token(authorization_response=server.visit(url, User(approves=False)))
        assert caught.value.error == "access_denied"
        assert (session.token, server.count(Endpoint.TOKEN)) == (None, 0)


def test_fault_02_the_state_is_checked_by_the_session_that_made_it(
    kind: Kind, server: AuthorizationServer
) -> None:
    with known_at(kind, server) as session:
        url, state = session.create_authorization_url()
        forged = server.visit(url).replace(state, "another")
        with pytest.raises(MismatchingStateError):
            session.fetch_token(authorization_response=forged)
        assert (session.token, server.count(Endpoint.TOKEN)) == (None, 0)


def test_fault_03_a_fragment_is_no_token_when_a_code_was_asked_for(kind: Kind, site: Site) -> None:
    with session_at(kind, site, state="s-1") as session:
        assert session.fetch_token(authorization_response=f"{CALLBACK}#_=_") == session.token
        assert ("code", "c-1") in site.requests[0].form
        injected = f"{BACK}#access_token=evil&token_type=bearer&state=s-1"
        with pytest.raises(RemoteProtocolError):
            session.fetch_token(authorization_response=injected)
        assert len(site.requests) == 1
        assert session.token["access_token"] == "a-1"


@pytest.mark.parametrize(
    ("callback", "error"),
    [
        (f"{BACK}#error=access_denied&state=s-1&iss=https://as.example", "access_denied"),
        (f"{CALLBACK}&code=c-2", "remote_protocol_error"),
        (f"{CALLBACK}&iss=https://evil.example", "issuer_mismatch"),
        (CALLBACK, "issuer_mismatch"),
    ],
    ids=["error in the fragment", "repeated", "another issuer", "no issuer"],
)
def test_fault_04_the_callback_is_read_whole(
    kind: Kind, site: Site, callback: str, error: str
) -> None:
    required: dict[str, Any] = {"authorization_response_iss_parameter_supported": True}
    with session_at(kind, site, state="s-1", issuer="https://as.example", **required) as session:
        with pytest.raises(kind.error) as caught:
            session.fetch_token(authorization_response=callback)
        assert (caught.value.error, site.requests) == (error, [])


def test_fault_05_a_401_is_no_token_and_a_null_error_is_none(kind: Kind, site: Site) -> None:
    refused = Answer(401, {"message": "no", "access_token": "x"})
    with session_at(kind, site, refused, Answer(200, {**GOOD, "error": None})) as session:
        with pytest.raises(RemoteProtocolError) as caught:
            session.fetch_token()
        assert (caught.value.status, session.token) == (401, None)
        assert session.fetch_token()["access_token"] == "a-1"


def test_fault_06_a_guessed_grant_is_not_remembered(kind: Kind, site: Site) -> None:
    with session_at(kind, site) as session:
        session.fetch_token(username="alice", password="pass")
        session.fetch_token(code="c-1")
        session.fetch_token()
        grants = [dict(each.form)["grant_type"] for each in site.requests]
        assert grants == ["password", "authorization_code", "client_credentials"]
        assert "grant_type" not in session.metadata


def test_fault_07_renewal_keeps_audience(kind: Kind, site: Site) -> None:
    answers = Answer(200, {**GOOD, "expires_in": 0}), Answer(200, GOOD)
    asked: dict[str, Any] = {"audience": "https://api.example", "resource": ["r:1", "r:2"]}
    with session_at(kind, site, *answers, scope="read") as session:
        session.fetch_token(**asked, tenant="t", headers={"X-Tenant": "t"}, timeout=7)
        session.get(f"{site.url}/api")  # the first token is used once
        session.get(f"{site.url}/api")
    first, renewal = site.seen("/token")
    assert first.form == renewal.form
    assert first.form[1:] == [
        ("audience", "https://api.example"),
        ("resource", "r:1"),
        ("resource", "r:2"),
        ("tenant", "t"),
        ("scope", "read"),
    ]
    assert renewal.headers["x-tenant"] == "t"


def test_fault_07_a_users_token_is_not_renewed_as_the_clients(kind: Kind, site: Site) -> None:
    answers = Answer(200, GOOD), Answer(200, {**GOOD, "access_token": "user"})
    with session_at(kind, site, *answers) as session:
        session.fetch_token()
        session.fetch_token(code="c-1")
        session.token["expires_at"] = 1
        with pytest.raises(LocalProtocolError, match="cannot be renewed"):
            session.get(f"{site.url}/api")
    assert len(site.requests) == 2


def test_fault_08_all_callers_renew_once(kind: Kind, server: AuthorizationServer) -> None:
    saved: list[Any] = []
    with known_at(
        kind, server, update_token=lambda token, **more: saved.append((token, more))
    ) as session:
        old = sign_in(session, server)
        session.token["expires_at"] = 1
        count = 64 if kind.portal is None else 16  # more of them: `tests/waiting`
        ready = threading.Barrier(count)

        def use(number: int) -> int:
            ready.wait()
            if number % 8 == 0:
                session.refresh_token(refresh_token=old["refresh_token"])
                return 200
            return int(session.get(server.url(Endpoint.RESOURCE)).status_code)

        with ThreadPoolExecutor(count) as threads:
            assert set(threads.map(use, range(count))) == {200}
        assert server.count(grant_type="refresh_token") == 1
        assert [more for _, more in saved] == [{"refresh_token": old["refresh_token"]}]
        assert server.is_active(session.token["refresh_token"])


def test_fault_09_update_token_may_use_the_client(kind: Kind, server: AuthorizationServer) -> None:
    statuses: list[int] = []

    def save(_token: OAuth2Token, **_more: Any) -> None:
        statuses.append(session.get(server.url(Endpoint.RESOURCE)).status_code)

    async def save_async(_token: OAuth2Token, **_more: Any) -> None:
        response = await session.client.get(server.url(Endpoint.RESOURCE))
        statuses.append(response.status_code)

    with known_at(
        kind, server, update_token=save if kind.portal is None else save_async
    ) as session:
        sign_in(session, server)
        session.token["expires_at"] = 1
        assert session.get(server.url(Endpoint.RESOURCE)).status_code == 200
    assert statuses == [200]
    assert server.count(grant_type="refresh_token") == 1


def test_fault_10_what_the_caller_hands_in_is_not_changed(kind: Kind, site: Site) -> None:
    token, headers = {**EXPIRED, "refresh_token": "r-1"}, {"X-One": "1"}
    claims, header = {"userinfo": 1}, {"typ": "JWT"}
    with session_at(kind, site, token=token) as session:
        session.get(f"{site.url}/api", headers=headers)
        session.fetch_token(code="c", headers=headers)
        session.create_authorization_url(claims=claims)
        kind.auth_class(token).set_token(token)
    with kind.assertion_session(
        f"{site.url}/token", "me", "me", claims=claims, header=header, key=rsa_key(), alg="RS256"
    ) as session:
        for _ in range(2):
            session.fetch_token()
    assert (token, headers) == ({**EXPIRED, "refresh_token": "r-1"}, {"X-One": "1"})
    assert (claims, header) == ({"userinfo": 1}, {"typ": "JWT"})
    one, another = (assertion_in(each)[1] for each in site.requests[-2:])
    assert one["userinfo"] == another["userinfo"] == 1
    assert one["jti"] != another["jti"]


@pytest.mark.parametrize("audience", AssertionAudience)
def test_fault_11_a_client_assertion_is_for_the_server(
    kind: Kind, site: Site, audience: AssertionAudience
) -> None:
    way = ClientSecretJWT(client_secret=SECRET * 2, audience=audience)
    with session_at(
        kind,
        site,
        token_endpoint_auth_method=way,
        token_endpoint=f"{site.url}/token?tenant=t",
        issuer="https://as.example",
    ) as session:
        session.fetch_token()
        session.introspect_token()
    wanted = {
        AssertionAudience.ISSUER: "https://as.example",
        AssertionAudience.TOKEN_ENDPOINT: f"{site.url}/token",
    }
    assert [assertion_in(each, "client_assertion")[1]["aud"] for each in site.requests] == [
        wanted[audience]
    ] * 2


def test_fault_12_leeway_is_heeded(kind: Kind, site: Site) -> None:
    api = f"{site.url}/api"
    soon = {**GOOD, "expires_at": time.time() + 100, "refresh_token": "r-1"}
    with session_at(kind, site, token=soon, leeway=90) as session:
        session.get(api)
        assert not site.seen("/token")
        session.leeway = 110
        session.get(api)
        assert [each.target for each in site.requests] == ["/api", "/token", "/api"]
    with session_at(kind, site, token=soon) as session, session_at(kind, site, leeway=110) as other:
        auth = kind.auth({**soon, "access_token": "own"}, client=other)
        session.get(api, auth=auth)
    assert [each.target for each in site.requests[3:]] == ["/token", "/api"]


def test_fault_12_streams_of_assertion_clients_carry_the_token(kind: Kind, site: Site) -> None:
    site.answer("/token", Answer(200, GOOD))
    api = site.answer("/api", Answer(200, {"fine": True}))
    settings: dict[str, Any] = {"key": rsa_key(), "alg": "RS256", "leeway": 90}
    with kind.assertion_session(f"{site.url}/token", "me", "me", **settings) as session:
        assert session.leeway == 90
        if kind.adapter == "oauth2_sansio_requests":
            assert session.get(api, stream=True).json() == {"fine": True}
        elif kind.portal is None:
            with session.stream("GET", api) as response:
                assert response.status_code == 200
        else:
            opened = session.stream("GET", api)
            with kind.portal.wrap_async_context_manager(opened) as response:
                assert response.status_code == 200
    assert [each.headers.get("authorization") for each in site.seen("/api")] == ["Bearer a-1"]


def test_fault_13_basic_is_form_encoded_first(kind: Kind, site: Site) -> None:
    with session_at(kind, site, client_id="my app") as session:
        session.fetch_token()
        session.token_endpoint_auth_method = "client_secret_basic_raw"
        session.fetch_token()
    sent = [b64decode(each.headers["authorization"][6:]).decode() for each in site.requests]
    assert sent == [
        "my%20app:a-secret%20of%20100%25%20%26%20more%3A%20%C3%BC",
        f"my app:{SECRET}",
    ]
    without: dict[str, Any] = {"token_endpoint_auth_method": "client_secret_basic"}
    with (
        session_at(kind, site, client_secret=None, **without) as session,
        pytest.raises(LocalProtocolError, match="client_secret_basic needs a client_secret"),
    ):
        session.fetch_token()
    assert len(site.requests) == 2


def test_fault_13_the_secret_arrives(kind: Kind, server: AuthorizationServer) -> None:
    with known_at(kind, server) as session:
        assert server.is_active(session.fetch_token()["access_token"])


def bodies_that_are_no_form(kind: Kind) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = [
        {"json": {"a": 1}},
        {kind.content: kind.streamed([b"chunk"])},
        {kind.content: b"\xff\xfe"},
    ]
    if kind.adapter != "oauth2_sansio_trio":  # which takes neither
        bodies += [{kind.content: "plain"}, {"files": {"file": b"content"}}]
    return bodies


def test_fault_14_a_token_only_goes_into_a_form(kind: Kind, site: Site) -> None:
    with session_at(kind, site, token=GOOD, token_placement="body") as session:
        for body in bodies_that_are_no_form(kind):
            with pytest.raises(LocalProtocolError, match="the token can"):
                session.post(f"{site.url}/api", **body)
    assert site.requests == []


def test_fault_14_a_token_in_a_form(kind: Kind, site: Site) -> None:
    api = f"{site.url}/api"
    with session_at(kind, site, token=GOOD, token_placement="body") as session:
        session.post(api, data={"a": "1"})
        session.post(api)
        session.get(api)
    assert [each.form for each in site.requests] == [
        [("a", "1"), ("access_token", "a-1")],
        [("access_token", "a-1")],
        [("access_token", "a-1")],
    ]
    kinds = [each.headers.get("content-type") for each in site.requests]
    assert kinds == ["application/x-www-form-urlencoded"] * 2 + [None]
    assert [each.headers["content-length"] for each in site.requests] == ["20", "16", "16"]


@pytest.mark.parametrize("placement", ["header", "uri"])
def test_fault_15_a_stream_stays_one(kind: Kind, site: Site, placement: str) -> None:
    api = f"{site.url}/api"
    with session_at(kind, site, token=GOOD, token_placement=placement) as session:
        session.put(api, **{kind.content: kind.streamed([b"one", b"two"])})
        session.get(api)
    streamed, plain = site.requests
    assert (streamed.headers["transfer-encoding"], streamed.body) == ("chunked", b"onetwo")
    assert "content-length" not in {**streamed.headers, **plain.headers}


def test_fault_16_plain_http_is_refused(kind: Kind, site: Site) -> None:
    plain: dict[str, Any] = {
        "token_endpoint": "http://as.example/token",
        "authorization_endpoint": "http://as.example/authorize",
    }
    with session_at(kind, site, **plain) as session:
        for call in (session.fetch_token, session.create_authorization_url):
            with pytest.raises(LocalProtocolError, match="plain http"):
                call()
    with session_at(kind, site, **plain, allow_insecure_http=True) as session:
        assert session.create_authorization_url()[0].startswith("http://as.example/authorize?")


def test_fault_17_the_third_argument_is_params(kind: Kind, site: Site) -> None:
    with session_at(kind, site, token=GOOD) as session:
        positional = kind.adapter == "oauth2_sansio_requests"  # the others have no third argument
        third: Any = [{"q": "1"}] if positional else []
        session.request("GET", f"{site.url}/api", *third, **({} if third else {"params": {"q": 1}}))
    (seen,) = site.requests
    assert (seen.target, seen.headers["authorization"]) == ("/api?q=1", "Bearer a-1")


def test_fault_18_netrc_is_not_read(
    kind: Kind, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(site.url) == ("somebody", "else")
    api = f"{site.url}/api"
    with (
        serving() as other,
        session_at(kind, site, client_secret=None, token=dict(GOOD)) as session,
    ):
        session.fetch_token()
        session.get(api)
        session.get(api, withhold_token=True)
        site.answer("/api", Answer(302, headers={"Location": f"{other.url}/there"}))
        session.get(api, **kind.following)
    sent = [each.headers.get("authorization") for each in [*site.requests, *other.requests]]
    assert sent == [None, "Bearer a-1", None, "Bearer a-1", None]


def test_fault_19_one_family_of_errors_that_can_be_printed(kind: Kind, site: Site) -> None:
    assert kind.error is OAuth2Error
    description = 'na\u0000\ud800"\r\n\U0001f600 ' + SECRET
    refused = Answer(400, {"error": "invalid_\u00fcml", "error_description": description})
    with session_at(kind, site, refused) as session, pytest.raises(OAuth2Error) as caught:
        session.fetch_token()
    printed = f"{caught.value} {caught.value!r}"
    assert printed.isascii()
    assert printed.isprintable()
    assert SECRET not in printed


def test_fault_20_repeated_and_empty_parameters_and_dicts_are_sent(kind: Kind, site: Site) -> None:
    with session_at(kind, site) as session:
        session.fetch_token(username="alice", password="", resource=["a", "b"], claims={"x": [1]})
        url, _ = session.create_authorization_url(resource=("a", "b"), claims={"x": 1})
    assert site.requests[0].form == [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", ""),
        ("resource", "a"),
        ("resource", "b"),
        ("claims", '{"x": [1]}'),
    ]
    query = parse_qsl(urlsplit(url).query)
    assert [pair for pair in query if pair[0] in ("resource", "claims")] == [
        ("resource", "a"),
        ("resource", "b"),
        ("claims", '{"x": 1}'),
    ]


def test_fault_21_a_query_is_kept_byte_by_byte(kind: Kind, site: Site) -> None:
    own = "a=%7E&b=1+2&b=%2f&flag&sig=x%2Fy=="
    with (
        session_at(kind, site, token=GOOD, token_placement="uri") as session,
        kind.plain() as plain,
    ):
        url, _ = session.create_authorization_url(f"{site.url}/auth?{own}")
        assert urlsplit(url).query.startswith(f"{own}&")
        plain.get(f"{site.url}/api?{own}")
        session.fetch_token(f"{site.url}/token?{own}", method="GET")
        session.get(f"{site.url}/api?{own}")
    # What the HTTP library itself makes of a URL is not ours: it is the same without us.
    made, fetched, placed = (urlsplit(each.target).query for each in site.requests)
    assert fetched == f"{made}&grant_type=client_credentials"
    assert placed == f"{made}&access_token=a-1"


@pytest.mark.parametrize("answered", [{}, {"refresh_token": None}, {"refresh_token": ""}], ids=str)
def test_fault_22_what_a_refresh_leaves_out_stays(
    kind: Kind, site: Site, answered: dict[str, Any]
) -> None:
    kept = {"refresh_token": "r-1", "scope": "read", "id_token": "i-1", "tenant": "t"}
    renewed = Answer(200, {**GOOD, **answered})
    with session_at(kind, site, renewed, token={**EXPIRED, **kept}) as session:
        session.get(f"{site.url}/api")
        assert {name: session.token[name] for name in kept} == kept
        assert session.token["access_token"] == "a-1"


def test_fault_23_no_refresh_without_a_refresh_token(kind: Kind, site: Site) -> None:
    for token in (None, GOOD):
        with session_at(kind, site, token=token) as session:
            with pytest.raises(LocalProtocolError) as caught:
                session.refresh_token()
            assert (caught.value.error, site.requests) == ("missing_refresh_token", [])


LIFETIMES = [
    (0, True),
    ("3600", False),
    ("3600.0", False),
    (1e300, False),
    (-5, True),
    (None, None),
    ("soon", None),
    ([], None),
    (True, None),
]


def test_fault_24_any_lifetime(kind: Kind, site: Site) -> None:
    answers = [Answer(200, {**GOOD, "expires_in": each}) for each, _ in LIFETIMES]
    with session_at(kind, site, *answers) as session:
        for lifetime, expired in LIFETIMES:
            token = session.fetch_token()
            assert token.is_expired() is expired
            assert token["expires_in"] == lifetime


def test_fault_24_a_stored_token_is_not_born_anew(kind: Kind, site: Site) -> None:
    stored = json.loads(json.dumps({**GOOD, "expires_at": 1}))
    with session_at(kind, site, token=stored) as session:
        assert session.token == {**GOOD, "expires_at": 1}
        with pytest.raises(LocalProtocolError, match="expired"):
            session.get(f"{site.url}/api")
    assert site.requests == []


def test_fault_25_a_short_life_is_not_renewed_before_each_request(kind: Kind, site: Site) -> None:
    with session_at(kind, site, Answer(200, {**GOOD, "expires_in": 50})) as session:
        session.fetch_token()
        for _ in range(3):
            session.get(f"{site.url}/api")
    assert [each.target for each in site.requests] == ["/token", "/api", "/api", "/api"]


def test_fault_26_no_secret_in_a_url(kind: Kind, site: Site) -> None:
    with session_at(kind, site) as session:
        session.fetch_token(method="get", audience="x y")
        session.token_endpoint_auth_method = "client_secret_post"
        given: tuple[dict[str, Any], ...] = (
            {},
            {"username": "alice", "password": "pass"},
            {"client_secret": "x"},
        )
        for secrets in given:
            with pytest.raises(LocalProtocolError, match="never goes into a URL"):
                session.fetch_token(method="GET", **secrets)
        session.token_endpoint_auth_method = "none"
        session.fetch_token(method="GET")
    first, second = site.requests
    assert (first.method, first.body) == ("GET", b"")
    assert first.target == "/token?grant_type=client_credentials&audience=x%20y"
    assert first.headers["authorization"].startswith("Basic ")
    assert "content-type" not in first.headers
    assert second.query[1] == ("client_id", "app")


def test_fault_27_private_keys_as_text(kind: Kind, site: Site) -> None:
    keys: dict[str, Any] = {
        "RS256": rsa_key(),
        "ES384": ECKey.generate_key("P-384"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    with session_at(kind, site) as session:
        for key in keys.values():
            pem = str(key.as_pem(private=True), "ascii")
            session.token_endpoint_auth_method = PrivateKeyJWT(private_key=pem)
            session.fetch_token()
        # In the way of the replaced library: by name, with the key as the secret.
        session.register_client_auth_method(PrivateKeyJWT(f"{site.url}/token"))
        session.client_secret = str(keys["ES384"].as_pem(private=True), "ascii")
        session.token_endpoint_auth_method = "private_key_jwt"
        session.fetch_token()
    algorithms = [assertion_in(each, "client_assertion")[0]["alg"] for each in site.requests]
    assert algorithms == [*keys, "ES384"]


def test_fault_28_json_is_asked_for_and_a_revoked_token_is_gone(kind: Kind, site: Site) -> None:
    site.answer("/revocation", Answer(204))
    with session_at(kind, site, Answer(200, {**GOOD, "refresh_token": "r-1"})) as session:
        session.fetch_token(headers={"X-One": "1"})
        session.refresh_token()
        session.introspect_token()
        session.revoke_token()
        assert session.token is None
    assert [each.headers["accept"] for each in site.requests] == ["application/json"] * 4
    assert site.requests[0].headers["x-one"] == "1"


def test_fault_29_options_are_for_one_request(kind: Kind, site: Site) -> None:
    with session_at(kind, site) as session:
        if kind.adapter == "oauth2_sansio_requests":
            session.fetch_token(verify=False, timeout=(3, 4), proxies={"https": "http://p"})
            assert (session.verify, session.proxies) == (True, {})
        else:
            session.fetch_token(timeout=3)
            for name in ("verify", "proxies", "cert", "follow_redirects", "json", "files"):
                with pytest.raises(TypeError, match=name):
                    session.fetch_token(**{name: True})
    (seen,) = site.requests
    assert seen.form == [("grant_type", "client_credentials")]


def test_fault_30_other_methods_are_sent_as_they_are(kind: Kind, site: Site) -> None:
    with session_at(kind, site) as session:
        session.fetch_token(method="PUT")
    (seen,) = site.requests
    assert (seen.method, seen.form) == ("PUT", [("grant_type", "client_credentials")])


def test_fault_31_an_auth_object_renews_over_a_plain_client(
    kind: Kind, server: AuthorizationServer
) -> None:
    with known_at(kind, server) as session, known_at(kind, server) as other, kind.plain() as plain:
        old = sign_in(session, server)
        auth = kind.auth({**old, "expires_at": 1}, client=other)
        for _ in range(2):
            assert plain.get(server.url(Endpoint.RESOURCE), auth=auth).status_code == 200
        assert server.count(grant_type="refresh_token") == 1
        assert auth.token["refresh_token"] != old["refresh_token"]


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_fault_32_a_refused_token_is_renewed_once(
    kind: Kind, server: AuthorizationServer, placement: str
) -> None:
    api = server.url(Endpoint.RESOURCE)
    with known_at(kind, server, token_placement=placement) as session:
        token = sign_in(session, server)
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        response = session.post(api, data={"a": "1"})
        assert (response.status_code, server.count(grant_type="refresh_token")) == (200, 1)
        assert session.token != token
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
        assert session.post(api).status_code == 401
        assert server.count(grant_type="refresh_token") == 2


def test_fault_32_a_stream_is_not_repeated(kind: Kind, server: AuthorizationServer) -> None:
    api = server.url(Endpoint.RESOURCE)
    with known_at(kind, server) as session:
        sign_in(session, server)
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
        assert session.post(api, **{kind.content: kind.streamed([b"x"])}).status_code == 401
        server.behave()
        server.misbehave(Misbehaviour.RESOURCE_401_WITHOUT_CHALLENGE)
        assert session.get(api).status_code == 401
    assert server.count(grant_type="refresh_token") == 0


def test_fault_33_a_constructor_that_fails_is_quiet(
    kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    name = kind.client_class.__name__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match=f"{name} has no argument colour"):
            kind.client_class("app", colour="red")
    for each in (kind.client_class, kind.assertion_class, kind.auth_class):
        assert not hasattr(each, "__del__")
    assert capsys.readouterr().err == ""


def test_fault_34_client_id_goes_along_with_an_assertion(kind: Kind, site: Site) -> None:
    way = ClientSecretJWT(client_secret=SECRET * 2)
    with session_at(kind, site, token_endpoint_auth_method=way) as session:
        session.fetch_token(code="c-1")
    (seen,) = site.requests
    assert dict(seen.form)["client_id"] == "app"
    assert "authorization" not in seen.headers


def test_fault_35_no_renewal_sends_an_expired_assertion(kind: Kind, site: Site) -> None:
    site.answer("/token", Answer(200, {**GOOD, "expires_in": 0}), Answer(200, GOOD))
    told: dict[str, Any] = {"issued_at": 1_000_000, "expires_at": 1_000_060}
    with kind.assertion_session(
        f"{site.url}/token", "me", "me", key=rsa_key(), alg="RS256", **told
    ) as session:
        for _ in range(3):
            session.get(f"{site.url}/api")
    first, renewed = (assertion_in(each)[1] for each in site.seen("/token"))
    assert (first["iat"], first["exp"]) == (1_000_000, 1_000_060)
    assert time.time() - 60 < renewed["iat"] < renewed["exp"]
    assert renewed["exp"] > time.time()


def assertion_in(seen: Seen, name: str = "assertion") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of the JWT in a request."""
    parts = dict(seen.form)[name].split(".")
    header, claims = (json.loads(urlsafe_b64decode(each + "==")) for each in parts[:2])
    return header, claims


def test_all_faults_have_a_test() -> None:
    tested = {int(name.split("_")[2]) for name in globals() if name.startswith("test_fault_")}
    assert tested == set(range(1, 36))
