"""What the library that ours replaces does wrong, and ours does not: one test for each fault."""

from __future__ import annotations

import json
import threading
import time
import warnings
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from oauth2_sansio import (
    Endpoint,
    ErrorResponse,
    LocalProtocolError,
    MismatchingStateError,
    OAuth2Error,
    OAuth2Token,
    RemoteProtocolError,
)
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, User
from oauth2_sansio_requests import OAuth2Auth, OAuth2Session, OAuthError

from .requests_world import (
    API,
    EXPIRED,
    GOOD,
    REDIRECT_URI,
    SECRET,
    SERVER,
    TOKEN_URL,
    answer,
    form,
    mounted,
    query,
    scripted,
    session_at,
    sign_in,
)

CALLBACK = f"{REDIRECT_URI}?code=c-1&state=s-1"


def test_fault_01_an_error_in_the_callback_is_raised(server: AuthorizationServer) -> None:
    session = session_at(server)
    url, _ = session.create_authorization_url()
    with pytest.raises(ErrorResponse) as caught:
        session.fetch_token(authorization_response=server.visit(url, User(approves=False)))
    assert caught.value.error == "access_denied"
    assert (session.token, server.count(Endpoint.TOKEN)) == (None, 0)


def test_fault_02_the_state_is_checked_by_the_session_that_made_it(
    server: AuthorizationServer,
) -> None:
    session = session_at(server)
    url, state = session.create_authorization_url()
    forged = server.visit(url).replace(state, "another")
    with pytest.raises(MismatchingStateError):
        session.fetch_token(authorization_response=forged)
    assert (session.token, server.count(Endpoint.TOKEN)) == (None, 0)


def test_fault_03_a_fragment_is_no_token_when_a_code_was_asked_for() -> None:
    session, adapter = mounted(state="s-1")
    assert session.fetch_token(authorization_response=f"{CALLBACK}#_=_") == session.token
    assert ("code", "c-1") in form(adapter.sent[0])
    injected = f"{REDIRECT_URI}#access_token=evil&token_type=bearer&state=s-1"
    with pytest.raises(RemoteProtocolError):
        session.fetch_token(authorization_response=injected)
    assert len(adapter.sent) == 1
    assert session.token is not None
    assert session.token["access_token"] == "a-1"


@pytest.mark.parametrize(
    ("callback", "error"),
    [
        (f"{REDIRECT_URI}#error=access_denied&state=s-1&iss={SERVER}", "access_denied"),
        (f"{CALLBACK}&code=c-2", "remote_protocol_error"),
        (f"{CALLBACK}&iss=https://evil.example", "issuer_mismatch"),
        (CALLBACK, "issuer_mismatch"),
    ],
    ids=["error in the fragment", "repeated", "another issuer", "no issuer"],
)
def test_fault_04_the_callback_is_read_whole(callback: str, error: str) -> None:
    session, adapter = mounted(
        state="s-1", issuer=SERVER, authorization_response_iss_parameter_supported=True
    )
    with pytest.raises(OAuthError) as caught:
        session.fetch_token(authorization_response=callback)
    assert (caught.value.error, adapter.sent) == (error, [])


def test_fault_05_a_401_is_no_token_and_a_null_error_is_none() -> None:
    session, _ = mounted((401, {"message": "no", "access_token": "x"}))
    with pytest.raises(RemoteProtocolError) as caught:
        session.fetch_token()
    assert (caught.value.status, session.token) == (401, None)
    session, _ = mounted((200, {**GOOD, "error": None}))
    assert session.fetch_token()["access_token"] == "a-1"


def test_fault_06_a_guessed_grant_is_not_remembered() -> None:
    session, adapter = mounted()
    session.fetch_token(username="alice", password="pass")
    session.fetch_token(code="c-1")
    session.fetch_token()
    grants = [dict(form(request))["grant_type"] for request in adapter.sent]
    assert grants == ["password", "authorization_code", "client_credentials"]
    assert "grant_type" not in session.metadata


