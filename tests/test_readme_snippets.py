"""What the README and the pages of docs/ show is what happens.

A block of Python behind the line `<!-- runs -->` is run, one after the other on a page, in one
namespace. They find there what a reader would bring along (see `_reader`), and talk to a testing
server on this machine, which is also at `https://api.example`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import urllib3

from oauth2_sansio.backchannel import CIBA
from oauth2_sansio.client import Client
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.dpop import new_private_key
from oauth2_sansio.driving import drive
from oauth2_sansio.events import Endpoint
from oauth2_sansio.server import Server
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

_RUNS = re.compile(r"^<!-- runs -->\n+```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
_DEMO = re.compile(
    r"^```(?:text)?\n(oauth2_sansio demo over .*?)^```$", flags=re.DOTALL | re.MULTILINE
)
_SECRET = "a secret"


def _build(issuer: str) -> AuthorizationServer:
    app = RegisteredClient(
        client_id="app",
        client_secret=_SECRET,
        redirect_uris=("https://app.example/cb",),
        grant_types=(
            "authorization_code",
            "client_credentials",
            DEVICE_CODE,
            CIBA,
            TOKEN_EXCHANGE,
        ),
        scope="read",
    )
    settings = ServerSettings(polling_interval=0.01, signing_key=new_private_key())
    return AuthorizationServer(issuer=issuer, clients=[app], settings=settings, now=time.time)


@contextmanager
def _reader() -> Generator[Callable[[], dict[str, object]], None, None]:
    """Give what makes all that a reader brings along: names that blocks use, unexplained."""
    with serve(_build) as server, urllib3.PoolManager() as http:
        sender = UrllibSender()
        client = Client(
            server=drive(Server.discover(server.issuer), sender.send, time.sleep, time.time),
            client_id="app",
            client_secret=_SECRET,
        )
        brought: dict[str, object] = {
            "__name__": "__main__",
            "api": server.url(Endpoint.RESOURCE),
            "client": client,
            "http": http,
            "issuer": server.issuer,
            "now": time.time,
            "save": lambda _token, **_replaced: None,
            "secret": _SECRET,
            "send": sender.send,
            "sleep": time.sleep,
            "time": time,
            "url": server.url(Endpoint.TOKEN),
            "visit": server.visit,
        }
        yield lambda: {**brought, "flow": client.client_credentials()}  # a flow runs once


def _run(text: str, page: str) -> int:
    """Run the blocks of a page that are marked, and return how many there are."""
    blocks = list(_RUNS.finditer(text))
    names: dict[str, object] = {}
    with _reader() as bring:
        try:
            for block in blocks:
                names |= bring()
                code = block[1].replace("https://api.example", str(names["api"]))
                # With the line numbers of the page, for the traceback.
                lines_before = text.count("\n", 0, block.start(1))
                exec(compile("\n" * lines_before + code, page, "exec"), names)
        finally:
            session = names.get("session")
            if isinstance(session, requests.Session):
                session.close()
    return len(blocks)


def _without_numbers(printed: str) -> str:
    return re.sub(r"(127\.0\.0\.1:)\d+", r"\1N", printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_marked_blocks_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert _run(text, str(page)) == text.count("<!-- runs -->"), "a mark stands before no block"


def test_a_block_that_fails_is_noticed_with_its_line() -> None:
    page = "# Title\n\n<!-- runs -->\n```python\na = 1\n```\n\n<!-- runs -->\n\n```python\n\na / 0\n```\n"
    with pytest.raises(ZeroDivisionError) as failed:
        _run(page, "page.md")
    assert failed.traceback[-1].lineno == 12 - 1  # pytest counts from 0


def test_a_block_without_the_mark_does_not_run() -> None:
    assert _run("```python\n1 / 0\n```\n\n<!-- runs -->\n```sh\nfalse\n```\n", "page.md") == 0


def test_blocks_find_what_they_need() -> None:
    page = """
<!-- runs -->
```python
from oauth2_sansio import authorization_header, drive

token = drive(flow, send, sleep, now)
```

<!-- runs -->
```python
answer = http.request(
    "GET", "https://api.example/items", headers={"Authorization": authorization_header(token)}
)
assert answer.status == 200
```
"""
    assert _run(page, "page.md") == 2


def test_the_demo_prints_what_the_readme_says() -> None:
    shown = _DEMO.findall(README.read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "oauth2_sansio", "demo"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert [_without_numbers(block) for block in shown] == [_without_numbers(done.stdout)]
