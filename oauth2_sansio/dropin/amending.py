"""The users' functions that get and return URL, headers and body, on the core's requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, TypeAlias

from ..errors import LocalProtocolError
from ..events import Pairs, RequestToSend
from .kinds import is_fixed, is_mapping

Headers: TypeAlias = MutableMapping[str, str]

RequestHook: TypeAlias = Callable[[str, Headers, str], tuple[str, Headers, str]]
"""Gets and returns URL, headers and body of a request. The headers may be changed in place."""

_FRAMING = frozenset({"content-length", "transfer-encoding"})  # left to the HTTP library


def amend(request: RequestToSend, hook: RequestHook, name: str) -> RequestToSend:
    """Return a request as a user's function has changed it.

    name: what the function is called in an error.
    Raises `TypeError` where the function returns anything but URL, headers and body, and
    `LocalProtocolError` where it gives a body to a GET.
    """
    before = request.body.decode("utf-8")
    url, headers, body = read_amended(hook(request.url, dict(request.headers), before), name)
    amended = replace(request, url=url, headers=header_pairs(headers, without=_FRAMING))
    content = body if isinstance(body, bytes) else (body or "").encode("utf-8")
    if content == request.body:
        return amended
    if request.method == "GET":
        raise LocalProtocolError(
            f"{name} gives a body to a GET",
            endpoint=request.endpoint,
            advice="let it change the URL or the headers, or use POST",
        )
    return replace(amended, form=(), content=content)


def read_amended(returned: Any, name: str) -> tuple[Any, Any, Any]:
    """Return the three things that a user's function has to return; TypeError for all else."""
    if is_fixed(returned, 3) and is_mapping(returned[1]):
        return returned[0], returned[1], returned[2]
    raise TypeError(f"{name} has to return url, headers, body")


def header_pairs(
    headers: Mapping[Any, Any] | None, *, without: frozenset[str] = frozenset()
) -> Pairs:
    """Return headers as pairs of texts.

    without: names, in lower case, that are left out.
    Raises `TypeError` for a value that is neither text nor bytes; its name is shown, it is not.
    """
    if not headers:
        return ()
    pairs = [(_text(name, name), _text(name, value)) for name, value in headers.items()]
    return tuple(pair for pair in pairs if pair[0].lower() not in without)


def _text(name: object, value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("latin-1")
        case _:
            kind = type(value).__name__
            raise TypeError(f"the header {name!r} has to be a text, not a {kind}")
