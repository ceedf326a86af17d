from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth2_sansio.events import Endpoint, RequestToSend
from oauth2_sansio.testing import AuthorizationRefused, RegisteredClient, ServerSettings, User

from .world import CALLBACK, CHALLENGE, FORM, World, members

ISSUER = "https%3A%2F%2Fas.example.com"


def test_the_user_approves() -> None:
    world = World()
    code = "code-7xNPKhgLoF3pGrMtKXb1HeE7aNgj6nhB"
    assert world.server.visit(world.authorization_url()) == (
        f"{CALLBACK}?code={code}&state=a+state&iss={ISSUER}"
    )


def test_the_user_denies() -> None:
    world = World()
    assert world.server.visit(world.authorization_url(), User(approves=False)) == (
        f"{CALLBACK}?error=access_denied&error_description=The+user+did+not+approve."
        f"&state=a+state&iss={ISSUER}"
    )
    refused = world.callback_for(User(approves=False, error="login_required"))
    assert refused["error"] == "login_required"


def test_no_state_no_issuer() -> None:
    world = World(ServerSettings(send_issuer=False))
    assert list(world.callback(state=None)) == ["code"]


def test_the_user_edits_the_callback() -> None:
    world = World()
    user = User(edit=lambda url: url.replace("a+state", "another"))
    assert world.callback_for(user)["state"] == "another"
    body = world.server.visit(world.authorization_url(response_mode="form_post"), user)
    assert dict(parse_qsl(body))["state"] == "another"


def test_a_parameter_goes_behind_the_query_of_the_redirect_uri() -> None:
    world = World()
    url = world.authorization_url(client_id="phone", redirect_uri="com.example:/cb?app=1")
    assert world.server.visit(url).startswith("com.example:/cb?app=1&code=code-")


def test_a_fragment_for_a_code() -> None:
    world = World()
    url = urlsplit(world.server.visit(world.authorization_url(response_mode="fragment")))
    assert url.query == ""
    assert list(dict(parse_qsl(url.fragment))) == ["code", "state", "iss"]


def test_a_posted_form() -> None:
    world = World()
    request = RequestToSend(
        endpoint=Endpoint.AUTHORIZATION,
        method="GET",
        url=world.authorization_url(response_mode="form_post", state='"<&ü'),
    )
    shown = world.server.handle(request)
    assert shown.status == 200
    assert f'<form method="post" action="{CALLBACK}">'.encode() in shown.body
    assert b'value="&quot;&lt;&amp;\xc3\xbc"' in shown.body
    body = world.server.visit(request.url)
    assert dict(parse_qsl(body))["state"] == '"<&ü'
    assert list(dict(parse_qsl(body))) == ["code", "state", "iss"]


def test_the_request_may_be_posted() -> None:
    world = World()
    url, _, query = world.authorization_url().partition("?")
    request = RequestToSend(
        endpoint=Endpoint.AUTHORIZATION, url=url, headers=(FORM,), content=query.encode()
    )
    response = world.server.handle(request)
    assert response.status == 302
    assert (response.header("Location") or "").startswith(f"{CALLBACK}?code=")


def test_another_method() -> None:
    assert World().get("https://as.example.com/authorize", method="PUT").status == 405


def test_an_implicit_grant() -> None:
    world = World()
    url = urlsplit(
        world.server.visit(
            world.authorization_url(response_type="token", code_challenge=None, scope="read")
        )
    )
    answer = dict(parse_qsl(url.fragment))
    token = answer.pop("access_token")
    assert answer == {
        "token_type": "Bearer",
        "expires_in": "3600",
        "scope": "read",
        "state": "a state",
        "iss": "https://as.example.com",
    }
    assert url.query == ""
    assert world.works(token)


