"""A store that waits, for tasks of asyncio or trio: each call runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from .event_loops import is_trio
from .protocol import StoredRecord, TokenStore

R = TypeVar("R")


class StoreInThreads:
    """Make a store for threads one for tasks, under asyncio and under trio.

    store: does the work. Each call of it takes a short time, for each has a time-out of its own.

    A call that has begun runs to its end also where the task is cancelled, which is cancelled
    then: so what the task does next cannot overtake it.
    """

    __slots__ = ("_store",)

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        return await _in_thread(partial(self._store.load, key))

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        return await _in_thread(partial(self._store.replace, key, content, expected=expected))

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        return await _in_thread(partial(self._store.delete, key, expected=expected))

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        return await _in_thread(partial(self._store.lease, key, owner, seconds))

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        await _in_thread(partial(self._store.release, key, owner))

    async def aclose(self) -> None:
        """Close the store."""
        await _in_thread(self._store.close)


async def _in_thread(call: Callable[[], R]) -> R:
    if is_trio():
        import trio

        return await trio.to_thread.run_sync(call)
    # No task, which the end of `asyncio.run` would cancel: what is being saved has to be saved.
    work = asyncio.get_running_loop().run_in_executor(None, copy_context().run, call)
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait((work,))  # which cancels nothing where it is cancelled itself
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # seen: nobody is there to take it
        raise cancelled
    return work.result()
