"""The store in files: closed to others, whole at any moment, and clear about what is wrong."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth2_sansio import StoreError
from oauth2_sansio.stores import FileStore, StoredRecord
from oauth2_sansio.stores.file_leases import file_name
from oauth2_sansio.stores.framing import frame, unframe

NAME = file_name("k")
SECRET = b"tOp-sEcret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parent" / "records"


@pytest.fixture
def store(folder: Path) -> FileStore:
    made = FileStore(folder, timeout=0.05)
    assert made.replace("k", SECRET, expected=0) == 1
    assert made.lease("k", "a", 60) is None
    return made


def calls(store: FileStore) -> dict[str, Callable[[], object]]:
    return {
        "load": lambda: store.load("k"),
        "replace": lambda: store.replace("k", b"new", expected=1),
        "delete": lambda: store.delete("k", expected=1),
        "lease": lambda: store.lease("k", "b", 60),
        "release": lambda: store.release("k", "a"),
    }


def fails(store: FileStore, match: str, *names: str) -> list[StoreError]:
    """Let calls fail, all where none is named; nothing must have changed."""
    folder = Path(repr(store).split("'")[1])
    before = _contents(folder)
    errors: list[StoreError] = []
    for name, call in calls(store).items():
        if not names or name in names:
            with pytest.raises(StoreError, match=match) as raised:
                call()
            errors.append(raised.value)
            assert "tOp" not in str(raised.value)
    assert _contents(folder) == before
    return errors


def _contents(folder: Path) -> dict[str, bytes]:
    paths = folder.glob("*") if folder.is_dir() else ()
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def test_only_the_owner_can_read(store: FileStore, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.suffix for path in folder.iterdir()} >= {".record", ".lease"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert repr(store) == f"FileStore({str(folder)!r})"


def test_a_wide_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "open")
        store.replace("k", SECRET, expected=0)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "open").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o704, 0o755, 0o777])
def test_a_folder_open_to_others_is_refused(store: FileStore, folder: Path, mode: int) -> None:
    folder.chmod(mode)
    errors = fails(store, "is open to other users")
    assert errors[0].advice == "chmod 700 it; if others may have read it, revoke the tokens"
    folder.chmod(0o700)
    assert store.load("k") is not None


@pytest.mark.parametrize("mode", [0o601, 0o604, 0o640, 0o620, 0o666])
def test_a_file_open_to_others_is_refused(store: FileStore, folder: Path, mode: int) -> None:
    (folder / f"{NAME}.record").chmod(mode)
    errors = fails(store, "record is open to other users", "load", "replace", "delete")
    assert errors[0].advice == "chmod 600 it; if others may have read it, revoke the tokens"
    (folder / f"{NAME}.lease").chmod(mode)
    fails(store, "lease is open to other users", "lease", "release")


def test_what_belongs_to_another_user_is_refused(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    fails(store, "belongs to another user")


def test_windows_has_no_modes(
    store: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o755)
    monkeypatch.setattr("oauth2_sansio.stores.private_folder._WINDOWS", True)
    assert store.load("k") is not None
    assert store.replace("k", b"new", expected=1) == 2


@pytest.mark.parametrize("suffix", ["record", "lease"])
def test_a_link_is_not_followed(
    store: FileStore, folder: Path, tmp_path: Path, suffix: str
) -> None:
    path = folder / f"{NAME}.{suffix}"
    moved = tmp_path / "moved"
    path.rename(moved)
    path.symlink_to(moved)
    names = ("load", "replace", "delete") if suffix == "record" else ("lease", "release")
    [error, *_] = fails(store, f"cannot read .*{suffix}", *names)
    assert isinstance(error.cause, OSError)
    assert error.cause.errno == errno.ELOOP


def test_a_link_in_the_place_of_the_new_file_is_not_followed(
    store: FileStore, folder: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (folder / f"{NAME}.record.new").symlink_to(victim)
    assert store.replace("k", b"new", expected=1) == 2
    assert victim.read_bytes() == b"untouched"


def test_a_link_in_the_place_of_the_lock_is_not_followed(
    store: FileStore, folder: Path, tmp_path: Path
) -> None:
    lock = folder / f"{NAME}.lock"
    lock.unlink(missing_ok=True)
    lock.symlink_to(tmp_path / "elsewhere")
    fails(store, "cannot lock", "replace", "delete", "lease", "release")
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_in_the_place_of_the_folder_is_refused(store: FileStore, folder: Path) -> None:
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.symlink_to(moved)
    fails(store, "is not a folder but a link or a file")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    fails(FileStore(tmp_path / "file"), "cannot make .*file")
    fails(FileStore(tmp_path / "file" / "within"), "cannot make .*within")


def test_what_is_no_plain_file_is_refused(store: FileStore, folder: Path) -> None:
    """A pipe would let the reader wait for ever."""
    path = folder / f"{NAME}.record"
    path.unlink()
    os.mkfifo(path, 0o600)
    fails(store, "is not a plain file", "load", "replace", "delete")
    path.unlink()
    path.mkdir()
    fails(store, "cannot read|is not a plain file", "load", "replace", "delete")


def test_a_lock_that_another_holds_is_waited_for_and_no_longer(
    store: FileStore, folder: Path
) -> None:
    with filelock.FileLock(folder / f"{NAME}.lock"):
        match = "another process has held the lock .* for 0.05 seconds"
        [error, *_] = fails(store, match, "replace", "delete", "lease", "release")
        assert store.load("k") is not None
    assert isinstance(error.cause, filelock.Timeout)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}",
        b"oauth2_sansio-record 1 0 0 " + b"0" * 64 + b"\n",
        b"oauth2_sansio-record 1 1 0 " + b"0" * 64 + b"\n",
        frame(StoredRecord(SECRET, 1))[:-1],
        frame(StoredRecord(b"", 1))[:-1],
        frame(StoredRecord(SECRET, 1)) + b"x",
        frame(StoredRecord(SECRET, 1)).replace(b"sEcret", b"sEcreT"),
        frame(StoredRecord(SECRET, 1)).replace(b"record 1", b"record 01"),
        b"x" * 100_000,
    ],
)
def test_a_damaged_record_is_told_and_kept(store: FileStore, folder: Path, content: bytes) -> None:
    path = folder / f"{NAME}.record"
    path.write_bytes(content)
    errors = fails(store, "record cannot be read", "load", "replace", "delete")
    assert {error.error for error in errors} == {"damaged_record"}
    assert errors[0].advice == "see what else writes there; remove it, and authorize again"


def test_a_record_of_a_newer_version_is_told_and_kept(store: FileStore, folder: Path) -> None:
    path = folder / f"{NAME}.record"
    path.write_bytes(path.read_bytes().replace(b"record 1", b"record 2"))
    [error, *_] = fails(store, "it has the format 2, and this version reads 1", "load", "replace")
    assert error.advice == "use the version of oauth2_sansio that has written it"


LEASE = {"owner": "a", "ends": 1.0, "seconds": 1.0}


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps({"lease": None}).encode(),
        json.dumps({"lease": None, "retired": "x"}).encode(),
        json.dumps({"lease": None, "retired": float("inf")}).encode(),
        json.dumps({"lease": {}, "retired": 0}).encode(),
        json.dumps({"lease": [], "retired": 0}).encode(),
        json.dumps({"lease": {**LEASE, "ends": None}, "retired": 0}).encode(),
        json.dumps({"lease": {**LEASE, "seconds": "x"}, "retired": 0}).encode(),
        json.dumps({"lease": {**LEASE, "ends": 10**400}, "retired": 0}).encode(),
    ],
)
def test_a_damaged_lease_is_told_and_kept(store: FileStore, folder: Path, note: bytes) -> None:
    (folder / f"{NAME}.lease").write_bytes(note)
    errors = fails(store, "lease cannot be read", "lease", "release", "delete")
    assert {error.error for error in errors} == {"damaged_record"}


def test_who_was_killed_before_the_switch_has_changed_nothing(
    store: FileStore, folder: Path
) -> None:
    (folder / f"{NAME}.record.new").write_bytes(b"half of a rec")
    found = store.load("k")
    assert found is not None
    assert found.content == SECRET
    assert store.replace("k", b"new", expected=1) == 2
    assert not (folder / f"{NAME}.record.new").exists()


def test_who_was_killed_in_the_middle_of_a_deletion_lets_no_version_come_again(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def unlink_no_record(path: Path, *, missing_ok: bool = False) -> None:
        if path.suffix == ".record":
            _broken()
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", unlink_no_record)
        with pytest.raises(StoreError, match="cannot remove .*record: Input/output error"):
            store.delete("k", expected=1)
    assert store.load("k") is not None
    assert store.delete("k", expected=1)
    assert store.replace("k", b"new", expected=0) == 2


def _broken(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("call", ["os.fsync", "os.fdopen", "pathlib.Path.replace"])
def test_a_disk_that_fails_is_told(
    store: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(call, _broken)
        with pytest.raises(StoreError, match="Input/output error") as raised:
            store.replace("k", b"new", expected=1)
    assert isinstance(raised.value.cause, OSError)
    found = store.load("k")
    assert found is not None
    assert found.content == SECRET
    assert not (folder / f"{NAME}.record.new").exists()


def test_a_folder_that_cannot_be_synced_is_told(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new record is there by then: the caller looks, and finds it."""
    real, seen = os.fsync, list[int]()

    def fsync(descriptor: int) -> None:
        seen.append(descriptor)
        _broken() if len(seen) == 2 else real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fsync)
        with pytest.raises(StoreError, match="cannot write"):
            store.replace("k", b"new", expected=1)
    found = store.load("k")
    assert found == StoredRecord(b"new", 2)


def test_an_error_without_words_is_told(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("os.open", broken)
    with pytest.raises(StoreError, match="cannot (lock|read) .*: OSError"):
        store.load("k")


def test_a_folder_that_vanishes_is_told(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "lstat", _broken)
    fails(store, "cannot look at .*: Input/output error", "load")


def test_the_users_own_folder_has_a_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    FileStore("~/records").replace("k", b"", expected=0)
    assert (tmp_path / "records").is_dir()


@given(st.binary(), st.integers(1, 2**59))
def test_framing_comes_back(content: bytes, version: int) -> None:
    record = StoredRecord(content, version)
    assert unframe(frame(record), "here") == record


@settings(max_examples=300)
@given(
    st.binary()
    | st.builds(lambda a, b: frame(StoredRecord(a, 1))[:b], st.binary(), st.integers(0, 120))
)
def test_any_bytes_are_a_record_or_an_error_of_ours(data: bytes) -> None:
    try:
        record = unframe(data, "here")
    except StoreError as error:
        assert error.error == "damaged_record"
    else:
        assert frame(record) == data
