"""Errors that are ours and requests' at once, for `except` clauses that know only the latter."""

from __future__ import annotations

from typing import Any

import requests

from oauth2_sansio.dropin.library_errors import with_class
from oauth2_sansio.errors import OAuth2Error, TransportError


def as_requests_error(error: OAuth2Error, response: Any) -> OAuth2Error:
    """Return the error; where requests has a class for it, as an instance of that class too.

    No answer at all is the `RequestException` that requests raised, and a status of 500 or more a
    `requests.HTTPError` whose `response` is the response of requests.
    """
    cause = error.cause if isinstance(error, TransportError) else None
    if isinstance(cause, requests.RequestException):
        return with_class(error, type(cause), {"request": cause.request})
    if error.status is not None and error.status >= 500:
        found = {"response": response, "request": getattr(response, "request", None)}
        return with_class(error, requests.HTTPError, found)
    return error
