"""What a misbehaviour is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from oauth2_sansio.events import Endpoint, Pairs, RequestToSend, ResponseReceived

from .messages import IncomingRequest

Change = TypeVar("Change")

ANYWHERE: frozenset[Endpoint] = frozenset(Endpoint) - {Endpoint.AUTHORIZATION}
"""Wherever a client sends requests itself; the authorization endpoint belongs to the browser."""

ELSEWHERE = "https://elsewhere.example"
"""Another server, which nobody should turn to."""


def _every_request(_request: IncomingRequest) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Fault(Generic[Change]):
    """What a misbehaviour does, and where.

    endpoints: where it happens, unless the test names an endpoint.
    concerns: which requests there it happens to.
    """

    change: Change
    endpoints: frozenset[Endpoint] = ANYWHERE
    concerns: Callable[[IncomingRequest], bool] = _every_request


Instead: TypeAlias = Callable[[IncomingRequest], ResponseReceived]
"""What is answered instead: the server does not act. May raise `AnswerLost`."""

Afterwards: TypeAlias = Callable[[ResponseReceived], ResponseReceived]
"""What becomes of the answer of a server that has acted. May raise `AnswerLost`."""

NotificationChange: TypeAlias = Callable[[RequestToSend], RequestToSend]
"""What becomes of the request that notifies a client."""

CallbackChange: TypeAlias = Callable[[Pairs], Pairs]
"""What becomes of the parameters of a callback."""
