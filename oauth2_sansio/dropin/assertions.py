"""Assertion sessions in the drop-in vocabulary: a token is fetched by a signed statement."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..assertions import JWT_BEARER, JWTAssertion, by_assertion, given_assertion
from ..client_assertion import AssertionAudience
from ..events import Endpoint
from ..exchange import Signer
from ..flow import Flow
from ..jwt_signing import own_copy
from ..keeper import Renewal, TokenKeeper
from ..server import Server
from ..tokens import OAuth2Token
from .amending import header_pairs
from .calls import Call
from .hooks import HookType
from .parameters import read_body, read_parameters
from .vocabulary import Vocabulary, read_given_token

_OWN = ("key", "header", "alg", "issued_at", "expires_at", "expires_in")


class AssertionVocabulary(Vocabulary):
    """What the assertion sessions of all adapters know and decide without I/O.

    A token is fetched before the first request, and anew when it has expired.
    """

    JWT_BEARER_GRANT_TYPE: ClassVar[str] = JWT_BEARER
    DEFAULT_GRANT_TYPE: ClassVar[str] = JWT_BEARER
    # A function for each grant type of one's own, called as `function(issuer=, subject=,
    # audience=, claims=, ...)`; it returns the assertion.
    ASSERTION_METHODS: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    grant_type: str
    _told: JWTAssertion | None = None
    _first: tuple[int | None, int | None] | None = None
    _asserter: Callable[[], str | bytes] | None = None

    def _tell(
        self,
        issuer: str,
        subject: str | None,
        audience: Any,
        grant_type: str | None,
        claims: Mapping[str, Any] | None,
        settings: dict[str, Any],
    ) -> None:
        # Takes what concerns the assertion out of the settings, and reads the key, once.
        own = {name: settings.pop(name) for name in _OWN if name in settings}
        self.grant_type = grant_type or self.DEFAULT_GRANT_TYPE
        claims = own_copy(claims)
        method = self.ASSERTION_METHODS.get(self.grant_type)
        if method is not None:
            self._asserter = lambda: method(
                issuer=issuer, subject=subject, audience=audience, claims=own_copy(claims), **own
            )
            return
        header = own_copy(own.get("header"))
        algorithm = own.get("alg") or header.pop("alg", None)
        if algorithm is None:
            return  # as in the API that this one replaces, the first request says so
        self._told = JWTAssertion(
            key=own.get("key"),
            issuer=issuer,
            subject=subject or None,
            audience=audience or AssertionAudience.TOKEN_ENDPOINT,
            alg=algorithm,
            lifetime=own.get("expires_in", 3600),
            claims=claims,
            headers={name: value for name, value in header.items() if name != "alg"},
        )
        if own.get("issued_at") or own.get("expires_at") is not None:
            self._first = (own.get("issued_at"), own.get("expires_at"))

    @property
    def token(self) -> OAuth2Token | None:
        """The current token; None before the first one is fetched. It may be set to any dict."""
        held = self._keeper.token
        return held if held is not None and "access_token" in held else None

    @token.setter
    def token(self, token: Mapping[str, Any] | None) -> None:
        self._keeper.token = _or_expired(token)

    def _hold_token(self, token: Mapping[str, Any] | None, leeway: float) -> None:
        self._keeper = TokenKeeper(_or_expired(token), self._renewal, leeway=leeway)

    def _renewal(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        return self._asserting(None, "", None, None, {})

    def _renewal_of_another(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        return self._renewal(token)

    def _fetching(
        self,
        url: str | None,
        body: Any,
        method: str,
        headers: Mapping[str, str] | None,
        auth: Any,
        grant_type: str | None,
        state: str | None,
        parameters: dict[str, Any],
        now: float,
    ) -> Call[OAuth2Token] | OAuth2Token:
        return self._asserting(url, body, auth, headers, parameters)

    def _refreshing(
        self,
        url: str | None,
        refresh_token: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: dict[str, Any],
    ) -> Renewal:
        return lambda _token: self._asserting(url, body, auth, headers, parameters)

    def _asserting(
        self,
        url: str | None,
        body: Any,
        auth: Any,
        headers: Mapping[str, str] | None,
        parameters: Mapping[str, Any],
    ) -> Call[OAuth2Token]:
        further = {"scope": self.scope or None, **parameters}
        options = self._take_options(further)
        chosen = self._chosen(auth, self.token_endpoint_auth_method)
        client = self._client(Endpoint.TOKEN, url, chosen, hooks=HookType.ACCESS_TOKEN_REQUEST)
        flow = by_assertion(
            client,
            self.grant_type,
            self._signer(client.server),
            parameters=(*read_body(body), *read_parameters(further)),
            headers=header_pairs(headers),
        )
        return self._call(flow, options, chosen, HookType.ACCESS_TOKEN_RESPONSE)

    def _signer(self, server: Server) -> Signer:
        if self._asserter is not None:
            return given_assertion(self._asserter)
        if self._told is None:
            raise ValueError("no algorithm to sign with: give alg=, or alg in header=")
        return self._told.signer(server, os.urandom, self._times)

    def _times(self, now: float) -> tuple[int, int]:
        # What the user gave is for the first assertion: later on it would be expired.
        assert self._told is not None  # a signer has been made of it
        first, self._first = self._first or (None, None), None
        issued_at = int(first[0] or now)
        return issued_at, issued_at + self._told.lifetime if first[1] is None else int(first[1])


def _or_expired(token: Mapping[str, Any] | None) -> OAuth2Token:
    # No token yet is one that has expired: so the first request fetches one like any renewal.
    return read_given_token(token) or OAuth2Token(expires_at=0)
