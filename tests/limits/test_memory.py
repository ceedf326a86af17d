"""How many bytes a token and a session take more than what they stand for."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
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
TRANSPORT = httpx.MockTransport(lambda _request: httpx.Response(200))


def bare_token() -> object:
    """Return what the server has sent, and nothing more."""
    return json.loads(BODY)


def token() -> OAuth2Token:
    """Return the token in the server's answer."""
    response = ResponseReceived(status=200, body=BODY)
    return read_token(Answer(REQUEST, response, 1_700_000_000.0))


def bare_session() -> requests.Session:
    """Return what ours is beside being a client."""
    return requests.Session()


def session() -> OAuth2Session:
    """Return a session that knows nothing yet."""
    return OAuth2Session()


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


def bare_client() -> httpx.Client:
    """Return what ours is beside being a client of a server."""
    return httpx.Client(transport=TRANSPORT)


def client() -> OAuth2Client:
    """Return a client over httpx that has what most have."""
    return OAuth2Client(
        "a client",
        "a secret",
        token_endpoint="https://server.example/token",
        token={"access_token": "2YotnFZFEjr1zCsicMWpAA"},
        transport=TRANSPORT,
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


def more_bytes(build: Callable[[], object], bare: Callable[[], object]) -> float:
    """Return how many bytes more one takes than the other, in a new process.

    In this one other tests have given objects of these classes attributes that nobody else gives
    them: from then on each has a whole dict of its own.
    """
    script = (
        "from tests.limits.test_memory import *; "
        f"print(bytes_of({build.__name__}) - bytes_of({bare.__name__}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        # Where the tests find the packages, there the new interpreter finds them too.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_the_measuring_sees_what_is_added() -> None:
    more = bytes_of(lambda: bytearray(1000)) - bytes_of(lambda: bytearray(0))
    assert 1000 <= more < 1100


def test_a_token_costs_250_bytes_at_most() -> None:
    assert more_bytes(token, bare_token) <= 250


@pytest.mark.parametrize("build", [session, session_with_settings])
def test_a_session_costs_3_kilobytes_at_most(build: Callable[[], object]) -> None:
    assert more_bytes(build, bare_session) <= 3_000


def test_a_client_over_httpx_costs_3_kilobytes_at_most() -> None:
    assert more_bytes(client, bare_client) <= 3_000
