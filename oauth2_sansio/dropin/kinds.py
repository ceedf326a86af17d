"""What kind of value a user has handed in, said so that type checkers follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a value is a mapping."""
    return isinstance(value, Mapping)


def is_iterable(value: Any) -> TypeGuard[Iterable[Any]]:
    """Say whether a value has items, and is no text."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))


def is_list(value: Any) -> TypeGuard[Iterable[Any]]:
    """Say whether a value is a list, or a tuple or set that does as one."""
    return isinstance(value, (list, tuple, set, frozenset))


def is_fixed(value: Any, length: int) -> TypeGuard[Sequence[Any]]:
    """Say whether a value is a list or tuple of so many items."""
    return isinstance(value, (list, tuple)) and len(value) == length  # pyright: ignore[reportUnknownArgumentType]  # of whatever
