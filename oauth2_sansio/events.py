"""Everything that crosses the border between the core and a driver.

Actions go out of the core and say what to do; events come in and say what has happened. All are
frozen values that compare by their fields. None shows a secret in its `repr`, so all may be logged.
Do not subclass them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values in the order in which they are sent; a name may repeat."""


class Endpoint(Enum):
    """Where a request goes, by its name in the server's metadata (RFC 8414 section 2)."""

    AUTHORIZATION = "authorization_endpoint"
    TOKEN = "token_endpoint"
    REVOCATION = "revocation_endpoint"
    INTROSPECTION = "introspection_endpoint"
    PUSHED_AUTHORIZATION = "pushed_authorization_request_endpoint"
    DEVICE_AUTHORIZATION = "device_authorization_endpoint"
    BACKCHANNEL_AUTHENTICATION = "backchannel_authentication_endpoint"
    REGISTRATION = "registration_endpoint"
    USERINFO = "userinfo_endpoint"
    JWKS = "jwks_uri"
    METADATA = "metadata"
    RESOURCE = "resource"

    def __str__(self) -> str:
        return self.value.replace("_", " ")


# Out of the core: what the driver has to do next.


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestToSend:
    """Send this as it stands, follow no redirect, and report what came back.

    endpoint: what the request is for.
    headers: all headers but those that frame the message (Host, Content-Length, Connection).
    form: the parameters of a form encoded body; a name may repeat.
    content: the body as it is; where given, it counts instead of `form`.
    """

    endpoint: Endpoint
    method: str = "POST"
    url: str
    headers: Pairs = ()
    form: Pairs = ()
    content: bytes | None = None

    @property
    def body(self) -> bytes:
        """The bytes of the body; empty where there is none.

        Raises ValueError for a form that UTF-8 cannot write; a flow never lets such a request out.
        """
        if self.content is not None:
            return self.content
        return _form_encoded(self.form).encode("ascii")

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its letter case."""
        return _first(self.headers, name)

    def with_header(self, name: str, value: str) -> RequestToSend:
        """Return this request with one header set, instead of all of that name."""
        wanted = name.lower()
        kept = [pair for pair in self.headers if pair[0].lower() != wanted]
        # Not by `replace`, which takes three times as long.
        return RequestToSend(
            endpoint=self.endpoint,
            method=self.method,
            url=self.url,
            headers=(*kept, (name, value)),
            form=self.form,
            content=self.content,
        )

    def with_parameters(self, parameters: Pairs) -> RequestToSend:
        """Return this request with more parameters: in its body, or in the query of a GET.

        Raises ValueError for a text that UTF-8 cannot write.
        """
        if not parameters:
            return self
        if self.method == "GET":
            joint = "?" if "?" not in self.url else "" if self.url[-1] in "?&" else "&"
            query = _form_encoded(parameters).replace("+", "%20")
            return replace(self, url=f"{self.url}{joint}{query}")
        if self.content is None:
            return replace(self, form=self.form + parameters)
        added = _form_encoded(parameters).encode("ascii")
        return replace(self, content=b"&".join(filter(None, (self.content, added))))

    def __repr__(self) -> str:
        return (
            f"RequestToSend(endpoint={self.endpoint.name}, method={self.method!r}, "
            f"url={without_query(self.url)!r})"
        )


@dataclass(frozen=True, slots=True)
class Wait:
    """Sleep this long, then report `WaitElapsed`.

    seconds: a duration, never a point in time.
    """

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureNeeded:
    """Sign these bytes with a key that the core does not hold, then report `SignatureMade`.

    algorithm: the JOSE name (RFC 7518 section 3.1), such as `ES256`.
    signing_input: the bytes to sign: header and claims of a JWT (RFC 7515 section 5.1).
    key_id: which key, as the user named it.
    """

    algorithm: str
    signing_input: bytes = field(repr=False)
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finished(Generic[T_co]):
    """Nothing is left to do: here is the result."""

    result: T_co


# Into the core: what has happened.


@dataclass(frozen=True, slots=True)
class Started:
    """The driver is ready. `Flow.start` sends this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseReceived:
    """A response came, whatever its status.

    body: the decoded bytes (no content coding, no chunks).
    """

    status: int
    headers: Pairs = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its letter case."""
        return _first(self.headers, name)

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return all values of a header, in the order of their arrival."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def __repr__(self) -> str:
        return f"ResponseReceived(status={self.status}, body=<{len(self.body)} bytes>)"


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """No response came: connection refused, timed out, cut.

    cause: the HTTP library's exception.
    sent: false only where the driver knows that nothing of the request went out.
    """

    cause: Exception
    sent: bool = True

    def __repr__(self) -> str:
        # The text of an HTTP library's exception may quote a URL or a response: show its type alone.
        return f"RequestFailed(cause={type(self.cause).__name__}, sent={self.sent})"


@dataclass(frozen=True, slots=True)
class WaitElapsed:
    """The pause asked for is over."""


@dataclass(frozen=True, slots=True)
class SignatureMade:
    """The signature asked for, in its JOSE form (for ECDSA: r and s, not DER)."""

    signature: bytes = field(repr=False)


Action: TypeAlias = RequestToSend | Wait | SignatureNeeded | Finished[T_co]
Event: TypeAlias = Started | ResponseReceived | RequestFailed | WaitElapsed | SignatureMade


def without_query(url: str) -> str:
    """Return a URL without its query and fragment, where secrets may be."""
    return url.partition("#")[0].partition("?")[0]


def _form_encoded(parameters: Pairs) -> str:
    try:
        return urlencode(parameters)
    except UnicodeEncodeError:
        refusal = ValueError("a parameter holds half of a surrogate pair")
    raise refusal  # not inside `except`: the codec's own exception holds the value


def _first(headers: Pairs, name: str) -> str | None:
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return None
