"""Encryption of what another store keeps: AES in Galois/Counter Mode, with keys that you give."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .arguments import check_name
from .extras import Extra, load
from .framing import damaged
from .protocol import AsyncTokenStore, StoredRecord, TokenStore

_MARK = b"oauth2_sansio-aes-gcm 1\n"
_NONCE = 12  # bytes
_KEY = 32  # bytes: AES-256


def generate_key() -> bytes:
    """Return a new random key for `EncryptedStore`: 32 bytes, for you to keep."""
    return os.urandom(_KEY)


class Cipher:
    """Encrypt contents so that none can be changed, or moved to another key of the store.

    keys: of 32 bytes each. The first one encrypts, all of them decrypt.

    Raises `ValueError` for keys that are none, and `LocalProtocolError` where the extra
    `encryption` is missing.
    """

    __slots__ = ("_invalid", "_keys")

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(type(key) is not bytes or len(key) != _KEY for key in keys):
            raise ValueError(f"keys has to list one key or more, of {_KEY} bytes: generate_key()")
        aead = load("cryptography.hazmat.primitives.ciphers.aead", Extra.ENCRYPTION)
        exceptions = load("cryptography.exceptions", Extra.ENCRYPTION)
        self._invalid: type[Exception] = exceptions.InvalidTag
        self._keys = [aead.AESGCM(key) for key in keys]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._keys)} keys)"

    def encrypt(self, key: str, content: bytes) -> bytes:
        """Return content, encrypted for one key of the store."""
        check_name("key", key)
        nonce = os.urandom(_NONCE)
        encrypted: bytes = self._keys[0].encrypt(nonce, content, _MARK + key.encode())
        return _MARK + nonce + encrypted

    def decrypt(self, key: str, record: StoredRecord) -> StoredRecord:
        """Return a record as it was before it was encrypted.

        Raises `StoreError` where it is not encrypted, with none of the keys, or changed.
        """
        if not record.content.startswith(_MARK):
            raise damaged(
                "the stored record",
                "it is not encrypted",
                advice="delete what was stored without encryption, and authorize again",
            )
        begin = len(_MARK) + _NONCE
        nonce, encrypted = record.content[len(_MARK) : begin], record.content[begin:]
        for each in self._keys:
            try:
                content = each.decrypt(nonce, encrypted, _MARK + key.encode())
            except (self._invalid, ValueError):  # the latter for a nonce that is cut off
                continue
            return StoredRecord(content, record.version)
        raise damaged(
            "the stored record",
            "none of the keys decrypts it",
            advice="hand over the key that it was encrypted with, after the new one",
        )


class EncryptedStore:
    """Keep records in another store, encrypted with AES-256-GCM.

    store: where they are kept. It sees keys, versions, lengths and leases, but no content.
    keys: of 32 bytes each, such as `generate_key` makes. The first one encrypts, all decrypt: to
        rotate, put a new key in front, and drop the old one when every record was replaced.

    Who can write into the store can put back an older record of the same key: no store that does
    not keep versions elsewhere could tell. Raises what `Cipher` does.
    """

    __slots__ = ("_cipher", "_store")

    def __init__(self, store: TokenStore, keys: Sequence[bytes]) -> None:
        self._cipher = Cipher(keys)
        self._store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r}, {self._cipher!r})"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        record = self._store.load(key)
        return None if record is None else self._cipher.decrypt(key, record)

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        return self._store.replace(key, self._cipher.encrypt(key, content), expected=expected)

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        return self._store.delete(key, expected=expected)

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        return self._store.lease(key, owner, seconds)

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        self._store.release(key, owner)

    def close(self) -> None:
        """Close the other store."""
        self._store.close()


class AsyncEncryptedStore:
    """Keep records in another asynchronous store, encrypted: see `EncryptedStore`."""

    __slots__ = ("_cipher", "_store")

    def __init__(self, store: AsyncTokenStore, keys: Sequence[bytes]) -> None:
        self._cipher = Cipher(keys)
        self._store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r}, {self._cipher!r})"

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        record = await self._store.load(key)
        return None if record is None else self._cipher.decrypt(key, record)

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        return await self._store.replace(key, self._cipher.encrypt(key, content), expected=expected)

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        return await self._store.delete(key, expected=expected)

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        return await self._store.lease(key, owner, seconds)

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        await self._store.release(key, owner)

    async def aclose(self) -> None:
        """Close the other store."""
        await self._store.aclose()
