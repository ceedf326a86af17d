"""An authorization server that nobody here wrote: Authlib's server side, on Flask.

What Authlib leaves to its users is written here: where clients, codes and tokens are kept (in
memory), who the user is, and what the user answers.
"""
# Authlib has no types, so its classes and decorators are of no known type.
# mypy: allow-subclassing-any, allow-untyped-decorators

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from authlib.integrations.flask_oauth2 import (
    AuthorizationServer,
    ResourceProtector,
    current_token,
)
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Flask, Response, request
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

CALLBACK = "http://127.0.0.1/callback"
# Each character in it goes wrong somewhere: in Basic credentials, or in a form.
APP_SECRET = "a secret: 100% + ü/=&"
POSTER_SECRET = "another secret: 5% + é/=&"
USER = SimpleNamespace(name="alice", password="correct horse + battery&staple")
REFUSES = "mallory"  # as `login_hint`: a user who says no

_METHODS = ["client_secret_basic", "client_secret_post", "none"]
_METHODS_BY_ASSERTION = ["client_secret_jwt", "private_key_jwt"]
_BY_ASSERTION = JWTBearerClientAssertion.CLIENT_AUTH_METHOD  # Authlib's one name for both
_ALL_METHODS = [*_METHODS, _BY_ASSERTION]
_SCOPES = ["profile", "email"]
_GRANT_TYPES = (
    "authorization_code",
    "client_credentials",
    "implicit",
    "password",
    "refresh_token",
    JWTBearerGrant.GRANT_TYPE,
)


