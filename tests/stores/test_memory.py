"""The store in memory: its views, and forks."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore

from ..forking import fork


def test_threads_and_tasks_share_one_store() -> None:
    store = MemoryStore()
    version = store.replace("k", b"one", expected=0)
    assert asyncio.run(AsyncMemoryStore(store).load("k")) == store.load("k")
    assert version == 1
    assert repr(AsyncMemoryStore(store)) == "AsyncMemoryStore(MemoryStore(1 records))"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that is what is tested
def test_a_fork_in_the_middle_of_a_call_blocks_nobody() -> None:
    store = MemoryStore()
    store.replace("k", b"one", expected=0)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert fork(lambda: store.replace("k", b"two", expected=1)).result() == "2"
    finally:
        done.set()
        thread.join()
    found = store.load("k")
    assert found is not None
    assert found.content == b"one"
