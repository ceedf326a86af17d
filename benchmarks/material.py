"""What all cases send and get: one client at one server, one token, and answers."""

from __future__ import annotations

import json
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from oauth2_sansio import Client, ClientSecretBasic, Endpoint, RequestToSend, Server

NOW = time.time()
TOKEN = {
    "access_token": "2YotnFZFEjr1zCsicMWpAA.2YotnFZFEjr1zCsicMWpAA",
    "token_type": "Bearer",
    "expires_in": 864_000,
    "expires_at": int(NOW) + 864_000,
    "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA.tGzv3JOkF0XG5Qx2TlKWIA",
    "scope": "profile email",
}
BEARER = f"Bearer {TOKEN['access_token']}"
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
AUTHORIZATION_URL = "https://server.example/authorize"
TOKEN_URL = "https://server.example/token"
SERVER = Server(
    issuer="https://server.example",
    authorization_endpoint=AUTHORIZATION_URL,
    token_endpoint=TOKEN_URL,
)
REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url=TOKEN_URL)
CLIENT = Client(server=SERVER, client_id="a-client", auth=ClientSecretBasic("a-secret"))

SETTINGS: dict[str, Any] = {
    "client_id": "a-client",
    "client_secret": "a-secret",
    "scope": "profile email",
    "redirect_uri": "https://client.example/callback",
}
"""Of every session and client, ours and others'."""

CREDENTIALS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Authorization": "Basic YS1jbGllbnQ6YS1zZWNyZXQ=",
    "Connection": "close",
}
"""The headers of our token requests, but for those that the HTTP library adds."""


def url_on(port: int) -> str:
    """Return a URL of the server that answers every request."""
    return f"http://127.0.0.1:{port}/me"


def module(name: str) -> Any:
    """Return a module; None where its library is not installed."""
    if find_spec(name.partition(".")[0]) is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some deprecate themselves
        return import_module(name)
