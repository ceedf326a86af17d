"""What is asked of a hostile server: as a flow of the core, and in the drop-in vocabulary."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from oauth2_sansio import (
    Client,
    Flow,
    OAuth2Token,
    PendingAuthorization,
    Server,
    authorize_device,
)

from .credentials import CLIENT_ID, CLIENT_SECRET, CODE, CODE_VERIFIER, REFRESH_TOKEN

REDIRECT_URI = "https://app.example/callback"
STATE = "a-state"
HELD = OAuth2Token(access_token="old", token_type="Bearer", refresh_token=REFRESH_TOKEN)

_RANDOM = base64.urlsafe_b64decode(CODE_VERIFIER + "=" * (-len(CODE_VERIFIER) % 4))


class Operation(Enum):
    """One request with credentials in it."""

    REDEEM = auto()  # a code, with its verifier
    REFRESH = auto()
    REVOKE = auto()
    INTROSPECT = auto()
    DISCOVER = auto()
    PUSH = auto()  # an authorization request
    AUTHORIZE_DEVICE = auto()

    def flow(self, url: str) -> Flow[Any]:
        """Return the flow that asks for it at a URL."""
        return _FLOWS[self](url)

    @property
    def is_for_a_token(self) -> bool:
        """Whether the drop-in vocabulary reads the answer, and so do the peers."""
        return self in _CALLS

    def call(self) -> tuple[str, Mapping[str, Any]]:
        """Return the method of a drop-in client, and its arguments beside the URL."""
        return _CALLS[self]


def _client(url: str) -> Client:
    server = Server(
        authorization_endpoint="https://server.example/authorize",
        token_endpoint=url,
        revocation_endpoint=url,
        introspection_endpoint=url,
        pushed_authorization_request_endpoint=url,
        device_authorization_endpoint=url,
    )
    return Client(
        server=server,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        random_bytes=lambda _: _RANDOM,
    )


def _redeem(url: str) -> Flow[Any]:
    client = _client(url)
    pending = PendingAuthorization(
        url="https://server.example/authorize",
        state=STATE,
        redirect_uri=REDIRECT_URI,
        code_verifier=CODE_VERIFIER,
        expires_at=float("inf"),
    )
    return client.redeem(pending, f"{REDIRECT_URI}?code={CODE}&state={STATE}")


def _push(url: str) -> Flow[Any]:
    return _client(url).authorize(redirect_uri=REDIRECT_URI, state=STATE, push=True)


_FLOWS: Mapping[Operation, Callable[[str], Flow[Any]]] = {
    Operation.REDEEM: _redeem,
    Operation.REFRESH: lambda url: _client(url).refresh(HELD),
    Operation.REVOKE: lambda url: _client(url).revoke(HELD),
    Operation.INTROSPECT: lambda url: _client(url).introspect(REFRESH_TOKEN),
    Operation.DISCOVER: lambda url: Server.discover(url.removesuffix("/token")),
    Operation.PUSH: _push,
    Operation.AUTHORIZE_DEVICE: lambda url: authorize_device(_client(url), scope="a"),
}
_CALLS: Mapping[Operation, tuple[str, Mapping[str, Any]]] = {
    Operation.REDEEM: (
        "fetch_token",
        {
            "grant_type": "authorization_code",
            "code": CODE,
            "code_verifier": CODE_VERIFIER,
            "redirect_uri": REDIRECT_URI,
        },
    ),
    Operation.REFRESH: ("refresh_token", {"refresh_token": REFRESH_TOKEN}),
}
