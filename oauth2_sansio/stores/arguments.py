"""What no store takes: refused alike by all of them."""

from __future__ import annotations

_VERSIONS_END = 2**63  # what databases count up to
_LONGEST_NAME = 1000  # bytes: an index of PostgreSQL takes not much more
_LONGEST_LEASE = 86400.0  # seconds


def check_name(what: str, name: str) -> None:
    """Raise `ValueError` for a key or an owner that some store could not tell from another one."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} has to be a text that UTF-8 can encode") from None
    if not 0 < length <= _LONGEST_NAME or "\0" in name:
        raise ValueError(f"{what} has to be of 1 to {_LONGEST_NAME} bytes, without NUL")


def check_expected(expected: int, *, lowest: int = 0) -> None:
    """Raise `ValueError` for what is not the version of any record."""
    if not lowest <= expected < _VERSIONS_END:
        raise ValueError(f"expected has to be a version: {lowest} or more, and below 2**63")


def check_lease(key: str, owner: str, seconds: float) -> None:
    """Raise `ValueError` for a lease that cannot be."""
    check_name("key", key)
    check_name("owner", owner)
    if not 0 < seconds <= _LONGEST_LEASE:
        raise ValueError("seconds has to be above 0, and no more than a day has")
