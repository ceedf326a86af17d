"""How many attributes an object of ours has that is a session or a client of an HTTP library.

CPython reads the attributes of an object quickly while there are fewer than 30, those of the
library and those of the user's own subclass included.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from oauth2_sansio_httpx import AsyncOAuth2Client, OAuth2Client
from oauth2_sansio_requests import OAuth2Session

SETTINGS: dict[str, Any] = {
    "client_id": "a client",
    "client_secret": "a secret",
    "scope": "email",
    "redirect_uri": "https://client.example/callback",
    "token_endpoint": "https://server.example/token",
    "token": {"access_token": "a token"},
    "update_token": print,
    "code_challenge_method": "S256",
}
OVER_REQUESTS = 28  # two are left for the user
OVER_HTTPX = 29


def test_a_session_has_few_attributes() -> None:
    session = OAuth2Session(**SETTINGS)

    assert len(vars(session)) <= OVER_REQUESTS, sorted(vars(session))


@pytest.mark.parametrize("kind", [OAuth2Client, AsyncOAuth2Client])
def test_a_client_over_httpx_has_few_attributes(kind: Any) -> None:
    answer = httpx.Response(200, json={"access_token": "another token"})
    client = kind(**SETTINGS, transport=httpx.MockTransport(lambda _request: answer))
    if kind is AsyncOAuth2Client:
        asyncio.run(client.fetch_token())
    else:
        client.fetch_token()

    assert client.token == {"access_token": "another token"}
    assert len(vars(client)) <= OVER_HTTPX, sorted(vars(client))
