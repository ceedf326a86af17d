"""Stores in PostgreSQL: for fleets that have a database already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from functools import partial
from math import ceil
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import TYPE_CHECKING, Any, LiteralString

from ..errors import StoreError
from .arguments import check_expected, check_lease, check_name
from .event_loops import require_asyncio
from .extras import Extra, load
from .framing import damaged
from .protocol import StoredRecord

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection
    from psycopg.rows import AsyncRowFactory, RowFactory

_GRACE = 1.0  # seconds: so that the server itself may say first that it takes too long

TABLES = """
SELECT pg_advisory_xact_lock(7307199623172158320);
CREATE TABLE IF NOT EXISTS oauth2_sansio_records (
    key text PRIMARY KEY,
    version bigserial NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth2_sansio_leases (
    key text PRIMARY KEY,
    owner text NOT NULL,
    ends timestamptz NOT NULL
);
"""
"""What `create_tables` runs: for who makes tables by a migration.

The lock is there because PostgreSQL lets `IF NOT EXISTS` fail where two do it at once.
"""

# Each of these is one statement, done as a whole and at once, and returns one row or none. A
# sequence gives out no number twice, so no version comes again. Time is the server's.
_LOAD = "SELECT content, version FROM oauth2_sansio_records WHERE key = %(key)s"
_INSERT = """
INSERT INTO oauth2_sansio_records (key, content) VALUES (%(key)s, %(content)s)
ON CONFLICT (key) DO NOTHING RETURNING version
"""
_UPDATE = """
UPDATE oauth2_sansio_records SET content = %(content)s, version = DEFAULT
WHERE key = %(key)s AND version = %(expected)s RETURNING version
"""
_DELETE = """
DELETE FROM oauth2_sansio_records WHERE key = %(key)s AND version = %(expected)s RETURNING version
"""
# No row: the other's lease was released, or ended, while this statement ran.
_LEASE = """
WITH taken AS (
    INSERT INTO oauth2_sansio_leases AS held (key, owner, ends)
    VALUES (%(key)s, %(owner)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, ends = excluded.ends
    WHERE held.owner = excluded.owner OR held.ends <= clock_timestamp()
    RETURNING key
)
SELECT NULL::float8 FROM taken
UNION ALL
SELECT greatest(extract(epoch FROM ends - clock_timestamp()), 0)::float8
FROM oauth2_sansio_leases WHERE key = %(key)s AND NOT EXISTS (SELECT FROM taken)
"""
_RELEASE = """
DELETE FROM oauth2_sansio_leases WHERE key = %(key)s AND owner = %(owner)s RETURNING key
"""


class PostgreSQLStore:
    """Keep records in PostgreSQL, for any number of machines.

    database: a connection string or URI, or what returns a context manager of a connection, such
        as the method `connection` of a pool of `psycopg_pool`. It commits at its end.
    timeout: how many seconds a server that was given by its connection string has to let us in,
        and how many for each call then.

    With a connection string each call connects anew: so threads and forks may share one object,
    and no transaction is open while a token is being renewed. Call `create_tables` once.
    It takes the extra `postgresql`. Raises `LocalProtocolError` where that is missing.
    """

    __slots__ = ("_connect", "_error", "_rows")

    def __init__(
        self,
        database: str | Callable[[], AbstractContextManager[Connection[Any]]],
        *,
        timeout: float = 10.0,
    ) -> None:
        psycopg = load("psycopg", Extra.POSTGRESQL)
        self._error: type[Exception] = psycopg.Error
        self._rows: RowFactory[tuple[Any, ...]] = load("psycopg.rows", Extra.POSTGRESQL).tuple_row
        self._connect: Callable[[], AbstractContextManager[Connection[Any]]] = (
            partial(_connected, psycopg.Connection, _bounded(database, timeout), timeout)
            if isinstance(database, str)
            else database
        )

    def create_tables(self) -> None:
        """Create the two tables where they are missing; their names begin with `oauth2_sansio_`."""
        with _failing(self._error), self._connect() as connection:
            connection.execute(TABLES)

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        return _read_record(self._run(_LOAD, {"key": key}))

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        row = self._run(*_replacement(key, content, expected))
        return row[0] if row else None

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        return self._run(_DELETE, {"key": key, "expected": expected}) is not None

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        row = self._run(_LEASE, {"key": key, "owner": owner, "seconds": seconds})
        return row[0] if row else 0.0

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        self._run(_RELEASE, {"key": key, "owner": owner})

    def close(self) -> None:
        """Do nothing: nothing of its own is open."""

    def _run(self, statement: LiteralString, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
        with _failing(self._error), self._connect() as connection:
            cursor = connection.cursor(row_factory=self._rows)
            return cursor.execute(statement, parameters).fetchone()


class AsyncPostgreSQLStore:
    """Keep records in PostgreSQL, for tasks of asyncio: see `PostgreSQLStore`.

    database: a connection string or URI, or what returns an asynchronous context manager of an
        asynchronous connection.

    Under trio take `StoreInThreads(PostgreSQLStore(...))`.
    """

    __slots__ = ("_connect", "_error", "_rows")

    def __init__(
        self,
        database: str | Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]],
        *,
        timeout: float = 10.0,
    ) -> None:
        psycopg = load("psycopg", Extra.POSTGRESQL)
        self._error: type[Exception] = psycopg.Error
        self._rows: AsyncRowFactory[tuple[Any, ...]] = load(
            "psycopg.rows", Extra.POSTGRESQL
        ).tuple_row
        self._connect: Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]] = (
            partial(_async_connected, psycopg.AsyncConnection, _bounded(database, timeout), timeout)
            if isinstance(database, str)
            else database
        )

    async def create_tables(self) -> None:
        """Create the two tables where they are missing; their names begin with `oauth2_sansio_`."""
        require_asyncio("PostgreSQLStore")
        with _failing(self._error):
            async with self._connect() as connection:
                await connection.execute(TABLES)

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        return _read_record(await self._run(_LOAD, {"key": key}))

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        row = await self._run(*_replacement(key, content, expected))
        return row[0] if row else None

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        return await self._run(_DELETE, {"key": key, "expected": expected}) is not None

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        row = await self._run(_LEASE, {"key": key, "owner": owner, "seconds": seconds})
        return row[0] if row else 0.0

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        await self._run(_RELEASE, {"key": key, "owner": owner})

    async def aclose(self) -> None:
        """Do nothing: nothing of its own is open."""

    async def _run(
        self, statement: LiteralString, parameters: dict[str, Any]
    ) -> tuple[Any, ...] | None:
        require_asyncio("PostgreSQLStore")
        with _failing(self._error):
            async with self._connect() as connection:
                cursor = connection.cursor(row_factory=self._rows)
                return await (await cursor.execute(statement, parameters)).fetchone()


@contextmanager
def _connected(kind: type[Connection], database: str, timeout: float) -> Generator[Connection[Any]]:
    with kind.connect(database, autocommit=True) as connection:
        # Nothing else bounds how long a server is waited for that holds the connection, and sleeps.
        watch = Timer(timeout + _GRACE, _hang_up, (connection.fileno(),))
        watch.start()
        try:
            yield connection
        finally:
            watch.cancel()
            watch.join()  # before the connection is closed: its number may be another's then


def _hang_up(descriptor: int) -> None:
    borrowed = socket(fileno=descriptor)
    with suppress(OSError):  # the server may have hung up just now
        borrowed.shutdown(SHUT_RDWR)
    borrowed.detach()


@asynccontextmanager
async def _async_connected(
    kind: type[AsyncConnection], database: str, seconds: float
) -> AsyncGenerator[AsyncConnection[Any]]:
    async with await kind.connect(database, autocommit=True) as connection:
        async with asyncio.timeout(seconds + _GRACE):
            yield connection


def _replacement(key: str, content: bytes, expected: int) -> tuple[LiteralString, dict[str, Any]]:
    check_name("key", key)
    check_expected(expected)
    statement = _UPDATE if expected else _INSERT
    return statement, {"key": key, "content": content, "expected": expected}


def _bounded(database: str, timeout: float) -> str:
    """Return a connection string with bounds on how long anything may take.

    What the given string says of these goes first, but for `options`: all of them are kept.
    """
    conninfo = load("psycopg.conninfo", Extra.POSTGRESQL)
    milliseconds = ceil(timeout * 1000)
    try:
        given: dict[str, Any] = conninfo.conninfo_to_dict(database)
    except load("psycopg", Extra.POSTGRESQL).Error:
        raise ValueError("database is no connection string") from None  # psycopg's text quotes it
    settings = {
        "connect_timeout": max(2, ceil(timeout)),  # libpq takes 1 for 2
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": ceil(timeout),
        "keepalives_interval": 1,
        "keepalives_count": 3,
        **given,
        # What stands further behind counts.
        "options": " ".join(
            (
                f"-c statement_timeout={milliseconds}",
                f"-c lock_timeout={milliseconds}",
                "-c synchronous_commit=on",
                given.get("options", ""),
                "-c default_transaction_isolation=read\\ committed",  # else a lost race is an error
            )
        ),
    }
    text: str = conninfo.make_conninfo(**settings)
    return text


def _read_record(row: tuple[Any, ...] | None) -> StoredRecord | None:
    if row is None:
        return None
    content, version = row
    if not isinstance(content, bytes) or not isinstance(version, int):
        raise damaged("a record in PostgreSQL", "the table is not of this library")
    return StoredRecord(content, version)


@contextmanager
def _failing(kind: type[Exception]) -> Generator[None]:
    try:
        yield
    except (kind, OSError) as error:
        # PostgreSQL's texts may quote rows, and psycopg's may quote the connection string.
        state: str | None = getattr(error, "sqlstate", None)
        missing = state == "42P01"
        raise StoreError(
            f"PostgreSQL failed ({type(error).__name__})",
            cause=error,
            advice="call create_tables() once" if missing else "see error.cause",
        ) from None
