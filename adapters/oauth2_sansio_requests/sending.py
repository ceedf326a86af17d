"""The driver: a request of the core over a `requests.Session`, and what came back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.client import HTTPException
from io import BytesIO
from typing import Any, TypeAlias

import requests
import urllib3

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.waiting.threads import call_within

AmendResponse: TypeAlias = Callable[[Any], Any]

_CHUNK = 16_384
_NOT_SENT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


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
        amend_response: tuple[AmendResponse, ...],
        deadline: float,
    ) -> None:
        self.response: Any = None
        self._session = session
        self._options = dict(options)
        self._auth = leave_alone if http_auth is None else http_auth
        self._amend_response = amend_response
        if self._options.get("timeout") is None:
            self._options["timeout"] = deadline
        self._deadline = max(deadline, _longest(self._options["timeout"]))

    def send(self, request: RequestToSend) -> ResponseReceived | RequestFailed:
        """Send a request as it stands, and return what came of it."""
        try:
            received = call_within(self._deadline, lambda: self._exchange(request), _late)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return RequestFailed(error, sent=not _was_not_sent(error))
        except (OSError, HTTPException) as error:
            return RequestFailed(error)
        return received

    def _exchange(self, request: RequestToSend) -> ResponseReceived:
        # requests.Session.request, since the session's own `request` adds the token.
        response: Any = requests.Session.request(
            self._session,
            request.method,
            request.url,
            headers={"Accept-Encoding": "identity", **dict(request.headers)},
            data=request.body.decode("utf-8") or None,
            auth=self._auth,
            allow_redirects=False,
            stream=True,
            **self._options,
        )
        if type(response) is requests.Response:
            _read_within_limit(response)
        for amend in self._amend_response:
            response = amend(response)
        self.response = response
        return received(response)


def leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return a request as it is: so requests adds no credentials, say from `.netrc`."""
    return request


def received(response: Any) -> ResponseReceived:
    """Return a response of requests, or a test double of one, as the core takes it."""
    headers = response.headers if isinstance(response.headers, Mapping) else {}
    if type(response) is requests.Response and "json" not in vars(response):
        body = response.content
    else:
        # A test double, or a response whose `json` a hook has replaced.
        body = json.dumps(response.json()).encode("ascii")
    return ResponseReceived(
        status=response.status_code,
        headers=tuple((str(name), str(value)) for name, value in headers.items()),
        body=body,
    )


def _read_within_limit(response: requests.Response) -> None:
    # One byte more than the core takes is enough for it to refuse the answer.
    body = bytearray()
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > MAXIMUM_BODY:
                break
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from None
    finally:
        response.close()
    response.raw = BytesIO(body)  # where requests reads it from, also for the hooks


def _longest(timeout: Any) -> float:
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    return sum(part for part in parts if isinstance(part, (int, float)))


def _late() -> Exception:
    return requests.ReadTimeout("the whole exchange has taken too long")


def _was_not_sent(error: Exception) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, _NOT_SENT) or isinstance(reason, urllib3.exceptions.NewConnectionError)
