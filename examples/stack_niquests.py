"""Your stack in five lines: niquests.

Run it: python examples/stack_niquests.py
"""

from __future__ import annotations

import time
from typing import TypeVar

import niquests

from oauth2_sansio import (
    Client,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    drive,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")


def run(flow: Flow[T]) -> T:
    """Drive a flow to its end, and return its result."""
    with niquests.Session() as session:

        def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
            headers = {"Accept-Encoding": "identity", **dict(request.headers)}
            body = bytearray()
            try:
                with session.request(
                    request.method,
                    request.url,
                    data=request.body or None,
                    headers=headers,
                    auth=lambda prepared: prepared,  # or a .netrc file would have its say
                    allow_redirects=False,
                    stream=True,
                    timeout=30,
                ) as answer:
                    for chunk in answer.iter_raw(65_536):
                        body += chunk
                        if len(body) > MAXIMUM_BODY:
                            break
            except (niquests.RequestException, OSError) as error:
                return RequestFailed(error)
            pairs = tuple(answer.headers.items())
            return ResponseReceived(status=answer.status_code or 0, headers=pairs, body=bytes(body))

        return drive(flow, send, time.sleep, time.time)


def example(server: AuthorizationServer) -> None:
    client = Client(
        server=run(Server.discover(server.issuer)), client_id="app", client_secret="secret"
    )
    token = run(client.client_credentials(scope="read"))
    print("token:", token)
    print("active:", run(client.introspect(token)).active)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
