"""What is compared: ours, the same by hand, and the same with other libraries.

Each case is a function that builds all that can be built beforehand, and returns the step to
measure. A case of a library that is not installed returns None.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase

from oauth2_sansio import (
    Answer,
    Client,
    ClientSecretBasic,
    Endpoint,
    OAuth2Token,
    RequestToSend,
    ResponseReceived,
    Server,
    TokenKeeper,
)
from oauth2_sansio.tokens import read_token
from oauth2_sansio_requests import OAuth2Session

from .measuring import Step

Case = Callable[[int], Step | None]
"""Builds a step; gets the port of a server that answers every request."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that do the same. The first is what the others are measured against.

    goal: how many times as much as the first one ours may take at most.
    times: how often each case is done in one turn, while its instructions are counted.
    """

    title: str
    goal: float
    cases: Mapping[str, Case]
    times: int = 100


NOW = time.time()
TOKEN = {
    "access_token": "2YotnFZFEjr1zCsicMWpAA.2YotnFZFEjr1zCsicMWpAA",
    "token_type": "Bearer",
    "expires_in": 864_000,
    "expires_at": int(NOW) + 864_000,
    "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA.tGzv3JOkF0XG5Qx2TlKWIA",
    "scope": "profile email",
}
SHORT_ANSWER = json.dumps({name: value for name, value in TOKEN.items() if name != "expires_at"})
LONG_ANSWER = json.dumps(
    {
        "access_token": "eyJhbGciOiJSUzI1NiIs." * 60,
        "id_token": "eyJhbGciOiJSUzI1NiIs." * 45,
        "token_type": "Bearer",
        "expires_in": 3599,
        "refresh_token": "1//0gtGzv3JOkF0XG5Qx2TlKWIA-tGzv3JOkF0XG5Qx2TlKWIA",
        "scope": "openid profile email",
    }
)
SERVER = Server(
    issuer="https://server.example",
    authorization_endpoint="https://server.example/authorize",
    token_endpoint="https://server.example/token",
)
REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")


# A header for a valid token.


def _header_by_hand(_port: int) -> Step:
    token: dict[str, Any] = dict(TOKEN)

    def step() -> object:
        if time.time() >= token["expires_at"] - 60:
            raise ValueError("expired")
        return f"Bearer {token['access_token']}"

    return step


def _header(_port: int) -> Step:
    client = Client(server=SERVER, client_id="a-client", auth=ClientSecretBasic("a secret"))
    keeper = TokenKeeper(OAuth2Token(TOKEN), client.refresh)
    header, clock = keeper.header, time.time
    return lambda: header(clock())


# An authorization URL.


def _url_by_hand(_port: int) -> Step:
    state = code_challenge = "s" * 43

    def step() -> object:
        os.urandom(32)
        hashlib.sha256(os.urandom(32)).digest()
        return "https://server.example/authorize?" + urlencode(
            [
                ("response_type", "code"),
                ("client_id", "a-client"),
                ("redirect_uri", "https://client.example/callback"),
                ("scope", "profile email"),
                ("state", state),
                ("code_challenge", code_challenge),
                ("code_challenge_method", "S256"),
            ]
        )

    return step


def _url(_port: int) -> Step:
    client = Client(server=SERVER, client_id="a-client", auth=ClientSecretBasic("a secret"))

    def step() -> object:
        return client.authorize(
            redirect_uri="https://client.example/callback", scope="profile email"
        ).start(NOW)

    return step


def _url_of_session(_port: int) -> Step:
    session = _our_session()
    return lambda: session.create_authorization_url("https://server.example/authorize")


def _url_of_authlib(_port: int) -> Step | None:
    session = _session_of_authlib(code_challenge_method="S256")
    if session is None:
        return None
    return lambda: session.create_authorization_url(
        "https://server.example/authorize", code_verifier="v" * 43
    )


def _url_of_requests_oauthlib(_port: int) -> Step | None:
    session = _session_of_requests_oauthlib(pkce="S256")
    if session is None:
        return None
    return lambda: session.authorization_url("https://server.example/authorize")


# A token response.


def _answer_by_hand(text: str) -> Case:
    body = text.encode()
    return lambda _port: lambda: json.loads(body)


def _answer(text: str) -> Case:
    response = ResponseReceived(
        status=200, headers=(("Content-Type", "application/json"),), body=text.encode()
    )
    return lambda _port: lambda: read_token(Answer(REQUEST, response, NOW))


# An authorized request.


class _ShortestAuth(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = "Bearer 2YotnFZFEjr1zCsicMWpAA"
        return request


def _request_by_hand(port: int) -> Step:
    session = requests.Session()
    session.auth = _ShortestAuth()
    return _asking(session, port)


def _request(port: int) -> Step:
    return _asking(_our_session(), port)


def _request_of_authlib(port: int) -> Step | None:
    session = _session_of_authlib()
    return None if session is None else _asking(session, port)


def _request_of_requests_oauthlib(port: int) -> Step | None:
    session = _session_of_requests_oauthlib()
    return None if session is None else _asking(session, port)


def _asking(session: Any, port: int) -> Step:
    url = f"http://127.0.0.1:{port}/me"
    # Let what the process's environment holds play no part.
    session.trust_env = False
    return lambda: session.get(url, timeout=30)


# Sessions, all with the same settings.

_SETTINGS: dict[str, Any] = {
    "client_id": "a-client",
    "client_secret": "a secret",
    "scope": "profile email",
    "redirect_uri": "https://client.example/callback",
}


def _our_session() -> OAuth2Session:
    return OAuth2Session(
        **_SETTINGS,
        code_challenge_method="S256",
        token_endpoint="https://server.example/token",
        token=TOKEN,
    )


def _session_of_authlib(**settings: Any) -> Any:
    if find_spec("authlib") is None:
        return None
    module = import_module("authlib.integrations.requests_client")
    return module.OAuth2Session(**_SETTINGS, **settings, token=dict(TOKEN))


def _session_of_requests_oauthlib(**settings: Any) -> Any:
    if find_spec("requests_oauthlib") is None:
        return None
    # It refuses plain http, also on the loopback interface, unless it is told so.
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    module = import_module("requests_oauthlib")
    known = {name: _SETTINGS[name] for name in ("client_id", "scope", "redirect_uri")}
    return module.OAuth2Session(**known, **settings, token=dict(TOKEN))


GROUPS = (
    Group(
        "A valid token to the value of its header, without any HTTP library",
        2.5,
        {"a clock check and an f-string": _header_by_hand, "TokenKeeper.header": _header},
        times=500,
    ),
    Group(
        "An authorized request over requests, on the loopback interface",
        1.003,
        {
            "the shortest auth object": _request_by_hand,
            "OAuth2Session": _request,
            "Authlib": _request_of_authlib,
            "requests-oauthlib": _request_of_requests_oauthlib,
        },
        times=40,
    ),
    Group(
        "An authorization URL with state and PKCE",
        1.2,
        {
            "2 urandom, SHA-256, urlencode": _url_by_hand,
            "Client.authorize": _url,
            "OAuth2Session": _url_of_session,
            "Authlib": _url_of_authlib,
            "requests-oauthlib": _url_of_requests_oauthlib,
        },
    ),
    Group(
        f"A token response of {len(SHORT_ANSWER)} bytes to a token",
        1.3,
        {"json.loads": _answer_by_hand(SHORT_ANSWER), "read_token": _answer(SHORT_ANSWER)},
        times=500,
    ),
    Group(
        f"A token response of {len(LONG_ANSWER)} bytes, with JWTs, to a token",
        1.3,
        {"json.loads": _answer_by_hand(LONG_ANSWER), "read_token": _answer(LONG_ANSWER)},
        times=500,
    ),
)
"""The groups, in the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class Size:
    """Two things whose memory is compared.

    goal: how many bytes more the second one may take.
    """

    title: str
    goal: int
    bare: Callable[[], object]
    ours: Callable[[], object]


def _token_read() -> object:
    response = ResponseReceived(status=200, body=SHORT_ANSWER.encode())
    return read_token(Answer(REQUEST, response, NOW))


SIZES = (
    Size("a token, over what json.loads gives", 250, lambda: json.loads(SHORT_ANSWER), _token_read),
    Size("a session, over a requests.Session", 3_000, requests.Session, OAuth2Session),
    Size(
        "the same with client, endpoint and token",
        3_000,
        lambda: (requests.Session(), dict(TOKEN)),
        _our_session,
    ),
)

IMPORTS = {
    "requests": "import requests",
    "oauth2_sansio_requests": "import oauth2_sansio_requests",
    "Authlib": "import authlib.integrations.requests_client",
    "requests-oauthlib": "import requests_oauthlib",
}
"""Statements whose modules are counted."""
