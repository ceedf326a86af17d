"""Responses that are none of the HTTP library's own: test doubles, and those that hooks change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..errors import LocalProtocolError
from ..events import Pairs, ResponseReceived


def read_double(response: Any, headers: Iterable[tuple[object, object]] = ()) -> ResponseReceived:
    """Return a response that has little more than `status_code` and `json()`, as the core takes it.

    headers: what is known of them.
    Raises `LocalProtocolError` where there is no status.
    """
    return ResponseReceived(
        status=read_status(response),
        headers=header_texts(headers),
        body=_body_of(response),
    )


def read_status(response: Any) -> int:
    """Return the status of a response; raise `LocalProtocolError` where there is none."""
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        return int(status)
    raise LocalProtocolError(
        f"the {type(response).__name__} that came as a response has no status_code",
        advice="check what `send`, and each hook for responses, returns",
    )


def header_texts(headers: Iterable[tuple[object, object]]) -> Pairs:
    """Return names and values as texts."""
    return tuple((str(name), str(value)) for name, value in headers)


def _body_of(response: Any) -> bytes:
    try:
        return json.dumps(response.json()).encode("ascii")
    except (AttributeError, TypeError, ValueError):
        # No JSON: what else it holds says what is wrong with it, and the core reads that.
        for name in ("content", "text"):
            match getattr(response, name, None):
                case bytes() as body:
                    return body
                case str() as text:
                    return text.encode("utf-8", "backslashreplace")
                case _:
                    pass
        return b""
