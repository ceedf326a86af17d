"""A client's settings, and one method for each operation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .authorization import PendingAuthorization, ResponseMode, check_begun_at
from .authorization_request import login_pairs, request_authorization
from .client_auth import ClientAuthentication, ClientIdentity, HoldsSecrets, choose_authentication
from .errors import LocalProtocolError
from .events import Action, Endpoint, Event, Pairs, Started, T
from .exchange import AmendRequest, AmendResponse, Exchange, Pipeline, Signer
from .flow import Flow, finished
from .introspection import Introspection, read_introspection
from .parameters import (
    AuthorizationDetails,
    Parameters,
    Scope,
    details_pair,
    joined,
    repeated,
    scope_pair,
)
from .revocation import read_revocation, token_and_hint
from .server import Server
from .tokens import OAuth2Token, read_token

if TYPE_CHECKING:
    from .dpop import DPoP
    from .request_object import RequestObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(HoldsSecrets):
    """The settings of one client at one server. Each operation returns a flow to be driven.

    A client holds secrets: its `repr` shows none, and it refuses to be pickled.

    server: where the server is, and what it can do.
    client_id: the client's name at this server.
    auth: how the client authenticates; where it is left out, the server's metadata decide, by
        whether there is a client_secret.
    client_secret: the secret for that; not together with auth.
    random_bytes: makes so many random bytes; a test hands in its own.
    omit_pkce: sends no PKCE parameters, for servers that refuse them. Everybody else is safer
        with them (RFC 9700 section 2.1.1).
    request_object: signs the authorization requests, where the server takes such ones (RFC 9101).
    dpop: the key that tokens are bound to (RFC 9449).
    authorization_lifetime: how long a user may take to come back, in seconds.
    amend_request, amend_response, url_allowed: see `Pipeline`.
    """

    server: Server
    client_id: str
    auth: ClientAuthentication | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    random_bytes: Callable[[int], bytes] = field(default=os.urandom, repr=False)
    omit_pkce: bool = False
    request_object: RequestObject | None = None
    dpop: DPoP | None = None
    authorization_lifetime: float = 600.0
    amend_request: tuple[AmendRequest, ...] = ()
    amend_response: tuple[AmendResponse, ...] = ()
    url_allowed: Callable[[str], bool] | None = None
    _pipeline: Pipeline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.auth is not None and self.client_secret is not None:
            raise TypeError("give auth or client_secret, not both")
        auth = self.auth
        if auth is None:
            auth = choose_authentication(self.server, self.client_secret)
        signers: tuple[Signer, ...] = (auth.signer(self.identity),)
        if self.dpop is not None:
            self.dpop.check_server(self.server)
            signers += (self.dpop,)
        pipeline = Pipeline(
            amend_request=self.amend_request,
            signers=signers,
            amend_response=self.amend_response,
            url_allowed=self.url_allowed,
            allow_insecure_http=self.server.allow_insecure_http,
        )
        object.__setattr__(self, "_pipeline", pipeline)

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
        response_mode: sent only where it is given.
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
        authorization_details: AuthorizationDetails = (),
        parameters: Parameters = (),
    ) -> Flow[OAuth2Token]:
        """Trade the code in a callback for tokens (RFC 6749 section 4.1.3).

        callback: see `PendingAuthorization.read_callback`, which is called before there is a flow,
            so that a forged callback never causes a request.
        authorization_details: less than what was authorized (RFC 9396 section 6).
        """
        check_begun_at(self.server, pending)
        given = [("code", pending.read_callback(callback))]
        if pending.redirect_uri is not None:
            given.append(("redirect_uri", pending.redirect_uri))
        if pending.code_verifier is not None:
            given.append(("code_verifier", pending.code_verifier))
        given += self._details(authorization_details)
        exchange = self._token_exchange("authorization_code", given, parameters)

        def step(event: Event, now: float) -> Action[OAuth2Token]:
            # Only at first: later on, what the server has issued is not thrown away.
            if isinstance(event, Started):
                pending.check_age(now)
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
        if not previous.refresh_token:
            raise LocalProtocolError(
                "there is no refresh token to refresh with",
                error="missing_refresh_token",
                endpoint=Endpoint.TOKEN,
                advice="authorize again, perhaps with the scope offline_access",
            )
        given = (
            ("refresh_token", previous.refresh_token),
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

    def redeem_implicit(self, pending: PendingAuthorization, callback: str) -> Flow[OAuth2Token]:
        """Take the token out of a callback's fragment (RFC 6749 section 4.2.2); sends nothing."""
        check_begun_at(self.server, pending)

        def read(now: float) -> OAuth2Token:
            pending.check_age(now)
            return pending.read_implicit_callback(callback, now)

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
        parameters: Parameters = (),
    ) -> Flow[Introspection]:
        """Ask the server what it knows of a token (RFC 7662 section 2.1).

        token: of an `OAuth2Token` the access token is looked at.
        """
        if isinstance(token, OAuth2Token):
            token = token.access_token or ""
        given = token_and_hint(token, token_type_hint)
        return self._exchange(Endpoint.INTROSPECTION, given, parameters, read_introspection).flow()

    def exchange(
        self,
        endpoint: Endpoint,
        parameters: Parameters,
        read: Callable[[Answer], T],
        *,
        method: str = "POST",
        headers: Pairs = (),
        signers: tuple[Signer, ...] = (),
    ) -> Flow[T]:
        """Send any authenticated request to an endpoint, and read the answer your way.

        read: returns the result, or raises what `Answer.read` and `Answer.broken` make.
        signers: what else goes into the request on each attempt, before client authentication.
        """
        return self._exchange(endpoint, (), parameters, read, method, headers, signers).flow()

    @property
    def identity(self) -> ClientIdentity:
        """What each way to sign or to authenticate knows of this client."""
        return ClientIdentity(
            client_id=self.client_id, server=self.server, random_bytes=self.random_bytes
        )

    @property
    def pipeline(self) -> Pipeline:
        """What each request of this client passes, for an `Exchange` of one's own."""
        return self._pipeline

    def read_token(self, answer: Answer, previous: OAuth2Token | None = None) -> OAuth2Token:
        """Return the token in an answer of the token endpoint: see the function of this name."""
        token = read_token(answer, previous)
        if self.dpop is not None:
            self.dpop.check_token(token, answer)
        return token

    def _details(self, details: AuthorizationDetails) -> Pairs:
        return details_pair(details, self.server.authorization_details_types_supported)

    def _token_exchange(
        self,
        grant_type: str,
        given: Iterable[tuple[str, str]],
        parameters: Parameters,
        *,
        previous: OAuth2Token | None = None,
        method: str = "POST",
        headers: Pairs = (),
    ) -> Exchange[OAuth2Token]:
        return self._exchange(
            Endpoint.TOKEN,
            (("grant_type", grant_type), *given),
            parameters,
            lambda answer: self.read_token(answer, previous),
            method,
            headers,
        )

    def _exchange(
        self,
        endpoint: Endpoint,
        given: Pairs,
        parameters: Parameters,
        read: Callable[[Answer], T],
        method: str = "POST",
        headers: Pairs = (),
        signers: tuple[Signer, ...] = (),
    ) -> Exchange[T]:
        together = joined(given, parameters, endpoint, in_url=method == "GET")
        draft = self.server.draft(endpoint, together, method=method, headers=headers)
        own = self._pipeline
        pipeline = replace(own, signers=(*signers, *own.signers)) if signers else own
        return Exchange(pipeline, draft, read)
