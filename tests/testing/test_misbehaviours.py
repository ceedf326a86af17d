"""What each misbehaviour looks like to a client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth2_sansio.events import Endpoint, RequestFailed, ResponseReceived
from oauth2_sansio.testing import AnswerLost, Misbehaviour, ServerSettings
from oauth2_sansio.testing.forging import FORGERIES
from oauth2_sansio.testing.misleading import CALLBACKS, NOTIFICATIONS
from oauth2_sansio.testing.refusing import INSTEAD
from oauth2_sansio.testing.spoiling import AFTERWARDS

from .world import World, error, members

M = Misbehaviour
Check = Callable[[ResponseReceived], bool]


def test_each_misbehaviour_is_in_one_table() -> None:
    tables = (*INSTEAD, *AFTERWARDS, *CALLBACKS, *NOTIFICATIONS, *FORGERIES)
    assert sorted(each.name for each in tables) == sorted(each.name for each in Misbehaviour)


def _is(status: int, **expected: object) -> Check:
    """Check a status and members of a JSON body."""
    return lambda response: (
        response.status == status and expected.items() <= members(response).items()
    )


def _raw(status: int, body: bytes, content_type: str | None = None) -> Check:
    return lambda response: (
        (response.status, response.body, response.header("Content-Type"))
        == (
            status,
            body,
            content_type,
        )
    )


def _redirects(status: int) -> Check:
    return lambda response: (
        (response.status, response.header("Location"))
        == (
            status,
            "https://elsewhere.example/token",
        )
    )


def _html(status: int, text: bytes) -> Check:
    return lambda response: (
        response.status == status
        and text in response.body
        and response.header("Content-Type") == "text/html; charset=utf-8"
    )


def _retry_after(status: int, value: str) -> Check:
    return lambda response: (response.status, response.header("Retry-After")) == (status, value)


@pytest.mark.parametrize(
    ("misbehaviour", "check"),
    [
        (M.HTML_ERROR, _html(502, b"Bad Gateway")),
        (M.HTML_PAGE_IN_200, _html(200, b"Please log in")),
        (M.REDIRECT_302, _redirects(302)),
        (M.REDIRECT_307, _redirects(307)),
        (M.SERVER_ERROR_500_JSON, _is(500, error="server_error")),
        (M.SERVER_ERROR_503_WITH_RETRY_AFTER, _retry_after(503, "7")),
        (M.RATE_LIMIT_429_WITH_DATE, _retry_after(429, "Fri, 01 Jan 2100 00:00:00 GMT")),
        (M.ABSURD_RETRY_AFTER, _retry_after(503, "9" * 5000)),
        (M.FORBIDDEN_403_EMPTY, _raw(403, b"")),
        (M.UNAUTHORIZED_401_WITHOUT_CHALLENGE, _is(401, error="invalid_client")),
        (M.PROBLEM_JSON, _is(400, title="Bad Request")),
        (M.ERROR_IN_200, _is(200, error="invalid_grant")),
        (M.ERROR_OBJECT, _is(400, error={"code": 190, "message": "Session has expired"})),
        (M.UNKNOWN_ERROR_CODE, _is(400, error="invalid_code")),
        (
            M.CONTROL_CHARACTERS_IN_DESCRIPTION,
            _is(400, error_description="\x1b[31mred\x00\r\nSet-Cookie: a=b\u202e\ud800"),
        ),
    ],
)
def test_instead_of_a_token(misbehaviour: Misbehaviour, check: Check) -> None:
    world = World()
    tokens = world.tokens()
    with world.server.misbehave(misbehaviour) as switch:
        response = world.refresh(tokens["refresh_token"])
        assert check(response), response.body
        assert response.header("WWW-Authenticate") is None
        assert switch.used == 1
    # The server did not act, so the refresh token is as good as before.
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_a_secret_in_the_description() -> None:
    world = World()
    world.server.misbehave(M.ECHO_SECRET_IN_DESCRIPTION)
    response = world.refresh("r3fresh")
    assert members(response)["error_description"] == (
        "Got Basic YXBwOnMzY3JldA==&refresh_token&r3fresh"
    )


@pytest.mark.parametrize(
    ("misbehaviour", "sent", "acted"),
    [
        (M.REFUSE_CONNECTION, False, False),
        (M.DROP_REQUEST, True, False),
        (M.DROP_ANSWER, True, True),
        (M.DROP_ANSWER_AFTER_ROTATION, True, True),
    ],
)
def test_no_answer(misbehaviour: Misbehaviour, sent: bool, acted: bool) -> None:
    world = World()
    tokens = world.tokens()
    world.server.misbehave(misbehaviour, times=1)
    form = (("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"]))
    event = world.server.send(world.request(Endpoint.TOKEN, *form))
    assert isinstance(event, RequestFailed)
    assert isinstance(event.cause, AnswerLost)
    assert event.sent is sent
    assert world.server.is_active(tokens["refresh_token"]) is not acted
    assert world.server.log[-1].response is None


def test_only_the_answer_to_a_refresh_is_lost() -> None:
    world = World()
    switch = world.server.misbehave(M.DROP_ANSWER_AFTER_ROTATION)
    tokens = world.tokens()
    assert switch.used == 0
    with pytest.raises(AnswerLost, match="the answer is lost"):
        world.refresh(tokens["refresh_token"])
    assert switch.used == 1


REFUSED_ASSERTIONS = [
    (M.ASSERTION_EXPIRED, "It has expired."),
    (M.ASSERTION_NOT_YET_VALID, "It does not count yet."),
    (M.ASSERTION_USED_BEFORE, "It was used before."),
    (M.ASSERTION_FOR_SOMEBODY_ELSE, "Its audience is somebody else."),
]


@pytest.mark.parametrize(("misbehaviour", "reason"), REFUSED_ASSERTIONS)
def test_a_refused_assertion(misbehaviour: Misbehaviour, reason: str) -> None:
    world = World()
    text = f"The assertion is refused. {reason}"
    with world.server.misbehave(misbehaviour) as switch:
        assert world.token_request("client_credentials").status == 200
        assert switch.used == 0
        of_grant = world.token_request("any", assertion="x")
        of_client = world.token_request("any", assertion="x", client_assertion="y")
        assert switch.used == 2
    assert error(of_grant) == (400, "invalid_grant")
    assert error(of_client) == (401, "invalid_client")
    assert of_client.header("WWW-Authenticate") is not None
    assert {members(each)["error_description"] for each in (of_grant, of_client)} == {text}


def _not_json(response: ResponseReceived) -> bool:
    try:
        json.loads(response.body)
    except (ValueError, RecursionError):
        return True
    return False


def _token(check: Callable[[dict[str, Any]], bool]) -> Check:
    return lambda response: response.status == 200 and check(members(response))


@pytest.mark.parametrize(
    ("misbehaviour", "check"),
    [
        (M.EMPTY_BODY, lambda response: response.body == b""),
        (M.NOT_JSON, _not_json),
        (M.CUT_JSON, _not_json),
        (M.DEEP_NESTING, _not_json),
        (M.HUGE_NUMBER, lambda response: b"9" * 10_000 in response.body),
        (M.BAD_UTF8, _not_json),
        (M.JSON_ARRAY, lambda response: isinstance(json.loads(response.body), list)),
        (M.DUPLICATE_MEMBERS, lambda response: response.body.count(b'"access_token"') == 2),
        (M.NOT_A_NUMBER, lambda response: b'"a": NaN}' in response.body),
        (M.HUGE_BODY, lambda response: len(response.body) > 2_000_000),
        (M.BOM, lambda response: response.body.startswith(b'\xef\xbb\xbf{"access_token"')),
        (M.UTF16, lambda response: "access_token" in response.body.decode("utf-16")),
        (M.TEXT_PLAIN, lambda response: response.header("Content-Type") == "text/plain"),
        (M.NO_CONTENT_TYPE, lambda response: response.header("Content-Type") is None),
        (
            M.FORM_ENCODED_ANSWER,
            lambda response: (
                response.header_values("Content-Type") == ("application/x-www-form-urlencoded",)
                and dict(parse_qsl(response.body.decode()))["expires_in"] == "3600"
            ),
        ),
        (M.TOKEN_IN_400, _is(400, token_type="Bearer")),
        (M.TOKEN_IN_201, _is(201, token_type="Bearer")),
        (M.ERROR_BESIDE_TOKEN, _is(200, token_type="Bearer", error="invalid_grant")),
        (M.MISSING_ACCESS_TOKEN, _token(lambda token: "access_token" not in token)),
        (M.NULL_ACCESS_TOKEN, _is(200, access_token=None)),
        (M.LINE_BREAK_IN_ACCESS_TOKEN, _token(lambda token: "\r\nX-" in token["access_token"])),
        (M.MISSING_TOKEN_TYPE, _token(lambda token: "token_type" not in token)),
        (M.LOWER_CASE_TOKEN_TYPE, _is(200, token_type="bearer")),
        (M.UNKNOWN_TOKEN_TYPE, _is(200, token_type="mac")),
        (M.NULL_REFRESH_TOKEN, _is(200, refresh_token=None)),
        (M.EMPTY_REFRESH_TOKEN, _is(200, refresh_token="")),
        (M.MISSING_REFRESH_TOKEN, _token(lambda token: "refresh_token" not in token)),
        (M.MISSING_EXPIRES_IN, _token(lambda token: "expires_in" not in token)),
        (M.EXPIRES_IN_STRING, _is(200, expires_in="3600")),
        (M.EXPIRES_IN_FLOAT, _is(200, expires_in=3600.5)),
        (M.EXPIRES_IN_OBJECT, _is(200, expires_in={"seconds": 3600})),
        (M.NULL_EXPIRES_IN, _is(200, expires_in=None)),
        (M.NEGATIVE_EXPIRES_IN, _is(200, expires_in=-1)),
        (M.ABSURD_EXPIRES_IN, _is(200, expires_in=10**30)),
        (M.SCOPE_ARRAY, _is(200, scope=["read", "write"])),
        (M.MISSING_SCOPE, _token(lambda token: "scope" not in token)),
    ],
)
def test_a_spoilt_token(misbehaviour: Misbehaviour, check: Check) -> None:
    world = World()
    tokens = world.tokens()
    world.server.misbehave(misbehaviour, times=1)
    response = world.refresh(tokens["refresh_token"])
    assert check(response), response.body[:500]
    # The server has acted: the refresh token is used up.
    assert not world.server.is_active(tokens["refresh_token"])


@pytest.mark.parametrize("misbehaviour", [M.EXPIRES_IN_STRING, M.FORM_ENCODED_ANSWER])
@pytest.mark.parametrize("endpoint", [Endpoint.TOKEN, Endpoint.REVOCATION])
def test_what_is_no_token_stays_as_it_is(misbehaviour: Misbehaviour, endpoint: Endpoint) -> None:
    world = World()
    form = (("token", "unknown"),)
    before = world.post(endpoint, *form)
    world.server.misbehave(misbehaviour, endpoint=endpoint)
    assert world.post(endpoint, *form) == before


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [
        (M.ISSUER_MIXUP, {"iss": "https://elsewhere.example", "code": "code-of-another-server"}),
        (M.CALLBACK_WRONG_ISSUER, {"iss": "https://as.example.com/"}),
        (M.CALLBACK_WITHOUT_ISSUER, {"iss": None}),
        (M.CALLBACK_WITHOUT_STATE, {"state": None}),
        (M.CALLBACK_WRONG_STATE, {"state": "of-somebody-else"}),
        (M.CALLBACK_WITHOUT_CODE, {"code": None}),
        (M.CALLBACK_ERROR_AND_CODE, {"error": "access_denied"}),
    ],
)
def test_a_spoilt_callback(misbehaviour: Misbehaviour, expected: dict[str, str | None]) -> None:
    world, twin = World(), World()
    world.server.misbehave(misbehaviour, times=1)
    wanted = {**twin.callback(), **expected}
    assert world.callback() == {name: value for name, value in wanted.items() if value is not None}
    assert world.callback() == twin.callback()


def test_a_doubled_code() -> None:
    world = World()
    world.server.misbehave(M.CALLBACK_DOUBLED_CODE)
    query = urlsplit(world.server.visit(world.authorization_url())).query
    assert [name for name, _ in parse_qsl(query)] == ["code", "code", "state", "iss"]


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [
        (M.METADATA_WRONG_ISSUER, {"issuer": "https://elsewhere.example"}),
        (M.METADATA_ISSUER_WITH_SLASH, {"issuer": "https://as.example.com/"}),
        (
            M.METADATA_HTTP_ENDPOINTS,
            {
                "issuer": "https://as.example.com",
                "token_endpoint": "http://as.example.com/token",
                "authorization_endpoint": "http://as.example.com/authorize",
            },
        ),
        (
            M.METADATA_SCRIPT_ENDPOINT,
            {"authorization_endpoint": "javascript:alert(1)//https://as.example.com"},
        ),
        (M.METADATA_WITHOUT_TOKEN_ENDPOINT, {"token_endpoint": None}),
        (M.METADATA_WRONG_TYPES, {"code_challenge_methods_supported": {"S256": True}}),
        (M.METADATA_WITHOUT_S256, {"code_challenge_methods_supported": ["plain"]}),
    ],
)
def test_spoilt_metadata(misbehaviour: Misbehaviour, expected: dict[str, object]) -> None:
    world = World()
    world.server.misbehave(misbehaviour)
    world.tokens()  # other endpoints go on as before
    for name in ("oauth-authorization-server", "openid-configuration"):
        document = members(world.get(f"https://as.example.com/.well-known/{name}"))
        assert {member: document.get(member) for member in expected} == expected


def test_a_revocation_that_fails() -> None:
    world = World()
    token = world.tokens()["access_token"]
    world.server.misbehave(M.REVOCATION_503, times=1)
    response = world.post(Endpoint.REVOCATION, ("token", token))
    assert (response.status, response.header("Retry-After")) == (503, "7")
    assert world.works(token)
    world.server.misbehave(M.REVOCATION_UNSUPPORTED_TOKEN_TYPE, times=1)
    response = world.post(Endpoint.REVOCATION, ("token", token))
    assert members(response)["error"] == "unsupported_token_type"
    assert world.works(token)


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [
        (M.INTROSPECTION_ACTIVE_AS_TEXT, {"active": "true", "iat": 1_700_000_000}),
        (M.INTROSPECTION_WITHOUT_ACTIVE, {"active": None}),
        (
            M.INTROSPECTION_TIMES_AS_FLOATS,
            {"active": True, "iat": 1_700_000_000.25, "exp": 1_700_003_600.25},
        ),
    ],
)
def test_a_spoilt_introspection(misbehaviour: Misbehaviour, expected: dict[str, object]) -> None:
    world = World()
    world.server.misbehave(misbehaviour)
    token = world.tokens()["access_token"]
    described = members(world.post(Endpoint.INTROSPECTION, ("token", token)))
    assert {name: described.get(name) for name in expected} == expected


def test_no_times_to_spoil() -> None:
    world = World()
    world.server.misbehave(M.INTROSPECTION_TIMES_AS_FLOATS)
    described = members(world.post(Endpoint.INTROSPECTION, ("token", "unknown")))
    assert described == {"active": False}


@pytest.mark.parametrize(
    ("misbehaviour", "status", "header"),
    [
        (M.RESOURCE_REFUSES_TOKEN, 401, ("WWW-Authenticate", 'error="invalid_token"')),
        (M.RESOURCE_401_WITHOUT_CHALLENGE, 401, None),
        (M.RESOURCE_TWO_CHALLENGES, 401, ("WWW-Authenticate", ', DPoP algs="ES256"')),
        (M.RESOURCE_REDIRECTS_ELSEWHERE, 307, ("Location", "https://elsewhere.example/")),
    ],
)
def test_a_resource_that_misbehaves(
    misbehaviour: Misbehaviour, status: int, header: tuple[str, str] | None
) -> None:
    world = World(ServerSettings(resource_scopes={}))
    world.server.misbehave(misbehaviour)
    response = world.resource(world.tokens()["access_token"])
    assert response.status == status
    if header is None:
        assert response.headers == ()
    else:
        assert header[1] in (response.header(header[0]) or "")
