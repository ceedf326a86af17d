"""What a row of calls has come to on one side, in a form that can be compared with the other's."""

from __future__ import annotations

import json
import re
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .recorder import Received, Recorder
from .row import Row, State
from .sides import Side, done


class Aspect(Enum):
    """What is compared of a row."""

    REQUESTS = "how many requests were sent"
    METHOD = "their methods"
    PATH = "their paths"
    QUERY = "their queries as parsed"
    QUERY_BYTES = "their queries as bytes"
    AUTHORIZATION = "Authorization"
    ACCEPT = "Accept"
    CONTENT_TYPE = "Content-Type"
    CHARSET = "the charset of Content-Type"
    FRAMING = "Content-Length and Transfer-Encoding"
    CODING = "whether they ask for no content coding"
    CONNECTION = "whether they end the connection"
    OTHER_HEADERS = "cookies and headers of the caller"
    FORM = "their bodies as parsed"
    BODY_BYTES = "their bodies as bytes"
    RETURNED = "what the calls returned"
    RAISED = "the class of the exception"
    ERROR = "its code"
    DESCRIPTION = "its description"
    STATUS = "its status"
    TOKEN = "the token afterwards"
    STATE = "the state that a callback has to carry, afterwards"
    METADATA = "the metadata afterwards"
    NOTED = "what hooks and other functions of the caller were given"


@dataclass
class Seen:
    """One side of a row."""

    requests: list[Received] = field(default_factory=list[Received])
    returned: list[Any] = field(default_factory=list[Any])
    raised: list[str] = field(default_factory=list[str])
    error: list[Any] = field(default_factory=lambda: [None, None, None])
    token: Any = None
    state: Any = None
    metadata: Any = None
    noted: Any = None

    def aspects(self) -> dict[Aspect, Any]:
        """Return what is compared."""
        values = {
            Aspect.REQUESTS: [request.path for request in self.requests],
            Aspect.RETURNED: self.returned,
            Aspect.RAISED: self.raised,
            Aspect.ERROR: self.error[0],
            Aspect.DESCRIPTION: self.error[1],
            Aspect.STATUS: self.error[2],
            Aspect.TOKEN: self.token,
            Aspect.STATE: self.state,
            Aspect.METADATA: self.metadata,
            Aspect.NOTED: self.noted,
        }
        for aspect, read in _OF_A_REQUEST.items():
            values[aspect] = [read(request) for request in self.requests]
        return values


def differing(theirs: Seen, ours: Seen) -> dict[Aspect, tuple[Any, Any]]:
    """Return the aspects in which two sides differ. Where not the same number of requests was sent,
    they are not compared one by one.
    """
    left, right = theirs.aspects(), ours.aspects()
    found = {each: (left[each], right[each]) for each in Aspect if left[each] != right[each]}
    if Aspect.ERROR in found or theirs.error[1] is None or ours.error[2] is None:
        found.pop(Aspect.DESCRIPTION, None)  # the texts of errors of one's own are one's own
    if len(theirs.requests) != len(ours.requests):
        return {each: pair for each, pair in found.items() if each not in _OF_A_REQUEST}
    # What differs as parsed differs as bytes, too.
    for parsed, raw in ((Aspect.QUERY, Aspect.QUERY_BYTES), (Aspect.FORM, Aspect.BODY_BYTES)):
        if parsed in found:
            found.pop(raw, None)
    return found


def observe(row: Row, side: Side, recorder: Recorder) -> Seen:
    """Do all steps of a row on one side; an exception ends them."""
    seen = Seen()
    row_state = State(side, recorder)
    recorder.begin(row.answers, row_state.before_answer)

    async def story() -> None:
        try:
            client = row_state.client = row.build(row_state)
        except Exception as error:  # noqa: BLE001 - it is what is compared
            _note_error(seen, error, side)
            return
        try:
            for step in row.steps:
                result = await done(step.take(row_state))
                seen.returned.append(_plain(result))
        except Exception as error:  # noqa: BLE001 - it is what is compared
            _note_error(seen, error, side)
        seen.token = _plain(getattr(client, "token", None))
        seen.state = _placeholder(getattr(client, "state", None))
        seen.metadata = _metadata(client)
        seen.noted = [_plain(each) for each in row_state.noted]
        await side.close(client)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether they warn is for each library's own tests
        side.run(story)
    seen.requests = list(recorder.received)
    return seen


