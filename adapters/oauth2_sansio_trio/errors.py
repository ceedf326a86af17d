"""What can go wrong between this client and a server, whatever is said over the connection.

HTTPError
 ├─ LocalProtocolError      the request cannot be sent as it is, or an answer is read wrongly
 │   └─ UnusableClientError     the client is closed, or at work in another run of trio
 ├─ ConnectError            no connection; nothing was sent
 ├─ WriteError              the connection failed while the request was sent
 ├─ ReadError               the connection failed, or was closed, before the answer was there
 ├─ RemoteProtocolError     the answer is not HTTP/1.1
 │   └─ RedirectError           it leads where no request should follow
 ├─ TimedOutError           it took too long
 │   ├─ PoolTimeout             all connections are in use; nothing was sent
 │   ├─ ConnectTimeout          nothing was sent
 │   ├─ WriteTimeout
 │   ├─ ReadTimeout
 │   └─ DeadlineExceeded        the whole exchange took too long
 └─ HTTPStatusError         an answer came, and its status is no success

No text holds a header, a query or a part of a body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .response import Response


class HTTPError(Exception):
    """Say what became of a request that has no answer, or none that is good.

    sent: false only where it is known that nothing of the request went out.
    """

    sent: bool

    def __init__(self, text: str, *, sent: bool = True) -> None:
        super().__init__(text)
        self.sent = sent


class LocalProtocolError(HTTPError):
    """The request cannot be sent as it is, or an answer is read that is not there: mend the caller."""


class UnusableClientError(LocalProtocolError):
    """The client is closed, or at work in another run of trio."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text, sent=sent)


class ConnectError(HTTPError):
    """There is no connection to the server. Nothing was sent."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text, sent=sent)


class WriteError(HTTPError):
    """The connection failed while the request was sent."""


class ReadError(HTTPError):
    """The connection failed, or was closed, before the answer was there."""


class RemoteProtocolError(HTTPError):
    """The answer is not HTTP/1.1, or is cut off."""


class RedirectError(RemoteProtocolError):
    """The answer leads where no request should follow: from https to http, or in circles."""


class TimedOutError(HTTPError):
    """It took too long."""


class PoolTimeout(TimedOutError):
    """All connections that the limits allow stayed in use. Nothing was sent."""


class ConnectTimeout(TimedOutError):
    """The connection was not there in time. Nothing was sent."""


class WriteTimeout(TimedOutError):
    """The server did not take the request in time."""


class ReadTimeout(TimedOutError):
    """The server said nothing for too long."""


class DeadlineExceeded(TimedOutError):
    """The whole exchange took longer than its deadline."""


class HTTPStatusError(HTTPError):
    """An answer came, and its status is no success.

    status_code: the status.
    response: the answer; a pickled error leaves it out.
    """

    def __init__(self, text: str, *, status_code: int, response: Response | None = None) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.response = response

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (str(self), self.status_code)


def _rebuild(text: str, status_code: int) -> HTTPStatusError:
    return HTTPStatusError(text, status_code=status_code)
