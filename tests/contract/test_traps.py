"""What is set on a client of an HTTP library, or around it, does not open what is closed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from oauth2_sansio import Client, OAuth2Error, OAuth2Token, Server

from .certificates import Certified, certify
from .credentials import ACCESS_TOKEN, CLIENT_ID, CODE, CODE_VERIFIER, secrets_in
from .drivers import DRIVERS, Driver, Run, Trust
from .judging import faults
from .observing import Way, observe
from .operations import Operation
from .raw_server import HONEST, scripted
from .row import GOOD, Row
from .rows import ANSWERS, ROWS
from .scripts import End, Script

DROP_IN = [driver for driver in DRIVERS if driver.has_drop_in]
OVER_HTTPX = [driver for driver in DROP_IN if driver.name.startswith("httpx")]
REQUESTS = next(driver for driver in DRIVERS if driver.name == "requests")
ROWS_BY_NAME = {row.name: row for row in (*ROWS, *ANSWERS)}

REDIRECTS = [
    row
    for row in ANSWERS
    if row.name.startswith("a redirect with 30") and row.operation.is_for_a_token
]
NOT_TO_BE_REPEATED = (
    "status 503",
    "status 429",
    "status 408",
    "no answer",
    "a reset after the request",
    "half a status line",
    "a body that is cut",
    "half a chunk",
    "silence",
    "Retry-After: '5', status 503",
)


def check(driver: Driver, row: Row, way: Way, prepare: Callable[[Any], object]) -> None:
    seen = observe(driver, row, way, prepare=prepare)
    assert faults(row, seen, driver) == []
    assert seen.asked == 1


def following(client: Any) -> None:
    """Let a client follow redirects."""
    client.follow_redirects = True
    client.max_redirects = 9


@pytest.mark.parametrize("driver", [REQUESTS, *OVER_HTTPX], ids=str)
@pytest.mark.parametrize("way", Way)
def test_a_client_that_follows_redirects_follows_none_here(driver: Driver, way: Way) -> None:
    for row in REDIRECTS[::9]:
        check(driver, row, way, following)


def retrying(session: Any) -> None:
    """Mount whatever retries there are on a session of requests."""
    retries = Retry(
        4,
        allowed_methods=None,
        status_forcelist=range(200, 600),
        respect_retry_after_header=True,
        backoff_factor=0,
    )
    session.mount("http://", HTTPAdapter(max_retries=retries))


@pytest.mark.parametrize("name", NOT_TO_BE_REPEATED)
@pytest.mark.parametrize("way", Way)
def test_retries_mounted_on_a_session_repeat_nothing(name: str, way: Way) -> None:
    check(REQUESTS, ROWS_BY_NAME[name], way, retrying)


def test_they_repeat_what_is_the_users_own() -> None:
    statuses: list[int] = []

    async def story(run: Run) -> None:
        retrying(run.client)
        run.client.mount("http://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[503])))
        run.client.token = {"access_token": "a"}
        statuses.append(run.client.get(server.url).status_code)

    answer = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
    with scripted(Script((answer,), end=End.KEEP)) as server:
        REQUESTS.tell(story)
    assert statuses == [200]
    assert len(server.requests) == 2


def test_an_attempt_to_connect_may_be_repeated() -> None:
    # The adapter that counts is one that nothing was taken from.
    adapters: list[Any] = []

    async def story(run: Run) -> None:
        retrying(run.client)
        before = run.client.get_adapter(server.url)
        await run(Operation.REDEEM.flow(server.url))
        after = run.client.get_adapter(server.url)
        adapters.extend((before, after, after.max_retries.total))

    with scripted(Script((GOOD,), end=End.KEEP)) as server:
        REQUESTS.tell(story)
    assert adapters[0] is adapters[1]
    assert adapters[2] == 4


@pytest.mark.parametrize("driver", DROP_IN, ids=str)
def test_a_password_that_is_set_on_a_client_is_not_for_endpoints(driver: Driver) -> None:
    async def story(run: Run) -> None:
        run.client.auth = ("user", "password")
        public = Client(server=Server(token_endpoint=server.url), client_id=CLIENT_ID)
        await run(public.refresh("a-refresh-token"))

    with scripted(Script((GOOD,), end=End.KEEP)) as server:
        driver.tell(story)
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("driver", DROP_IN, ids=str)
def test_a_cookie_of_an_endpoint_is_not_kept(driver: Driver) -> None:
    answer = GOOD.replace(b"\r\n", b"\r\nSet-Cookie: its=own; Path=/\r\n", 1)

    async def story(run: Run) -> None:
        if driver.name != "trio-h11":  # which has no cookies at all
            run.client.cookies.set("the-users", "own")
        name, arguments = Operation.REDEEM.call()
        await run.call(name, server.url, **arguments)
        await run.call("get", server.url)
        if driver.name != "trio-h11":
            assert "its" not in run.client.cookies

    with scripted(Script((answer,), end=End.KEEP)) as server:
        driver.tell(story)
    assert len(server.requests) == 2
    for request in server.requests:
        assert b"its=own" not in request
        assert (b"the-users=own" in request) is (driver.name != "trio-h11")


@pytest.mark.parametrize("way", Way)
def test_cookies_of_the_users_own_requests_are_kept(way: Way) -> None:
    del way
    answer = GOOD.replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1)
    for driver in OVER_HTTPX:
        kept: list[str] = []

        async def story(run: Run, kept: list[str] = kept) -> None:
            run.client.token = OAuth2Token(access_token="a")
            await run.call("get", server.url)
            kept.append(run.client.cookies["a"])
            run.client.cookies = {"c": "d"}
            kept.append(run.client.cookies["c"])

        with scripted(Script((answer,), end=End.KEEP)) as server:
            driver.tell(story)
        assert kept == ["b", "d"]


# Proxies of the environment: who obeys them, and what the proxy gets to see.


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def through(url: str) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, url.removesuffix("/token"))

    return through


OBEYING = [driver.name for driver in DRIVERS if driver.name not in ("urllib", "trio-h11")]


def test_a_proxy_of_the_environment_is_obeyed_where_the_library_does(
    driver: Driver, proxied: Callable[[str], None]
) -> None:
    async def story(run: Run) -> None:
        token = await run(Operation.REDEEM.flow(server.url))
        assert token["access_token"] == ACCESS_TOKEN

    with (
        scripted(Script((GOOD,), end=End.KEEP)) as proxy,
        scripted(Script((GOOD,), end=End.KEEP)) as server,
    ):
        proxied(proxy.url)
        driver.tell(story)
    asked, other = (proxy, server) if driver.name in OBEYING else (server, proxy)
    assert (len(asked.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize("driver", [REQUESTS, *OVER_HTTPX], ids=str)
def test_so_it_is_not_where_the_client_is_told_so(
    driver: Driver, proxied: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    async def story(run: Run) -> None:
        await run(Operation.REDEEM.flow(server.url))

    with (
        scripted(Script((GOOD,), end=End.KEEP)) as proxy,
        scripted(Script((GOOD,), end=End.KEEP)) as server,
    ):
        proxied(proxy.url)
        driver.tell(story)
    assert (len(server.requests), len(proxy.requests)) == (1, 0)


@pytest.mark.parametrize("driver", [REQUESTS, *OVER_HTTPX], ids=str)
def test_with_tls_a_proxy_sees_no_secret(driver: Driver, proxied: Callable[[str], None]) -> None:
    errors: list[OAuth2Error] = []

    async def story(run: Run) -> None:
        with pytest.raises(OAuth2Error) as caught:
            await run(Operation.REDEEM.flow("https://server.example/token"))
        errors.append(caught.value)

    refusal = b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"
    with scripted(Script((refusal,))) as proxy:
        proxied(proxy.url)
        driver.tell(story)
    assert proxy.requests
    for request in proxy.requests:
        assert request.startswith(b"CONNECT server.example:443 ")
        assert secrets_in(request.decode("latin-1")) == []
    assert secrets_in(str(errors[0])) == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_the_environment_does_not_replace_what_is_set_on_a_session(
    variable: str, certified: Certified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = certify(tmp_path)

    def fetch(trust: Trust) -> None:
        async def story(run: Run) -> None:
            name, arguments = Operation.REDEEM.call()
            await run.call(name, server.url, **arguments)

        with scripted(Script((HONEST,)), ssl_context=certified.server) as server:
            REQUESTS.tell(story, trust=trust)

    monkeypatch.setenv(variable, other.trust.path)
    fetch(certified.trust)
    monkeypatch.setenv(variable, certified.trust.path)
    with pytest.raises(OAuth2Error):
        fetch(other.trust)


@pytest.mark.parametrize("driver", OVER_HTTPX, ids=str)
def test_hooks_of_events_see_what_is_sent(driver: Driver) -> None:
    """They are the user's, and documented: whoever sets one gets the secrets, and keeps them."""
    bodies: list[bytes] = []

    async def story(run: Run) -> None:
        async def look(request: Any) -> None:
            bodies.append(request.content)

        def look_at_once(request: Any) -> None:
            bodies.append(request.content)

        hook = look if driver.loop is not None else look_at_once
        run.client.event_hooks = {"request": [hook]}
        await run(Operation.REDEEM.flow(server.url))

    with scripted(Script((GOOD,), end=End.KEEP)) as server:
        driver.tell(story)
    (body,) = bodies
    assert CODE.encode() in body
    assert CODE_VERIFIER.encode() in body


def test_every_row_that_is_named_is_there() -> None:
    assert replace(ROWS_BY_NAME["status 503"]).name == "status 503"
    assert len(REDIRECTS) > 50
