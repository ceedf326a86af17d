"""The connections of a client: which are open, which are free, and who waits for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from math import inf

import trio

from .connection import Connection
from .errors import UnusableClientError
from .settings import Limits, Step, TimeLeft
from .urls import Origin


@dataclass(slots=True, eq=False)
class _Waiter:
    """A task that waits for a connection, or for the right to open one."""

    number: int
    task: trio.lowlevel.Task
    connection: Connection | None = None  # where it is woken without one, it opens one


class Pool:
    """Connections within limits. Belongs to one run of trio.

    Whoever has waited longest comes first, and is handed its connection: a task that is woken can
    no longer be cancelled before it runs. Nothing here waits but `acquire`, so that a cancelled
    task leaves all counts right.
    """

    def __init__(self, limits: Limits, connect: Callable[[Origin], Awaitable[Connection]]) -> None:
        self._limits = limits
        self._connect = connect
        self._places: dict[Origin, int] = {}  # how many connections there are, or are being made
        self._taken = 0  # the sum of these
        self._open: set[Connection] = set()
        self._idle: dict[Origin, list[Connection]] = {}  # the one used last at the end
        self._next_expiry = inf  # when the first of them may be too old
        self._waiters: dict[Origin, deque[_Waiter]] = {}
        self._numbers = count()
        self._closed = False

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def idle_connections(self) -> int:
        """How many of them are not in use."""
        return sum(map(len, self._idle.values()))

    async def acquire(self, origin: Origin, time_left: TimeLeft) -> Connection:
        """Return a connection for one request; it has to be put back or discarded.

        Raises `PoolTimeout`, `ConnectTimeout`, and what connecting raises.
        """
        connection = self._take_idle(origin)
        if connection is None:
            if not self._reserve(origin):
                connection = await self._wait(origin, time_left)
            if connection is None:
                connection = await self._open_one(origin, time_left)
        return connection

    def put_back(self, connection: Connection, idle_seconds: float) -> None:
        """Keep a connection for the next request.

        idle_seconds: for how long at most.
        """
        if self._closed:
            return
        seconds = min(self._limits.idle_seconds, idle_seconds)
        if seconds <= 0:
            self.discard(connection)
            return
        connection.idle_until = trio.current_time() + seconds
        self._next_expiry = min(self._next_expiry, connection.idle_until)
        self._idle.setdefault(connection.origin, []).append(connection)
        if self._waiters:
            self._serve()

    def discard(self, connection: Connection) -> None:
        """Close a connection that can carry no further request."""
        if connection in self._open:  # it is not where the pool was closed
            self._drop(connection)
            self._serve()

    def close(self) -> None:
        """Close all connections, those in use too, and send those who wait away."""
        self.abandon()
        for queue in self._waiters.values():
            for waiter in queue:
                trio.lowlevel.reschedule(waiter.task)
        self._waiters.clear()

    def abandon(self) -> None:
        """Close all connections of a run that has ended, or of which a fork has a copy."""
        self._closed = True
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()

    def _take_idle(self, origin: Origin) -> Connection | None:
        self._drop_expired()
        while idle := self._idle.get(origin):
            connection = idle.pop()
            if not idle:
                del self._idle[origin]
            if connection.is_quiet():
                return connection
            self._drop(connection)
        return None

    def _drop_expired(self) -> None:
        now = trio.current_time()
        if now < self._next_expiry:
            return
        self._next_expiry = inf
        for origin, idle in tuple(self._idle.items()):
            fresh: list[Connection] = []
            for connection in idle:
                if connection.idle_until <= now:
                    self._drop(connection)
                else:
                    fresh.append(connection)
                    self._next_expiry = min(self._next_expiry, connection.idle_until)
            if fresh:
                self._idle[origin] = fresh
            else:
                del self._idle[origin]

    def _reserve(self, origin: Origin) -> bool:
        if not self._has_room(origin):
            return False
        if self._taken >= self._limits.connections:
            oldest = min(self._idle, key=lambda other: self._idle[other][0].idle_until)
            self._drop(self._idle[oldest].pop(0))
            if not self._idle[oldest]:
                del self._idle[oldest]
        self._places[origin] = self._places.get(origin, 0) + 1
        self._taken += 1
        return True

    def _has_room(self, origin: Origin) -> bool:
        if self._places.get(origin, 0) >= self._limits.connections_per_origin:
            return False
        return self._taken < self._limits.connections or bool(self._idle)

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)
        self._free_place(connection.origin)

    def _free_place(self, origin: Origin) -> None:
        self._taken -= 1
        self._places[origin] -= 1
        if not self._places[origin]:
            del self._places[origin]

    async def _open_one(self, origin: Origin, time_left: TimeLeft) -> Connection:
        # Its place is reserved.
        connection = None
        try:
            with time_left.limit(Step.CONNECT):
                connection = await self._connect(origin)
        finally:
            if connection is None:
                self._free_place(origin)
                self._serve()
        if connection is None:
            raise time_left.error(origin)
        if self._closed:
            connection.close()
            raise _closed()
        self._open.add(connection)
        return connection

    async def _wait(self, origin: Origin, time_left: TimeLeft) -> Connection | None:
        waiter = _Waiter(next(self._numbers), trio.lowlevel.current_task())
        self._waiters.setdefault(origin, deque()).append(waiter)

        def leave(_: object) -> trio.lowlevel.Abort:
            self._dequeue(origin, waiter)
            return trio.lowlevel.Abort.SUCCEEDED

        with time_left.limit(Step.PLACE):
            await trio.lowlevel.wait_task_rescheduled(leave)
            if self._closed:
                raise _closed()
            return waiter.connection
        raise time_left.error(origin)

    def _dequeue(self, origin: Origin, waiter: _Waiter) -> None:
        queue = self._waiters[origin]
        queue.remove(waiter)
        if not queue:
            del self._waiters[origin]

    def _serve(self) -> None:
        while self._waiters:
            able = [
                (queue[0].number, origin)
                for origin, queue in self._waiters.items()
                if origin in self._idle or self._has_room(origin)
            ]
            if not able:
                break
            _, origin = min(able)
            waiter = self._waiters[origin][0]
            waiter.connection = self._take_idle(origin)
            if waiter.connection is None:
                reserved = self._reserve(origin)
                assert reserved  # there is room, if only that of a connection found dead just now
            self._dequeue(origin, waiter)
            trio.lowlevel.reschedule(waiter.task)


def _closed() -> UnusableClientError:
    return UnusableClientError("the client is closed")
