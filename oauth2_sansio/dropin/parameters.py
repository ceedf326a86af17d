"""Keyword arguments of the drop-in vocabulary as parameters of a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from ..events import Pairs


def read_parameters(values: Mapping[str, object]) -> Pairs:
    """Return keyword arguments as pairs.

    A list repeats its name, None is left out, a dict (or a list with one in it) becomes JSON, and
    an empty text is sent as it is.
    """
    return tuple(pair for name, value in values.items() for pair in _pairs(name, value))


def read_body(body: str | bytes | Mapping[str, object] | None) -> Pairs:
    """Return a form encoded body as pairs; ValueError for one that is not form encoded."""
    if not body:
        return ()
    if isinstance(body, Mapping):
        return read_parameters(body)
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        # The exception quotes the body.
        raise ValueError("body is not form encoded") from None


def read_scope(scope: object) -> str | None:
    """Return a scope as one text: a list is joined by spaces."""
    if scope is None or isinstance(scope, str):
        return scope
    if isinstance(scope, Iterable):
        return " ".join(_text(each) for each in scope)
    return _text(scope)


def _pairs(name: str, value: object) -> Iterable[tuple[str, str]]:
    match value:
        case None:
            return ()
        case _ if name == "scope":
            return ((name, read_scope(value) or ""),)
        case Mapping():
            return ((name, json.dumps(value)),)
        case list() | tuple() | set() | frozenset():
            if any(isinstance(each, Mapping) for each in value):
                return ((name, json.dumps(list(value))),)
            return tuple((name, _text(each)) for each in value)
        case _:
            return ((name, _text(value)),)


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8")
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
