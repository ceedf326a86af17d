"""Encryption at rest: nothing readable, nothing moved or changed unseen, keys that rotate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import OAuth2Error, StoreError
from oauth2_sansio.stores import EncryptedStore, MemoryStore, generate_key

OLD, NEW = generate_key(), generate_key()
SECRET = b'{"refresh_token": "tOp-sEcret"}'


def stored(store: MemoryStore, key: str = "k") -> bytes:
    record = store.load(key)
    assert record is not None
    return record.content


def loaded(store: EncryptedStore, key: str = "k") -> bytes:
    record = store.load(key)
    assert record is not None
    return record.content


def test_what_is_stored_cannot_be_read_and_never_repeats() -> None:
    below = MemoryStore()
    store = EncryptedStore(below, [NEW])
    store.replace("k", SECRET, expected=0)
    store.replace("l", SECRET, expected=0)
    assert b"tOp-sEcret" not in stored(below)
    assert stored(below)[-50:] != stored(below, "l")[-50:]
    assert repr(store) == "EncryptedStore(MemoryStore(2 records), Cipher(1 keys))"


def test_keys_rotate() -> None:
    below = MemoryStore()
    version = EncryptedStore(below, [OLD]).replace("k", b"one", expected=0)
    assert version is not None
    rotating = EncryptedStore(below, [NEW, OLD])
    assert loaded(rotating) == b"one"
    assert rotating.replace("k", b"two", expected=version) is not None
    assert loaded(EncryptedStore(below, [NEW])) == b"two"
    with pytest.raises(StoreError, match="none of the keys"):
        EncryptedStore(below, [OLD]).load("k")


def test_a_record_cannot_be_moved_to_another_key() -> None:
    below = MemoryStore()
    store = EncryptedStore(below, [NEW])
    store.replace("mine", SECRET, expected=0)
    below.replace("yours", stored(below, "mine"), expected=0)
    with pytest.raises(StoreError, match="none of the keys decrypts it"):
        store.load("yours")


@given(st.data())
def test_no_change_goes_unseen(data: st.DataObject) -> None:
    below = MemoryStore()
    store = EncryptedStore(below, [NEW, OLD])
    version = store.replace("k", SECRET, expected=0)
    assert version is not None
    whole = stored(below)
    index = data.draw(st.integers(0, len(whole) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                whole[:index],
                whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :],
                whole + b"x",
            ]
        )
    )
    again = below.replace("k", changed, expected=version)
    assert again is not None
    with pytest.raises(StoreError) as raised:
        store.load("k")
    assert raised.value.error == "damaged_record"
    assert isinstance(raised.value, OAuth2Error)
    assert "tOp" not in str(raised.value)
    assert stored(below) == changed


def test_what_was_not_encrypted_is_not_taken() -> None:
    below = MemoryStore()
    below.replace("k", SECRET, expected=0)
    with pytest.raises(StoreError, match="it is not encrypted") as raised:
        EncryptedStore(below, [NEW]).load("k")
    assert "tOp" not in str(raised.value)


@pytest.mark.parametrize(
    "keys",
    [[], [b""], [bytes(31)], [bytes(32), bytes(33)], bytes(32), "k" * 32, [bytearray(32)], None],
)
def test_what_are_no_keys_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="keys has to list one key or more"):
        EncryptedStore(MemoryStore(), keys)


def test_a_new_key_is_new() -> None:
    assert len(generate_key()) == 32
    assert generate_key() != generate_key()
