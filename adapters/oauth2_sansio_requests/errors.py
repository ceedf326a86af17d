"""Errors that are ours and requests' at once, for `except` clauses that know only the latter."""

from __future__ import annotations

from typing import Any

import requests

from oauth2_sansio.errors import OAuth2Error, TransportError


def as_requests_error(error: OAuth2Error, response: Any) -> OAuth2Error:
    """Return the error; where requests has a class for it, as an instance of that class too.

    No answer at all is the `RequestException` that requests raised, and a status of 500 or more a
    `requests.HTTPError` whose `response` is the response of requests.
    """
    if isinstance(error, TransportError) and isinstance(error.cause, requests.RequestException):
        cause = error.cause
        return _with_class(error, type(cause), {"request": cause.request})
    if error.status is not None and error.status >= 500:
        found = {"response": response, "request": getattr(response, "request", None)}
        return _with_class(error, requests.HTTPError, found)
    return error


def _with_class(
    error: OAuth2Error, library_class: type[Exception], members: dict[str, Any]
) -> OAuth2Error:
    both = _both(type(error), library_class)
    mixed: OAuth2Error = both.__new__(both, *error.args)
    mixed.args = error.args
    mixed.__dict__.update(error.__dict__, **members)
    return mixed.with_traceback(error.__traceback__)


_classes: dict[tuple[type[OAuth2Error], type[Exception]], type[OAuth2Error]] = {}


def _both(own: type[OAuth2Error], library_class: type[Exception]) -> type[OAuth2Error]:
    # As many as there are pairs of classes.
    if (own, library_class) not in _classes:
        _classes[own, library_class] = _make_both(own, library_class)
    return _classes[own, library_class]


def _make_both(own: type[OAuth2Error], library_class: type[Exception]) -> type[OAuth2Error]:
    def reduce(self: OAuth2Error) -> Any:
        # A pickle holds our part alone: the other one holds requests and responses, with secrets.
        plain = own.__new__(own, *self.args)
        plain.args = self.args
        plain.__dict__.update(self.__dict__)
        plain.__dict__.pop("request", None)
        return own.__reduce__(plain)

    return type(
        own.__name__,
        (own, library_class),
        {"__module__": own.__module__, "__reduce__": reduce, "__str__": own.__str__},
    )
