"""Login without a browser (CIBA): what the server does, and what the client makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import (
    BackchannelAuthentication,
    Client,
    OAuth2Token,
    RequestObject,
    Server,
    authenticate_backchannel,
    drive,
    poll_backchannel,
    read_notification,
    redeem_notification,
)
from oauth2_sansio.backchannel import CIBA
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import (
    AssertionIssuer,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
    User,
)

from .assertions import key_of, public_jwk, signed
from .world import World, basic, error, members

NOTIFIED = "https://client.example/notified"
BANK = RegisteredClient(
    client_id="bank",
    client_secret="b4nk",
    grant_types=(CIBA, "refresh_token"),
    scope="openid read",
    keys=(public_jwk("ES256"),),
)
TOLD = replace(BANK, backchannel_client_notification_endpoint=NOTIFIED)
CAREFUL = replace(BANK, backchannel_authentication_request_signing_alg="ES256")
TRUSTED = ServerSettings(
    assertion_issuers=(AssertionIssuer("https://idp.example", (public_jwk("ES256"),)),)
)
NEVER = User(decides_after=None)
BANK_BASIC = basic("bank", "b4nk")
ENDPOINT = Endpoint.BACKCHANNEL_AUTHENTICATION


class Living(World):
    """The world with a bank that asks its users on their phones."""

    def __init__(self, user: User | None = None, client: RegisteredClient = BANK) -> None:
        super().__init__(TRUSTED, user=user)
        self.server.register(client)

    def ask(self, **form: str) -> ResponseReceived:
        return self.post(ENDPOINT, *form.items(), headers=BANK_BASIC)

    def poll(self, auth_req_id: str) -> ResponseReceived:
        form = (("grant_type", CIBA), ("auth_req_id", auth_req_id))
        return self.post(Endpoint.TOKEN, *form, headers=BANK_BASIC)

    def jwt(self, **claims: Any) -> str:
        told = {"iss": "https://idp.example", "sub": "alice", "exp": self.clock() + 60}
        return signed({"alg": "ES256"}, {**told, "aud": self.server.issuer, **claims})

    def run(self, flow: Any) -> Any:
        return drive(flow, self.server.send, self.clock.advance, self.clock)

    def client(self, **settings: Any) -> Client:
        server = self.run(Server.discover(self.server.issuer))
        return Client(server=server, client_id="bank", client_secret="b4nk", **settings)

    def begin(self, **asked: Any) -> tuple[Client, BackchannelAuthentication]:
        client = self.client()
        flow = authenticate_backchannel(client, login_hint="alice", **asked)
        return client, self.run(flow)


def test_what_a_client_is_told() -> None:
    answer = members(Living().ask(login_hint="alice", scope="openid"))
    assert answer.pop("auth_req_id").startswith("auth-req-")
    assert answer == {"expires_in": 600, "interval": 5.0}


def test_each_hint() -> None:
    world = Living()
    assert world.ask(login_hint="alice").status == 200
    assert world.ask(login_hint_token=world.jwt()).status == 200
    assert world.ask(id_token_hint=world.jwt(aud="bank")).status == 200


def test_what_is_refused() -> None:
    world = Living()
    refused = {
        "invalid_request": [
            world.ask(),
            world.ask(login_hint="alice", login_hint_token="x"),
            world.ask(login_hint_token="x"),
            world.ask(id_token_hint=world.jwt()),
            world.ask(login_hint="alice", requested_expiry="0"),
            world.ask(login_hint="alice", requested_expiry="soon"),
        ],
        "unknown_user_id": [world.ask(login_hint="bob")],
        "invalid_scope": [world.ask(login_hint="alice", scope="admin")],
        "invalid_binding_message": [
            world.ask(login_hint="alice", binding_message="a\nb"),
            world.ask(login_hint="alice", binding_message="a" * 101),
        ],
        "unauthorized_client": [world.post(ENDPOINT, ("login_hint", "alice"))],
    }
    for code, responses in refused.items():
        assert {error(response) for response in responses} == {(400, code)}


def test_a_secret_of_the_user() -> None:
    world = Living(User(user_code="1234"))
    assert error(world.ask(login_hint="alice")) == (400, "missing_user_code")
    assert error(world.ask(login_hint="alice", user_code="1")) == (400, "invalid_user_code")
    assert world.ask(login_hint="alice", user_code="1234").status == 200


@pytest.mark.parametrize(("asked", "given"), [("30", 30), ("900", 600)])
def test_how_long_a_user_has(asked: str, given: int) -> None:
    assert members(Living().ask(login_hint="alice", requested_expiry=asked))["expires_in"] == given


def test_a_client_that_is_told_needs_a_token() -> None:
    world = Living(client=TOLD)
    assert error(world.ask(login_hint="alice")) == (400, "invalid_request")


def test_the_decision() -> None:
    world = Living(NEVER)
    auth_req_id = members(world.ask(login_hint="alice", scope="openid"))["auth_req_id"]
    assert error(world.poll(auth_req_id)) == (400, "authorization_pending")
    assert error(world.poll(auth_req_id)) == (400, "slow_down")
    world.server.decide(auth_req_id, User())
    world.clock.advance(10)
    assert members(world.poll(auth_req_id))["scope"] == "openid"
    assert world.server.notifications() == ()


# From here on: the client of this library, whose waits move the server's clock.


def test_polling_until_the_user_has_decided() -> None:
    world = Living(User(decides_after=60))
    client, login = world.begin(scope="openid read", binding_message="W4SCT")
    token = world.run(poll_backchannel(client, login))
    assert token["scope"] == "openid read"
    assert world.server.count(grant_type=CIBA) == 12
    assert world.run(client.refresh(token))["access_token"]


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (User(approves=False), "access_denied"),
        (User(approves=False, error="transaction_failed"), "transaction_failed"),
        (NEVER, "expired_token"),
    ],
)
def test_a_user_who_does_not_approve(user: User, code: str) -> None:
    world = Living(user)
    client, login = world.begin()
    with pytest.raises(OAuth2Error) as got:
        world.run(poll_backchannel(client, login))
    assert got.value.error == code
    assert world.clock() < login.expires_at


def test_a_signed_request() -> None:
    world = Living(client=CAREFUL)
    with pytest.raises(ErrorResponse, match="invalid_request"):
        world.begin()
    client = world.client(request_object=RequestObject(key_of("P-256")))
    login = world.run(authenticate_backchannel(client, scope="openid", login_hint="alice"))
    assert "login_hint" not in dict(world.server.log[-1].parameters)
    assert world.run(poll_backchannel(client, login))["access_token"]


def notified(world: Living, login: BackchannelAuthentication, client: Client) -> OAuth2Token:
    """Do what a client's notification endpoint does."""
    [request] = world.server.notifications()
    assert (request.method, request.url) == ("POST", NOTIFIED)
    notification = read_notification(request.header("Authorization"), request.body)
    token: OAuth2Token = world.run(redeem_notification(client, login, notification))
    return token


