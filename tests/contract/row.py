"""A row: what a server sends, and what has to come of it; and pieces to build answers from.

A row is data: what is sent and how fast, and the outcome. Where the libraries below the drivers
differ, `differs` says which drivers come to another outcome, and why that is no breach.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from oauth2_sansio.answers import MAXIMUM_BODY

from .drivers import DRIVERS, Driver, Parser
from .scripts import End, Script


class Outcome(Enum):
    """What the driver reports of the first request, and what the core makes of it."""

    TOKEN = auto()  # a response, whole, with the token that it names
    REFUSED = auto()  # a response, which the core refuses
    FAILED = auto()  # no response, by a fault of the connection or of the framing; sent
    LATE = auto()  # no response, since the deadline has passed; sent
    NOT_SENT = auto()  # no response, and nothing of the request has gone out


@dataclass(frozen=True, slots=True)
class Differs:
    """Say that some drivers come to another outcome.

    drivers: their names; or all drivers over one parser.
    reason: why that keeps to the contract all the same.
    """

    drivers: frozenset[str]
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One misbehaviour. Where it says LATE, a short deadline counts.

    left_open: the drivers below which the library leaves the socket to the collector, which warns.
    """

    name: str
    script: Script
    outcome: Outcome
    differs: tuple[Differs, ...] = ()
    left_open: frozenset[str] = frozenset()

    def outcome_for(self, driver: Driver) -> Outcome:
        """Return what is to come of it with a driver."""
        for each in self.differs:
            if driver.name in each.drivers:
                return each.outcome
        return self.outcome


def over(parser: Parser) -> frozenset[str]:
    """Return the names of the drivers over one parser."""
    return frozenset(driver.name for driver in DRIVERS if driver.parser is parser)


TOKEN_BODY = b'{"access_token":"good","token_type":"Bearer","expires_in":3600}'
SMUGGLED_BODY = b'{"access_token":"smuggled","token_type":"Bearer","expires_in":3600}'
ERROR_BODY = b'{"error":"invalid_grant"}'

OVER_HTTP_CLIENT = over(Parser.HTTP_CLIENT)
OVER_H11 = over(Parser.H11)
OVER_HTTPX = OVER_H11 - {"trio-h11"}
URLLIB, REQUESTS, TRIO = (frozenset((name,)) for name in ("urllib", "requests", "trio-h11"))

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_THE_END = OK + b"Connection: close\r\n\r\n"


def with_length(body: bytes, head: bytes = OK) -> bytes:
    """Return an answer with its length."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def with_status(line: bytes, body: bytes = TOKEN_BODY) -> bytes:
    """Return an answer with another status line."""
    return with_length(body, line + b"\r\nContent-Type: application/json\r\n")


def with_header(line: bytes, body: bytes = TOKEN_BODY) -> bytes:
    """Return a good answer with one more header line."""
    return with_length(body, OK + line + b"\r\n")


def chunk(data: bytes) -> bytes:
    """Return one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


GOOD = with_length(TOKEN_BODY)
SMUGGLED = with_length(SMUGGLED_BODY)
GOOD_CHUNKED = CHUNKED + chunk(TOKEN_BODY[:10]) + chunk(TOKEN_BODY[10:])
LAST_CHUNK = b"0\r\n\r\n"
BOMB = bytes(20 * MAXIMUM_BODY)
SPACES = b" " * 65_536

KEEP, SILENCE, RESET, CUT = End.KEEP, End.SILENCE, End.RESET, End.CUT
TOKEN, REFUSED, FAILED, LATE = Outcome.TOKEN, Outcome.REFUSED, Outcome.FAILED, Outcome.LATE
NOT_SENT = Outcome.NOT_SENT
