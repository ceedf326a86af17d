"""Ways to measure: instructions, times of one run, bytes.

A time says something of one machine at one moment. So nothing here gives a time: it gives how many
times as long one thing takes as another one in the same run, or it counts.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent

Step: TypeAlias = Callable[[], object]
"""What is measured: does its work once."""

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "adapters"), *sys.path]),
}
"""What is set for each process that is measured."""

_ROUNDS = 3  # of them the median counts
_SETTLING = 6  # times as many steps as are counted: CPython changes its mind slowly
_TURN = 0.004  # seconds that a turn takes at least, so that the clock is fine enough


def repeat(step: Step, times: int) -> float:
    """Do a step so many times, without the garbage collector; return how many seconds it took."""
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter()
        for _ in range(times):
            step()
        return time.perf_counter() - begin
    finally:
        gc.enable()


def relative_times(steps: Mapping[str, Step], *, rounds: int = 25) -> list[float]:
    """Return how long each step takes, as a multiple of the first one.

    The steps take turns, and of each its quickest turn counts: what else the machine does meanwhile
    makes a turn longer, never shorter.
    """
    first_step = next(iter(steps.values()))
    times = ceil(_TURN / min(repeat(first_step, 5) / 5 for _ in range(3)))
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            best[name] = min(best[name], repeat(step, times))
    first = next(iter(best.values()))
    return [each / first for each in best.values()]


def can_count() -> bool:
    """Say whether instructions can be counted: whether there is a valgrind, with its vgdb."""
    return all(map(shutil.which, ("valgrind", "vgdb")))


def instructions(group: str, case: str, times: int, port: int) -> tuple[float, float]:
    """Return how many instructions one step takes in user space: of a group's first case, and of
    this one.

    Both are counted in one process of their own, in turns: what two processes differ in (where
    things lie in memory, and so how full a hash table's places are) is more than what is looked
    for.

    times: how often each step is done in a turn.
    """
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--instr-atstart=no"),
                f"--callgrind-out-file={folder}/counts",
                *(sys.executable, "-m", "benchmarks"),
                *("--count", group, case, str(times), str(port)),
            ],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{group}, {case}:\n{done.stdout}{done.stderr}")
        nothing, first, this = _read_counts(Path(folder))
    return (first - nothing) / times, (this - nothing) / times


def count_in_turns(first: Step, this: Step, times: int) -> None:
    """Do both steps in turns while valgrind, under which this process runs, counts.

    What comes before and between is not counted. A start of Python with its imports is a thousand
    million instructions, of which no two are the same. And in the beginning of a turn the
    interpreter still is specialised for the classes of the other one, in code that both run: a
    program that uses one of them knows no such thing.
    """
    for step in (first, this):
        repeat(step, max(times // 2, 5))  # fills caches, connects
    gc.disable()
    # Switched on once: what valgrind has translated is thrown away at each switch. A dump begins
    # the count anew; what it takes itself is counted, and is in the turns in which nothing is done.
    _tell_valgrind("instrumentation", "on")
    _tell_valgrind("dump", "begin")
    for _ in range(_ROUNDS):
        for number, (step, often) in enumerate(((first, 0), (first, times), (this, times))):
            for _ in range(often * _SETTLING):
                step()
            _tell_valgrind("dump", "settled")
            for _ in range(often):
                step()
            _tell_valgrind("dump", f"count{number}")
    gc.enable()


def modules_of_import(before: str, statement: str) -> set[str]:
    """Return the modules that a statement loads in a new process, beyond those of one before it."""
    script = (
        f"import sys; {before}; before = set(sys.modules); {statement}; "
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def bytes_of(build: Callable[[], object], *, objects: int = 300) -> float:
    """Return how many bytes an object that is built takes, all that it holds alone included."""
    keep: list[Any] = [build()]  # what is made once for all is made now
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        keep = [None] * objects
        holding = tracemalloc.get_traced_memory()[0]
        for index in range(objects):
            keep[index] = build()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert holding >= before
    return (after - holding) / objects


def peak_in_process(group: str, case: str, port: int) -> float:
    """Return the most bytes that Python had in use during a step, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--peak", group, case, str(port)],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def peak(step: Step) -> int:
    """Return the most bytes that Python has in use during a step, beyond those before it."""
    step()  # what is made once for all is made now
    gc.collect()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _read_counts(folder: Path) -> list[float]:
    counts: dict[str, list[int]] = defaultdict(list)
    for path in folder.glob("counts.*"):
        text = path.read_text(encoding="utf-8")
        name = re.search(r"^desc: Trigger: dump (count\d)$", text, re.MULTILINE)
        total = re.search(r"^summary: ([0-9]+)$", text, re.MULTILINE)
        if name and total:
            counts[name[1]].append(int(total[1]))
    return [median(found) for _, found in sorted(counts.items())]


def _tell_valgrind(*command: str) -> None:
    # posix_spawn, since what subprocess does around it would be counted.
    program = shutil.which("vgdb")
    if program is None:
        raise FileNotFoundError("vgdb")
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    arguments = [program, f"--pid={os.getpid()}", *command]
    os.waitpid(os.posix_spawn(program, arguments, os.environ, file_actions=nowhere), 0)
