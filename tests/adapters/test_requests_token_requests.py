"""Fetching, renewing, revoking and asking about tokens: what the caller may say, and how."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from requests.auth import AuthBase, HTTPBasicAuth

from oauth2_sansio import (
    ClientSecretPost,
    ErrorResponse,
    LocalProtocolError,
    MismatchingStateError,
    MissingTokenError,
    RemoteProtocolError,
    Server,
)
from oauth2_sansio.testing import AuthorizationServer, User
from oauth2_sansio_requests import OAuth2Session, OAuthError

from .requests_world import (
    API,
    EXPIRED,
    GOOD,
    REDIRECT_URI,
    SECRET,
    SERVER,
    TOKEN_URL,
    form,
    mounted,
    query,
    session_at,
    sign_in,
)

AUTHORIZE = f"{SERVER}/authorize"


# The whole way, on real sockets.


def test_the_code_grant(server: AuthorizationServer) -> None:
    session = session_at(server, scope="read")
    url, state = session.create_authorization_url()
    assert server.count() == 0  # nothing was sent
    sent = dict(query(url))
    assert (sent["state"], sent["code_challenge_method"], sent["scope"]) == (state, "S256", "read")
    token = session.fetch_token(authorization_response=server.visit(url))
    assert token is session.token
    assert token == dict(token)
    assert isinstance(token["expires_at"], int)
    assert session.get(f"{server.issuer}/api").json()["subject"] == "alice"


def test_the_other_grants(server: AuthorizationServer) -> None:
    session = session_at(server)
    assert session.fetch_token(scope=["read", "write"])["scope"] == "read write"
    token = session.fetch_access_token(username="alice", password="pass")
    assert session.get(f"{server.issuer}/api").json()["subject"] == "alice"
    refreshed = session.refresh_token()
    assert refreshed["access_token"] != token["access_token"]
    assert session.introspect_token().json()["active"] is True
    assert session.revoke_token(token_type_hint="refresh_token").status_code == 200
    assert session.token is None


def test_flows_of_the_strict_vocabulary(server: AuthorizationServer) -> None:
    session = OAuth2Session()
    found = session.run(Server.discover(server.issuer))
    assert found.token_endpoint == f"{server.issuer}/token"
    own = OAuth2Session("app", SECRET, server=found)
    assert own.fetch_token()["token_type"] == "Bearer"
    assert own.revoke_token().status_code == 200


# Authorization URLs.


def test_an_authorization_url_by_default() -> None:
    session, adapter = mounted(
        scope=["read", "write"],
        redirect_uri=REDIRECT_URI,
        authorization_endpoint=AUTHORIZE,
        response_mode="query",
        nonce="n",
        prompt="login",
        login_hint="alice",
    )
    url, state = session.create_authorization_url()
    assert session.state == state
    assert sorted(query(url)) == [
        ("client_id", "app"),
        ("login_hint", "alice"),
        ("nonce", "n"),
        ("prompt", "login"),
        ("redirect_uri", REDIRECT_URI),
        ("response_mode", "query"),
        ("response_type", "code"),
        ("scope", "read write"),
        ("state", state),
    ]
    assert adapter.sent == []


def test_what_the_call_says_counts() -> None:
    session, _ = mounted(scope="read", redirect_uri=REDIRECT_URI, nonce="n")
    url, state = session.create_authorization_url(
        AUTHORIZE,
        "own state",
        redirect_uri="https://other.example/cb",
        scope="write",
        nonce="m",
        client_id="other",
        access_type="offline",
    )
    assert state == "own state"
    sent = query(url)
    for pair in (
        ("state", "own state"),
        ("redirect_uri", "https://other.example/cb"),
        ("scope", "write"),
        ("nonce", "m"),
        ("client_id", "other"),
        ("access_type", "offline"),
    ):
        assert sent.count(pair) == 1
        assert [name for name, _ in sent].count(pair[0]) == 1


VERIFIER = "v" * 43


@pytest.mark.parametrize(
    ("settings", "arguments", "challenged"),
    [
        ({"code_challenge_method": "S256"}, {}, True),
        ({"code_challenge_method": "S256"}, {"code_verifier": VERIFIER}, True),
        ({"code_challenge_method": "S256"}, {"response_type": "code id_token"}, True),
        ({"code_challenge_method": "S256"}, {"response_type": "token"}, False),
        ({}, {"code_verifier": VERIFIER}, True),
        ({}, {"code_verifier": VERIFIER, "code_challenge_method": "S256"}, True),
        ({}, {}, False),
    ],
)
def test_pkce(settings: dict[str, Any], arguments: dict[str, Any], challenged: bool) -> None:
    session, adapter = mounted(**settings)
    url, _ = session.create_authorization_url(AUTHORIZE, **arguments)
    sent = dict(query(url))
    assert ("code_challenge" in sent, sent.get("code_challenge_method") == "S256") == (
        challenged,
        challenged,
    )
    session.fetch_token(code="c-1")
    verifier = dict(form(adapter.sent[0])).get("code_verifier")
    assert (verifier is not None) is challenged
    if "code_verifier" in arguments:
        assert verifier == VERIFIER


def test_a_challenge_of_the_callers_own() -> None:
    session, _ = mounted(code_challenge_method="S256")
    url, _ = session.create_authorization_url(
        AUTHORIZE, code_challenge="own", code_challenge_method="S256"
    )
    assert ("code_challenge", "own") in query(url)
    with pytest.raises(ValueError, match="S256"):
        session.create_authorization_url(AUTHORIZE, code_challenge_method="plain")
    with pytest.raises(ValueError, match="S256"):
        mounted(code_challenge_method="plain")
    with pytest.raises(RemoteProtocolError, match="S256"):
        mounted(code_challenge_method="S256", code_challenge_methods_supported=["plain"])[
            0
        ].create_authorization_url(AUTHORIZE)
    session.code_challenge_method = None
    assert "code_challenge" not in dict(query(session.create_authorization_url(AUTHORIZE)[0]))


def test_an_authorization_url_needs_a_client_and_an_endpoint() -> None:
    with pytest.raises(LocalProtocolError, match="client_id"):
        OAuth2Session().create_authorization_url(AUTHORIZE)
    with pytest.raises(LocalProtocolError, match="authorization endpoint"):
        OAuth2Session("app").create_authorization_url()


# Callbacks.


def test_a_callback_without_an_expected_state_is_accepted_with_one_warning() -> None:
    session, adapter = mounted()
    with pytest.warns(UserWarning, match="no state is expected") as caught:
        session.fetch_token(authorization_response=f"{REDIRECT_URI}?code=c-1&state=any")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.fetch_token(authorization_response=f"{REDIRECT_URI}?code=c-2")
    assert [("code", f"c-{n}") in form(adapter.sent[n - 1]) for n in (1, 2)] == [True, True]


def test_an_empty_state_is_none_that_is_expected() -> None:
    session, _ = mounted(state="")
    with pytest.warns(UserWarning, match="no state is expected"):
        session.fetch_token(authorization_response=f"{REDIRECT_URI}?code=c-1", state="")


def test_a_state_of_the_constructor_or_of_the_call() -> None:
    callback = f"{REDIRECT_URI}?code=c-1&state=s-1"
    session, adapter = mounted(state="other")
    with pytest.raises(MismatchingStateError):
        session.fetch_token(authorization_response=callback)
    assert adapter.sent == []
    session.fetch_token(authorization_response=callback, state="s-1")
    session.state = "s-1"
    session.fetch_token(authorization_response=callback.encode())


class _Url:
    """As the web frameworks hand in the URL of a request."""

    def __str__(self) -> str:
        return f"{REDIRECT_URI}?code=c-1&state=s"


@pytest.mark.parametrize(
    ("settings", "asked", "callback"),
    [
        ({}, {}, _Url()),
        ({}, {"response_type": "code id_token"}, f"{REDIRECT_URI}#code=c-1&id_token=i&state=s"),
        ({"response_type": "code token"}, {}, f"{REDIRECT_URI}#code=c-1&access_token=a&state=s"),
        ({"response_mode": "fragment"}, {}, f"{REDIRECT_URI}#code=c-1&state=s"),
        ({}, {"response_mode": "fragment"}, f"{REDIRECT_URI}#code=c-1&state=s"),
        ({"response_mode": "form_post"}, {}, "code=c-1&state=s"),
        ({}, {"response_mode": "form_post"}, f"{REDIRECT_URI}?code=c-1&state=s"),
    ],
)
def test_a_code_comes_where_it_was_asked_for(
    settings: dict[str, Any], asked: dict[str, Any], callback: object
) -> None:
    session, adapter = mounted(**settings)
    session.create_authorization_url(AUTHORIZE, "s", **asked)
    session.fetch_token(authorization_response=callback)
    assert ("code", "c-1") in form(adapter.sent[0])


@pytest.mark.parametrize(
    "callback", ["", "https://app.example/cb", f"{REDIRECT_URI}?code=&state=s"]
)
def test_a_callback_with_nothing_in_it(callback: str) -> None:
    session, adapter = mounted(state="s")
    with pytest.raises(RemoteProtocolError):
        session.fetch_token(authorization_response=callback)
    many = "&".join(f"p{number}=1" for number in range(101))
    with pytest.raises(OAuthError):
        session.fetch_token(authorization_response=f"{REDIRECT_URI}?{many}")
    assert adapter.sent == []


IMPLICIT = f"{REDIRECT_URI}#access_token=a-9&token_type=bearer&expires_in=3600&state=s"


def test_the_implicit_way() -> None:
    session, adapter = mounted(response_type="token")
    url, _ = session.create_authorization_url(AUTHORIZE, "s")
    assert ("response_type", "token") in query(url)
    assert session.fetch_token(authorization_response=IMPLICIT)["access_token"] == "a-9"
    without = OAuth2Session("app", state="s")
    assert without.fetch_token(authorization_response=IMPLICIT) is without.token
    session, adapter = mounted(state="s")
    assert session.token_from_fragment(IMPLICIT)["access_token"] == "a-9"
    with pytest.raises(MismatchingStateError):
        session.token_from_fragment(IMPLICIT, state="t")
    with pytest.raises(LocalProtocolError, match="no token in the fragment"):
        session.token_from_fragment(f"{REDIRECT_URI}?code=c&state=s")
    with pytest.raises(ErrorResponse):
        session.token_from_fragment(f"{REDIRECT_URI}#error=access_denied&state=s")
    assert adapter.sent == []
    assert session.token == {**session.token_from_fragment(IMPLICIT)}


def test_the_implicit_way_on_sockets(server: AuthorizationServer) -> None:
    session = session_at(server, response_type="token")
    url, _ = session.create_authorization_url()
    session.fetch_token(authorization_response=server.visit(url, User(subject="bob")))
    assert session.get(f"{server.issuer}/api").json()["subject"] == "bob"


# Parameters.


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"code": "c"}, [("grant_type", "authorization_code"), ("code", "c")]),
        (
            {"code": "c", "redirect_uri": "https://x.example"},
            [
                ("grant_type", "authorization_code"),
                ("code", "c"),
                ("redirect_uri", "https://x.example"),
            ],
        ),
        ({"grant_type": "urn:x", "n": 1}, [("grant_type", "urn:x"), ("n", "1")]),
        ({"body": "a=1&b=&a=2"}, [("a", "1"), ("b", ""), ("a", "2")]),
        ({"body": b"a=%C3%BC"}, [("a", "\u00fc")]),
        ({"body": {"a": ["1", "2"]}}, [("a", "1"), ("a", "2")]),
        ({"body": [("a", "1"), ("b", None)]}, [("a", "1")]),
        (
            {"body": "grant_type=urn:y&scope=z", "scope": None},
            [("grant_type", "urn:y"), ("scope", "z")],
        ),
        (
            {"a": True, "b": False, "c": None, "d": b"x"},
            [("a", "true"), ("b", "false"), ("d", "x")],
        ),
        ({"a": [{"x": 1}], "b": ()}, [("a", '[{"x": 1}]')]),
        ({"scope": ("r", "w")}, [("scope", "r w")]),
        ({"scope": []}, []),
        ({"body": None}, []),
    ],
)
def test_parameters(arguments: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    session, adapter = mounted(scope="")
    session.fetch_token(**arguments)
    sent = form(adapter.sent[0])
    if expected[:1] and expected[0][0] == "grant_type":
        assert sent == expected
    else:
        assert sent == [("grant_type", "client_credentials"), *expected]


@pytest.mark.parametrize("body", ["no form", b"\xff", "a=%ff", 5, [1], object()])
def test_a_body_that_is_none(body: object) -> None:
    session, adapter = mounted()
    with pytest.raises((TypeError, ValueError)) as caught:
        session.fetch_token(body=body)
    assert adapter.sent == []
    assert "xff" not in str(caught.value)
    with pytest.raises(ValueError, match="not UTF-8"):
        session.fetch_token(a=b"\xff")


@pytest.mark.parametrize(
    "arguments", [{"code": None}, {"code": ""}, {"grant_type": "authorization_code"}]
)
def test_no_code_no_request(arguments: dict[str, Any]) -> None:
    session, adapter = mounted()
    with pytest.raises(LocalProtocolError, match="there is no code") as caught:
        session.fetch_token(**arguments)
    assert caught.value.error == "missing_code"
    session.fetch_token(grant_type="authorization_code", body="code=c&redirect_uri=x")
    assert form(adapter.sent[0])[1:] == [("code", "c"), ("redirect_uri", "x")]


def test_a_configured_grant_type_and_scope() -> None:
    session, adapter = mounted(grant_type="urn:x", scope=["a", "b"])
    session.fetch_token()
    assert form(adapter.sent[0]) == [("grant_type", "urn:x"), ("scope", "a b")]


def test_headers_replace_those_of_the_same_name() -> None:
    session, adapter = mounted()
    given: Any = {"accept": "text/plain", "X-Bytes": b"1"}
    session.fetch_token(headers=given)
    headers = adapter.sent[0].headers
    assert (headers["Accept"], headers["X-Bytes"]) == ("text/plain", "1")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    with pytest.raises(TypeError, match="X-None"):
        session.fetch_token(headers={"X-None": None})  # type: ignore[dict-item]  # that is the test


@pytest.mark.parametrize("option", ["allow_redirects", "files", "json"])
def test_options_that_make_no_sense_are_refused(option: str) -> None:
    session, adapter = mounted()
    given: dict[str, Any] = {option: {"x": 1}}
    with pytest.raises(TypeError, match=option):
        session.fetch_token(**given)
    assert adapter.sent == []
    session.fetch_token(allow_redirects=False, stream=True, files=None, json=None)
    assert form(adapter.sent[0]) == [("grant_type", "client_credentials")]


# Who asks.


class Signed(AuthBase):
    """An authentication object of requests."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signed"] = str(request.body)
        return request


