"""Leases, for the stores that keep them by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .framing import damaged

_SLACK = 1.0  # seconds: what rounding, and clocks that are slowed down or sped up, come to


@dataclass(frozen=True, slots=True)
class Lease:
    """Hold who has a lease.

    owner: who has it.
    ends: when it ends, in seconds of the clock that the store goes by.
    seconds: how long it was to last.
    """

    owner: str
    ends: float
    seconds: float

    def remaining(self, now: float) -> float:
        """Return for how many seconds it lasts; 0 where it has ended.

        It cannot last for longer than it was to last at all. Where it seems to, the clock was set
        back meanwhile: it has ended then, for else it would block for as long as the clock lags.
        """
        left = self.ends - now
        return left if 0 < left <= self.seconds + _SLACK else 0.0


def grant(held: Lease | None, owner: str, seconds: float, now: float) -> Lease | float:
    """Return the new lease, or the seconds for which another owner's still lasts."""
    if held is not None and held.owner != owner:
        remaining = held.remaining(now)
        if remaining:
            return remaining
    return Lease(owner, now + seconds, seconds)


def read_lease(place: str, owner: Any, ends: Any, seconds: Any) -> Lease:
    """Return the lease that was stored.

    place: where, for errors.
    Raises `StoreError` for what is none.
    """
    try:
        return Lease(str(owner), float(ends), float(seconds))
    except (ValueError, TypeError, OverflowError) as error:
        raise damaged(place, "a lease in it is none of this library", cause=error) from None
