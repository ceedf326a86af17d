from __future__ import annotations

from dataclasses import replace

import pytest

from oauth2_sansio.testing import (
    AssertionIssuer,
    ClientAuthMethod,
    RegisteredClient,
    ServerSettings,
    User,
)

NONE = ClientAuthMethod.NONE
BASIC = ClientAuthMethod.CLIENT_SECRET_BASIC
POST = ClientAuthMethod.CLIENT_SECRET_POST
SECRET_JWT = ClientAuthMethod.CLIENT_SECRET_JWT
KEY_JWT = ClientAuthMethod.PRIVATE_KEY_JWT
JWK = {"kty": "oct", "k": "aHVudGVyMg"}  # hunter2


@pytest.mark.parametrize(
    ("client", "methods"),
    [
        (RegisteredClient(client_id="a"), (NONE,)),
        (RegisteredClient(client_id="a", client_secret="b"), (BASIC, POST, SECRET_JWT)),
        (RegisteredClient(client_id="a", keys=(JWK,)), (KEY_JWT,)),
        (
            RegisteredClient(client_id="a", client_secret="b", keys=(JWK,)),
            (BASIC, POST, SECRET_JWT, KEY_JWT),
        ),
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
    for holder in (
        RegisteredClient(client_id="a", keys=(JWK,)),
        AssertionIssuer("a", (JWK,)),
        AssertionIssuer("a", (JWK,)).verification_keys,
    ):
        assert "aHVudGVyMg" not in repr(holder)
        assert "hunter2" not in repr(holder)


def test_settings_are_values() -> None:
    assert ServerSettings() == ServerSettings()
    assert hash(User()) == hash(User(subject="alice"))
    client = RegisteredClient(client_id="a", keys=(JWK,))
    assert client == replace(client)
    assert hash(client) == hash(replace(client))
