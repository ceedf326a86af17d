"""Let a hundred tasks of trio share one token, over nothing but h11.

Run it: python examples/trio_client.py
"""

from __future__ import annotations

import time

import trio

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio_trio import OAuth2Client


async def example(server: AuthorizationServer) -> None:
    async with OAuth2Client(
        "app", "secret", scope="read", token_endpoint=server.url(Endpoint.TOKEN)
    ) as client:
        print("token:", await client.fetch_token())

        # It has expired: whichever task comes first renews it, and the others wait.
        client.token = {**(client.token or {}), "expires_at": time.time() - 1}
        answers: list[int] = []

        async def ask() -> None:
            response = await client.get(f"{server.issuer}/api/items")
            answers.append(response.status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(ask)
        print("the API says:", *set(answers))
        print("token requests:", server.count(Endpoint.TOKEN))


# The server to try it with: a real one has its own.


def build(issuer: str) -> AuthorizationServer:
    """Make the server."""
    app = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",), scope="read"
    )
    return AuthorizationServer(issuer=issuer, clients=[app], now=time.time)


if __name__ == "__main__":
    with serve(build) as running:
        trio.run(example, running)
