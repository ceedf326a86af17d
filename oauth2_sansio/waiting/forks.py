"""What a fork leaves half done: a child has one thread, and what all others were at ends nowhere."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What goes on to be used in the child of a fork."""

    def after_fork(self) -> None:
        """Let go, in the child, of what belongs to threads that are in the parent alone."""
        ...


def remember(one: Forked) -> None:
    """Have `after_fork` of an object called in each child that it gets into."""
    _remembered.add(one)


def leave(*of_the_parent: object) -> None:
    """Keep things of the parent as they are: neither closed nor thrown away.

    Their locks may be held by threads that are in the parent alone.
    """
    _left.append(of_the_parent)


def in_child() -> None:
    """Do what is to be done in a child, before anything else runs there."""
    errors: list[Exception] = []
    for one in list(_remembered):
        try:
            one.after_fork()
        except Exception as error:  # noqa: BLE001 - such as of a user's adapter: the others come first
            errors.append(error)
    if errors:
        raise ExceptionGroup("after a fork", errors)  # which the interpreter prints


_remembered: WeakSet[Forked] = WeakSet()
_left: list[object] = []

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=in_child)
