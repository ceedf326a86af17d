"""Values that wait for a user, kept meanwhile as dicts that JSON can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType
from typing import Any, TypeAlias, cast

from .tokens import read_seconds

FORMAT = 1
"""The version that stands in each of these dicts."""

TEXT = (str,)
TEXT_OR_NONE = (str, NoneType)
FLAG = (bool,)
TIME = (int, float)
TIME_OR_NONE = (int, float, NoneType)

Kinds: TypeAlias = Mapping[str, tuple[type, ...]]
"""The members of a dict, and what each of them may be."""


def write_stored(value: object, kinds: Kinds) -> dict[str, Any]:
    """Return these members of a value as a dict."""
    members = {name: getattr(value, name) for name in kinds}
    plain = {
        name: member.value if isinstance(member, Enum) else member
        for name, member in members.items()
    }
    return {"version": FORMAT, **plain}


def read_stored(
    document: object, kinds: Kinds, refusal: Callable[[str], Exception]
) -> dict[str, Any]:
    """Return the members in what `write_stored` has made.

    refusal: makes the error for anything else, given the reason.
    """
    if not isinstance(document, Mapping):
        raise refusal("it is not a JSON object")
    values = dict(cast("Mapping[str, Any]", document))
    if values.pop("version", None) != FORMAT:
        raise refusal("it was stored by another version of this library")
    if values.keys() != kinds.keys() or not all(
        _is_sound(value, kinds[name]) for name, value in values.items()
    ):
        raise refusal("a member is missing, or of a wrong type")
    return values


def _is_sound(value: object, kinds: tuple[type, ...]) -> bool:
    # By its exact type: true is no number.
    kind = type(value)
    return kind in kinds and (kind not in TIME or read_seconds(value) is not None)
