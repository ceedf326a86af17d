"""What a callback of the drop-in vocabulary brings: a code, or a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from ..authorization import PendingAuthorization
from ..callback import ResponseMode
from ..tokens import OAuth2Token
from ..urls import split_callback


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
    now: float = 0.0,
) -> Callback:
    """Return what a callback brings, once all else in it has been checked.

    state: what it has to carry; with None, whatever it carries is taken.
    token_is_welcome: whether a token in the fragment is taken.
    Raises what `PendingAuthorization.read_callback` raises.
    """
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


def _names(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:  # too many: the strict reader says so
        return {}
