"""What each object lets go of in the child of a fork, told so in this very process.

Real forks are in `tests/stores/test_forks.py`; what a child runs, coverage does not see.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from oauth2_sansio.coordinator import RefreshCoordinator
from oauth2_sansio.errors import LocalProtocolError, Outcome, TransportError
from oauth2_sansio.events import Action, Endpoint, Event, RequestToSend
from oauth2_sansio.flow import Flow
from oauth2_sansio.keeper import RefreshIt, TokenKeeper
from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore
from oauth2_sansio.token_record import TokenIdentity
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio.waiting.coordinated import CoordinatedTasks, CoordinatedThreads
from oauth2_sansio.waiting.tasks import TaskFlight
from oauth2_sansio.waiting.threads import ThreadFlight

OLD = OAuth2Token(access_token="A", refresh_token="r1", expires_at=1)
NEW = OAuth2Token(access_token="B", refresh_token="r2")
LONG = 30.0  # seconds after which a test that hangs fails


def renew(_token: OAuth2Token) -> Flow[OAuth2Token]:
    def step(_event: Event, _now: float) -> Action[OAuth2Token]:
        return RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")

    return Flow(step)


def coordinated() -> dict[str, Any]:
    identity = TokenIdentity(issuer="https://server.example", client_id="app", subject=None)
    return {"coordinator": RefreshCoordinator(identity), "renew": renew}


@pytest.mark.parametrize("with_store", [False, True])
def test_threads(with_store: bool) -> None:
    keeper, driving, go_on = TokenKeeper(OLD, renew), threading.Event(), threading.Event()

    def lead() -> None:
        # This very thread would not be in a child: what it finds here is not meant for it.
        with suppress(LocalProtocolError):
            flight.token()

    def drive(flow: Flow[OAuth2Token]) -> OAuth2Token:
        flow.start(0)
        driving.set()
        assert go_on.wait(LONG)
        return NEW

    def save(_token: OAuth2Token, _previous: OAuth2Token) -> None:
        """Keep it nowhere."""

    flight: ThreadFlight
    if with_store:
        flight = CoordinatedThreads(keeper, drive, save, store=MemoryStore(), **coordinated())
    else:
        flight = ThreadFlight(keeper, drive, save)
    leading = threading.Thread(target=lead)
    leading.start()
    assert driving.wait(LONG)
    flight.after_fork()
    try:
        if with_store:  # which tells what comes of it: so nothing is dead
            assert isinstance(keeper.acquire(1000.0), RefreshIt)
        else:
            with pytest.raises(TransportError, match="the process that this one was forked") as no:
                flight.token()
            assert no.value.outcome is Outcome.NOT_SENT
    finally:
        go_on.set()
        leading.join()


@pytest.mark.parametrize("with_store", [False, True])
def test_tasks(with_store: bool) -> None:
    keeper = TokenKeeper(OLD, renew)

    async def main() -> None:
        driving, go_on = asyncio.Event(), asyncio.Event()

        async def drive(flow: Flow[OAuth2Token]) -> OAuth2Token:
            flow.start(0)
            driving.set()
            await go_on.wait()
            return NEW

        async def save(_token: OAuth2Token, _previous: OAuth2Token) -> None:
            """Keep it nowhere."""

        flight: TaskFlight
        if with_store:
            flight = CoordinatedTasks(
                keeper, drive, save, store=AsyncMemoryStore(), **coordinated()
            )
        else:
            flight = TaskFlight(keeper, drive, save)
        leading = asyncio.create_task(flight.token())
        await driving.wait()
        flight.after_fork()
        flight.after_fork()  # where nothing is under way, nothing is to be done
        if with_store:
            assert isinstance(keeper.acquire(1000.0), RefreshIt)
        else:
            with pytest.raises(TransportError, match="the process that this one was forked"):
                await flight.token()
        go_on.set()
        assert await leading == NEW

    asyncio.run(main())
