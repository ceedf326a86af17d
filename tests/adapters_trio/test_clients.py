"""`OAuth2Client` and `AssertionClient` over trio: the token in requests, and who renews it."""

from __future__ import annotations

import json
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import trio

from oauth2_sansio import Client, Server
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    MissingTokenError,
    OAuth2Error,
    RemoteProtocolError,
    TransportError,
    UnsavedTokenError,
)
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_trio import (
    AssertionClient,
    HTTPClient,
    HTTPError,
    HTTPStatusError,
    OAuth2Client,
    OAuthError,
    ReadError,
    Request,
    Response,
)

API = "https://api.example/things"
TOKEN_URL = "https://as.example/token"
REDIRECT_URI = "https://app.example/cb"
GOOD = {"access_token": "good", "expires_in": 3600, "expires_at": 99_999_999_999}
STALE = {"access_token": "stale", "refresh_token": "r1", "expires_at": 1}
REFUSED = ((("WWW-Authenticate", 'Bearer error="invalid_token"'),), b"")

pytestmark = pytest.mark.trio

Answer = Callable[[Request], Any]


class Scripted(OAuth2Client):
    """A client whose requests a function answers."""

    def __init__(self, answer: Answer | None = None, **settings: Any) -> None:
        settings.setdefault("token_endpoint", TOKEN_URL)
        super().__init__("app", "secret", **settings)
        self.answer = answer or answer_well
        self.sent: list[Request] = []

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        await trio.lowlevel.checkpoint()
        self.sent.append(request)
        found = self.answer(request)
        if isinstance(found, Exception):
            raise found
        checked: Response = found
        return checked

    @property
    def to_api(self) -> list[Request]:
        return [request for request in self.sent if request.url != TOKEN_URL]


def answer_well(request: Request) -> Response:
    if request.url == TOKEN_URL:
        return token_response("new")
    if "stale" in repr((request.url, request.headers.pairs, request.content)):
        return Response(401, *REFUSED, request=request)
    return Response(200, content=b"fine", request=request)


def token_response(access_token: str, **more: Any) -> Response:
    members = {"access_token": access_token, "expires_in": 3600, "refresh_token": "r2", **more}
    return Response(200, content=json.dumps(members).encode())


def bearer(request: Request) -> str | None:
    return request.headers.get("authorization")


# The token in a request


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
async def test_each_verb_carries_the_token(method: str) -> None:
    client = Scripted(token=GOOD)
    response = await getattr(client, method)(API)
    assert response.status_code == 200
    [sent] = client.sent
    assert (sent.method, sent.url, bearer(sent)) == (method.upper(), API, "Bearer good")


async def test_the_token_can_be_withheld() -> None:
    client = Scripted()
    await client.get(API, withhold_token=True)
    assert bearer(client.sent[0]) is None


async def test_no_token_is_no_request() -> None:
    client = Scripted()
    with pytest.raises(MissingTokenError):
        await client.get(API)
    assert client.sent == []


@pytest.mark.parametrize(
    ("method", "options", "content", "media_type"),
    [
        ("POST", {}, b"access_token=good", "application/x-www-form-urlencoded"),
        ("POST", {"data": {"a": "b"}}, b"a=b&access_token=good", None),
        ("GET", {}, b"access_token=good", ""),
    ],
)
async def test_the_token_in_the_body(
    method: str, options: Any, content: bytes, media_type: str | None
) -> None:
    client = Scripted(token=GOOD, token_placement="body")
    await client.request(method, API, **options)
    [sent] = client.sent
    wanted = "application/x-www-form-urlencoded" if media_type is None else media_type
    assert (sent.content, sent.headers.get("content-type", "")) == (content, wanted)
    assert bearer(sent) is None


async def test_the_token_in_the_url() -> None:
    client = Scripted(token=GOOD, token_placement="uri")
    await client.get(API)
    assert client.sent[0].url == f"{API}?access_token=good"


async def streamed() -> AsyncIterator[bytes]:
    yield b"piece"


async def test_a_token_has_no_place_in_a_streamed_body() -> None:
    client = Scripted(token=GOOD, token_placement="body")
    with pytest.raises(LocalProtocolError, match="streamed body"):
        await client.post(API, content=streamed())
    assert client.sent == []


async def test_a_token_in_the_body_follows_no_redirect() -> None:
    client = Scripted(token=GOOD, token_placement="body")
    with pytest.raises(LocalProtocolError, match="to another server"):
        await client.post(API, follow_redirects=True)
    assert client.sent == []


async def test_a_redirect_to_another_origin_leaves_the_token_behind() -> None:
    def answer(request: Request) -> Response:
        if request.url == API:
            location = (("Location", "https://other.example/"),)
            return Response(302, location, request=request)
        return Response(401, *REFUSED, request=request)

    client = Scripted(answer, token={**GOOD, "refresh_token": "r1"})
    response = await client.get(API, follow_redirects=True)
    assert response.status_code == 401
    # And a refusal there says nothing of the token, which is not renewed.
    assert [(each.url, bearer(each)) for each in client.sent] == [
        (API, "Bearer good"),
        ("https://other.example/", None),
    ]