def test_fault_07_renewal_keeps_audience() -> None:
    session, adapter = mounted((200, {**GOOD, "expires_in": 0}), (200, GOOD), scope="read")
    asked: dict[str, Any] = {
        "audience": "https://api.example",
        "resource": ["r:1", "r:2"],
        "tenant": "t",
    }
    session.fetch_token(**asked, headers={"X-Tenant": "t"}, timeout=7)
    session.get(API)  # the first token is used once
    session.get(API)
    first, _, renewal, _ = adapter.sent
    assert form(first) == form(renewal)
    assert form(first)[1:] == [
        ("audience", "https://api.example"),
        ("resource", "r:1"),
        ("resource", "r:2"),
        ("tenant", "t"),
        ("scope", "read"),
    ]
    assert renewal.headers["X-Tenant"] == "t"
    assert [adapter.options[0]["timeout"], adapter.options[2]["timeout"]] == [7, 7]


def test_fault_07_a_users_token_is_not_renewed_as_the_clients() -> None:
    session, adapter = mounted((200, GOOD), (200, {**GOOD, "access_token": "user"}))
    session.fetch_token()
    session.fetch_token(code="c-1")
    assert session.token is not None
    session.token["expires_at"] = 1
    with pytest.raises(LocalProtocolError, match="cannot be renewed"):
        session.get(API)
    assert len(adapter.sent) == 2


def test_fault_08_threads_renew_once(server: AuthorizationServer) -> None:
    saved: list[Any] = []
    session = session_at(server, update_token=lambda token, **more: saved.append((token, more)))
    old = dict(sign_in(session, server))
    assert session.token is not None
    session.token["expires_at"] = 1
    ready = threading.Barrier(64)

    def use(number: int) -> int:
        ready.wait()
        if number % 8 == 0:
            session.refresh_token(refresh_token=old["refresh_token"])
            return 200
        return session.get(f"{server.issuer}/api").status_code

    with ThreadPoolExecutor(64) as threads:
        assert set(threads.map(use, range(64))) == {200}
    assert server.count(grant_type="refresh_token") == 1
    assert [more for _, more in saved] == [{"refresh_token": old["refresh_token"]}]
    assert server.is_active(session.token["refresh_token"])


def test_fault_09_update_token_may_use_the_client(server: AuthorizationServer) -> None:
    statuses: list[int] = []
    session = session_at(server)

    def save(_token: OAuth2Token, **_more: Any) -> None:
        statuses.append(session.get(f"{server.issuer}/api").status_code)

    session.update_token = save
    sign_in(session, server)
    assert session.token is not None
    session.token["expires_at"] = 1
    assert session.get(f"{server.issuer}/api").status_code == 200
    assert statuses == [200]
    assert server.count(grant_type="refresh_token") == 1


def test_fault_10_what_the_caller_hands_in_is_not_changed() -> None:
    token, headers, claims = dict(EXPIRED, refresh_token="r-1"), {"X-One": "1"}, {"userinfo": 1}
    session, _ = mounted(token=token, authorization_endpoint=f"{SERVER}/authorize")
    session.get(API, headers=headers)
    session.fetch_token(code="c", headers=headers)
    session.create_authorization_url(claims=claims)
    OAuth2Auth(token).set_token(token)
    assert (token, headers, claims) == (
        {**EXPIRED, "refresh_token": "r-1"},
        {"X-One": "1"},
        {"userinfo": 1},
    )


def test_fault_12_leeway_is_heeded() -> None:
    soon = {**GOOD, "expires_at": time.time() + 100, "refresh_token": "r-1"}
    session, adapter = mounted(token=soon, leeway=90)
    session.get(API)
    assert len(adapter.sent) == 1
    session.leeway = 110
    session.get(API)
    assert [request.url for request in adapter.sent] == [API, TOKEN_URL, API]
    session, adapter = mounted(token=soon)
    other = OAuth2Session("app", leeway=110, token_endpoint=TOKEN_URL)
    other.mount("https://", adapter)
    session.get(API, auth=OAuth2Auth({**soon, "access_token": "own"}, client=other))
    assert [request.url for request in adapter.sent] == [TOKEN_URL, API]


