"""The rule: what is wrong with what came of a row. It is the same for this library and its peers."""

from __future__ import annotations

from math import isclose

from oauth2_sansio import ErrorResponse, OAuth2Error, RemoteProtocolError, TransportError
from oauth2_sansio import Outcome as Fate
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.events import ResponseReceived

from .credentials import ACCESS_TOKEN, secrets_in
from .drivers import PATIENCE, Driver
from .observing import NOW, Seen
from .row import Expected, Outcome, Row
from .scripts import End
from .spying import is_late

MOST_MEMORY = 4_194_304
"""Bytes: by how much more than before a process may grow, whatever a server sends."""

_MOST_BODY = MAXIMUM_BODY + 65_536  # bytes: one chunk more than the core takes may have been read
_FATES = {
    Outcome.FAILED: Fate.UNKNOWN,
    Outcome.LATE: Fate.UNKNOWN,
    Outcome.NOT_SENT: Fate.NOT_SENT,
}


def faults(row: Row, seen: Seen, driver: Driver | None) -> list[str]:
    """Return what is wrong, in words; nothing where the row was handled well.

    driver: None for the core alone.
    """
    outcome = row.outcome if driver is None else row.outcome_for(driver)
    found = _common(row, seen, driver, outcome)
    if not seen.hung and (driver is None or driver.is_ours):
        found += _exact(row, seen, outcome)
    return found


def _common(row: Row, seen: Seen, driver: Driver | None, outcome: Outcome) -> list[str]:
    if seen.hung:
        return ["it hangs"]
    found: list[str] = []
    family = (OAuth2Error,) if driver is None else driver.family
    if seen.error is not None and not isinstance(seen.error, family):
        found.append(f"an exception that nobody expects: {type(seen.error).__name__}")
    if outcome is Outcome.TOKEN and seen.error is not None:
        found.append(f"a good answer is refused: {type(seen.error).__name__}")
    if outcome is not Outcome.TOKEN and seen.error is None:
        found.append("a bad answer is taken")
    if outcome is Outcome.TOKEN and seen.error is None and row.operation.is_for_a_token:
        wanted = ACCESS_TOKEN if row.expected is None else row.expected.values["access_token"]
        if seen.result["access_token"] != wanted:
            found.append("another token comes of it")
    if secrets_in(seen.printed):
        found.append(f"printed: {', '.join(secrets_in(seen.printed))}")
    logged = secrets_in("\n".join(seen.logged))
    if logged and not (driver is not None and row.may_print(driver)):
        found.append(f"logged: {', '.join(logged)}")
    if seen.elsewhere:
        found.append("the other origin is asked")
    if seen.asked > 1 and row.script.end is not End.RESET and row.is_asked_once:
        found.append(f"the server is asked {seen.asked} times")
    if seen.peak is not None and seen.peak > MOST_MEMORY:
        found.append(f"{seen.peak / 1_048_576:.1f} MB of memory")
    if seen.following != "honest":
        found.append(f"the next request gets {_shown(seen.following)}")
    return found


def _exact(row: Row, seen: Seen, outcome: Outcome) -> list[str]:
    found = [
        f"{len(event.body)} bytes are read"
        for event in seen.events
        if isinstance(event, ResponseReceived) and len(event.body) > _MOST_BODY
    ]
    error = seen.error
    match outcome:
        case Outcome.TOKEN:
            pass
        case Outcome.REFUSED:
            if not isinstance(error, (ErrorResponse, RemoteProtocolError)):
                found.append(f"no refusal: {type(error).__name__}")
        case Outcome.FAILED | Outcome.LATE | Outcome.NOT_SENT:
            if not isinstance(error, TransportError):
                found.append(f"no TransportError: {type(error).__name__}")
            elif error.outcome is not _FATES[outcome]:
                found.append(f"the outcome is {error.outcome}")
            elif outcome is not Outcome.NOT_SENT and is_late(error.cause) is not (
                outcome is Outcome.LATE
            ):
                found.append(f"the cause is {type(error.cause).__name__}")
    if row.expected is not None and outcome is row.outcome:
        found += _differences(row.expected, seen)
    return found


def _differences(expected: Expected, seen: Seen) -> list[str]:
    got = seen.result if seen.error is None else seen.error
    if not isinstance(got, expected.kind):
        return [f"{expected.kind.__name__} was expected, not {type(got).__name__}"]
    found: list[str] = []
    for name, value in expected.values.items():
        if name == "lives":
            slack = 1.0 if seen.began == NOW else 2 * PATIENCE
            end = _value(got, "expires_at")
            same = isinstance(end, float) and isclose(
                end - seen.began, float(str(value)), abs_tol=slack
            )
        else:
            same = _value(got, name) == value
        if not same:
            found.append(f"{name} is not as it should be: {_shown(_value(got, name))}")
    return found


def _value(got: object, name: str) -> object:
    if hasattr(got, name):
        return getattr(got, name)
    return got.get(name) if isinstance(got, dict) else None


def _shown(value: object) -> str:
    text = type(value).__name__ if isinstance(value, Exception) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