def add_to_all(url: str, headers: Any, body: Any) -> tuple[Any, Any, Any]:
    return url + "?seen", {**headers, "X-Seen": "1"}, None if body is None else body + "!"


@pytest.mark.parametrize(
    ("options", "content"),
    [({}, b"!"), ({"content": b"body"}, b"body!"), ({"content": "stream"}, "stream")],
)
async def test_hooks_see_the_request_with_the_token(options: Any, content: Any) -> None:
    client = Scripted(token=GOOD)
    seen: list[Any] = []

    def look(url: str, headers: Any, body: Any) -> tuple[Any, Any, Any]:
        seen.append(headers["Authorization"])
        return add_to_all(url, headers, body)

    client.register_compliance_hook("protected_request", look)
    body = streamed()
    if options.get("content") == "stream":
        options, content = {"content": body}, body
    await client.post(API, **options)
    [sent] = client.sent
    assert seen == ["Bearer good"]
    assert (sent.url, sent.headers["x-seen"], sent.content) == (f"{API}?seen", "1", content)


async def test_a_hook_may_change_nothing_or_take_the_body_away() -> None:
    client = Scripted(token=GOOD)
    client.register_compliance_hook("protected_request", lambda url, head, body: (url, head, body))
    await client.post(API, content=b"as it is")
    client.register_compliance_hook("protected_request", lambda url, head, _body: (url, head, b""))
    await client.post(API, content=b"gone")
    assert [each.content for each in client.sent] == [b"as it is", None]


# Renewal


async def test_an_expired_token_is_renewed_before() -> None:
    saved: list[Any] = []

    async def save(token: Any, **before: Any) -> None:
        await trio.lowlevel.checkpoint()
        saved.append((token["access_token"], before))

    client = Scripted(token=STALE, update_token=save)
    assert (await client.get(API)).content == b"fine"
    assert [bearer(each) for each in client.to_api] == ["Bearer new"]
    assert saved == [("new", {"refresh_token": "r1"})]


@pytest.mark.parametrize("placement", ["header", "uri", "body"])
async def test_a_token_that_is_refused_is_renewed_and_sent_once_more(placement: str) -> None:
    token = {**STALE, "expires_at": 99_999_999_999}
    client = Scripted(token=token, token_placement=placement)
    assert (await client.post(API)).status_code == 200
    assert [
        "new" in repr((each.url, each.headers.pairs, each.content)) for each in client.to_api
    ] == [
        False,
        True,
    ]


async def test_it_is_sent_once_more_and_not_twice() -> None:
    def answer(request: Request) -> Response:
        if request.url == TOKEN_URL:
            return token_response("new")
        return Response(401, *REFUSED, request=request)

    client = Scripted(answer, token={**STALE, "expires_at": 99_999_999_999})
    async with client.stream("GET", API) as response:
        assert response.status_code == 401
    assert len(client.to_api) == 2


@pytest.mark.parametrize(
    ("token", "options", "answer"),
    [
        pytest.param(GOOD, {}, None, id="nothing to renew it with"),
        pytest.param(STALE, {"content": "stream"}, None, id="a streamed body"),
        pytest.param(STALE, {}, Response(401), id="no challenge, and a test's answer"),
        pytest.param(STALE, {}, Response(403, *REFUSED), id="another status"),
    ],
)
async def test_what_is_not_sent_once_more(token: Any, options: Any, answer: Any) -> None:
    def refuse(request: Request) -> Response:
        found = answer or Response(401, *REFUSED, request=request)
        assert isinstance(found, Response)
        return found

    client = Scripted(refuse, token={**token, "expires_at": 99_999_999_999})
    if options:
        options = {"content": streamed()}
    response = await client.post(API, **options)
    assert response.status_code in (401, 403)
    assert len(client.sent) == 1


async def test_two_hundred_tasks_renew_once_and_a_cancelled_one_loses_nothing() -> None:
    client = Scripted(token=STALE)
    results: list[int] = []

    async def ask() -> None:
        results.append((await client.get(API)).status_code)

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.get(API)
        for _ in range(200):
            nursery.start_soon(ask)
    assert results == [200] * 200
    assert len(client.sent) - len(client.to_api) == 1


# Calls to endpoints


async def test_errors_are_also_those_of_the_http_client() -> None:
    def fail(_request: Request) -> Any:
        return ReadError("gone")

    client = Scripted(fail)
    with pytest.raises(ReadError) as got:
        await client.fetch_token()
    error: Any = got.value
    kinds = (TransportError, HTTPError)
    assert (error.sent, *(isinstance(error, kind) for kind in kinds)) == (True, True, True)
    client.answer = lambda _request: Response(503)
    with pytest.raises(HTTPStatusError) as busy:
        await client.fetch_token()
    error = busy.value
    assert (error.status_code, isinstance(error, RemoteProtocolError)) == (503, True)
    assert error.response is not None
    client.answer = lambda _request: Response(400, content=b'{"error": "invalid_client"}')
    with pytest.raises(OAuthError) as refused:
        await client.fetch_token()
    assert type(refused.value) is ErrorResponse
    assert not isinstance(refused.value, HTTPError)