def _note_error(seen: Seen, error: Exception, side: Side) -> None:
    of_http = [name for name in side.http_errors if isinstance(error, getattr(side.http, name))]
    if not isinstance(error, side.error_class):
        seen.raised = (of_http or [type(error).__name__])[:1]
        seen.error = [getattr(error, "error", None), None, None]
        return
    seen.raised = ["OAuthError", *of_http[:1]]
    seen.error = [getattr(error, name, None) or None for name in ("error", "description", "status")]


def _metadata(client: Any) -> dict[str, Any] | None:
    metadata = getattr(client, "metadata", None)
    return None if metadata is None else dict(metadata)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            plain = {name: _plain(each) for name, each in value.items()}
            return _without_clock(plain)
        case tuple() | list():
            return [_plain(each) for each in value]
        case str():
            return _plain_text(value)
        case _ if hasattr(value, "status_code"):
            return {"status": value.status_code, "text": value.text}
        case None | bool() | int() | float() | bytes():
            return value
        case _:
            return type(value).__name__


def _without_clock(token: dict[str, Any]) -> dict[str, Any]:
    end = token.get("expires_at")
    for lifetime in (3600, 60, 0):
        if isinstance(end, int) and 0 <= time.time() + lifetime - end < 30:
            token["expires_at"] = f"after {lifetime} seconds"
    return token


def _plain_text(text: str) -> Any:
    if not text.startswith(("http://", "https://")) or "?" not in text:
        return _placeholder(text)
    split = urlsplit(text)
    query = [(name, _placeholder(value)) for name, value in parse_qsl(split.query, True)]
    return {"url": split._replace(query="").geturl(), "query": sorted(query)}


_GENERATED = re.compile(r"[A-Za-z0-9_-]{30,128}")


def _placeholder(value: Any) -> Any:
    return "(random)" if isinstance(value, str) and _GENERATED.fullmatch(value) else value


_JWT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLAIMS_OF_THE_MOMENT = ("iat", "exp", "jti")


def _form(request: Received) -> Any:
    if "form" not in (request.header("content-type") or ""):
        return request.body
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    return sorted((name, _jwt(value)) for name, value in pairs)


def _jwt(value: str) -> str:
    if not _JWT.fullmatch(value.encode()):
        return str(_placeholder(value))
    header, claims = (_decoded(part) for part in value.split(".")[:2])
    lifetime = claims["exp"] - claims["iat"]
    shown = {
        name: "..." if name in _CLAIMS_OF_THE_MOMENT else each for name, each in claims.items()
    }
    return json.dumps([header, shown, lifetime], sort_keys=True)


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def _without_random(raw: bytes) -> bytes:
    return re.sub(rb"[A-Za-z0-9_-]{30,}", b"(random)", _JWT.sub(b"(jwt)", raw))


def _query(request: Received) -> Any:
    pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    return sorted((name, _jwt(value)) for name, value in pairs)


def _content_type(request: Received) -> str | None:
    value = request.header("content-type")
    return None if value is None else value.partition(";")[0]


_STANDARD_HEADERS = frozenset(
    {
        *("authorization", "accept", "content-type", "content-length", "transfer-encoding"),
        *("host", "user-agent", "accept-encoding", "connection"),
    }
)
_OF_A_REQUEST: dict[Aspect, Callable[[Received], Any]] = {
    Aspect.METHOD: lambda request: request.method,
    Aspect.PATH: lambda request: request.path,
    Aspect.QUERY: _query,
    Aspect.QUERY_BYTES: lambda request: _without_random(request.target.partition("?")[2].encode()),
    Aspect.AUTHORIZATION: lambda request: request.header("authorization"),
    Aspect.ACCEPT: lambda request: request.header("accept"),
    Aspect.CONTENT_TYPE: _content_type,
    Aspect.CHARSET: lambda request: (request.header("content-type") or "").partition(";")[2],
    Aspect.FRAMING: lambda request: (
        request.header("content-length") is not None,
        request.header("transfer-encoding"),
    ),
    Aspect.CODING: lambda request: request.header("accept-encoding") == "identity",
    Aspect.CONNECTION: lambda request: request.header("connection") == "close",
    Aspect.OTHER_HEADERS: lambda request: sorted(
        pair for pair in request.headers if pair[0] not in _STANDARD_HEADERS
    ),
    Aspect.FORM: _form,
    Aspect.BODY_BYTES: lambda request: _without_random(request.body),
}
