"""Give each reader many odd inputs: `python -m tests.fuzzing --runs 100000`.

--runs N          how many inputs for each target, the known ones among them
--target NAME     one target instead of all; may be repeated
--seed S          other inputs
--replay FILE     one input, for the targets given
--atheris NAME    let atheris look for inputs, guided by the code that they reach; what follows
                  `--` goes to libFuzzer: `--atheris token -- -max_total_time=600`

The input that shows a fault is printed, and kept in `--keep FOLDER` (`fuzzing-faults`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from time import process_time

from .running import FoundFaultError, inputs, keep, run
from .targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, run, and print what has come of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzzing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", type=Path, metavar="FILE")
    parser.add_argument("--keep", type=Path, default=Path("fuzzing-faults"), metavar="FOLDER")
    parser.add_argument("--atheris", choices=sorted(TARGETS), metavar="NAME")
    parser.add_argument("further", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.atheris:
        guided = (sys.executable, "-m", "tests.fuzzing.guided", given.atheris, *given.further)
        return subprocess.run(guided, check=False).returncode
    names: list[str] = given.target or list(TARGETS)
    try:
        for name in names:
            if given.replay is not None:
                print(f"{name}: {run(name, [given.replay.read_bytes()])} of 1 taken")
                continue
            began = process_time()
            taken = run(name, inputs(name, given.seed, given.runs))
            print(
                f"{name}: {given.runs} inputs, {taken} taken, the others refused as they should; "
                f"{process_time() - began:.1f} s",
                flush=True,
            )
    except FoundFaultError as fault:
        path = keep(fault.name, fault.data, given.keep)
        print(
            f"{fault}\nkept: python -m tests.fuzzing --target {fault.name} --replay {path}",
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
