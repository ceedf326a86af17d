"""The stores in PostgreSQL: tables, connections, and what they say of trouble."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from signal import SIGCONT, SIGSTOP
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from oauth2_sansio import StoreError
from oauth2_sansio.stores import AsyncPostgreSQLStore, PostgreSQLStore, TokenStore

from .kinds import Blocking, Kind, Place, open_store, over_asyncio
from .servers import closed_port, silent_server

kinds = pytest.mark.parametrize(
    "kind", [Kind.POSTGRESQL, Kind.POSTGRESQL_ASYNCIO], ids=lambda kind: kind.name
)


@pytest.fixture
def connection(postgresql: str) -> Generator[psycopg.Connection[Any]]:
    with psycopg.connect(postgresql, autocommit=True) as connection:
        yield connection


@pytest.fixture
def schema(postgresql: str, connection: psycopg.Connection[Any], key: str) -> str:
    """Return a connection string to a schema of the test's own, without tables."""
    connection.execute(f'CREATE SCHEMA "s{key}"'.encode())
    return f"{postgresql} options='-c search_path=s{key}'"


def both(database: str) -> list[TokenStore]:
    return [
        open_store(Place(kind, "", database)) for kind in (Kind.POSTGRESQL, Kind.POSTGRESQL_ASYNCIO)
    ]


def hasty(kind: Kind, database: str, timeout: float) -> TokenStore:
    if kind is Kind.POSTGRESQL:
        return PostgreSQLStore(database, timeout=timeout)
    return Blocking(AsyncPostgreSQLStore(database, timeout=timeout), over_asyncio)


def test_missing_tables_are_told_and_created(schema: str) -> None:
    for store in both(schema):
        with pytest.raises(StoreError, match="UndefinedTable") as raised:
            store.load("k")
        assert raised.value.advice == "call create_tables() once"
    PostgreSQLStore(schema).create_tables()
    asyncio.run(AsyncPostgreSQLStore(schema).create_tables())
    for store in both(schema):
        version = store.replace("k", b"one", expected=0)
        assert version is not None
        assert store.delete("k", expected=version)


def test_tables_are_created_by_many_at_once(schema: str) -> None:
    async def main() -> None:
        store = AsyncPostgreSQLStore(schema)
        await asyncio.gather(*(store.create_tables() for _ in range(8)))
        assert await store.load("k") is None

    asyncio.run(main())


def test_connections_of_yours_are_used_whatever_their_rows_look_like(
    postgresql: str, key: str
) -> None:
    used: list[str] = []

    @contextmanager
    def connect() -> Generator[psycopg.Connection[dict[str, Any]]]:
        used.append("sync")
        with psycopg.connect(postgresql, row_factory=dict_row) as connection:
            yield connection

    @asynccontextmanager
    async def connect_async() -> AsyncGenerator[psycopg.AsyncConnection[dict[str, Any]]]:
        used.append("async")
        async with await psycopg.AsyncConnection.connect(
            postgresql, row_factory=dict_row
        ) as connection:
            yield connection

    store = PostgreSQLStore(connect)
    version = store.replace(key, b"one", expected=0)
    found = asyncio.run(AsyncPostgreSQLStore(connect_async).load(key))
    assert found is not None
    assert (found.content, found.version) == (b"one", version)
    assert used == ["sync", "async"]


@pytest.mark.parametrize("default", ["read\\\\ committed", "repeatable\\\\ read", "serializable"])
def test_a_lost_race_is_no_error_in_any_isolation(
    postgresql: str, connection: psycopg.Connection[Any], key: str, default: str
) -> None:
    database = f"{postgresql} options='-c default_transaction_isolation={default}'"
    store = PostgreSQLStore(database)
    version = store.replace(key, b"one", expected=0)
    assert version is not None

    async def main() -> list[int | None]:
        other = AsyncPostgreSQLStore(database)
        with connection.transaction():
            connection.execute(
                "SELECT FROM oauth2_sansio_records WHERE key = %s FOR UPDATE", (key,)
            )
            racing = [
                asyncio.create_task(other.replace(key, b"two", expected=version)) for _ in range(3)
            ]
            await _until_waiting(postgresql, 3)
        return await asyncio.gather(*racing)

    won = asyncio.run(main())
    assert won.count(None) == 2


async def _until_waiting(database: str, count: int) -> None:
    """Return once so many statements wait for a lock: it is the server that says so."""
    with psycopg.connect(database, autocommit=True) as watching:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while watching.execute(query).fetchone() != (count,):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)


