"""The signatures of both sides, compared as far as a caller of Authlib's can see them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .sides import Pair

_METHODS = (
    "__init__",
    "create_authorization_url",
    "fetch_token",
    "token_from_fragment",
    "refresh_token",
    "ensure_active_token",
    "revoke_token",
    "introspect_token",
    "register_client_auth_method",
    "register_compliance_hook",
    "request",
)


def compared_signatures(pair: Pair) -> dict[str, dict[str, str]]:
    """Return what of Authlib's signatures a caller would miss, by the name of the callable."""
    callables: dict[str, tuple[Any, Any]] = {
        f"session.{name}": (
            getattr(pair.theirs.session_class, name),
            getattr(pair.ours.session_class, name),
        )
        for name in _METHODS
    }
    callables["assertion.__init__"] = (
        pair.theirs.assertion_class.__init__,
        pair.ours.assertion_class.__init__,
    )
    callables["OAuth2Auth"] = (pair.theirs.auth_class.__init__, pair.ours.auth_class.__init__)
    for name in ("ClientSecretJWT", "PrivateKeyJWT"):
        callables[name] = (
            getattr(pair.theirs.jwt, name).__init__,
            getattr(pair.ours.jwt, name).__init__,
        )
    missed = {name: _missed(*both) for name, both in callables.items()}
    return {name: each for name, each in missed.items() if each}


def _missed(theirs: Any, ours: Any) -> dict[str, str]:
    own = inspect.signature(ours).parameters
    positions = list(own)
    found: dict[str, str] = {}
    for position, (name, parameter) in enumerate(inspect.signature(theirs).parameters.items()):
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            if not _takes_more(own):
                found[name] = "is not taken"
        elif name not in own:
            found[name] = "is missing"
        elif positions.index(name) != position or own[name].kind is not parameter.kind:
            found[name] = "is elsewhere"
        elif parameter.default not in (parameter.empty, own[name].default):
            found[name] = f"{parameter.default!r} -> {own[name].default!r}"
    return found


def _takes_more(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())


# What is missed, by callable and library, and the difference in the table that says why.
SIGNATURES: Mapping[tuple[str, str], tuple[Mapping[str, str], str]] = {
    ("session.request", "requests"): (
        {"withhold_token": "is elsewhere", "auth": "is elsewhere", "kwargs": "is not taken"},
        "the third argument of request",
    ),
    ("session.request", "httpx"): (
        {"withhold_token": "is missing", "auth": "is missing"},  # by keyword they are taken
        "the third argument of request",
    ),
    **{
        ("ClientSecretJWT", library): ({"alg": "None -> 'HS256'"}, "the default of alg")
        for library in ("requests", "httpx")
    },
}
