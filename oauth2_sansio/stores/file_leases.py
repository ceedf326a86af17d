"""Leases in files, and what has to outlive a deleted record: the last version that it had."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from time import time
from typing import Any

from .framing import damaged
from .leases import Lease, grant, read_lease
from .private_folder import PrivateFolder


@dataclass(frozen=True, slots=True)
class _Note:
    lease: Lease | None = None
    retired: int = 0


class FileLeases:
    """Keep, for each key, a lease and the highest version that was deleted.

    folder: where; its lock has to be held around `retire`, `retired`, and what goes with them.
    """

    __slots__ = ("_folder",)

    def __init__(self, folder: PrivateFolder) -> None:
        self._folder = folder

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        name = file_name(key)
        with self._folder.locked(name):
            note = self._read(name)
            granted = grant(note.lease, owner, seconds, time())
            if not isinstance(granted, Lease):
                return granted
            self._write(name, replace(note, lease=granted))
            return None

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        name = file_name(key)
        with self._folder.locked(name):
            note = self._read(name)
            if note.lease is not None and note.lease.owner == owner:
                self._write(name, replace(note, lease=None))

    def retired(self, key: str) -> int:
        """Return the highest version that was deleted; 0 for none."""
        return self._read(file_name(key)).retired

    def retire(self, key: str, version: int) -> None:
        """Keep in mind that this version must not come again."""
        name = file_name(key)
        self._write(name, replace(self._read(name), retired=version))

    def _read(self, name: str) -> _Note:
        data = self._folder.read(f"{name}.lease")
        if data is None:
            return _Note()
        place = str(self._folder.path / f"{name}.lease")
        try:
            members: dict[str, Any] = json.loads(data)
            lease: dict[str, Any] | None = members["lease"]
            return _Note(
                None if lease is None else read_lease(place, **lease), int(members["retired"])
            )
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise damaged(place, "it is no lease of this library", cause=error) from None

    def _write(self, name: str, note: _Note) -> None:
        self._folder.write(f"{name}.lease", json.dumps(asdict(note)).encode())


def file_name(key: str) -> str:
    """Return the name of a key's files, whatever signs the key has."""
    return sha256(key.encode()).hexdigest()
