"""Login on another device: what the server does, and what the client makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import Client, Server, authorize_device, drive, poll_device
from oauth2_sansio.device import DEVICE_CODE, DeviceAuthorization
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import Misbehaviour, RegisteredClient, ServerSettings, User

from .world import APP_BASIC, World, error, members

TV = RegisteredClient(
    client_id="tv", grant_types=(DEVICE_CODE, "refresh_token"), scope="read write"
)
NEVER = User(decides_after=None)


class Living(World):
    """The world with a device in it."""

    def __init__(self, user: User | None = None, settings: ServerSettings | None = None) -> None:
        super().__init__(settings, user=user)
        self.server.register(TV)

    def ask(self, **form: str) -> ResponseReceived:
        pairs = {"client_id": "tv", **form}.items()
        return self.post(Endpoint.DEVICE_AUTHORIZATION, *pairs, headers=())

    def poll(self, device_code: str, client_id: str = "tv") -> ResponseReceived:
        form = (("grant_type", DEVICE_CODE), ("device_code", device_code))
        return self.post(Endpoint.TOKEN, *form, ("client_id", client_id), headers=())

    def run(self, flow: Any) -> Any:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def client(self) -> Client:
        return Client(server=self.run(Server.discover(self.server.issuer)), client_id="tv")

    def begin(self) -> tuple[Client, DeviceAuthorization]:
        client = self.client()
        return client, self.run(authorize_device(client, scope="read"))


def test_what_a_device_is_told() -> None:
    answer = members(Living().ask(scope="read"))
    user_code = answer["user_code"]
    assert re.fullmatch("[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", user_code)
    assert answer["device_code"].startswith("device-")
    assert answer["expires_in"] == 600
    assert answer["interval"] == 5.0
    assert answer["verification_uri"] == "https://as.example.com/device"
    assert answer["verification_uri_complete"].endswith(f"/device?user_code={user_code}")


def test_who_may_not_ask() -> None:
    world = Living()
    refused = world.post(Endpoint.DEVICE_AUTHORIZATION, headers=APP_BASIC)
    assert error(refused) == (400, "unauthorized_client")
    assert error(world.ask(client_id="nobody")) == (401, "invalid_client")
    assert error(world.ask(scope="admin")) == (400, "invalid_scope")


def test_a_code_counts_once_and_for_its_client() -> None:
    world = Living()
    device_code = members(world.ask())["device_code"]
    world.server.register(replace(TV, client_id="other-tv"))
    assert error(world.poll(device_code, "other-tv")) == (400, "invalid_grant")
    assert error(world.poll("unknown")) == (400, "invalid_grant")
    token = members(world.poll(device_code))
    assert token["scope"] == "read write"
    assert token["refresh_token"]
    assert error(world.poll(device_code)) == (400, "invalid_grant")


def test_a_client_that_asks_too_often() -> None:
    world = Living(NEVER)
    device_code = members(world.ask())["device_code"]
    assert error(world.poll(device_code)) == (400, "authorization_pending")
    world.clock.advance(4.9)
    assert error(world.poll(device_code)) == (400, "slow_down")
    world.clock.advance(9.9)  # ten by now
    assert error(world.poll(device_code)) == (400, "slow_down")
    world.clock.advance(15)
    assert error(world.poll(device_code)) == (400, "authorization_pending")
    world.clock.advance(600)
    assert error(world.poll(device_code)) == (400, "expired_token")


@pytest.mark.parametrize("name", ["user_code", "device_code"])
def test_a_decision_that_is_made_by_hand(name: str) -> None:
    world = Living(NEVER)
    answer = members(world.ask())
    with pytest.raises(LookupError, match="nobody was asked"):
        world.server.decide("another code")
    world.server.decide(answer[name], User(subject="bob", scope="read"))
    token = members(world.poll(answer["device_code"]))
    assert token["scope"] == "read"
    known = world.server.token(token["access_token"])
    assert known is not None
    assert known.family.subject == "bob"


# From here on: the client of this library, whose waits move the server's clock.


@pytest.mark.parametrize(
    ("patience", "requests"), [(0.0, 1), (5.0, 1), (5.1, 2), (60.0, 12)], ids=str
)
def test_a_user_who_takes_their_time(patience: float, requests: int) -> None:
    world = Living(User(decides_after=patience))
    client, device = world.begin()
    token = world.run(poll_device(client, device))
    assert token["scope"] == "read"
    assert world.server.count(grant_type=DEVICE_CODE) == requests
    assert world.run(client.refresh(token))["access_token"]


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (User(approves=False), "access_denied"),
        (
            User(approves=False, decides_after=30.0, error="interaction_failed"),
            "interaction_failed",
        ),
        (User(decides_after=600.0), "expired_token"),
        (NEVER, "expired_token"),
    ],
)
def test_a_user_who_does_not_approve(user: User, code: str) -> None:
    world = Living(user)
    client, device = world.begin()
    with pytest.raises(OAuth2Error) as got:
        world.run(poll_device(client, device))
    assert got.value.error == code
    assert world.clock() < device.expires_at  # nobody waits in vain


@pytest.mark.parametrize(
    ("misbehaviour", "waited"),
    [
        (Misbehaviour.POLLING_ENDLESS_PENDING, 5.0 + 5.0),
        (Misbehaviour.POLLING_ENDLESS_SLOW_DOWN, 5.0 + 10.0),
        (Misbehaviour.SERVER_ERROR_503_WITH_RETRY_AFTER, 5.0 + 7.0),
        (Misbehaviour.DROP_REQUEST, 5.0 + 10.0),
        (Misbehaviour.REFUSE_CONNECTION, 5.0 + 10.0),
    ],
)
def test_what_passes_by_once(misbehaviour: Misbehaviour, waited: float) -> None:
    world = Living()
    client, device = world.begin()
    began = world.clock()
    world.server.misbehave(misbehaviour, times=1, endpoint=Endpoint.TOKEN)
    assert world.run(poll_device(client, device))["access_token"]
    assert world.clock() - began == waited


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.POLLING_ENDLESS_PENDING,
        Misbehaviour.POLLING_ENDLESS_SLOW_DOWN,
        Misbehaviour.SERVER_ERROR_503_WITH_RETRY_AFTER,
        Misbehaviour.RATE_LIMIT_429_WITH_DATE,
        Misbehaviour.ABSURD_RETRY_AFTER,
        Misbehaviour.DROP_REQUEST,
    ],
)
def test_what_never_ends_ends_in_time(misbehaviour: Misbehaviour) -> None:
    world = Living()
    client, device = world.begin()
    world.server.misbehave(misbehaviour, endpoint=Endpoint.TOKEN)
    with pytest.raises(OAuth2Error, match="expired_token"):
        world.run(poll_device(client, device))
    assert world.clock() < device.expires_at


def test_a_used_code() -> None:
    # The token was issued, and its answer was lost: no second one comes.
    world = Living()
    client, device = world.begin()
    world.server.misbehave(Misbehaviour.DROP_ANSWER, times=1, endpoint=Endpoint.TOKEN)
    with pytest.raises(ErrorResponse, match="invalid_grant"):
        world.run(poll_device(client, device))


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (Misbehaviour.DEVICE_WITHOUT_CODE, "no device_code"),
        (Misbehaviour.DEVICE_WITHOUT_EXPIRES_IN, "when it expires"),
        (Misbehaviour.DEVICE_SCRIPT_PAGE, "verification_uri"),
        (Misbehaviour.DEVICE_HTTP_PAGE, "plain http"),
        (Misbehaviour.DEVICE_CONTROL_CHARACTERS, "no user_code that can be shown"),
        (Misbehaviour.HTML_PAGE_IN_200, "cannot be read"),
        (Misbehaviour.REDIRECT_307, "redirects"),
    ],
)
def test_an_answer_that_is_not_shown(misbehaviour: Misbehaviour, reason: str) -> None:
    world = Living()
    world.server.misbehave(misbehaviour, endpoint=Endpoint.DEVICE_AUTHORIZATION)
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        world.begin()
    assert got.value.endpoint is Endpoint.DEVICE_AUTHORIZATION
    assert got.value.response is not None


@pytest.mark.parametrize(
    ("misbehaviour", "interval"),
    [
        (Misbehaviour.DEVICE_WITHOUT_INTERVAL, 5.0),
        (Misbehaviour.DEVICE_ABSURD_INTERVAL, 3600.0),
        (Misbehaviour.DEVICE_NAME_OF_DRAFT, 2.0),
    ],
)
def test_an_answer_that_is_taken(misbehaviour: Misbehaviour, interval: float) -> None:
    world = Living(settings=ServerSettings(polling_interval=2.0))
    world.server.misbehave(misbehaviour, endpoint=Endpoint.DEVICE_AUTHORIZATION)
    _, device = world.begin()
    assert device.interval == interval
    assert device.verification_uri == "https://as.example.com/device"
    assert device.verification_uri_complete == f"{device.verification_uri}?user_code=" + (
        device.user_code
    )
