"""Rich authorization requests: what exactly is asked for, and granted (RFC 9396)."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast

from .messages import Parameters, Refusal
from .state import ServerState

Details: TypeAlias = tuple[dict[str, Any], ...]


def check_details(state: ServerState, parameters: Parameters) -> None:
    """Raise `Refusal` for details of a type that the server does not know (RFC 9396 section 5)."""
    known = state.settings.authorization_details_types
    if any(each["type"] not in known for each in asked_details(parameters)):
        raise _invalid("One of the authorization_details is of a type that is not known.")


def asked_details(parameters: Parameters) -> Details:
    """Return what a request asks for; raise `Refusal` for what is no list of objects."""
    text = parameters.get("authorization_details")
    try:
        value: object = [] if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid("The authorization_details are no JSON.") from error
    details = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(_is_detail(each) for each in details):
        raise _invalid("The authorization_details are no list of objects with a type.")
    return tuple(cast("list[dict[str, Any]]", details))


def narrowed_details(parameters: Parameters, granted: Details) -> Details:
    """Return the details for a token: all that were granted, or those of them that are asked for.

    Raises `Refusal` where more is asked for (RFC 9396 section 6.1).
    """
    asked = asked_details(parameters)
    if not all(each in granted for each in asked):
        raise _invalid("More is asked for than was granted.")
    return asked or granted


def _is_detail(value: object) -> bool:
    match value:
        case {"type": str()}:
            return True
        case _:
            return False


def _invalid(description: str) -> Refusal:
    return Refusal("invalid_authorization_details", description)