def test_fault_13_basic_is_form_encoded_first() -> None:
    session, adapter = mounted(client_id="my app")
    session.fetch_token()
    session.token_endpoint_auth_method = "client_secret_basic_raw"
    session.fetch_token()
    sent = [b64decode(each.headers["Authorization"][6:]).decode() for each in adapter.sent]
    assert sent == [
        "my%20app:a-secret%20of%20100%25%20%26%20more%3A%20%C3%BC",
        f"my app:{SECRET}",
    ]
    session, adapter = mounted(client_secret=None, token_endpoint_auth_method="client_secret_basic")
    with pytest.raises(LocalProtocolError, match="client_secret_basic needs a client_secret"):
        session.fetch_token()
    assert adapter.sent == []


def test_fault_13_the_secret_arrives(server: AuthorizationServer) -> None:
    assert server.is_active(session_at(server).fetch_token()["access_token"])


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"a": 1}},
        {"files": {"file": b"content"}},
        {"data": iter([b"chunk"])},
        {"data": b"\xff\xfe"},
        {"data": "plain"},
    ],
    ids=["json", "multipart", "stream", "binary", "text"],
)
def test_fault_14_a_token_only_goes_into_a_form(body: dict[str, Any]) -> None:
    session, adapter = mounted(token=GOOD, token_placement="body")
    with pytest.raises(LocalProtocolError, match="the token can"):
        session.post(API, **body)
    assert adapter.sent == []


def test_fault_14_a_token_in_a_form() -> None:
    session, adapter = mounted(token=GOOD, token_placement="body")
    session.post(API, data={"a": "1"})
    session.post(API)
    session.get(API)
    assert [form(each) for each in adapter.sent] == [
        [("a", "1"), ("access_token", "a-1")],
        [("access_token", "a-1")],
        [("access_token", "a-1")],
    ]
    kinds = [each.headers.get("Content-Type") for each in adapter.sent]
    assert kinds == ["application/x-www-form-urlencoded"] * 2 + [None]
    lengths = [each.headers["Content-Length"] for each in adapter.sent]
    assert lengths == ["20", "16", "16"]


@pytest.mark.parametrize("placement", ["header", "uri"])
def test_fault_15_a_stream_stays_one(placement: str) -> None:
    with scripted(answer({}), answer({})) as (url, received):
        session = OAuth2Session(token=GOOD, token_placement=placement)
        session.put(url, data=iter([b"one", b"two"]))
        session.get(url)
    streamed, plain = received
    assert b"\r\nTransfer-Encoding: chunked\r\n" in streamed
    assert streamed.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert b"Content-Length" not in streamed + plain


def test_fault_16_plain_http_is_refused() -> None:
    session, adapter = mounted(token_endpoint="http://as.example/token")
    with pytest.raises(LocalProtocolError, match="http"):
        session.fetch_token()
    with pytest.raises(LocalProtocolError, match="http"):
        session.create_authorization_url("http://as.example/authorize")
    assert adapter.sent == []
    session, adapter = mounted(token_endpoint="http://as.example/token", allow_insecure_http=True)
    assert session.fetch_token()["access_token"] == "a-1"


def test_fault_17_the_third_argument_is_params() -> None:
    session, adapter = mounted(token=GOOD)
    session.request("GET", API, {"q": "1"})
    assert (adapter.sent[0].url, adapter.sent[0].headers["Authorization"]) == (
        f"{API}?q=1",
        "Bearer a-1",
    )


def test_fault_18_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(API) == ("somebody", "else")
    session, adapter = mounted(client_secret=None, token=dict(GOOD))
    session.fetch_token(TOKEN_URL)
    session.get(API)
    session.get(API, withhold_token=True)
    adapter.answers = [(302, b"", {"Location": "https://other.example/"}), (200, {})]
    session.get(API)
    sent = [each.headers.get("Authorization") for each in adapter.sent]
    assert sent == [None, "Bearer a-1", None, "Bearer a-1", None]


