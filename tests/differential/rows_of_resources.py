"""Requests to resources, with the token in them."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from .recorder import TOKEN, Answer
from .row import Do, Made, Read, Row, State, call

_GOOD = {"token": {"access_token": "a-0", "token_type": "Bearer", "expires_at": 4_000_000_000}}
_EXPIRED = {"access_token": "old", "token_type": "Bearer", "refresh_token": "r-1", "expires_at": 1}
_BODY = {**_GOOD, "token_placement": "body"}
_URI = {**_GOOD, "token_placement": "uri"}
_FORM = {"a": "1", "b": "x y"}


def _basic(state: State) -> Any:
    return (
        state.side.http.auth.HTTPBasicAuth("x", "y")
        if state.side.over_requests
        else state.side.http.BasicAuth("x", "y")
    )


def _own_auth(state: State) -> Any:
    return state.side.auth_class({"access_token": "own", "token_type": "Bearer"})


def _own_auth_in_uri(state: State) -> Any:
    return state.side.auth_class({"access_token": "own", "token_type": "Bearer"}, "uri")


def _stream(client: Any, state: State) -> Any:
    if state.side.over_requests:
        return client.get(state.recorder.url + "/api", stream=True)
    if not state.side.awaits:
        with client.stream("GET", state.recorder.url + "/api") as response:
            return [response.status_code, response.read()]

    async def read() -> Any:
        async with client.stream("GET", state.recorder.url + "/api") as response:
            return [response.status_code, await response.aread()]

    return read()


def _chunks(state: State) -> Any:
    async def later() -> Any:
        yield b"abc"

    return later() if state.side.awaits else iter([b"abc"])


def _upload(client: Any, state: State) -> Any:
    name = "data" if state.side.over_requests else "content"
    return client.post(state.recorder.url + "/api", **{name: _chunks(state)})


def _session_with_token_auth(client: Any, state: State) -> Any:
    """Use the client's token with a plain client of the HTTP library."""
    plain = state.side.build(state.side.plain_class)
    auth = client.token_auth

    async def go() -> Any:
        async with plain:
            return await plain.get(state.recorder.url + "/api", auth=auth)

    if state.side.awaits:
        return go()
    with plain:
        return plain.get(state.recorder.url + "/api", auth=auth)


def _without_a_network(client: Any, state: State) -> None:
    """Let the client send to nobody, and get a token."""

    def send(request: Any, **_options: Any) -> Any:
        state.noted.append(str(request.url))
        if not state.side.over_requests:
            return state.side.http.Response(200, json=TOKEN, request=request)
        response = state.side.http.Response()
        response.status_code = 200
        response._content = json.dumps(TOKEN).encode()
        return response

    async def send_later(request: Any, **options: Any) -> Any:
        return send(request, **options)

    client.send = send_later if state.side.awaits else send


def _withheld_beside_a_netrc(client: Any, state: State) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "netrc")
        file.write_text("machine 127.0.0.1 login x password y\n", encoding="ascii")
        file.chmod(0o600)
        with patch.dict(os.environ, NETRC=str(file)):
            return client.get(state.recorder.url + "/api", withhold_token=True)


_VERBS = ("get", "post", "put", "patch", "delete", "options", "head")

