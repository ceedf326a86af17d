"""An authorization server without I/O, for tests: yours and ours.

    server = AuthorizationServer(clients=[RegisteredClient(client_id="app")], now=clock)
    token = drive(client.refresh(token), send=server.send, sleep=clock.advance, now=clock)

Nothing here is fit for production. `oauth2_sansio.testing.loopback` puts the same object
on a socket.
"""

from __future__ import annotations

from .authorization_endpoint import AuthorizationRefused
from .configuration import (
    AssertionIssuer,
    ClientAuthMethod,
    LoginDemand,
    RegisteredClient,
    ServerSettings,
    User,
)
from .determinism import Clock, SeededBytes
from .grants import GRANTS
from .issuing import token_answer
from .ledger import IssuedToken, TokenFamily, TokenKind
from .messages import Parameters, Refusal
from .misbehaviour import AnswerLost, Misbehaviour
from .schedule import Switch
from .server import AuthorizationServer, LogEntry
from .state import GrantFunction, ServerState

__all__ = [
    "GRANTS",
    "AnswerLost",
    "AssertionIssuer",
    "AuthorizationRefused",
    "AuthorizationServer",
    "ClientAuthMethod",
    "Clock",
    "GrantFunction",
    "IssuedToken",
    "LogEntry",
    "LoginDemand",
    "Misbehaviour",
    "Parameters",
    "Refusal",
    "RegisteredClient",
    "SeededBytes",
    "ServerSettings",
    "ServerState",
    "Switch",
    "TokenFamily",
    "TokenKind",
    "User",
    "token_answer",
]
