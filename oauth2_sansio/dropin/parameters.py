"""Keyword arguments of the drop-in vocabulary as parameters of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..events import Pairs
from .kinds import is_fixed, is_iterable, is_list, is_mapping

OPTIONS_OF_HTTP = frozenset(
    [
        "allow_redirects",
        "base_url",
        "cert",
        "content",
        "cookies",
        "data",
        "default_encoding",
        "event_hooks",
        "extensions",
        "files",
        "follow_redirects",
        "http1",
        "http2",
        "json",
        "limits",
        "max_redirects",
        "mounts",
        "params",
        "proxies",
        "proxy",
        "stream",
        "timeout",
        "transport",
        "trust_env",
        "verify",
    ]
)
"""What HTTP libraries take with a request or a client: none can be meant as a parameter of OAuth."""


def read_parameters(values: Mapping[str, Any]) -> Pairs:
    """Return keyword arguments as pairs.

    A list repeats its name, None is left out, a dict (or a list with one in it) becomes JSON, and
    an empty text is sent as it is.
    """
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        found += _pairs(name, value)
    return tuple(found)


def read_body(body: Any) -> Pairs:
    """Return a form encoded body, a mapping or a list of pairs as pairs.

    Raises `ValueError` for a text that is not form encoded, and `TypeError` for anything else.
    """
    if body in (None, "", b""):
        return ()
    if isinstance(body, (str, bytes)):
        return _read_form(body)
    if is_mapping(body):
        return read_parameters(body)
    if is_list(body) and all(is_fixed(field, 2) for field in body):
        return tuple(pair for name, value in body for pair in _pairs(name, value))
    raise TypeError(f"body has to be form encoded, or a dict, not a {type(body).__name__}")


def read_scope(scope: Any) -> str | None:
    """Return a scope as one text: a list is joined by spaces."""
    if scope is None or isinstance(scope, str):
        return scope
    if is_iterable(scope):
        return " ".join(_text(each) for each in scope)
    return _text(scope)


def _read_form(body: str | bytes) -> Pairs:
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        return tuple(parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict"))
    except ValueError:
        pass
    raise ValueError("body is not form encoded")  # outside: the exception holds the body


def _pairs(name: str, value: Any) -> Pairs:
    if isinstance(value, str):
        return ((name, value),)
    if value is None:
        return ()
    if is_mapping(value):
        return ((name, json.dumps(value)),)
    if is_list(value):
        return _pairs_of_list(name, list(value))
    return ((name, _text(value)),)


def _pairs_of_list(name: str, values: list[Any]) -> Pairs:
    if name == "scope":
        scope = read_scope(values)
        return ((name, scope),) if scope else ()
    if any(isinstance(each, Mapping) for each in values):
        return ((name, json.dumps(values)),)
    return tuple((name, _text(each)) for each in values)


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bytes():
            return _decoded(value)
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise ValueError("a parameter is not UTF-8")  # outside: the exception holds the value
