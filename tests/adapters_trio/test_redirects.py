from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from oauth2_sansio_trio import (
    DeadlineExceeded,
    Headers,
    HTTPClient,
    RedirectError,
    Request,
    Response,
)
from oauth2_sansio_trio.redirects import MOST_REDIRECTS, redirected

from .test_http_client import pieces_of
from .world import OK, Server, Stream, answering, counts, serving

SECRETS = {
    "Authorization": "Bearer s3cret",
    "Cookie": "a=s3cret",
    "Proxy-Authorization": "x",
    "Content-Type": "text/plain",
    "Host": "other.example",
    "X": "y",
}


def request(method: str = "GET", url: str = "https://a.example/x?q=1", **more: Any) -> Request:
    return Request(method=method, url=url, headers=Headers(SECRETS), **more)


def answer(status: int, location: str) -> Response:
    return Response(status, {"Location": location})


@pytest.mark.parametrize(
    ("method", "status", "following"),
    [
        ("GET", 301, "GET"),
        ("HEAD", 302, "HEAD"),
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("PUT", 302, "PUT"),
        ("POST", 303, "GET"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("POST", 307, "POST"),
        ("DELETE", 308, "DELETE"),
    ],
)
def test_the_method_that_follows(method: str, status: int, following: str) -> None:
    found = redirected(request(method, content=b"body"), answer(status, "../y"))

    assert found is not None
    assert (found.method, found.url) == (following, "https://a.example/y")
    kept = method == following
    assert found.content == (b"body" if kept else None)
    assert ("content-type" in found.headers) is kept
    assert found.headers["authorization"] == "Bearer s3cret"
    assert "host" not in found.headers


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://a.example/", "https://b.example/"),
        ("https://a.example/", "//b.example/"),
        ("https://a.example/", "https://a.example:444/"),
        ("http://a.example/", "https://a.example/"),
    ],
)
def test_credentials_do_not_go_to_another_origin(url: str, location: str) -> None:
    found = redirected(request(url=url), answer(307, location))

    assert found is not None
    assert dict(found.headers) == {"content-type": "text/plain", "x": "y"}


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("http://a.example/", "from https to http"),
        ("javascript:alert(1)", "no http or https URL"),
        ("https://[", "no http or https URL"),
        ("https://user:s3cret@b.example/", "no http or https URL"),
        ("", ""),
    ],
)
def test_where_no_request_should_follow(location: str, text: str) -> None:
    if not location:
        found = redirected(request(), answer(302, location))
        assert found is not None
        assert found.url == request().url
        return
    with pytest.raises(RedirectError, match=text) as caught:
        redirected(request(), answer(302, location))
    assert "s3cret" not in str(caught.value)


def test_a_streamed_body_cannot_follow() -> None:
    streamed = request("PUT", content=pieces_of(b"x"))

    with pytest.raises(RedirectError, match="streamed"):
        redirected(streamed, answer(307, "/"))
    assert redirected(streamed, answer(303, "/")) is not None


@pytest.mark.parametrize("response", [Response(302), answer(200, "/"), answer(304, "/")])
def test_what_is_no_redirect(response: Response) -> None:
    assert redirected(request(), response) is None


def moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.trio
async def test_a_redirect_is_an_answer_unless_it_is_followed() -> None:
    async with serving(answering(moved("/a"), moved("/a"), OK)) as server, HTTPClient() as client:
        assert (await client.post(server.url)).status_code == 302
        response = await client.post(server.url, data={"a": "1"}, follow_redirects=True, deadline=9)
        assert response.content == b"ok"
        assert response.url == f"{server.url}/a"
        assert counts(client) == (1, 1)
    lines = [sent.split(b"\r\n")[0] for sent in server.requests]
    assert lines == [b"POST / HTTP/1.1", b"POST / HTTP/1.1", b"GET /a HTTP/1.1"]


@pytest.mark.trio
async def test_a_stream_follows_too_and_closes_what_it_does_not_follow() -> None:
    handler = answering(moved("/a"), moved("ftp://b/"))
    async with serving(handler) as server, HTTPClient() as client:
        with pytest.raises(RedirectError, match="no http"):
            async with client.stream("GET", server.url, follow_redirects=True):
                raise AssertionError
        assert counts(client) == (0, 0)
    assert len(server.requests) == 2
    assert server.connections == 1


@pytest.mark.trio
async def test_circles_have_an_end() -> None:
    answers = [moved("/")] * (MOST_REDIRECTS + 5)
    async with serving(answering(*answers)) as server, HTTPClient() as client:
        with pytest.raises(RedirectError, match="more than 20"):
            await client.get(server.url, follow_redirects=True)
        assert counts(client) == (1, 1)
    assert len(server.requests) == MOST_REDIRECTS + 1


@pytest.mark.trio
async def test_no_redirect_is_followed_after_the_deadline(autojump_clock: MockClock) -> None:
    asked: list[float | None] = []

    class Slow(HTTPClient):
        async def send(self, request: Request, *, stream: bool = False) -> Response:
            asked.append(request.deadline)
            await trio.sleep(2)
            return Response(302, {"Location": "/"}, request=request)

    async with Slow() as client:
        with pytest.raises(DeadlineExceeded, match="longer than 5 seconds") as caught:
            await client.get("http://a.example", follow_redirects=True, deadline=5)
    assert caught.value.sent
    assert asked == [5, 3, 1]
    assert autojump_clock.autojump_threshold == 0


@pytest.mark.trio
async def test_the_deadline_covers_all_redirects() -> None:
    async def slowly(server: Server, stream: Stream) -> None:
        while await server.read_request(stream) is not None:
            await trio.sleep(0.03)
            await stream.send_all(moved("/"))

    async with serving(slowly) as server, HTTPClient() as client:
        with pytest.raises(DeadlineExceeded):
            await client.get(server.url, follow_redirects=True, deadline=0.1)
        assert counts(client) == (0, 0)
    assert len(server.requests) <= 4
