"""How long things may take, and how many connections there may be."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum, auto
from math import inf
from typing import assert_never

import trio

from .errors import (
    ConnectTimeout,
    DeadlineExceeded,
    PoolTimeout,
    ReadTimeout,
    TimedOutError,
    WriteTimeout,
)
from .urls import Origin


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


class Step(Enum):
    """What a request is waiting for."""

    PLACE = auto()  # a connection that another request is using
    CONNECT = auto()
    PIECE = auto()  # of a streamed body, which the caller makes
    WRITE = auto()
    READ = auto()


class TimeLeft:
    """The time limits of one request that is under way.

    with time_left.limit(Step.READ):
        return await ...
    raise time_left.error(origin)
    """

    __slots__ = ("_seconds", "_step", "_timeout", "_until")

    def __init__(self, timeout: Timeout, deadline: float) -> None:
        self._timeout = timeout
        self._seconds = deadline
        self._until = trio.current_time() + deadline
        self._step = Step.PLACE

    def limit(self, step: Step) -> trio.CancelScope:
        """Return a scope to wait in."""
        self._step = step
        match step:
            case Step.READ:
                seconds = self._timeout.read
            case Step.WRITE:
                seconds = self._timeout.write
            case Step.PLACE:
                seconds = self._timeout.pool
            case Step.CONNECT:
                seconds = self._timeout.connect
            case Step.PIECE:
                seconds = inf
            case _:
                assert_never(step)
        return trio.CancelScope(deadline=min(trio.current_time() + seconds, self._until))

    def is_over(self, step: Step) -> bool:
        """Tell, at the end of a step that has not waited, whether the whole request took too long."""
        self._step = step
        return trio.current_time() >= self._until

    def error(self, origin: Origin) -> TimedOutError:
        """Return what to raise now that a step, or the whole request, has taken too long."""
        sent = self._step not in (Step.PLACE, Step.CONNECT)
        if trio.current_time() >= self._until:
            return DeadlineExceeded(
                f"the request to {origin} took longer than {self._seconds:g} seconds", sent=sent
            )
        match self._step:
            case Step.READ:
                return ReadTimeout(f"no answer from {origin}")
            case Step.WRITE | Step.PIECE:
                return WriteTimeout(f"{origin} does not take the request")
            case Step.PLACE:
                return PoolTimeout(f"all connections for {origin} are in use", sent=sent)
            case Step.CONNECT:
                return ConnectTimeout(f"no connection to {origin}", sent=sent)
            case _:
                assert_never(self._step)


def check_duration(seconds: float, what: str) -> float:
    """Return a positive number of seconds as it is; raise ValueError for anything else."""
    if not seconds > 0:
        raise ValueError(f"{what} is a positive number of seconds, or math.inf")
    return seconds
