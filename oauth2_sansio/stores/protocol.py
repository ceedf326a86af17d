"""What every store of tokens does: keep bytes under a key, with a version and a lease.

A store knows nothing of OAuth. What the bytes mean, and who renews a token when, is decided
elsewhere. A store gives three promises, to all threads, processes and machines that share it:

- Compare and swap: whoever replaces a record says which version it has seen. Where another one is
  there by now, nothing is changed. So nobody writes an older token over a newer one.
- A version never comes again under the same key, not even after the record was deleted.
- A lease ends by itself. Who dies, or sleeps, with a lease in hand keeps nobody waiting for longer
  than the seconds that it asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Hold what was stored.

    content: the bytes, as they were handed in. They are secret: `repr` leaves them out.
    version: changes with each change of the record; 1 or more.
    """

    content: bytes = field(repr=False)
    version: int


class TokenStore(Protocol):
    """Keep records for threads and processes: what a store has to have.

    Every method raises `StoreError` where the store is down, full or damaged, and `ValueError` for
    an argument that no store takes. None of them waits for a lease.
    """

    def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        ...

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version, once it is safe.

        expected: the version that is to be replaced; 0 for no record.
        Returns None where the stored version is another: nothing is changed then.
        After a `StoreError` the content may be there all the same: `load` tells.
        """
        ...

    def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        ...

    def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it; there need not be a record.

        owner: names who takes it, unlike any other one that may take it.
        seconds: how long it lasts from now on, unless it is released before.
        Returns None where it is taken, else the seconds that the other owner's lease still lasts.
        """
        ...

    def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        ...

    def close(self) -> None:
        """Give back what the store holds open; the records stay."""
        ...


class AsyncTokenStore(Protocol):
    """Keep records for tasks: see `TokenStore`, whose methods these are."""

    async def load(self, key: str) -> StoredRecord | None:
        """Return the record under a key; None where there is none."""
        ...

    async def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        """Store content, and return its new version: see `TokenStore.replace`."""
        ...

    async def delete(self, key: str, *, expected: int) -> bool:
        """Delete the record of just this version, and say whether it was there."""
        ...

    async def lease(self, key: str, owner: str, seconds: float) -> float | None:
        """Take the lease of a key, or extend it: see `TokenStore.lease`."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """End the lease of a key, if this owner has it."""
        ...

    async def aclose(self) -> None:
        """Give back what the store holds open; the records stay."""
        ...
