"""Log in on a device without a browser (RFC 8628).

Run it: python examples/device_login.py
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import TypeVar
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from oauth2_sansio import (
    Client,
    DeviceAuthorization,
    Flow,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Server,
    authorize_device,
    drive,
    poll_device,
)
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings, User
from oauth2_sansio.testing.loopback import serve

T = TypeVar("T")


def example(server: AuthorizationServer) -> None:
    client = Client(server=run(Server.discover(server.issuer)), client_id="tv")

    device = run(authorize_device(client, scope="read"))
    print("go to", device.verification_uri, "and type in:", device.user_code)
    stored = device.to_dict()  # it outlives a restart; it holds a secret

    # Meanwhile the user does so, on another device. The flow waits, and asks the server now and then.
    token = run(poll_device(client, DeviceAuthorization.from_dict(stored)))
    print("token:", token)


# The driver: this is all that stands between a flow and the network.

# Put together by hand, it follows no redirect, raises nothing for a 4xx or 5xx, and knows no proxy.
OPENER = OpenerDirector()
OPENER.add_handler(HTTPHandler())
OPENER.add_handler(HTTPSHandler())


def send(request: RequestToSend) -> ResponseReceived | RequestFailed:
    """Send a request as it stands, and say what came of it."""
    outgoing = Request(
        request.url, request.body or None, dict(request.headers), method=request.method
    )
    try:
        with OPENER.open(outgoing, timeout=30) as answer:
            body = answer.read(MAXIMUM_BODY + 1)
    except (OSError, HTTPException) as error:
        return RequestFailed(error)
    return ResponseReceived(status=answer.status, headers=tuple(answer.getheaders()), body=body)


def run(flow: Flow[T]) -> T:
    """Drive a flow to its end, and return its result."""
    return drive(flow, send, time.sleep, time.time)


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server, with a user who takes half a second to say yes."""
    tv = RegisteredClient(
        client_id="tv", grant_types=("urn:ietf:params:oauth:grant-type:device_code",), scope="read"
    )
    return AuthorizationServer(
        issuer=issuer,
        clients=[tv],
        now=time.time,
        settings=ServerSettings(polling_interval=1),
        user=User(decides_after=0.5),
    )


if __name__ == "__main__":
    with serve(build) as running:
        example(running)