def _signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return Signed()(request)


class InTheUrl:
    """A way to authenticate of one's own, with a name."""

    name: ClassVar[str] = "client_secret_uri"

    def __call__(
        self, client: Any, method: str, uri: str, headers: Any, body: str
    ) -> tuple[str, Any, str]:
        assert (method, type(body)) == ("POST", str)
        headers["X-Client"] = client.client_id
        return f"{uri}?secret={client.client_secret}", headers, f"{body}&more=1"


def test_client_authentication_by_function() -> None:
    for settings, register in (
        ({"token_endpoint_auth_method": "client_secret_uri"}, InTheUrl()),
        ({"token_endpoint_auth_method": "client_secret_uri"}, ("client_secret_uri", InTheUrl())),
        ({"token_endpoint_auth_method": InTheUrl()}, None),
    ):
        session, adapter = mounted(client_secret="s", **settings)
        if register is not None:
            session.register_client_auth_method(register)
        session.fetch_token()
        sent = adapter.sent[0]
        assert sent.url == f"{TOKEN_URL}?secret=s"
        assert sent.headers["X-Client"] == "app"
        assert "Authorization" not in sent.headers
        assert form(sent) == [("grant_type", "client_credentials"), ("more", "1")]


@pytest.mark.parametrize(
    ("auth", "basic", "header", "body"),
    [
        (None, True, None, {}),
        (("other", "secret"), True, None, {}),
        (HTTPBasicAuth("other", "secret"), True, None, {}),
        (Signed(), False, "grant_type=client_credentials", {}),
        (_signed, False, "grant_type=client_credentials", {}),
        ("client_secret_post", False, None, {"client_id": "app", "client_secret": "s"}),
        ("none", False, None, {"client_id": "app"}),
        (ClientSecretPost("t"), False, None, {"client_id": "app", "client_secret": "t"}),
        (InTheUrl(), False, None, {"more": "1"}),
    ],
    ids=str,
)
def test_auth_of_one_call(auth: Any, basic: bool, header: str | None, body: dict[str, str]) -> None:
    session, adapter = mounted(client_secret="s")
    session.fetch_token(auth=auth)
    sent = adapter.sent[0]
    assert sent.headers.get("Authorization", "").startswith("Basic ") is basic
    assert sent.headers.get("X-Signed") == header
    assert dict(form(sent)) == {"grant_type": "client_credentials", **body}
    session.fetch_token()
    assert adapter.sent[1].headers["Authorization"] == "Basic YXBwOnM="


