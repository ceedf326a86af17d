"""The driver: a request of the core over a `requests.Session`, and what came back."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from io import BytesIO
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.dropin.hooks import ResponseHook, amend_response
from oauth2_sansio.dropin.kinds import is_fixed, is_mapping
from oauth2_sansio.dropin.responses import header_texts, read_double, read_status
from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.waiting.forks import leave
from oauth2_sansio.waiting.threads import call_within

from .auth import on_response
from .once import once

_CHUNK = 16_384
_BODILESS = (204, 304)  # RFC 9110, sections 15.3.5 and 15.4.5
_NOT_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.NewConnectionError,
    ssl.SSLCertVerificationError,
)


class BodyAtHand(BytesIO):
    """The body of an answer to a request with credentials, read within the limit already."""


class Unfollowed(requests.Response):
    """An answer to a request with credentials, as long as requests has it in hand.

    Even where it is told to follow no redirect, requests prepares the next request, and raises for
    a target that it cannot read.
    """

    @property
    def is_redirect(self) -> bool:
        """False, whatever the status."""
        return False


class Sender:
    """Send the requests of one flow, and keep the last response.

    session: whose own `send` is used, so that its adapters, proxies and test doubles apply.
    options: of `requests.Session.request`.
    http_auth: an authentication object of requests; without one, the request goes as it stands.
    amend_response: get and return the response before it is read.
    deadline: how many seconds one request may take as a whole.
    """

    def __init__(
        self,
        session: requests.Session,
        options: Mapping[str, Any],
        http_auth: Any,
        amend_response: tuple[ResponseHook, ...],
        deadline: float,
    ) -> None:
        self.response: Any = None
        self._session = session
        self._options = dict(options)
        self._http_auth = http_auth
        self._amend_response = amend_response
        if self._options.get("timeout") is None:
            self._options["timeout"] = deadline
        if session.verify is not True:
            # Else a variable of the environment would count for more than the session.
            self._options.setdefault("verify", session.verify)
        self._deadline = max(deadline, _longest(self._options["timeout"]))

    def send(self, request: RequestToSend) -> ResponseReceived | RequestFailed:
        """Send a request as it stands, and return what came of it."""
        try:
            response = call_within(self._deadline, lambda: self._exchange(request), _late)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return RequestFailed(error, sent=not _was_not_sent(error))
        except (OSError, HTTPException) as error:
            # What requests raises before it connects, say for a missing file of certificates, has
            # no number of the operating system's.
            return RequestFailed(error, sent=getattr(error, "errno", 0) is not None)
        # The users' functions run in the caller's thread, and what they raise is theirs.
        if not _is_compressed(response):
            response = amend_response(response, self._amend_response)
        self.response = response
        return received(response)

    def _exchange(self, request: RequestToSend) -> Any:
        body = request.body
        # requests.Session.request, since the session's own `request` adds the token.
        response: Any = requests.Session.request(
            once(self._session),
            request.method,
            request.url,
            headers={"Accept-Encoding": "identity", **dict(request.headers)},
            data=(body.decode("ascii") if body.isascii() else body) or None,
            auth=self._authorize,
            allow_redirects=False,
            stream=True,
            **self._options,
        )
        if type(response) is Unfollowed:
            _let_go(response)
        if type(response) is requests.Response:
            _read_within_limit(response)
        return response

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # First of all hooks, since requests and its hooks read the body without a limit. A function
        # as `auth` also keeps requests from adding credentials of its own, say from `.netrc`.
        on_response(request, _take_in_hand)
        if self._http_auth is None:
            return request
        authorized: requests.PreparedRequest = self._http_auth(request)
        return authorized


def leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return a request as it is: so requests adds no credentials, say from `.netrc`."""
    return request


def leave_connections(session: requests.Session) -> None:
    """Let a session open connections of its own, in the child of a fork.

    Parent and child would read each other's answers from one connection, tokens among them.
    """
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            leave(adapter.poolmanager, adapter.proxy_manager)
            pickled: Any = adapter  # its annotations lack the half that makes new pools
            pickled.__setstate__(pickled.__getstate__())


def received(response: Any) -> ResponseReceived:
    """Return a response of requests, or a test double of one, as the core takes it."""
    headers: Any = getattr(response, "headers", None)
    pairs = tuple(headers.items()) if is_mapping(headers) else ()
    if type(response) is not requests.Response or "json" in vars(response):
        return read_double(response, pairs)
    return ResponseReceived(
        status=read_status(response), headers=header_texts(pairs), body=response.content or b""
    )


def _take_in_hand(response: requests.Response, **_options: Any) -> None:
    if type(response) is requests.Response:
        response.__class__ = Unfollowed
        _read_within_limit(response)


def _let_go(response: Any) -> None:
    response.__class__ = requests.Response


def _read_within_limit(response: requests.Response) -> None:
    # No more is read than it takes to refuse an answer that is too long. A body that is there
    # already, as in responses that a test has made, is left alone.
    raw = response.raw
    is_read = getattr(response, "_content", False) is not False
    if is_read or raw is None or isinstance(raw, BodyAtHand):
        return
    if response.status_code in _BODILESS:
        # What a server sends as a body all the same would be there for the next request.
        connection = getattr(raw, "connection", None)
        if connection is not None:
            connection.close()
    body = bytearray()
    try:
        for chunk in _chunks(raw):
            body += chunk
            if len(body) > MAXIMUM_BODY:
                break
    except urllib3.exceptions.ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from None
    except urllib3.exceptions.SSLError as error:
        raise requests.exceptions.SSLError(error) from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from None
    finally:
        response.close()
    # Where requests reads it from, also for the hooks. All three are one copy.
    content = bytes(body)
    response.raw = BodyAtHand(content)
    response._content = content  # noqa: SLF001 - requests itself would copy it twice


def _chunks(raw: Any) -> Iterator[bytes]:
    if hasattr(raw, "stream"):
        yield from raw.stream(_CHUNK, decode_content=False)
        return
    while chunk := raw.read(_CHUNK):  # a file, as in responses that a test has made
        yield chunk


def _is_compressed(response: Any) -> bool:
    # Nobody has asked for that, and there is no telling how long it gets. The core refuses it.
    if type(response) is not requests.Response:
        return False
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def _longest(timeout: Any) -> float:
    parts = timeout if is_fixed(timeout, 2) else (timeout,)
    return sum(part for part in parts if isinstance(part, (int, float)))


def _late() -> Exception:
    return requests.ReadTimeout("the whole exchange has taken too long")


def _was_not_sent(error: BaseException) -> bool:
    # urllib3 says why in `reason`, and hides that in the arguments of requests' exception.
    seen: list[BaseException] = [error]
    for each in seen:
        if isinstance(each, _NOT_SENT):
            return True
        inner = (*each.args, getattr(each, "reason", None), getattr(each, "original_error", None))
        seen += [found for found in inner if isinstance(found, Exception) and found not in seen]
    return False
