"""Run rows with a driver: those that only take time side by side, and all others one by one."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from .drivers import PATIENCE, Driver, Trust
from .judging import faults
from .observing import Way, is_heavy, observe, observe_core
from .row import Outcome, Row
from .spying import collecting

_SIDE_BY_SIDE = 12

Faults = list[str]


def run(
    driver: Driver,
    rows: Iterable[Row],
    way: Way,
    *,
    patience: float = PATIENCE,
    ssl_context: ssl.SSLContext | None = None,
    trust: Trust | None = None,
) -> Iterator[tuple[Row, Faults]]:
    """Yield each row that this driver can run in this way, and what is wrong with what came of it.

    patience: seconds beyond the deadline, after which a run counts as hung.
    ssl_context: the server's, for TLS; `trust` is the client's.
    """

    def one(row: Row) -> tuple[Row, Faults]:
        left_open = collecting() if driver.like in row.left_open else nullcontext()
        with left_open:
            seen = observe(
                driver, row, way, patience=patience, ssl_context=ssl_context, trust=trust
            )
        return row, faults(row, seen, driver)

    able = [row for row in rows if is_able(driver, row, way)]
    slow = [row for row in able if _only_takes_time(row, driver)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        yield from pool.map(one, slow)
    for row in able:
        if row not in slow:
            yield one(row)


def run_core(rows: Iterable[Row]) -> Iterator[tuple[Row, Faults]]:
    """Yield each row whose answer is whole, and what is wrong with what the core makes of it."""
    for row in rows:
        if row.answer is not None:
            yield row, faults(row, observe_core(row), None)


def is_able(driver: Driver, row: Row, way: Way) -> bool:
    """Say whether a driver can ask for what a row is about, in this way."""
    return way is Way.RUN or (driver.has_drop_in and row.operation.is_for_a_token)


def _only_takes_time(row: Row, driver: Driver) -> bool:
    # Memory is the process's, and warnings are: rows where these count run alone.
    late = Outcome.LATE in (row.outcome, row.outcome_for(driver))
    return late and not is_heavy(row) and driver.like not in row.left_open
