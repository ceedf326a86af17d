"""Forks of the process that the tests run in."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

LONGEST = 60  # seconds after which a child that hangs is killed


@dataclass
class Child:
    """A fork that does some work, and tells what has come of it."""

    process: int
    reading: int

    def result(self) -> str:
        """Return what the work has returned, as text, or the error that it has raised."""
        with os.fdopen(self.reading) as told:
            result = told.read()
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        assert status == 0, f"the child has ended with {status}"
        return result


def fork(work: Callable[[], object]) -> Child:
    """Do work in a fork of this process."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        _work(work, writing)
    os.close(writing)
    return Child(process, reading)


def _work(work: Callable[[], object], writing: int) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LONGEST)
        try:
            result = str(work())
        except Exception as error:  # noqa: BLE001 - it is told
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode())
        code = 0
    finally:
        os._exit(code)
