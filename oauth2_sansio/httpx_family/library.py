"""An HTTP library of httpx's shape, as the shared code sees it."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypedDict

from ..dropin.library_errors import with_class
from ..errors import LocalProtocolError, OAuth2Error, TransportError
from ..events import RequestFailed


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

    def failed(self, error: Exception) -> RequestFailed:
        """Return what an exception of the library says of a request."""
        module = self.module
        not_sent = isinstance(
            error,
            (
                module.ConnectError,
                module.ConnectTimeout,
                module.PoolTimeout,
                module.UnsupportedProtocol,
                module.InvalidURL,
            ),
        )
        return RequestFailed(error, sent=not not_sent)

    def as_library_error(self, error: OAuth2Error, response: Any) -> OAuth2Error:
        """Return the error; where the library has a class for it, as an instance of that too."""
        cause = error.cause if isinstance(error, TransportError) else None
        if isinstance(cause, self.module.HTTPError):
            return with_class(error, type(cause), {"_request": getattr(cause, "_request", None)})
        if error.status is not None and error.status >= 500 and response is not None:
            found = {"response": response, "_request": getattr(response, "_request", None)}
            return with_class(error, self.module.HTTPStatusError, found)
        return error

    def refuse_foreign_auth(self, auth: object) -> None:
        """Raise `LocalProtocolError` for the auth object of another library of this shape."""
        if isinstance(auth, self.module.Auth) or auth is None or isinstance(auth, tuple):
            return
        if any(each.__name__ == "OAuth2Auth" for each in type(auth).__mro__):
            raise LocalProtocolError(
                f"this auth object belongs to another HTTP library than {self.module.__name__}",
                advice="import OAuth2Auth from the adapter that the client is from",
            )
