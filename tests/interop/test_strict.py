"""The strict vocabulary over each driver, at a server that nobody here wrote."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import (
    Client,
    ClientSecretJWT,
    ClientSecretPost,
    Endpoint,
    ErrorResponse,
    OAuth2Token,
    Outcome,
    PendingAuthorization,
    PrivateKeyJWT,
    RefreshIt,
    RemoteProtocolError,
    RequestToSend,
    ResponseReceived,
    Server,
    TokenKeeper,
    TransportError,
    UseToken,
    authorization_header,
    is_token_rejected,
)

from .over_urllib import send

if TYPE_CHECKING:
    from .authlib_server import AuthlibServer, RegisteredClient
    from .drivers import Run

CALLBACK = "http://127.0.0.1/callback"
SIGNERS = ["SECRET_SIGNER", "KEY_SIGNER", "RSA_SIGNER"]
CLIENTS = pytest.mark.parametrize("name", ["APP", "POSTER", "PHONE", *SIGNERS])
WITH_SECRET = pytest.mark.parametrize("name", ["APP", "POSTER", *SIGNERS])


@dataclass(frozen=True)
class Place:
    """The server, and the driver over which it is reached."""

    site: AuthlibServer
    run: Run


@pytest.fixture
def at(site: AuthlibServer, run: Run) -> Place:
    return Place(site, run)


class Story:
    """A client at the server, and its user's browser."""

    def __init__(self, at: Place, name: str = "APP", **settings: Any) -> None:
        from . import authlib_server

        self.site, self.run = at.site, at.run
        self.user = authlib_server.USER
        self.registered: RegisteredClient = getattr(authlib_server, name)
        self.server = self.run(Server.discover(at.site.issuer))
        if "auth" not in settings:
            settings.setdefault("client_secret", self.registered.client_secret or None)
            settings = authenticating(self.registered, settings)
        self.client = Client(server=self.server, client_id=self.registered.client_id, **settings)

    def authorized(self, **arguments: Any) -> tuple[PendingAuthorization, str]:
        """Send the user to the server; return how it began, and with what it came back."""
        arguments = {"redirect_uri": CALLBACK, "scope": "profile", **arguments}
        pending = self.run(self.client.authorize(**arguments))
        return pending, visit(pending.url)

    def token(self, **arguments: Any) -> OAuth2Token:
        """Go the whole way to a token for a user."""
        return self.run(self.client.redeem(*self.authorized(**arguments)))

    def by_password(self) -> OAuth2Token:
        """Go the short way to a token for a user."""
        return self.run(self.client.password(self.user.name, self.user.password, scope="profile"))

    def me(self, header: str) -> ResponseReceived:
        """Ask the API who the user is."""
        url = f"{self.site.issuer}/me"
        return get(url, ("Authorization", header))


