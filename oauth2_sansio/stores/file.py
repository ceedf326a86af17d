"""A store in files: one for each key, in a folder that is this user's alone."""

from __future__ import annotations

import os

from .arguments import check_expected, check_lease, check_name
from .file_leases import FileLeases, file_name
from .framing import frame, unframe
from .private_folder import PrivateFolder
from .protocol import StoredRecord


class FileStore:
    """Keep records in files, for the threads and processes of one user.

    folder: where; it is made where it is missing. It has to be this user's, closed to all others,
        and on a file system that has locks.
    timeout: for how many seconds to wait for another process's write at most.

    It takes the extra `file`. Objects of it hold nothing open: threads and forks may share one.
    Raises `LocalProtocolError` where the extra is missing.
    """

    __slots__ = ("_folder", "_leases")

    def __init__(self, folder: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        self._folder = PrivateFolder(folder, timeout=timeout)
        self._leases = FileLeases(self._folder)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._folder.path)!r})"

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        check_name("key", key)
        self._folder.prepare()
        return self._read(key)  # without the lock: a file changes all at once

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        check_name("key", key)
        check_expected(expected)
        with self._folder.locked(file_name(key)):
            record = self._read(key)
            if expected != (record.version if record else 0):
                return None
            version = max(expected, self._leases.retired(key)) + 1
            self._folder.write(_record_name(key), frame(StoredRecord(content, version)))
            return version

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        check_name("key", key)
        check_expected(expected, lowest=1)
        with self._folder.locked(file_name(key)):
            record = self._read(key)
            if record is None or record.version != expected:
                return False
            self._leases.retire(key, expected)  # first: else a crash in between would forget it
            self._folder.remove(_record_name(key))
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

    def _read(self, key: str) -> StoredRecord | None:
        name = _record_name(key)
        data = self._folder.read(name)
        return None if data is None else unframe(data, str(self._folder.path / name))


def _record_name(key: str) -> str:
    return f"{file_name(key)}.record"
