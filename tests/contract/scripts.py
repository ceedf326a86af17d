"""What a server that misbehaves sends, as data: bytes, and how fast they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Drip:
    """These bytes, one at a time.

    every: seconds between them.
    for_ever: from the beginning again at the end, until the client hangs up.
    """

    data: bytes
    every: float = 0.04
    for_ever: bool = False


MOST = 67_108_864
"""Bytes: how much a flood sends before it gives up, should a client not."""

ELSEWHERE = b"http://127.0.0.1:ELSEW"
"""Stands in a script for another origin, which must never be asked for anything."""

HERE = b"http://127.0.0.1:HEREP"
"""Stands in a script for the server's own origin."""


@dataclass(frozen=True, slots=True)
class Flood:
    """These bytes again and again, as fast as they are taken, until the client hangs up."""

    data: bytes


Part: TypeAlias = bytes | Drip | Flood


class Begin(Enum):
    """When the server begins to answer."""

    AFTER_REQUEST = auto()  # once all of the request is there
    AT_ONCE = auto()  # as soon as there is a connection, with TLS if it has that
    BEFORE_TLS = auto()  # so too, and in place of the handshake


class End(Enum):
    """What the server does once it has said everything."""

    CLOSE = auto()  # the end of the stream, announced where there is TLS
    CUT = auto()  # the end of the stream, not announced
    RESET = auto()  # the connection is gone, with all that is on the way
    KEEP = auto()  # it waits for the next request, and answers that one honestly
    SILENCE = auto()  # it says nothing more, and does not hang up either


@dataclass(frozen=True, slots=True)
class Script:
    """What a server does with the first connection. All others get honest answers.

    parts: what it sends.
    """

    parts: tuple[Part, ...] = ()
    begin: Begin = Begin.AFTER_REQUEST
    end: End = End.CLOSE

    def named(self, here: int, elsewhere: int) -> Script:
        """Return the script with real ports for `HERE` and `ELSEWHERE`."""
        parts = (
            named(part, here, elsewhere) if isinstance(part, bytes) else part for part in self.parts
        )
        return replace(self, parts=tuple(parts))


def named(data: bytes, here: int, elsewhere: int) -> bytes:
    """Return what a server sends with real ports, which have as many digits."""
    for marked, port in ((HERE, here), (ELSEWHERE, elsewhere)):
        data = data.replace(marked[-5:], b"%05d" % port)
    return data


def pieces(part: Part) -> Iterable[tuple[bytes, float]]:
    """Return what goes out at a time, each with the seconds to wait before it."""
    match part:
        case bytes():
            yield part, 0.0
        case Drip(data, every, for_ever):
            yield from ((bytes((byte,)), every) for byte in data)
            while for_ever:
                yield from ((bytes((byte,)), every) for byte in data)
        case Flood(data):
            yield from ((data, 0.0) for _ in range(MOST // len(data)))
