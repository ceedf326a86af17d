"""A server that notes what comes, and answers as it was told to."""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """An answer.

    body: bytes; all else becomes JSON.
    """

    status: int
    body: Any = b""
    headers: Mapping[str, str] | None = None

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Seen:
    """A request as it came.

    headers: by their names in lower case; what repeats is joined.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> Pairs:
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    @property
    def query(self) -> Pairs:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def text(self) -> str:
        """All of it, to look for what must not be there."""
        return repr((self.target, self.headers, self.body))


class Site(ThreadingHTTPServer):
    """The server; `answers` are by path, and the last one of a path stays."""

    daemon_threads = False  # so that its end waits for each

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.begin_anew()

    def begin_anew(self) -> None:
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.requests: list[Seen] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, *answers: Answer) -> str:
        """Answer so at a path; return its URL."""
        self.answers[path] = list(answers)
        return self.url + path

    def seen(self, path: str) -> list[Seen]:
        return [each for each in self.requests if urlsplit(each.target).path == path]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # the client has hung up
            super().handle_error(request, client_address)

    def next_answer(self, seen: Seen) -> Answer:
        self.requests.append(seen)
        answers = self.answers[urlsplit(seen.target).path]
        if len(answers) > 1:
            return answers.pop(0)
        return answers[0] if answers else Answer(200, {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def _serve(self) -> None:
        fields: dict[str, str] = {}
        for name, value in self.headers.items():
            known = fields.get(name.lower())
            fields[name.lower()] = value if known is None else f"{known}, {value}"
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(fields.get("content-length", "0")))
        answer = self.server.next_answer(Seen(self.command, self.path, fields, body))
        self.send_response(answer.status)
        for name, value in (answer.headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        # Each connection serves one request: then nothing has to be waited for at the end.
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Site]:
    """Serve until the block ends; what has come is in `requests` then."""
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()
