from __future__ import annotations

import pytest

from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import ServerSettings

from .world import World, error, members

METHODS = [
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]
ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
ALGORITHMS += ["ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


def test_the_document() -> None:
    response = World().get("https://as.example.com/.well-known/oauth-authorization-server")
    assert (response.status, response.header("Content-Type")) == (200, "application/json")
    assert members(response) == {
        "issuer": "https://as.example.com",
        "authorization_endpoint": "https://as.example.com/authorize",
        "token_endpoint": "https://as.example.com/token",
        "revocation_endpoint": "https://as.example.com/revoke",
        "introspection_endpoint": "https://as.example.com/introspect",
        "pushed_authorization_request_endpoint": "https://as.example.com/par",
        "device_authorization_endpoint": "https://as.example.com/device_authorization",
        "backchannel_authentication_endpoint": "https://as.example.com/backchannel",
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_authentication_request_signing_alg_values_supported": ALGORITHMS[3:],
        "backchannel_user_code_parameter_supported": True,
        "tls_client_certificate_bound_access_tokens": True,
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": ALGORITHMS[3:],
        "dpop_signing_alg_values_supported": ALGORITHMS[3:],
        "require_signed_request_object": False,
        "scopes_supported": ["read", "write"],
        "response_types_supported": ["code", "token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:openid:params:grant-type:ciba",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "implicit",
        ],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def test_the_document_of_openid_connect() -> None:
    world = World()
    openid = members(world.get("https://as.example.com/.well-known/openid-configuration"))
    oauth = members(world.get("https://as.example.com/.well-known/oauth-authorization-server"))
    assert openid == oauth | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://example.com",
            (
                "https://example.com/.well-known/oauth-authorization-server",
                "https://example.com/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com/",
            (
                "https://example.com/.well-known/oauth-authorization-server",
                "https://example.com/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com/a/b/",
            (
                "https://example.com/.well-known/oauth-authorization-server/a/b",
                "https://example.com/a/b/.well-known/openid-configuration",
            ),
        ),
    ],
)
def test_where_the_documents_are(issuer: str, urls: tuple[str, str]) -> None:
    world = World(issuer=issuer)
    for url in urls:
        document = members(world.get(url))
        assert document["issuer"] == issuer
        assert document["token_endpoint"] == issuer.rstrip("/") + "/token"
        assert world.server.endpoint_at(document["token_endpoint"]) is Endpoint.TOKEN
    assert error(world.get(f"{urls[0]}/x")) == (404, "not_found")


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        (ServerSettings(oauth_metadata=False), (404, 200)),
        (ServerSettings(openid_metadata=False), (200, 404)),
    ],
)
def test_a_document_may_be_missing(settings: ServerSettings, statuses: tuple[int, int]) -> None:
    world = World(settings)
    answers = [
        world.get(f"https://as.example.com/.well-known/{name}").status
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    assert tuple(answers) == statuses


def test_other_members() -> None:
    world = World(ServerSettings(send_issuer=False, metadata={"x": 1, "revocation_endpoint": None}))
    document = members(world.get("https://as.example.com/.well-known/oauth-authorization-server"))
    assert document["x"] == 1
    assert document["authorization_response_iss_parameter_supported"] is False
    assert "revocation_endpoint" not in document


def test_only_get() -> None:
    world = World()
    url = "https://as.example.com/.well-known/oauth-authorization-server"
    answers: list[ResponseReceived] = [world.get(url, method=name) for name in ("HEAD", "POST")]
    assert [answer.status for answer in answers] == [200, 405]
    assert answers[1].header("Allow") == "GET, HEAD"
