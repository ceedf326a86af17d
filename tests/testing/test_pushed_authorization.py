from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from oauth2_sansio import Client, ClientSecretPost, Server, drive
from oauth2_sansio.errors import OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import (
    AuthorizationRefused,
    Clock,
    Misbehaviour,
    ServerSettings,
)

from .world import CALLBACK, CHALLENGE, OTHER_BASIC, World, basic, error, members

REQUEST = (
    ("response_type", "code"),
    ("redirect_uri", CALLBACK),
    ("state", "st-1"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
)
REQUIRED = ServerSettings(require_pushed_authorization_requests=True)


def push(world: World) -> str:
    response = world.post(Endpoint.PUSHED_AUTHORIZATION, *REQUEST)
    assert response.status == 201
    answer = members(response)
    assert answer["expires_in"] == 60
    reference = answer["request_uri"]
    assert isinstance(reference, str)
    return reference


def visit(world: World, *pairs: tuple[str, str]) -> dict[str, list[str]]:
    url = world.server.url(Endpoint.AUTHORIZATION)
    return parse_qs(urlsplit(world.server.visit(f"{url}?{urlencode(pairs)}")).query)


def test_a_reference_counts_once() -> None:
    world = World()
    asked = ("client_id", "app"), ("request_uri", push(world))
    answer = visit(world, *asked)
    assert answer["state"] == ["st-1"]
    assert answer["code"]
    with pytest.raises(AuthorizationRefused, match="unknown, used or too old"):
        visit(world, *asked)


def test_what_the_browser_adds_does_not_count() -> None:
    world = World()
    reference = push(world)
    answer = visit(world, ("client_id", "app"), ("request_uri", reference), ("state", "other"))
    assert answer["state"] == ["st-1"]


def test_a_reference_that_is_too_old() -> None:
    world = World()
    reference = push(world)
    world.clock.advance(60)
    with pytest.raises(AuthorizationRefused, match="unknown, used or too old"):
        visit(world, ("client_id", "app"), ("request_uri", reference))


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (("client_id", "other"), "unknown, used or too old"),
        (("x", "y"), "client_id is missing"),
    ],
    ids=["other", "nobody"],
)
def test_a_reference_of_another_client(who: tuple[str, str], reason: str) -> None:
    world = World()
    with pytest.raises(AuthorizationRefused, match=reason):
        visit(world, who, ("request_uri", push(world)))


def test_what_may_not_be_pushed() -> None:
    world = World()
    endpoint = Endpoint.PUSHED_AUTHORIZATION
    wrong = world.post(endpoint, *REQUEST, headers=basic("app", "wrong"))
    assert error(wrong) == (401, "invalid_client")
    assert error(world.post(endpoint, *REQUEST, headers=OTHER_BASIC)) == (400, "invalid_request")
    nested = world.post(endpoint, *REQUEST, ("request_uri", "urn:x"))
    assert error(nested) == (400, "invalid_request")
    assert error(world.post(endpoint, *REQUEST[1:])) == (400, "invalid_request")


def test_a_server_that_requires_it_shows_an_error_page_otherwise() -> None:
    world = World(REQUIRED)
    with pytest.raises(AuthorizationRefused, match="has to be pushed"):
        visit(world, ("client_id", "app"), *REQUEST)


def client_of(world: World) -> Client:
    server = drive(Server.discover(world.server.issuer), world.server.send, no_sleep, Clock())
    return Client(server=server, client_id="app", auth=ClientSecretPost("s3cret"))


def no_sleep(_seconds: float) -> None:
    raise AssertionError("nothing here waits")


@pytest.mark.parametrize("settings", [ServerSettings(), REQUIRED], ids=["asked", "required"])
def test_the_whole_way(settings: ServerSettings) -> None:
    world = World(settings)
    client, send = client_of(world), world.server.send
    asked = settings is not REQUIRED
    flow = client.authorize(redirect_uri=CALLBACK, scope="read", push=asked)
    pending = drive(flow, send, no_sleep, world.clock)
    assert parse_qs(urlsplit(pending.url).query).keys() == {"client_id", "request_uri"}
    callback = world.server.visit(pending.url)
    token = drive(client.redeem(pending, callback), send, no_sleep, world.clock)
    assert token["scope"] == "read"
    secrets = [value for name, value in world.server.log[1].parameters if name == "client_secret"]
    assert secrets == ["s3cret"]
    assert "s3cret" not in pending.url


@pytest.mark.parametrize(
    "misbehaviour",
    [
        Misbehaviour.PUSHED_WITHOUT_REQUEST_URI,
        Misbehaviour.PUSHED_REQUEST_URI_LIST,
        Misbehaviour.PUSHED_WITHOUT_EXPIRES_IN,
        Misbehaviour.HTML_PAGE_IN_200,
        Misbehaviour.REDIRECT_307,
        Misbehaviour.DEEP_NESTING,
    ],
)
def test_what_the_client_makes_of_misbehaviours(misbehaviour: Misbehaviour) -> None:
    world = World(REQUIRED)
    client = client_of(world)
    world.server.misbehave(misbehaviour, endpoint=Endpoint.PUSHED_AUTHORIZATION)
    with pytest.raises(RemoteProtocolError) as caught:
        drive(client.authorize(redirect_uri=CALLBACK), world.server.send, no_sleep, world.clock)
    assert caught.value.endpoint is Endpoint.PUSHED_AUTHORIZATION
    assert "s3cret" not in str(caught.value)


def test_a_lost_answer() -> None:
    world = World(REQUIRED)
    client = client_of(world)
    world.server.misbehave(Misbehaviour.DROP_ANSWER, endpoint=Endpoint.PUSHED_AUTHORIZATION)
    with pytest.raises(OAuth2Error, match="pushed authorization request endpoint"):
        drive(client.authorize(redirect_uri=CALLBACK), world.server.send, no_sleep, world.clock)