def test_a_tuple_is_raw_where_the_client_is() -> None:
    session, adapter = mounted(token_endpoint_auth_method="client_secret_basic_raw")
    session.fetch_token(auth=("a b", "c d"))
    assert adapter.sent[0].headers["Authorization"] == "Basic YSBiOmMgZA=="


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("", None),
        ("basic", ValueError),
        ("Client-Secret-Post", ValueError),
        (" none", ValueError),
        (5, TypeError),
        ("client_secret_jwt", None),
        ("client_secret_basik", None),
    ],
)
def test_a_method_that_cannot_be(method: Any, error: type[Exception] | None) -> None:
    if error is not None:
        with pytest.raises(error):
            mounted(token_endpoint_auth_method=method)
        return
    session, adapter = mounted(token_endpoint_auth_method=method)
    if method:  # it may still be registered
        with pytest.raises(ValueError, match="client_secret_basic, .*register_client_auth_method"):
            session.fetch_token()
        assert adapter.sent == []


def test_methods_by_default() -> None:
    session = OAuth2Session("app", "s", token_endpoint_auth_method="client_secret_post")
    assert (session.token_endpoint_auth_method, session.revocation_endpoint_auth_method) == (
        "client_secret_post",
        "client_secret_basic",
    )
    public = OAuth2Session("app")
    assert public.token_endpoint_auth_method == public.revocation_endpoint_auth_method == "none"


