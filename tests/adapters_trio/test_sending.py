"""The driver's contract: flows over this client."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trustme
from trio.testing import MockClock

from oauth2_sansio import Client, ClientSecretBasic, Server
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.errors import LocalProtocolError, Outcome, RemoteProtocolError, TransportError
from oauth2_sansio.events import (
    Endpoint,
    Event,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_trio import HTTPClient, Request, Response, UnusableClientError, run, send
from oauth2_sansio_trio.sending import received

from . import world
from .world import OK, answering, counts, keep_answering, serving, stay_silent

HEAD = b"HTTP/1.1 200 OK\r\n"


def to_token_endpoint(url: str, **more: Any) -> RequestToSend:
    return RequestToSend(endpoint=Endpoint.TOKEN, url=url, **more)


@asynccontextmanager
async def authorization_server(
    context: ssl.SSLContext | None = None,
) -> AsyncGenerator[AuthorizationServer, None]:
    app = RegisteredClient(
        client_id="app", client_secret="s3cret", grant_types=("client_credentials",), scope="read"
    )
    with serve(
        lambda issuer: AuthorizationServer(issuer=issuer, clients=[app]), ssl_context=context
    ) as server:
        yield server


@pytest.mark.trio
@pytest.mark.parametrize("tls", [False, True])
async def test_the_story_of_a_token(tls: bool) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with (
        authorization_server(context if tls else None) as server,
        HTTPClient(verify=trusting) as http,
    ):
        metadata = await run(Server.discover(server.issuer), http)
        client = Client(server=metadata, client_id="app", auth=ClientSecretBasic("s3cret"))
        token = await run(client.client_credentials(scope="read"), http)
        await run(client.revoke(token), http)
        assert counts(http) == (1, 1)
    assert token.access_token
    assert [entry.endpoint for entry in server.log] == [
        Endpoint.METADATA,
        Endpoint.TOKEN,
        Endpoint.REVOCATION,
    ]


@pytest.mark.trio
async def test_a_request_goes_as_it_stands() -> None:
    answer = HEAD + b"A: 1\r\na: 2\r\nContent-Length: 2\r\n\r\n{}"
    async with serving(answering(answer, OK)) as server, HTTPClient(headers={"X": "y"}) as client:
        event = await send(
            client,
            to_token_endpoint(
                f"{server.url}/t?x=%2f", headers=(("Accept", "a/b"),), form=(("a", "b c"),)
            ),
        )
        await send(
            client, to_token_endpoint(server.url, method="GET", headers=(("user-agent", "u"),))
        )

    assert event == ResponseReceived(
        status=200, headers=(("A", "1"), ("a", "2"), ("Content-Length", "2")), body=b"{}"
    )
    host = server.url.removeprefix("http://")
    agent = client.headers["user-agent"]
    assert server.requests == [
        f"POST /t?x=%2f HTTP/1.1\r\nHost: {host}\r\nAccept: a/b\r\nAccept-Encoding: identity\r\n"
        f"User-Agent: {agent}\r\nContent-Length: 5\r\n\r\na=b+c".encode(),
        f"GET / HTTP/1.1\r\nHost: {host}\r\nuser-agent: u\r\nAccept-Encoding: identity\r\n\r\n".encode(),
    ]


@pytest.mark.trio
async def test_a_client_may_have_no_user_agent() -> None:
    async with serving(keep_answering) as server, HTTPClient() as client:
        client.headers = client.headers.without("user-agent")
        await send(client, to_token_endpoint(server.url))
    assert b"User-Agent" not in server.requests[0]


@pytest.mark.trio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 500])
async def test_every_answer_is_an_answer(status: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(answering(answer)) as server, HTTPClient() as client:
        event = await send(client, to_token_endpoint(server.url))
        assert isinstance(event, ResponseReceived)
        assert event.status == status
        assert len(server.requests) == 1


@pytest.mark.trio
@pytest.mark.parametrize("length", [MAXIMUM_BODY, MAXIMUM_BODY + 1, 30_000_000])
async def test_a_body_is_read_up_to_the_limit(length: int) -> None:
    answer = HEAD + b"Content-Length: %d\r\n\r\n" % length + bytes(length)
    async with serving(answering(answer)) as server, HTTPClient() as client:
        event = await send(client, to_token_endpoint(server.url))
        assert isinstance(event, ResponseReceived)
        assert len(event.body) == min(length, MAXIMUM_BODY + 1)
        assert counts(client) in ((0, 0), (1, 1))
        if length > 2 * MAXIMUM_BODY:
            assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_compressed_answer_is_not_decoded() -> None:
    body = gzip.compress(b'{"access_token": "x", "token_type": "Bearer"}')
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(answering(answer, answer)) as server, HTTPClient() as client:
        event = await send(client, to_token_endpoint(server.url))
        assert isinstance(event, ResponseReceived)
        assert event.body == body
        oauth = Client(server=Server(issuer=server.url, token_endpoint=server.url), client_id="app")
        with pytest.raises(RemoteProtocolError):
            await run(oauth.client_credentials(), client)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("handler", "sent"),
    [(stay_silent, True), (answering(b""), True), (answering(b"junk\r\n\r\n"), True)],
)
async def test_no_answer_is_a_failure(handler: world.Handler, sent: bool) -> None:
    async with serving(handler) as server, HTTPClient() as client:
        event = await send(client, to_token_endpoint(server.url), deadline=0.3)
        assert isinstance(event, RequestFailed)
        assert event.sent is sent
        assert counts(client) == (0, 0)
        event = await send(client, to_token_endpoint(server.url), timeout=0.3)
        assert isinstance(event, RequestFailed)


@pytest.mark.trio
@pytest.mark.parametrize(
    "request_",
    [
        to_token_endpoint("http://127.0.0.1:9/"),
        to_token_endpoint("nonsense"),
        to_token_endpoint("http://127.0.0.1:9/", headers=(("A", "\r\n"),)),
    ],
)
async def test_what_was_not_sent_is_known(request_: RequestToSend) -> None:
    async with HTTPClient() as client:
        event = await send(client, request_)
        assert isinstance(event, RequestFailed)
        assert not event.sent


@pytest.mark.trio
async def test_an_unknown_outcome_reaches_the_caller() -> None:
    async with serving(stay_silent) as server, HTTPClient() as client:
        oauth = Client(server=Server(issuer=server.url, token_endpoint=server.url), client_id="app")
        with pytest.raises(TransportError) as caught:
            await run(oauth.client_credentials(), client, deadline=0.3)
        assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.trio
async def test_cancellation_passes_through_and_closes_the_connection() -> None:
    async with serving(stay_silent) as server, HTTPClient() as client:
        with trio.move_on_after(0.05) as scope:
            await send(client, to_token_endpoint(server.url))
        assert scope.cancelled_caught
        assert counts(client) == (0, 0)


@pytest.mark.trio
async def test_a_closed_client_is_the_callers_fault() -> None:
    client = HTTPClient()
    await client.aclose()

    with pytest.raises(LocalProtocolError, match="closed") as caught:
        await send(client, to_token_endpoint("http://127.0.0.1:9/"))
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.__context__ is None
    assert issubclass(UnusableClientError, Exception)


@pytest.mark.trio
async def test_waits_and_signatures_are_driven(autojump_clock: MockClock) -> None:
    def step(event: Event, _now: float) -> Any:
        match event:
            case Started():
                return Wait(1000.0, "to see")
            case WaitElapsed():
                return SignatureNeeded(algorithm="ES256", signing_input=b"this")
            case SignatureMade(signature):
                return RequestToSend(endpoint=Endpoint.TOKEN, url="http://a", content=signature)
            case _:
                return Finished(event)

    async def sign(action: SignatureNeeded) -> bytes:
        return action.signing_input

    client = HTTPClient()
    seen: list[Request] = []

    class Double:
        status_code = 201
        headers = None

        def json(self) -> object:
            return {"a": "ä"}

    async def double(request: Request, *, stream: bool) -> Double:
        assert stream
        seen.append(request)
        return Double()

    client.send = double  # type: ignore[method-assign,assignment] # as users do in their tests
    before = autojump_clock.current_time()
    flow: Flow[Event] = Flow(step)
    result = await run(flow, client, sign=sign)

    assert autojump_clock.current_time() - before == 1000
    assert [request.content for request in seen] == [b"this"]
    assert result == ResponseReceived(status=201, headers=(), body=b'{"a": "\\u00e4"}')


@pytest.mark.trio
async def test_a_double_may_be_an_answer_or_look_like_one() -> None:
    assert await received(Response(200, {"A": "b"}, b"c")) == ResponseReceived(
        status=200, headers=(("A", "b"),), body=b"c"
    )

    class Double:
        status_code = 200
        headers = {"A": 1}  # noqa: RUF012 - a double in a test

        def json(self) -> object:
            return []

    assert await received(Double()) == ResponseReceived(
        status=200, headers=(("A", "1"),), body=b"[]"
    )
