"""A server on loopback that notes what it gets, and answers by path as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN: dict[str, Any] = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600}


@dataclass(frozen=True)
class Answer:
    """One answer. What is no text becomes JSON, and None no body at all."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def content(self) -> bytes:
        match self.body:
            case None:
                return b""
            case str():
                return self.body.encode()
            case _:
                return json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    """One request as it was on the wire. Names of headers are in small letters."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        values = [value for each, value in self.headers if each == name]
        return ", ".join(values) if values else None


STANDARD: Mapping[str, Answer] = {
    "/token": Answer(TOKEN),
    "/revoke": Answer(),
    "/introspect": Answer({"active": True}),
    "/api": Answer({"ok": True}),
}


class Recorder:
    """What was received, and what is answered: the last answer for a path stays."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.before_answer: Callable[[Received], None] = _do_nothing
        self._answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()

    def begin(
        self,
        answers: Mapping[str, tuple[Answer, ...]],
        before_answer: Callable[[Received], None] | None = None,
    ) -> None:
        """Forget what was received, and answer by these; by `STANDARD` where there is none."""
        with self._lock:
            self.received = []
            self._answers = {path: [answer] for path, answer in STANDARD.items()}
            self._answers |= {path: list(given) for path, given in answers.items()}
            self.before_answer = before_answer or _do_nothing

    def answer(self, request: Received) -> Answer:
        with self._lock:
            self.received.append(request)
            answers = self._answers.get(request.path, [Answer("not found", 404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.before_answer(request)
        return answer


@contextmanager
def recording() -> Iterator[Recorder]:
    """Serve on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def parse_request(self) -> bool:
            parsed = super().parse_request()
            if parsed:  # whatever the method
                setattr(self, f"do_{self.command}", self._respond)
            return parsed

        def _respond(self) -> None:
            request = Received(
                method=self.command,
                target=self.path,
                headers=tuple((name.lower(), value) for name, value in self.headers.items()),
                body=self._body(),
            )
            answer = recorder.answer(request)
            content = b"" if self.command == "HEAD" else answer.content()
            lines = [
                f"HTTP/1.1 {answer.status} As Told",
                *(f"{name}: {value}" for name, value in answer.headers.items()),
                f"Content-Length: {len(content)}",
            ]
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + content)  # in one piece

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
        recorder.begin({})
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()


def _do_nothing(_request: Received) -> None:
    pass
