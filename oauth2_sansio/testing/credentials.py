"""What a request says about its sender, and the proof of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .configuration import ClientAuthMethod, RegisteredClient
from .messages import IncomingRequest, Parameters
from .state import ServerState


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about its sender.

    prove: raises `Refusal` if the client that bears this name has not sent it.
    """

    method: ClientAuthMethod
    client_id: str
    prove: Callable[[RegisteredClient], None] = field(repr=False)


CredentialsReader: TypeAlias = Callable[
    [ServerState, IncomingRequest, Parameters], Credentials | None
]
"""Finds the credentials of one kind in a request, or none."""
