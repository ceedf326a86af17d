"""A request goes out as it stands, and every response comes back as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived

from .certificates import Certified
from .drivers import Driver, Run, Trust
from .raw_server import RawServer, scripted
from .scripts import End, Script
from .spying import sending

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# What frames a message, and what an HTTP library says of itself.
ADDED = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"}
)

# requests writes letters that need no escape without one, which says the same (RFC 3986 section
# 6.2.2), also where a server may take what comes of it for a step upwards.
SPELT_OTHERWISE = {
    ("requests", "a query"): "/token?a=A%2F&b=%20+;/?:@!$'()*,~&&=",
    ("requests", "odd segments"): "/a//b/;c/../~/~/'()/",
}

FORM = "application/x-www-form-urlencoded"
REQUESTS = {
    "a form": RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="/token",
        headers=(("Content-Type", FORM), ("Authorization", "Basic YTpi"), ("Accept", "a/b")),
        form=(("a", "1"), ("a", "2 +&=%"), ("ü", "\N{SNOWMAN}")),
    ),
    "a query": RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="/token?a=%41%2f&b=%20+;/?:@!$'()*,~&&=",
        headers=(("Content-Type", FORM),),
        form=(("a", "1"),),
    ),
    "odd segments": RequestToSend(
        endpoint=Endpoint.METADATA, method="GET", url="/a//b/;c/%2e%2E/%7e/~/'()/", headers=()
    ),
    "bytes": RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="/",
        headers=(("Content-Type", "application/octet-stream"), ("X-Odd", 'a,  b; "c\\d" (e)\tf')),
        content=bytes(range(256)),
    ),
    "no body": RequestToSend(endpoint=Endpoint.METADATA, method="GET", url="/", headers=()),
    "an empty body": RequestToSend(endpoint=Endpoint.REVOCATION, url="/", headers=()),
    "a bearer token": RequestToSend(
        endpoint=Endpoint.USERINFO, method="GET", url="/", headers=(("Authorization", "Bearer a"),)
    ),
    "its own agent": RequestToSend(
        endpoint=Endpoint.TOKEN,
        url="/",
        headers=(("User-Agent", "me/1"), ("Content-Type", FORM)),
        content=b"a=b",
    ),
    "a long body": RequestToSend(
        endpoint=Endpoint.TOKEN, url="/", headers=(("Content-Type", FORM),), content=b"a" * 300_000
    ),
    "DELETE": RequestToSend(endpoint=Endpoint.REGISTRATION, method="DELETE", url="/", headers=()),
    "PUT": RequestToSend(
        endpoint=Endpoint.REGISTRATION,
        method="PUT",
        url="/",
        headers=(("Content-Type", "application/json"),),
        content=b"{}",
    ),
}


def at(server: RawServer, request: RequestToSend) -> RequestToSend:
    return replace(request, url=server.url.removesuffix("/token") + request.url)


def tell(
    driver: Driver, server: RawServer, *requests: RequestToSend, trust: Trust | None = None
) -> list[ResponseReceived]:
    """Send requests through one client, one after the other."""
    responses: list[ResponseReceived] = []

    async def story(run: Run) -> None:
        for request in requests:
            responses.append(await run(sending(at(server, request))))  # noqa: PERF401 - a coroutine

    driver.tell(story, trust=trust)
    return responses


def seen(request: bytes) -> tuple[bytes, list[tuple[str, str]], bytes]:
    """Return the request line, the headers and the body of what came over the wire."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    pairs = [tuple(each.decode("latin-1").split(":", 1)) for each in lines]
    return line, [(name.lower(), value.strip(" ")) for name, value in pairs], body


def check(server: RawServer, request: RequestToSend, target: str) -> None:
    line, headers, body = seen(server.requests[0])
    assert line == f"{request.method} {target} HTTP/1.1".encode()
    assert body == request.body
    given = [(name.lower(), value) for name, value in request.headers]
    names = {name for name, _ in given}
    assert sorted(pair for pair in headers if pair[0] in names) == sorted(given)
    assert {name for name, _ in headers} - names <= ADDED
    found = dict(headers)
    assert len(found) == len(headers)
    assert found["host"] == server.url.split("/")[2]
    assert found["accept-encoding"] == "identity"
    if body:
        assert found["content-length"] == str(len(body))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_out_as_it_stands(driver: Driver, name: str) -> None:
    with scripted(Script((OK,), end=End.KEEP)) as server:
        (response,) = tell(driver, server, REQUESTS[name])
        assert (response.status, response.body) == (200, b"ok")
        target = SPELT_OTHERWISE.get((driver.name, name), REQUESTS[name].url)
        check(server, REQUESTS[name], target)


def test_so_it_does_over_tls(driver: Driver, certified: Certified) -> None:
    with scripted(Script((OK,), end=End.KEEP), ssl_context=certified.server) as server:
        tell(driver, server, REQUESTS["a form"], trust=certified.trust)
        check(server, REQUESTS["a form"], "/token")


def test_no_password_comes_from_a_netrc_file(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("default login s3cret password s3cret\n", encoding="ascii")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with scripted(Script((OK,), end=End.KEEP)) as server:
        tell(driver, server, REQUESTS["a form"], REQUESTS["no body"])
    first, second = (dict(seen(request)[1]) for request in server.requests)
    assert first["authorization"] == "Basic YTpi"
    assert "authorization" not in second


def test_no_cookie_of_an_earlier_answer_is_sent(driver: Driver) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n")
    with scripted(Script((answer,), end=End.KEEP)) as server:
        tell(driver, server, REQUESTS["a form"], REQUESTS["a form"])
    first, second = (dict(seen(request)[1]) for request in server.requests)
    assert "cookie" not in first
    assert "cookie" not in second


@pytest.mark.parametrize(
    "status", [200, 204, 299, 302, 308, 400, 401, 404, 407, 429, 500, 503, 599]
)
@pytest.mark.parametrize("reason", [b"", b" ", b" Odd ( \xe4\xff ) reason", b" 200 OK"])
def test_every_response_is_reported_as_it_is(driver: Driver, status: int, reason: bytes) -> None:
    body = b"" if status == 204 else b"\0\xff body"
    head = b"HTTP/1.1 %d%b\r\nX-A: 1\r\nX-B:\r\nX-A: 2, 3\r\nLocation: /elsewhere\r\n" % (
        status,
        reason,
    )
    framing = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
    with scripted(Script((head + framing + b"\r\n" + body,), end=End.KEEP)) as server:
        (response,) = tell(driver, server, REQUESTS["a form"])
    assert (response.status, response.body) == (status, body)
    assert response.header("location") == "/elsewhere"
    assert response.header("x-b") == ""
    assert ", ".join(response.header_values("x-a")) == "1, 2, 3"
    assert len(server.requests) == 1
