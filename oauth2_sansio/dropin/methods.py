"""Client authentication by name, by function, or by an object of the HTTP library."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from ..client_auth import (
    ClientAuthentication,
    ClientIdentity,
    ClientSecretBasic,
    ClientSecretPost,
    NoAuthentication,
    SelfSignedTLSClientAuth,
    TLSClientAuth,
)
from ..errors import LocalProtocolError
from ..events import RequestToSend, ResponseReceived
from ..exchange import Signer
from .amending import Headers, amend
from .kinds import is_fixed

AuthFunction: TypeAlias = Callable[[Any, str, str, Headers, str], tuple[str, Headers, str]]
"""Called as `function(client, method, uri, headers, body)`; returns the last three."""

_BY_SECRET: Mapping[str, Callable[[str], ClientAuthentication]] = {
    "client_secret_basic": ClientSecretBasic,
    "client_secret_basic_raw": lambda secret: ClientSecretBasic(secret, raw=True),
    "client_secret_post": ClientSecretPost,
}
_BY_CERTIFICATE: Mapping[str, ClientAuthentication] = {
    each.method: each for each in (TLSClientAuth(), SelfSignedTLSClientAuth())
}
_SHORT_FORMS = {"basic": "client_secret_basic", "post": "client_secret_post"}

METHODS_BY_SECRET = ("client_secret_basic", "client_secret_post")
"""The ways to authenticate by a secret that servers name, the better one first."""

KNOWN_METHODS = (*_BY_SECRET, *_BY_CERTIFICATE, "none")
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

        def call(url: str, headers: Headers, body: str) -> tuple[str, Headers, str]:
            return self.function(self.client, request.method, url, headers, body)

        return amend(request, call, f"the client authentication {self.method!r}")

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


@dataclass(slots=True)  # to make a frozen one takes three times as long
class Chosen:
    """How one call authenticates, and as whom.

    http_auth: an object of the HTTP library that does it instead.
    """

    client_id: str | None
    way: ClientAuthentication
    http_auth: object = None


@dataclass(slots=True)  # see `Chosen`
class Credentials:
    """Whose credentials they are, and the ways to authenticate that were registered.

    client: the session or client; a registered function is called with it.
    """

    client: object = field(repr=False)
    client_id: str | None
    client_secret: object = field(repr=False)
    registered: Mapping[str, AuthFunction] = field(repr=False)

    def choose(self, auth: Any, method: Any, is_http_auth: Callable[[Any], bool]) -> Chosen:
        """Return how a call authenticates.

        auth: what the call was given: nothing, id and secret, an object of the HTTP library, or
            whatever can be a method.
        method: the client's own way, for a call that was given nothing.
        is_http_auth: says whether an object belongs to the HTTP library.
        Raises `ValueError` for a name that is not known, and `LocalProtocolError` without a secret.
        """
        match auth:
            case None:
                return Chosen(self.client_id, self._way(method))
            case (client_id, client_secret):
                raw = method == "client_secret_basic_raw"
                name = "client_secret_basic_raw" if raw else "client_secret_basic"
                return Chosen(client_id, _by_name(name, client_id, client_secret))
            case str():
                return Chosen(self.client_id, self._way(auth))
            case _ if is_http_auth(auth):
                return Chosen(self.client_id, Unauthenticated(), http_auth=auth)
            case _:
                return Chosen(self.client_id, self._way(auth))

    def _way(self, method: Any) -> ClientAuthentication:
        if isinstance(method, str):
            if method in self.registered:
                return FunctionAuthentication(method, self.registered[method], self.client)
            if method not in KNOWN_METHODS:
                raise ValueError(_unknown_method(method))
            return _by_name(method, self.client_id, self.client_secret)
        # One without a key of its own is called as a function, with the client's secret as its key.
        if hasattr(method, "signer") and getattr(method, "has_key", True):
            way: ClientAuthentication = method
            return way
        return FunctionAuthentication(getattr(method, "name", "own"), method, self.client)


def check_method(method: Any) -> Any:
    """Return a way to authenticate that may be one; raise for one that cannot be.

    A name that is not known may still be registered, unless it is a known one in other letters.
    Raises `ValueError` for such a name, and `TypeError` for what is neither name nor function.
    """
    if isinstance(method, str):
        plain = "_".join(method.lower().replace("-", " ").replace("_", " ").split())
        meant = _SHORT_FORMS.get(plain, plain)
        if not meant or (meant in KNOWN_METHODS and meant != method):
            raise ValueError(_unknown_method(method))
    elif not callable(method) and not hasattr(method, "signer"):
        raise TypeError(
            f"a way to authenticate is a name or a function, not a {type(method).__name__}"
        )
    return method


def method_by_secret(supported: Collection[str] | None) -> str:
    """Return the way to authenticate by a secret that an endpoint's metadata leave.

    supported: what they name; None or nothing where they say nothing (RFC 8414 section 2).
    """
    known = supported or METHODS_BY_SECRET
    return next((each for each in METHODS_BY_SECRET if each in known), METHODS_BY_SECRET[0])


def read_registration(auth: Any) -> tuple[str, AuthFunction]:
    """Return name and function of a way to authenticate that a user registers.

    auth: the two as a tuple, or an object that has a `name` and can be called.
    Raises `TypeError` for anything else.
    """
    name: Any = auth[0] if is_fixed(auth, 2) else getattr(auth, "name", None)
    function: Any = auth[1] if is_fixed(auth, 2) else auth
    if not isinstance(name, str) or not callable(function):
        raise TypeError("register a name and a function, or an object with a name, to be called")
    return name, cast("AuthFunction", function)


def is_auth_function(auth: object) -> bool:
    """Say whether something can be called as `AuthFunction`, and is no hook for requests alone."""
    try:
        inspect.signature(auth).bind(None, "", "", {}, "")  # type: ignore[arg-type]  # TypeError
    except (TypeError, ValueError):
        return False
    return True


def _by_name(name: str, client_id: Any, client_secret: object) -> ClientAuthentication:
    if name == "none":
        return Unauthenticated() if client_id is None else NoAuthentication()
    if name in _BY_CERTIFICATE and client_id is not None:
        return _BY_CERTIFICATE[name]
    if not isinstance(client_secret, str) or client_id is None:
        missing = "client_id" if client_id is None else "client_secret"
        raise LocalProtocolError(
            f"{name} needs a {missing}, and there is none that is a text",
            error="invalid_client",
            advice=f"give {missing}=, or another token_endpoint_auth_method",
        )
    return _BY_SECRET[name](client_secret)


def _unknown_method(method: str) -> str:
    return (
        f"no way to authenticate is called {method!r}; there are: {', '.join(KNOWN_METHODS)}, "
        "and those registered by register_client_auth_method"
    )
