"""Runs a target on one input after the other, and keeps the one that it cannot take."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Self

from oauth2_sansio.errors import OAuth2Error

from .mutator import Mutator
from .targets import TARGETS, Target

CORPUS = Path(__file__).parent / "corpus"
_PATIENCE = 5  # seconds of processor time; who takes twice that for one input is ended


class FoundFaultError(Exception):
    """A target has neither taken an input nor refused it with an error of ours.

    name: of the target.
    data: that input.
    """

    def __init__(self, name: str, data: bytes, cause: BaseException) -> None:
        super().__init__(f"{name}: {type(cause).__name__}: {cause}\n{data!r}")
        self.name = name
        self.data = data


def samples_of(target: Target) -> list[bytes]:
    """Return the known inputs of a target, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / target.samples).iterdir())]


def inputs(name: str, seed: int, runs: int) -> Iterator[bytes]:
    """Yield so many inputs for a target: the known ones first. A seed gives the same each time."""
    samples = samples_of(TARGETS[name])
    yield from samples[:runs]
    mutator = Mutator(f"{name} {seed}", samples)
    for _ in range(runs - len(samples)):
        yield mutator.next()


def run(name: str, read_all: Iterable[bytes]) -> int:
    """Give a target these inputs; return how many of them it has taken.

    Raises `FoundFaultError`.
    """
    read = TARGETS[name].read
    taken = 0
    with _Watch() as watch:
        for data in read_all:
            watch.begun += 1
            try:
                read(data)
            except OAuth2Error:
                continue
            except Exception as error:
                raise FoundFaultError(name, data, error) from error
            taken += 1
    return taken


def keep(name: str, data: bytes, folder: Path) -> Path:
    """Write an input into a folder, under a name that its content gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{sha256(data).hexdigest()[:16]}"
    path.write_bytes(data)
    return path


class _TakesTooLongError(Exception):
    """A reader has not come to an end."""


class _Watch:
    """Ends a reader that does not end by itself."""

    def __init__(self) -> None:
        self.begun = 0
        self._seen = 0

    def __enter__(self) -> Self:
        self._former = signal.signal(signal.SIGVTALRM, self._look)
        signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE, _PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self._former)

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        if self.begun == self._seen:
            raise _TakesTooLongError(f"{_PATIENCE} seconds of processor time")
        self._seen = self.begun
