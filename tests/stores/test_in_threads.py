"""A store for threads in the hands of tasks: a call that has begun runs to its end."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest
import trio

from oauth2_sansio import LocalProtocolError, StoreError
from oauth2_sansio.stores import (
    AsyncPostgreSQLStore,
    AsyncRedisStore,
    AsyncTokenStore,
    MemoryStore,
    StoreInThreads,
)


class Slow(MemoryStore):
    """A store whose replacing waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()
        self.fails = False

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        self.begun.set()
        self.go.wait()
        if self.fails:
            raise StoreError("full")
        return super().replace(key, content, expected=expected)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("times", [1, 3])
def test_asyncio_waits_for_what_has_begun(fails: bool, times: int) -> None:
    async def main() -> None:
        slow = Slow()
        slow.fails = fails
        task = asyncio.create_task(StoreInThreads(slow).replace("k", b"one", expected=0))
        await asyncio.to_thread(slow.begun.wait)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        slow.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (slow.load("k") is None) == fails

    asyncio.run(main())


def test_trio_waits_for_what_has_begun() -> None:
    async def main() -> None:
        slow = Slow()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: StoreInThreads(slow).replace("k", b"one", expected=0))
            await trio.to_thread.run_sync(slow.begun.wait)
            nursery.cancel_scope.cancel()
            slow.go.set()
        assert slow.load("k") is not None

    trio.run(main)


def test_an_error_comes_through() -> None:
    slow = Slow()
    slow.fails = True
    slow.go.set()
    with pytest.raises(StoreError, match="full"):
        asyncio.run(StoreInThreads(slow).replace("k", b"", expected=0))
    with pytest.raises(StoreError, match="full"):
        trio.run(lambda: StoreInThreads(slow).replace("k", b"", expected=0))


def test_asyncio_does_without_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio")
    store = StoreInThreads(MemoryStore())
    assert asyncio.run(store.replace("k", b"", expected=0)) == 1
    assert "trio" not in sys.modules
    assert repr(store) == "StoreInThreads(MemoryStore(1 records))"


@pytest.mark.parametrize(
    ("store", "instead"),
    [
        (AsyncRedisStore("redis://127.0.0.1"), "RedisStore"),
        (AsyncPostgreSQLStore("host=127.0.0.1"), "PostgreSQLStore"),
    ],
)
def test_what_runs_under_asyncio_alone_says_so_under_trio(
    store: AsyncTokenStore, instead: str
) -> None:
    with pytest.raises(LocalProtocolError, match="runs under asyncio alone") as raised:
        trio.run(store.load, "k")
    assert raised.value.advice == f"under trio take StoreInThreads({instead}(...))"


def test_tables_are_created_under_asyncio_alone() -> None:
    with pytest.raises(LocalProtocolError, match="runs under asyncio alone"):
        trio.run(AsyncPostgreSQLStore("host=127.0.0.1").create_tables)
