"""How long things may take, and how many connections there may be."""

from __future__ import annotations

from dataclasses import dataclass, fields

import trio

from .errors import DeadlineExceeded, TimedOutError


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Say how many seconds each single step of a request may take; `math.inf` is without end.

    connect: the name's address, the connection, and TLS.
    read: until the next bytes of the answer come.
    write: until the next bytes of the request are taken.
    pool: until a connection is free, where the limits are reached.
    Raises ValueError for what is not a positive number.
    """

    connect: float = 10.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            check_duration(getattr(self, field.name), field.name)

    @staticmethod
    def of(timeout: Timeout | float) -> Timeout:
        """Return a timeout as it is, or one with the same number for every step."""
        if isinstance(timeout, Timeout):
            return timeout
        return Timeout(connect=timeout, read=timeout, write=timeout, pool=timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Say how many connections a client may have open.

    connections: all of them together.
    connections_per_origin: those to one scheme, host and port.
    idle_seconds: how long one that is not in use is kept for the next request; 0 keeps none. Many
        servers close theirs after five seconds, and a request that meets the closing is lost.
    Raises ValueError where a number is too small.
    """

    connections: int = 100
    connections_per_origin: int = 50
    idle_seconds: float = 4.0

    def __post_init__(self) -> None:
        if self.connections < 1 or self.connections_per_origin < 1:
            raise ValueError("without a connection nothing can be sent")
        if not self.idle_seconds >= 0:
            raise ValueError("idle_seconds is a number of seconds, or 0")


class TimeLeft:
    """The time limits of one request that is under way.

    until: the time of trio's clock at which the whole request has taken too long.
    """

    __slots__ = ("_seconds", "_timeout", "until")

    def __init__(self, timeout: Timeout, deadline: float) -> None:
        self._timeout = timeout
        self._seconds = deadline
        self.until = trio.current_time() + deadline

    def to_get_a_place(self) -> float:
        """Return until when there has to be a free connection."""
        return self._by(self._timeout.pool)

    def to_connect(self) -> float:
        """Return until when a connection has to be there."""
        return self._by(self._timeout.connect)

    def to_write(self) -> float:
        """Return until when the server has to take what is sent now."""
        return self._by(self._timeout.write)

    def to_read(self) -> float:
        """Return until when the next bytes have to come."""
        return self._by(self._timeout.read)

    def error(self, kind: type[TimedOutError], text: str, *, sent: bool = True) -> TimedOutError:
        """Return what to raise now that a step is late: that, or that the whole request is."""
        if trio.current_time() >= self.until:
            return DeadlineExceeded(
                f"{text}: the whole request took longer than {self._seconds:g} seconds", sent=sent
            )
        return kind(text, sent=sent)

    def _by(self, seconds: float) -> float:
        return min(trio.current_time() + seconds, self.until)


def check_duration(seconds: float, what: str) -> float:
    """Return a positive number of seconds as it is; raise ValueError for anything else."""
    if not seconds > 0:
        raise ValueError(f"{what} is a positive number of seconds, or math.inf")
    return seconds
