"""A session that repeats no request by itself, whatever retries are mounted on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter

# No request is of this method, so none is repeated once something of it may have gone out. An
# attempt to connect may be.
_NO_METHOD = frozenset({"NONE"})


def once(session: requests.Session) -> requests.Session:
    """Return the same session, with all that it holds, which repeats nothing that was sent.

    The server may have acted on a request with credentials, whatever it has answered, or not.
    """
    if all(map(_is_harmless, session.adapters.values())):
        return session
    kind = _repeating_nothing(type(session))
    view: requests.Session = object.__new__(kind)
    view.__dict__ = session.__dict__
    return view


_kinds: dict[type[requests.Session], type[requests.Session]] = {}


def _repeating_nothing(kind: type[requests.Session]) -> type[requests.Session]:
    if kind in _kinds:
        return _kinds[kind]

    def get_adapter(self: requests.Session, url: str) -> Any:
        found: Any = cast("Callable[..., Any]", kind.get_adapter)(self, url)
        return found if _is_harmless(found) else _without_retries(found)

    made: Any = type(kind.__name__, (kind,), {"get_adapter": get_adapter})
    return _kinds.setdefault(kind, made)


def _is_harmless(adapter: object) -> bool:
    # As requests mounts it, or of another kind altogether, which knows no such retries.
    return not isinstance(adapter, HTTPAdapter) or adapter.max_retries.total in (0, False)


def _without_retries(adapter: HTTPAdapter) -> HTTPAdapter:
    retries = adapter.max_retries.new(allowed_methods=_NO_METHOD, other=0)
    twin: HTTPAdapter = object.__new__(type(adapter))
    twin.__dict__ = {**adapter.__dict__, "max_retries": retries}
    return twin
