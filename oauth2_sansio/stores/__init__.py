"""Stores of tokens, for threads, tasks, processes and machines that share one.

Which one is for what: docs/stores.md. Each lies in a module of its own, loaded when it is first
used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .encrypted import AsyncEncryptedStore as AsyncEncryptedStore
    from .encrypted import EncryptedStore as EncryptedStore
    from .encrypted import generate_key as generate_key
    from .file import FileStore as FileStore
    from .in_threads import StoreInThreads as StoreInThreads
    from .keyring import KeyringStore as KeyringStore
    from .memory import AsyncMemoryStore as AsyncMemoryStore
    from .memory import MemoryStore as MemoryStore
    from .postgresql import AsyncPostgreSQLStore as AsyncPostgreSQLStore
    from .postgresql import PostgreSQLStore as PostgreSQLStore
    from .protocol import AsyncTokenStore as AsyncTokenStore
    from .protocol import StoredRecord as StoredRecord
    from .protocol import TokenStore as TokenStore
    from .redis import AsyncRedisStore as AsyncRedisStore
    from .redis import RedisStore as RedisStore
    from .sqlite import SQLiteStore as SQLiteStore

_ORIGINS = {
    "AsyncEncryptedStore": "encrypted",
    "AsyncMemoryStore": "memory",
    "AsyncPostgreSQLStore": "postgresql",
    "AsyncRedisStore": "redis",
    "AsyncTokenStore": "protocol",
    "EncryptedStore": "encrypted",
    "FileStore": "file",
    "KeyringStore": "keyring",
    "MemoryStore": "memory",
    "PostgreSQLStore": "postgresql",
    "RedisStore": "redis",
    "SQLiteStore": "sqlite",
    "StoreInThreads": "in_threads",
    "StoredRecord": "protocol",
    "TokenStore": "protocol",
    "generate_key": "encrypted",
}

# The block above has them, which is what the checkers cannot see.
__all__ = [*sorted(_ORIGINS)]  # pyright: ignore[reportUnsupportedDunderAll] # noqa: PLE0604 - see above


def __getattr__(name: str) -> object:
    if name not in _ORIGINS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ORIGINS[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