def test_fault_19_one_family_of_errors_that_can_be_printed() -> None:
    assert issubclass(OAuthError, Exception)
    description = 'na\u0000\ud800"\r\n\U0001f600 ' + SECRET
    session, _ = mounted((400, {"error": "invalid_\u00fcml", "error_description": description}))
    with pytest.raises(OAuthError) as caught:
        session.fetch_token()
    printed = f"{caught.value} {caught.value!r}"
    assert printed.isascii()
    assert printed.isprintable()
    assert SECRET not in printed


def test_fault_20_repeated_and_empty_parameters_and_dicts_are_sent() -> None:
    session, adapter = mounted()
    session.fetch_token(username="alice", password="", resource=["a", "b"], claims={"x": [1]})
    assert form(adapter.sent[0]) == [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", ""),
        ("resource", "a"),
        ("resource", "b"),
        ("claims", '{"x": [1]}'),
    ]
    url, _ = session.create_authorization_url(
        f"{SERVER}/auth", resource=("a", "b"), claims={"x": 1}
    )
    assert [pair for pair in query(url) if pair[0] in ("resource", "claims")] == [
        ("resource", "a"),
        ("resource", "b"),
        ("claims", '{"x": 1}'),
    ]


def test_fault_21_a_query_is_kept_byte_by_byte() -> None:
    own = "a=%7E&b=1+2&b=%2f&flag&sig=x%2Fy=="
    session, adapter = mounted(token=GOOD, token_placement="uri")
    url, _ = session.create_authorization_url(f"{SERVER}/auth?{own}")
    assert urlsplit(url).query.startswith(f"{own}&")
    # What requests itself makes of a URL is not ours: it is the same without us.
    plain = urlsplit(requests.Request("GET", f"{API}?{own}").prepare().url or "").query
    session.fetch_token(f"{TOKEN_URL}?{own}", method="GET")
    session.get(f"{API}?{own}")
    assert [urlsplit(each.url or "").query for each in adapter.sent] == [
        f"{plain}&grant_type=client_credentials",
        f"{plain}&access_token=a-1",
    ]


