"""Rich authorization requests (RFC 9396): by hand, and by the client of this library."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from oauth2_sansio import (
    Client,
    ErrorResponse,
    LocalProtocolError,
    OAuth2Token,
    RequestObject,
    Server,
    drive,
    new_private_key,
)
from oauth2_sansio.events import Endpoint, T
from oauth2_sansio.flow import Flow
from oauth2_sansio.testing import (
    AuthorizationServer,
    Clock,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)

from .world import CALLBACK, World, error, members

PAYMENT: dict[str, Any] = {"type": "payment", "amount": {"currency": "EUR", "value": "12.00"}}
ACCOUNT: dict[str, Any] = {"type": "account", "actions": ["read"]}
SETTINGS = ServerSettings(authorization_details_types=("payment", "account"))
KEY = new_private_key(random_bytes=lambda length: b"k" * length)


class Story:
    """A bank, and its client."""

    def __init__(self, settings: ServerSettings = SETTINGS, **arguments: Any) -> None:
        self.clock = Clock()
        registered = RegisteredClient(
            client_id="app",
            client_secret="s3cret",
            redirect_uris=(CALLBACK,),
            grant_types=("authorization_code", "refresh_token", "client_credentials"),
            keys=(KEY,),
        )
        self.server = AuthorizationServer(clients=[registered], now=self.clock, settings=settings)
        self.client = Client(
            server=self.run(Server.discover(self.server.issuer)),
            client_id="app",
            client_secret="s3cret",
            **arguments,
        )

    def run(self, flow: Flow[T]) -> T:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def token(self, *details: dict[str, Any], push: bool = False) -> OAuth2Token:
        pending = self.run(
            self.client.authorize(redirect_uri=CALLBACK, authorization_details=details, push=push)
        )
        return self.run(self.client.redeem(pending, self.server.visit(pending.url)))


@pytest.mark.parametrize("push", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_what_was_asked_for_is_granted_and_told(push: bool, signed: bool) -> None:
    story = Story(request_object=RequestObject(KEY) if signed else None)
    token = story.token(PAYMENT, ACCOUNT, push=push)
    assert token.authorization_details == (PAYMENT, ACCOUNT)
    found = story.run(story.client.introspect(token))
    assert found["authorization_details"] == [PAYMENT, ACCOUNT]


def test_less_can_be_asked_for_later_and_not_more() -> None:
    story = Story()
    pending = story.run(
        story.client.authorize(redirect_uri=CALLBACK, authorization_details=[PAYMENT, ACCOUNT])
    )
    token = story.run(
        story.client.redeem(
            pending, story.server.visit(pending.url), authorization_details=[ACCOUNT]
        )
    )
    assert token.authorization_details == (ACCOUNT,)
    # The refresh token is still good for all of it.
    renewed = story.run(story.client.refresh(token, authorization_details=[PAYMENT]))
    assert renewed.authorization_details == (PAYMENT,)
    everything = story.run(story.client.refresh(renewed))
    assert everything.authorization_details == (PAYMENT, ACCOUNT)
    more = {**PAYMENT, "amount": {"currency": "EUR", "value": "1200.00"}}
    with pytest.raises(ErrorResponse, match="invalid_authorization_details"):
        story.run(story.client.refresh(everything, authorization_details=[more]))


def test_a_client_asks_for_itself() -> None:
    story = Story()
    token = story.run(story.client.client_credentials(authorization_details=[ACCOUNT]))
    assert token.authorization_details == (ACCOUNT,)


def test_a_type_that_the_metadata_do_not_list_is_not_sent() -> None:
    story = Story()
    with pytest.raises(LocalProtocolError, match="these types: payment, account"):
        story.token({"type": "photograph"})
    assert story.server.count(Endpoint.AUTHORIZATION) == 0


@pytest.mark.parametrize(
    ("misbehaviour", "granted"),
    [
        (Misbehaviour.AUTHORIZATION_DETAILS_AS_TEXT, None),
        (Misbehaviour.AUTHORIZATION_DETAILS_WITHOUT_TYPE, None),
        (Misbehaviour.MISSING_AUTHORIZATION_DETAILS, None),
        (Misbehaviour.OTHER_AUTHORIZATION_DETAILS, ({"type": "nobody-has-asked-for-this"},)),
    ],
)
def test_what_cannot_be_read_is_nothing_and_the_token_is_kept(
    misbehaviour: Misbehaviour, granted: object
) -> None:
    story = Story()
    with story.server.misbehave(misbehaviour):
        token = story.token(PAYMENT)
    assert story.server.is_active(token["access_token"])
    assert token.authorization_details == granted


REFUSED = [
    "no JSON",
    "[" * 100_000,
    "{}",
    '"payment"',
    "[1]",
    "[{}]",
    '[{"type": 1}]',
    '[{"type": "photograph"}]',
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_server_refuses(text: str) -> None:
    world = World(SETTINGS)
    if len(text) < 1000:
        assert world.callback(authorization_details=text)["error"] == (
            "invalid_authorization_details"
        )
    asked = world.token_request("client_credentials", authorization_details=text)
    assert error(asked) == (400, "invalid_authorization_details")
    pushed = world.post(
        Endpoint.PUSHED_AUTHORIZATION,
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("authorization_details", text),
    )
    assert error(pushed) == (400, "invalid_authorization_details")


def test_a_server_without_types_takes_none_and_lists_none() -> None:
    world = World()
    document = members(world.get("https://as.example.com/.well-known/oauth-authorization-server"))
    assert "authorization_details_types_supported" not in document
    asked = world.token_request("client_credentials", authorization_details=json.dumps([ACCOUNT]))
    assert error(asked) == (400, "invalid_authorization_details")
    assert urlsplit(world.server.issuer).scheme == "https"
