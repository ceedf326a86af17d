"""Whatever a server does: the driver says what came of it, in time, and the next request is safe."""

from __future__ import annotations

import ssl
from contextlib import nullcontext, suppress

import pytest

from oauth2_sansio import OAuth2Error, OAuth2Token
from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.events import Event, RequestFailed, ResponseReceived

from .conftest import Certified
from .drivers import DRIVERS, PATIENCE, Driver, Run, Trust
from .raw_server import scripted
from .row import Outcome, Row
from .rows import ROWS, ROWS_OF_TLS
from .scripts import End
from .spying import collecting, is_late, token_request, watched

SOON = 0.4  # seconds: the deadline where nothing else ends a request
MOST = MAXIMUM_BODY + 65_536  # bytes: one chunk more than the core takes may have been read


def outcome_of(events: list[Event], token: OAuth2Token | None) -> Outcome:
    (event,) = events
    match event:
        case ResponseReceived(body=body):
            assert len(body) <= MOST
            return Outcome.REFUSED if token is None else Outcome.TOKEN
        case RequestFailed(sent=False):
            return Outcome.NOT_SENT
        case RequestFailed() if is_late(event):
            return Outcome.LATE
        case _:
            assert isinstance(event, RequestFailed)
            return Outcome.FAILED


def check(
    driver: Driver,
    row: Row,
    ssl_context: ssl.SSLContext | None = None,
    trust: Trust | None = None,
) -> None:
    expected = row.outcome_for(driver)
    events: list[Event] = []
    tokens: list[OAuth2Token] = []

    async def story(run: Run) -> None:
        with suppress(OAuth2Error):
            tokens.append(await run(watched(token_request(server.url), events)))
        if row.script.end is End.CLOSE and Outcome.LATE not in (row.outcome, expected):
            # No pool can know of an end that is still on its way.
            server.ended.wait(1)
        # Whatever it was, the next request gets its own answer.
        following = await run(token_request(server.url))
        assert following["access_token"] == "honest"

    deadline = SOON if Outcome.LATE in (row.outcome, expected) else PATIENCE
    left_open = collecting() if driver.name in row.left_open else nullcontext()
    with scripted(row.script, ssl_context=ssl_context) as server, left_open:
        driver.tell(story, deadline=deadline, trust=trust)
    assert outcome_of(events, tokens[0] if tokens else None) is expected
    assert [token["access_token"] for token in tokens] in ([], ["good"])
    for request in server.requests:
        assert request.startswith(b"POST /token HTTP/1.1\r\n")  # no redirect was followed


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_hostile_answer(driver: Driver, row: Row) -> None:
    check(driver, row)


@pytest.mark.parametrize("row", ROWS_OF_TLS, ids=lambda row: row.name)
def test_a_hostile_answer_over_tls(driver: Driver, row: Row, certified: Certified) -> None:
    check(driver, row, certified.server, certified.trust)


@pytest.mark.parametrize("rows", [ROWS, ROWS_OF_TLS])
def test_no_name_of_a_row_comes_twice(rows: tuple[Row, ...]) -> None:
    assert len({row.name for row in rows}) == len(rows)


def test_what_differs_names_drivers_that_there_are() -> None:
    named = {name for row in ROWS + ROWS_OF_TLS for each in row.differs for name in each.drivers}
    assert named <= {driver.name for driver in DRIVERS}
