"""A request that is to be sent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict, TypeGuard, cast

import h11

from .errors import LocalProtocolError
from .headers import Headers
from .settings import Timeout, check_duration
from .urls import Address, Parameters, add_parameters, form_encoded, read_url, without_query

if TYPE_CHECKING:
    from .response import Response

Content: TypeAlias = bytes | AsyncIterable[bytes] | None
HeaderFields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


class Auth(Protocol):
    """What authorizes requests: an `OAuth2Auth`, or an object of one's own."""

    async def exchange(
        self,
        request: Request,
        send: Callable[[Request], Awaitable[Response]],
        *,
        follows_redirects: bool,
    ) -> Response:
        """Send a request, authorized, as often as it takes; return the last answer."""
        ...


class RequestOptions(TypedDict, total=False):
    """What every request takes besides its method and its URL.

    params: are added to the query.
    headers: replace the client's of the same name.
    content: the body, as bytes or as what yields them.
    data: a form to be sent as the body.
    json: a value to be sent as the body.
    timeout: how long single steps may take, in seconds; the client's where it is left out.
    deadline: how long the whole request may take, in seconds; the client's where it is left out.
    follow_redirects: go where the answer leads, instead of returning it.
    auth: authorizes the request: a name and a password (Basic), or an `OAuth2Auth`.
    withhold_token: of a client that has a token, leave that out.
    """

    params: Parameters | None
    headers: HeaderFields | None
    content: Content
    data: Parameters | None
    json: Any
    timeout: Timeout | float | None
    deadline: float | None
    follow_redirects: bool
    auth: tuple[str, str] | Auth | None
    withhold_token: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it is sent, but for what frames the message.

    url: absolute.
    headers: all but `Host`, unless another one is wanted, and what frames the body; a
        `Content-Length` counts where the content is streamed.
    content: the body; what is streamed can be sent once only.
    timeout: how long single steps may take; the client's where it is left out.
    deadline: how many seconds the request may take as a whole; the client's where it is left out.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    content: Content = None
    timeout: Timeout | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        if self.deadline is not None:
            check_duration(self.deadline, "deadline")

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent more than once: its body is not streamed."""
        return self.content is None or isinstance(self.content, bytes)

    def with_header(self, name: str, value: str) -> Request:
        """Return this request with one header set, instead of all of that name."""
        return Request(  # and not `replace`, which looks the fields up, twice as slow
            method=self.method,
            url=self.url,
            headers=self.headers.with_header(name, value),
            content=self.content,
            timeout=self.timeout,
            deadline=self.deadline,
        )

    def __repr__(self) -> str:
        return f"<Request {self.method} {without_query(self.url)}>"


def build_request(
    method: str,
    url: str,
    *,
    default_headers: Headers,
    params: Parameters | None = None,
    headers: HeaderFields | None = None,
    content: Any = None,
    data: Parameters | None = None,
    json: Any = None,
    timeout: Timeout | float | None = None,
    deadline: float | None = None,
) -> Request:
    """Return the request that these arguments describe; see `RequestOptions`.

    Raises TypeError for two bodies, or one that is neither bytes nor yields them asynchronously.
    """
    merged = default_headers if headers is None else default_headers.updated(headers)
    if (content is not None) + (data is not None) + (json is not None) > 1:
        raise TypeError("a request has one body: give content, data or json")
    media_type = None
    if data is not None:
        content, media_type = form_encoded(data).encode("ascii"), _FORM
    elif json is not None:
        content, media_type = _as_json(json), "application/json"
    elif content is not None:
        content = _checked(content)
    if media_type is not None and "content-type" not in merged:
        merged = merged.with_header("Content-Type", media_type)
    return Request(
        method=method.upper(),
        url=url if params is None else add_parameters(url, params),
        headers=merged,
        content=content,
        timeout=None if timeout is None else Timeout.of(timeout),
        deadline=deadline,
    )


def is_auth(auth: object) -> TypeGuard[Auth]:
    """Say whether something can be used as `auth=`, and is no name with a password."""
    return hasattr(auth, "exchange")


def with_password(request: Request, auth: object) -> Request:
    """Return a request with a name and a password in it (RFC 7617).

    Raises TypeError for what is no such pair.
    """
    match auth:
        case (str(name), str(password)):
            pair = f"{name}:{password}".encode("utf-8", "surrogatepass")
            return request.with_header("Authorization", f"Basic {b64encode(pair).decode('ascii')}")
        case _:
            raise TypeError(
                "auth is a name and a password, or an OAuth2Auth of oauth2_sansio_trio; it is not "
                f"{type(auth).__name__}"
            )


def read_request(request: Request) -> tuple[Address, h11.Request]:
    """Return where a request goes, and its head.

    Raises `LocalProtocolError` for what HTTP/1.1 cannot send, or this client does not. Its text
    shows no value.
    """
    address = read_url(request.url)
    content = request.content
    headers = [("Host", address.host_header)]
    streamed = not request.is_repeatable
    leaves_http = request.method == "CONNECT"
    for name, value in request.headers.pairs:
        match name.lower():
            case "host":
                headers[0] = (name, value)
            case "transfer-encoding":
                pass
            case "content-length" if not streamed:
                pass
            case "upgrade":
                leaves_http = True
            case _:
                headers.append((name, value))
    if leaves_http:
        raise LocalProtocolError("this client does not leave HTTP/1.1", sent=False)
    if streamed:
        if "content-length" not in request.headers:
            headers.append(("Transfer-Encoding", "chunked"))
    elif isinstance(content, bytes):
        headers.append(("Content-Length", str(len(content))))
    elif request.method in _WITH_BODY:
        headers.append(("Content-Length", "0"))
    try:
        head = h11.Request(method=request.method, target=address.target, headers=headers)
    except (h11.LocalProtocolError, ValueError):
        pass
    else:
        return address, head
    # Not inside `except`: h11's own exception shows the value.
    raise LocalProtocolError(
        "the method or a header holds characters that HTTP does not allow", sent=False
    )


_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def _as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _checked(content: Any) -> bytes | AsyncIterable[bytes]:
    if isinstance(content, bytes):
        return content
    if isinstance(content, (bytearray, memoryview)):
        return bytes(cast("bytearray", content))
    if isinstance(content, AsyncIterable):
        return cast("AsyncIterable[bytes]", content)
    raise TypeError(
        f"content is bytes, or yields them asynchronously; it is not {type(content).__name__}"
    )
