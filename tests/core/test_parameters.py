"""The parameters of a request."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oauth2_sansio import Endpoint, LocalProtocolError
from oauth2_sansio.parameters import (
    Parameters,
    Scope,
    check_encodable,
    details_pair,
    joined,
    json_pair,
    pairs,
    repeated,
    scope_pair,
)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ((), ()),
        ({}, ()),
        ([("b", "1"), ("a", "2"), ("b", "3")], (("b", "1"), ("a", "2"), ("b", "3"))),
        ({"b": "1", "a": ["2", "3"], "c": []}, (("b", "1"), ("a", "2"), ("a", "3"))),
        ({"empty": ""}, (("empty", ""),)),
    ],
)
def test_pairs_keep_their_order(parameters: Parameters, wanted: object) -> None:
    assert pairs(parameters) == wanted


@pytest.mark.parametrize("wrong", [{"a": 1}, {"a": None}, {"a": [1]}, {1: "a"}, [("a", None)]])
def test_what_is_no_text_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        pairs(wrong)


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("a b", (("scope", "a b"),)),
        (["a", "b"], (("scope", "a b"),)),
    ],
)
def test_a_scope_is_one_parameter(scope: Scope, wanted: object) -> None:
    assert scope_pair(scope) == wanted


def test_a_text_is_one_value() -> None:
    assert repeated("resource", "https://a.example") == (("resource", "https://a.example"),)
    assert repeated("resource", ("x", "y")) == (("resource", "x"), ("resource", "y"))


def test_the_callers_parameters_come_last_and_may_repeat_only_what_repeats() -> None:
    given = (("grant_type", "g"), ("resource", "r1"), ("audience", "a1"))
    further = [("resource", "r2"), ("audience", "a2"), ("own", "1"), ("own", "2")]
    assert joined(given, further, Endpoint.TOKEN, in_url=False) == (*given, *further)
    with pytest.raises(LocalProtocolError, match="the parameter grant_type is given twice") as got:
        joined(given, {"grant_type": "x"}, Endpoint.TOKEN, in_url=False)
    assert got.value.endpoint is Endpoint.TOKEN


def test_a_secret_gets_into_no_url() -> None:
    secret = {"client_secret": "hush-hush"}
    assert joined((), secret, Endpoint.TOKEN, in_url=False) == (("client_secret", "hush-hush"),)
    with pytest.raises(LocalProtocolError, match="never goes into a URL") as got:
        joined((), secret, Endpoint.TOKEN, in_url=True)
    assert "hush" not in str(got.value)


@pytest.mark.parametrize(
    ("given", "parameters"),
    [((("state", "hush\ud800"),), ()), ((), {"a": "hush\ud800"}), ((), {"hush\ud800": "a"})],
)
def test_half_of_a_surrogate_pair_is_refused_and_not_shown(
    given: tuple[tuple[str, str], ...], parameters: dict[str, str]
) -> None:
    with pytest.raises(LocalProtocolError, match="half of a surrogate pair") as got:
        joined(given, parameters, Endpoint.TOKEN, in_url=False)
    assert "hush" not in str(got.value)
    assert got.value.__context__ is None


def test_whatever_else_there_is_in_unicode_passes() -> None:
    check_encodable("\x00ü€😀", "a parameter")
    assert joined((("a", "ü€😀"),), (), Endpoint.TOKEN, in_url=True) == (("a", "ü€😀"),)


def test_authorization_details_are_one_parameter() -> None:
    details: list[dict[str, Any]] = [
        {"type": "payment", "amount": {"value": "12.00"}},
        {"type": "ü", "actions": []},
    ]
    wanted = '[{"type":"payment","amount":{"value":"12.00"}},{"type":"\\u00fc","actions":[]}]'
    for known in (None, ("ü", "payment")):
        assert details_pair(details, known) == (("authorization_details", wanted),)
    assert details_pair((), ()) == ()


@pytest.mark.parametrize(
    "wrong", [{"type": "payment"}, '[{"type": "payment"}]', ["payment"], [{"type": "a"}, None]]
)
def test_authorization_details_that_are_no_list_of_objects(wrong: Any) -> None:
    with pytest.raises(TypeError, match="list of dicts"):
        details_pair(wrong, None)


@pytest.mark.parametrize("wrong", [{}, {"type": ""}, {"type": None}, {"type": ["payment"]}])
def test_authorization_details_without_a_type(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has a type"):
        details_pair([wrong], None)


@pytest.mark.parametrize(
    ("known", "shown"), [(("account", "x\n"), "account, x\\\\n"), ((), "none")]
)
def test_a_type_that_the_server_does_not_know(known: tuple[str, ...], shown: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"the type payment.*these types: {shown}"):
        details_pair([{"type": "payment"}], known)


def test_a_type_is_shown_as_far_as_it_goes() -> None:
    for kind, shown in (("x" * 100, "x" * 100), ("x" * 101, "x" * 97 + "...")):
        with pytest.raises(LocalProtocolError, match=f"the type {re.escape(shown)} "):
            details_pair([{"type": kind}], ())


def test_what_json_cannot_write_is_misuse() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="claims is nested too deeply"):
        json_pair("claims", deep)
    with pytest.raises(ValueError, match="JSON"):
        json_pair("claims", {"a": float("nan")})
    with pytest.raises(TypeError):
        json_pair("claims", {"a": object()})