@dataclass(frozen=True)
class RegisteredClient:
    """A client as Authlib wants to see it."""

    client_id: str
    client_secret: str
    method: str
    grant_types: tuple[str, ...] = _GRANT_TYPES
    key: Any = field(default=None, repr=False)  # with which it signs

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return CALLBACK

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(name for name in (scope or "").split() if name in _SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == CALLBACK

    def check_client_secret(self, client_secret: str) -> bool:
        given, wanted = client_secret.encode(), self.client_secret.encode()
        return secrets.compare_digest(given, wanted)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if method == _BY_ASSERTION:
            return self.method in _METHODS_BY_ASSERTION
        return method == self.method

    def check_response_type(self, response_type: str) -> bool:
        needed = {"code": "authorization_code", "token": "implicit"}[response_type]
        return needed in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


APP = RegisteredClient("app: 1/2", APP_SECRET, "client_secret_basic")
POSTER = RegisteredClient("poster", POSTER_SECRET, "client_secret_post")
PHONE = RegisteredClient("phone", "", "none")
SECRET_SIGNER = RegisteredClient(
    "secret signer",
    POSTER_SECRET * 2,
    "client_secret_jwt",
    key=OctKey.import_key(POSTER_SECRET * 2),
)
KEY_SIGNER = RegisteredClient("key signer", "", "private_key_jwt", key=ECKey.generate_key("P-256"))
RSA_SIGNER = RegisteredClient("rsa signer", "", "private_key_jwt", key=RSAKey.generate_key(2048))
MODEST = RegisteredClient("modest", APP_SECRET, "client_secret_basic", ("password",))


_CLIENTS = (APP, POSTER, PHONE, SECRET_SIGNER, KEY_SIGNER, RSA_SIGNER, MODEST)


@dataclass(frozen=True)
class IssuedCode:
    """A code that was not used yet."""

    code: str
    client_id: str
    redirect_uri: str | None
    scope: str
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class IssuedToken:
    """A token that was issued, with its refresh token.

    family: the same for all that came of one authorization.
    """

    access_token: str
    refresh_token: str | None
    scope: str
    expires_in: int
    client: RegisteredClient
    user: Any
    family: object
    issued_at: float = field(default_factory=time.time)
    expired: bool = False
    revoked: bool = False
    spent: bool = False

    def check_client(self, client: RegisteredClient) -> bool:
        return self.client == client

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.expired

    def is_revoked(self) -> bool:
        return self.revoked


class Ledger:
    """All that the server remembers."""

    def __init__(self) -> None:
        self.clients = {client.client_id: client for client in _CLIENTS}
        self.codes: dict[str, IssuedCode] = {}
        self.tokens: list[IssuedToken] = []
        self.refreshes = 0

    def find(self, text: str) -> IssuedToken | None:
        """Return the token that has this access or refresh token."""
        for token in self.tokens:
            if text in (token.access_token, token.refresh_token):
                return token
        return None

    def expire(self, access_token: str) -> None:
        """Let an access token expire before its time."""
        token = self.find(access_token)
        assert token is not None
        token.expired = True

    def revoke_family(self, family: object) -> None:
        """Revoke all that came of one authorization."""
        for token in self.tokens:
            if token.family is family:
                token.revoked = True

    def save(self, token: dict[str, Any], asked: Any) -> None:
        """Remember a token that is being issued."""
        before = getattr(asked, "refresh_token", None)  # where this renews another one
        self.tokens.append(
            IssuedToken(
                access_token=token["access_token"],
                refresh_token=token.get("refresh_token"),
                scope=token.get("scope", ""),
                expires_in=token["expires_in"],
                client=asked.client,
                user=asked.user,
                family=object() if before is None else before.family,
            )
        )


class AuthlibServer:
    """The server at work.

    issuer: where it is; known once it is.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.issuer = ""
        self.app = Flask(__name__)
        # Tells the server to issue refresh tokens, and which scopes there are.
        self.app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        self.app.config["OAUTH2_SCOPES_SUPPORTED"] = _SCOPES
        self._server = AuthorizationServer(
            self.app, query_client=self.ledger.clients.get, save_token=self.ledger.save
        )
        self._server.register_client_auth_method(_BY_ASSERTION, _client_assertion(self))
        for grant, *extensions in _grants(self):
            self._server.register_grant(grant, extensions)
        for endpoint in _endpoints(self.ledger):
            self._server.register_endpoint(endpoint)
        self._server.register_extension(_Issuer(self))
        self._add_routes()

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Serve on a loopback port, in threads."""
        server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=_Silent)
        self.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, name="authlib")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def metadata(self) -> dict[str, Any]:
        """Return the metadata document, once Authlib has found it to be good."""
        methods, algorithms = _METHODS + _METHODS_BY_ASSERTION, ["HS256", "RS256", "ES256"]
        document = AuthorizationServerMetadata(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            revocation_endpoint=f"{self.issuer}/revoke",
            introspection_endpoint=f"{self.issuer}/introspect",
            scopes_supported=_SCOPES,
            response_types_supported=["code", "token"],
            grant_types_supported=list(_GRANT_TYPES),
            token_endpoint_auth_methods_supported=methods,
            token_endpoint_auth_signing_alg_values_supported=algorithms,
            revocation_endpoint_auth_methods_supported=methods,
            revocation_endpoint_auth_signing_alg_values_supported=algorithms,
            introspection_endpoint_auth_methods_supported=methods,
            introspection_endpoint_auth_signing_alg_values_supported=algorithms,
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
        )
        document.validate()
        return dict(document)

    def audiences(self) -> list[str]:
        """Return whom an assertion may be meant for."""
        return [self.issuer, f"{self.issuer}/token"]

    def _add_routes(self) -> None:
        server, app = self._server, self.app
        protect = ResourceProtector()
        protect.register_token_validator(_validator(self.ledger))

        @app.get("/.well-known/oauth-authorization-server")
        def metadata() -> dict[str, Any]:
            return self.metadata()

        @app.get("/authorize")
        def authorize() -> Response:
            user = None if request.args.get("login_hint") == REFUSES else USER
            try:
                grant = server.get_consent_grant(end_user=user)
            except OAuth2Error as error:
                refusal: Response = server.handle_error_response(None, error)
                return refusal
            answer: Response = server.create_authorization_response(grant_user=user, grant=grant)
            return answer

        @app.post("/token")
        def token() -> Response:
            answer: Response = server.create_token_response()
            return answer

        for path, name in (("/revoke", "revocation"), ("/introspect", "introspection")):
            app.post(path, endpoint=name)(lambda name=name: server.create_endpoint_response(name))

        @app.route("/me", methods=["GET", "POST"])
        @protect("profile")
        def me() -> dict[str, str]:
            return {"name": current_token.user.name, "sent": request.get_data(as_text=True)}