@kinds
def test_a_row_that_another_has_locked_is_waited_for_and_no_longer(
    kind: Kind, postgresql: str, connection: psycopg.Connection[Any], key: str
) -> None:
    version = PostgreSQLStore(postgresql).replace(key, b"one", expected=0)
    assert version is not None
    with connection.transaction():
        connection.execute("SELECT FROM oauth2_sansio_records WHERE key = %s FOR UPDATE", (key,))
        with pytest.raises(StoreError, match=r"\((LockNotAvailable|QueryCanceled)\)"):
            hasty(kind, postgresql, 0.05).replace(key, b"two", expected=version)
    found = PostgreSQLStore(postgresql).load(key)
    assert found is not None
    assert found.content == b"one"


def test_a_lease_that_is_released_meanwhile_is_free(
    postgresql: str, connection: psycopg.Connection[Any], key: str
) -> None:
    """The statement sees neither the old row nor a new one: the caller may try again at once."""
    PostgreSQLStore(postgresql).lease(key, "a", 60)

    async def main() -> list[float | None]:
        store = AsyncPostgreSQLStore(postgresql)
        with connection.transaction():
            connection.execute("DELETE FROM oauth2_sansio_leases WHERE key = %s", (key,))
            racing = [asyncio.create_task(store.lease(key, name, 60)) for name in "bcd"]
            await _until_waiting(postgresql, 3)
        return await asyncio.gather(*racing)

    answers = asyncio.run(main())
    assert answers.count(None) == 1
    assert all(answer is None or 0 <= answer <= 60 for answer in answers)


@kinds
def test_a_server_that_is_down_is_told(kind: Kind) -> None:
    with closed_port() as port:
        database = f"host=127.0.0.1 port={port} user=tests password=tOp-sEcret dbname=x"
        store = open_store(Place(kind, "", database))
        for call in (
            lambda: store.load("k"),
            lambda: store.replace("k", b"tOp-sEcret", expected=0),
            lambda: store.delete("k", expected=1),
            lambda: store.lease("k", "a", 60),
            lambda: store.release("k", "a"),
        ):
            with pytest.raises(
                StoreError, match=r"PostgreSQL failed \(OperationalError\)"
            ) as raised:
                call()
            assert isinstance(raised.value.cause, psycopg.OperationalError)
            assert "tOp" not in f"{raised.value} {store!r}"


@kinds
def test_a_server_that_falls_asleep_is_given_up(
    kind: Kind, postgresql: str, connection: psycopg.Connection[Any], key: str
) -> None:
    version = PostgreSQLStore(postgresql).replace(key, b"one", expected=0)
    assert version is not None
    store = hasty(kind, postgresql, 0.5)
    errors: list[str] = []

    def replace() -> None:
        with pytest.raises(StoreError, match="PostgreSQL failed") as raised:
            store.replace(key, b"two", expected=version)
        errors.append(str(raised.value))

    with connection.transaction():
        connection.execute("SELECT FROM oauth2_sansio_records WHERE key = %s FOR UPDATE", (key,))
        thread = threading.Thread(target=replace)
        thread.start()
        asyncio.run(_until_waiting(postgresql, 1))
        [(process,)] = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ).fetchall()
        os.kill(process, SIGSTOP)
        thread.join()
        os.kill(process, SIGCONT)
    assert len(errors) == 1


def test_a_server_that_says_nothing_is_given_up() -> None:
    with silent_server() as port:
        database = f"host=127.0.0.1 port={port} user=tests dbname=x"
        with pytest.raises(StoreError, match="PostgreSQL failed"):
            PostgreSQLStore(database, timeout=0.05).load("k")


def test_a_foreign_table_is_told_and_kept(schema: str) -> None:
    PostgreSQLStore(schema).create_tables()
    with psycopg.connect(schema) as other:
        other.execute("ALTER TABLE oauth2_sansio_records ALTER content TYPE text USING 'x'")
        other.execute("INSERT INTO oauth2_sansio_records VALUES ('k', 1, 'tOp-sEcret')")
    for store in both(schema):
        with pytest.raises(StoreError, match="the table is not of this library") as raised:
            store.load("k")
        assert raised.value.error == "damaged_record"
        assert "tOp" not in str(raised.value)


def test_what_is_no_connection_string_is_told() -> None:
    with pytest.raises(ValueError, match="database is no connection string"):
        PostgreSQLStore("tOp-sEcret nonsense")
