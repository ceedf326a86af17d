"""Run the table of hostile answers over every driver, and print who handles how much of it well.

python -m tests.contract --peers
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import tests.conftest  # noqa: F401 - what holds for all tests: no way out, and no one's settings

from .certificates import Certified, certify
from .drivers import DRIVERS, Driver
from .observing import Way, listening
from .peers import PEERS
from .row import Row
from .rows import ANSWERS, ROWS, ROWS_OF_TLS
from .running import Faults, run, run_core

_PATIENCE = 5.0  # seconds beyond the deadline, after which it hangs


@dataclass(frozen=True, slots=True)
class Line:
    """What one of them has made of the rows that it can run."""

    name: str
    way: str
    results: Sequence[tuple[Row, Faults]]

    @property
    def badly(self) -> list[tuple[Row, Faults]]:
        """The rows that it did not handle well."""
        return [(row, found) for row, found in self.results if found]

    def __str__(self) -> str:
        whole = len(self.results)
        return f"{self.name:36} {self.way:8} {whole - len(self.badly):7} of {whole:5}"


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that were asked for."""

    answers: Sequence[Row]
    over_connections: Sequence[Row]
    over_tls: Sequence[Row]

    def __str__(self) -> str:
        return (
            f"{len(self.answers)} whole answers, {len(self.over_connections)} more over "
            f"connections, {len(self.over_tls)} over TLS"
        )

    def line(self, driver: Driver, way: Way, certified: Certified) -> Line:
        """Return what a driver makes of it."""
        results = [*run(driver, (*self.over_connections, *self.answers), way, patience=_PATIENCE)]
        results += run(
            driver,
            self.over_tls,
            way,
            patience=_PATIENCE,
            ssl_context=certified.server,
            trust=certified.trust,
        )
        return Line(str(driver), way.value, results)


def main() -> int:
    """Print the lines as they come; return 1 where one of ours is not whole."""
    asked = _asked()
    table = Table(*(_named(rows, asked.rows) for rows in (ANSWERS, ROWS, ROWS_OF_TLS)))
    print(f"{datetime.now(UTC):%Y-%m-%d}: {table}\n", flush=True)
    drivers: list[tuple[Driver, Way]] = [
        (driver, way) for driver in DRIVERS for way in Way if way is Way.RUN or driver.has_drop_in
    ]
    if asked.peers:
        drivers += [(peer, Way.DROP_IN) for peer in PEERS if peer.is_there]
    wrong = False
    warnings.simplefilter("ignore")  # of what the libraries and the peers leave open
    with TemporaryDirectory() as folder, listening():
        certified = certify(Path(folder))
        if not asked.driver:
            wrong |= _show(Line("the core alone", "run", [*run_core(table.answers)]), ours=True)
        for driver, way in drivers:
            if asked.driver and driver.name not in asked.driver:
                continue
            line = table.line(driver, way, certified)
            wrong |= _show(line, ours=driver.is_ours or asked.names)
    return int(wrong)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="run the other clients too")
    parser.add_argument("--names", action="store_true", help="name the peers' rows one by one")
    parser.add_argument("--driver", action="append", help="run this one alone")
    parser.add_argument("--rows", default="", help="run the rows with this in their names alone")
    return parser.parse_args()


def _named(rows: Iterable[Row], part: str) -> list[Row]:
    return [row for row in rows if part in row.name]


def _show(line: Line, *, ours: bool) -> bool:
    print(line, flush=True)
    if ours:
        for row, found in line.badly:
            print(f"    {row.name}: {'; '.join(found)}")
        return bool(line.badly)
    # A row may be counted more than once here.
    kinds = Counter(_kind(each) for _, found in line.badly for each in found)
    for kind, times in kinds.most_common():
        print(f"    {times:4} {kind}")
    sys.stdout.flush()
    return False


def _kind(fault: str) -> str:
    # Without what differs from row to row.
    if fault.endswith("MB of memory"):
        return "more than 4 MB of memory"
    for beginning in ("printed", "logged"):
        if fault.startswith(beginning):
            return f"a secret is {beginning}"
    if fault.startswith("the server is asked"):
        return "the server is asked more than once"
    if fault.startswith("the next request gets"):
        return "the next request does not get its own answer"
    return fault


if __name__ == "__main__":
    sys.exit(main())
