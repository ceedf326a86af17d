"""Errors that are ours and an HTTP library's at once, for `except` clauses that know the latter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OAuth2Error

_classes: dict[tuple[type[OAuth2Error], type[Exception]], type[OAuth2Error]] = {}


def with_class(
    error: OAuth2Error, library_class: type[Exception], members: Mapping[str, Any]
) -> OAuth2Error:
    """Return an error as an instance of its own class and of the library's.

    members: what the library's class has beside, such as its request and response.
    """
    pair = (type(error), library_class)
    if pair not in _classes:  # there are only so many pairs
        _classes[pair] = _join(*pair)
    both = _classes[pair]
    mixed: OAuth2Error = both.__new__(both, *error.args)
    mixed.args = error.args
    mixed.__dict__.update(error.__dict__)
    mixed.__dict__.update(members)
    return mixed.with_traceback(error.__traceback__)


def _join(own: type[OAuth2Error], library_class: type[Exception]) -> type[OAuth2Error]:
    def reduce(self: OAuth2Error) -> Any:
        # A pickle holds our part alone: the other one holds requests and responses, with secrets.
        plain = own.__new__(own, *self.args)
        plain.args = self.args
        left_out = ("request", "_request")
        plain.__dict__.update(
            {name: value for name, value in self.__dict__.items() if name not in left_out}
        )
        return own.__reduce__(plain)

    return type(
        own.__name__,
        (own, library_class),
        {"__module__": own.__module__, "__reduce__": reduce, "__str__": own.__str__},
    )