@pytest.mark.parametrize("secret", [b"bytes", {"kty": "oct"}, object()], ids=str)
def test_a_secret_that_is_no_text_is_for_functions(secret: Any) -> None:
    session, adapter = mounted(client_secret=secret)
    with pytest.raises(LocalProtocolError, match="client_secret"):
        session.fetch_token()
    session.token_endpoint_auth_method = lambda client, _method, uri, headers, _body: (
        uri,
        headers | {"X": str(client.client_secret is secret)},
        None,
    )
    session.fetch_token()
    assert adapter.sent[0].headers["X"] == "True"
    session, adapter = mounted(client_id=None, client_secret=None)
    session.fetch_token()
    assert form(adapter.sent[0]) == [("grant_type", "client_credentials")]
    with pytest.raises(LocalProtocolError, match="needs a client_id"):
        session.fetch_token(auth="client_secret_basic")


@pytest.mark.parametrize("auth", [lambda *_: None, lambda *_: ("u", "h", "b"), lambda *_: "uhb"])
def test_a_function_that_returns_something_else(auth: Any) -> None:
    session, adapter = mounted(token_endpoint_auth_method=auth)
    with pytest.raises(TypeError, match="has to return url, headers, body"):
        session.fetch_token()
    for wrong in ("name", ("name",), ("name", "x"), lambda: None, (5, lambda: None)):
        with pytest.raises(TypeError, match="register a name"):
            session.register_client_auth_method(wrong)
    assert adapter.sent == []


