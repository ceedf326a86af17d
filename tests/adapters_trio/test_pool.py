# ruff: noqa: ARG001 - a test gets the clock that jumps by asking for it
"""The pool alone: connections that are none, and trio's clock that jumps."""

from __future__ import annotations

from typing import cast

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from oauth2_sansio_trio import (
    ConnectError,
    DeadlineExceeded,
    Limits,
    PoolTimeout,
    Timeout,
    UnusableClientError,
)
from oauth2_sansio_trio.connection import Connection
from oauth2_sansio_trio.pool import Pool
from oauth2_sansio_trio.settings import TimeLeft
from oauth2_sansio_trio.urls import Origin

A, B = Origin("http", "a", 80), Origin("http", "b", 80)
LONG = 1000.0
PATIENT = Timeout(pool=LONG)


class FakeConnection:
    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.idle_until = 0.0
        self.quiet = True
        self.closed = False

    def is_quiet(self) -> bool:
        return self.quiet

    def close(self) -> None:
        self.closed = True


class World:
    """A pool, and all connections that it has opened."""

    def __init__(self, **limits: float) -> None:
        self.opened: list[FakeConnection] = []
        self.fails = False
        self.seconds = 0.0
        self.pool = Pool(Limits(**limits), self.connect)  # type: ignore[arg-type] # short to write

    async def connect(self, origin: Origin) -> Connection:
        await trio.sleep(self.seconds)
        if self.fails:
            raise ConnectError("no")
        connection = FakeConnection(origin)
        self.opened.append(connection)
        return cast("Connection", connection)

    async def acquire(self, origin: Origin, steps: Timeout = PATIENT) -> Connection:
        return await self.pool.acquire(origin, TimeLeft(steps, LONG))

    async def use(self, origin: Origin, order: list[Origin], seconds: float = 1) -> None:
        connection = await self.acquire(origin)
        order.append(origin)
        await trio.sleep(seconds)
        self.pool.put_back(connection, LONG)

    def state(self) -> tuple[int, int, int]:
        """How many connections are open, idle, and not closed."""
        pool = self.pool
        assert pool._taken == sum(pool._places.values()) == pool.connections
        return (
            pool.connections,
            pool.idle_connections,
            sum(not connection.closed for connection in self.opened),
        )


@pytest.mark.trio
async def test_a_connection_is_used_again(autojump_clock: MockClock) -> None:
    world = World()

    first = await world.acquire(A)
    second = await world.acquire(A)
    assert first is not second
    world.pool.put_back(first, LONG)
    world.pool.put_back(second, LONG)
    assert await world.acquire(A) is second
    assert await world.acquire(B) not in (first, second)
    assert world.state() == (3, 1, 3)


@pytest.mark.trio
async def test_an_idle_connection_expires(autojump_clock: MockClock) -> None:
    world = World(idle_seconds=4)
    old, young, other = [await world.acquire(origin) for origin in (A, A, B)]
    world.pool.put_back(old, LONG)
    world.pool.put_back(other, 1)
    await trio.sleep(2)
    world.pool.put_back(young, LONG)
    await trio.sleep(1.9)
    assert await world.acquire(A) is young
    assert world.state() == (2, 1, 2)
    world.pool.put_back(young, LONG)
    await trio.sleep(2.1)

    assert await world.acquire(A) is young
    assert world.state() == (1, 0, 1)


@pytest.mark.trio
@pytest.mark.parametrize(("limit", "server"), [(0, LONG), (4, 0), (4, -1)])
async def test_a_connection_may_be_kept_not_at_all(
    limit: float, server: float, autojump_clock: MockClock
) -> None:
    world = World(idle_seconds=limit)
    world.pool.put_back(await world.acquire(A), server)
    assert world.state() == (0, 0, 0)


@pytest.mark.trio
async def test_a_dead_idle_connection_is_not_used(autojump_clock: MockClock) -> None:
    world = World()
    connections = [await world.acquire(A) for _ in range(3)]
    for connection in connections:
        world.pool.put_back(connection, LONG)
    world.opened[2].quiet = False

    assert await world.acquire(A) is connections[1]
    assert world.state() == (2, 1, 2)
    world.opened[0].quiet = False
    await world.acquire(A)
    assert len(world.opened) == 4
    assert world.state() == (2, 0, 2)


@pytest.mark.trio
async def test_whoever_waits_longest_is_served_first(autojump_clock: MockClock) -> None:
    world = World(connections=2, connections_per_origin=1)
    order: list[Origin] = []
    async with trio.open_nursery() as nursery:
        for origin in (A, A, B, A):
            nursery.start_soon(world.use, origin, order, 1 if origin is A else 1.5)
            await wait_all_tasks_blocked()

    assert order == [A, B, A, A]
    assert len(world.opened) == 2
    assert world.state() == (2, 2, 2)


@pytest.mark.trio
async def test_the_oldest_idle_connection_makes_room_for_another_origin(
    autojump_clock: MockClock,
) -> None:
    world = World(connections=2)
    order: list[Origin] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.use, A, order, 1)
        await wait_all_tasks_blocked()
        nursery.start_soon(world.use, A, order, 2.5)
        await wait_all_tasks_blocked()
        nursery.start_soon(world.use, B, order, 1)

    assert [connection.origin for connection in world.opened] == [A, A, B]
    assert [connection.closed for connection in world.opened] == [True, False, False]
    await world.acquire(A)
    await world.acquire(A)
    assert [connection.closed for connection in world.opened] == [True, False, True, False]
    assert world.state() == (2, 0, 2)


@pytest.mark.trio
async def test_one_idle_connection_of_several_makes_room(autojump_clock: MockClock) -> None:
    world = World(connections=2)
    for connection in [await world.acquire(A) for _ in range(2)]:
        world.pool.put_back(connection, LONG)

    await world.acquire(B)
    assert world.state() == (2, 1, 2)


