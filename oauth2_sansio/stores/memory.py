"""The store that lasts as long as the process."""

from __future__ import annotations

from itertools import count
from threading import Lock
from time import monotonic

from ..waiting.forks import remember
from .arguments import check_expected, check_lease, check_name
from .leases import Lease, grant
from .protocol import StoredRecord


class MemoryStore:
    """Keep records in memory, for the threads of one process.

    A fork copies it: from then on parent and child each have their own.
    """

    __slots__ = ("__weakref__", "_leases", "_lock", "_records", "_versions")

    def __init__(self) -> None:
        self._records: dict[str, StoredRecord] = {}
        self._leases: dict[str, Lease] = {}
        self._versions = count(
            1
        )  # for all keys: so none comes again, and a deletion leaves nothing
        self.after_fork()
        remember(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._records)} records)"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        return self._records.get(key)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_name("key", key)
        check_expected(expected)
        with self._lock:
            if self._version(key) != expected:
                return None
            record = StoredRecord(content, next(self._versions))
            self._records[key] = record
            return record.version

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        with self._lock:
            if self._version(key) != expected:
                return False
            del self._records[key]
            return True

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        with self._lock:
            granted = grant(self._leases.get(key), owner, seconds, monotonic())
            if not isinstance(granted, Lease):
                return granted
            self._leases[key] = granted
            return None

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        with self._lock:
            held = self._leases.get(key)
            if held is not None and held.owner == owner:
                del self._leases[key]

    def close(self) -> None:
        """Do nothing: the records stay, and nothing is open."""

    def after_fork(self) -> None:
        """Take a new lock, in the child: the thread that may have held the old one is not there."""
        self._lock = Lock()

    def _version(self, key: str) -> int:
        record = self._records.get(key)
        return 0 if record is None else record.version


class AsyncMemoryStore:
    """Keep records in memory, for tasks; also together with threads.

    store: whose records these are; without it they are its own.
    """

    __slots__ = ("_store",)

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = MemoryStore() if store is None else store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        return self._store.load(key)

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        return self._store.replace(key, content, expected=expected)

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        return self._store.delete(key, expected=expected)

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        return self._store.lease(key, owner, seconds)

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        self._store.release(key, owner)

    async def aclose(self) -> None:
        """Do nothing: the records stay, and nothing is open."""
