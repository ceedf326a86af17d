"""Compliance hooks: the users' functions for servers that keep to no standard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeAlias

from ..errors import LocalProtocolError
from ..events import RequestToSend
from ..exchange import AmendRequest
from .amending import RequestHook, amend

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
        """Add a hook, unless it is there already; ValueError for a name that is not known."""
        known = [each.value for each in HookType]
        if hook_type not in known:
            raise ValueError(f"no hook is called {hook_type!r}; there are: {', '.join(known)}")
        if not callable(hook):
            raise TypeError(f"a hook has to be a function, not a {type(hook).__name__}")
        hooks = self.setdefault(hook_type, [])
        if hook not in hooks:
            hooks.append(hook)

    def of(self, hook_type: HookType) -> tuple[Callable[..., Any], ...]:
        """Return the hooks of a type."""
        return tuple(self.get(hook_type.value, ())) if self else ()


def amend_by(hooks: Iterable[RequestHook], hook_type: HookType) -> tuple[AmendRequest, ...]:
    """Return the hooks as functions on the core's requests."""
    return tuple(_amendment(hook, f"a hook of {hook_type.value}") for hook in hooks)


def amend_response(response: Any, hooks: Iterable[ResponseHook]) -> Any:
    """Return the HTTP library's response as the hooks have changed it, one after the other.

    Raises `LocalProtocolError` where one of them returns nothing.
    """
    for hook in hooks:
        response = hook(response)
        if response is None:
            raise LocalProtocolError(
                "a hook for responses has returned None",
                advice="let it return the response, also where it changes nothing",
            )
    return response


def _amendment(hook: RequestHook, name: str) -> AmendRequest:
    def apply(request: RequestToSend) -> RequestToSend:
        return amend(request, hook, name)

    return apply
