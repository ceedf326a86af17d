"""A store in the system's credential store: Keychain, Secret Service, Credential Locker."""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from .arguments import check_expected, check_lease, check_name
from .extras import Extra, load
from .file_leases import FileLeases, file_name
from .framing import damaged, frame, unframe
from .private_folder import PrivateFolder
from .protocol import StoredRecord

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

# "1 SLOT COUNT PIECE": how many further entries the record has, and where.
_HEAD = re.compile(r"1 (?P<slot>[01]) (?P<count>[0-9]{1,9}) (?P<piece>[A-Za-z0-9+/=]*)")
_LONGEST_HEAD = len("1 0 999999999 ")


class KeyringStore:
    """Keep records in the system's credential store, for the processes of one user.

    folder: where leases are kept, for a credential store has none; nothing in it is secret. What
        `FileStore` says of its folder holds here too.
    service: the name under which the entries stand in the credential store.
    longest: how many characters an entry may have. A longer record takes several. Windows takes
        2,560 bytes, which are 1,280 characters.
    timeout: for how many seconds to wait for another process's write at most.
    backend: one of keyring's; without it the one that keyring chooses.

    It takes the extra `keyring`. Raises `LocalProtocolError` where that is missing.
    """

    __slots__ = ("_backend", "_folder", "_leases", "_longest", "_service")

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        service: str = "oauth2_sansio",
        longest: int = 1280,
        timeout: float = 10.0,
        backend: KeyringBackend | None = None,
    ) -> None:
        if longest < 2 * _LONGEST_HEAD:
            raise ValueError(f"longest has to be {2 * _LONGEST_HEAD} characters or more")
        keyring = load("keyring", Extra.KEYRING)
        self._backend: Any = backend or keyring.get_keyring()
        self._folder = PrivateFolder(folder, timeout=timeout)
        self._leases = FileLeases(self._folder)
        self._service = service
        self._longest = longest

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._folder.path)!r}, service={self._service!r})"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        with self._folder.locked(file_name(key)):
            return self._read(key)[0]

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_name("key", key)
        check_expected(expected)
        with self._folder.locked(file_name(key)):
            record, slot = self._read(key)
            if expected != (record.version if record else 0):
                return None
            version = max(expected, self._leases.retired(key)) + 1
            self._write(key, 1 - slot, frame(StoredRecord(content, version)))
            self._clear(key, slot)
            return version

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        with self._folder.locked(file_name(key)):
            record, slot = self._read(key)
            if record is None or record.version != expected:
                return False
            self._leases.retire(key, expected)  # first: else a crash in between would forget it
            self._remove(_head(key))
            self._clear(key, slot)
            return True

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        check_lease(key, owner, seconds)
        return self._leases.lease(key, owner, seconds)

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        check_lease(key, owner, 1.0)
        self._leases.release(key, owner)

    def close(self) -> None:
        """Do nothing: the records stay, and nothing is open."""

    def _read(self, key: str) -> tuple[StoredRecord | None, int]:
        """Return the record, and the slot that its further entries are in."""
        head = self._get(_head(key))
        if head is None:
            return None, 1
        found = _HEAD.fullmatch(head)
        if found is None:
            raise damaged(self._place, "it is no record of this library")
        slot = int(found["slot"])
        pieces = [found["piece"]]
        for index in range(int(found["count"])):
            piece = self._get(_entry(key, slot, index))
            if piece is None:
                raise damaged(self._place, "a part of it is missing")
            pieces.append(piece)
        try:
            data = b64decode("".join(pieces), validate=True)
        except ValueError as error:
            raise damaged(self._place, "a part of it is changed", cause=error) from None
        return unframe(data, self._place), slot

    def _write(self, key: str, slot: int, data: bytes) -> None:
        """Write the further entries where no record has any, then the head: that is the switch."""
        text = b64encode(data).decode()
        first = self._longest - _LONGEST_HEAD
        rest = [
            text[begin : begin + self._longest] for begin in range(first, len(text), self._longest)
        ]
        for index, piece in enumerate(rest):
            self._set(_entry(key, slot, index), piece)
        self._set(_head(key), f"1 {slot} {len(rest)} {text[:first]}")

    def _clear(self, key: str, slot: int) -> None:
        """Remove the further entries of the record that was; also what others have left there."""
        names = list(takewhile(self._get, (_entry(key, slot, index) for index in count())))
        for name in reversed(names):  # so that what a crash leaves has no gap, and is found
            self._remove(name)

    def _get(self, name: str) -> str | None:
        text: str | None = self._call(
            "read", lambda: self._backend.get_password(self._service, name)
        )
        return text

    def _set(self, name: str, text: str) -> None:
        self._call("write", lambda: self._backend.set_password(self._service, name, text))

    def _remove(self, name: str) -> None:
        self._call("delete", lambda: self._backend.delete_password(self._service, name))

    def _call(self, verb: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - each system's backend raises kinds of its own
            raise StoreError(
                f"the credential store cannot {verb} an entry ({type(error).__name__})",
                cause=error,
                advice="see whether it is unlocked; where there is none, take FileStore",
            ) from None

    @property
    def _place(self) -> str:
        return f"the entry of {self._service} in the credential store"


def _head(key: str) -> str:
    return f"{key}/head"


def _entry(key: str, slot: int, index: int) -> str:
    return f"{key}/{slot}/{index}"
