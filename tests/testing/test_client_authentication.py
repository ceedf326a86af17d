from __future__ import annotations

from base64 import b64encode

import pytest

from oauth2_sansio.events import Endpoint, Pairs
from oauth2_sansio.testing import ClientAuthMethod, RegisteredClient, ServerSettings

from .world import APP_BASIC, World, basic, error, members

CHALLENGE = 'Basic realm="oauth", charset="UTF-8"'

STRANGE = RegisteredClient(
    client_id="1PpG/Q 1",
    client_secret="z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
    grant_types=("client_credentials",),
)
COLON = RegisteredClient(
    client_id="client:one", client_secret="p@ss word/ü", grant_types=("client_credentials",)
)


def _ask(world: World, headers: Pairs, *form: tuple[str, str]) -> tuple[int, str | None]:
    response = world.post(
        Endpoint.TOKEN, ("grant_type", "client_credentials"), *form, headers=headers
    )
    if response.status == 401:
        assert response.header("WWW-Authenticate") == CHALLENGE
    return response.status, members(response).get("error")


GOOD = (200, None)
UNKNOWN = (401, "invalid_client")
MALFORMED = (400, "invalid_request")


@pytest.mark.parametrize(
    ("headers", "form", "expected"),
    [
        pytest.param(APP_BASIC, {}, GOOD, id="Basic"),
        pytest.param((("authorization", "basic YXBwOnMzY3JldA=="),), {}, GOOD, id="lower case"),
        pytest.param(APP_BASIC, {"client_id": "app"}, GOOD, id="Basic, and the name again"),
        pytest.param((), {"client_id": "app", "client_secret": "s3cret"}, GOOD, id="body"),
        pytest.param((), {}, UNKNOWN, id="nobody"),
        pytest.param((), {"client_id": "app"}, UNKNOWN, id="a secret is missing"),
        pytest.param((), {"client_id": "nobody"}, UNKNOWN, id="an unknown client"),
        pytest.param((), {"client_id": "app", "client_secret": "x"}, UNKNOWN, id="wrong, in body"),
        pytest.param(basic("app", "x"), {}, UNKNOWN, id="wrong, in header"),
        pytest.param(basic("nobody", "s3cret"), {}, UNKNOWN, id="unknown, in header"),
        pytest.param(basic("phone", ""), {}, UNKNOWN, id="a public client with Basic"),
        pytest.param((), {"client_secret": "s3cret"}, MALFORMED, id="a secret without a name"),
        pytest.param(
            APP_BASIC, {"client_id": "app", "client_secret": "s3cret"}, MALFORMED, id="both"
        ),
        pytest.param(APP_BASIC, {"client_id": "other"}, MALFORMED, id="two names"),
        pytest.param((("Authorization", "Bearer YXBw"),), {}, UNKNOWN, id="another scheme"),
        pytest.param((("Authorization", "Basic"),), {}, UNKNOWN, id="nothing behind Basic"),
        pytest.param((("Authorization", "Basic !"),), {}, UNKNOWN, id="not base64"),
        pytest.param((("Authorization", "Basic /w=="),), {}, UNKNOWN, id="not UTF-8"),
        pytest.param((("Authorization", "Basic YXBw"),), {}, UNKNOWN, id="no colon"),
        pytest.param((("Authorization", "Basic é"),), {}, UNKNOWN, id="not ASCII"),
        pytest.param(basic("app", "%ff"), {}, UNKNOWN, id="not UTF-8 when decoded"),
    ],
)
def test_who_is_it(headers: Pairs, form: dict[str, str], expected: tuple[int, str | None]) -> None:
    assert _ask(World(), headers, *form.items()) == expected


@pytest.mark.parametrize(
    "credentials",
    [
        # The first of each pair writes a space as %20, the second as +.
        "MVBwRyUyRlElMjAxOnolMkZ0WjlWd0ZacUFwbUlRJTJCWkgxSTVwTGslMkZ1QjR1ZCUzQVgyJTJGOGJMJTJCd2ZGVHQxckZ3JTNE",
        "MVBwRyUyRlErMTp6JTJGdFo5VndGWnFBcG1JUSUyQlpIMUk1cExrJTJGdUI0dWQlM0FYMiUyRjhiTCUyQndmRlR0MXJGdyUzRA==",
        "Y2xpZW50JTNBb25lOnAlNDBzcyUyMHdvcmQlMkYlQzMlQkM=",
        "Y2xpZW50JTNBb25lOnAlNDBzcyt3b3JkJTJGJUMzJUJD",
    ],
)
def test_basic_credentials_are_form_encoded(credentials: str) -> None:
    world = World()
    world.server.register(STRANGE)
    world.server.register(COLON)
    assert _ask(world, (("Authorization", f"Basic {credentials}"),)) == GOOD


def test_raw_basic_credentials_on_demand() -> None:
    world = World(ServerSettings(raw_basic_credentials=True))
    world.server.register(STRANGE)
    raw = f"{STRANGE.client_id}:{STRANGE.client_secret}".encode()
    header = ("Authorization", f"Basic {b64encode(raw).decode()}")
    assert _ask(world, (header,)) == GOOD
    world.server.settings = ServerSettings()
    assert _ask(world, (header,)) == UNKNOWN


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (ClientAuthMethod.CLIENT_SECRET_BASIC, (GOOD, UNKNOWN)),
        (ClientAuthMethod.CLIENT_SECRET_POST, (UNKNOWN, GOOD)),
        (ClientAuthMethod.NONE, (UNKNOWN, UNKNOWN)),
        (None, (GOOD, GOOD)),
    ],
)
def test_only_the_registered_method_counts(
    method: ClientAuthMethod | None, expected: tuple[object, object]
) -> None:
    world = World()
    world.server.register(
        RegisteredClient(
            client_id="app",
            client_secret="s3cret",
            token_endpoint_auth_method=method,
            grant_types=("client_credentials",),
        )
    )
    posted = _ask(world, (), ("client_id", "app"), ("client_secret", "s3cret"))
    assert (_ask(world, APP_BASIC), posted) == expected


def test_a_public_client_says_its_name() -> None:
    response = World().post(
        Endpoint.TOKEN,
        ("grant_type", "authorization_code"),
        ("client_id", "phone"),
        ("code", "unknown"),
        headers=(),
    )
    assert error(response) == (400, "invalid_grant")
