"""How much memory things take, and what an import loads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from oauth2_sansio import Answer, ResponseReceived
from oauth2_sansio.tokens import read_token

from .comparing import Size
from .material import NOW, REQUEST, SETTINGS, SHORT_ANSWER, TOKEN, TOKEN_URL, module

IMPORTS: Mapping[str, tuple[str, str]] = {
    "oauth2_sansio_requests": ("import requests", "import oauth2_sansio_requests"),
    "Authlib over requests": ("import requests", "import authlib.integrations.requests_client"),
    "requests-oauthlib": ("import requests", "import requests_oauthlib"),
    "oauth2_sansio_httpx": ("import httpx", "import oauth2_sansio_httpx"),
    "Authlib over httpx": ("import httpx", "import authlib.integrations.httpx_client"),
    "httpx-auth": ("import httpx", "import httpx_auth"),
    "oauth2_sansio_trio": ("import trio, h11", "import oauth2_sansio_trio"),
}
"""What is imported first, and the import of which the further modules are counted."""

MOST_STANDARD_MODULES = 12


def _token_read() -> object:
    response = ResponseReceived(status=200, body=SHORT_ANSWER.encode())
    return read_token(Answer(REQUEST, response, NOW))


def sizes() -> list[Size]:
    """Return what is compared: as far as the libraries are installed."""
    found = [
        Size(
            "a token, over what json.loads gives",
            250,
            lambda: json.loads(SHORT_ANSWER),
            _token_read,
        )
    ]
    requests, httpx = module("requests"), module("httpx")
    if requests is not None:
        found += _over_requests()
    if httpx is not None:
        found += _over_httpx()
    return found


def _over_requests() -> list[Size]:
    requests, ours = module("requests"), module("oauth2_sansio_requests")
    renewing = ours.OAuth2Session(**SETTINGS, token_endpoint=TOKEN_URL)
    return [
        Size("a session, over a requests.Session", 3_000, requests.Session, ours.OAuth2Session),
        Size(
            "the same with client, endpoint and token",
            3_000,
            lambda: (requests.Session(), dict(TOKEN)),
            lambda: ours.OAuth2Session(**SETTINGS, token_endpoint=TOKEN_URL, token=TOKEN),
        ),
        Size(
            "a user: an OAuth2Auth that a session renews",
            2_000,
            lambda: dict(TOKEN),
            lambda: ours.OAuth2Auth(dict(TOKEN), client=renewing),
        ),
    ]


def _over_httpx() -> list[Size]:
    httpx, ours = module("httpx"), module("oauth2_sansio_httpx")
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))
    renewing = ours.AsyncOAuth2Client("a-client", "a-secret", token_endpoint=TOKEN_URL)
    return [
        Size(
            "a client, over a httpx.Client",
            3_000,
            lambda: (httpx.Client(transport=transport), dict(TOKEN)),
            lambda: ours.OAuth2Client(
                "a-client",
                "a-secret",
                token_endpoint=TOKEN_URL,
                token=TOKEN,
                transport=transport,
            ),
        ),
        Size(
            "a user: an OAuth2Auth that a client renews",
            2_000,
            lambda: dict(TOKEN),
            lambda: ours.OAuth2Auth(dict(TOKEN), client=renewing),
        ),
    ]
