"""The time that the adapters hand to the core."""

from __future__ import annotations

import time
from time import monotonic
from time import time as wall_clock

_AHEAD = wall_clock() - monotonic()


def now() -> float:
    """Return seconds since the epoch, never earlier than the time that has really passed.

    Where somebody sets the wall clock back, a token would seem to live longer than it does: so the
    later of the wall clock and a clock that only goes forward counts.
    """
    wall, passed = wall_clock(), _AHEAD + monotonic()
    return passed if passed > wall else wall  # noqa: FURB136 - `max` takes twice as long


def sleep(seconds: float) -> None:
    """Sleep for so many seconds."""
    time.sleep(seconds)
