"""What can be compared: steps, and sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from .measuring import Step

Case: TypeAlias = Callable[[int], Step | None]
"""Builds a step; gets the port of a server that answers every request.

Returns None where the library is not installed that it is about.
"""


class Judge(Enum):
    """By what a group is judged."""

    INSTRUCTIONS = auto()  # by the time, where they cannot be counted
    TIME = auto()
    PEAK = auto()  # of the memory that Python has in use


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that do the same. The first is what the others are measured against.

    name: what it is called on the command line.
    goal: how many times as much as the first one ours may take at most; None where there is none.
    ours: the case that is judged.
    times: how often each step is done in one turn, while its instructions are counted.
    each: how many requests, or whatever is counted, one step does.
    """

    name: str
    title: str
    goal: float | None
    ours: str
    cases: Mapping[str, Case]
    times: int = 100
    each: int = 1
    judge: Judge = Judge.INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class Size:
    """Two things whose memory is compared.

    goal: how many bytes more the second one may take.
    """

    title: str
    goal: int
    bare: Callable[[], object]
    ours: Callable[[], object]
