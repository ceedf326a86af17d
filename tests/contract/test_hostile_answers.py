"""Whatever a server does: what comes of it is what the table says, in time, and nothing is shown.

`python -m tests.contract` runs all of it, over each driver in each way; here are the parts that no
other part stands for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace

import pytest

from oauth2_sansio import ErrorResponse, LocalProtocolError, OAuth2Token

from .certificates import Certified
from .credentials import ACCESS_TOKEN, CLIENT_SECRET, CODE
from .drivers import DRIVERS, Driver
from .judging import MOST_MEMORY, faults
from .observing import Seen, Way, listening
from .row import Expected, Outcome, Row, answering, broken, issued, says_no
from .rows import ANSWERS, ROWS, ROWS_OF_TLS
from .running import Faults, is_able, run, run_core
from .scripts import End, Script

# One of each library and of each kind reads all whole answers; what is below them is the same.
RUNNING = ("urllib", "httpx-sync", "httpx2-trio")
DROPPED_IN = ("requests", "httpx-asyncio", "httpx2-sync", "trio-h11")


def named(names: Iterable[str]) -> list[Driver]:
    return [driver for driver in DRIVERS if driver.name in names]


@pytest.fixture(autouse=True)
def logging_is_heard() -> Generator[None, None, None]:
    with listening():
        yield


def badly(results: Iterable[tuple[Row, Faults]]) -> dict[str, Faults]:
    return {row.name: found for row, found in results if found}


def test_the_core_alone() -> None:
    assert badly(run_core(ANSWERS)) == {}


@pytest.mark.parametrize("driver", named(RUNNING), ids=str)
def test_whole_answers(driver: Driver) -> None:
    assert badly(run(driver, ANSWERS, Way.RUN)) == {}


@pytest.mark.parametrize("driver", named(DROPPED_IN), ids=str)
def test_whole_answers_to_the_drop_in_vocabulary(driver: Driver) -> None:
    assert badly(run(driver, ANSWERS, Way.DROP_IN)) == {}


def test_what_comes_over_a_connection(driver: Driver) -> None:
    assert badly(run(driver, ROWS, Way.RUN)) == {}


@pytest.mark.parametrize("driver", named(DROPPED_IN), ids=str)
def test_what_comes_over_a_connection_to_the_drop_in_vocabulary(driver: Driver) -> None:
    assert badly(run(driver, ROWS, Way.DROP_IN)) == {}


def test_what_comes_over_tls(driver: Driver, certified: Certified) -> None:
    results = run(driver, ROWS_OF_TLS, Way.RUN, ssl_context=certified.server, trust=certified.trust)
    assert badly(results) == {}


@pytest.mark.parametrize("rows", [ROWS + ANSWERS, ROWS_OF_TLS])
def test_no_row_comes_twice(rows: tuple[Row, ...]) -> None:
    assert len({row.name for row in rows}) == len(rows)
    asked = {(row.script, row.operation) for row in rows}
    assert len(asked) == len(rows)


def test_what_differs_names_drivers_that_there_are() -> None:
    named = {name for row in ROWS + ROWS_OF_TLS for each in row.differs for name in each.drivers}
    named |= {name for row in ANSWERS for each in row.prints for name in each.drivers}
    assert named <= {driver.name for driver in DRIVERS}


GOOD = answering("good", b"{}", issued())
BAD = answering("bad", b"{}", broken())
TAKEN = Seen(result=OAuth2Token(access_token=ACCESS_TOKEN), following="honest")
URLLIB, REQUESTS = DRIVERS[:2]


# That the rule finds what it is there for: each of these is one thing gone wrong.
@pytest.mark.parametrize(
    ("row", "seen", "said"),
    [
        (GOOD, replace(TAKEN, hung=True), "it hangs"),
        (GOOD, replace(TAKEN, result=OAuth2Token(access_token="b")), "another token"),
        (answering("lasting", b"{}", issued(lives=60.0)), TAKEN, "lives is not as it should be"),
        (GOOD, replace(TAKEN, error=ErrorResponse("x")), "a good answer is refused"),
        (BAD, replace(TAKEN, error=KeyError("a")), "an exception that nobody expects: KeyError"),
        (BAD, TAKEN, "a bad answer is taken"),
        (BAD, replace(TAKEN, error=LocalProtocolError("x")), "no refusal: LocalProtocolError"),
        (BAD, replace(TAKEN, error=ErrorResponse("x")), "RemoteProtocolError was expected"),
        (GOOD, replace(TAKEN, printed=f"a {CODE}"), f"printed: {CODE}"),
        (GOOD, replace(TAKEN, logged=["a", CLIENT_SECRET]), f"logged: {CLIENT_SECRET}"),
        (GOOD, replace(TAKEN, elsewhere=1), "the other origin is asked"),
        (GOOD, replace(TAKEN, asked=2), "the server is asked 2 times"),
        (GOOD, replace(TAKEN, peak=MOST_MEMORY + 1), "4.0 MB of memory"),
        (GOOD, replace(TAKEN, following="smuggled"), "the next request gets 'smuggled'"),
        (
            Row("lost", Script(end=End.CLOSE), Outcome.FAILED),
            replace(TAKEN, error=ErrorResponse("x")),
            "no TransportError",
        ),
    ],
)
def test_the_rule(row: Row, seen: Seen, said: str) -> None:
    assert any(said in found for found in faults(row, seen, URLLIB))


def test_the_rule_of_a_refusal_looks_at_its_members() -> None:
    row = answering("no", b"{}", says_no("x", retry_after=5.0))
    seen = Seen(error=ErrorResponse("x", retry_after=6.0), following="honest")
    assert faults(row, seen, None) == ["retry_after is not as it should be: 6.0"]
    seen.error = ErrorResponse("x", retry_after=5.0)
    assert faults(row, seen, None) == []


def test_who_can_run_what() -> None:
    row = replace(GOOD, expected=Expected(type(None)))
    assert is_able(URLLIB, row, Way.RUN)
    assert not is_able(URLLIB, row, Way.DROP_IN)
    assert is_able(REQUESTS, row, Way.DROP_IN)
    asked = [row for row in ANSWERS if not row.operation.is_for_a_token]
    assert asked
    assert not any(is_able(REQUESTS, row, Way.DROP_IN) for row in asked)
