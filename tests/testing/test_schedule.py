"""When a misbehaviour happens, and how often."""

from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationRefused, Misbehaviour

from .world import World

M = Misbehaviour
REVOKE = (Endpoint.REVOCATION, ("token", "unknown"))
METADATA_URL = "https://as.example.com/.well-known/oauth-authorization-server"


def _statuses(world: World, count: int) -> list[int]:
    return [world.post(*REVOKE).status for _ in range(count)]


def test_always_until_switched_off() -> None:
    world = World()
    switch = world.server.misbehave(M.HTML_ERROR)
    assert repr(switch) == "<Switch HTML_ERROR, always>"
    assert _statuses(world, 3) == [502, 502, 502]
    switch.off()
    assert _statuses(world, 1) == [200]
    assert switch.used == 3


def test_so_many_times() -> None:
    world = World()
    switch = world.server.misbehave(M.HTML_ERROR, times=2)
    assert repr(switch) == "<Switch HTML_ERROR, 2 times>"
    assert _statuses(world, 3) == [502, 502, 200]
    assert not switch.is_on


def test_within_a_block() -> None:
    world = World()
    with world.server.misbehave(M.HTML_ERROR) as switch:
        assert _statuses(world, 1) == [502]
    assert not switch.is_on
    assert _statuses(world, 1) == [200]


def test_all_switched_off() -> None:
    world = World()
    switches = [world.server.misbehave(each) for each in (M.HTML_ERROR, M.DROP_REQUEST)]
    world.server.behave()
    assert _statuses(world, 1) == [200]
    assert [switch.is_on for switch in switches] == [False, False]


def test_one_answer_at_a_time() -> None:
    world = World()
    world.server.misbehave(M.HTML_ERROR, times=1)
    world.server.misbehave(M.FORBIDDEN_403_EMPTY, times=1)
    assert _statuses(world, 3) == [502, 403, 200]


def test_several_changes_of_one_answer() -> None:
    world = World()
    world.server.misbehave(M.EXPIRES_IN_STRING)
    world.server.misbehave(M.TOKEN_IN_201)
    response = world.token_request("client_credentials")
    assert response.status == 201
    assert b'"expires_in": "3600"' in response.body


def test_an_answer_instead_comes_before_changes() -> None:
    world = World()
    change = world.server.misbehave(M.EMPTY_BODY, times=1)
    world.server.misbehave(M.HTML_ERROR, times=1)
    assert b"Bad Gateway" in world.post(*REVOKE).body
    assert change.used == 0


def test_what_names_no_endpoint_happens_at_the_next_request_but_not_in_the_browser() -> None:
    world = World()
    world.server.misbehave(M.HTML_ERROR, times=1)
    assert "code" in world.callback()
    assert world.get(METADATA_URL).status == 502


def test_at_a_certain_endpoint() -> None:
    world = World()
    world.server.misbehave(M.HTML_ERROR, times=1, endpoint=Endpoint.REVOCATION)
    assert world.get(METADATA_URL).status == 200
    assert _statuses(world, 2) == [502, 200]


@pytest.mark.parametrize(
    ("misbehaviour", "endpoint"),
    [
        (M.EMPTY_BODY, Endpoint.AUTHORIZATION),
        (M.EXPIRES_IN_STRING, Endpoint.AUTHORIZATION),
        (M.ISSUER_MIXUP, Endpoint.TOKEN),
    ],
)
def test_where_it_cannot_happen(misbehaviour: Misbehaviour, endpoint: Endpoint) -> None:
    with pytest.raises(ValueError, match=f"{misbehaviour.name} cannot happen at the {endpoint}"):
        World().server.misbehave(misbehaviour, endpoint=endpoint)


def test_an_error_page_in_the_browser() -> None:
    world = World()
    world.server.misbehave(M.HTML_ERROR, endpoint=Endpoint.AUTHORIZATION)
    with pytest.raises(AuthorizationRefused, match="status 502: Bad Gateway"):
        world.callback()


def test_the_browser_s_endpoint_may_be_named_for_a_callback() -> None:
    world = World()
    world.server.misbehave(M.CALLBACK_WITHOUT_CODE, endpoint=Endpoint.AUTHORIZATION)
    assert "code" not in world.callback()
