"""Looking at what a driver reports to a flow."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from oauth2_sansio import Client, OAuth2Token, Server
from oauth2_sansio.events import (
    Action,
    Event,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    Started,
    T,
)
from oauth2_sansio.flow import Flow


def watched(flow: Flow[T], events: list[Event]) -> Flow[T]:
    """Return the same flow, which writes down what is reported to it."""

    def step(event: Event, now: float) -> Action[T]:
        if isinstance(event, Started):
            return flow.start(now)
        events.append(event)
        return flow.receive(event, now)

    return Flow(step)


def token_request(url: str) -> Flow[OAuth2Token]:
    """Return a flow of one request with credentials in it."""
    client = Client(server=Server(token_endpoint=url), client_id="app", client_secret="s3cret")
    return client.client_credentials()


def is_late(cause: BaseException | None) -> bool:
    """Say whether it is the deadline that has ended a request."""
    said = f"{type(cause).__name__} {cause}".lower()
    return any(words in said for words in ("taken too long", "timed out", "timeout", "deadline"))


def response_of(events: list[Event]) -> ResponseReceived:
    """Return the one response that was reported."""
    (event,) = events
    assert isinstance(event, ResponseReceived), event
    return event


def failure_of(events: list[Event]) -> RequestFailed:
    """Return the one failure that was reported."""
    (event,) = events
    assert isinstance(event, RequestFailed), event
    return event


def sending(request: RequestToSend) -> Flow[ResponseReceived]:
    """Return a flow that sends a request as it is, and finishes with the response."""

    def step(event: Event, _now: float) -> Action[ResponseReceived]:
        if isinstance(event, Started):
            return request
        assert isinstance(event, ResponseReceived), event
        return Finished(event)

    return Flow(step)


@contextmanager
def collecting() -> Generator[None, None, None]:
    """Collect what an HTTP library leaves open, without the warnings of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
