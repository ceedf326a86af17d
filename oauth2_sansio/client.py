"""What a client does: one method for each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .authorization import PendingAuthorization, check_begun_at
from .authorization_request import login_pairs, request_authorization
from .callback import ResponseMode
from .client_settings import ClientSettings
from .errors import LocalProtocolError
from .events import Action, Endpoint, Event, Pairs, Started
from .flow import Flow, finished
from .introspection import (
    ACCEPT_SIGNED,
    Introspection,
    read_introspection,
    read_signed_introspection,
)
from .parameters import (
    AuthorizationDetails,
    Parameters,
    Scope,
    details_pair,
    repeated,
    scope_pair,
)
from .revocation import read_revocation, token_and_hint
from .tokens import OAuth2Token

if TYPE_CHECKING:
    from .jwt_verification import JWTVerification
    from .server_keys import ServerKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(ClientSettings):
    """One client at one server. Each operation returns a flow to be driven.

    The arguments are those of `ClientSettings`.
    """

    def authorize(
        self,
        *,
        redirect_uri: str | None,
        scope: Scope = None,
        state: str | None = None,
        nonce: str | None = None,
        response_type: str = "code",
        response_mode: ResponseMode | None = None,
        code_verifier: str | None = None,
        resource: Sequence[str] = (),
        authorization_details: AuthorizationDetails = (),
        acr_values: Scope = None,
        max_age: int | None = None,
        claims: Mapping[str, Any] | None = None,
        parameters: Parameters = (),
        push: bool = False,
    ) -> Flow[PendingAuthorization]:
        """Prepare to send a user to the authorization endpoint (RFC 6749 section 4.1.1).

        redirect_uri: None where the server knows only one.
        state, code_verifier: made at random where they are left out.
        response_type: anything with `code` in it gets a PKCE challenge.
        response_mode: sent only where it is given. With one of those that are signed (JARM), the
            answer is taken as a whole or not at all, and `redeem` needs the server's keys.
        resource: the resources that the token is for (RFC 8707 section 2).
        authorization_details: what exactly it is for (RFC 9396).
        acr_values, max_age: how, and at most how many seconds ago, the user has to have logged in.
        claims: what is to be said of the user (OpenID Connect Core 1.0 section 5.5).
        push: sends the parameters to the server directly, so that the user's browser carries only a
            reference (RFC 9126). A server whose metadata require that gets it in any case.
        Raises `RemoteProtocolError` where the server's metadata rule out S256.
        """
        further = (
            *repeated("resource", resource),
            *self._details(authorization_details),
            *login_pairs(acr_values, max_age, claims),
        )
        return request_authorization(
            self,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            nonce=nonce,
            response_type=response_type,
            response_mode=response_mode,
            code_verifier=code_verifier,
            further=further,
            parameters=parameters,
            push=push,
        )

    def redeem(
        self,
        pending: PendingAuthorization,
        callback: str,
        *,
        keys: ServerKeys | None = None,
        resource: Sequence[str] = (),
        authorization_details: AuthorizationDetails = (),
        parameters: Parameters = (),
    ) -> Flow[OAuth2Token]:
        """Trade the code in a callback for tokens (RFC 6749 section 4.1.3).

        callback: see `PendingAuthorization.read_callback`, which is called before there is a flow,
            so that a forged callback never causes a request.
        resource: fewer than what was authorized (RFC 8707 section 2.2).
        authorization_details: less than what was authorized (RFC 9396 section 6).
        keys: the server's, for an answer that is signed: see `ServerKeys.fetch`. Where it is signed
            with one that is not among them (`unknown_key`), fetch them anew, once.
        """
        check_begun_at(self.server, pending)
        answer = pending.read_answer(callback, "code", self._verification(pending, keys))
        given = [("code", answer.parameters["code"])]
        if pending.redirect_uri is not None:
            given.append(("redirect_uri", pending.redirect_uri))
        if pending.code_verifier is not None:
            given.append(("code_verifier", pending.code_verifier))
        given += (*repeated("resource", resource), *self._details(authorization_details))
        exchange = self._token_exchange("authorization_code", given, parameters)

        def step(event: Event, now: float) -> Action[OAuth2Token]:
            # Only at first: later on, what the server has issued is not thrown away.
            if isinstance(event, Started):
                pending.check_age(now)
                answer.check_times(now)
            return exchange.step(event, now)

        return Flow(step)

    def client_credentials(
        self,
        *,
        scope: Scope = None,
        resource: Sequence[str] = (),
        authorization_details: AuthorizationDetails = (),
        parameters: Parameters = (),
    ) -> Flow[OAuth2Token]:
        """Get a token for the client itself (RFC 6749 section 4.4)."""
        return self.request_token(
            "client_credentials",
            scope=scope,
            resource=resource,
            authorization_details=authorization_details,
            parameters=parameters,
        )

    def refresh(
        self,
        token: OAuth2Token | str,
        *,
        scope: Scope = None,
        resource: Sequence[str] = (),
        authorization_details: AuthorizationDetails = (),
        parameters: Parameters = (),
        headers: Pairs = (),
    ) -> Flow[OAuth2Token]:
        """Get a new token for a refresh token (RFC 6749 section 6).

        token: the token to renew, from which the new one takes what the server leaves out; or the
            refresh token alone.
        """
        previous = OAuth2Token(refresh_token=token) if isinstance(token, str) else token
        refresh_token = previous.refresh_token
        if not refresh_token:
            raise LocalProtocolError(
                "there is no refresh token to refresh with",
                error="missing_refresh_token",
                endpoint=Endpoint.TOKEN,
                advice="authorize again, perhaps with the scope offline_access",
            )
        given = (
            ("refresh_token", refresh_token),
            *scope_pair(scope),
            *repeated("resource", resource),
            *self._details(authorization_details),
        )
        return self._token_exchange(
            "refresh_token", given, parameters, previous=previous, headers=headers
        ).flow()

    def password(
        self, username: str, password: str, *, scope: Scope = None, parameters: Parameters = ()
    ) -> Flow[OAuth2Token]:
        """Trade a user's password for a token (RFC 6749 section 4.3).

        A legacy way: RFC 9700 section 2.4 forbids it, since the client gets to know the password.
        """
        given = (("username", username), ("password", password), *scope_pair(scope))
        return self._token_exchange("password", given, parameters).flow()

    def implicit(
        self,
        *,
        redirect_uri: str,
        scope: Scope = None,
        state: str | None = None,
        parameters: Parameters = (),
    ) -> Flow[PendingAuthorization]:
        """Prepare to send a user for a token in the fragment (RFC 6749 section 4.2.1).

        A legacy way: RFC 9700 section 2.1.2 advises against it. Read what comes back with
        `redeem_implicit`.
        """
        return self.authorize(
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            response_type="token",
            parameters=parameters,
        )

    def redeem_implicit(
        self, pending: PendingAuthorization, callback: str, *, keys: ServerKeys | None = None
    ) -> Flow[OAuth2Token]:
        """Take the token out of a callback's fragment (RFC 6749 section 4.2.2); sends nothing.

        keys: see `redeem`.
        """
        check_begun_at(self.server, pending)
        verification = self._verification(pending, keys)

        def read(now: float) -> OAuth2Token:
            pending.check_age(now)
            return pending.read_implicit_callback(callback, now, verification)

        return finished(read)

    def request_token(
        self,
        grant_type: str,
        *,
        scope: Scope = None,
        resource: Sequence[str] = (),
        audience: Sequence[str] = (),
        authorization_details: AuthorizationDetails = (),
        parameters: Parameters = (),
        method: str = "POST",
        headers: Pairs = (),
    ) -> Flow[OAuth2Token]:
        """Get a token by any grant (RFC 6749 section 4.5).

        method: GET puts the parameters into the query, for servers that want that.
        headers: further headers, or others instead of ours.
        """
        given = (
            *scope_pair(scope),
            *repeated("resource", resource),
            *repeated("audience", audience),
            *self._details(authorization_details),
        )
        return self._token_exchange(
            grant_type, given, parameters, method=method, headers=headers
        ).flow()

    def revoke(
        self,
        token: OAuth2Token | str,
        *,
        token_type_hint: str | None = None,
        parameters: Parameters = (),
    ) -> Flow[None]:
        """Tell the server that a token is not needed any more (RFC 7009 section 2.1).

        token: of an `OAuth2Token` the refresh token is revoked, or else the access token.
        Raises unless the server answers that the token is gone: then it may still be alive.
        """
        given = token_and_hint(token, token_type_hint)
        return self._exchange(Endpoint.REVOCATION, given, parameters, read_revocation).flow()

    def introspect(
        self,
        token: OAuth2Token | str,
        *,
        token_type_hint: str | None = None,
        keys: ServerKeys | None = None,
        parameters: Parameters = (),
    ) -> Flow[Introspection]:
        """Ask the server what it knows of a token (RFC 7662 section 2.1).

        token: of an `OAuth2Token` the access token is looked at.
        keys: the server's, to be answered with a signed JWT and nothing else (RFC 9701). A client
            with `introspection_signed_response_alg` asks for one in any case.
        """
        if isinstance(token, OAuth2Token):
            token = token.access_token or ""
        given = token_and_hint(token, token_type_hint)
        if keys is None and self.introspection_signed_response_alg is None:
            return self._exchange(
                Endpoint.INTROSPECTION, given, parameters, read_introspection
            ).flow()
        from .jwt_verification import introspection_verification

        read = partial(read_signed_introspection, introspection_verification(self, keys))
        return self._exchange(
            Endpoint.INTROSPECTION, given, parameters, read, headers=ACCEPT_SIGNED
        ).flow()

    def _details(self, details: AuthorizationDetails) -> Pairs:
        return details_pair(details, self.server.authorization_details_types_supported)

    def _verification(
        self, pending: PendingAuthorization, keys: ServerKeys | None
    ) -> JWTVerification | None:
        if not pending.response_mode.is_signed:
            return None
        from .jwt_verification import authorization_verification

        return authorization_verification(self, keys)
