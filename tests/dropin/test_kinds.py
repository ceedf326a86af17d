from __future__ import annotations

from typing import Any

import pytest

from oauth2_sansio.dropin.kinds import is_fixed, is_iterable, is_list, is_mapping


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ({}, "mapping iterable"),
        ([], "iterable list"),
        ((1, 2), "iterable list pair"),
        ([1, 2], "iterable list pair"),
        ({1}, "iterable list"),
        (iter(()), "iterable"),
        ("ab", ""),
        (b"ab", ""),
        (None, ""),
    ],
)
def test_kinds(value: Any, kinds: str) -> None:
    found = {
        "mapping": is_mapping(value),
        "iterable": is_iterable(value),
        "list": is_list(value),
        "pair": is_fixed(value, 2),
    }
    assert {name for name, is_one in found.items() if is_one} == set(kinds.split())
