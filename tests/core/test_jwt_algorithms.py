"""The algorithms that are known, and base64url as it is and as it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.jwt_algorithms import ALGORITHMS, base64url, find_algorithm, read_base64url

from .keys_for_tests import ALL


def test_all_but_none_are_known() -> None:
    assert [*ALGORITHMS] == [*ALL, "Ed25519"]
    assert find_algorithm("ES256").kind == "P-256"


@pytest.mark.parametrize("name", ["none", "None", "", "RS1", "RSA1_5", "ES256K", "es256", "x" * 99])
def test_no_other_one_is(name: str) -> None:
    with pytest.raises(ValueError, match="no algorithm"):
        find_algorithm(name)


@given(st.binary())
def test_what_is_written_is_read(raw: bytes) -> None:
    assert read_base64url(base64url(raw)) == raw


@pytest.mark.parametrize("text", ["a", "ab==", "a+/b", "ab\n", "ab cd", "é", "aaaaa", "ab."])
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match="no base64url"):
        read_base64url(text)
