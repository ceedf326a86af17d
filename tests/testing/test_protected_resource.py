from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.testing import ServerSettings

from .world import FORM, World, basic, error, members

API = "https://as.example.com/api"


def _challenge(response: ResponseReceived) -> str | None:
    return response.header("WWW-Authenticate")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_a_good_token(method: str) -> None:
    world = World()
    token = world.tokens()["access_token"]
    request = RequestToSend(
        endpoint=Endpoint.RESOURCE,
        method=method,
        url=f"{API}/items/1?x=2",
        headers=(("Authorization", f"bearer {token}"),),
        content=b"hello",
    )
    assert members(world.server.handle(request)) == {
        "method": method,
        "path": "/api/items/1",
        "client_id": "app",
        "subject": "alice",
        "scope": "read write",
        "received": 5,
    }


def test_a_token_in_the_query() -> None:
    world = World()
    token = world.tokens()["access_token"]
    assert world.get(f"{API}?access_token={token}").status == 200


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("PUT", 200), ("GET", 401)])
def test_a_token_in_the_body(method: str, status: int) -> None:
    world = World()
    request = RequestToSend(
        endpoint=Endpoint.RESOURCE,
        method=method,
        url=API,
        headers=(FORM,),
        form=(("access_token", world.tokens()["access_token"]),),
    )
    assert world.server.handle(request).status == status


@pytest.mark.parametrize("headers", [(), basic("app", "s3cret"), (("Authorization", ""),)])
def test_no_token(headers: tuple[tuple[str, str], ...]) -> None:
    response = World().get(API, *headers)
    assert (response.status, _challenge(response)) == (401, 'Bearer realm="api"')


def test_two_tokens() -> None:
    world = World()
    token = world.tokens()["access_token"]
    response = world.resource(token, f"/api?access_token={token}")
    assert error(response) == (400, "invalid_request")
    assert _challenge(response) == (
        'Bearer realm="api", error="invalid_request", '
        'error_description="The token is sent in more than one way."'
    )


def test_tokens_that_are_not_taken() -> None:
    world = World()
    tokens, expired = world.tokens(), world.tokens()["access_token"]
    world.server.revoke(tokens["access_token"])
    for token in ("", "unknown", tokens["refresh_token"], tokens["access_token"]):
        assert error(world.resource(token)) == (401, "invalid_token")
    world.clock.advance(3599)
    assert world.works(expired)
    world.clock.advance(1)
    assert _challenge(world.resource(expired)) == (
        'Bearer realm="api", error="invalid_token", '
        'error_description="The access token has expired or was revoked."'
    )


def test_too_small_a_scope() -> None:
    world = World(ServerSettings(resource_scopes={"/api/files": "read write"}))
    token = world.tokens(scope="read")["access_token"]
    response = world.resource(token, "/api/files/1")
    assert error(response) == (403, "insufficient_scope")
    assert _challenge(response) == (
        'Bearer realm="api", error="insufficient_scope", '
        'error_description="The access token is of too small a scope.", scope="read write"'
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api", 200),
        ("/api/read", 200),
        ("/api/write", 403),
        ("/api/write/1", 403),
        ("/api/writer", 200),
        ("/api/write/comments", 200),
        ("/api/write/comments/1", 200),
        ("/api/slash/1", 403),
        ("/apis", 404),
    ],
)
def test_the_longest_path_counts(path: str, status: int) -> None:
    scopes = {"/api/write": "write", "/api/write/comments": "read", "/api/slash/": "write"}
    world = World(ServerSettings(resource_scopes=scopes))
    token = world.tokens(scope="read")["access_token"]
    assert world.resource(token, path).status == status