def test_no_token_in_a_query() -> None:
    world = World()
    url = urlsplit(
        world.server.visit(world.authorization_url(response_type="token", response_mode="query"))
    )
    assert dict(parse_qsl(url.fragment))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"response_type": None}, "invalid_request", id="no response_type"),
        pytest.param({"response_type": "x"}, "unsupported_response_type", id="a strange one"),
        pytest.param({"response_mode": "web"}, "invalid_request", id="a strange response_mode"),
        pytest.param({"scope": "read admin"}, "invalid_scope", id="too much"),
        pytest.param({"scope": "read  write"}, "invalid_scope", id="two spaces"),
        pytest.param({"code_challenge": None}, "invalid_request", id="no PKCE"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="plain by default"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="plain"),
        pytest.param({"code_challenge": CHALLENGE[1:]}, "invalid_request", id="too short"),
        pytest.param({"code_challenge": f"{CHALLENGE}="}, "invalid_request", id="padded"),
    ],
)
def test_what_is_refused_in_the_callback(changes: dict[str, str | None], expected: str) -> None:
    answer = World().callback(**changes)
    del answer["error_description"]
    assert answer == {"error": expected, "state": "a state", "iss": "https://as.example.com"}


def test_a_response_type_that_is_not_for_this_client() -> None:
    world = World()
    url = world.server.visit(
        world.authorization_url(
            client_id="phone", redirect_uri="http://127.0.0.1:1/cb", response_type="token"
        )
    )
    assert dict(parse_qsl(urlsplit(url).fragment))["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_id": None}, "status 400: Error The parameter client_id is missing."),
        ({"client_id": "nobody"}, "status 400: Error The client is unknown."),
        ({"redirect_uri": f"{CALLBACK}/"}, "The redirect_uri is not registered"),
        ({"redirect_uri": f"{CALLBACK}?a=1"}, "The redirect_uri is not registered"),
        ({"client_id": "phone", "redirect_uri": None}, "redirect_uri is missing"),
        (
            {"client_id": "phone", "redirect_uri": "https://127.0.0.1:8080/cb"},
            "The redirect_uri is not registered",
        ),
    ],
)
def test_an_error_page_and_no_redirect(changes: dict[str, str | None], message: str) -> None:
    world = World()
    with pytest.raises(AuthorizationRefused, match=message) as caught:
        world.server.visit(world.authorization_url(**changes))
    assert caught.value.response.status == 400
    assert caught.value.response.header("Location") is None


def test_a_doubled_parameter_is_refused() -> None:
    world = World()
    with pytest.raises(AuthorizationRefused, match="more than once"):
        world.server.visit(world.authorization_url(("state", "again")))


@pytest.mark.parametrize("redirect_uri", ["http://127.0.0.1:8080/cb", "http://[::1]:1"])
def test_a_loopback_address_may_have_any_port(redirect_uri: str) -> None:
    world = World()
    url = world.authorization_url(client_id="phone", redirect_uri=redirect_uri)
    assert world.server.visit(url).startswith(f"{redirect_uri}?code=")


def test_the_only_redirect_uri_may_be_left_out() -> None:
    world = World()
    assert world.server.visit(world.authorization_url(redirect_uri=None)).startswith(CALLBACK)


def test_pkce_may_be_optional() -> None:
    world = World(ServerSettings(require_pkce=False))
    assert "code" in world.callback(code_challenge=None)
    assert world.callback(code_challenge_method="plain")["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("asked", "approved", "granted"),
    [
        (None, None, "read write"),
        ("write", None, "write"),
        (None, "read", "read"),
        ("write read", "read", "read"),
        ("write", "read", None),
    ],
)
def test_the_scope_that_is_granted(
    asked: str | None, approved: str | None, granted: str | None
) -> None:
    world = World()
    code = world.callback_for(User(scope=approved), scope=asked)["code"]
    assert members(world.redeem(code)).get("scope") == granted


def test_a_client_without_a_scope() -> None:
    world = World()
    world.server.register(
        RegisteredClient(client_id="app", client_secret="s3cret", redirect_uris=(CALLBACK,))
    )
    assert world.callback(scope="read")["error"] == "invalid_scope"
    assert "scope" not in world.tokens()
