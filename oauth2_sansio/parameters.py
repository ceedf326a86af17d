"""The parameters of a request: pairs in an order, of which a few may repeat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias, cast

from .errors import LocalProtocolError, listed, printable
from .events import Endpoint, Pairs

Parameters: TypeAlias = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]]
"""Further parameters of a request: pairs, or a mapping in which a list repeats its name."""

AuthorizationDetails: TypeAlias = Sequence[Mapping[str, Any]]
"""What exactly a token is for: JSON objects, each with a `type` (RFC 9396 section 2)."""

Scope: TypeAlias = str | Sequence[str] | None
"""One text with spaces, or several texts."""

_REPEATABLE = frozenset({"resource", "audience"})  # RFC 8707 section 2, RFC 8693 section 2.1


def pairs(parameters: Parameters) -> Pairs:
    """Return parameters as pairs; a list in a mapping repeats its name.

    Raises TypeError for a name or a value that is no text.
    """
    found: list[tuple[str, str]] = []
    if isinstance(parameters, Mapping):
        mapping = cast("Mapping[str, str | Sequence[str]]", parameters)
        for name, value in mapping.items():
            found += repeated(name, value)
    else:
        found += parameters
    if not are_ascii(found):
        for pair in found:
            for text in pair:
                _check_text(text)
    return tuple(found)


def scope_pair(scope: Scope) -> Pairs:
    """Return the parameter `scope`; nothing where there is no scope."""
    return spaced("scope", scope)


def spaced(name: str, values: Scope) -> Pairs:
    """Return a parameter whose values have spaces between them; nothing where there are none."""
    if not values:
        return ()
    return ((name, values if isinstance(values, str) else " ".join(values)),)


def repeated(name: str, values: Sequence[str]) -> Pairs:
    """Return a parameter once for each of its values; one text is one value."""
    if isinstance(values, str):
        return ((name, values),)
    return tuple(zip(repeat(name), values))


def details_pair(details: AuthorizationDetails, known: Sequence[str] | None) -> Pairs:
    """Return the parameter `authorization_details`; nothing where there are none.

    known: the types that the server takes; None where it does not say.
    Raises `TypeError` and `ValueError` for what is no list of objects with a `type`, and
    `LocalProtocolError` for a type that is not known (RFC 9396 section 10).
    """
    if not details:
        return ()
    if not all(map(_is_mapping, details)):  # the letters of a text are none either
        raise TypeError("authorization_details is a list of dicts")
    for each in details:
        kind = each.get("type")
        if not isinstance(kind, str) or not kind:
            raise ValueError("each of the authorization_details has a type, which is a text")
        if known is not None and kind not in known:
            raise LocalProtocolError(
                f"the server takes no authorization_details of the type {printable(kind, 100)}",
                endpoint=Endpoint.AUTHORIZATION,
                advice=f"it takes these types: {listed(known) or 'none'}",
            )
    return (json_pair("authorization_details", [dict(each) for each in details]),)


def json_pair(name: str, value: object) -> tuple[str, str]:
    """Return a parameter whose value is JSON.

    Raises `TypeError` and `ValueError` for what JSON cannot write.
    """
    try:
        return name, json.dumps(value, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        pass
    raise ValueError(f"{name} is nested too deeply")


def joined(
    given: Iterable[tuple[str, str]], parameters: Parameters, endpoint: Endpoint, *, in_url: bool
) -> Pairs:
    """Return what the library gives, and behind it what the caller adds.

    endpoint: where they go, for the errors.
    in_url: whether they go into a URL.
    Raises `LocalProtocolError` for a parameter that would come twice (RFC 6749 section 3.1), for a
    secret in a URL, and for a text that UTF-8 cannot write.
    """
    first = tuple(given)
    further = pairs(parameters) if parameters else ()
    taken = {name for name, _ in first} - _REPEATABLE if further else frozenset[str]()
    for name, _ in further:
        if name in taken:
            raise LocalProtocolError(
                f"the parameter {name} is given twice",
                endpoint=endpoint,
                advice="give it by the argument of its own, or leave that out",
            )
        if in_url and name == "client_secret":
            raise secret_in_url(endpoint)
    together = (*first, *further)
    if not are_ascii(together):
        for pair in together:
            for text in pair:
                check_encodable(text, "a parameter")
    return together


def are_ascii(given: Iterable[tuple[str, str]]) -> bool:
    """Say whether names and values are texts, and of ASCII alone, as nearly all are."""
    try:
        return "".join(map("".join, given)).isascii()  # all in one, which takes a fraction
    except TypeError:
        return False


def check_encodable(text: str, what: str) -> None:
    """Raise `LocalProtocolError` for a text that UTF-8 cannot write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        refusal = LocalProtocolError(
            f"{what} holds half of a surrogate pair, which UTF-8 cannot write",
            advice="decode it rightly where it comes from",
        )
    else:
        return
    raise refusal  # not inside `except`: the codec's exception holds the text


def secret_in_url(endpoint: Endpoint) -> LocalProtocolError:
    """Return the error for a client secret that would go into a URL (RFC 6749 section 2.3.1)."""
    return LocalProtocolError(
        "a client secret never goes into a URL",
        endpoint=endpoint,
        advice="use client_secret_basic, or POST",
    )


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a parameter has to be a text, not a {type(text).__name__}")
