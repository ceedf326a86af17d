"""Stores that need no server, against a model of a few lines: any calls in any order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from oauth2_sansio.stores import (
    EncryptedStore,
    FileStore,
    KeyringStore,
    MemoryStore,
    SQLiteStore,
    TokenStore,
)

from .kinds import KEYS, Credentials

STORES: dict[str, Callable[[Path], TokenStore]] = {
    "memory": lambda _: MemoryStore(),
    "file": FileStore,
    "SQLite": lambda folder: SQLiteStore(folder / "records.db"),
    "keyring": lambda folder: KeyringStore(folder, longest=100, backend=Credentials()),
    "encrypted": lambda folder: EncryptedStore(FileStore(folder), KEYS),
}
CLOCKS = ("memory.monotonic", "file_leases.time", "sqlite.time")

keys = st.sampled_from(["a", "b"])
owners = st.sampled_from(["1", "2", "3"])
contents = st.binary(max_size=300)
some_seconds = st.sampled_from([0.5, 1.0, 10.0])


class Model(RuleBasedStateMachine):
    """A store beside what it should be."""

    new_store: Callable[[Path], TokenStore]

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0
        self.clocks = [patch(f"oauth2_sansio.stores.{clock}", lambda: self.now) for clock in CLOCKS]
        for clock in self.clocks:
            clock.start()
        self.folder = tempfile.TemporaryDirectory()
        self.store = type(self).new_store(Path(self.folder.name))
        self.records: dict[str, tuple[bytes, int]] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.versions: set[tuple[str, int]] = set()

    def teardown(self) -> None:
        self.folder.cleanup()
        for clock in self.clocks:
            clock.stop()

    @rule(key=keys)
    def load(self, key: str) -> None:
        found = self.store.load(key)
        assert self.records.get(key) == (found and (found.content, found.version))

    @rule(key=keys, content=contents, late=st.sampled_from([0, 0, 1, 5]))
    def replace(self, key: str, content: bytes, late: int) -> None:
        seen = self.records.get(key, (b"", 0))[1]
        version = self.store.replace(key, content, expected=seen + late)
        if late:
            assert version is None
        else:
            assert version is not None
            assert (key, version) not in self.versions
            self.versions.add((key, version))
            self.records[key] = (content, version)

    @rule(key=keys, late=st.sampled_from([0, 0, 1]))
    def delete(self, key: str, late: int) -> None:
        record = self.records.get(key)
        expected = (record[1] if record else 1) + late
        deleted = self.store.delete(key, expected=expected)
        assert deleted == (record is not None and not late)
        if deleted:
            del self.records[key]

    @rule(key=keys, owner=owners, seconds=some_seconds)
    def lease(self, key: str, owner: str, seconds: float) -> None:
        held, ends = self.leases.get(key, (owner, 0.0))
        remaining = self.store.lease(key, owner, seconds)
        if held == owner or ends <= self.now:
            assert remaining is None
            self.leases[key] = (owner, self.now + seconds)
        else:
            assert remaining == ends - self.now

    @rule(key=keys, owner=owners)
    def release(self, key: str, owner: str) -> None:
        self.store.release(key, owner)
        if self.leases.get(key, ("", 0.0))[0] == owner:
            del self.leases[key]

    @rule(seconds=some_seconds)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def set_the_clock_back(self) -> None:
        """What had a lease has lost it: better than to block for as long as the clock lags."""
        self.now -= 3600
        self.leases.clear()

    @rule()
    def open_again(self) -> None:
        if not isinstance(self.store, (MemoryStore, KeyringStore)):
            self.store.close()
            self.store = type(self).new_store(Path(self.folder.name))


@pytest.mark.parametrize("name", STORES)
def test_a_store_does_what_the_model_does(name: str) -> None:
    model = type("ModelOfStore", (Model,), {"new_store": staticmethod(STORES[name])})
    run_state_machine_as_test(
        model, settings=settings(max_examples=25, stateful_step_count=30, deadline=None)
    )
