"""What the few lines of each stack keep of the driver's contract."""

from __future__ import annotations

import asyncio
import inspect
import runpy
import socket
from collections.abc import Callable
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    OAuth2Error,
    OAuth2Token,
    Server,
    TransportError,
)
from tests.contract.credentials import ACCESS_TOKEN
from tests.contract.raw_server import scripted
from tests.contract.rows import ROWS

from .test_examples import EXAMPLES, STACKS, need

SCRIPTS = {row.name: row.script for row in ROWS}

GOOD = ("with a length", "in chunks", "until the end of the connection", "after 100 Continue")
REFUSED = (
    *(f"a redirect with {status}" for status in (301, 302, 303, 307, 308)),
    "status 401 that asks for a password",
    "status 503",
    "status 204",
    "not JSON",
    "one byte too long",
    "a body without end",
    "chunks without end",
    "a length of terabytes",
    "a bomb of gzip",
    "a bomb of deflate",
    "gzip that is good",
)
FAILED = ("no answer", "half a status line", "HTTP/0.9", "headers without end", "half a chunk")


@pytest.fixture(params=STACKS)
def fetch(request: pytest.FixtureRequest) -> Callable[[str], OAuth2Token]:
    """Return what gets a token with one of the stacks, given the URL of the token endpoint."""
    need(f"stack_{request.param}")
    run: Any = runpy.run_path(str(EXAMPLES / f"stack_{request.param}.py"))["run"]

    def fetch_at(url: str) -> OAuth2Token:
        client = Client(server=Server(token_endpoint=url), client_id="app", client_secret="s3cret")
        found = run(client.client_credentials())
        token = asyncio.run(found) if inspect.iscoroutine(found) else found
        assert isinstance(token, OAuth2Token)
        return token

    return fetch_at


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer(fetch: Callable[[str], OAuth2Token], name: str) -> None:
    with scripted(SCRIPTS[name]) as server:
        assert fetch(server.url)["access_token"] == ACCESS_TOKEN
    (request,) = server.requests
    head = request.lower().split(b"\r\n")
    assert b"accept-encoding: identity" in head
    assert b"authorization: basic yxbwonmzy3jlda==" in head
    assert request.endswith(b"\r\n\r\ngrant_type=client_credentials")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, OAuth2Error) for name in REFUSED] + [(name, TransportError) for name in FAILED],
)
def test_a_hostile_one(
    fetch: Callable[[str], OAuth2Token], name: str, kind: type[OAuth2Error]
) -> None:
    with scripted(SCRIPTS[name]) as server:
        with pytest.raises(kind) as caught:
            fetch(server.url)
        assert "s3cret" not in str(caught.value)
    assert len(server.requests) == 1


def test_a_refused_connection(fetch: Callable[[str], OAuth2Token]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportError):
        fetch(f"http://127.0.0.1:{port}/token")
