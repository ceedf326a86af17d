"""Assertion sessions and clients."""

from __future__ import annotations

from typing import Any

from .recorder import TOKEN, Answer
from .row import Assign, Do, Made, Read, Row, State, call

_API = call("get", "{url}/api")
_EXPIRED = {"access_token": "old", "token_type": "Bearer", "expires_at": 1}
_FRESH = {"access_token": "a-0", "token_type": "Bearer", "expires_at": 4_000_000_000}


def _row(name: str, *steps: Any, **kwargs: Any) -> Row:
    return Row(f"assertion: {name}", steps, kind="assertion", **kwargs)


def _stream(client: Any, state: State) -> Any:
    if not state.side.awaits:
        with client.stream("GET", state.recorder.url + "/api") as response:
            return [response.status_code, response.read()]

    async def read() -> Any:
        async with client.stream("GET", state.recorder.url + "/api") as response:
            return [response.status_code, await response.aread()]

    return read()


def _claims(_client: Any, state: State) -> Any:
    """The caller's dicts, after two tokens."""
    return [state.noted[0], state.noted[1]]


def _kept(value: dict[str, Any]) -> Made:
    def make(state: State) -> Any:
        own = dict(value)
        state.noted.append(own)
        return own

    return Made(make)


ROWS = (
    _row("the first request fetches a token", _API, Read("token")),
    _row("refresh_token", call("refresh_token")),
    _row("a fresh token is used", Assign("token", _FRESH), _API),
    _row("an expired token is renewed", Assign("token", _EXPIRED), _API),
    _row("audience", _API, client={"audience": "https://as.example"}),
    _row(
        "audience as a list", _API, client={"audience": ["https://as.example", "https://b.example"]}
    ),
    _row("claims", _API, client={"claims": {"a": 1, "iss": "another"}}),
    _row("claims: jti", call("refresh_token"), client={"claims": {"jti": "mine"}}),
    _row(
        "claims and header stay as they are",
        _API,
        Assign("token", _EXPIRED),
        _API,
        Do(_claims),
        client={
            "claims": _kept({"a": 1}),
            "header": _kept({"alg": "HS256", "kid": "k"}),
            "alg": None,
        },
    ),
    _row(
        "header",
        _API,
        client={"header": {"alg": "HS512", "kid": "k"}, "alg": None, "key": "k" * 64},
    ),
    _row("no alg", _API, client={"alg": None}),
    _row("no subject", _API, positional=("{url}/token", "the-issuer", None)),
    _row("scope", _API, client={"scope": "read write"}),
    _row("scope as a list", _API, client={"scope": ["read", "write"]}),
    _row("client_id", _API, client={"client_id": "app"}),
    _row("expires_in", _API, client={"expires_in": 60}),
    _row(
        "issued_at and expires_at",
        _API,
        client={"issued_at": 4_000_000_000, "expires_at": 4_000_000_100},
    ),
    _row("grant_type: unknown", _API, client={"grant_type": "urn:example:unknown"}),
    _row("token in the URL", _API, client={"token_placement": "uri"}),
    _row("withhold_token", call("get", "{url}/api", withhold_token=True)),
    _row("auth of one's own", call("get", "{url}/api", auth=("x", "y"))),
    _row("stream", Do(_stream), over="httpx"),
    _row(
        "leeway",
        Assign("leeway", 4_000_000_000),
        Assign("token", {**_FRESH, "expires_at": 5_000_000_000}),
        _API,
    ),
    _row(
        "an error",
        _API,
        answers={"/token": (Answer({"error": "invalid_grant", "error_description": "No."}, 400),)},
    ),
    _row("502", _API, answers={"/token": (Answer("<html>", 502),)}),
    _row("JSON without a token", _API, answers={"/token": (Answer({"a": 1}),)}),
    _row(
        "all by position",
        _API,
        positional=(
            "{url}/token",
            "i",
            "s",
            "https://as.example",
            None,
            {"a": 1},
            "header",
            "read",
            "app",
        ),
        answers={"/token": (Answer(TOKEN),)},
    ),
    _row(
        "attributes",
        *(
            Read(name)
            for name in (
                "grant_type",
                "scope",
                "client_id",
                "token",
                "issuer",
                "subject",
                "audience",
                "claims",
                "token_endpoint",
                "leeway",
            )
        ),
        client={"scope": "read"},
    ),
)