@pytest.mark.trio
async def test_a_discarded_connection_makes_room(autojump_clock: MockClock) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)
    order: list[Origin] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.use, A, order)
        await wait_all_tasks_blocked()
        world.pool.discard(connection)
        world.pool.discard(connection)

    assert len(world.opened) == 2
    assert world.state() == (1, 1, 1)


@pytest.mark.trio
async def test_a_connection_that_is_put_back_dead_still_makes_room(
    autojump_clock: MockClock,
) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)
    order: list[Origin] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.use, A, order)
        await wait_all_tasks_blocked()
        world.opened[0].quiet = False
        world.pool.put_back(connection, LONG)

    assert len(world.opened) == 2
    assert world.state() == (1, 1, 1)


@pytest.mark.trio
async def test_a_failure_to_connect_makes_room(autojump_clock: MockClock) -> None:
    world = World(connections=1)
    world.seconds, world.fails = 1, True
    failures = 0

    async def fail() -> None:
        nonlocal failures
        with pytest.raises(ConnectError):
            await world.acquire(A)
        failures += 1

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(fail)
    assert failures == 3
    assert world.state() == (0, 0, 0)


@pytest.mark.trio
async def test_waiting_has_an_end(autojump_clock: MockClock) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)

    with pytest.raises(PoolTimeout, match="http://a:80") as caught:
        await world.acquire(A, Timeout(pool=5))
    assert not caught.value.sent
    with pytest.raises(DeadlineExceeded, match="1000 seconds") as exceeded:
        await world.acquire(A, Timeout(pool=2 * LONG))
    assert not exceeded.value.sent
    world.pool.put_back(connection, LONG)
    assert await world.acquire(A) is connection
    assert not world.pool._waiters


@pytest.mark.trio
async def test_one_of_several_may_stop_waiting(autojump_clock: MockClock) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)
    order: list[Origin] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.use, A, order)
        await wait_all_tasks_blocked()
        with pytest.raises(PoolTimeout):
            await world.acquire(A, Timeout(pool=1))
        world.pool.put_back(connection, LONG)

    assert order == [A]
    assert world.state() == (1, 1, 1)


@pytest.mark.trio
@pytest.mark.parametrize("put_back", [True, False])
async def test_cancelled_and_served_in_one_moment(
    put_back: bool, autojump_clock: MockClock
) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.acquire, A)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()  # so that Cancelled is on its way to the task
        if put_back:
            world.pool.put_back(connection, LONG)
        else:
            world.pool.discard(connection)

    assert world.state() == ((1, 1, 1) if put_back else (0, 0, 0))


@pytest.mark.trio
@pytest.mark.parametrize("put_back", [True, False])
async def test_served_and_cancelled_in_one_moment(
    put_back: bool, autojump_clock: MockClock
) -> None:
    world = World(connections=1)
    connection = await world.acquire(A)
    handed: list[Connection] = []

    async def take() -> None:
        handed.append(await world.acquire(A))
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await wait_all_tasks_blocked()
        if put_back:
            world.pool.put_back(connection, LONG)
        else:
            world.pool.discard(connection)
        nursery.cancel_scope.cancel()

    # Whoever is served has a connection, and is cancelled where it waits next.
    assert handed == ([connection] if put_back else [])
    assert world.state() == ((1, 0, 1) if put_back else (0, 0, 0))


@pytest.mark.trio
async def test_closing_sends_everybody_away(autojump_clock: MockClock) -> None:
    world = World(connections=2, connections_per_origin=1)
    idle = await world.acquire(B)
    world.pool.put_back(idle, LONG)
    used = await world.acquire(A)
    sent_away = 0

    async def wait() -> None:
        nonlocal sent_away
        with pytest.raises(UnusableClientError, match="closed"):
            await world.acquire(A)
        sent_away += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        world.pool.close()
    assert sent_away == 2
    world.pool.put_back(used, LONG)
    world.pool.discard(used)
    assert all(connection.closed for connection in world.opened)
    assert world.pool.connections == world.pool.idle_connections == 0


@pytest.mark.trio
@pytest.mark.parametrize("fails", [True, False])
async def test_closing_while_a_connection_is_made(fails: bool, autojump_clock: MockClock) -> None:
    world = World()
    world.seconds, world.fails = 1, fails
    async with trio.open_nursery() as nursery:

        async def connect() -> None:
            with pytest.raises(ConnectError if fails else UnusableClientError):
                await world.acquire(A)

        nursery.start_soon(connect)
        await wait_all_tasks_blocked()
        world.pool.close()
    assert [connection.closed for connection in world.opened] == ([] if fails else [True])


@pytest.mark.trio
async def test_a_storm_leaves_the_counts_right(autojump_clock: MockClock) -> None:
    world = World(connections=3, connections_per_origin=2, idle_seconds=0.5)
    world.seconds = 0.01
    origins = [Origin("http", name, 80) for name in "abcd"]

    async def use(number: int) -> None:
        with trio.move_on_after(0.02 * (number % 17)):
            connection = await world.acquire(origins[number % 4])
            try:
                await trio.sleep(0.01 * (number % 5))
            except trio.Cancelled:
                world.pool.discard(connection)
                raise
            if number % 3:
                world.pool.put_back(connection, LONG)
            else:
                world.pool.discard(connection)

    async with trio.open_nursery() as nursery:
        for number in range(400):
            nursery.start_soon(use, number)
            assert world.pool._taken <= 3
            if number % 20 == 0:
                await trio.sleep(0.005)
    open_, idle, alive = world.state()
    assert open_ == idle == alive <= 3
    assert not world.pool._waiters
