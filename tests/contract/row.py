"""A row: what a server sends, and what has to come of it; and pieces to build answers from.

A row is data: what is sent and how fast, and the outcome. Where the libraries below the drivers
differ, `differs` says which drivers come to another outcome, and why that is no breach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from oauth2_sansio import (
    ErrorResponse,
    OAuth2Error,
    OAuth2Token,
    RemoteProtocolError,
    ResponseReceived,
)
from oauth2_sansio.answers import MAXIMUM_BODY

from .credentials import ACCESS_TOKEN
from .drivers import DRIVERS, Driver, Parser
from .operations import Operation
from .scripts import End, Script


class Outcome(Enum):
    """What the driver reports of the first request, and what the core makes of it."""

    TOKEN = auto()  # a response, whole, with the token (or what else was asked for) that it names
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
class Prints:
    """Say that the HTTP library below some drivers logs what the server has sent.

    reason: why nothing that we do could keep it from that.
    """

    drivers: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What comes of an answer, exactly.

    kind: the class of the result, or of the error.
    values: attributes or members of it; `lives` are the seconds until `expires_at`.
    """

    kind: type[object]
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One misbehaviour. Where it says LATE, a short deadline counts.

    left_open: the drivers below which the library leaves the socket to the collector, which warns.
    operation: what is asked for.
    expected: what the core makes of it, exactly.
    answer: the answer, where that is whole: the core alone reads it too.
    prints: which libraries log what here is a secret.
    """

    name: str
    script: Script
    outcome: Outcome
    differs: tuple[Differs, ...] = ()
    left_open: frozenset[str] = frozenset()
    operation: Operation = Operation.REDEEM
    expected: Expected | None = None
    answer: ResponseReceived | None = None
    prints: tuple[Prints, ...] = ()

    def outcome_for(self, driver: Driver) -> Outcome:
        """Return what is to come of it with a driver."""
        for each in self.differs:
            if driver.like in each.drivers:
                return each.outcome
        return self.outcome

    def may_print(self, driver: Driver) -> bool:
        """Say whether the library below a driver logs what the server sends."""
        return any(driver.like in each.drivers for each in self.prints)

    @property
    def is_asked_once(self) -> bool:
        """Whether one request is all that there is."""
        return self.operation is not Operation.DISCOVER


def over(parser: Parser) -> frozenset[str]:
    """Return the names of the drivers over one parser."""
    return frozenset(driver.name for driver in DRIVERS if driver.parser is parser)


TOKEN_BODY = (
    b'{"access_token":"%b","token_type":"Bearer","expires_in":3600}' % ACCESS_TOKEN.encode()
)
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


def answering(
    name: str,
    body: bytes,
    expected: Expected,
    *,
    status: int = 200,
    kind: bytes | None = b"application/json",
    headers: bytes = b"",
    operation: Operation = Operation.REDEEM,
    prints: tuple[Prints, ...] = (),
) -> Row:
    """Return the row of one whole answer.

    kind: its media type.
    headers: further lines, each with its end.
    """
    lines = headers if kind is None else b"Content-Type: %b\r\n%b" % (kind, headers)
    refused = issubclass(expected.kind, OAuth2Error)
    return Row(
        name,
        Script((with_length(body, b"HTTP/1.1 %d X\r\n%b" % (status, lines)),), end=End.KEEP),
        Outcome.REFUSED if refused else Outcome.TOKEN,
        operation=operation,
        expected=expected,
        answer=ResponseReceived(status=status, headers=_pairs(lines), body=body),
        prints=prints,
    )


def _pairs(lines: bytes) -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(":") for line in lines.decode("latin-1").split("\r\n") if line)
    return tuple((name, value.strip()) for name, _, value in pairs)


def issued(**values: object) -> Expected:
    """Return that there is a token, with these members."""
    return Expected(OAuth2Token, {"access_token": ACCESS_TOKEN, **values})


def says_no(error: str, **values: object) -> Expected:
    """Return that the server has said no, with this code."""
    return Expected(ErrorResponse, {"error": error, **values})


def broken(**values: object) -> Expected:
    """Return that the server has broken the protocol."""
    return Expected(RemoteProtocolError, values)


GOOD = with_length(TOKEN_BODY)
SMUGGLED = with_length(SMUGGLED_BODY)
GOOD_CHUNKED = CHUNKED + chunk(TOKEN_BODY[:10]) + chunk(TOKEN_BODY[10:])
LAST_CHUNK = b"0\r\n\r\n"
BOMB = bytes(20 * MAXIMUM_BODY)
SPACES = b" " * 65_536

KEEP, SILENCE, RESET, CUT = End.KEEP, End.SILENCE, End.RESET, End.CUT
TOKEN, REFUSED, FAILED, LATE = Outcome.TOKEN, Outcome.REFUSED, Outcome.FAILED, Outcome.LATE
NOT_SENT = Outcome.NOT_SENT
