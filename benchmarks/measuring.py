"""Ways to measure: instructions, times of one run, bytes.

A time says something of one machine at one moment. So nothing here gives a time: it gives how many
times as long one thing takes as another one in the same run, or it counts.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent

Step: TypeAlias = Callable[[], object]
"""What is measured: does its work once."""

_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "adapters"), *sys.path]),
}
_ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
)


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


def relative_times(steps: Mapping[str, Step], *, rounds: int = 25, times: int = 300) -> list[float]:
    """Return how long each step takes, as a multiple of the first one.

    The steps take turns, and of each its quickest turn counts: what else the machine does meanwhile
    makes a turn longer, never shorter.
    """
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            best[name] = min(best[name], repeat(step, times))
    first = next(iter(best.values()))
    return [each / first for each in best.values()]


def can_count() -> bool:
    """Say whether instructions can be counted: whether there is a valgrind, with its vgdb."""
    return all(map(shutil.which, ("valgrind", "vgdb")))


def instructions(case: str, times: int, port: int) -> float:
    """Return how many instructions one step of a case takes in user space.

    Counted in a process of its own, for so many steps and for twice as many: the difference is
    without what switching the counter on and off takes.
    """
    counts = [_count(case, number, port) for number in (times, 2 * times)]
    return (counts[1] - counts[0]) / times


def repeat_counted(step: Step, times: int) -> None:
    """Do a step so many times while valgrind, under which this process runs, counts.

    What comes before is not counted. A start of Python with its imports is a thousand million
    instructions, of which no two are the same: the difference of two of them says nothing.
    """
    _switch_counter("on")
    repeat(step, times)
    _switch_counter("off")


def modules_of_import(statement: str) -> set[str]:
    """Return the modules that a statement loads in a new process, beyond Python's start."""
    script = (
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **_ENVIRONMENT},
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


@contextmanager
def canned_server() -> Iterator[int]:
    """Answer every request on a loopback port in the same way, from another process's view."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # closed: the run is over
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = b""
    with connection:
        while piece := connection.recv(65_536):
            received += piece
            if received.endswith(b"\r\n\r\n"):  # a GET, whole
                received = b""
                connection.sendall(_ANSWER)


def _count(case: str, times: int, port: int) -> int:
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--callgrind-out-file=/dev/null",
            sys.executable,
            *("-m", "benchmarks", "--case", case, str(times), str(port)),
        ],
        cwd=ROOT,
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"I +refs: +([0-9,]+)", done.stderr)
    if done.returncode or found is None:
        sys.exit(f"{case}:\n{done.stdout}{done.stderr}")
    return int(found[1].replace(",", ""))


def _switch_counter(position: str) -> None:
    # posix_spawn, since what subprocess does around it would be counted.
    program = shutil.which("vgdb")
    if program is None:
        raise FileNotFoundError("vgdb")
    command = [program, f"--pid={os.getpid()}", "instrumentation", position]
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    os.waitpid(os.posix_spawn(program, command, os.environ, file_actions=nowhere), 0)