def authenticating(registered: RegisteredClient, settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings for the method that a client has registered."""
    match registered.method:
        case "client_secret_post":
            return {"auth": ClientSecretPost(settings.pop("client_secret")), **settings}
        case "client_secret_jwt":
            auth = ClientSecretJWT(client_secret=settings.pop("client_secret"))
            return {"auth": auth, **settings}
        case "private_key_jwt":
            del settings["client_secret"]
            return {"auth": PrivateKeyJWT(private_key=registered.key), **settings}
        case _:
            return settings


def get(url: str, *headers: tuple[str, str]) -> ResponseReceived:
    """Get a page."""
    answer = send(RequestToSend(endpoint=Endpoint.RESOURCE, method="GET", url=url, headers=headers))
    assert isinstance(answer, ResponseReceived)
    return answer


def visit(url: str) -> str:
    """Do what the user's browser does; return where the server sends it."""
    location = get(url).header("Location")
    assert location is not None
    return location


def test_discovery(at: Place) -> None:
    server = Story(at).server
    document = at.site.metadata()
    assert server.issuer == document["issuer"]
    assert server.url(Endpoint.TOKEN) == document["token_endpoint"]
    assert server.url(Endpoint.REVOCATION) == document["revocation_endpoint"]
    assert server.url(Endpoint.INTROSPECTION) == document["introspection_endpoint"]
    assert server.authorization_response_iss_parameter_supported


@CLIENTS
def test_code_with_pkce(at: Place, name: str) -> None:
    story = Story(at, name)
    begun = int(time.time())
    token = story.token()
    assert token.scope == "profile"
    assert token.expires_at is not None
    assert begun <= token.expires_at - token["expires_in"] <= time.time()
    answer = story.me(authorization_header(token))
    assert (answer.status, json.loads(answer.body)["name"]) == (200, story.user.name)


@CLIENTS
def test_password(at: Place, name: str) -> None:
    story = Story(at, name)
    assert story.me(authorization_header(story.by_password())).status == 200


@WITH_SECRET
def test_client_credentials(at: Place, name: str) -> None:
    story = Story(at, name)
    token = at.run(story.client.client_credentials(scope="profile email"))
    assert token.scope == "profile email"
    assert token.refresh_token is None
    assert at.run(story.client.introspect(token))["sub"] == story.registered.client_id


@CLIENTS
def test_refresh_with_rotation(at: Place, name: str) -> None:
    story = Story(at, name)
    token = story.token(scope="profile email")
    renewed = at.run(story.client.refresh(token))
    assert renewed.access_token != token.access_token
    assert renewed.refresh_token not in (None, token.refresh_token)
    assert renewed.scope == "profile email"
    narrowed = at.run(story.client.refresh(renewed, scope="profile"))
    assert narrowed.scope == "profile"


def test_a_replayed_refresh_token_ends_the_family(at: Place) -> None:
    story = Story(at)
    token = story.token()
    renewed = at.run(story.client.refresh(token))
    with pytest.raises(ErrorResponse, match="invalid_grant"):
        at.run(story.client.refresh(token))
    assert not at.run(story.client.introspect(renewed)).active


@CLIENTS
def test_revocation(at: Place, name: str) -> None:
    story = Story(at, name)
    token = story.token()
    at.run(story.client.revoke(token))
    answer = story.me(authorization_header(token))
    assert is_token_rejected(answer.status, answer.header_values("WWW-Authenticate"))


def test_revocation_of_a_token_that_nobody_knows(at: Place) -> None:
    at.run(Story(at).client.revoke("unknown"))  # RFC 7009 section 2.2: that is no error


@WITH_SECRET
def test_introspection(at: Place, name: str) -> None:
    story = Story(at, name)
    token = story.token()
    said = at.run(story.client.introspect(token))
    assert said.active
    assert said.scope == "profile"
    assert said["client_id"] == story.registered.client_id
    assert said["sub"] == story.user.name
    assert said.expires_at is not None
    assert token.expires_at is not None
    assert abs(said.expires_at - token.expires_at) < 60
    assert not at.run(story.client.introspect("unknown")).active


def test_implicit(at: Place) -> None:
    story = Story(at, "PHONE")
    pending = at.run(story.client.implicit(redirect_uri=CALLBACK, scope="profile"))
    token = at.run(story.client.redeem_implicit(pending, visit(pending.url)))
    assert token["expires_in"] == "3600"
    assert token.expires_at is not None
    assert story.me(authorization_header(token)).status == 200


def test_a_keeper_renews_what_the_api_refuses(at: Place) -> None:
    story = Story(at)
    token = story.token()
    keeper = TokenKeeper(token, story.client.refresh)
    now = time.time()
    header = keeper.header(now)
    assert header is not None
    at.site.ledger.expire(token["access_token"])
    answer = story.me(header)
    assert is_token_rejected(answer.status, answer.header_values("WWW-Authenticate"))
    decision = keeper.acquire(now, rejected=token.access_token)
    assert isinstance(decision, RefreshIt)
    keeper.settle(decision.ticket, at.run(decision.flow))
    decision = keeper.acquire(now, rejected=token.access_token)
    assert isinstance(decision, UseToken)
    assert story.me(authorization_header(decision.token)).status == 200


# What the server refuses: the story, and the code and the status of the error.


def _wrong_secret(at: Place) -> object:
    return at.run(Story(at, client_secret="wrong").client.client_credentials())


def _wrong_posted_secret(at: Place) -> object:
    return at.run(Story(at, "POSTER", client_secret="wrong").client.client_credentials())


def _unknown_client(at: Place) -> object:
    client = Client(server=Story(at).server, client_id="nobody", client_secret="a secret")
    return at.run(client.client_credentials())


def _reused_code(at: Place) -> object:
    story = Story(at)
    pending, callback = story.authorized()
    at.run(story.client.redeem(pending, callback))
    return at.run(story.client.redeem(pending, callback))


def _wrong_verifier(at: Place) -> object:
    story = Story(at)
    pending, callback = story.authorized()
    forged = PendingAuthorization.from_dict({**pending.to_dict(), "code_verifier": "v" * 43})
    return at.run(story.client.redeem(forged, callback))


def _no_verifier(at: Place) -> object:
    return Story(at, "PHONE", omit_pkce=True).token()


def _another_client_s_code(at: Place) -> object:
    return at.run(Story(at, "PHONE").client.redeem(*Story(at).authorized()))


def _reused_refresh_token(at: Place) -> object:
    story = Story(at)
    token = story.token()
    at.run(story.client.refresh(token))
    return at.run(story.client.refresh(token))


def _revoked_refresh_token(at: Place) -> object:
    story = Story(at)
    token = story.token()
    at.run(story.client.revoke(token))
    return at.run(story.client.refresh(token))


def _another_client_s_refresh_token(at: Place) -> object:
    return at.run(Story(at, "POSTER").client.refresh(Story(at).token()))


def _wider_scope(at: Place) -> object:
    story = Story(at)
    return at.run(story.client.refresh(story.token(), scope="profile email"))


def _unknown_scope(at: Place) -> object:
    return at.run(Story(at).client.client_credentials(scope="profile everything"))


def _wrong_password(at: Place) -> object:
    story = Story(at)
    return at.run(story.client.password(story.user.name, "wrong"))


def _no_password(at: Place) -> object:
    story = Story(at)
    return at.run(story.client.password(story.user.name, ""))


def _grant_not_allowed(at: Place) -> object:
    return at.run(Story(at, "MODEST").client.client_credentials())


def _unknown_grant(at: Place) -> object:
    return at.run(Story(at).client.request_token("urn:example:no-such-grant"))


def _introspection_with_a_wrong_secret(at: Place) -> object:
    return at.run(Story(at, client_secret="wrong").client.introspect("a token"))


@pytest.mark.parametrize(
    ("story", "error", "status"),
    [
        (_wrong_secret, "invalid_client", 401),
        (_wrong_posted_secret, "invalid_client", 401),
        (_unknown_client, "invalid_client", 401),
        (_reused_code, "invalid_grant", 400),
        (_wrong_verifier, "invalid_grant", 400),
        (_no_verifier, "invalid_request", 400),
        (_another_client_s_code, "invalid_grant", 400),
        (_reused_refresh_token, "invalid_grant", 400),
        (_revoked_refresh_token, "invalid_grant", 400),
        (_another_client_s_refresh_token, "invalid_grant", 400),
        (_wider_scope, "invalid_scope", 400),
        (_unknown_scope, "invalid_scope", 400),
        (_wrong_password, "invalid_request", 400),
        (_no_password, "invalid_request", 400),
        (_grant_not_allowed, "unauthorized_client", 400),
        (_unknown_grant, "unsupported_grant_type", 400),
        (_introspection_with_a_wrong_secret, "invalid_client", 401),
    ],
)
def test_a_refusal(at: Place, story: Callable[[Place], object], error: str, status: int) -> None:
    with pytest.raises(ErrorResponse) as caught:
        story(at)
    refusal = caught.value
    assert (refusal.error, refusal.status, refusal.outcome) == (error, status, Outcome.REFUSED)


def test_a_user_who_says_no(at: Place) -> None:
    story = Story(at)
    pending, callback = story.authorized(parameters={"login_hint": "mallory"})
    with pytest.raises(ErrorResponse) as caught:
        story.client.redeem(pending, callback)
    refusal = caught.value
    assert (refusal.error, refusal.endpoint) == ("access_denied", Endpoint.AUTHORIZATION)


def test_a_refusal_without_the_issuer(at: Place) -> None:
    """What is wrong with the request itself, this server says without the issuer it has promised.

    RFC 9207 section 2.4 leaves no choice then. Who knows the server can say that it breaks its word.
    """
    story = Story(at)
    pending, callback = story.authorized(scope="everything")
    with pytest.raises(RemoteProtocolError, match="issuer_mismatch"):
        story.client.redeem(pending, callback)
    with pytest.raises(ErrorResponse, match="invalid_scope"):
        story.client.redeem(replace(pending, issuer_required=False), callback)


def test_a_token_without_the_scope(at: Place) -> None:
    story = Story(at)
    answer = story.me(authorization_header(story.token(scope="email")))
    assert answer.status == 403
    assert not is_token_rejected(answer.status, answer.header_values("WWW-Authenticate"))


def test_a_server_that_is_not_there(run: Run) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        flow = Server.discover(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(TransportError) as caught:
            run(flow)
    assert caught.value.outcome is Outcome.NOT_SENT
