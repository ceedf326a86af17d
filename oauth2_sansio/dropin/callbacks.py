"""What a callback of the drop-in vocabulary brings: a code, or a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ..authorization import PendingAuthorization
from ..callback import ResponseMode, open_callback
from ..tokens import OAuth2Token
from ..urls import split_callback

if TYPE_CHECKING:
    from ..jwt_verification import JWTVerification


@dataclass(frozen=True, slots=True)
class Callback:
    """What has come back: one of the two."""

    code: str | None = field(default=None, repr=False)
    token: OAuth2Token | None = None


def read_callback(
    callback: str,
    *,
    state: str | None,
    response_type: str,
    response_mode: str | None,
    token_is_welcome: bool,
    issuer: str | None,
    issuer_required: bool,
    verification: Callable[[], JWTVerification],
    now: float = 0.0,
) -> Callback:
    """Return what a callback brings, once all else in it has been checked.

    state: what it has to carry; with None, whatever it carries is taken.
    token_is_welcome: whether a token in the fragment is taken.
    verification: returns what a signed one has to be, or raises for what is missing to tell.
    Raises what `PendingAuthorization.read_callback` raises.
    """
    if is_signed(response_mode):
        mode = ResponseMode(response_mode)
        return _read_signed(callback, state, response_type, mode, issuer, verification(), now)
    posted = response_mode == ResponseMode.FORM_POST.value and "?" not in callback
    query, fragment = (callback, "") if posted else split_callback(callback)
    in_query, in_fragment = _names(query), _names(fragment)
    implicit = token_is_welcome and bool({"access_token", "error"} & in_fragment.keys())
    by_fragment = (
        implicit
        or response_mode == ResponseMode.FRAGMENT.value
        or " " in response_type
        # An error in the fragment is heard, even where the answer should be in the query.
        or ("error" in in_fragment and not {"code", "error"} & in_query.keys())
    )
    if posted:
        mode = ResponseMode.FORM_POST
    else:
        mode = ResponseMode.FRAGMENT if by_fragment else ResponseMode.QUERY
    carried = (in_fragment if by_fragment else in_query).get("state", [""])[0]
    pending = PendingAuthorization(
        url=callback,
        state=carried if state is None else state,
        response_type="token" if implicit else "code",
        response_mode=mode,
        issuer=issuer,
        issuer_required=issuer_required,
    )
    if implicit:
        return Callback(token=pending.read_implicit_callback(callback, now))
    return Callback(code=pending.read_callback(callback))


def is_signed(response_mode: object) -> bool:
    """Say whether this is the name of a mode in which the whole callback is signed (JARM)."""
    return isinstance(response_mode, str) and response_mode in _SIGNED


_SIGNED = frozenset(mode.value for mode in ResponseMode if mode.is_signed)


def _read_signed(
    callback: str,
    state: str | None,
    response_type: str,
    mode: ResponseMode,
    issuer: str | None,
    verification: JWTVerification,
    now: float,
) -> Callback:
    if mode is ResponseMode.FORM_POST_JWT and "?" in callback:
        mode = ResponseMode.QUERY_JWT
    if state is None:
        answer = open_callback(callback, mode, response_type, verification)
        state = answer.parameters.get("state", "")
    pending = PendingAuthorization(
        url=callback, state=state, response_type=response_type, response_mode=mode, issuer=issuer
    )
    if "code" not in response_type.split():
        return Callback(token=pending.read_implicit_callback(callback, now, verification))
    answer = pending.read_answer(callback, "code", verification)
    answer.check_times(now)
    return Callback(code=answer.parameters["code"])


def _names(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:  # too many: the strict reader says so
        return {}
