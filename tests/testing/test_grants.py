from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import RegisteredClient, ServerSettings

from .world import APP, CALLBACK, OTHER_BASIC, VERIFIER, World, error, members

INVALID_GRANT = (400, "invalid_grant")


# The authorization code.


def test_a_code_gives_tokens() -> None:
    world = World()
    response = world.redeem(world.callback()["code"])
    assert (response.status, response.header("Cache-Control")) == (200, "no-store")
    assert members(response) == {
        "access_token": "access-kyip3GbK-OuHBFHrGHlzCkKBt2k6PcuH",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "read write",
        "refresh_token": "refresh-dtPC7v8PfpMgzWn5UkhsRNfLTsmQPi30",
    }


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code": "unknown"}, id="unknown"),
        pytest.param({"redirect_uri": None}, id="redirect_uri is missing"),
        pytest.param({"redirect_uri": f"{CALLBACK}/"}, id="redirect_uri differs"),
        pytest.param({"code_verifier": None}, id="code_verifier is missing"),
        pytest.param({"code_verifier": "w" * 43}, id="code_verifier differs"),
        pytest.param({"code_verifier": "v" * 42}, id="code_verifier is too short"),
        pytest.param({"code_verifier": "v" * 129}, id="code_verifier is too long"),
        pytest.param({"code_verifier": "v" * 42 + "é"}, id="code_verifier is not ASCII"),
    ],
)
def test_a_code_and_what_belongs_to_it(changes: dict[str, str | None]) -> None:
    world = World()
    code = world.callback()["code"]
    assert error(world.redeem(code, **changes)) == INVALID_GRANT
    assert world.redeem(code).status == 200


