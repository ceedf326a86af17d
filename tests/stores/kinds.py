"""All kinds of stores, behind one face: so one suite holds for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from oauth2_sansio.stores import (
    AsyncEncryptedStore,
    AsyncMemoryStore,
    AsyncPostgreSQLStore,
    AsyncRedisStore,
    AsyncTokenStore,
    EncryptedStore,
    FileStore,
    KeyringStore,
    MemoryStore,
    PostgreSQLStore,
    RedisStore,
    SQLiteStore,
    StoredRecord,
    StoreInThreads,
    TokenStore,
)

R = TypeVar("R")
Runner = Callable[[Callable[[], Coroutine[Any, Any, R]]], R]

KEYS = [b"k" * 32]


class Kind(Enum):
    """A kind of store, and of event loop where it needs one."""

    MEMORY = "memory"
    MEMORY_ASYNCIO = "memory, asyncio"
    MEMORY_TRIO = "memory, trio"
    FILE = "file"
    FILE_ASYNCIO = "file, in threads of asyncio"
    FILE_TRIO = "file, in threads of trio"
    SQLITE = "SQLite"
    KEYRING = "keyring"
    REDIS = "Redis"
    REDIS_ASYNCIO = "Redis, asyncio"
    POSTGRESQL = "PostgreSQL"
    POSTGRESQL_ASYNCIO = "PostgreSQL, asyncio"
    ENCRYPTED = "encrypted"
    ENCRYPTED_ASYNCIO = "encrypted, asyncio"

    @property
    def server(self) -> str | None:
        """Return the fixture of the server that it needs."""
        if self in (Kind.REDIS, Kind.REDIS_ASYNCIO):
            return "redis_url"
        return "postgresql" if self in (Kind.POSTGRESQL, Kind.POSTGRESQL_ASYNCIO) else None


# What processes can share, one way for each engine.
SHARED = (Kind.FILE, Kind.SQLITE, Kind.REDIS, Kind.POSTGRESQL)


@dataclass(frozen=True)
class Place:
    """Where a store is, in words that another process understands."""

    kind: Kind
    folder: str
    server: str


def open_store(place: Place) -> TokenStore:
    """Return the store at a place; one for tasks runs each call in an event loop of its own."""
    folder = Path(place.folder)
    over_trio: Runner[Any] = trio.run
    match place.kind:
        case Kind.MEMORY:
            return MemoryStore()
        case Kind.MEMORY_ASYNCIO:
            return Blocking(AsyncMemoryStore(), over_asyncio)
        case Kind.MEMORY_TRIO:
            return Blocking(AsyncMemoryStore(MemoryStore()), over_trio)
        case Kind.FILE:
            return FileStore(folder / "records")
        case Kind.FILE_ASYNCIO:
            return Blocking(StoreInThreads(FileStore(folder / "records")), over_asyncio)
        case Kind.FILE_TRIO:
            return Blocking(StoreInThreads(FileStore(folder / "records")), over_trio)
        case Kind.SQLITE:
            return SQLiteStore(folder / "records.db")
        case Kind.KEYRING:
            return KeyringStore(folder / "leases", longest=100, backend=Credentials())
        case Kind.REDIS:
            return RedisStore(place.server)
        case Kind.REDIS_ASYNCIO:
            return Blocking(AsyncRedisStore(place.server), over_asyncio)
        case Kind.POSTGRESQL:
            return PostgreSQLStore(place.server)
        case Kind.POSTGRESQL_ASYNCIO:
            return Blocking(AsyncPostgreSQLStore(place.server), over_asyncio)
        case Kind.ENCRYPTED:
            return EncryptedStore(MemoryStore(), KEYS)
        case Kind.ENCRYPTED_ASYNCIO:
            return Blocking(AsyncEncryptedStore(AsyncMemoryStore(), KEYS), over_asyncio)


class Credentials(KeyringBackend):
    """A credential store in memory, as strict as that of Windows.

    longest: how many characters an entry may have.
    """

    priority = 0.1

    def __init__(self, longest: int = 100) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's has no types
        self.longest = longest
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write an entry."""
        if len(password) > self.longest:
            raise OSError("the stub received bad data")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete an entry."""
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


class Blocking:
    """A store for tasks with the face of one for threads."""

    def __init__(self, store: AsyncTokenStore, run: Runner[Any]) -> None:
        self.store = store
        self._run = run

    def __repr__(self) -> str:
        return repr(self.store)

    def load(self, key: str) -> StoredRecord | None:
        """Load."""
        found: StoredRecord | None = self._run(partial(self.store.load, key))
        return found

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Replace."""
        version: int | None = self._run(
            partial(self.store.replace, key, content, expected=expected)
        )
        return version

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete."""
        deleted: bool = self._run(partial(self.store.delete, key, expected=expected))
        return deleted

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Lease."""
        remaining: float | None = self._run(partial(self.store.lease, key, owner, seconds))
        return remaining

    def release(self, key: str, owner: str) -> None:
        """Release."""
        self._run(partial(self.store.release, key, owner))

    def close(self) -> None:
        """Close."""
        self._run(self.store.aclose)


def over_asyncio(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run work in an event loop of its own."""
    return asyncio.run(work())
