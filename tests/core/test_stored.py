"""Values as dicts, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.stored import (
    FLAG,
    FORMAT,
    TEXT,
    TEXT_OR_NONE,
    TIME,
    TIME_OR_NONE,
    Kinds,
    read_stored,
    write_stored,
)

KINDS: Kinds = {
    "text": TEXT,
    "more": TEXT_OR_NONE,
    "flag": FLAG,
    "time": TIME,
    "end": TIME_OR_NONE,
    "kind": TEXT,
}


class Kind(Enum):
    ONE = "one"


@dataclass(frozen=True)
class Value:
    text: str = "a"
    more: str | None = None
    flag: bool = True
    time: float = 1.5
    end: float | None = None
    kind: Kind = Kind.ONE
    left_out: str = "not stored"


MEMBERS = {"text": "a", "more": None, "flag": True, "time": 1.5, "end": None, "kind": "one"}


def test_there_and_back() -> None:
    document = write_stored(Value(), KINDS)
    assert document == {"version": 1, **MEMBERS}
    assert read_stored(json.loads(json.dumps(document)), KINDS, LocalProtocolError) == MEMBERS
    assert document["version"] == FORMAT  # what was handed in is as it was


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"version": 2}, "another version of this library", id="later version"),
        pytest.param({"version": None}, "another version of this library", id="no version"),
        pytest.param({"text": None}, "or of a wrong type", id="None for a text"),
        pytest.param({"more": 1}, "or of a wrong type", id="number for a text"),
        pytest.param({"flag": 1}, "or of a wrong type", id="number for a flag"),
        pytest.param({"time": True}, "or of a wrong type", id="flag for a time"),
        pytest.param({"time": "1"}, "or of a wrong type", id="text for a time"),
        pytest.param({"time": float("nan")}, "or of a wrong type", id="not a number"),
        pytest.param({"end": float("inf")}, "or of a wrong type", id="without end"),
        pytest.param({"end": 10**400}, "or of a wrong type", id="no clock counts so far"),
        pytest.param({"other": 1}, "a member is missing", id="a member too many"),
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        read_stored({**write_stored(Value(), KINDS), **changes}, KINDS, LocalProtocolError)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member_is_refused(name: str) -> None:
    document = write_stored(Value(), KINDS)
    del document[name]
    with pytest.raises(LocalProtocolError, match="a member is missing"):
        read_stored(document, KINDS, LocalProtocolError)


@given(st.none() | st.text() | st.integers() | st.lists(st.integers()))
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(LocalProtocolError, match="it is not a JSON object"):
        read_stored(document, KINDS, LocalProtocolError)
