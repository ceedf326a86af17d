"""Client authentication by name, by function, or by an object of the HTTP library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ..client_auth import (
    ClientAuthentication,
    ClientIdentity,
    ClientSecretBasic,
    ClientSecretPost,
    NoAuthentication,
)
from ..errors import LocalProtocolError
from ..events import RequestToSend, ResponseReceived
from ..exchange import Signer

AuthFunction: TypeAlias = Callable[
    [Any, str, str, MutableMapping[str, str], str], tuple[str, MutableMapping[str, str], str]
]
"""Called as `function(client, method, uri, headers, body)`; returns the last three."""

_BY_SECRET: Mapping[str, Callable[[str], ClientAuthentication]] = {
    "client_secret_basic": ClientSecretBasic,
    "client_secret_basic_raw": lambda secret: ClientSecretBasic(secret, raw=True),
    "client_secret_post": ClientSecretPost,
}

KNOWN_METHODS = (*_BY_SECRET, "none")
"""The names of the ways to authenticate that need no registration."""


@dataclass(frozen=True, slots=True)
class FunctionAuthentication:
    """A user's function as a way to authenticate.

    client: the session or client that the function is called with.
    """

    method: str
    function: AuthFunction = field(repr=False)
    client: object = field(repr=False)

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what calls the function for each request."""
        return self

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        """Return the request as the function has changed it."""
        headers = dict(request.headers)
        before = request.body.decode("utf-8")
        url, headers_after, body = self.function(
            self.client, request.method, request.url, headers, before
        )
        signed = replace(request, url=url, headers=tuple(headers_after.items()))
        if body == before:
            return signed
        return replace(signed, form=(), content=(body or "").encode("utf-8"))

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        """Learn nothing."""
        return False


@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """Add nothing at all: the HTTP library's own object does it, or there is no client."""

    @property
    def method(self) -> str:
        """`none`."""
        return "none"

    def signer(self, identity: ClientIdentity) -> Signer:
        """Return what leaves each request as it is."""
        return self

    def sign(self, request: RequestToSend, now: float) -> RequestToSend:
        """Return the request as it is."""
        return request

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        """Learn nothing."""
        return False


def by_name(name: str, client_id: str | None, client_secret: object) -> ClientAuthentication:
    """Return the way to authenticate that has this name.

    Raises `LocalProtocolError` where there is no secret, or one that is no text.
    """
    if name == "none":
        return Unauthenticated() if client_id is None else NoAuthentication()
    make = _BY_SECRET[name]
    if not isinstance(client_secret, str) or client_id is None:
        missing = "client_id" if client_id is None else "client_secret"
        raise LocalProtocolError(
            f"{name} needs a {missing}, and there is none that is a text",
            error="invalid_client",
            advice=f"give {missing}=, or another token_endpoint_auth_method",
        )
    return make(client_secret)
