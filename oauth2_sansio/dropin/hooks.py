"""Compliance hooks: the users' functions for servers that keep to no standard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import replace
from enum import Enum
from typing import Any, TypeAlias

from ..events import RequestToSend
from ..exchange import AmendRequest

RequestHook: TypeAlias = Callable[
    [str, MutableMapping[str, str], str], tuple[str, MutableMapping[str, str], str]
]
"""Gets and returns URL, headers and body of a request."""

ResponseHook: TypeAlias = Callable[[Any], Any]
"""Gets and returns the HTTP library's response."""


class HookType(Enum):
    """When a hook is called."""

    ACCESS_TOKEN_REQUEST = "access_token_request"
    ACCESS_TOKEN_RESPONSE = "access_token_response"
    REFRESH_TOKEN_REQUEST = "refresh_token_request"
    REFRESH_TOKEN_RESPONSE = "refresh_token_response"
    REVOKE_TOKEN_REQUEST = "revoke_token_request"
    INTROSPECT_TOKEN_REQUEST = "introspect_token_request"
    PROTECTED_REQUEST = "protected_request"


class ComplianceHooks(dict[str, list[Callable[..., Any]]]):
    """The hooks of one client by the name of their type, in the order of their registration."""

    __slots__ = ()

    def register(self, hook_type: str, hook: Callable[..., Any]) -> None:
        """Add a hook; ValueError for a name that is not known."""
        known = [each.value for each in HookType]
        if hook_type not in known:
            raise ValueError(f"no hook is called {hook_type!r}; there are: {', '.join(known)}")
        self.setdefault(hook_type, []).append(hook)

    def of(self, hook_type: HookType) -> tuple[Callable[..., Any], ...]:
        """Return the hooks of a type."""
        return tuple(self.get(hook_type.value, ()))


def amend_by(hooks: Iterable[RequestHook]) -> tuple[AmendRequest, ...]:
    """Return the hooks as functions on the core's requests."""
    return tuple(_amendment(hook) for hook in hooks)


def _amendment(hook: RequestHook) -> AmendRequest:
    def amend(request: RequestToSend) -> RequestToSend:
        before = request.body.decode("utf-8")
        url, headers, body = hook(request.url, dict(request.headers), before)
        amended = replace(request, url=url, headers=tuple(headers.items()))
        if body == before:
            return amended
        return replace(amended, form=(), content=body.encode("utf-8"))

    return amend