@pytest.mark.parametrize("answered", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_fault_22_what_a_refresh_leaves_out_stays(answered: dict[str, Any]) -> None:
    kept = {"refresh_token": "r-1", "scope": "read", "id_token": "i-1", "tenant": "t"}
    session, _ = mounted((200, {**GOOD, **answered}), token={**EXPIRED, **kept})
    session.get(API)
    assert session.token is not None
    assert {name: session.token[name] for name in kept} == kept
    assert session.token["access_token"] == "a-1"


def test_fault_23_no_refresh_without_a_refresh_token() -> None:
    for token in (None, GOOD):
        session, adapter = mounted(token=token)
        with pytest.raises(LocalProtocolError) as caught:
            session.refresh_token()
        assert (caught.value.error, adapter.sent) == ("missing_refresh_token", [])


@pytest.mark.parametrize(
    ("lifetime", "expired"),
    [
        (0, True),
        ("3600", False),
        ("3600.0", False),
        (1e300, False),
        (-5, True),
        (None, None),
        ("soon", None),
        ([], None),
        (True, None),
    ],
)
def test_fault_24_any_lifetime(lifetime: Any, expired: bool | None) -> None:
    session, _ = mounted((200, {**GOOD, "expires_in": lifetime}))
    token = session.fetch_token()
    assert token.is_expired() is expired
    assert token["expires_in"] == lifetime


def test_fault_24_a_stored_token_is_not_born_anew() -> None:
    assert OAuth2Session(token={**GOOD, "expires_at": 1}).token == {**GOOD, "expires_at": 1}
    stored = OAuth2Session(token=json.loads(json.dumps({**GOOD, "expires_at": 1})))
    with pytest.raises(LocalProtocolError, match="expired"):
        stored.get(API)


def test_fault_25_a_short_life_is_not_renewed_before_each_request() -> None:
    session, adapter = mounted((200, {**GOOD, "expires_in": 50}))
    session.fetch_token()
    for _ in range(3):
        session.get(API)
    assert [request.url for request in adapter.sent] == [TOKEN_URL, API, API, API]


def test_fault_26_no_secret_in_a_url() -> None:
    session, adapter = mounted()
    session.fetch_token(method="get", audience="x y")
    sent = adapter.sent[0]
    assert (sent.method, sent.body) == ("GET", None)
    assert sent.url == f"{TOKEN_URL}?grant_type=client_credentials&audience=x%20y"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert "Content-Type" not in sent.headers
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
    assert query(adapter.sent[1].url)[1] == ("client_id", "app")
    assert len(adapter.sent) == 2


def test_fault_28_json_is_asked_for_and_a_revoked_token_is_gone() -> None:
    session, adapter = mounted(
        (200, {**GOOD, "refresh_token": "r-1"}),
        revocation_endpoint=f"{SERVER}/revoke",
        introspection_endpoint=f"{SERVER}/introspect",
    )
    session.fetch_token(headers={"X-One": "1"})
    session.refresh_token()
    session.introspect_token()
    session.revoke_token()
    assert [each.headers["Accept"] for each in adapter.sent] == ["application/json"] * 4
    assert adapter.sent[0].headers["X-One"] == "1"
    assert session.token is None


def test_fault_29_options_are_for_one_request() -> None:
    session, adapter = mounted(trust_env=False)
    session.fetch_token(verify=False, timeout=(3, 4), proxies={"https": "http://p"}, cert="c.pem")
    session.fetch_token()
    given = {name: adapter.options[0][name] for name in ("verify", "timeout", "proxies", "cert")}
    assert given == {
        "verify": False,
        "timeout": (3, 4),
        "proxies": {"https": "http://p"},
        "cert": "c.pem",
    }
    assert (adapter.options[1]["verify"], adapter.options[1]["cert"]) == (True, None)
    assert (session.verify, session.proxies) == (True, {})


def test_fault_30_other_methods_are_sent_as_they_are() -> None:
    session, adapter = mounted()
    session.fetch_token(method="PUT")
    assert (adapter.sent[0].method, form(adapter.sent[0])) == (
        "PUT",
        [("grant_type", "client_credentials")],
    )


def test_fault_31_an_auth_object_renews_over_a_plain_session(server: AuthorizationServer) -> None:
    session = session_at(server)
    old = dict(sign_in(session, server))
    auth = OAuth2Auth({**old, "expires_at": 1}, client=session_at(server))
    for _ in range(2):
        assert requests.get(f"{server.issuer}/api", auth=auth).status_code == 200
    assert server.count(grant_type="refresh_token") == 1
    assert auth.token is not None
    assert auth.token["refresh_token"] != old["refresh_token"]


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_fault_32_a_refused_token_is_renewed_once(
    server: AuthorizationServer, placement: str
) -> None:
    session = session_at(server, token_placement=placement)
    token = sign_in(session, server)
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
    response = session.post(f"{server.issuer}/api", data={"a": "1"})
    assert (response.status_code, server.count(grant_type="refresh_token")) == (200, 1)
    assert [each.status_code for each in response.history] == [401]
    assert session.token != token
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
    assert session.post(f"{server.issuer}/api").status_code == 401
    assert server.count(grant_type="refresh_token") == 2


def test_fault_32_a_stream_is_not_repeated(server: AuthorizationServer) -> None:
    session = session_at(server)
    sign_in(session, server)
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
    assert session.post(f"{server.issuer}/api", data=iter([b"x"])).status_code == 401
    server.behave()
    server.misbehave(Misbehaviour.RESOURCE_401_WITHOUT_CHALLENGE)
    assert session.get(f"{server.issuer}/api").status_code == 401
    assert server.count(grant_type="refresh_token") == 0


def test_fault_33_a_constructor_that_fails_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match="OAuth2Session has no argument colour"):
            OAuth2Session("app", colour="red")  # type: ignore[call-arg]  # that is the test
    assert not hasattr(OAuth2Session, "__del__")
    assert not hasattr(OAuth2Auth, "__del__")
    assert capsys.readouterr().err == ""


def test_all_faults_have_a_test() -> None:
    later = {11, 27, 34, 35}  # they concern assertions and JWTs, which sessions do not make yet
    tested = {int(name.split("_")[2]) for name in globals() if name.startswith("test_fault_")}
    assert tested | later == set(range(1, 36))
    assert issubclass(OAuthError, OAuth2Error)
