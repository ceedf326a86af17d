"""How many bytes a token and a session take more than what they stand for."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable

import httpx
import pytest
import requests

from oauth2_sansio import Answer, Endpoint, OAuth2Token, RequestToSend, ResponseReceived
from oauth2_sansio.tokens import read_token
from oauth2_sansio_httpx import OAuth2Client
from oauth2_sansio_requests import OAuth2Session

OBJECTS = 200

BODY = json.dumps(
    {
        "access_token": "2YotnFZFEjr1zCsicMWpAA",
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA",
        "scope": "profile email",
    }
).encode()
REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")


def bare_token() -> object:
    """Return what the server has sent, and nothing more."""
    return json.loads(BODY)


def token() -> OAuth2Token:
    """Return the token in the server's answer."""
    response = ResponseReceived(status=200, body=BODY)
    return read_token(Answer(REQUEST, response, 1_700_000_000.0))


def session_with_settings() -> OAuth2Session:
    """Return a session that has what most have."""
    return OAuth2Session(
        "a client",
        "a secret",
        scope="profile email",
        redirect_uri="https://client.example/callback",
        code_challenge_method="S256",
        token_endpoint="https://server.example/token",
        token={"access_token": "2YotnFZFEjr1zCsicMWpAA"},
    )


def bytes_of(build: Callable[[], object]) -> float:
    """Return how many bytes one object takes, with all that it alone holds."""
    # What is made once for all is made before, and what knows all objects has grown.
    kept: list[object] = [build() for _ in range(OBJECTS)]
    kept.clear()
    gc.collect()
    tracemalloc.start()
    try:
        kept = [None] * OBJECTS
        before = tracemalloc.get_traced_memory()[0]
        for index in range(OBJECTS):
            kept[index] = build()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    finally:
        tracemalloc.stop()


def test_the_measuring_sees_what_is_added() -> None:
    more = bytes_of(lambda: bytearray(1000)) - bytes_of(lambda: bytearray(0))
    assert 1000 <= more < 1100


def test_a_token_costs_250_bytes_at_most() -> None:
    assert bytes_of(token) - bytes_of(bare_token) <= 250


@pytest.mark.parametrize("build", [OAuth2Session, session_with_settings])
def test_a_session_costs_3_kilobytes_at_most(build: Callable[[], object]) -> None:
    assert bytes_of(build) - bytes_of(requests.Session) <= 3_000


def test_a_client_over_httpx_costs_3_kilobytes_at_most() -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))

    def client() -> OAuth2Client:
        return OAuth2Client(
            "a client",
            "a secret",
            token_endpoint="https://server.example/token",
            token={"access_token": "2YotnFZFEjr1zCsicMWpAA"},
            transport=transport,
        )

    assert bytes_of(client) - bytes_of(lambda: httpx.Client(transport=transport)) <= 3_000
