from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint, RequestToSend
from oauth2_sansio.testing import ServerSettings

from .world import APP_BASIC, FORM, OTHER_BASIC, World, error, members

TOKEN_URL = "https://as.example.com/token"
GET = f"{TOKEN_URL}?grant_type=client_credentials"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ((), "invalid_request"),
        ((("grant_type", ""),), "invalid_request"),
        ((("grant_type", "telepathy"),), "unsupported_grant_type"),
        ((("grant_type", "password"),), "unauthorized_client"),
        ((("grant_type", "client_credentials"), ("scope", ""), ("scope", "")), "invalid_request"),
    ],
)
def test_the_grant_type(form: tuple[tuple[str, str], ...], expected: str) -> None:
    response = World().post(Endpoint.TOKEN, *form, headers=OTHER_BASIC)
    assert error(response) == (400, expected)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "BREW"])
def test_only_post(method: str) -> None:
    response = World().get(GET, *APP_BASIC, method=method)
    assert error(response) == (405, "invalid_request")
    assert response.header("Allow") == "POST"


def test_get_on_demand() -> None:
    world = World(ServerSettings(allow_get_token_requests=True))
    response = world.get(f"{GET}&scope=read", *APP_BASIC)
    assert members(response)["scope"] == "read"
    assert world.token_request("client_credentials").status == 200


@pytest.mark.parametrize("name", ["client_secret", "code", "password", "refresh_token", "token"])
def test_no_secrets_in_the_url(name: str) -> None:
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=f"{TOKEN_URL}?{name}=x",
        headers=(FORM, *APP_BASIC),
        form=(("grant_type", "client_credentials"),),
    )
    assert error(World().server.handle(request)) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_another_type_of_body(content_type: str) -> None:
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=TOKEN_URL,
        headers=(("Content-Type", content_type), *APP_BASIC),
        form=(("grant_type", "client_credentials"),),
    )
    assert error(World().server.handle(request)) == (400, "invalid_request")


def test_a_query_of_the_endpoint_itself() -> None:
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        url=f"{TOKEN_URL}?tenant=1",
        headers=(FORM, *APP_BASIC),
        form=(("grant_type", "client_credentials"),),
    )
    assert World().server.handle(request).status == 200
