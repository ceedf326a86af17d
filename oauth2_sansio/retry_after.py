"""The header that says when a server wants to be asked again."""

from __future__ import annotations

import re

LONGEST_RETRY_AFTER = 86_400.0
"""A day, in seconds: whatever is longer is cut to this."""


def read_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait.

    value: a number of seconds, or a date in any of the three forms of HTTP; None without a header.
    now: seconds since the epoch.
    Returns 0 for a date that is past, at most 86,400 (24 hours), and None for what cannot be used.
    Source: RFC 9110 sections 10.2.3 and 5.6.7.
    """
    if value is None or len(value) > _LONGEST_VALUE:
        return None
    text = value.strip(" \t")
    seconds = float(text) if _SECONDS.fullmatch(text) else _seconds_until(text, now)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


# Longer than any date; so large a number of seconds is a mistake, not a wish.
_LONGEST_VALUE = 64
_SECONDS = re.compile(r"[0-9]{1,20}")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_WEEKDAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DATES = (
    # Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(f"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    # Sunday, 06-Nov-94 08:49:37 GMT (RFC 850)
    re.compile(f"{_WEEKDAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    # Sun Nov  6 08:49:37 1994 (asctime)
    re.compile(f"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)


def _seconds_until(text: str, now: float) -> float | None:
    date = next(filter(None, (form.fullmatch(text) for form in _DATES)), None)
    if date is None:
        return None
    if len(date["year"]) == 4:
        moment = _moment(date, int(date["year"]))
    else:
        moment = _moment(date, 2000 + int(date["year"]))
        # A year of two digits that seems to be more than 50 years ahead is a past one.
        if moment is not None and moment - now > 50 * 366 * 86_400:
            moment = _moment(date, 1900 + int(date["year"]))
    return None if moment is None else moment - now


def _moment(date: re.Match[str], year: int) -> float | None:
    from datetime import UTC, datetime  # dates are rare here

    month = _MONTHS.index(date["month"]) + 1
    # The 60th second is a leap second, which `datetime` does not know.
    second = int(date["second"])
    try:
        moment = datetime(
            year,
            month,
            int(date["day"]),
            int(date["hour"]),
            int(date["minute"]),
            59 if second == 60 else second,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return moment.timestamp() + (second == 60)