class _Issuer(IssuerParameter):
    def __init__(self, site: AuthlibServer) -> None:
        self._site = site

    def get_issuer(self) -> str:
        return self._site.issuer


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, as servers do

    def log(self, *_unused: Any) -> None:
        """Say nothing."""


def _client_assertion(site: AuthlibServer) -> Any:
    used: set[str] = set()

    class ClientAssertion(JWTBearerClientAssertion):
        def get_audiences(self) -> list[str]:
            return site.audiences()

        def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
            is_new = jti not in used
            used.add(jti)
            return is_new

        def resolve_client_public_key(self, client: RegisteredClient) -> Any:
            return client.key

    return ClientAssertion()


def _grants(site: AuthlibServer) -> Iterator[tuple[Any, ...]]:
    ledger = site.ledger

    class Code(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS

        def save_authorization_code(self, code: str, asked: Any) -> None:
            ledger.codes[code] = IssuedCode(
                code=code,
                client_id=asked.client.client_id,
                redirect_uri=asked.payload.redirect_uri,
                scope=asked.payload.scope or "",
                code_challenge=asked.payload.data.get("code_challenge"),
                code_challenge_method=asked.payload.data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: Any) -> IssuedCode | None:
            found = ledger.codes.get(code)
            return found if found is not None and found.client_id == client.client_id else None

        def delete_authorization_code(self, authorization_code: IssuedCode) -> None:
            del ledger.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: IssuedCode) -> Any:
            return USER

    class Password(grants.ResourceOwnerPasswordCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS

        def authenticate_user(self, username: str, password: str) -> Any:
            return USER if (username, password) == (USER.name, USER.password) else None

    class ClientCredentials(grants.ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS

    class Refresh(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> IssuedToken | None:
            found = ledger.find(refresh_token)
            if found is not None and found.spent:
                ledger.revoke_family(found.family)
            return None if found is None or found.revoked else found

        def authenticate_user(self, refresh_token: IssuedToken) -> Any:
            return refresh_token.user

        def revoke_old_credential(self, refresh_token: IssuedToken) -> None:
            ledger.refreshes += 1
            refresh_token.spent = True

    class Assertion(JWTBearerGrant):
        def get_audiences(self) -> list[str]:
            return site.audiences()

        def resolve_issuer_client(self, issuer: str) -> RegisteredClient | None:
            return ledger.clients.get(issuer)

        def resolve_client_public_key(self, client: RegisteredClient) -> Any:
            return client.key

        def authenticate_user(self, subject: str) -> Any:
            return USER if subject == USER.name else None

        def has_granted_permission(self, client: RegisteredClient, user: Any) -> bool:
            return True

    yield (Assertion,)
    yield Code, CodeChallenge(required=True)
    yield (Password,)
    yield (ClientCredentials,)
    yield (Refresh,)
    yield (grants.ImplicitGrant,)


def _endpoints(ledger: Ledger) -> Iterator[Any]:
    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = _ALL_METHODS

        def query_token(self, text: str, token_type_hint: str | None) -> IssuedToken | None:
            return ledger.find(text)

        def revoke_token(self, token: IssuedToken, asked: Any) -> None:
            ledger.revoke_family(token.family)

    class Introspection(IntrospectionEndpoint):
        CLIENT_AUTH_METHODS = _ALL_METHODS

        def check_permission(self, token: IssuedToken, client: Any, asked: Any) -> bool:
            return token.check_client(client)

        def query_token(self, text: str, token_type_hint: str | None) -> IssuedToken | None:
            return ledger.find(text)

        def introspect_token(self, token: IssuedToken) -> dict[str, Any]:
            return {
                "active": True,
                "client_id": token.client.client_id,
                "token_type": "Bearer",
                "sub": token.user.name if token.user else token.client.client_id,
                "scope": token.scope,
                "exp": token.issued_at + token.expires_in,
                "iat": token.issued_at,
            }

    yield Revocation
    yield Introspection


def _validator(ledger: Ledger) -> Any:
    class Validator(BearerTokenValidator):
        def authenticate_token(self, text: str) -> IssuedToken | None:
            found = ledger.find(text)
            return found if found is not None and found.access_token == text else None

    return Validator()
