"""Tokens that are renewed, revoked and asked about."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .recorder import TOKEN, Answer, Received
from .row import Assign, Do, Made, Read, Row, State, call

_EXPIRED = {"access_token": "old", "token_type": "Bearer", "refresh_token": "r-1", "expires_at": 1}
_WITHOUT_REFRESH = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}
_FRESH = {
    "access_token": "a-0",
    "token_type": "Bearer",
    "refresh_token": "r-0",
    "expires_at": 4_000_000_000,
}
_API = call("get", "{url}/api")


def _noting(state: State) -> Any:
    def note(token: Any, refresh_token: Any = None, access_token: Any = None) -> None:
        state.noted.append([dict(token), refresh_token, access_token, state.client.token == token])

    async def note_later(token: Any, refresh_token: Any = None, access_token: Any = None) -> None:
        note(token, refresh_token, access_token)

    return note_later if state.side.awaits else note


def _noting_and_calling(state: State) -> Any:
    """Save by use of the client itself."""

    def save(_token: Any, **_replaced: Any) -> None:
        state.noted.append(state.client.get(state.recorder.url + "/api").json())

    async def save_later(_token: Any, **_replaced: Any) -> None:
        state.noted.append((await state.client.get(state.recorder.url + "/api")).json())

    return save_later if state.side.awaits else save


def _two_at_once(client: Any, state: State) -> Any:
    """Let two callers find the token expired: while the first renews it, the second comes."""
    numbers, second = itertools.count(1), threading.Event()

    def before_answer(request: Received) -> None:
        if request.path != "/token":
            return
        if next(numbers) > 1:
            second.set()
        elif not state.side.awaits:  # where Authlib's second one never comes, it waits for a lock
            second.wait(0.2 if state.side.is_ours else 30)

    state.recorder.before_answer = before_answer
    url = state.recorder.url + "/api"
    if state.side.awaits:
        return asyncio.gather(client.get(url), client.get(url))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(client.get, [url, url]))


_SAVING = {"update_token": Made(_noting)}
_ROTATED = {"/token": (Answer({**TOKEN, "refresh_token": "r-2"}),)}

ROWS = (
    Row(
        "refresh_token", (call("refresh_token"),), {"token": _EXPIRED, **_SAVING}, answers=_ROTATED
    ),
    Row("refresh_token: of a fresh token", (call("refresh_token"),), {"token": _FRESH, **_SAVING}),
    Row(
        "refresh_token: url and token by position",
        (call("refresh_token", "{url}/token", "r-9"),),
        {"token": _EXPIRED, "token_endpoint": None, **_SAVING},
    ),
    Row(
        "refresh_token: by keyword",
        (call("refresh_token", url="{url}/token", refresh_token="r-9"),),
        {"token": _EXPIRED},
    ),
    Row(
        "refresh_token: no token held, saving",
        (call("refresh_token", "{url}/token", refresh_token="r-9"),),
        dict(_SAVING),
    ),
    Row(
        "refresh_token: no token held", (call("refresh_token", "{url}/token", refresh_token="r-9"),)
    ),
    Row(
        "refresh_token: nothing to refresh with",
        (call("refresh_token"),),
        {"token": _WITHOUT_REFRESH},
    ),
    Row(
        "refresh_token: scope of the client",
        (call("refresh_token"),),
        {"token": _EXPIRED, "scope": "read"},
    ),
    Row(
        "refresh_token: scope of the call",
        (call("refresh_token", scope="less"),),
        {"token": _EXPIRED, "scope": "read"},
    ),
    Row(
        "refresh_token: body, headers, further parameters",
        (
            call(
                "refresh_token",
                body="a=1",
                headers={
                    "X-Own": "1",
                    "Accept": "application/json",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                audience="x",
            ),
        ),
        {"token": _EXPIRED},
    ),
    Row("refresh_token: auth", (call("refresh_token", auth=("x", "y")),), {"token": _EXPIRED}),
    Row(
        "refresh_token: the answer has none",
        (call("refresh_token"),),
        {"token": _EXPIRED, **_SAVING},
    ),
    Row(
        "refresh_token: the answer's is null",
        (call("refresh_token"),),
        {"token": _EXPIRED, **_SAVING},
        answers={"/token": (Answer({**TOKEN, "refresh_token": None}),)},
    ),
    Row(
        "refresh_token: scope and unknown members of the old token",
        (call("refresh_token"),),
        {"token": {**_EXPIRED, "scope": "read", "extra": 1}},
    ),
    Row(
        "refresh_token: is refused",
        (call("refresh_token"),),
        {"token": _EXPIRED, **_SAVING},
        answers={"/token": (Answer({"error": "invalid_grant", "error_description": "gone"}, 400),)},
    ),
    Row(
        "refresh_token: 503",
        (call("refresh_token"),),
        {"token": _EXPIRED},
        answers={"/token": (Answer("", 503),)},
    ),
    Row(
        "ensure_active_token: fresh",
        (Do(lambda client, _state: client.ensure_active_token(client.token)),),
        {"token": _FRESH},
    ),
    Row(
        "ensure_active_token: expired",
        (Do(lambda client, _state: client.ensure_active_token(client.token)),),
        {"token": _EXPIRED, **_SAVING},
    ),
    Row(
        "ensure_active_token: no argument",
        (call("ensure_active_token"),),
        {"token": _EXPIRED},
        over="requests",
    ),
    Row(
        "ensure_active_token: cannot be renewed",
        (Do(lambda client, _state: client.ensure_active_token(client.token)),),
        {"token": _WITHOUT_REFRESH},
    ),
    Row("renewal by refresh token", (_API,), {"token": _EXPIRED, **_SAVING}, answers=_ROTATED),
    Row(
        "renewal within the leeway",
        (Assign("leeway", 4_000_000_000), _API),
        {"token": {**_FRESH, "expires_at": 5_000_000_000}},
        answers=_ROTATED,
    ),
    Row(
        "renewal by client credentials",
        (_API,),
        {"token": _WITHOUT_REFRESH, "grant_type": "client_credentials", **_SAVING},
    ),
    Row(
        "renewal by client credentials: with the scope",
        (_API,),
        {"token": _WITHOUT_REFRESH, "grant_type": "client_credentials", "scope": "read"},
    ),
    Row(
        "renewal of fetched client credentials",
        (call("fetch_token"), Assign("token", _WITHOUT_REFRESH), _API),
        dict(_SAVING),
    ),
    Row(
        "renewal of fetched client credentials: with the audience",
        (
            call("fetch_token", audience="x", resource="https://r.example"),
            Do(lambda client, _state: client.token.update(expires_at=1)),
            _API,
        ),
        answers={"/token": (Answer(TOKEN), Answer({**TOKEN, "access_token": "a-2"}))},
    ),
    Row(
        "a token that lives no longer than the leeway",
        (call("fetch_token"), _API, _API),
        answers={"/token": (Answer({**TOKEN, "expires_in": 60}),)},
    ),
    Row("renewal is impossible", (_API,), {"token": _WITHOUT_REFRESH}),
    Row(
        "renewal is impossible: no token endpoint",
        (_API,),
        {"token": _EXPIRED, "token_endpoint": None},
    ),
    Row(
        "renewal is refused",
        (_API,),
        {"token": _EXPIRED, **_SAVING},
        answers={"/token": (Answer({"error": "invalid_grant"}, 400),)},
    ),
    Row("two callers find the token expired", (Do(_two_at_once),), {"token": _EXPIRED}),
    Row(
        "update_token uses the client",
        (_API,),
        {"token": _EXPIRED, "update_token": Made(_noting_and_calling)},
    ),
    Row(
        "refresh_token in a loop",
        (call("refresh_token"), call("refresh_token")),
        {"token": _EXPIRED, **_SAVING},
        answers=_ROTATED,
    ),
    Row("revoke_token", (call("revoke_token", "{url}/revoke"),), {"token": _FRESH}),
    Row(
        "revoke_token: of a client without a refresh token",
        (call("revoke_token", "{url}/revoke"),),
        {"token": {**_FRESH, "refresh_token": None}},
    ),
    Row(
        "revoke_token: arguments by position",
        (
            call(
                "revoke_token",
                "{url}/revoke",
                "t",
                "access_token",
                "a=1",
                ("x", "y"),
                {"X-Own": "1"},
            ),
        ),
    ),
    Row(
        "revoke_token: by keyword",
        (
            call(
                "revoke_token",
                url="{url}/revoke",
                token="t",
                token_type_hint="refresh_token",
                body="a=1",
                headers={"X-Own": "1"},
            ),
        ),
    ),
    Row("revoke_token: no token", (call("revoke_token", "{url}/revoke"),)),
    Row(
        "revoke_token: its own method",
        (call("revoke_token", "{url}/revoke", token="t"),),
        {"revocation_endpoint_auth_method": "client_secret_post"},
    ),
    Row(
        "revoke_token: no secret",
        (call("revoke_token", "{url}/revoke", token="t"),),
        positional=("app",),
    ),
    Row(
        "revoke_token: an error comes back as it is",
        (call("revoke_token", "{url}/revoke", token="t"),),
        answers={"/revoke": (Answer({"error": "unsupported_token_type"}, 400),)},
    ),
    Row(
        "revoke_token: 503",
        (call("revoke_token", "{url}/revoke", token="t"),),
        answers={"/revoke": (Answer("later", 503),)},
    ),
    Row("introspect_token", (call("introspect_token", "{url}/introspect"),), {"token": _FRESH}),
    Row(
        "introspect_token: arguments",
        (
            call(
                "introspect_token",
                "{url}/introspect",
                token="t",
                token_type_hint="access_token",
                body="a=1",
            ),
        ),
    ),
    Row("introspect_token: no token", (call("introspect_token", "{url}/introspect"),)),
    Row(
        "introspect_token: auth",
        (call("introspect_token", "{url}/introspect", token="t", auth=("x", "y")),),
    ),
    Row(
        "introspect_token: not active",
        (call("introspect_token", "{url}/introspect", token="t"),),
        answers={"/introspect": (Answer({"active": False}),)},
    ),
    Row(
        "introspect_token: 401",
        (call("introspect_token", "{url}/introspect", token="t"),),
        answers={"/introspect": (Answer({"error": "invalid_client"}, 401),)},
    ),
    Row("token: is set to a dict", (Assign("token", _FRESH), Read("token"), _API)),
    Row("token: is set to None", (Assign("token", None), Read("token"), _API), {"token": _FRESH}),
    Row("token: is set to one with only expires_in", (Assign("token", TOKEN), Read("token"))),
    Row(
        "token: is_expired",
        (
            Do(
                lambda client, _state: [
                    client.token.is_expired(),
                    client.token.is_expired(leeway=5_000_000_000),
                    client.token.is_expired(10),
                ]
            ),
        ),
        {"token": _FRESH},
    ),
    Row(
        "token: repr", (Do(lambda client, _state: "a-0" in repr(client.token)),), {"token": _FRESH}
    ),
    Row(
        "token: is_expired without an end",
        (Do(lambda client, _state: client.token.is_expired()),),
        {"token": {"access_token": "a", "token_type": "Bearer"}},
    ),
)
