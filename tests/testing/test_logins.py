"""Logins of a certain kind (RFC 9470): by hand, and the whole story with the client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oauth2_sansio import (
    Client,
    Endpoint,
    ErrorResponse,
    LocalProtocolError,
    OAuth2Token,
    Refusal,
    Repair,
    RequestToSend,
    ResponseReceived,
    Server,
    authorization_header,
    drive,
    read_refusal,
)
from oauth2_sansio.events import T
from oauth2_sansio.flow import Flow
from oauth2_sansio.refusals import StepUp
from oauth2_sansio.testing import (
    AuthorizationServer,
    Clock,
    LoginDemand,
    Misbehaviour,
    ServerSettings,
    User,
)

from .world import APP, CALLBACK, World, error, members

API = "https://as.example.com/api"
SETTINGS = ServerSettings(
    acr_values_supported=("password", "passkey"),
    resource_logins={
        "/api/transfers": LoginDemand(acr_values=("passkey", "smart card"), max_age=60),
        "/api/profile": LoginDemand(max_age=600),
    },
    resource_scopes={"/api/transfers": "write"},
)


class Story:
    def __init__(self) -> None:
        self.clock = Clock()
        self.server = AuthorizationServer(clients=[APP], now=self.clock, settings=SETTINGS)
        self.client = Client(
            server=self.run(Server.discover(self.server.issuer)),
            client_id="app",
            client_secret=APP.client_secret,
        )

    def run(self, flow: Flow[T]) -> T:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def login(self, scope: str = "read", refusal: Refusal | None = None) -> OAuth2Token:
        asked = StepUp(scope=scope) if refusal is None else refusal.step_up(scope)
        pending = self.run(self.client.authorize(redirect_uri=CALLBACK, **asked))
        return self.run(self.client.redeem(pending, self.server.visit(pending.url)))

    def ask(self, path: str, token: OAuth2Token) -> ResponseReceived:
        headers = (("Authorization", authorization_header(token)),)
        return self.server.handle(
            RequestToSend(
                endpoint=Endpoint.RESOURCE, method="GET", url=f"{API}{path}", headers=headers
            )
        )


def test_from_the_refusal_to_a_token_that_will_do() -> None:
    story = Story()
    token = story.login()
    assert story.run(story.client.introspect(token)).acr == "password"
    assert story.ask("/items", token).status == 200
    # First the login is too weak ...
    refusal = read_refusal(story.ask("/transfers/1", token))
    assert refusal is not None
    assert refusal.repair is Repair.STEP_UP
    assert refusal.step_up("read") == {
        "scope": "read",
        "acr_values": "passkey smart card",
        "max_age": 60,
    }
    # ... and a refresh does not mend that ...
    renewed = story.run(story.client.refresh(token))
    assert read_refusal(story.ask("/transfers/1", renewed)) == refusal
    # ... then the scope is too small ...
    stronger = story.login("read", refusal)
    found = story.run(story.client.introspect(stronger))
    assert (found.acr, found.auth_time) == ("passkey", story.clock())
    wider = read_refusal(story.ask("/transfers/1", stronger))
    assert wider is not None
    assert wider.repair is Repair.WIDER_SCOPE
    assert wider.step_up("read") == {"scope": "read write"}
    # ... and who asks for both has what it takes, for a minute.
    good = story.login("read write", refusal)
    assert story.ask("/transfers/1", good).status == 200
    story.clock.advance(61)
    assert read_refusal(story.ask("/transfers/1", good)) == refusal


def test_a_login_of_long_ago_is_made_anew() -> None:
    story = Story()
    now = story.clock()
    story.server.user = User(logged_in_at=now - 601)
    old = story.login()
    assert story.run(story.client.introspect(old)).auth_time == now - 601
    refusal = read_refusal(story.ask("/profile", old))
    assert refusal is not None
    assert (refusal.acr_values, refusal.max_age) == (None, 600)
    new = story.login("read", refusal)
    assert story.run(story.client.introspect(new)).auth_time == now
    assert story.ask("/profile", new).status == 200
    story.server.user = replace(story.server.user, logged_in_at=now - 599)
    assert story.ask("/profile", story.login("read", refusal)).status == 200


def test_a_token_without_a_login() -> None:
    story = Story()
    token = story.run(story.client.client_credentials())
    assert story.run(story.client.introspect(token)).auth_time is None
    refusal = read_refusal(story.ask("/profile", token))
    assert refusal is not None
    assert refusal.repair is Repair.STEP_UP


def test_a_login_that_the_server_has_not() -> None:
    story = Story()
    pending = story.run(story.client.authorize(redirect_uri=CALLBACK, acr_values="retina"))
    callback = story.server.visit(pending.url)
    with pytest.raises(ErrorResponse, match="unmet_authentication_requirements"):
        story.client.redeem(pending, callback)


def test_a_resource_that_is_never_content() -> None:
    story = Story()
    with story.server.misbehave(Misbehaviour.RESOURCE_WANTS_ANOTHER_LOGIN):
        refusal = read_refusal(story.ask("/items", story.login()))
        assert refusal is not None
        assert refusal.repair is Repair.STEP_UP
        with pytest.raises(ErrorResponse, match="unmet_authentication_requirements"):
            story.login("read", refusal)


def test_a_refusal_that_calls_for_no_login() -> None:
    story = Story()
    refusal = read_refusal(story.ask("/items", OAuth2Token(access_token="nobody's")))
    assert refusal is not None
    assert refusal.repair is Repair.NEW_TOKEN
    with pytest.raises(LocalProtocolError, match="names no login"):
        refusal.step_up()


def test_by_hand() -> None:
    world = World(SETTINGS)
    for wrong in ("soon", "-1", "1.5"):
        assert world.callback(max_age=wrong)["error"] == "invalid_request"
    document = members(world.get("https://as.example.com/.well-known/oauth-authorization-server"))
    assert document["acr_values_supported"] == ["password", "passkey"]
    response = world.resource(world.tokens()["access_token"], "/api/transfers")
    assert error(response) == (401, "insufficient_user_authentication")
    assert response.header("WWW-Authenticate") == (
        'Bearer realm="api", error="insufficient_user_authentication", '
        'error_description="The user has to log in in another way.", '
        'acr_values="passkey smart card", max_age="60"'
    )
