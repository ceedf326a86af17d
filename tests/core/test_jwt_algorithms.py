"""The algorithms that are known, and base64url as it is and as it is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.jwt_algorithms import (
    ALGORITHMS,
    SMALLEST_RSA_KEY,
    base64url,
    find_algorithm,
    read_base64url,
)

from .keys_for_tests import ALL


def test_all_but_none_are_known() -> None:
    assert [*ALGORITHMS] == [*ALL, "Ed25519"]
    assert find_algorithm("ES256").kind == "P-256"


def test_how_long_signatures_are() -> None:
    # RFC 7518 sections 3.2 to 3.5, RFC 8037 section 3.1: of two numbers, or of a hash.
    halves = {"ES256": 32, "ES384": 48, "ES512": 66, "EdDSA": 32, "Ed25519": 32}
    hashes = {"HS256": 32, "HS384": 48, "HS512": 64}
    assert {name: each.length for name, each in ALGORITHMS.items() if each.kind != "RSA"} == {
        **{name: 2 * length for name, length in halves.items()},
        **hashes,
    }
    assert {each.length for each in ALGORITHMS.values() if each.kind == "RSA"} == {None}
    assert SMALLEST_RSA_KEY == 2048


@pytest.mark.parametrize("name", ["none", "None", "", "RS1", "RSA1_5", "ES256K", "es256", "x" * 99])
def test_no_other_one_is(name: str) -> None:
    with pytest.raises(ValueError, match="no algorithm"):
        find_algorithm(name)


def test_a_name_is_shown_as_far_as_any_name_goes() -> None:
    for name, shown in (("x" * 40, "x" * 40), ("x" * 41, "x" * 37 + "...")):
        with pytest.raises(ValueError, match=f"no algorithm {re.escape(shown)}; there are: HS256,"):
            find_algorithm(name)


@given(st.binary())
def test_what_is_written_is_read(raw: bytes) -> None:
    assert read_base64url(base64url(raw)) == raw


@pytest.mark.parametrize("text", ["a", "ab==", "a+/b", "ab\n", "ab cd", "é", "aaaaa", "ab."])
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match="no base64url"):
        read_base64url(text)
