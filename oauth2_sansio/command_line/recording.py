"""What happened in a run, and what was checked: the table and the diagram are printed from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from oauth2_sansio.events import Endpoint, RequestFailed, RequestToSend, ResponseReceived


class Party(Enum):
    """Who takes part."""

    USER = "User"
    CLIENT = "Client"
    SERVER = "Server"
    API = "API"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request, and what came of it."""

    sender: Party
    request: RequestToSend
    event: ResponseReceived | RequestFailed

    @property
    def receiver(self) -> Party:
        """To whom the request went."""
        return Party.API if self.request.endpoint is Endpoint.RESOURCE else Party.SERVER


@dataclass(frozen=True, slots=True)
class CallbackBrought:
    """The user's browser came back to the client."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The clock of client and server was moved."""

    seconds: float


Happening: TypeAlias = Exchanged | CallbackBrought | TimePassed


@dataclass(frozen=True, slots=True)
class Check:
    """Something that should be so, and whether it is."""

    what: str
    held: bool


@dataclass(slots=True)
class Step:
    """One step of a run; a step without a check was not reached."""

    title: str
    happened: list[Happening] = field(default_factory=list[Happening])
    checks: list[Check] = field(default_factory=list[Check])

    @property
    def held(self) -> bool:
        """Whether it was reached, and all of its checks held."""
        return bool(self.checks) and all(check.held for check in self.checks)
