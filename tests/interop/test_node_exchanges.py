"""One token for another, and a user's identity from one server to another, at node-oidc-provider.

The library has neither grant by itself: what it does for them here is in `exchanges.mjs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    ErrorResponse,
    LocalProtocolError,
    OAuth2Token,
    Server,
    TokenType,
    exchange_token,
    redeem_jwt_grant,
    request_jwt_grant,
)
from oauth2_sansio.assertions import JWT_BEARER
from oauth2_sansio.token_exchange import TOKEN_EXCHANGE

from . import over_urllib
from .node_provider import Browser, serving

if TYPE_CHECKING:
    from .drivers import Run
    from .sessions import Kind

CALLBACK = "https://app.example/callback"
SECRET = "a secret of a length that will do"
API, OTHER = "urn:api", "urn:other"


@dataclass(frozen=True)
class Place:
    """Two servers: one knows the user, and the other trusts it. Both know the client."""

    identity: Client
    resource: Client
    token: OAuth2Token  # of the user, at the first; nothing here uses it up


@pytest.fixture(scope="module")
def at() -> Iterator[Place]:
    knows = {
        "client_id": "app",
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "client_credentials", TOKEN_EXCHANGE],
    }
    guards = {
        "client_secret": SECRET,
        "redirect_uris": [],
        "response_types": [],
        "grant_types": [JWT_BEARER],
    }
    others = [{**guards, "client_id": "app"}, {**guards, "client_id": "another"}]
    with serving([knows]) as identity, serving(others, trusted=identity) as resource:
        first = client_at(identity)
        yield Place(first, client_at(resource), sign_in(first))


def client_at(issuer: str, client_id: str = "app") -> Client:
    server = over_urllib.run(Server.discover(issuer))
    return Client(server=server, client_id=client_id, auth=ClientSecretBasic(SECRET))


def sign_in(client: Client) -> OAuth2Token:
    pending = over_urllib.run(
        client.authorize(redirect_uri=CALLBACK, scope="openid read write", resource=[API])
    )
    callback = Browser(CALLBACK).visit(pending.url)
    return over_urllib.run(client.redeem(pending, callback, resource=[API]))


def test_a_narrower_token_elsewhere(at: Place, run: Run) -> None:
    issued = run(
        exchange_token(at.identity, at.token["access_token"], scope="read", resource=[OTHER])
    )
    assert issued["issued_token_type"] == TokenType.ACCESS_TOKEN.value
    found = run(at.identity.introspect(issued))
    assert (found["sub"], found["scope"], found["aud"]) == ("alice", "read", OTHER)
    assert "act" not in found
    assert run(at.identity.introspect(at.token)).active  # it is not used up


def test_who_acts(at: Place, run: Run) -> None:
    own = run(at.identity.client_credentials())
    issued = run(
        exchange_token(
            at.identity,
            at.token["access_token"],
            actor_token=own["access_token"],
            actor_token_type=TokenType.ACCESS_TOKEN,
            requested_token_type=TokenType.ACCESS_TOKEN,
            audience=[OTHER],
        )
    )
    found = run(at.identity.introspect(issued))
    assert (found["sub"], found["act"]) == ("alice", {"sub": "app"})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"subject_token": "unknown"}, "invalid_request"),
    ({"subject_token_type": TokenType.SAML2}, "invalid_request"),
    ({"actor_token": "unknown", "actor_token_type": TokenType.ACCESS_TOKEN}, "invalid_request"),
    ({"requested_token_type": TokenType.SAML2}, "invalid_request"),
    ({"resource": ["urn:nobody"]}, "invalid_target"),
    ({"resource": [API], "audience": [OTHER]}, "invalid_target"),
    ({"scope": "read everything"}, "invalid_scope"),
]


def test_what_is_refused(at: Place, run: Run) -> None:
    for asked, code in REFUSED:
        given = {"subject_token": at.token["access_token"], **asked}
        with pytest.raises(ErrorResponse) as got:
            run(exchange_token(at.identity, **given))
        assert (got.value.error, got.value.status) == (code, 400)


@pytest.mark.parametrize(
    ("subject", "subject_type", "requested"),
    [
        pytest.param("id_token", TokenType.ID_TOKEN, TokenType.ID_JAG, id="id-jag"),
        pytest.param("access_token", TokenType.ACCESS_TOKEN, TokenType.JWT, id="chaining"),
    ],
)
def test_an_identity_is_carried_on(
    at: Place, run: Run, subject: str, subject_type: TokenType, requested: TokenType
) -> None:
    assert at.resource.server.issuer is not None
    grant = run(
        request_jwt_grant(
            at.identity,
            at.token[subject],
            subject_type,
            audience=at.resource.server.issuer,
            requested_token_type=requested,
            scope="read",
        )
    )
    assert (grant["issued_token_type"], grant["token_type"]) == (requested.value, "N_A")
    for _ in range(2):  # it counts until it expires
        token = run(redeem_jwt_grant(at.resource, grant, scope="read"))
        found = run(at.resource.introspect(token))
        assert (found["sub"], found["scope"]) == ("alice", "read")


def test_a_grant_for_somebody_else(at: Place, run: Run) -> None:
    issuer = at.resource.server.issuer
    assert issuer is not None

    def grant_for(audience: str) -> OAuth2Token:
        return run(request_jwt_grant(at.identity, at.token["id_token"], audience=audience))

    for client, grant in (
        (at.resource, grant_for("https://chat.example")),
        (client_at(issuer, "another"), grant_for(issuer)),
    ):
        with pytest.raises(ErrorResponse, match="invalid_grant"):
            run(redeem_jwt_grant(client, grant))
    with pytest.raises(ErrorResponse, match="invalid_target"):
        grant_for("no issuer")
    with pytest.raises(LocalProtocolError, match="no JWT grant"):
        redeem_jwt_grant(at.resource, at.token)


def test_the_drop_in_classes_run_it(at: Place, kind: Kind) -> None:
    assert at.resource.server.issuer is not None
    with kind.session() as session:
        narrower = session.run(exchange_token(at.identity, at.token["access_token"], scope="read"))
        assert narrower["scope"] == "read"
        grant = session.run(
            request_jwt_grant(at.identity, at.token["id_token"], audience=at.resource.server.issuer)
        )
        token = session.run(redeem_jwt_grant(at.resource, grant))
        assert session.run(at.resource.introspect(token))["sub"] == "alice"
