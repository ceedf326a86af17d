"""Run the simulation by hand: `python -m tests.simulation --seeds 10000`.

--seeds N     how many seeds
--first N     the first of them
--replay N    one seed, and all that happens in it
"""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

from .scenario import Report, run_seed
from .world import Violation


def run_seeds(first: int, count: int) -> list[Report]:
    """Run so many seeds; raise `Violation`, which names the seed, at the first that fails."""
    reports: list[Report] = []
    for seed in range(first, first + count):
        try:
            reports.append(run_seed(seed))
        except Violation as violation:
            raise Violation(
                f"seed {seed}: {violation}; python -m tests.simulation --replay {seed}"
            ) from violation
    return reports


def main() -> int:
    """Read the command line, run, and print what has come of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--replay", type=int)
    given = parser.parse_args()
    try:
        if given.replay is not None:
            print(run_seed(given.replay, trace=print))
            return 0
        began = perf_counter()
        reports = run_seeds(given.first, given.seeds)
    except Violation as violation:
        print(violation)
        return 1
    print(
        f"{len(reports)} seeds in {perf_counter() - began:.0f} s: "
        f"{sum(each.callers for each in reports)} callers, "
        f"{sum(each.failed for each in reports)} of them got an error; "
        f"{sum(each.requests for each in reports)} requests, "
        f"{sum(each.refreshes for each in reports)} refreshes; "
        f"{sum(each.lost for each in reports)} logins ended as nobody can prevent, 0 otherwise"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
