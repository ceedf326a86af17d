"""How to test an application that logs users in: no network, no sleeping, no mock library.

Run it: python -m pytest examples/test_my_login.py
"""

from __future__ import annotations

import pytest

from oauth2_sansio import (
    Client,
    ErrorResponse,
    MismatchingStateError,
    OAuth2Token,
    RequestToSend,
    ResponseReceived,
    Server,
    drive,
)
from oauth2_sansio.testing import (
    AuthorizationServer,
    Clock,
    Misbehaviour,
    RegisteredClient,
    SeededBytes,
    User,
)

REDIRECT_URI = "https://shop.example/callback"


class Shop:
    """The application under test, together with an authorization server in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        registered = RegisteredClient(
            client_id="shop", client_secret="secret", redirect_uris=(REDIRECT_URI,)
        )
        self.server = AuthorizationServer(clients=[registered], now=self.clock)
        self.client = Client(
            server=drive(Server.discover(self.server.issuer), self.send, self.sleep, self.clock),
            client_id="shop",
            client_secret="secret",
            random_bytes=SeededBytes(),
        )

    def send(self, request: RequestToSend) -> ResponseReceived:
        return self.server.handle(request)

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def log_in(self, user: User) -> OAuth2Token:
        authorize = self.client.authorize(redirect_uri=REDIRECT_URI)
        pending = drive(authorize, self.send, self.sleep, self.clock)
        callback = self.server.visit(pending.url, user)
        redeem = self.client.redeem(pending, callback)
        return drive(redeem, self.send, self.sleep, self.clock)

    def renew(self, token: OAuth2Token) -> OAuth2Token:
        return drive(self.client.refresh(token), self.send, self.sleep, self.clock)


def test_a_token_lives_for_an_hour_and_is_renewed() -> None:
    shop = Shop()
    token = shop.log_in(User(subject="alice"))
    assert not token.is_expired(now=shop.clock())
    shop.clock.advance(3600)  # takes no time
    assert token.is_expired(now=shop.clock())
    assert shop.renew(token).expires_at == shop.clock() + 3600


def test_a_user_who_says_no() -> None:
    with pytest.raises(ErrorResponse, match="access_denied"):
        Shop().log_in(User(subject="alice", approves=False))


def test_a_forged_callback_sends_nothing() -> None:
    shop = Shop()
    before = shop.server.count()
    with pytest.raises(MismatchingStateError):
        shop.log_in(User(subject="mallory", edit=lambda url: url.replace("state=", "state=x")))
    assert shop.server.count() == before + 1  # the browser's visit alone


def test_a_server_that_sends_a_number_as_a_text() -> None:
    shop = Shop()
    shop.server.misbehave(Misbehaviour.EXPIRES_IN_STRING)
    assert shop.log_in(User(subject="alice")).expires_at == shop.clock() + 3600


def test_the_exact_request() -> None:
    """Without a server: one step by hand, and an answer that is made up."""
    shop = Shop()
    flow = shop.client.refresh("an old token")
    request = flow.start(now=1000.0)
    assert isinstance(request, RequestToSend)
    assert request.url == "https://as.example.com/token"
    assert request.form == (("grant_type", "refresh_token"), ("refresh_token", "an old token"))
    flow.receive(ResponseReceived(status=200, body=b'{"access_token": "new"}'), now=1000.0)
