"""A client's settings, and what each of its requests passes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .answers import Answer
from .client_auth import (
    MTLS_METHODS,
    ClientAuthentication,
    ClientIdentity,
    HoldsSecrets,
    choose_authentication,
)
from .events import Endpoint, Pairs, T
from .exchange import AmendRequest, AmendResponse, Exchange, Pipeline, Signer
from .flow import Flow
from .parameters import Parameters, joined
from .server import HEADERS_OF_DRAFTS, Server
from .tokens import OAuth2Token, read_token

if TYPE_CHECKING:
    from .dpop import DPoP
    from .request_object import RequestObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings(HoldsSecrets):
    """The settings of one client at one server.

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
    use_mtls_endpoint_aliases: turns to the endpoints that the server keeps for clients with a
        certificate, so that tokens are bound to that (RFC 8705). Clients that authenticate by their
        certificate do so in any case. `server` then has these endpoints.
    authorization_signed_response_alg, introspection_signed_response_alg: what the server signs its
        answers with, as registered (JARM section 3, RFC 9701 section 6); left out, those of its
        metadata that take its keys, or else RS256.
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
    use_mtls_endpoint_aliases: bool = False
    authorization_signed_response_alg: str | None = None
    introspection_signed_response_alg: str | None = None
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
        if self.use_mtls_endpoint_aliases or auth.method in MTLS_METHODS:
            object.__setattr__(self, "server", self.server.with_mtls_endpoint_aliases())
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
            known_urls=self.server.safe_urls,
            known_headers=HEADERS_OF_DRAFTS,
        )
        object.__setattr__(self, "_pipeline", pipeline)
        for algorithm in (
            self.authorization_signed_response_alg,
            self.introspection_signed_response_alg,
        ):
            if algorithm is not None:
                from .jwt_algorithms import find_algorithm

                find_algorithm(algorithm)

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
