"""Asking until the user has decided: each answer, and what follows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.answers import Answer
from oauth2_sansio.client import Client
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    OAuth2Error,
    RemoteProtocolError,
)
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.exchange import Pipeline
from oauth2_sansio.flow import Flow
from oauth2_sansio.polling import Polling, poll, read_polling, read_stored_polling
from oauth2_sansio.server import Server
from oauth2_sansio.stored import TIME
from oauth2_sansio.tokens import OAuth2Token, read_token

DRAFT = RequestToSend(
    endpoint=Endpoint.TOKEN, url="https://as.example/token", form=(("device_code", "d"),)
)
PENDING = "the user has not decided yet"


def polling(*, interval: float = 5.0, expires_at: float = 600.0) -> Flow[OAuth2Token]:
    too_late = LocalProtocolError("too late", error="expired_token")
    return Polling(
        Pipeline(),
        DRAFT,
        read_token,
        interval=interval,
        expires_at=expires_at,
        too_late=too_late,
    ).flow()


def says(status: int = 400, *, retry_after: str | None = None, **members: Any) -> ResponseReceived:
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    body = json.dumps(members).encode() if members else b"<html>"
    return ResponseReceived(status=status, headers=headers, body=body)


TOKEN = says(200, access_token="a", expires_in=60)
FAILED = RequestFailed(OSError("reset"))
STORIES: dict[str, list[tuple[Any, Any]]] = {
    "pending, then a token": [
        (says(error="authorization_pending"), Wait(5.0, PENDING)),
        (TOKEN, OAuth2Token(access_token="a", expires_in=60, expires_at=60)),
    ],
    "pending with any status": [
        (says(428, error="authorization_pending"), Wait(5.0, PENDING)),
        (says(200, error="authorization_pending"), Wait(5.0, PENDING)),
    ],
    "slower for good": [
        (says(error="slow_down"), Wait(10.0, "the server was asked too often")),
        (says(error="authorization_pending"), Wait(10.0, PENDING)),
        (says(error="slow_down"), Wait(15.0, "the server was asked too often")),
    ],
    "busy for a while": [
        (says(503, retry_after="30"), Wait(30.0, "the server is busy")),
        (says(429), Wait(5.0, "the server is busy")),
        (says(503, error="temporarily_unavailable"), Wait(5.0, "the server is busy")),
        (says(error="slow_down", retry_after="1"), Wait(10.0, "the server was asked too often")),
    ],
    "no answer: half as often each time": [
        (FAILED, Wait(10.0, "no response came")),
        (FAILED, Wait(20.0, "no response came")),
        (says(error="authorization_pending"), Wait(20.0, PENDING)),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_stories(story: list[tuple[Any, Any]]) -> None:
    flow = polling()
    assert flow.start(0.0) == Wait(5.0, PENDING)
    for event, action in story:
        assert flow.receive(WaitElapsed(), 0.0) == DRAFT
        found = flow.receive(event, 0.0)
        assert (found.result if isinstance(found, Finished) else found) == action


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (says(error="access_denied"), ErrorResponse, "access_denied"),
        (says(error="expired_token"), ErrorResponse, "expired_token"),
        (says(error="invalid_grant"), ErrorResponse, "invalid_grant"),
        (says(500), RemoteProtocolError, "remote_protocol_error"),
        (says(302), RemoteProtocolError, "remote_protocol_error"),
        (says(200, token="a"), RemoteProtocolError, "remote_protocol_error"),
    ],
)
def test_the_end(response: ResponseReceived, kind: type[OAuth2Error], code: str) -> None:
    flow = polling()
    flow.start(0.0)
    flow.receive(WaitElapsed(), 5.0)
    with pytest.raises(kind) as got:
        flow.receive(response, 5.0)
    assert got.value.error == code


@pytest.mark.parametrize(
    ("now", "event"),
    [
        (595.0, says(error="authorization_pending")),
        (590.0, says(error="slow_down")),
        (590.0, FAILED),
        (100.0, says(503, retry_after="500")),
    ],
)
def test_nobody_waits_in_vain(now: float, event: Any) -> None:
    flow = polling()
    flow.start(0.0)
    flow.receive(WaitElapsed(), now)
    with pytest.raises(LocalProtocolError, match="too late") as got:
        flow.receive(event, now)
    assert got.value.error == "expired_token"


def test_it_may_be_too_late_at_once() -> None:
    with pytest.raises(LocalProtocolError, match="too late"):
        polling().start(595.0)


def test_the_interval_has_an_end() -> None:
    flow = polling(interval=3000.0, expires_at=1e9)
    flow.start(0.0)
    flow.receive(WaitElapsed(), 0.0)
    assert flow.receive(FAILED, 0.0) == Wait(3600.0, "no response came")


def test_a_short_interval_is_kept_where_the_server_asks_for_no_more() -> None:
    flow = polling(interval=0.1)
    flow.start(0.0)
    flow.receive(WaitElapsed(), 0.1)
    assert flow.receive(says(error="authorization_pending"), 0.1) == Wait(0.1, PENDING)


def test_polling_as_a_client() -> None:
    client = Client(server=Server(token_endpoint="https://as.example/token"), client_id="tv")
    flow = poll(
        client,
        (("grant_type", "g"), ("device_code", "d")),
        {"client_secret": "y"},
        interval=5.0,
        expires_at=600.0,
        too_late=LocalProtocolError("too late"),
    )
    assert flow.start(0.0) == Wait(5.0, PENDING)
    request = flow.receive(WaitElapsed(), 5.0)
    assert isinstance(request, RequestToSend)
    assert request.form == (
        ("grant_type", "g"),
        ("device_code", "d"),
        ("client_secret", "y"),
        ("client_id", "tv"),
    )


def reading(**members: Any) -> tuple[str, float, float]:
    body = json.dumps(members).encode()
    answer = Answer(DRAFT, ResponseReceived(status=200, body=body), 1000.0)
    return read_polling(answer, answer.read(), "device_code")


@pytest.mark.parametrize(
    ("members", "interval"),
    [
        ({}, 5.0),
        ({"interval": 7}, 7.0),
        ({"interval": "7"}, 7.0),
        ({"interval": 1}, 1.0),
        ({"interval": 0.01}, 1.0),
        ({"interval": 1e-300}, 1.0),
        ({"interval": 0}, 5.0),
        ({"interval": -1}, 5.0),
        ({"interval": None}, 5.0),
        ({"interval": [1]}, 5.0),
        ({"interval": 1e300}, 3600.0),
    ],
)
def test_how_to_poll(members: dict[str, Any], interval: float) -> None:
    assert reading(device_code="d", expires_in=60, **members) == ("d", 1060.0, interval)


def test_what_can_just_be_polled() -> None:
    assert reading(device_code="d" * 8000, expires_in=1) == ("d" * 8000, 1001.0, 5.0)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"expires_in": 60}, "no device_code"),
        ({"expires_in": 60, "device_code": ""}, "no device_code"),
        ({"expires_in": 60, "device_code": 5}, "no device_code"),
        ({"expires_in": 60, "device_code": "d" * 8001}, "no device_code"),
        ({"device_code": "d"}, "when it expires"),
        ({"device_code": "d", "expires_in": 0}, "when it expires"),
        ({"device_code": "d", "expires_in": "soon"}, "when it expires"),
    ],
)
def test_what_cannot_be_polled(members: dict[str, Any], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        reading(**members)


@given(st.lists(st.integers(100, 599) | st.binary(max_size=60) | st.none(), max_size=30))
def test_any_answers_end_in_time(answers: list[Any]) -> None:
    flow, now = polling(), 0.0
    action: Any = flow.start(now)
    try:
        for each in answers:
            assert isinstance(action, Wait)
            now += action.seconds
            assert now < 600.0
            flow.receive(WaitElapsed(), now)
            match each:
                case None:
                    action = flow.receive(FAILED, now)
                case int():
                    action = flow.receive(says(each, error="slow_down"), now)
                case _:
                    action = flow.receive(ResponseReceived(status=503, body=each), now)
    except OAuth2Error:
        return


def test_a_stored_interval_is_a_duration() -> None:
    kinds = {"interval": TIME}
    stored = {"version": 1, "interval": 0.1}
    assert read_stored_polling(stored, kinds, ValueError) == {"interval": 0.1}
    for interval in (0, -1.0, "5"):
        with pytest.raises(ValueError, match="duration|wrong type"):
            read_stored_polling({**stored, "interval": interval}, kinds, ValueError)
