"""Answers that do not end, and what is let go of at an end, in every class."""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Callable
from typing import Any

import pytest

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.errors import OAuth2Error, RemoteProtocolError, TransportError
from tests.contract.raw_server import scripted
from tests.contract.scripts import Drip, End, Flood, Script
from tests.interop.sessions import Kind

from .conftest import OVER_HTTPX
from .site import Answer, Site

GOOD = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600}
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Script((OK + b"\r\n", Drip(b" ", for_ever=True))), TransportError),
        (Script((OK + b"\r\n", Flood(b" " * 65_536))), RemoteProtocolError),
        (Script((OK + b"\r\n", b" " * (MAXIMUM_BODY + 1))), RemoteProtocolError),
        (Script((OK + b"Content-Length: 99\r\n\r\n{",), end=End.CUT), TransportError),
    ],
    ids=["drips", "floods", "is too long", "is cut"],
)
def test_an_answer_is_bounded(kind: Kind, script: Script, error: type[OAuth2Error]) -> None:
    drips = any(isinstance(part, Drip) for part in script.parts)
    with scripted(script) as server, kind.session("app") as session:
        session.deadline = 0.2 if drips else 30.0
        with pytest.raises(error):
            session.fetch_token(server.url)
        session.deadline = 30.0
        assert session.fetch_token(server.url)["access_token"] == "honest"


@pytest.mark.parametrize("kind", ["requests", *OVER_HTTPX], indirect=True)
def test_the_child_of_a_fork_goes_on(kind: Kind, site: Site) -> None:
    # Told so in this very process; real forks are in `tests/stores/test_forks.py`.
    endpoint = site.answer("/token", Answer(200, GOOD))
    with kind.plain() as plain:
        tokens = plain.client if kind.portal else plain
        with kind.session("app", token_endpoint=endpoint, token_client=tokens) as session:
            for call in (session.fetch_token, lambda: session.get(f"{site.url}/api")):
                session.after_fork()
                assert call()
    assert len(site.requests) == 2


@pytest.mark.parametrize("kind", OVER_HTTPX, indirect=True)
@pytest.mark.parametrize("raised", [OSError("no socket"), "ReadError", "InvalidURL"], ids=str)
def test_whatever_a_library_raises(kind: Kind, raised: OSError | str) -> None:
    error: Any = raised
    if isinstance(raised, str):
        library = importlib.import_module(kind.plain_class.__module__)
        error = getattr(library, raised)("this is it")

    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error

    with kind.session("app", token_endpoint="https://as.example/token") as session:
        session.send = fail
        with pytest.raises(TransportError) as caught:
            session.fetch_token()
        assert caught.value.cause is error
        del (session.client if kind.portal else session).send


@pytest.mark.parametrize("kind", OVER_HTTPX, indirect=True)
def test_a_hook_that_ends_the_answer(kind: Kind, site: Site) -> None:
    async def aclose(response: Any) -> None:
        await response.aclose()

    hook: Callable[[Any], Any] = (
        (lambda response: response.close()) if kind.portal is None else aclose
    )
    endpoint = site.answer("/token", Answer(200, GOOD))
    hooks = {"response": [hook]}
    with (
        kind.session("app", token_endpoint=endpoint, event_hooks=hooks) as session,
        pytest.raises(RemoteProtocolError),  # nothing is left to read
    ):
        session.fetch_token()


def test_compressed_answers_of_endpoints_are_refused(kind: Kind, site: Site) -> None:
    bomb = gzip.compress(b'{"active":true,"x":"' + b"0" * 3_000_000 + b'"}', mtime=0)
    compressed = Answer(200, bomb, {"Content-Encoding": "gzip"})
    for path in ("/token", "/introspect", "/revoke"):
        site.answer(path, compressed)
    with kind.session("app", token=GOOD, token_endpoint=f"{site.url}/token") as session:
        with pytest.raises(RemoteProtocolError, match="compressed, and nobody asked"):
            session.fetch_token()
        with pytest.raises(RemoteProtocolError, match="compressed, and nobody asked"):
            session.introspect_token(f"{site.url}/introspect")
        # What revocation has to say, the status says.
        assert session.revoke_token(f"{site.url}/revoke").status_code == 200
        assert session.token is None
    assert {each.headers["accept-encoding"] for each in site.requests} == {"identity"}