def test_the_second_use_of_a_code_revokes_the_tokens_of_the_first() -> None:
    world = World()
    code = world.callback()["code"]
    tokens = members(world.redeem(code))
    assert world.works(tokens["access_token"])
    assert error(world.redeem(code)) == INVALID_GRANT
    assert not world.works(tokens["access_token"])
    assert error(world.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_a_code_expires() -> None:
    world = World(ServerSettings(code_lifetime=60))
    code, late = world.callback()["code"], world.callback()["code"]
    world.clock.advance(59)
    assert world.redeem(code).status == 200
    world.clock.advance(1)
    assert error(world.redeem(late)) == INVALID_GRANT


def test_a_code_of_another_client() -> None:
    world = World()
    response = world.post(
        Endpoint.TOKEN,
        ("grant_type", "authorization_code"),
        ("code", world.callback()["code"]),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        headers=OTHER_BASIC,
    )
    assert error(response) == INVALID_GRANT


@pytest.mark.parametrize(
    ("redirect_uri", "status"), [(None, 200), (CALLBACK, 200), (f"{CALLBACK}/", 400)]
)
def test_the_redirect_uri_was_left_out_before(redirect_uri: str | None, status: int) -> None:
    world = World()
    code = world.callback(redirect_uri=None)["code"]
    assert world.redeem(code, redirect_uri=redirect_uri).status == status


def test_a_verifier_without_a_challenge() -> None:
    world = World(ServerSettings(require_pkce=False))
    code = world.callback(code_challenge=None)["code"]
    assert error(world.redeem(code)) == INVALID_GRANT
    assert world.redeem(code, code_verifier=None).status == 200


def test_no_refresh_token_for_a_client_that_may_not_use_it() -> None:
    world = World()
    world.server.register(
        RegisteredClient(
            client_id="app",
            client_secret="s3cret",
            redirect_uris=(CALLBACK,),
            grant_types=("authorization_code",),
        )
    )
    assert "refresh_token" not in world.tokens()


# Resources and audiences.


def test_resources_and_audiences_are_recorded() -> None:
    world = World()
    asked = (("resource", "https://a"), ("resource", "https://b"), ("audience", "x"))
    code = world.callback(*asked)["code"]
    narrowed = world.redeem(code, ("resource", "https://b"), ("audience", "y"), ("audience", "z"))
    first = world.server.token(members(narrowed)["access_token"])
    assert first is not None
    assert (first.resources, first.audiences) == (("https://b",), ("y", "z"))
    assert (first.family.resources, first.family.audiences) == (("https://a", "https://b"), ("x",))
    renewed = world.refresh(members(narrowed)["refresh_token"])
    second = world.server.token(members(renewed)["access_token"])
    assert second is not None
    assert (second.resources, second.audiences) == (("https://a", "https://b"), ("x",))


def test_a_resource_that_was_not_granted() -> None:
    world = World()
    code = world.callback(("resource", "https://a"))["code"]
    assert error(world.redeem(code, ("resource", "https://b"))) == (400, "invalid_target")
    tokens = members(world.redeem(code))
    refused = world.refresh(tokens["refresh_token"], resource="https://b")
    assert error(refused) == (400, "invalid_target")
    assert world.refresh(tokens["refresh_token"], resource="https://a").status == 200


def test_a_resource_for_the_first_time_at_the_token_endpoint() -> None:
    world = World()
    response = world.token_request("client_credentials", resource="https://a", audience="x")
    token = world.server.token(members(response)["access_token"])
    assert token is not None
    assert (token.resources, token.audiences) == (("https://a",), ("x",))


# The refresh token.


def test_rotation() -> None:
    world = World()
    first = world.tokens()
    second = members(world.refresh(first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    third = members(world.refresh(second["refresh_token"]))
    assert [world.works(each["access_token"]) for each in (first, second, third)] == [True] * 3


def test_reuse_revokes_the_family() -> None:
    world = World()
    first, bystander = world.tokens(), world.tokens()
    second = members(world.refresh(first["refresh_token"]))
    assert error(world.refresh(first["refresh_token"])) == INVALID_GRANT
    assert error(world.refresh(second["refresh_token"])) == INVALID_GRANT
    assert not world.works(first["access_token"])
    assert not world.works(second["access_token"])
    assert world.works(bystander["access_token"])


def test_grace() -> None:
    world = World(ServerSettings(rotation_grace=10))
    first = world.tokens()
    second = members(world.refresh(first["refresh_token"]))
    world.clock.advance(9)
    again = members(world.refresh(first["refresh_token"]))
    assert again["refresh_token"] not in (first["refresh_token"], second["refresh_token"])
    world.clock.advance(1)
    assert error(world.refresh(first["refresh_token"])) == INVALID_GRANT
    assert error(world.refresh(again["refresh_token"])) == INVALID_GRANT


def test_grace_ends_with_the_family() -> None:
    world = World(ServerSettings(rotation_grace=10))
    first = world.tokens()
    world.refresh(first["refresh_token"])
    world.server.revoke(first["access_token"])
    assert error(world.refresh(first["refresh_token"])) == INVALID_GRANT


def test_no_rotation() -> None:
    world = World(ServerSettings(rotate_refresh_tokens=False))
    tokens = world.tokens()
    for _ in range(2):
        assert "refresh_token" not in members(world.refresh(tokens["refresh_token"]))


def test_a_refresh_token_expires() -> None:
    world = World(ServerSettings(refresh_token_lifetime=100))
    tokens = world.tokens()
    world.clock.advance(100)
    assert error(world.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_what_is_no_refresh_token_of_this_client() -> None:
    world = World()
    tokens = world.tokens()
    assert error(world.refresh("unknown")) == INVALID_GRANT
    assert error(world.refresh(tokens["access_token"])) == INVALID_GRANT
    stolen = world.post(
        Endpoint.TOKEN,
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"]),
        headers=OTHER_BASIC,
    )
    assert error(stolen) == INVALID_GRANT
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_a_smaller_scope_for_once() -> None:
    world = World()
    tokens = world.tokens()
    assert error(world.refresh(tokens["refresh_token"], scope="admin")) == (400, "invalid_scope")
    narrow = members(world.refresh(tokens["refresh_token"], scope="read"))
    assert narrow["scope"] == "read"
    assert members(world.refresh(narrow["refresh_token"]))["scope"] == "read write"


# The client's own token, and the password.


def test_a_client_acts_for_itself() -> None:
    world = World()
    answer = members(world.token_request("client_credentials", scope="write"))
    token = world.server.token(answer.pop("access_token"))
    assert answer == {"token_type": "Bearer", "expires_in": 3600, "scope": "write"}
    assert token is not None
    assert (token.family.subject, token.expires_at) == (None, world.clock() + 3600)


def test_a_public_client_cannot_act_for_itself() -> None:
    world = World()
    response = world.post(
        Endpoint.TOKEN,
        ("grant_type", "client_credentials"),
        ("client_id", "phone"),
        headers=(),
    )
    assert error(response) == (400, "unauthorized_client")


def test_too_much_scope() -> None:
    response = World().token_request("client_credentials", scope="admin")
    assert error(response) == (400, "invalid_scope")


def test_a_password() -> None:
    world = World(ServerSettings(passwords={"alice": "pässword"}))
    answer = members(world.token_request("password", username="alice", password="pässword"))
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    token = world.server.token(answer["access_token"])
    assert token is not None
    assert (token.family.subject, token.scope) == ("alice", APP.scope)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"username": "alice", "password": "wrong"}, INVALID_GRANT),
        ({"username": "bob", "password": "pässword"}, INVALID_GRANT),
        ({"username": "alice"}, (400, "invalid_request")),
        ({"password": "pässword"}, (400, "invalid_request")),
        (
            {"username": "alice", "password": "pässword", "scope": "admin"},
            (400, "invalid_scope"),
        ),
    ],
)
def test_a_wrong_password(form: dict[str, str], expected: tuple[int, str]) -> None:
    world = World(ServerSettings(passwords={"alice": "pässword"}))
    assert error(world.token_request("password", **form)) == expected
