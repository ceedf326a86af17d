"""The same calls through Authlib's clients and through ours, against a server that records them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import (
    rows_of_answers,
    rows_of_assertions,
    rows_of_authentication,
    rows_of_authorizing,
    rows_of_fetching,
    rows_of_renewal,
    rows_of_resources,
)
from .differences import DIFFERENCES
from .expected import EXPECTED, expected_of
from .observing import Seen, differing, observe
from .recorder import Received, Recorder, recording
from .row import Row
from .sides import PAIRS, Pair
from .signatures import SIGNATURES, compared_signatures
from .sweeping import RULES

ROWS = (
    *rows_of_authorizing.ROWS,
    *rows_of_fetching.ROWS,
    *rows_of_answers.ROWS,
    *rows_of_renewal.ROWS,
    *rows_of_resources.ROWS,
    *rows_of_authentication.ROWS,
    *rows_of_assertions.ROWS,
)
MIGRATING = Path(__file__).parents[2] / "docs" / "migrating.md"


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with recording() as server:
        yield server


def _is_for(row: Row, pair: Pair) -> bool:
    return row.over in (None, "requests" if pair.over_requests else "httpx")


@pytest.mark.parametrize(
    ("pair", "row"),
    [
        pytest.param(pair, row, id=f"{pair}: {row.name}")
        for pair in PAIRS
        for row in ROWS
        if _is_for(row, pair)
    ],
)
def test_both_sides_do_the_same_but_for_what_is_intended(
    recorder: Recorder, pair: Pair, row: Row
) -> None:
    found = differing(observe(row, pair.theirs, recorder), observe(row, pair.ours, recorder))
    unexplained = {
        aspect: values
        for aspect, values in found.items()
        if not any(rule.aspect is aspect and rule.explains(*values) for rule in RULES)
    }
    expected = expected_of(row.name, pair)
    surprises = {aspect: each for aspect, each in unexplained.items() if aspect not in expected}
    assert not surprises, "differs, and nobody has intended it"
    gone = {aspect: names for aspect, names in expected.items() if aspect not in unexplained}
    assert not gone, "no longer differs: take it out of the table"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.difference}: {rule.aspect.name}")
def test_each_rule_explains_something(recorder: Recorder, rule: Any) -> None:
    def explains(pair: Pair, row: Row) -> bool:
        found = differing(observe(row, pair.theirs, recorder), observe(row, pair.ours, recorder))
        return rule.aspect in found and rule.explains(*found[rule.aspect])

    assert any(explains(pair, row) for row in ROWS for pair in PAIRS[:2] if _is_for(row, pair))


def test_the_table_names_each_difference_that_is_shown_and_no_other() -> None:
    shown = {shows.difference for each in EXPECTED.values() for shows in each}
    shown |= {rule.difference for rule in RULES}
    shown |= {difference for _missed, difference in SIGNATURES.values()}
    assert shown == DIFFERENCES.keys()


def test_rows_are_told_apart_by_name_and_each_that_is_expected_to_differ_is_there() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert EXPECTED.keys() <= set(names)


def test_the_documentation_has_the_same_table() -> None:
    page = MIGRATING.read_text(encoding="utf-8").partition("## What differs, on purpose")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", page, flags=re.MULTILINE)
    told = {row[0]: row[1:] for row in rows if row[0] not in ("What", "---")}
    assert told == {name: (each.there, each.here, each.why) for name, each in DIFFERENCES.items()}


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_signatures(pair: Pair) -> None:
    """Names, order and defaults of parameters, where Authlib's callers can use them."""
    found = compared_signatures(pair)
    over = "requests" if pair.over_requests else "httpx"
    assert found == {
        name: missed for (name, library), (missed, _) in SIGNATURES.items() if library == over
    }


# The harness itself: what it must notice.


def _received(**changed: Any) -> Received:
    given: dict[str, Any] = {
        "method": "POST",
        "target": "/token?a=1",
        "headers": (("content-type", "application/x-www-form-urlencoded"), ("content-length", "3")),
        "body": b"b=1",
    }
    return Received(**(given | changed))


@pytest.mark.parametrize(
    ("ours", "aspects"),
    [
        (Seen(requests=[_received()]), []),
        (Seen(), ["REQUESTS"]),
        (Seen(requests=[_received(method="PUT")]), ["METHOD"]),
        (Seen(requests=[_received(target="/other?a=1")]), ["REQUESTS", "PATH"]),
        (Seen(requests=[_received(target="/token?a=2")]), ["QUERY"]),
        (Seen(requests=[_received(target="/token?a=%31")]), ["QUERY_BYTES"]),
        (Seen(requests=[_received(body=b"b=2")]), ["FORM"]),
        (Seen(requests=[_received(body=b"b=%31")]), ["BODY_BYTES"]),
        (Seen(requests=[_received()], returned=[1]), ["RETURNED"]),
        (
            Seen(requests=[_received()], raised=["OAuthError"], error=["a", None, None]),
            ["RAISED", "ERROR"],
        ),
        (Seen(requests=[_received()], token={}), ["TOKEN"]),
        (Seen(requests=[_received()], state="s"), ["STATE"]),
        (Seen(requests=[_received()], metadata={}), ["METADATA"]),
        (Seen(requests=[_received()], noted=[1]), ["NOTED"]),
        (
            Seen(requests=[_received(headers=(*_received().headers, ("cookie", "a=b")))]),
            ["OTHER_HEADERS"],
        ),
        (
            Seen(requests=[_received(headers=(*_received().headers, ("authorization", "x")))]),
            ["AUTHORIZATION"],
        ),
        (Seen(requests=[_received(headers=_received().headers[:1])]), ["FRAMING"]),
    ],
)
def test_what_differs_is_noticed(ours: Seen, aspects: list[str]) -> None:
    theirs = Seen(requests=[_received()])
    assert [each.name for each in differing(theirs, ours)] == aspects
