from __future__ import annotations

import pytest

from oauth2_sansio.testing import ClientAuthMethod, RegisteredClient, ServerSettings, User

NONE = ClientAuthMethod.NONE
BASIC = ClientAuthMethod.CLIENT_SECRET_BASIC
POST = ClientAuthMethod.CLIENT_SECRET_POST


@pytest.mark.parametrize(
    ("client", "methods"),
    [
        (RegisteredClient(client_id="a"), (NONE,)),
        (RegisteredClient(client_id="a", client_secret="b"), (BASIC, POST)),
        (
            RegisteredClient(client_id="a", client_secret="b", token_endpoint_auth_method=POST),
            (POST,),
        ),
        (
            RegisteredClient(client_id="a", client_secret="b", token_endpoint_auth_method=NONE),
            (NONE,),
        ),
    ],
)
def test_the_methods_of_a_client(
    client: RegisteredClient, methods: tuple[ClientAuthMethod, ...]
) -> None:
    assert client.auth_methods == methods


def test_no_secret_is_shown() -> None:
    assert "hunter2" not in repr(RegisteredClient(client_id="a", client_secret="hunter2"))
    assert "hunter2" not in repr(ServerSettings(passwords={"alice": "hunter2"}))


def test_settings_are_values() -> None:
    assert ServerSettings() == ServerSettings()
    assert hash(User()) == hash(User(subject="alice"))
