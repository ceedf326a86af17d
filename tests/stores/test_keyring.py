"""The store in the system's credential store: short entries, crashes, and trouble of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import StoreError
from oauth2_sansio.stores import KeyringStore

from .kinds import Credentials

LONG = bytes(range(256)) * 4


@pytest.fixture
def credentials() -> Credentials:
    return Credentials()


@pytest.fixture
def store(tmp_path: Path, credentials: Credentials) -> KeyringStore:
    return KeyringStore(tmp_path / "leases", longest=100, backend=credentials)


def loaded(store: KeyringStore) -> bytes:
    record = store.load("k")
    assert record is not None
    return record.content


def test_a_long_record_takes_several_entries_and_leaves_none(
    store: KeyringStore, credentials: Credentials
) -> None:
    assert store.replace("k", LONG, expected=0) == 1
    assert loaded(store) == LONG
    assert len(credentials.entries) > 10
    assert store.replace("k", b"", expected=1) == 2
    assert loaded(store) == b""
    assert len(credentials.entries) == 2  # so long is the line that says what it is
    assert store.delete("k", expected=2)
    assert credentials.entries == {}


def test_a_short_record_takes_one_entry_of_a_name_that_people_know(
    tmp_path: Path, credentials: Credentials
) -> None:
    credentials.longest = 1280
    store = KeyringStore(tmp_path / "leases", service="my app", backend=credentials)
    store.replace("work account", b"x" * 500, expected=0)
    assert list(credentials.entries) == [("my app", "work account/head")]
    assert repr(store) == f"KeyringStore({str(tmp_path / 'leases')!r}, service='my app')"


def test_the_backend_is_the_systems(
    tmp_path: Path, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: credentials)
    KeyringStore(tmp_path, longest=100).replace("k", b"one", expected=0)
    assert credentials.entries


class Dying(Credentials):
    """Credentials of a process that is killed when it has written or deleted so many entries."""

    left = 1_000_000

    def set_password(self, service: str, username: str, password: str) -> None:
        self._step()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._step()
        super().delete_password(service, username)

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@given(st.integers(0, 40), st.sampled_from([b"", LONG]), st.sampled_from([b"", b"new", LONG[::-1]]))
def test_who_is_killed_leaves_a_whole_record(
    tmp_path_factory: pytest.TempPathFactory, steps: int, old: bytes, new: bytes
) -> None:
    credentials = Dying()
    folder = tmp_path_factory.mktemp("leases")
    store = KeyringStore(folder, longest=100, backend=credentials)
    assert store.replace("k", old, expected=0) == 1
    credentials.left = steps
    died = False
    try:
        store.replace("k", new, expected=1)
    except KeyboardInterrupt:
        died = True
    credentials.left = 1_000_000
    record = store.load("k")
    assert record is not None
    assert (record.content, record.version) in ([(old, 1), (new, 2)] if died else [(new, 2)])
    # What the dead one has left over goes with the next ones.
    version = record.version
    for _ in range(2):
        version = store.replace("k", b"", expected=version) or 0
        assert version > 0
    assert store.delete("k", expected=version)
    assert credentials.entries == {}


def _nothing(_: str) -> str:
    return "x"


def _empty(_: str) -> str:
    return ""


@pytest.mark.parametrize(
    ("entry", "change", "match"),
    [
        ("k/head", _nothing, "it is no record of this library"),
        ("k/head", lambda text: f"2{text[1:]}", "it is no record of this library"),
        ("k/head", lambda text: text[:-8] + "AAAAAAAA", "cannot be read"),
        ("k/0/3", _empty, "cannot be read"),
        ("k/0/0", _nothing, "a part of it is changed"),
        ("k/0/0", lambda text: text[::-1], "cannot be read"),
        ("k/0/0", None, "a part of it is missing"),
    ],
)
def test_a_damaged_record_is_told_and_kept(
    store: KeyringStore,
    credentials: Credentials,
    entry: str,
    change: Callable[[str], str] | None,
    match: str,
) -> None:
    assert store.replace("k", LONG, expected=0) == 1
    place = ("oauth2_sansio", entry)
    if change is None:
        del credentials.entries[place]
    else:
        credentials.entries[place] = change(credentials.entries[place])
    before = dict(credentials.entries)
    for call in (
        lambda: store.load("k"),
        lambda: store.replace("k", b"new", expected=1),
        lambda: store.delete("k", expected=1),
    ):
        with pytest.raises(StoreError, match=match) as raised:
            call()
        assert raised.value.error == "damaged_record"
    assert credentials.entries == before


def test_no_credential_store_is_told(tmp_path: Path) -> None:
    nothing = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]  # the library's
    with pytest.raises(StoreError) as raised:
        KeyringStore(tmp_path, backend=nothing).load("k")
    assert str(raised.value) == (
        "store_error: the credential store cannot read an entry (NoKeyringError); "
        "see whether it is unlocked; where there is none, take FileStore"
    )


def test_a_credential_store_that_takes_no_such_entry_is_told(
    tmp_path: Path, credentials: Credentials
) -> None:
    store = KeyringStore(tmp_path / "leases", backend=credentials)
    with pytest.raises(StoreError, match=r"cannot write an entry \(OSError\)") as raised:
        store.replace("k", b"tOp-sEcret" * 50, expected=0)
    assert isinstance(raised.value.cause, OSError)
    assert store.load("k") is None


def test_entries_have_to_have_room(tmp_path: Path, credentials: Credentials) -> None:
    with pytest.raises(ValueError, match="longest has to be 28 characters or more"):
        KeyringStore(tmp_path, longest=27, backend=credentials)
    credentials.longest = 28
    store = KeyringStore(tmp_path / "leases", longest=28, backend=credentials)
    assert store.replace("k", LONG, expected=0) == 1
    assert loaded(store) == LONG
