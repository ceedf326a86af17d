"""What holds for every store, for threads and for tasks, with a database behind it or without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oauth2_sansio.stores import TokenStore

from .kinds import SHARED, Kind, Place, open_store

CONTENTS = [b"", b"\0", b"{}", bytes(range(256)), b"\n" * 3, b"tOp-sEcret" * 2000]
KEYS = [
    "k",
    "a/b",
    "../../etc",
    "k/head",
    "k/0/0",
    "ключ",
    "\U0001f511",
    " ",
    "%s {0} '; --",
    "k" * 500,
]
NO_NAMES = ["", "a\0b", "\ud800", "k" * 1001, "\U0001f511" * 251]
NO_SECONDS = [0.0, -1.0, float("nan"), float("inf"), 86401.0]


@pytest.fixture(params=Kind, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_what_was_stored_comes_back(store: TokenStore, key: str, content: bytes) -> None:
    assert store.load(key) is None
    version = store.replace(key, content, expected=0)
    found = store.load(key)
    assert found is not None
    assert (found.content, found.version) == (content, version)
    assert found.version > 0


def test_a_record_is_replaced_by_who_has_seen_it(store: TokenStore, key: str) -> None:
    first = store.replace(key, b"one", expected=0)
    assert first is not None
    second = store.replace(key, b"two", expected=first)
    assert second is not None
    assert second > first
    assert store.replace(key, b"late", expected=first) is None
    assert store.replace(key, b"late", expected=0) is None
    assert store.replace(key, b"late", expected=second + 1) is None
    found = store.load(key)
    assert found is not None
    assert (found.content, found.version) == (b"two", second)


def test_nothing_is_replaced_where_nothing_is(store: TokenStore, key: str) -> None:
    assert store.replace(key, b"one", expected=1) is None
    assert store.load(key) is None


def test_a_record_is_deleted_by_who_has_seen_it(store: TokenStore, key: str) -> None:
    assert not store.delete(key, expected=1)
    version = store.replace(key, b"one", expected=0)
    assert version is not None
    assert not store.delete(key, expected=version + 1)
    assert store.load(key) is not None
    assert store.delete(key, expected=version)
    assert store.load(key) is None
    assert not store.delete(key, expected=version)
    assert store.replace(key, b"two", expected=version) is None


def test_a_version_never_comes_again(store: TokenStore, key: str) -> None:
    seen: list[int] = []
    for _ in range(5):
        version = store.replace(key, b"one", expected=0)
        assert version is not None
        again = store.replace(key, b"two", expected=version)
        assert again is not None
        seen += [version, again]
        assert store.delete(key, expected=again)
    assert seen == sorted(set(seen))


def test_a_lease_keeps_others_away(store: TokenStore, key: str) -> None:
    assert store.lease(key, "a", 60) is None
    remaining = store.lease(key, "b", 60)
    assert remaining is not None
    assert 0 < remaining <= 60
    store.release(key, "b")
    assert store.lease(key, "b", 60) is not None
    store.release(key, "a")
    assert store.lease(key, "b", 60) is None


def test_an_owner_extends_its_lease(store: TokenStore, key: str) -> None:
    assert store.lease(key, "a", 5) is None
    assert store.lease(key, "a", 600) is None
    remaining = store.lease(key, "b", 60)
    assert remaining is not None
    assert 5 < remaining <= 600


def test_a_lease_ends_by_itself(store: TokenStore, key: str) -> None:
    assert store.lease(key, "killed", 0.05) is None
    while store.lease(key, "b", 60) is not None:
        pass  # it ends: else this test would not
    assert store.lease(key, "killed", 60) is not None


def test_an_ended_lease_is_not_its_owners_to_release(store: TokenStore, key: str) -> None:
    assert store.lease(key, "paused", 0.001) is None
    while store.lease(key, "b", 60) is not None:
        pass
    store.release(key, "paused")
    assert store.lease(key, "c", 60) is not None


def test_a_lease_guards_no_record(store: TokenStore, key: str) -> None:
    """A paused holder that wakes late is stopped by the version, not by the lease."""
    assert store.lease(key, "a", 60) is None
    assert store.replace(key, b"one", expected=0) is not None
    store.release("another" + key, "a")


def test_a_lease_stays_when_a_record_goes(store: TokenStore, key: str) -> None:
    version = store.replace(key, b"one", expected=0)
    assert version is not None
    assert store.lease(key, "a", 60) is None
    assert store.delete(key, expected=version)
    assert store.lease(key, "b", 60) is not None


def test_a_key_is_any_text(store: TokenStore, key: str) -> None:
    keys = [f"{key}{each}" for each in KEYS]
    for each in keys:
        assert store.replace(each, each.encode(), expected=0) is not None
        assert store.lease(each, each, 60) is None
    for each in keys:
        found = store.load(each)
        assert found is not None
        assert found.content == each.encode()
        assert store.lease(each, f"{each}!", 60) is not None


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_some_store_cannot_keep_is_refused(store: TokenStore, name: str) -> None:
    for call in (
        lambda: store.load(name),
        lambda: store.replace(name, b"", expected=0),
        lambda: store.delete(name, expected=1),
        lambda: store.lease(name, "a", 1),
        lambda: store.lease("k", name, 1),
        lambda: store.release(name, "a"),
        lambda: store.release("k", name),
    ):
        with pytest.raises(ValueError, match="has to be"):
            call()


@pytest.mark.parametrize("expected", [-1, 2**63])
def test_what_is_no_version_is_refused(store: TokenStore, expected: int) -> None:
    with pytest.raises(ValueError, match="expected has to be a version"):
        store.replace("k", b"", expected=expected)
    for version in (0, expected):
        with pytest.raises(ValueError, match="expected has to be a version"):
            store.delete("k", expected=version)


@pytest.mark.parametrize("seconds", NO_SECONDS)
def test_what_is_no_time_is_refused(store: TokenStore, seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds has to be"):
        store.lease("k", "a", seconds)


def test_the_highest_version_is_taken(store: TokenStore, key: str) -> None:
    assert store.replace(key, b"", expected=2**63 - 1) is None
    assert not store.delete(key, expected=2**63 - 1)


def test_a_repr_shows_no_secret(store: TokenStore, key: str) -> None:
    assert store.replace(key, b"tOp-sEcret", expected=0) is not None
    assert "tOp-sEcret" not in f"{store!r} {store.load(key)!r}"


@pytest.mark.parametrize("shared", SHARED, ids=lambda kind: kind.name)
def test_two_objects_share_what_they_keep(shared: Kind, place: Callable[[Kind], Place]) -> None:
    where = place(shared)
    first, second = open_store(where), open_store(where)
    version = first.replace("shared", b"one", expected=0)
    found = second.load("shared")
    assert version is not None
    assert found is not None
    assert found.content == b"one"
    assert second.delete("shared", expected=version)
    first.close()
    second.close()


def test_what_was_closed_is_closed_again(store: TokenStore) -> None:
    store.close()
    store.close()
