"""A store in a file of SQLite, with nothing but the standard library."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import time

from ..errors import StoreError
from .arguments import check_expected, check_lease, check_name
from .framing import damaged
from .leases import Lease, grant, read_lease
from .private_folder import check_folder, check_private_file, make_private_file
from .protocol import StoredRecord

# A row that replaces another one gets a new rowid, and AUTOINCREMENT gives none out twice: that is
# the version.
_TABLES = (
    """CREATE TABLE IF NOT EXISTS oauth2_sansio_records (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        content BLOB NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS oauth2_sansio_leases (
        key TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        ends REAL NOT NULL,
        seconds REAL NOT NULL
    )""",
)
_DAMAGED = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_MISMATCH"})


class SQLiteStore:
    """Keep records in a database of SQLite, for the threads and processes of one machine.

    path: the file; it is made where it is missing. It has to be this user's and closed to all
        others, and so that no other user can write into its folder. It may be a database of
        yours: the names of our tables begin with `oauth2_sansio_`.
    timeout: for how many seconds to wait for another writer at most.

    Each call opens the database, does one short transaction, and closes it: so threads and forks
    may share one object, and no transaction is open while a token is being renewed. The journal
    stays in the mode that the database has, WAL or another one.
    """

    __slots__ = ("_path", "_timeout")

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        if os.fspath(path) in ("", ":memory:"):
            raise ValueError("path has to name a file: for records in memory take MemoryStore")
        self._path = Path(path).expanduser().absolute()
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT content, version FROM oauth2_sansio_records WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        content, version = row
        if not isinstance(content, bytes):
            raise damaged(str(self._path), "a record holds no bytes")
        return StoredRecord(content, version)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_name("key", key)
        check_expected(expected)
        with self._transaction() as connection:
            if _version(connection, key) != expected:
                return None
            return connection.execute(
                "INSERT OR REPLACE INTO oauth2_sansio_records (key, content) VALUES (?, ?)",
                (key, content),
            ).lastrowid

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        with self._transaction() as connection:
            deleted = connection.execute(
                "DELETE FROM oauth2_sansio_records WHERE key = ? AND version = ?", (key, expected)
            )
            return deleted.rowcount == 1

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT owner, ends, seconds FROM oauth2_sansio_leases WHERE key = ?", (key,)
            ).fetchone()
            granted = grant(row and read_lease(str(self._path), *row), owner, seconds, time())
            if not isinstance(granted, Lease):
                return granted
            connection.execute(
                "INSERT OR REPLACE INTO oauth2_sansio_leases VALUES (?, ?, ?, ?)",
                (key, granted.owner, granted.ends, granted.seconds),
            )
            return None

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM oauth2_sansio_leases WHERE key = ? AND owner = ?", (key, owner)
            )

    def close(self) -> None:
        """Do nothing: the records stay, and nothing is open."""

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        """Hold a transaction that has the right to write from its beginning."""
        self._check()
        try:
            with closing(self._connect()) as connection:
                # EXTRA syncs the folder too: a commit survives a loss of power.
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for statement in _TABLES:
                        connection.execute(statement)
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:  # what has failed must not stay half done
                        connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None)

    def _check(self) -> None:
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_folder(folder, forbidden=0o022)
            with suppress(FileExistsError):  # SQLite would make one that others can read
                make_private_file(self._path, b"")
            found = self._path.lstat()
        except OSError as error:
            raise StoreError(f"cannot open {self._path}: {error.strerror}", cause=error) from None
        check_private_file(self._path, found)

    def _failed(self, error: sqlite3.Error) -> StoreError:
        name: str = getattr(error, "sqlite_errorname", "")
        if name in _DAMAGED:
            return damaged(str(self._path), f"SQLite says {name}", cause=error)
        advice = "see which process keeps it locked" if name.startswith("SQLITE_BUSY") else None
        return StoreError(f"{self._path} failed: {error}", cause=error, advice=advice)


def _version(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute(
        "SELECT version FROM oauth2_sansio_records WHERE key = ?", (key,)
    ).fetchone()
    return row[0] if row else 0
