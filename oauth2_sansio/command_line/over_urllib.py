"""A driver over urllib: what stands between a flow and the network, and nothing more.

token = drive(client.client_credentials(), UrllibSender().send, time.sleep, time.time)
"""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead
from socket import gaierror
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request, UnknownHandler

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.waiting.threads import call_within

# For these reasons nothing of the request has gone out; a text is urllib's own complaint of a URL. A
# timeout is not among them: urllib does not say whether it has come before or after.
_NOT_SENT = (ConnectionRefusedError, gaierror, ssl.SSLCertVerificationError, str)


class UrllibSender:
    """Send the requests of flows with urllib, each over a connection of its own.

    deadline: how many seconds one request may take as a whole.
    context: for TLS; the system's certificates count where it is left out.
    """

    def __init__(self, *, deadline: float = 30.0, context: ssl.SSLContext | None = None) -> None:
        self._deadline = deadline
        # An opener that is put together by hand does only what it is told to: it follows no
        # redirect, raises nothing for a 4xx or 5xx, and looks for no proxy and no password.
        self._opener = OpenerDirector()
        self._opener.add_handler(HTTPHandler())
        self._opener.add_handler(HTTPSHandler(context=context or ssl.create_default_context()))
        self._opener.add_handler(UnknownHandler())

    def send(self, request: RequestToSend) -> ResponseReceived | RequestFailed:
        """Send a request as it stands, and return what came of it."""
        try:
            return call_within(self._deadline, lambda: self._exchange(request), _late)
        except URLError as error:
            return RequestFailed(error, sent=not isinstance(error.reason, _NOT_SENT))
        except (OSError, HTTPException) as error:
            return RequestFailed(error)

    def _exchange(self, request: RequestToSend) -> ResponseReceived:
        outgoing = Request(  # noqa: S310 - the opener knows http and https alone
            request.url,
            data=request.body or None,
            headers=dict(request.headers),
            method=request.method,
        )
        with self._opener.open(outgoing, timeout=self._deadline) as response:
            # One byte more than the core takes is enough for it to refuse the answer.
            body = response.read(MAXIMUM_BODY + 1)
            if response.length and len(body) <= MAXIMUM_BODY:
                raise IncompleteRead(body, response.length)
            return ResponseReceived(
                status=response.status, headers=tuple(response.getheaders()), body=body
            )


def _late() -> Exception:
    return TimeoutError("the whole exchange has taken too long")
