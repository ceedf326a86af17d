"""Assertions over each driver, verified by Authlib's server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from oauth2_sansio import (
    ClientSecretJWT,
    ErrorResponse,
    PrivateKeyJWT,
    authorization_header,
)
from oauth2_sansio.assertions import JWTAssertion, assert_jwt
from oauth2_sansio.client_assertion import AssertionAudience

from .test_strict import SIGNERS, Place, Story, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from .authlib_server import RegisteredClient

__all__ = ["at"]  # a fixture

ANOTHER_KEY = ECKey.generate_key("P-256")


def assertion(registered: RegisteredClient, **changes: Any) -> JWTAssertion:
    """Return what a client says of the user."""
    settings: dict[str, Any] = {
        "key": registered.key,
        "alg": "HS256" if registered.method == "client_secret_jwt" else None,
        "issuer": registered.client_id,
        "subject": "alice",
        **changes,
    }
    return JWTAssertion(**settings)


@pytest.mark.parametrize("name", SIGNERS)
@pytest.mark.parametrize("audience", AssertionAudience)
def test_a_token_for_an_assertion(at: Place, name: str, audience: AssertionAudience) -> None:
    story = Story(at, name)
    said = assertion(story.registered, audience=audience)
    token = at.run(assert_jwt(story.client, said, scope="profile"))
    assert (token.scope, token.refresh_token) == ("profile", None)
    answer = story.me(authorization_header(token))
    assert (answer.status, json.loads(answer.body)["name"]) == (200, "alice")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "mallory"},
        {"issuer": "nobody"},
        {"key": ANOTHER_KEY},
        {"audience": "https://elsewhere.example"},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"nbf": 4_000_000_000}},
    ],
)
def test_an_assertion_that_is_refused(at: Place, changes: dict[str, Any]) -> None:
    story = Story(at, "KEY_SIGNER")
    with pytest.raises(ErrorResponse) as caught:
        at.run(assert_jwt(story.client, assertion(story.registered, **changes)))
    assert (caught.value.error, caught.value.status) == ("invalid_grant", 400)


@pytest.mark.parametrize("audience", AssertionAudience)
@pytest.mark.parametrize("name", SIGNERS)
def test_a_client_s_audience(at: Place, name: str, audience: AssertionAudience) -> None:
    story = Story(at, name, auth=_auth(name, audience=audience))
    token = at.run(story.client.client_credentials(scope="profile"))
    assert at.run(story.client.introspect(token))["sub"] == story.registered.client_id


def _auth(name: str, **changes: Any) -> ClientSecretJWT | PrivateKeyJWT:
    from . import authlib_server

    registered: RegisteredClient = getattr(authlib_server, name)
    if registered.method == "client_secret_jwt":
        return ClientSecretJWT(**{"client_secret": registered.client_secret, **changes})
    return PrivateKeyJWT(**{"private_key": registered.key, **changes})


def _wrong_secret() -> ClientSecretJWT | PrivateKeyJWT:
    return _auth("SECRET_SIGNER", client_secret="wrong" * 8)


def _wrong_key() -> ClientSecretJWT | PrivateKeyJWT:
    return _auth("KEY_SIGNER", private_key=ANOTHER_KEY)


def _expired() -> ClientSecretJWT | PrivateKeyJWT:
    return _auth("KEY_SIGNER", claims={"exp": 1_000_000_000})


def _for_somebody_else() -> ClientSecretJWT | PrivateKeyJWT:
    return _auth("KEY_SIGNER", audience="https://elsewhere.example")


def _of_somebody_else() -> ClientSecretJWT | PrivateKeyJWT:
    return _auth("KEY_SIGNER", claims={"sub": "poster"})


@pytest.mark.parametrize(
    ("name", "auth"),
    [
        ("SECRET_SIGNER", _wrong_secret),
        ("KEY_SIGNER", _wrong_key),
        ("KEY_SIGNER", _expired),
        ("KEY_SIGNER", _for_somebody_else),
        ("KEY_SIGNER", _of_somebody_else),
    ],
)
def test_a_client_that_is_refused(
    at: Place, name: str, auth: Callable[[], ClientSecretJWT | PrivateKeyJWT]
) -> None:
    story = Story(at, name, auth=auth())
    with pytest.raises(ErrorResponse) as caught:
        at.run(story.client.client_credentials())
    assert (caught.value.error, caught.value.status) == ("invalid_client", 400)


def test_a_jti_counts_once(at: Place, request: pytest.FixtureRequest) -> None:
    jti = request.node.name  # another one for each driver, since they share the server
    story = Story(at, "KEY_SIGNER", auth=_auth("KEY_SIGNER", claims={"jti": jti}))
    at.run(story.client.client_credentials())
    with pytest.raises(ErrorResponse, match="used before"):
        at.run(story.client.client_credentials())