def test_a_function_gives_no_body_to_a_get() -> None:
    def auth(*arguments: Any) -> tuple[str, Any, str]:
        return arguments[2], arguments[3], "secret=1"

    session, adapter = mounted(token_endpoint_auth_method=auth)
    with pytest.raises(LocalProtocolError, match="a body to a GET"):
        session.fetch_token(method="GET")
    assert adapter.sent == []


# Renewal by hand.


def test_a_refresh_by_hand() -> None:
    saved: list[Any] = []
    session, adapter = mounted(
        token={**GOOD, "refresh_token": "r-1"},
        scope="read",
        update_token=lambda token, **more: saved.append((token, more)),
    )
    token = session.refresh_token(headers={"X": "1"}, timeout=4, resource=["a", "b"], body="n=1")
    assert form(adapter.sent[0]) == [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r-1"),
        ("n", "1"),
        ("resource", "a"),
        ("resource", "b"),
        ("scope", "read"),
    ]
    assert (adapter.sent[0].headers["X"], adapter.options[0]["timeout"]) == ("1", 4)
    assert saved == [(token, {"refresh_token": "r-1"})]
    assert saved[0][0] is session.token
    session.refresh_token(f"{SERVER}/other", "r-9", "scope=x", ("a", "b"))
    assert adapter.sent[1].url == f"{SERVER}/other"
    assert form(adapter.sent[1])[1:] == [("refresh_token", "r-9"), ("scope", "x")]
    assert adapter.sent[1].headers["Authorization"] == "Basic YTpi"


