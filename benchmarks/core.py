"""The core alone, without any HTTP library."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any
from urllib.parse import urlencode

from oauth2_sansio import Answer, OAuth2Token, ResponseReceived, TokenKeeper
from oauth2_sansio.tokens import read_token

from .comparing import Case, Group
from .material import (
    AUTHORIZATION_URL,
    CLIENT,
    LONG_ANSWER,
    NOW,
    REQUEST,
    SETTINGS,
    SHORT_ANSWER,
    TOKEN,
    TOKEN_URL,
    module,
)
from .measuring import Step

# A header for a valid token.


def _header_by_hand(_port: int) -> Step:
    token: dict[str, Any] = dict(TOKEN)

    def step() -> object:
        if time.time() >= token["expires_at"] - 60:
            raise ValueError("expired")
        return f"Bearer {token['access_token']}"

    return step


def _header(_port: int) -> Step:
    header, clock = TokenKeeper(OAuth2Token(TOKEN), CLIENT.refresh).header, time.time
    return lambda: header(clock())


# An authorization URL.


def _url_by_hand(_port: int) -> Step:
    state = code_challenge = "s" * 43

    def step() -> object:
        os.urandom(32)
        hashlib.sha256(os.urandom(32)).digest()
        return f"{AUTHORIZATION_URL}?" + urlencode(
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
    def step() -> object:
        return CLIENT.authorize(
            redirect_uri="https://client.example/callback", scope="profile email"
        ).start(NOW)

    return step


def _url_of_session(_port: int) -> Step | None:
    ours = module("oauth2_sansio_requests") if module("requests") else None
    if ours is None:
        return None
    session = ours.OAuth2Session(**SETTINGS, code_challenge_method="S256", token_endpoint=TOKEN_URL)
    return lambda: session.create_authorization_url(AUTHORIZATION_URL)


def _url_of_authlib(_port: int) -> Step | None:
    authlib = module("authlib.integrations.requests_client")
    if authlib is None:
        return None
    session = authlib.OAuth2Session(**SETTINGS, code_challenge_method="S256")
    return lambda: session.create_authorization_url(AUTHORIZATION_URL, code_verifier="v" * 43)


def _url_of_requests_oauthlib(_port: int) -> Step | None:
    library = module("requests_oauthlib")
    if library is None:
        return None
    known = {name: SETTINGS[name] for name in ("client_id", "scope", "redirect_uri")}
    session = library.OAuth2Session(**known, pkce="S256")
    return lambda: session.authorization_url(AUTHORIZATION_URL)


# A token response.


def _answer_by_hand(text: str) -> Case:
    body = text.encode()
    return lambda _port: lambda: json.loads(body)


def _answer(text: str) -> Case:
    response = ResponseReceived(
        status=200, headers=(("Content-Type", "application/json"),), body=text.encode()
    )
    return lambda _port: lambda: read_token(Answer(REQUEST, response, NOW))


GROUPS = (
    Group(
        "header",
        "A valid token to the value of its header, without any HTTP library",
        2.5,
        "TokenKeeper.header",
        {"a clock check and an f-string": _header_by_hand, "TokenKeeper.header": _header},
        times=500,
    ),
    Group(
        "url",
        "An authorization URL with state and PKCE",
        1.2,
        "Client.authorize",
        {
            "2 urandom, SHA-256, urlencode": _url_by_hand,
            "Client.authorize": _url,
            "OAuth2Session": _url_of_session,
            "Authlib": _url_of_authlib,
            "requests-oauthlib": _url_of_requests_oauthlib,
        },
    ),
    Group(
        "answer-short",
        f"A token response of {len(SHORT_ANSWER)} bytes to a token",
        1.3,
        "read_token",
        {"json.loads": _answer_by_hand(SHORT_ANSWER), "read_token": _answer(SHORT_ANSWER)},
        times=500,
    ),
    Group(
        "answer-long",
        f"A token response of {len(LONG_ANSWER)} bytes, with JWTs, to a token",
        1.3,
        "read_token",
        {"json.loads": _answer_by_hand(LONG_ANSWER), "read_token": _answer(LONG_ANSWER)},
        times=500,
    ),
)
"""The groups, in the order in which they are printed."""
