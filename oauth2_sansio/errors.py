"""What can go wrong, and whose fault it was.

OAuth2Error
 ├─ LocalProtocolError      yours: the library was used out of order, or a setting is missing
 │   ├─ MissingTokenError       there is no token to use
 │   └─ InvalidTokenError       the token there is cannot be used
 │       └─ UnsupportedTokenTypeError
 ├─ RemoteProtocolError     the server (or what stands between) broke the protocol
 │   └─ MismatchingStateError   the callback does not belong to this authorization
 ├─ ErrorResponse           the server said no, correctly
 ├─ TransportError          no response came
 ├─ UnsavedTokenError       yours: the function that saves tokens has failed
 └─ StoreError              the store of tokens is down, full, or damaged
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from .events import Endpoint, ResponseReceived


class Outcome(Enum):
    """What is known of a request that failed."""

    NOT_SENT = "not_sent"  # the server has not seen it: it may be repeated
    REFUSED = "refused"  # the server has seen it, and did not do it
    UNKNOWN = "unknown"  # the server may have done it: repeating it may do harm


class OAuth2Error(Exception):
    """Say what went wrong, whose fault it was, at which endpoint, and what to try.

    error: the code, the server's (RFC 6749 section 5.2) or the library's own.
    description: more about it; where it is the server's text, only the secrets that we sent are cut
        out, and what follows 8,192 characters, so do not show it as HTML.
    uri: a page about it, if the server named one; as little to be trusted.
    status: the HTTP status, if there was a response.
    endpoint: where it happened, if at an endpoint.
    advice: what to try.
    response: the response that was refused, with all that it carried, also tokens.
    outcome: what is known of the request.
    retry_after: seconds after which the server wants to be asked again, if it said so.

    The printed text holds no secret and only printable ASCII. A pickled error leaves `response` out.
    """

    default_error = "oauth2_error"

    def __init__(
        self,
        error: str | None = None,
        description: str | None = None,
        uri: str | None = None,
        *,
        status: int | None = None,
        endpoint: Endpoint | None = None,
        advice: str | None = None,
        response: ResponseReceived | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
        printed: str | None = None,
    ) -> None:
        self.error = error or self.default_error
        self.description = description
        self.uri = uri
        self.status = status
        self.endpoint = endpoint
        self.advice = advice
        self.response = response
        self.outcome = outcome
        self.retry_after = retry_after
        super().__init__(self._text(description if printed is None else printed))

    def _text(self, description: str | None) -> str:
        text = printable(self.error, 100)
        if description:
            text += f": {printable(description, 600)}"
        where = [str(self.endpoint)] if self.endpoint else []
        if self.status is not None:
            where.append(f"status {self.status}")
        if where:
            text += f" ({', '.join(where)})"
        return f"{text}; {printable(self.advice, 600)}" if self.advice else text

    def __reduce__(self) -> tuple[Any, ...]:
        left_out = {"response", "cause", "token"}
        state = {name: value for name, value in self.__dict__.items() if name not in left_out}
        return _rebuild, (type(self), self.args, state)


class LocalProtocolError(OAuth2Error):
    """The library was used out of order, or a setting is missing: mend the caller."""

    default_error = "local_protocol_error"

    def __init__(
        self,
        description: str,
        *,
        error: str | None = None,
        endpoint: Endpoint | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(
            error, description, endpoint=endpoint, advice=advice, outcome=Outcome.NOT_SENT
        )


class MissingTokenError(LocalProtocolError):
    """There is no token to use: fetch one, or assign one."""

    default_error = "missing_token"


class InvalidTokenError(LocalProtocolError):
    """The token cannot be used, and cannot be renewed either."""

    default_error = "token_invalid"


class UnsupportedTokenTypeError(InvalidTokenError):
    """The token is of a type that this client cannot use (RFC 6749 section 7.1)."""

    default_error = "unsupported_token_type"


class RemoteProtocolError(OAuth2Error):
    """The server broke the protocol: not JSON, a field missing, a wrong issuer."""

    default_error = "remote_protocol_error"

    def __init__(
        self,
        description: str,
        *,
        error: str | None = None,
        status: int | None = None,
        endpoint: Endpoint | None = None,
        advice: str | None = None,
        response: ResponseReceived | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            error,
            description,
            status=status,
            endpoint=endpoint,
            advice=advice,
            response=response,
            outcome=outcome,
            retry_after=retry_after,
        )


class MismatchingStateError(RemoteProtocolError):
    """The callback carries another `state`: it is forged, or belongs to another authorization."""

    default_error = "mismatching_state"


class ErrorResponse(OAuth2Error):
    """The server said no, in the words of RFC 6749 (sections 4.1.2.1 and 5.2)."""

    default_error = "error_response"


class TransportError(OAuth2Error):
    """No response came. See `outcome`: the server may have acted all the same.

    cause: the HTTP library's exception. It may quote what was sent or received: mind where you
        print it. A pickled error leaves it out.
    """

    default_error = "transport_error"

    def __init__(
        self,
        description: str,
        *,
        outcome: Outcome,
        cause: Exception | None = None,
        error: str | None = None,
        endpoint: Endpoint | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(error, description, endpoint=endpoint, advice=advice, outcome=outcome)
        self.cause = cause


class UnsavedTokenError(OAuth2Error):
    """A new token came, and the function that saves it has failed.

    token: the new token, a dict. The one before it is used up. The library keeps the new one in
        memory, goes on with it, and tries to save it again at the next use and at `close()`.
    """

    default_error = "unsaved_token"

    def __init__(self, token: dict[str, Any]) -> None:
        super().__init__(
            None,
            "a new token was issued, and the function that saves it has failed",
            endpoint=Endpoint.TOKEN,
            advice="save error.token yourself, or mend update_token: it is called again",
        )
        self.token = token


class StoreError(OAuth2Error):
    """The store of tokens has failed: it is down, full, locked, damaged, or open to others.

    error: `damaged_record` where what is there cannot be read, else `store_error`.
    cause: the exception of what lies below. It may quote what is stored: mind where you print it.
        A pickled error leaves it out.

    What was being written may be there or not. Nothing else was changed.
    """

    default_error = "store_error"

    def __init__(
        self,
        description: str,
        *,
        cause: BaseException | None = None,
        error: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(error, description, advice=advice)
        self.cause = cause


def printable(text: str, limit: int) -> str:
    """Return text in printable ASCII, with escapes for all else, cut to `limit` characters."""
    shown = text[: limit + 1]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(
            sign if sign.isascii() and sign.isprintable() else ascii(sign)[1:-1] for sign in shown
        )
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def listed(names: Iterable[str]) -> str:
    """Return names in one line, as far as an error shows them."""
    return printable(", ".join(names), 200)


def anew(error: OAuth2Error) -> OAuth2Error:
    """Return an equal error for another caller.

    A traceback belongs to one thread, and holds on to all that its frames hold.
    """
    kind = type(error)
    copied = kind.__new__(kind, *error.args)
    copied.args = error.args
    copied.__dict__.update(error.__dict__)
    return copied


def _rebuild(
    kind: type[OAuth2Error], arguments: tuple[Any, ...], state: dict[str, Any]
) -> OAuth2Error:
    error = kind.__new__(kind, *arguments)
    error.args = arguments  # an OSError, which an adapter's errors are too, has not kept them
    error.response = None
    if isinstance(error, (TransportError, StoreError)):
        error.cause = None
    if isinstance(error, UnsavedTokenError):
        error.token = {}
    error.__dict__.update(state)
    return error
