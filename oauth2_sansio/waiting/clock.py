"""The time that the adapters hand to the core."""

from __future__ import annotations

import time

_AHEAD = time.time() - time.monotonic()


def now() -> float:
    """Return seconds since the epoch, never earlier than the time that has really passed.

    Where somebody sets the wall clock back, a token would seem to live longer than it does: so the
    later of the wall clock and a clock that only goes forward counts.
    """
    return max(time.time(), _AHEAD + time.monotonic())


def sleep(seconds: float) -> None:
    """Sleep for so many seconds."""
    time.sleep(seconds)
