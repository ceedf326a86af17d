"""Waiting for a user who decides on another device, under trio: hours pass in no time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from oauth2_sansio import (
    Client,
    OAuth2Error,
    Server,
    authorize_device,
    drive_async,
    poll_device,
)
from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.events import Endpoint, T
from oauth2_sansio.flow import Flow
from oauth2_sansio.testing import (
    AuthorizationServer,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
    User,
)

pytestmark = pytest.mark.trio

TV = RegisteredClient(client_id="tv", grant_types=(DEVICE_CODE,), scope="read")


class World:
    """A server in memory, whose clock is trio's."""

    def __init__(self, user: User) -> None:
        self.server = AuthorizationServer(
            clients=(TV,),
            settings=ServerSettings(decision_lifetime=7200),
            now=trio.current_time,
            user=user,
        )
        self.client = Client(
            server=Server(
                token_endpoint=self.server.url(Endpoint.TOKEN),
                device_authorization_endpoint=self.server.url(Endpoint.DEVICE_AUTHORIZATION),
            ),
            client_id="tv",
        )

    async def run(self, flow: Flow[T]) -> T:
        return await drive_async(flow, self.server.send_async, trio.sleep, trio.current_time)


async def test_a_user_who_takes_an_hour(autojump_clock: MockClock) -> None:
    world = World(User(decides_after=3600))
    device = await world.run(authorize_device(world.client))
    began = autojump_clock.current_time()
    token = await world.run(poll_device(world.client, device))
    assert token["scope"] == "read"
    assert autojump_clock.current_time() - began == 3600
    assert world.server.count(Endpoint.TOKEN) == 3600 / 5


async def test_two_devices_at_once(autojump_clock: MockClock) -> None:
    world = World(User(decides_after=None))
    devices = [await world.run(authorize_device(world.client)) for _ in range(2)]
    tokens: list[str] = []

    async def wait_for(number: int) -> None:
        token = await world.run(poll_device(world.client, devices[number]))
        tokens.append(token["access_token"])

    async with trio.open_nursery() as nursery:
        for number in range(2):
            nursery.start_soon(wait_for, number)
        await trio.sleep(12)
        for device, subject in zip(devices, ("alice", "bob"), strict=True):
            world.server.decide(device.user_code, User(subject=subject))
    assert autojump_clock.current_time() == 15
    subjects: set[str | None] = set()
    for token in tokens:
        known = world.server.token(token)
        assert known is not None
        subjects.add(known.family.subject)
    assert subjects == {"alice", "bob"}


async def test_nobody_waits_in_vain(autojump_clock: MockClock) -> None:
    world = World(User(decides_after=None))
    device = await world.run(authorize_device(world.client))
    world.server.misbehave(Misbehaviour.POLLING_ENDLESS_SLOW_DOWN, times=3)
    with pytest.raises(OAuth2Error, match="expired_token"):
        await world.run(poll_device(world.client, device))
    assert autojump_clock.current_time() < device.expires_at


async def test_a_wait_that_is_given_up(autojump_clock: MockClock) -> None:
    world = World(User(decides_after=3600))
    device = await world.run(authorize_device(world.client))
    with trio.move_on_after(12) as scope:
        await world.run(poll_device(world.client, device))
    assert scope.cancelled_caught
    assert autojump_clock.current_time() == 12
    assert world.server.count(Endpoint.TOKEN) == 2
    # What was begun can be gone on with, later and elsewhere.
    assert (await world.run(poll_device(world.client, device)))["access_token"]
