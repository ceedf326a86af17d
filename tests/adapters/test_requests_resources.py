"""The token in requests to resources: where it goes, where it does not, and what a 401 leads to."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from requests.structures import CaseInsensitiveDict

from oauth2_sansio import (
    Endpoint,
    ErrorResponse,
    InvalidTokenError,
    LocalProtocolError,
    MissingTokenError,
    OAuth2Token,
    RemoteProtocolError,
    UnsavedTokenError,
    UnsupportedTokenTypeError,
)
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour
from oauth2_sansio_requests import OAuth2Auth, OAuth2Session

from .requests_world import (
    API,
    EXPIRED,
    GOOD,
    SERVER,
    TOKEN_URL,
    Answering,
    form,
    mounted,
    query,
    session_at,
    sign_in,
)

CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
RENEWABLE = {**GOOD, "access_token": "a-0", "refresh_token": "r-0"}


def plain(*answers: Any) -> tuple[requests.Session, Answering]:
    """Return a session that knows nothing of us, and what answers its requests."""
    session, adapter = requests.Session(), Answering(*answers or ((200, {}),))
    session.mount("https://", adapter)
    return session, adapter


# Where the token goes.


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_every_verb_carries_the_token(verb: str) -> None:
    session, adapter = mounted(token=GOOD)
    getattr(session, verb)(API)
    session.request(verb, API, stream=True).close()
    assert [each.headers["Authorization"] for each in adapter.sent] == ["Bearer a-1"] * 2
    assert [each.method for each in adapter.sent] == [verb.upper()] * 2


def test_placements() -> None:
    session, adapter = mounted(token=GOOD, token_placement="uri")
    session.get(f"{API}?q=1#part")
    session.token_placement = "body"
    session.post(API, data=b"")
    session.token_placement = "header"
    session.post(API, json={"a": 1})
    uri, body, header = adapter.sent
    assert query(uri.url) == [("q", "1"), ("access_token", "a-1")]
    assert form(body) == [("access_token", "a-1")]
    assert header.headers["Authorization"] == "Bearer a-1"
    assert [("Authorization" in each.headers) for each in adapter.sent] == [False, False, True]
    with pytest.raises(ValueError, match="nowhere"):
        OAuth2Session(token_placement="nowhere")


def test_a_token_can_be_withheld_or_replaced() -> None:
    session, adapter = mounted(token=GOOD)
    session.get(API, withhold_token=True)
    session.get(API, auth=("name", "password"))
    session.auth = ("own", "own")
    session.get(API, withhold_token=True)
    session.get(API)
    sent = [each.headers.get("Authorization") for each in adapter.sent]
    assert sent == [None, "Basic bmFtZTpwYXNzd29yZA==", "Basic b3duOm93bg==", "Bearer a-1"]


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, MissingTokenError),
        ({}, InvalidTokenError),
        ({"access_token": None}, InvalidTokenError),
        ({"access_token": "a\r\nX: 1"}, InvalidTokenError),
        ({**GOOD, "token_type": "mac"}, UnsupportedTokenTypeError),
        ({**GOOD, "token_type": "DPoP"}, UnsupportedTokenTypeError),
        (EXPIRED, InvalidTokenError),
    ],
)
@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_tokens_that_cannot_be_sent(token: Any, error: type[Exception], placement: str) -> None:
    session, adapter = mounted(token=token, token_placement=placement)
    with pytest.raises(error):
        session.post(API)
    with pytest.raises(error):
        requests.post("http://127.0.0.1:9", auth=OAuth2Auth(token, placement))
    assert adapter.sent == []


def test_the_token_of_a_session_may_be_changed() -> None:
    session, adapter = mounted()
    session.token = {"access_token": "plain"}
    session.get(API)
    assert session.token is not None
    session.token["access_token"] = "in place"[:2]
    session.get(API)
    session.token_auth.set_token({"access_token": "set"})
    session.get(API)
    sent = [each.headers["Authorization"] for each in adapter.sent]
    assert sent == ["Bearer plain", "Bearer in", "Bearer set"]
    for wrong in ("text", 5, ["access_token"]):
        with pytest.raises(TypeError, match="a token is a dict"):
            session.token = wrong  # type: ignore[assignment]  # that is the test


# Timeouts and options.


def test_default_timeout() -> None:
    session, adapter = mounted(token=GOOD, default_timeout=7)
    session.get(API)
    session.get(API, timeout=3)
    session.default_timeout = None
    session.get(API)
    assert [each["timeout"] for each in adapter.options] == [7, 3, None]


# Redirects.


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("https://api.example/new", True),
        ("https://other.example/new", False),
        ("http://api.example/new", False),
        ("https://api.example:8443/new", False),
    ],
)
def test_redirects_of_a_request_with_a_header(location: str, kept: bool) -> None:
    session, adapter = mounted((302, b"", {"Location": location}), (200, {}), token=GOOD)
    response = session.get(API)
    assert (response.url, len(response.history)) == (location, 1)
    assert ("Authorization" in adapter.sent[1].headers) is kept


@pytest.mark.parametrize("status", [307, 308])
def test_a_token_in_a_body_does_not_leave_its_origin(status: int) -> None:
    session, adapter = mounted(
        (status, b"", {"Location": "https://other.example/"}), token=GOOD, token_placement="body"
    )
    with pytest.raises(RemoteProtocolError, match="to another origin"):
        session.post(API)
    plain_session, plain_adapter = plain((status, b"", {"Location": "//other.example/"}))
    with pytest.raises(RemoteProtocolError, match="to another origin"):
        plain_session.post(API, auth=OAuth2Auth(GOOD, "body"))
    assert (len(adapter.sent), len(plain_adapter.sent)) == (1, 1)
    adapter.answers = [
        (status, b"", {"Location": "/new"}),
        (302, b"", {"Location": "/x"}),
        (200, {}),
    ]
    assert session.post(API).status_code == 200
    assert form(adapter.sent[2]) == [("access_token", "a-1")]


# A refused token.


def test_a_retry_over_a_redirect() -> None:
    session, adapter = mounted(
        (302, b"", {"Location": f"{API}/new"}),
        (401, b"", CHALLENGE),
        (200, GOOD),
        (200, {}),
        token=RENEWABLE,
    )
    response = session.get(API)
    assert (response.status_code, response.url) == (200, f"{API}/new")
    assert [each.status_code for each in response.history] == [401]
    assert [each.url for each in adapter.sent] == [API, f"{API}/new", TOKEN_URL, f"{API}/new"]
    assert adapter.sent[3].headers["Authorization"] == "Bearer a-1"


@pytest.mark.parametrize("placement", ["header", "uri"])
@pytest.mark.parametrize("alone", [False, True])
def test_no_retry_where_the_token_did_not_go(placement: str, alone: bool) -> None:
    session, adapter = mounted(
        (302, b"", {"Location": "https://evil.example/"}),
        (401, b"", CHALLENGE),
        token=RENEWABLE,
        token_placement=placement,
    )
    if alone:
        other, _ = plain()
        other.mount("https://", adapter)
        response = other.get(API, auth=session.token_auth)
    else:
        response = session.get(API)
    assert (response.status_code, response.url) == (401, "https://evil.example/")
    assert len(adapter.sent) == 2


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {}),
        (401, {"WWW-Authenticate": "Basic"}),
        (401, {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}),
        (403, CHALLENGE),
    ],
)
def test_other_refusals_are_handed_back(status: int, headers: dict[str, str]) -> None:
    session, adapter = mounted((status, b"", headers), token=RENEWABLE)
    assert session.get(API).status_code == status
    other, _ = plain()
    other.mount("https://", adapter)
    assert other.get(API, auth=session.token_auth).status_code == status
    assert len(adapter.sent) == 2


def test_a_refused_token_that_cannot_be_renewed() -> None:
    session, adapter = mounted((401, b"", CHALLENGE), token=GOOD)
    assert session.get(API).status_code == 401
    other, _ = plain()
    other.mount("https://", adapter)
    assert other.get(API, auth=session.token_auth).status_code == 401
    assert other.get(API, auth=OAuth2Auth(GOOD)).status_code == 401
    assert len(adapter.sent) == 3


def test_a_refused_token_whose_renewal_is_refused() -> None:
    session, _ = mounted((401, b"", CHALLENGE), (400, {"error": "invalid_grant"}), token=RENEWABLE)
    with pytest.raises(ErrorResponse) as caught:
        session.get(API)
    assert caught.value.error == "invalid_grant"


def test_a_retry_goes_by_the_options_of_the_request() -> None:
    session, adapter = mounted(
        (401, b"", CHALLENGE),
        (200, GOOD),
        (302, b"", {"Location": "/new"}),
        token=RENEWABLE,
        trust_env=False,
    )
    response = session.post(
        API, data={"a": "1"}, timeout=5, verify=False, allow_redirects=False, stream=True
    )
    assert response.status_code == 302
    options = adapter.options[2]
    assert (options["timeout"], options["verify"], options["stream"]) == (5, False, True)
    assert form(adapter.sent[2]) == [("a", "1")]


def test_a_double_may_answer_the_retry() -> None:
    session, adapter = mounted((401, b"", CHALLENGE), (200, GOOD), token=RENEWABLE)
    real, double = session.send, Mock(status_code=200)

    def send(request: requests.PreparedRequest, **options: Any) -> Any:
        return real(request, **options) if len(adapter.sent) < 2 else double

    session.send = send  # type: ignore[method-assign]  # as users do
    assert session.get(API) is double


# Hooks.


def test_hooks_see_the_request_with_the_token_in_it() -> None:
    session, adapter = mounted((401, b"", CHALLENGE), (200, GOOD), (200, {}), token=RENEWABLE)
    seen: list[tuple[str, str]] = []

    def first(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        seen.append((headers["authorization"], body))
        headers["X-Order"] = "1"
        return f"{url}?hooked=1", headers, f"{body}&more=\u00fc"

    def second(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        return url, {**headers, "X-Order": headers["X-Order"] + "2"}, body

    session.register_compliance_hook("protected_request", first)
    session.register_compliance_hook("protected_request", second)
    assert session.post(API, data="a=1").status_code == 200
    for sent in (adapter.sent[0], adapter.sent[2]):
        assert (sent.url, sent.headers["x-order"]) == (f"{API}?hooked=1", "12")
        assert isinstance(sent.headers, CaseInsensitiveDict)
        assert (sent.body, sent.headers["Content-Length"]) == ("a=1&more=\u00fc", "11")
    assert seen == [("Bearer a-0", "a=1"), ("Bearer a-1", "a=1")]


@pytest.mark.parametrize(
    ("body", "seen", "returned", "sent", "length"),
    [
        (None, "", "", None, "0"),
        (b"a=1", "a=1", "", None, "0"),
        (b"a=1", "a=1", None, None, "0"),
        (b"\xff", b"\xff", b"\xff", b"\xff", "1"),
        (None, "", "new", "new", "3"),
    ],
)
def test_bodies_in_hooks(body: Any, seen: Any, returned: Any, sent: Any, length: str) -> None:
    session, adapter = mounted(token=GOOD)
    bodies: list[Any] = []

    def hook(url: str, headers: Any, text: Any) -> tuple[str, Any, Any]:
        bodies.append(text)
        return url, headers, returned

    session.register_compliance_hook("protected_request", hook)
    session.post(API, data=body)
    assert (bodies, adapter.sent[0].body) == ([seen], sent)
    assert adapter.sent[0].headers["Content-Length"] == length
    session.register_compliance_hook("protected_request", lambda *given: given[0])
    with pytest.raises(TypeError, match="a hook of protected_request has to return"):
        session.get(API)


def test_a_stream_passes_hooks_as_it_is() -> None:
    session, adapter = mounted(token=GOOD)
    session.register_compliance_hook("protected_request", lambda u, h, b: (u, h, b))
    stream = iter([b"x"])
    session.post(API, data=stream)
    sent: Any = adapter.sent[0].body
    assert sent is stream


# `OAuth2Auth`.


def test_auth_alone() -> None:
    token = dict(GOOD)
    session, adapter = plain()
    auth = OAuth2Auth(token)
    session.get(API, auth=auth)
    session.get(API, auth=OAuth2Auth(token, "uri"))
    session.post(API, auth=OAuth2Auth(token, "body"))
    auth.set_token({"access_token": "a-2"})
    session.get(API, auth=auth)
    auth.token = {"access_token": "a-3"}
    session.get(API, auth=auth)
    header, uri, body, second, third = adapter.sent
    assert (auth.token, auth.client) == ({"access_token": "a-3"}, None)
    assert header.headers["Authorization"] == "Bearer a-1"
    assert query(uri.url) == [("access_token", "a-1")]
    assert form(body) == [("access_token", "a-1")]
    assert [each.headers["Authorization"] for each in (second, third)] == [
        "Bearer a-2",
        "Bearer a-3",
    ]
    with pytest.raises(LocalProtocolError, match="there is no client to renew it"):
        session.get(API, auth=OAuth2Auth(EXPIRED))
    with pytest.raises(TypeError, match="a token is a dict"):
        OAuth2Auth("a-1")  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_auth_with_a_client(server: AuthorizationServer, placement: str) -> None:
    saved: list[Any] = []
    client = session_at(server, update_token=lambda token, **more: saved.append((token, more)))
    old = dict(sign_in(client, server))
    auth = OAuth2Auth(dict(old), placement, client)
    assert auth.token is client.token  # equal, so it is the client's own
    with requests.Session() as session:
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        response = session.post(f"{server.issuer}/api", data={"a": "1"}, auth=auth)
        assert response.status_code == 200
        assert [each.status_code for each in response.history] == [401]
        assert server.count(grant_type="refresh_token") == 1
        assert saved == [(client.token, {"refresh_token": old["refresh_token"]})]
        assert auth.token is client.token
        assert response.request.headers.get("Authorization", "").startswith("Bearer ") is (
            placement == "header"
        )
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
        assert session.post(f"{server.issuer}/api", auth=auth).status_code == 401
        assert server.count(grant_type="refresh_token") == 2


def test_one_session_for_many_users(server: AuthorizationServer) -> None:
    client = session_at(server)
    users = [dict(sign_in(client, server)) for _ in range(3)]
    auths = [OAuth2Auth({**token, "expires_at": 1}, client=client) for token in users[:2]]
    for auth in auths * 2:
        assert client.get(f"{server.issuer}/api", auth=auth).status_code == 200
    assert server.count(grant_type="refresh_token") == 2
    assert client.token == users[2]
    asked = server.count(Endpoint.TOKEN)
    stranger = OAuth2Auth(EXPIRED, client=client)
    with pytest.raises(LocalProtocolError, match="cannot be renewed"):
        client.get(f"{server.issuer}/api", auth=stranger)
    assert server.count(Endpoint.TOKEN) == asked


@pytest.mark.parametrize("by_hand", [False, True], ids=["signed in", "set"])
def test_another_user_in_the_session_changes_nothing_for_an_auth_object(
    server: AuthorizationServer, by_hand: bool
) -> None:
    client = session_at(server)
    first = dict(sign_in(client, server))
    auth = OAuth2Auth(dict(first), client=client)
    if by_hand:
        second = dict(sign_in(session_at(server), server))
        client.token = second
    else:
        second = dict(sign_in(client, server))
    api = f"{server.issuer}/api"
    sent: Any = client.get(api, auth=auth).request
    assert sent.headers["Authorization"] == f"Bearer {first['access_token']}"
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
    assert client.get(api, auth=auth).status_code == 401  # renewed, and refused again
    assert server.count(grant_type="refresh_token") == 1
    assert auth.token is not None
    assert auth.token["access_token"] not in (first["access_token"], second["access_token"])
    assert client.token == second


def test_close_saves_what_is_unsaved_of_an_auth_object() -> None:
    answers = [OSError("full"), None]
    saved: list[str] = []

    def save(_token: OAuth2Token, *, refresh_token: str) -> None:
        failure = answers.pop(0)
        if failure is not None:
            raise failure
        saved.append(refresh_token)

    client, _ = mounted(update_token=save)
    session, _ = plain()
    auth = OAuth2Auth({**EXPIRED, "refresh_token": "r-1"}, client=client)
    with pytest.raises(UnsavedTokenError):
        session.get(API, auth=auth)
    client.close()
    assert saved == ["r-1"]


def test_the_client_credentials_of_a_session_renew_a_copy_of_its_token() -> None:
    client, adapter = mounted((200, GOOD), (200, {**GOOD, "access_token": "a-2"}))
    own = {**client.fetch_token(audience="x"), "expires_at": 1}
    session, api = plain()
    session.get(API, auth=OAuth2Auth(own, client=client))
    assert form(adapter.sent[0]) == form(adapter.sent[1])
    assert api.sent[0].headers["Authorization"] == "Bearer a-2"


def test_token_auth_follows_the_session() -> None:
    client, _ = mounted()
    auth = client.token_auth
    session, adapter = plain()
    with pytest.raises(MissingTokenError):
        session.get(API, auth=auth)
    client.fetch_token()
    session.get(API, auth=auth)
    client.register_compliance_hook("protected_request", lambda u, h, b: (f"{u}?hooked", h, b))
    client.token = {"access_token": "a-2"}
    session.get(API, auth=auth)
    assert [(each.url, each.headers["Authorization"]) for each in adapter.sent] == [
        (API, "Bearer a-1"),
        (f"{API}?hooked", "Bearer a-2"),
    ]


def test_auth_keeps_its_secrets() -> None:
    auth = OAuth2Auth({**GOOD, "access_token": "the-secret"})
    assert "the-secret" not in repr(auth)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            copied(auth)


def test_the_server_may_not_be_there() -> None:
    session, _ = mounted(requests.ConnectTimeout("x"), token=GOOD)
    with pytest.raises(requests.ConnectTimeout) as caught:
        session.get(API)
    assert type(caught.value) is requests.ConnectTimeout
    assert SERVER not in str(caught.value)
