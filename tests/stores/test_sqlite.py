"""The store in SQLite: whose file it takes, in which mode, and what it says of trouble."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from oauth2_sansio import StoreError
from oauth2_sansio.stores import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "records.db"


@pytest.fixture
def store(path: Path) -> SQLiteStore:
    return SQLiteStore(path, timeout=0.05)


def calls(store: SQLiteStore) -> list[Callable[[], object]]:
    return [
        lambda: store.load("k"),
        lambda: store.replace("k", b"new", expected=0),
        lambda: store.delete("k", expected=1),
        lambda: store.lease("k", "b", 60),
        lambda: store.release("k", "a"),
    ]


def fails(store: SQLiteStore, path: Path, match: str) -> StoreError:
    """Let every call fail; the file must not change."""
    before = path.read_bytes() if path.is_file() else None
    errors: list[StoreError] = []
    for call in calls(store):
        with pytest.raises(StoreError, match=match) as raised:
            call()
        errors.append(raised.value)
    assert before == (path.read_bytes() if path.is_file() else None)
    assert len({str(error) for error in errors}) == 1
    return errors[0]


@contextmanager
def database(path: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_only_the_owner_can_read(store: SQLiteStore, path: Path) -> None:
    store.replace("k", b"one", expected=0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["records.db"]
    assert repr(store) == f"SQLiteStore({str(path)!r})"


def test_a_file_open_to_others_is_refused(store: SQLiteStore, path: Path) -> None:
    store.replace("k", b"one", expected=0)
    path.chmod(0o640)
    error = fails(store, path, "is open to other users")
    assert error.advice == "chmod 600 it; if others may have read it, revoke the tokens"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_write_into_is_refused(
    store: SQLiteStore, path: Path, mode: int
) -> None:
    """They could lay a journal beside the database, which SQLite would play back."""
    path.parent.mkdir()
    path.parent.chmod(mode)
    error = fails(store, path, "folder is open to other users")
    assert str(error.advice).startswith("chmod go-w it")
    path.parent.chmod(0o755)
    assert store.load("k") is None


def test_a_link_is_not_followed(store: SQLiteStore, path: Path) -> None:
    path.parent.mkdir()
    other = path.with_name("other.db")
    other.write_bytes(b"")
    path.symlink_to(other)
    fails(store, path, "is not a plain file")


def test_a_folder_that_cannot_be_made_is_told(store: SQLiteStore, path: Path) -> None:
    path.parent.write_bytes(b"")
    fails(store, path, "cannot open .*records.db: ")


@pytest.mark.parametrize("path_", ["", ":memory:"])
def test_memory_is_another_store(path_: str) -> None:
    with pytest.raises(ValueError, match="take MemoryStore"):
        SQLiteStore(path_)


def test_the_mode_of_a_database_of_yours_stays(store: SQLiteStore, path: Path) -> None:
    assert store.load("k") is None
    with database(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE yours (name TEXT)")
        version = store.replace("k", b"one", expected=0)
        assert version == 1
        assert store.lease("k", "a", 60) is None
        found = store.load("k")
        assert found is not None
        assert found.content == b"one"
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        for beside in path.parent.iterdir():
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_database_that_another_writes_to_is_waited_for_and_no_longer(
    store: SQLiteStore, path: Path, mode: str
) -> None:
    store.replace("k", b"one", expected=0)
    with database(path) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("BEGIN IMMEDIATE")
        error = fails(store, path, "database is locked")
        connection.execute("ROLLBACK")
    assert isinstance(error.cause, sqlite3.OperationalError)
    assert error.advice == "see which process keeps it locked"
    assert store.load("k") is not None


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_told_and_kept(
    store: SQLiteStore, path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_bytes(content)
    error = fails(store, path, "SQLite says SQLITE_NOTADB")
    assert error.error == "damaged_record"


def test_a_foreign_table_is_told_and_kept(store: SQLiteStore, path: Path) -> None:
    store.load("k")
    with database(path) as connection:
        connection.execute("DROP TABLE oauth2_sansio_records")
        connection.execute("CREATE TABLE oauth2_sansio_records (other TEXT)")
    with pytest.raises(StoreError, match="no such column"):
        store.load("k")


def test_a_foreign_row_is_told_and_kept(store: SQLiteStore, path: Path) -> None:
    version = store.replace("k", b"one", expected=0)
    with database(path) as connection:
        connection.execute("UPDATE oauth2_sansio_records SET content = 'tOp-sEcret'")
        connection.execute("INSERT INTO oauth2_sansio_leases VALUES ('k', 'a', 'soon', 'x')")
    for call in (lambda: store.load("k"), lambda: store.lease("k", "b", 60)):
        with pytest.raises(StoreError, match="cannot be read") as raised:
            call()
        assert raised.value.error == "damaged_record"
        assert "tOp" not in str(raised.value)
    assert version == 1


def test_what_fails_half_way_is_undone(store: SQLiteStore, path: Path) -> None:
    """Also a failure that is not SQLite's."""
    assert store.replace("k", b"one", expected=0) == 1
    no_bytes: bytes = object()  # type: ignore[assignment]  # that is what is tested
    with pytest.raises(StoreError, match="Error binding parameter|type 'object' is not supported"):
        store.replace("k", no_bytes, expected=1)
    found = store.load("k")
    assert found is not None
    assert found.content == b"one"
    with database(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_users_own_folder_has_a_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    SQLiteStore("~/records.db").load("k")
    assert (tmp_path / "records.db").is_file()