async def test_hooks_see_the_answer() -> None:
    client = Scripted()

    def rename(response: Any) -> Any:
        members = json.loads(response.content)
        response.json = lambda: {**members, "access_token": "renamed"}
        return response

    client.register_compliance_hook("access_token_response", rename)
    assert (await client.fetch_token())["access_token"] == "renamed"
    client.answer = lambda _request: Response(
        200, (("Content-Encoding", "gzip"),), b'{"access_token": "x"}'
    )
    assert (await client.fetch_token())["access_token"] == "x"  # compressed: they do not see it


class Double:
    """What a test may return instead of a response."""

    status_code = 200

    def json(self) -> dict[str, str]:
        return {"access_token": "double"}


async def test_a_double_of_a_response() -> None:
    client = Scripted(lambda _request: Double())
    client.register_compliance_hook("access_token_response", lambda response: response)
    assert (await client.fetch_token())["access_token"] == "double"


async def test_a_call_has_its_own_timeout_and_no_auth_object() -> None:
    client = Scripted(deadline=5)
    await client.fetch_token(timeout=20)
    await client.fetch_token(timeout=2)
    assert [each.deadline for each in client.sent] == [20, 5]
    assert [each.timeout is None for each in client.sent] == [False, False]
    with pytest.raises((OAuth2Error, TypeError, ValueError)):
        await client.fetch_token(auth=object())
    assert len(client.sent) == 2


async def test_any_flow_runs_through_it() -> None:
    client = Scripted()
    strict = Client(server=Server(revocation_endpoint="https://as.example/revoke"), client_id="app")
    await client.run(strict.revoke("t"))
    assert client.sent[0].url == "https://as.example/revoke"
    with pytest.raises(TypeError):
        pickle.dumps(client)


async def test_closing_saves_what_is_unsaved() -> None:
    calls: list[str] = []

    def save(token: Any, **_before: Any) -> None:
        calls.append(token["access_token"])
        if len(calls) == 1:
            raise OSError("disk full")

    client = Scripted(token=STALE, update_token=save)
    with pytest.raises(UnsavedTokenError):
        await client.get(API)
    await client.aclose()
    await client.aclose()
    assert calls == ["new", "new"]
    with pytest.raises(HTTPError, match="closed"):
        await client.get(API)


# On a socket


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    app = RegisteredClient(
        client_id="app",
        client_secret="secret",
        redirect_uris=(REDIRECT_URI,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope="read",
    )
    with serve(lambda issuer: AuthorizationServer(issuer=issuer, clients=[app])) as found:
        yield found


async def test_a_closed_client_fetches_nothing(server: AuthorizationServer) -> None:
    client = OAuth2Client("app", "secret", token_endpoint=f"{server.issuer}/token")
    async with client:
        token = await client.fetch_token()
        assert token["access_token"]
        assert isinstance(client, HTTPClient)
    with pytest.raises(LocalProtocolError, match="closed"):
        await client.fetch_token()


async def test_an_assertion_is_traded_before_the_first_request() -> None:
    sent: list[Request] = []

    class Asserting(AssertionClient):
        async def send(self, request: Request, *, stream: bool = False) -> Response:
            sent.append(request)
            return answer_well(request)

    client = Asserting(TOKEN_URL, "me", "you", key="secret of a sufficient length 123", alg="HS256")
    assert (await client.get(API)).content == b"fine"
    assert [each.url for each in sent] == [TOKEN_URL, API]
    assert bearer(sent[1]) == "Bearer new"


# Through another client


async def test_a_token_client() -> None:
    class Guarded(HTTPClient):
        async def send(self, request: Request, *, stream: bool = False) -> Response:
            await trio.lowlevel.checkpoint()
            through.append(request)
            return answer_well(request)

    through: list[Request] = []
    tokens = Guarded(headers={"User-Agent": "guarded"})
    client = Scripted(token=STALE, token_client=tokens)
    await client.get(API)
    await client.fetch_token()
    assert [request.url for request in through] == [TOKEN_URL, TOKEN_URL]
    assert {request.headers.get("user-agent") for request in through} == {"guarded"}
    assert [(request.url, bearer(request)) for request in client.sent] == [(API, "Bearer new")]
    await client.aclose()
    with pytest.raises(LocalProtocolError, match="closed"):
        await client.fetch_token()
    assert len(through) == 2


async def test_a_token_client_that_is_closed() -> None:
    tokens = HTTPClient()
    client = OAuth2Client("app", "secret", token_endpoint=TOKEN_URL, token_client=tokens)
    await tokens.aclose()
    with pytest.raises(LocalProtocolError, match="closed"):
        await client.fetch_token()


async def test_a_token_client_of_another_kind() -> None:
    with pytest.raises(TypeError, match=r"token_client is no oauth2_sansio_trio\.HTTPClient"):
        OAuth2Client("app", token_client=trio)
