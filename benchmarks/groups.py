"""All groups whose libraries are installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from .comparing import Group

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "core": (),
    "over_requests": ("requests",),
    "over_httpx": ("httpx",),
    "signed": ("httpx",),
    "over_trio": ("trio", "h11"),
}


def _found() -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for name, needed in _NEEDED.items():
        if all(map(find_spec, needed)):
            module = import_module(f".{name}", __package__)
            groups.update({group.name: group for group in module.GROUPS})
    return groups


GROUPS: Mapping[str, Group] = _found()
"""The groups by their names, in the order in which they are printed."""

MISSING = {name: needed for name, needed in _NEEDED.items() if not all(map(find_spec, needed))}
"""What is left out, and which libraries that would take."""
