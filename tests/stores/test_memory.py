"""The store in memory: its views, and forks."""

from __future__ import annotations

import asyncio
import os
import runpy
import threading
from collections.abc import Callable

import pytest

from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore, memory


def test_threads_and_tasks_share_one_store() -> None:
    store = MemoryStore()
    version = store.replace("k", b"one", expected=0)
    assert asyncio.run(AsyncMemoryStore(store).load("k")) == store.load("k")
    assert version == 1
    assert repr(AsyncMemoryStore(store)) == "AsyncMemoryStore(MemoryStore(1 records))"


def in_child(work: Callable[[], bool]) -> bool:
    """Run work in a fork of this process, and say whether it returned True."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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
        assert in_child(lambda: store.replace("k", b"two", expected=1) == 2)
    finally:
        done.set()
        thread.join()
    found = store.load("k")
    assert found is not None
    assert found.content == b"one"


def test_every_store_gets_a_new_lock_in_a_child() -> None:
    stores = [MemoryStore(), MemoryStore()]
    before = [store._lock for store in stores]
    memory._after_fork()
    assert not {*before} & {store._lock for store in stores}


def test_a_system_without_forks_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    module = runpy.run_path(str(memory.__file__), run_name="oauth2_sansio.stores.memory")
    assert module["MemoryStore"]().load("k") is None
