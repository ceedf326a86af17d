"""Differences that show in many rows: each is explained by a rule, once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .observing import Aspect


@dataclass(frozen=True)
class Rule:
    """Says whether two values of an aspect differ in this way and in no other.

    difference: its name in the table.
    """

    difference: str
    aspect: Aspect
    explains: Callable[[Any, Any], bool]


def _without_grant(theirs: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> bool:
    if theirs is None or ours is None:
        return False
    return "grant_type" not in ours and ours == {
        name: value for name, value in theirs.items() if name != "grant_type"
    }


def _in_another_order(theirs: list[bytes], ours: list[bytes]) -> bool:
    return [sorted(each.split(b"&")) for each in theirs] == [
        sorted(each.split(b"&")) for each in ours
    ]


def _charset(theirs: list[str], ours: list[str]) -> bool:
    return all(
        left in ("", "charset=UTF-8") and not right
        for left, right in zip(theirs, ours, strict=True)
    )


def _their_families(theirs: list[str], ours: list[str]) -> bool:
    return ours == ["OAuthError"] and theirs in (
        [name]
        for name in (
            "OAuth2Error",
            "MismatchingStateException",
            "MissingTokenException",
            "MissingCodeException",
            "MissingTokenTypeException",
        )
    )


def _accept(theirs: list[str | None], ours: list[str | None]) -> bool:
    return all(
        left == right or (left, right) == ("*/*", "application/json")
        for left, right in zip(theirs, ours, strict=True)
    )


def _no_length(theirs: list[tuple[bool, Any]], ours: list[tuple[bool, Any]]) -> bool:
    return all(
        left == right or (left[0] and not right[0] and left[1] == right[1])
        for left, right in zip(theirs, ours, strict=True)
    )


def _only_here(theirs: list[bool], ours: list[bool]) -> bool:
    return all(right or not left for left, right in zip(theirs, ours, strict=True))


RULES = (
    Rule("compressed answers", Aspect.CODING, _only_here),
    Rule("connections that have carried credentials", Aspect.CONNECTION, _only_here),
    Rule("Accept", Aspect.ACCEPT, _accept),
    Rule("Content-Length of no body", Aspect.FRAMING, _no_length),
    Rule("assertion sessions", Aspect.METADATA, lambda theirs, ours: theirs is None and bool(ours)),
    Rule("a guess of the grant", Aspect.METADATA, _without_grant),
    Rule(
        "the state of create_authorization_url",
        Aspect.STATE,
        lambda theirs, ours: theirs is None and bool(ours),
    ),
    Rule("the order of parameters", Aspect.BODY_BYTES, _in_another_order),
    Rule("the order of parameters", Aspect.QUERY_BYTES, _in_another_order),
    Rule("charset", Aspect.CHARSET, _charset),
    Rule("one family of errors", Aspect.RAISED, _their_families),
    Rule("the status of an error", Aspect.STATUS, lambda theirs, _ours: theirs is None),
)
