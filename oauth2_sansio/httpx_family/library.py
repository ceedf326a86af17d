"""An HTTP library of httpx's shape, as the shared code sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any, TypedDict, cast

from ..answers import MAXIMUM_BODY
from ..dropin.library_errors import with_class
from ..errors import OAuth2Error, TransportError
from ..events import RequestFailed, RequestToSend
from ..waiting.lending import foreign_auth


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of a request, as in the library, and one of ours.

    withhold_token: leaves the token out, and so does an `auth` of one's own.
    """

    content: Any
    data: Any
    files: Any
    json: Any
    params: Any
    headers: Any
    cookies: Any
    auth: Any
    follow_redirects: Any
    timeout: Any
    extensions: Any
    withhold_token: bool


@dataclass(frozen=True, slots=True)
class Library:
    """The names of the library that the shared code uses.

    module: the library itself.
    """

    module: ModuleType

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def unkept_cookies(self) -> Any:
        """Return cookies of the library, none yet, into which no response brings any."""
        return _unkept(self.module.Cookies)()

    def response_of(self, error: Any) -> Any:
        """Return the response that an exception of the library holds."""
        return error.response

    def is_unread(self, response: Any) -> bool:
        """Say whether this is a response of the library whose body is still to be read.

        One of which nothing is left to read, since an event hook has ended it, has no body.
        """
        if type(response) is not self.module.Response:
            return False
        if not (response.is_closed or response.is_stream_consumed):
            return True
        if not hasattr(response, "_content"):
            response.is_closed = response.is_stream_consumed = False  # so that it can be read
            self.fill(response, b"")
        return False

    def fill(self, response: Any, body: bytes) -> None:
        """Give a response the body that was read from its stream."""
        elapsed = getattr(response.stream, "elapsed", None)
        response.stream = self.module.ByteStream(body)
        if elapsed is not None:
            response.elapsed = elapsed
        if not self.is_compressed(response):
            response.read()

    def sent_once(self, body: bytes | None, again: Callable[[], Exception]) -> Any:
        """Return a body that goes out once.

        again: returns what is raised where the library is about to send it elsewhere too.
        """
        return _once(self.module.ByteStream)(body or b"", again)

    def is_compressed(self, response: Any) -> bool:
        """Say whether a response of the library has a body that is not what it says."""
        if type(response) is not self.module.Response:
            return False
        if "Content-Encoding" not in response.headers:  # to get it costs the library an exception
            return False
        coding: str = response.headers["Content-Encoding"]
        return coding.lower() != "identity"

    def raw_body(self, response: Any) -> bytes:
        """Return the body of a response that `fill` was called with, as it came."""
        return b"".join(response.stream)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The exceptions that say that no response came."""
        return self.module.HTTPError, self.module.InvalidURL, OSError

    def failed(self, error: Any, request: RequestToSend) -> RequestFailed:
        """Return what one of the `failures` says of a request."""
        module = self.module
        if isinstance(error, (module.HTTPError, module.InvalidURL)):
            # An InvalidURL may be that of a redirect, which comes of an answer.
            not_sent = isinstance(
                error,
                (
                    module.ConnectError,
                    module.ConnectTimeout,
                    module.PoolTimeout,
                    module.UnsupportedProtocol,
                ),
            )
            if getattr(error, "_request", error) is None:
                error.request = module.Request(request.method, request.url)
            return RequestFailed(error, sent=not not_sent)
        return RequestFailed(error)

    def as_library_error(self, error: OAuth2Error, responses: list[Any]) -> OAuth2Error:
        """Return the error; where the library has a class for it, as an instance of that too."""
        cause: Any = error.cause if isinstance(error, TransportError) else None
        if isinstance(cause, self.module.HTTPError):
            return with_class(
                error,
                cast("type[Exception]", type(cause)),
                {"_request": getattr(cause, "_request", None)},
            )
        if error.status is not None and error.status >= 500 and responses:
            response = responses[-1]
            found = {"response": response, "_request": getattr(response, "_request", None)}
            return with_class(error, self.module.HTTPStatusError, found)
        return error

    def renew_transports(self, client: Any, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
        """Let a client forget its connections, and open new ones as it was told to at first.

        arguments: what the library's own client was built with. A transport among them stays.
        Returns what has held the connections before.
        """
        is_blocking = isinstance(client, self.module.Client)
        fresh = (self.module.Client if is_blocking else self.module.AsyncClient)(**arguments)
        # There is no public way to take them from one client to another.
        before = (client._transport, client._mounts)  # noqa: SLF001 - see above
        client._transport = fresh._transport  # noqa: SLF001 - see above
        client._mounts = fresh._mounts  # noqa: SLF001 - see above
        return before

    def refuse_foreign_auth(self, auth: object) -> None:
        """Raise `LocalProtocolError` for the auth object of another library of this shape."""
        if isinstance(auth, self.module.Auth) or auth is None or isinstance(auth, tuple):
            return
        if any(each.__name__ == "OAuth2Auth" for each in type(auth).__mro__):
            raise foreign_auth(self.module.__name__)


@cache
def _unkept(cookies: type[Any]) -> type[Any]:
    # To read the cookies of a response takes the library a fifth of a request, also without any.
    class Unkept(cookies):  # type: ignore[misc]  # the library's
        def __init__(self) -> None:
            """Make no jar before somebody looks into it."""

        @cached_property
        def jar(self) -> Any:
            return cookies().jar

        def extract_cookies(self, response: Any) -> None:
            """Leave them."""

    return Unkept


@cache
def _once(byte_stream: type[Any]) -> type[Any]:
    class SentOnce(byte_stream):  # type: ignore[misc]  # the library's
        def __init__(self, body: bytes, again: Callable[[], Exception]) -> None:
            self._body = body
            self._again = again
            self._has_gone = False

        def __iter__(self) -> Iterator[bytes]:
            yield self._taken()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield self._taken()

        def _taken(self) -> bytes:
            if self._has_gone:
                raise self._again()
            self._has_gone = True
            return self._body

    return SentOnce


def keep_within_limit(body: bytearray, chunk: bytes) -> bool:
    """Add a chunk to a body; return False once it is longer than the core takes."""
    body += chunk
    return len(body) <= MAXIMUM_BODY
