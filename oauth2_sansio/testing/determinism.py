"""A clock that stands still, and bytes that are the same in every run."""

from __future__ import annotations

from hashlib import sha256


class Clock:
    """A clock that moves only when it is told to.

    start: seconds since the epoch.

    Calling it gives the time, so it serves as `now=`; `advance` serves as `sleep=` of a driver.
    """

    __slots__ = ("time",)

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.time = start

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        """Let a number of seconds pass."""
        self.time += seconds

    def __repr__(self) -> str:
        return f"Clock({self.time!r})"


class SeededBytes:
    """Bytes that look random and follow from a seed: `SeededBytes(7)(32)`.

    For tests alone. Two values of one seed give the same bytes in the same order.
    """

    __slots__ = ("_count", "_seed")

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._count = 0

    def __call__(self, size: int) -> bytes:
        parts: list[bytes] = []
        for _ in range(0, size, sha256().digest_size):
            self._count += 1
            parts.append(sha256(f"{self._seed}:{self._count}".encode()).digest())
        return b"".join(parts)[:size]