ROWS = (
    *(
        Row(f"{verb}: the token in the header", (call(verb, "{url}/api"),), _GOOD)
        for verb in _VERBS
    ),
    *(
        Row(f"{verb}: the token in the body", (call(verb, "{url}/api"),), _BODY)
        for verb in ("get", "head", "post", "delete")
    ),
    *(
        Row(f"{verb}: the token in the URL", (call(verb, "{url}/api"),), _URI)
        for verb in ("get", "post")
    ),
    Row("request", (call("request", "GET", "{url}/api"),), _GOOD),
    Row("request: another method", (call("request", "PURGE", "{url}/api"),), _GOOD),
    Row(
        "request: by keyword",
        (call("request", method="GET", url="{url}/api", withhold_token=True),),
        _GOOD,
    ),
    Row("request: params", (call("get", "{url}/api", params={"q": "x y"}),), _GOOD),
    Row(
        "request: the third argument",
        (call("request", "GET", "{url}/api", {"q": "1"}),),
        _GOOD,
        over="requests",
    ),
    Row("request: headers", (call("get", "{url}/api", headers={"X-Own": "1"}),), _GOOD),
    Row("request: a form", (call("post", "{url}/api", data=_FORM),), _GOOD),
    Row("request: JSON", (call("post", "{url}/api", json={"a": 1}),), _GOOD),
    Row(
        "request: an Authorization header of one's own",
        (call("get", "{url}/api", headers={"Authorization": "Own x"}),),
        _GOOD,
    ),
    Row("request: a stream of bytes", (Do(_upload),), _GOOD),
    Row("body: a form", (call("post", "{url}/api", data=_FORM),), _BODY),
    Row("body: JSON", (call("post", "{url}/api", json={"a": 1}),), _BODY),
    Row("uri: with a query", (call("get", "{url}/api?q=1"),), _URI),
    Row(
        "uri: a query that can be written in several ways",
        (call("get", "{url}/api?q=x%20y&z=/"),),
        _URI,
    ),
    Row("uri: a form", (call("post", "{url}/api", data=_FORM),), _URI),
    Row("withhold_token", (call("get", "{url}/api", withhold_token=True),), _GOOD),
    Row("withhold_token: without a token", (call("get", "{url}/api", withhold_token=True),)),
    Row("withhold_token: beside a .netrc", (Do(_withheld_beside_a_netrc),), _GOOD, over="requests"),
    Row(
        "a pickle",
        (Do(lambda client, _state: bool(pickle.dumps(client))),),
        _GOOD,
        over="requests",
    ),
    Row("no token", (call("get", "{url}/api"),)),
    Row("an empty token", (call("get", "{url}/api"),), {"token": {}}),
    Row(
        "request auth: an object of the HTTP library",
        (call("get", "{url}/api", auth=Made(_basic)),),
        _GOOD,
    ),
    Row("request auth: a tuple", (call("get", "{url}/api", auth=("x", "y")),), _GOOD),
    Row("request auth: a tuple, and no token", (call("get", "{url}/api", auth=("x", "y")),)),
    Row("request auth: another token", (call("get", "{url}/api", auth=Made(_own_auth)),), _GOOD),
    Row(
        "request auth: another token in the URL",
        (call("get", "{url}/api", auth=Made(_own_auth_in_uri)),),
        _GOOD,
    ),
    Row("stream", (Do(_stream),), _GOOD),
    Row("stream: no token", (Do(_stream),)),
    Row("stream: an expired token", (Do(_stream),), {"token": _EXPIRED}),
    Row("token_auth with a plain client", (Do(_session_with_token_auth),), _GOOD),
    Row(
        "token_auth with a plain client: expired",
        (Do(_session_with_token_auth),),
        {"token": _EXPIRED},
    ),
    Row(
        "OAuth2Auth with a plain client",
        (call("get", "{url}/api", auth=Made(_own_auth)),),
        kind="plain",
    ),
    Row(
        "OAuth2Auth with a plain client: in the URL",
        (call("get", "{url}/api?q=1", auth=Made(_own_auth_in_uri)),),
        kind="plain",
    ),
    Row(
        "token type in small letters",
        (call("get", "{url}/api"),),
        {"token": {"access_token": "a", "token_type": "bearer"}},
    ),
    Row("token type missing", (call("get", "{url}/api"),), {"token": {"access_token": "a"}}),
    Row(
        "token type of another kind",
        (call("get", "{url}/api"),),
        {"token": {"access_token": "a", "token_type": "mac"}},
    ),
    Row(
        "401 that says nothing",
        (call("get", "{url}/api"),),
        _GOOD,
        answers={"/api": (Answer("no", 401),)},
    ),
    Row(
        "401 invalid_token",
        (call("get", "{url}/api"),),
        {"token": {**_EXPIRED, "expires_at": 4_000_000_000}},
        answers={
            "/api": (
                Answer("no", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
                Answer({"ok": True}),
            )
        },
    ),
    Row("404 comes back as it is", (call("get", "{url}/none"),), _GOOD),
    Row(
        "500 comes back as it is",
        (call("get", "{url}/api"),),
        _GOOD,
        answers={"/api": (Answer("oh", 500),)},
    ),
    Row(
        "a redirect of a resource",
        (call("get", "{url}/old"),),
        _GOOD,
        answers={"/old": (Answer(None, 302, {"Location": "/api"}),)},
    ),
    Row("base_url", (call("get", "/api"),), {**_GOOD, "base_url": "{url}"}, over="httpx"),
    Row(
        "base_url: of a token request",
        (call("fetch_token", "/token"),),
        {"base_url": "{url}", "token_endpoint": None},
        over="httpx",
    ),
    Row(
        "token_placement: unknown",
        (call("get", "{url}/api"),),
        {**_GOOD, "token_placement": "trailer"},
    ),
    Row(
        "token_auth: its parts",
        (Do(lambda client, _state: [client.token_auth.token, client.token_auth.token_placement]),),
        _GOOD,
    ),
    Row(
        "metadata: is read",
        (Read("metadata"), call("fetch_token")),
        {"issuer": "https://as.example"},
    ),
    Row(
        "metadata: is written",
        (
            Do(
                lambda client, state: client.metadata.update(
                    token_endpoint=state.recorder.url + "/token"
                )
            ),
            call("fetch_token"),
        ),
        {"token_endpoint": None},
    ),
    Row(
        "attributes",
        tuple(
            Read(name)
            for name in (
                "client_id",
                "client_secret",
                "scope",
                "state",
                "redirect_uri",
                "token",
                "token_endpoint_auth_method",
                "revocation_endpoint_auth_method",
                "leeway",
                "update_token",
                "code_challenge_method",
            )
        ),
        {"scope": "read"},
    ),
    Row(
        "attributes without a secret",
        tuple(
            Read(name)
            for name in ("token_endpoint_auth_method", "revocation_endpoint_auth_method", "scope")
        ),
        positional=("app",),
    ),
    Row("a token given, with only expires_in", (Read("token"),), {"token": TOKEN}),
    Row("a token given", (Read("token"),), {"token": _EXPIRED}),
    Row(
        "state by position",
        (Read("state"), Read("redirect_uri")),
        positional=("app", "s", None, None, "read", "the-state", "https://app.example/cb"),
        over="requests",
    ),
    Row(
        "redirect_uri by position",
        (Read("redirect_uri"), Read("token")),
        positional=("app", "s", None, None, "read", "https://app.example/cb", _EXPIRED),
        over="httpx",
    ),
    Row("an argument that nobody knows", (call("fetch_token"),), {"tokn_endpoint": "x"}),
    Row(
        "a PKCE method that is not safe",
        (Read("code_challenge_method"),),
        {"code_challenge_method": "plain"},
    ),
    Row(
        "plain http elsewhere",
        (Do(_without_a_network), call("fetch_token", "http://as.example/token")),
        {"token_endpoint": None},
    ),
)
