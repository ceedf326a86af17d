"""Mutual TLS through every class of the drop-in vocabulary, over real connections."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import (
    Client,
    OAuth2Error,
    SelfSignedTLSClientAuth,
    Server,
    TransportError,
    certificate_thumbprint,
    new_private_key,
)
from oauth2_sansio.assertions import JWT_BEARER
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import (
    AssertionIssuer,
    AuthorizationServer,
    ClientAuthMethod,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve

from .certificates import Certificate, Certificates

if TYPE_CHECKING:
    from .sessions import Kind

KEY = new_private_key()
CALLBACK = "https://app.example/cb"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(Path(tmp_path_factory.mktemp("certificates")))


@contextmanager
def serving(
    certificates: Certificates, mode: ssl.VerifyMode = ssl.CERT_OPTIONAL
) -> Iterator[AuthorizationServer]:
    bank = RegisteredClient(
        client_id="bank",
        redirect_uris=(CALLBACK,),
        grant_types=("authorization_code", "refresh_token", "client_credentials", JWT_BEARER),
        scope="read",
        token_endpoint_auth_method=ClientAuthMethod.TLS_CLIENT_AUTH,
        certificates=(certificates.signed.pem,),
        tls_client_certificate_bound_access_tokens=True,
    )
    itself = replace(
        bank,
        client_id="itself",
        token_endpoint_auth_method=ClientAuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH,
        certificates=(certificates.self_signed.pem,),
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer,
            clients=[bank, itself],
            settings=ServerSettings(
                mtls_url=issuer.replace("localhost", "127.0.0.1"),
                assertion_issuers=(AssertionIssuer("https://idp.example", (KEY,)),),
            ),
            now=time.time,
        )

    with serve(build, ssl_context=certificates.serving(mode), host="localhost") as server:
        yield server


@pytest.fixture
def site(certificates: Certificates) -> Iterator[AuthorizationServer]:
    with serving(certificates) as server:
        yield server


@contextmanager
def session_at(
    site: AuthorizationServer,
    certificates: Certificates,
    kind: Kind,
    certificate: Certificate | None,
    client_id: str = "bank",
    method: Any = "tls_client_auth",
    **settings: Any,
) -> Iterator[Any]:
    with certificates.session(kind, None) as anybody:
        server = anybody.run(Server.discover(site.issuer))
    with certificates.session(
        kind,
        certificate,
        client_id,
        server=server,
        redirect_uri=CALLBACK,
        token_endpoint_auth_method=method,
        **settings,
    ) as session:
        yield session


def test_the_whole_way(kind: Kind, site: AuthorizationServer, certificates: Certificates) -> None:
    with session_at(site, certificates, kind, certificates.signed) as session:
        url, _ = session.create_authorization_url(code_verifier="v" * 43)
        assert url.startswith(site.issuer)
        callback = site.visit(url)
        token = session.fetch_token(authorization_response=callback, code_verifier="v" * 43)
        api = site.url(Endpoint.RESOURCE)
        assert session.get(api).status_code == 200
        session.token = {**token, "expires_at": 1}
        assert session.get(api).status_code == 200
        renewed = session.token["access_token"]
        assert renewed != token["access_token"]
        told = session.introspect_token(token=renewed).json()
        assert told["cnf"] == {"x5t#S256": certificate_thumbprint(certificates.signed.pem)}
        assert session.revoke_token(token=renewed).status_code == 200
    asked = [entry.request for entry in site.log if entry.request.method == "POST"]
    assert {request.url.rpartition("/")[0] for request in asked} == {site.settings.mtls_url}
    assert all(request.header("Authorization") is None for request in asked)


def test_a_bound_token_over_another_connection(
    kind: Kind, site: AuthorizationServer, certificates: Certificates
) -> None:
    with session_at(site, certificates, kind, certificates.signed) as session:
        token = session.fetch_token(grant_type="client_credentials")
    for other in (certificates.other, None):
        with certificates.session(kind, other, "thief", token=token) as thief:
            assert thief.get(site.url(Endpoint.RESOURCE)).status_code == 401


@pytest.mark.parametrize("method", ["self_signed_tls_client_auth", SelfSignedTLSClientAuth()])
def test_a_certificate_that_the_server_knows_itself(
    kind: Kind, site: AuthorizationServer, certificates: Certificates, method: Any
) -> None:
    with session_at(
        site, certificates, kind, certificates.self_signed, "itself", method
    ) as session:
        assert session.fetch_token(grant_type="client_credentials")["access_token"]
        server = session.run(Server.discover(site.issuer))
        strict = Client(server=server, client_id="itself", auth=SelfSignedTLSClientAuth())
        assert session.run(strict.client_credentials())["access_token"]


def test_a_url_that_a_call_names_counts(
    kind: Kind, site: AuthorizationServer, certificates: Certificates
) -> None:
    with session_at(site, certificates, kind, certificates.signed) as session:
        session.fetch_token(site.url(Endpoint.TOKEN), grant_type="client_credentials")
        assert site.log[-1].request.url == site.url(Endpoint.TOKEN)
        session.fetch_token(grant_type="client_credentials")
        assert site.log[-1].request.url == f"{site.settings.mtls_url}/token"


def test_grants_by_assertion(
    kind: Kind, site: AuthorizationServer, certificates: Certificates
) -> None:
    with certificates.session(kind, None) as anybody:
        server = anybody.run(Server.discover(site.issuer))
    settings: dict[str, Any] = {}
    if kind.adapter != "oauth2_sansio_requests":
        settings["verify"] = certificates.context(certificates.signed)
    with kind.assertion_session(
        server.token_endpoint,
        "https://idp.example",
        "alice",
        server.token_endpoint,
        client_id="bank",
        token_endpoint_auth_method="tls_client_auth",
        key=KEY,
        alg="ES256",
        server=server,
        **settings,
    ) as session:
        certificates.prepare(kind, session, certificates.signed)
        assert session.get(site.url(Endpoint.RESOURCE)).json()["subject"] == "alice"


def test_the_certificate_of_another_client_or_none(
    kind: Kind, site: AuthorizationServer, certificates: Certificates
) -> None:
    for wrong in (certificates.other, None):
        with (
            session_at(site, certificates, kind, wrong) as session,
            pytest.raises(OAuth2Error, match="invalid_client"),
        ):
            session.fetch_token(grant_type="client_credentials")


def test_a_server_that_hangs_up_without_a_certificate(
    kind: Kind, certificates: Certificates
) -> None:
    with serving(certificates, ssl.CERT_REQUIRED) as site:
        with certificates.session(kind, certificates.signed) as somebody:
            server = somebody.run(Server.discover(site.issuer))
        with (
            certificates.session(
                kind, None, "bank", server=server, token_endpoint_auth_method="tls_client_auth"
            ) as session,
            pytest.raises(TransportError),
        ):
            session.fetch_token(grant_type="client_credentials")
        assert site.count(Endpoint.TOKEN) == 0


def test_the_certificate_of_another_client_of_the_library(
    kind: Kind, site: AuthorizationServer, certificates: Certificates
) -> None:
    # `token_client=` shows it at the endpoints; the session itself has none.
    with certificates.session(kind, certificates.signed) as certified:
        with session_at(
            site, certificates, kind, None, token_client=getattr(certified, "client", certified)
        ) as session:
            token = session.fetch_token(grant_type="client_credentials")
            assert session.get(site.url(Endpoint.RESOURCE)).status_code == 401
        certified.token = token
        assert certified.get(site.url(Endpoint.RESOURCE)).status_code == 200