def test_a_refresh_token_of_the_callers_without_a_token() -> None:
    replaced: list[dict[str, Any]] = []
    session, adapter = mounted(update_token=lambda _token, **names: replaced.append(names))
    assert session.refresh_token(refresh_token="r-1") is session.token
    assert ("refresh_token", "r-1") in form(adapter.sent[0])
    assert replaced == [{"refresh_token": "r-1"}]


def test_the_endpoint_of_the_last_call_is_remembered() -> None:
    session, adapter = mounted((200, {**GOOD, "refresh_token": "r"}), token_endpoint=None)
    with pytest.raises(LocalProtocolError, match="no token endpoint"):
        session.fetch_token()
    session.fetch_token(TOKEN_URL, code="c")
    session.refresh_token()
    assert [each.url for each in adapter.sent] == [TOKEN_URL] * 2


# Revocation and introspection.


@pytest.mark.parametrize(
    ("token", "given", "named"),
    [
        ({**GOOD, "refresh_token": "r"}, None, "r"),
        (GOOD, None, "a-1"),
        (GOOD, "other", "other"),
        (None, {"access_token": "x"}, "x"),
        (GOOD, "", None),
        (None, None, None),
        ({}, None, None),
    ],
)
def test_which_token_is_named(token: Any, given: Any, named: str | None) -> None:
    session, adapter = mounted((200, {"active": True}), token=token)
    for ask in (session.revoke_token, session.introspect_token):
        adapter.sent.clear()
        session.token = token
        if named is None:
            with pytest.raises(MissingTokenError):
                ask(f"{SERVER}/x", token=given)
            assert adapter.sent == []
        else:
            response = ask(f"{SERVER}/x", token=given, token_type_hint="hint", body="a=1", b=["2"])
            assert type(response) is requests.Response
            assert form(adapter.sent[0]) == [
                ("token", named),
                ("a", "1"),
                ("token_type_hint", "hint"),
                ("b", "2"),
            ]


@pytest.mark.parametrize(
    ("status", "named", "left"),
    [(200, None, False), (204, "a-1", False), (200, "other", True), (503, None, True)],
)
def test_what_is_left_after_a_revocation(status: int, named: str | None, left: bool) -> None:
    session, _ = mounted((status, b""), token=GOOD, revocation_endpoint=f"{SERVER}/revoke")
    assert session.revoke_token(token=named).status_code == status
    assert (session.token is not None) is left


def test_each_endpoint_has_its_own_way_to_authenticate() -> None:
    session, adapter = mounted(
        token=GOOD,
        token_endpoint_auth_method="client_secret_post",
        revocation_endpoint_auth_method="none",
    )
    session.introspect_token(f"{SERVER}/x")
    session.revoke_token(f"{SERVER}/x", auth=None, headers={"X": "1"}, timeout=3)
    session.revoke_token(f"{SERVER}/x", "t", auth=("a", "b"))
    assert [sorted(dict(form(each))) for each in adapter.sent] == [
        ["client_id", "client_secret", "token"],
        ["client_id", "token"],
        ["token"],
    ]
    assert (adapter.sent[1].headers["X"], adapter.options[1]["timeout"]) == ("1", 3)


# Hooks.


