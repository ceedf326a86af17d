"""Mutual TLS at node-oidc-provider, through each class of the drop-in vocabulary."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from oauth2_sansio import (
    AssertionAudience,
    Client,
    OAuth2Error,
    PrivateKeyJWT,
    SelfSignedTLSClientAuth,
    Server,
    TLSClientAuth,
    certificate_thumbprint,
)

from .certificates import Certificate, Certificates
from .node_provider import Browser, serving

if TYPE_CHECKING:
    from .sessions import Kind

CALLBACK = "https://app.example/callback"


def public_jwk(certificate: Certificate) -> dict[str, Any]:
    """Return the JWK of a certificate, with that in it (RFC 7517 section 4.7)."""
    der = ssl.PEM_cert_to_DER_cert(certificate.pem[certificate.pem.index("-----BEGIN CERT") :])
    key = ECKey.import_key(certificate.pem.partition("-----BEGIN CERT")[0])
    return {**key.as_dict(private=False), "x5c": [b64encode(der).decode()]}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="module")
def key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256", {"kid": "k-1"}).as_dict(private=True))


@pytest.fixture(scope="module")
def issuer(certificates: Certificates, key: dict[str, Any]) -> Iterator[str]:
    code = {
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "tls_client_certificate_bound_access_tokens": True,
    }
    public = {name: value for name, value in key.items() if name != "d"}
    clients = [
        {
            **code,
            "client_id": "bank",
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_san_dns": "bank.example",
        },
        {
            **code,
            "client_id": "itself",
            "token_endpoint_auth_method": "self_signed_tls_client_auth",
            "jwks": {"keys": [public_jwk(certificates.self_signed)]},
        },
        {
            **code,
            "client_id": "signs",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [public]},
        },
    ]
    files = {
        "server": str(certificates.server.file),
        "authority": str(certificates.authority),
    }
    with serving(clients, files) as found:
        yield found


@contextmanager
def session_at(
    issuer: str, certificates: Certificates, kind: Kind, certificate: Certificate, **settings: Any
) -> Iterator[Any]:
    with certificates.session(kind, None) as anybody:
        server = anybody.run(Server.discover(issuer))
    assert server.tls_client_certificate_bound_access_tokens
    assert server.mtls_endpoint_aliases["token_endpoint"] != server.token_endpoint
    with certificates.session(
        kind,
        certificate,
        settings.pop("client_id"),
        server=server,
        redirect_uri=CALLBACK,
        scope="openid offline_access",
        code_challenge_method="S256",
        **settings,
    ) as session:
        yield session


@pytest.mark.parametrize("client_id", ["bank", "itself", "signs"])
def test_the_whole_way(
    kind: Kind,
    issuer: str,
    certificates: Certificates,
    key: dict[str, Any],
    client_id: str,
) -> None:
    settings_of: dict[str, dict[str, Any]] = {
        "bank": {"token_endpoint_auth_method": "tls_client_auth"},
        "itself": {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
        "signs": {
            "token_endpoint_auth_method": PrivateKeyJWT(
                private_key=key, alg="ES256", audience=AssertionAudience.ISSUER
            ),
            "use_mtls_endpoint_aliases": True,
        },
    }
    own = certificates.self_signed if client_id == "itself" else certificates.signed
    browser = Browser(CALLBACK, certificates.context(None))
    with session_at(
        issuer, certificates, kind, own, client_id=client_id, **settings_of[client_id]
    ) as session:
        url, _ = session.create_authorization_url(prompt="consent")
        assert url.startswith(issuer)
        token = session.fetch_token(authorization_response=browser.visit(url))
        aliases = session.metadata["mtls_endpoint_aliases"]
        assert session.get(aliases["userinfo_endpoint"]).json()["sub"] == "alice"
        session.token = {**token, "expires_at": 1}
        assert session.get(aliases["userinfo_endpoint"]).json()["sub"] == "alice"
        assert session.token["access_token"] != token["access_token"]
        told = session.introspect_token(token=session.token["access_token"]).json()
        assert told["cnf"] == {"x5t#S256": certificate_thumbprint(own.pem)}
        stolen = dict(session.token)
    with certificates.session(kind, certificates.other, "thief", token=stolen) as thief:
        assert thief.get(aliases["userinfo_endpoint"]).status_code == 401


@pytest.mark.parametrize("client_id", ["bank", "itself"])
def test_the_strict_vocabulary(
    kind: Kind, issuer: str, certificates: Certificates, client_id: str
) -> None:
    signed = client_id == "bank"
    own = certificates.signed if signed else certificates.self_signed
    auth = TLSClientAuth() if signed else SelfSignedTLSClientAuth()
    with certificates.session(kind, own, "of no matter") as session:
        server = session.run(Server.discover(issuer))
        client = Client(server=server, client_id=client_id, auth=auth)
        token = session.run(client.client_credentials())
        assert session.run(client.introspect(token)).active
        pending = session.run(client.authorize(redirect_uri=CALLBACK, scope="openid", push=True))
        assert pending.url.startswith(issuer)
        session.run(client.revoke(token))
        assert not session.run(client.introspect(token)).active
    with (
        certificates.session(kind, certificates.other, "of no matter") as session,
        pytest.raises(OAuth2Error, match="invalid_client"),
    ):
        session.run(client.client_credentials())
