"""The client of this library and the server of this package, together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import pytest

from oauth2_sansio import (
    Client,
    Endpoint,
    OAuth2Error,
    OAuth2Token,
    RequestToSend,
    ResponseMode,
    Server,
    ServerKeys,
    authenticate_backchannel,
    authorize_device,
    drive,
    exchange_token,
    new_private_key,
    poll_device,
    read_notification,
)
from oauth2_sansio.assertions import assert_jwt
from oauth2_sansio.backchannel import CIBA
from oauth2_sansio.device import DEVICE_CODE
from oauth2_sansio.flow import Flow
from oauth2_sansio.testing import (
    AnswerLost,
    AuthorizationServer,
    Clock,
    Misbehaviour,
    SeededBytes,
    ServerSettings,
)
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE, TokenType

from .world import APP, CALLBACK, PHONE

T = TypeVar("T")

REFRESH_TOKEN = TokenType.REFRESH_TOKEN
ISSUER = "https://as.example.com"
SIGNING = ServerSettings(signing_key=new_private_key(random_bytes=SeededBytes(2)))
API = RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url=f"{ISSUER}/api")


class Story:
    def __init__(self) -> None:
        self.clock = Clock()
        app = replace(
            APP,
            grant_types=(*APP.grant_types, DEVICE_CODE, CIBA, TOKEN_EXCHANGE),
            backchannel_client_notification_endpoint="https://client.example/notified",
        )
        self.server = AuthorizationServer(
            issuer=ISSUER, clients=(app, PHONE), settings=SIGNING, now=self.clock
        )

    def run(self, flow: Flow[T]) -> T:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def client(self, client_secret: str | None = APP.client_secret) -> Client:
        return Client(
            server=self.run(Server.discover(ISSUER)),
            client_id="app" if client_secret else "phone",
            client_secret=client_secret,
            random_bytes=SeededBytes(1),
        )

    def tokens(self, client: Client, mode: ResponseMode | None = None) -> OAuth2Token:
        pending = self.run(client.authorize(redirect_uri=CALLBACK, response_mode=mode))
        keys = (
            self.run(ServerKeys.fetch(client.server)) if pending.response_mode.is_signed else None
        )
        return self.run(client.redeem(pending, self.server.visit(pending.url), keys=keys))


@pytest.mark.parametrize("mode", [None, *ResponseMode])
def test_the_whole_way(mode: ResponseMode | None) -> None:
    story = Story()
    client = story.client()
    token = story.tokens(client, mode)
    assert story.run(client.introspect(token)).active
    story.clock.advance(3600)
    assert not story.run(client.introspect(token)).active
    renewed = story.run(client.refresh(token))
    assert story.run(client.introspect(renewed)).active
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        story.run(client.refresh(token))
    assert not story.run(client.introspect(renewed)).active
    story.run(client.revoke(renewed))


def test_a_client_of_a_phone() -> None:
    story = Story()
    client = story.client(client_secret=None)
    pending = story.run(client.authorize(redirect_uri="http://127.0.0.1:5000/cb"))
    token = story.run(client.redeem(pending, story.server.visit(pending.url)))
    assert story.server.is_active(token["access_token"])


def test_the_client_s_own_token() -> None:
    story = Story()
    token = story.run(story.client().client_credentials(scope="read"))
    assert token["scope"] == "read"


@pytest.mark.parametrize("misbehaviour", Misbehaviour)
def test_a_misbehaviour_gives_a_result_or_an_error_of_this_library(
    misbehaviour: Misbehaviour,
) -> None:
    story = Story()
    client = story.client()
    token = story.tokens(client)
    device = story.run(authorize_device(client))
    keys = story.run(ServerKeys.fetch(client.server))
    operations: tuple[Callable[[], object], ...] = (
        lambda: story.run(Server.discover(ISSUER)),
        lambda: story.tokens(client),
        lambda: story.tokens(client, ResponseMode.JWT),
        lambda: story.run(client.introspect(token, keys=keys)),
        lambda: story.run(client.authorize(redirect_uri=None, push=True)),
        lambda: story.run(client.introspect(token)),
        lambda: story.run(client.refresh(token)),
        lambda: story.run(client.revoke(token)),
        lambda: story.run(assert_jwt(client, "e30.e30.AA")),
        lambda: story.run(exchange_token(client, token["refresh_token"], REFRESH_TOKEN)),
        lambda: story.run(authorize_device(client)),
        lambda: story.run(poll_device(client, device)),
        lambda: story.run(
            authenticate_backchannel(client, login_hint="alice", scope=None, ping=True)
        ),
        lambda: [
            read_notification(each.header("Authorization"), each.body)
            for each in story.server.notifications()
        ],
        lambda: story.server.handle(API),
    )
    with story.server.misbehave(misbehaviour) as switch:
        for operation in operations:
            with suppress(OAuth2Error, AnswerLost):
                operation()
    assert switch.used > 0
