"""Forged, doubled, cut, giant and odd callbacks: the core and every class do what the row says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    Finished,
    NoAuthentication,
    RequestToSend,
    ResponseReceived,
    Server,
)
from oauth2_sansio.authorization import PendingAuthorization
from oauth2_sansio.errors import (
    ErrorResponse,
    MismatchingStateError,
    OAuth2Error,
    RemoteProtocolError,
)
from tests.interop.sessions import Kind

from .hostile_callbacks import CODE, ISSUER, ROWS, STATE, Outcome, Row
from .site import Answer, Site

TOKEN = {"access_token": "the-t0ken", "token_type": "Bearer", "expires_in": 3600}
NOW = 1_700_000_000.0

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def outcome_of(error: OAuth2Error) -> Outcome:
    """Tell what an error stands for; and see that it tells nothing else."""
    shown = f"{error!s} {error!r}"
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 3_000
    assert not any(secret in shown for secret in (CODE, STATE, "the-t0ken"))
    assert error.__cause__ is None
    assert error.__context__ is None
    match error:
        case MismatchingStateError():
            return Outcome.STATE
        case RemoteProtocolError(error="issuer_mismatch"):
            return Outcome.ISSUER
        case RemoteProtocolError():
            return Outcome.BROKEN
        case ErrorResponse():
            return Outcome.REFUSED
        case _:
            raise AssertionError from error


def test_no_name_is_given_twice_and_each_outcome_comes_up() -> None:
    assert max(Counter(row.name for row in ROWS).values()) == 1
    assert {row.outcome for row in ROWS} == set(Outcome)


@each_row
def test_the_core(row: Row) -> None:
    server = Server(issuer=row.issuer, token_endpoint=f"{ISSUER}/token")
    client = Client(server=server, client_id="app", auth=NoAuthentication())
    pending = PendingAuthorization(
        url=f"{ISSUER}/authorize",
        state=STATE,
        response_mode=row.mode,
        issuer=row.issuer,
        issuer_required=row.issuer_required,
        expires_at=NOW + 600,
    )
    try:
        flow = client.redeem(pending, row.callback)
    except OAuth2Error as error:
        assert outcome_of(error) is row.outcome
        return
    request = flow.start(NOW)
    assert isinstance(request, RequestToSend)
    assert dict(request.form)["code"] == row.code
    action = flow.receive(ResponseReceived(status=200, body=b'{"access_token":"a"}'), NOW)
    assert isinstance(action, Finished)
    assert row.outcome is Outcome.CODE


@pytest.fixture(scope="module")
def one_session(kind: Kind, one_site: Site) -> Iterator[Any]:
    with kind.session("app", token_endpoint=f"{one_site.url}/token") as session:
        yield session


@each_row
def test_every_class(row: Row, one_session: Any, site: Site) -> None:
    site.answer("/token", Answer(200, TOKEN))
    one_session.state = STATE
    one_session.metadata.update(
        issuer=row.issuer,
        response_mode=row.mode.value,
        authorization_response_iss_parameter_supported=row.issuer_required,
    )
    wanted = row.outcome if row.differs is None else row.differs[0]
    try:
        token = one_session.fetch_token(authorization_response=row.callback)
    except OAuth2Error as error:
        assert outcome_of(error) is wanted
        assert site.requests == []  # whatever is refused has caused no request
        return
    assert token["access_token"] == "the-t0ken"
    assert [dict(each.form)["code"] for each in site.requests] == [row.code]
    assert wanted is Outcome.CODE
