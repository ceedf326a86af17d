"""A folder that nobody else can look into, and files that change all at once or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError
from .extras import Extra, load

_WINDOWS = os.name == "nt"

# What Windows does not have, or only Windows has.
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)

_POLL = 0.01  # seconds between two looks at a lock


class PrivateFolder:
    """A folder of this user's alone.

    path: where it is; it is made where it is missing.
    timeout: for how many seconds to wait for a lock at most.
    """

    __slots__ = ("_filelock", "_timeout", "path")

    def __init__(self, path: str | os.PathLike[str], *, timeout: float) -> None:
        self._filelock = load("filelock", Extra.FILE)
        self._timeout = timeout
        self.path = Path(path).expanduser().absolute()

    def prepare(self) -> None:
        """Make the folder where it is missing.

        Raises `StoreError` where that fails, or it is a link, another user's or open to others.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _failed("make", self.path, error) from None
        check_folder(self.path, forbidden=0o077)

    @contextmanager
    def locked(self, name: str) -> Generator[None]:
        """Hold a lock of all processes of this machine; it ends with the process that holds it.

        Raises `StoreError` where it cannot be had in time.
        """
        self.prepare()
        lock = self._filelock.FileLock(self.path / f"{name}.lock", self._timeout, mode=0o600)
        try:
            lock.acquire(poll_interval=_POLL)
        except self._filelock.Timeout as error:
            raise StoreError(
                f"another process has held the lock {lock.lock_file} for {self._timeout:g} seconds",
                cause=error,
                advice="see whether it was stopped in the middle of its work",
            ) from None
        except OSError as error:
            raise _failed("lock", Path(lock.lock_file), error) from None
        try:
            yield
        finally:
            lock.release()

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none.

        Raises `StoreError` where it cannot be read, or others could.
        """
        path = self.path / name
        try:
            descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY)
            with os.fdopen(descriptor, "rb") as file:
                check_private_file(path, os.fstat(file.fileno()))
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("read", path, error) from None

    def write(self, name: str, data: bytes) -> None:
        """Replace what a file holds; call it with the lock held.

        When it returns, the new content survives a loss of power. Whoever is killed in the middle
        leaves the old content.
        """
        path = self.path / name
        new = self.path / f"{name}.new"
        try:
            new.unlink(missing_ok=True)  # left by one who was killed
            try:
                make_private_file(new, data)
                new.replace(path)
            except OSError:
                new.unlink(missing_ok=True)
                raise
            self._sync()
        except OSError as error:
            raise _failed("write", path, error) from None

    def remove(self, name: str) -> None:
        """Remove a file; call it with the lock held."""
        path = self.path / name
        try:
            path.unlink()
            self._sync()
        except OSError as error:
            raise _failed("remove", path, error) from None

    def _sync(self) -> None:
        if _WINDOWS:  # where a folder cannot be opened
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_private_file(path: Path, data: bytes) -> None:
    """Make a file that only its owner can read, with this content; raise `OSError` if it exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def check_private_file(path: Path, found: os.stat_result) -> None:
    """Raise `StoreError` where a file is not a plain one of this user's alone."""
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "is not a plain file", "put a store where nothing else is")
    _check_owner(path, found, forbidden=0o077, remedy="chmod 600")


def check_folder(path: Path, *, forbidden: int) -> None:
    """Raise `StoreError` where a folder is a link, another user's, or open to others.

    forbidden: the permissions that others must not have.
    """
    try:
        found = path.lstat()
    except OSError as error:
        raise _failed("look at", path, error) from None
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(path, "is not a folder but a link or a file", "name the folder itself")
    remedy = "chmod 700" if forbidden & 0o044 else "chmod go-w"
    _check_owner(path, found, forbidden=forbidden, remedy=remedy)


def _check_owner(path: Path, found: os.stat_result, *, forbidden: int, remedy: str) -> None:
    if _WINDOWS:  # where permissions are not in the mode: the user's own folders are private
        return
    if found.st_uid != os.geteuid():
        raise _refused(path, "belongs to another user", "run as that user, or use another place")
    if found.st_mode & forbidden:
        raise _refused(
            path,
            "is open to other users",
            f"{remedy} it; if others may have read it, revoke the tokens",
        )


def _refused(path: Path, reason: str, advice: str) -> StoreError:
    return StoreError(f"{path} {reason}", advice=advice)


def _failed(verb: str, path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot {verb} {path}: {error.strerror or type(error).__name__}", cause=error
    )
