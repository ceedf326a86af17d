from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import ServerSettings

from .world import OTHER_BASIC, VERIFIER, World, basic, error, members

INACTIVE = {"active": False}


def _revoke(world: World, token: str, *more: tuple[str, str]) -> int:
    response = world.post(Endpoint.REVOCATION, ("token", token), *more)
    assert response.body == b""
    return response.status


def _introspect(world: World, token: str) -> dict[str, object]:
    return members(world.post(Endpoint.INTROSPECTION, ("token", token)))


def test_revoking_a_refresh_token_ends_the_family() -> None:
    world = World()
    first = world.tokens()
    second = members(world.refresh(first["refresh_token"]))
    assert _revoke(world, second["refresh_token"], ("token_type_hint", "refresh_token")) == 200
    assert not world.works(first["access_token"])
    assert not world.works(second["access_token"])
    assert error(world.refresh(second["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize(("whole", "status"), [(False, 200), (True, 400)])
def test_revoking_an_access_token(whole: bool, status: int) -> None:
    world = World(ServerSettings(revoke_family_with_access_token=whole))
    tokens = world.tokens()
    assert _revoke(world, tokens["access_token"], ("token_type_hint", "strange")) == 200
    assert not world.works(tokens["access_token"])
    assert world.refresh(tokens["refresh_token"]).status == status


def test_revoking_what_is_unknown_or_revoked() -> None:
    world = World()
    token = world.tokens()["access_token"]
    assert [_revoke(world, each) for each in ("unknown", token, token)] == [200] * 3


def test_revoking_the_token_of_another_client() -> None:
    world = World()
    token = world.tokens()["refresh_token"]
    response = world.post(Endpoint.REVOCATION, ("token", token), headers=OTHER_BASIC)
    assert error(response) == (400, "invalid_grant")
    assert world.server.is_active(token)


@pytest.mark.parametrize("endpoint", [Endpoint.REVOCATION, Endpoint.INTROSPECTION])
def test_who_may_ask(endpoint: Endpoint) -> None:
    world = World()
    token = world.tokens()["access_token"]
    refused = world.post(endpoint, ("token", token), headers=basic("app", "wrong"))
    assert error(refused) == (401, "invalid_client")
    assert error(world.post(endpoint)) == (400, "invalid_request")
    assert error(world.get(world.server.url(endpoint))) == (405, "invalid_request")
    assert world.works(token)


def test_what_an_access_token_is_worth() -> None:
    world = World()
    assert _introspect(world, world.tokens(scope="read")["access_token"]) == {
        "active": True,
        "iss": "https://as.example.com",
        "client_id": "app",
        "scope": "read",
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
        "token_type": "Bearer",
        "sub": "alice",
        "username": "alice",
        "auth_time": 1_700_000_000,
    }


def test_what_a_refresh_token_is_worth() -> None:
    world = World(ServerSettings(refresh_token_lifetime=50))
    described = _introspect(world, world.tokens()["refresh_token"])
    assert "token_type" not in described
    assert (described["active"], described["exp"]) == (True, 1_700_000_050)


def test_the_token_of_a_client_for_certain_resources() -> None:
    world = World()
    response = world.post(
        Endpoint.TOKEN,
        ("grant_type", "client_credentials"),
        ("resource", "https://a"),
        ("resource", "https://b"),
        ("audience", "c"),
    )
    described = _introspect(world, members(response)["access_token"])
    assert described["aud"] == ["https://a", "https://b", "c"]
    assert "sub" not in described


def test_what_is_worth_nothing() -> None:
    world = World()
    expired, revoked = world.tokens()["access_token"], world.tokens()
    world.clock.advance(3600)
    used = world.tokens()["refresh_token"]
    world.refresh(used)
    _revoke(world, revoked["refresh_token"])
    for token in ("unknown", expired, revoked["refresh_token"], used):
        assert _introspect(world, token) == INACTIVE


def test_another_client_that_can_prove_who_it_is_may_look() -> None:
    world = World()
    token = world.tokens()["access_token"]
    response = world.post(Endpoint.INTROSPECTION, ("token", token), headers=OTHER_BASIC)
    assert members(response)["client_id"] == "app"


def test_a_public_client_learns_of_its_own_tokens_alone() -> None:
    world = World()
    uri = "http://127.0.0.1:5000/cb"
    code = world.callback(client_id="phone", redirect_uri=uri)["code"]
    phone = ("client_id", "phone")
    response = world.post(
        Endpoint.TOKEN,
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", uri),
        ("code_verifier", VERIFIER),
        phone,
        headers=(),
    )
    own, foreign = members(response)["access_token"], world.tokens()["access_token"]
    for token, active in ((own, True), (foreign, False)):
        answer = world.post(Endpoint.INTROSPECTION, ("token", token), phone, headers=())
        assert members(answer)["active"] is active