def test_hooks_for_requests_run_in_order() -> None:
    session, adapter = mounted(
        token={**GOOD, "refresh_token": "r"},
        revocation_endpoint=f"{SERVER}/revoke",
        introspection_endpoint=f"{SERVER}/introspect",
    )

    def first(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        assert (headers["Accept"], type(body)) == ("application/json", str)
        headers["X-Order"] = "1"
        return f"{url}?a=1", headers, f"{body}&hooked=1"

    def second(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        headers["X-Order"] += "2"
        return url, headers, body

    for name in ("access_token", "refresh_token", "revoke_token", "introspect_token"):
        for hook in (first, second, first):  # the same one twice counts once
            session.register_compliance_hook(f"{name}_request", hook)
    session.fetch_token(auth="client_secret_post")
    session.refresh_token(refresh_token="r")
    session.introspect_token()
    session.revoke_token()
    for sent in adapter.sent:
        assert urlsplit(sent.url or "").query == "a=1"
        assert sent.headers["X-Order"] == "12"
        assert ("hooked", "1") in form(sent)
    assert ("client_secret", SECRET) in form(adapter.sent[0])  # hooks see no secret


def test_hooks_for_responses_may_change_json_or_content() -> None:
    session, _ = mounted((200, {"data": GOOD}))

    def own_json(response: Any) -> Any:
        inner = response.json()["data"]
        response.json = lambda: inner
        return response

    def own_content(response: Any) -> Any:
        response._content = response.content.replace(b'{"data": ', b"").replace(b"}}", b"}")
        return response

    for name, hook in (("access", own_json), ("refresh", own_content)):
        session.register_compliance_hook(f"{name}_token_response", hook)
    assert session.fetch_token()["access_token"] == "a-1"
    assert session.refresh_token(refresh_token="r")["access_token"] == "a-1"


def test_what_hooks_raise_is_theirs() -> None:
    session, _ = mounted((503, b""))
    session.register_compliance_hook("access_token_response", lambda r: r.raise_for_status())
    with pytest.raises(requests.HTTPError) as caught:
        session.fetch_token()
    error: Any = caught.value
    assert not isinstance(error, OAuthError)
    session, _ = mounted()
    session.register_compliance_hook("access_token_response", lambda _response: None)
    with pytest.raises(LocalProtocolError, match="has returned None"):
        session.fetch_token()


def test_hooks_that_are_none() -> None:
    session, _ = mounted()
    with pytest.raises(
        ValueError, match=r"'access'; there are: access_token_request, access_token_response"
    ):
        session.register_compliance_hook("access", print)
    with pytest.raises(TypeError, match="a hook has to be a function"):
        session.register_compliance_hook("protected_request", "x")  # type: ignore[arg-type]  # so
    session.register_compliance_hook("access_token_request", lambda *given: given[0])
    with pytest.raises(TypeError, match="a hook of access_token_request has to return"):
        session.fetch_token()


# Renewals that nobody calls by name.


def test_client_credentials_of_a_configured_grant() -> None:
    saved: list[Any] = []
    session, adapter = mounted(
        token=EXPIRED,
        grant_type="client_credentials",
        update_token=lambda _token, **more: saved.append(more),
    )
    session.get(API)
    assert form(adapter.sent[0]) == [("grant_type", "client_credentials")]
    assert saved == [{"access_token": "old"}]


def test_a_failed_fetch_changes_nothing() -> None:
    session, adapter = mounted((200, GOOD), (400, {"error": "invalid_scope"}), (200, GOOD))
    session.fetch_token(audience="a")
    with pytest.raises(ErrorResponse):
        session.fetch_token(f"{SERVER}/other", audience="b")
    assert session.token is not None
    session.token["expires_at"] = 1
    session.get(API)
    assert (adapter.sent[2].url, ("audience", "a") in form(adapter.sent[2])) == (TOKEN_URL, True)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"token": EXPIRED}, "fetch a new token"),
        ({"token": {**EXPIRED, "refresh_token": "r"}, "token_endpoint": None}, "token_endpoint="),
    ],
)
def test_what_cannot_be_renewed(arguments: dict[str, Any], advice: str) -> None:
    session, adapter = mounted(**arguments)
    with pytest.raises(LocalProtocolError) as caught:
        session.get(API)
    assert advice in str(caught.value)
    assert adapter.sent == []
    assert session.ensure_active_token() is False


def test_ensure_active_token(server: AuthorizationServer) -> None:
    session = session_at(server)
    assert session.ensure_active_token() is False
    old = dict(sign_in(session, server))
    assert session.ensure_active_token() is True
    assert session.ensure_active_token(dict(old)) is True
    assert server.count(grant_type="refresh_token") == 0
    assert session.token is not None
    session.token["expires_at"] = 1
    assert session.ensure_active_token() is True
    assert server.count(grant_type="refresh_token") == 1
    stored = {**session.token, "access_token": "x", "expires_at": 1}
    assert session.ensure_active_token({**stored, "expires_at": 1e11}) is True
    assert server.count(grant_type="refresh_token") == 1
    assert session.ensure_active_token(stored) is True
    assert server.count(grant_type="refresh_token") == 2
    assert server.is_active(session.token["access_token"])
    assert session.ensure_active_token(EXPIRED) is False


def test_the_form_is_read_back_as_it_was_meant() -> None:
    session, adapter = mounted()
    session.fetch_token(a="+ &=%\u00fc\U0001f600")
    assert isinstance(adapter.sent[0].body, str)
    assert ("a", "+ &=%\u00fc\U0001f600") in parse_qsl(adapter.sent[0].body)