def test_a_notification() -> None:
    world = Living(User(decides_after=60), TOLD)
    client, login = world.begin(ping=True)
    world.clock.advance(59)
    assert world.server.notifications() == ()
    world.clock.advance(1)
    stored = BackchannelAuthentication.from_dict(login.to_dict())
    assert notified(world, stored, client)["access_token"]
    assert world.server.count(grant_type=CIBA) == 1
    assert world.server.notifications() == ()


def test_a_notification_of_a_user_who_says_no() -> None:
    world = Living(User(approves=False), TOLD)
    client, login = world.begin(ping=True)
    with pytest.raises(ErrorResponse, match="access_denied"):
        notified(world, login, client)


@pytest.mark.parametrize(
    ("misbehaviour", "code"),
    [
        (Misbehaviour.NOTIFICATION_WRONG_TOKEN, "forged_notification"),
        (Misbehaviour.NOTIFICATION_WITHOUT_TOKEN, "forged_notification"),
        (Misbehaviour.NOTIFICATION_OF_ANOTHER, "forged_notification"),
        (Misbehaviour.NOTIFICATION_NOT_JSON, "forged_notification"),
        (Misbehaviour.NOTIFICATION_PUSHES_TOKENS, "unsupported_delivery_mode"),
    ],
)
def test_a_notification_that_is_none(misbehaviour: Misbehaviour, code: str) -> None:
    world = Living(client=TOLD)
    world.server.misbehave(misbehaviour)
    client, login = world.begin(ping=True)
    with pytest.raises(RemoteProtocolError) as got:
        notified(world, login, client)
    assert got.value.error == code
    assert world.server.count(Endpoint.TOKEN) == 0
    # The login is as good as before.
    assert world.run(poll_backchannel(client, login))["access_token"]


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (Misbehaviour.BACKCHANNEL_WITHOUT_ID, "no auth_req_id"),
        (Misbehaviour.BACKCHANNEL_ID_OBJECT, "no auth_req_id"),
        (Misbehaviour.BACKCHANNEL_WITHOUT_EXPIRES_IN, "when it expires"),
        (Misbehaviour.HTML_PAGE_IN_200, "cannot be read"),
        (Misbehaviour.REDIRECT_307, "redirects"),
    ],
)
def test_an_answer_that_is_none(misbehaviour: Misbehaviour, reason: str) -> None:
    world = Living()
    world.server.misbehave(misbehaviour, endpoint=ENDPOINT)
    with pytest.raises(RemoteProtocolError, match=reason) as got:
        world.begin()
    assert got.value.endpoint is ENDPOINT
    assert got.value.response is not None


def test_where_a_notification_can_go_wrong() -> None:
    world = Living()
    with pytest.raises(ValueError, match="cannot happen at the token endpoint"):
        world.server.misbehave(Misbehaviour.NOTIFICATION_NOT_JSON, endpoint=Endpoint.TOKEN)
