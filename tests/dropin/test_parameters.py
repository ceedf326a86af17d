from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.dropin.parameters import read_body, read_parameters, read_scope
from oauth2_sansio.urls import url_encode


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("x", [("a", "x")]),
        ("", [("a", "")]),
        (None, []),
        (0, [("a", "0")]),
        (1.5, [("a", "1.5")]),
        (True, [("a", "true")]),
        (False, [("a", "false")]),
        (b"\xc3\xbc", [("a", "\u00fc")]),
        (["x", 1, b"y"], [("a", "x"), ("a", "1"), ("a", "y")]),
        (("x",), [("a", "x")]),
        ({"x"}, [("a", "x")]),
        (frozenset({"x"}), [("a", "x")]),
        ([], []),
        ({"x": None}, [("a", '{"x": null}')]),
        ([{"x": 1}, {"y": 2}], [("a", '[{"x": 1}, {"y": 2}]')]),
    ],
)
def test_values(value: Any, pairs: list[tuple[str, str]]) -> None:
    assert read_parameters({"a": value}) == tuple(pairs)
    assert read_body({"a": value}) == tuple(pairs)
    assert read_body([("a", value)]) == tuple(pairs)


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (None, None),
        ("r w", "r w"),
        ("", ""),
        (["r", "w"], "r w"),
        (("r", b"w"), "r w"),
        ([], ""),
        (b"r", "r"),
        (5, "5"),
        (iter(["r", "w"]), "r w"),
    ],
)
def test_scopes(scope: Any, text: str | None) -> None:
    assert read_scope(scope) == text


def test_a_list_of_scopes_among_the_parameters_is_one_text() -> None:
    assert read_parameters({"scope": ["r", "w"]}) == (("scope", "r w"),)
    assert read_parameters({"scope": ()}) == ()
    assert read_parameters({"scope": ""}) == (("scope", ""),)


@pytest.mark.parametrize("body", [None, "", b""])
def test_no_body(body: Any) -> None:
    assert read_body(body) == ()


@pytest.mark.parametrize("body", ["a", "a=1&&b", "a=%ff", b"\xff=1", "&"])
def test_a_text_that_is_no_form_is_not_quoted(body: Any) -> None:
    with pytest.raises(ValueError, match=r"^body is not form encoded$") as caught:
        read_body(body)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("body", [5, object(), ["a"], [("a",)], [("a", "1", "2")], iter(())])
def test_what_is_no_body(body: Any) -> None:
    with pytest.raises(TypeError, match="not a"):
        read_body(body)


def test_bytes_that_are_no_text_are_not_quoted() -> None:
    with pytest.raises(ValueError, match=r"^a parameter is not UTF-8$") as caught:
        read_parameters({"a": b"\xff"})
    assert caught.value.__context__ is None


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_a_form_is_read_back(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value) for name, value in pairs if (name + value).isprintable()]
    assert read_body(url_encode(pairs)) == tuple(pairs)
