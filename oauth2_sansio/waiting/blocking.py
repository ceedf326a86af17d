"""The blocking half of the drop-in vocabulary, for sessions and clients that threads may share."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Generic, TypeVar

from ..dropin.hooks import HookType
from ..dropin.vocabulary import Vocabulary, read_given_token
from ..errors import InvalidTokenError, MissingTokenError
from ..events import Endpoint, SignatureNeeded, T
from ..flow import Flow
from ..keeper import TokenKeeper
from ..tokens import OAuth2Token
from .clock import now
from .threads import ThreadFlight

ResponseT = TypeVar("ResponseT")


class BlockingVocabulary(Vocabulary, Generic[ResponseT]):
    """The calls that send something. An adapter says how (`_perform`)."""

    @abstractmethod
    def _perform(self, flow: Flow[T]) -> tuple[T, ResponseT | None]:
        """Drive a flow; return its result and the HTTP library's last response."""

    @property
    def _signs(self) -> Callable[[SignatureNeeded], bytes] | None:
        # What a driver signs with.
        if self.sign is None:
            return None
        from ..dropin.signing import signature  # here, since few clients have such a key

        return partial(signature, self.sign)

    def run(self, flow: Flow[T]) -> T:
        """Drive any flow of the strict vocabulary through this client, and return its result."""
        return self._perform(flow)[0]

    def fetch_token(
        self,
        url: str | None = None,
        body: Any = "",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        grant_type: str | None = None,
        state: str | None = None,
        **kwargs: Any,
    ) -> OAuth2Token:
        """Fetch a token, and keep it.

        The grant follows from what is given: `authorization_response` or `code` (authorization
        code), `username` and `password` (password), else client credentials.

        url: the token endpoint, where it was not given to the constructor.
        body: further parameters, form encoded.
        method: GET puts the parameters into the query.
        headers: replace the default headers of the same name.
        auth: replaces the client authentication: a tuple, an object of the HTTP library, the name
            of a method, or a function.
        grant_type: names the grant.
        state: what an `authorization_response` has to carry, instead of the state kept here.
        kwargs: request options of the HTTP library; all else becomes a parameter (a list repeats
            its name).
        Raises `OAuthError`; an error for a 5xx, or for no answer at all, is also an exception of
        the HTTP library.
        """
        call = self._fetching(url, body, method, headers, auth, grant_type, state, kwargs, now())
        token = call if isinstance(call, OAuth2Token) else self.run(call)
        self._arrive(token, now())
        self._flight.keep(token)
        return token

    def fetch_access_token(self, url: str | None = None, **kwargs: Any) -> OAuth2Token:
        """Do what `fetch_token` does, under its old name."""
        return self.fetch_token(url, **kwargs)

    def token_from_fragment(
        self, authorization_response: str, state: str | None = None
    ) -> OAuth2Token:
        """Take the token out of a callback's fragment (RFC 6749 section 4.2.2), and keep it."""
        token = self._implicit_token(authorization_response, state, now())
        self._arrive(token, now())
        self._flight.keep(token)
        return token

    def refresh_token(
        self,
        url: str | None = None,
        refresh_token: str | None = None,
        body: Any = "",
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> OAuth2Token:
        """Renew the token, whether it has expired or not, and keep the new one.

        Where another thread is renewing it already, that renewal serves this call too. The
        arguments are those of `fetch_token`.
        """
        held = self._keeper.token
        spending = refresh_token or (held.refresh_token if held is not None else None)
        renew = self._refreshing(url, refresh_token, body, auth, headers, kwargs)
        return self._flight.token(by_hand=renew, spending=spending)

    def ensure_active_token(self, token: Mapping[str, Any] | None = None) -> bool:
        """Renew the token if it has expired; return whether there is one to use now.

        token: another one than this session's. Where it has expired, it is renewed, and the new
            token kept here.
        """
        given = read_given_token(token)
        try:
            if given is None or given == self._keeper.token:
                self._flight.token()
            elif given.is_expired(self.leeway, now()):
                self._flight.token(by_hand=self._renewing(given), spending=given.refresh_token)
        except (InvalidTokenError, MissingTokenError):
            return False
        return True

    def push_authorization_request(
        self,
        url: str | None = None,
        state: str | None = None,
        code_verifier: str | None = None,
        **kwargs: Any,
    ) -> tuple[str, str]:
        """Send an authorization request to the server, and return a URL that refers to it.

        The arguments and results are those of `create_authorization_url`; the parameters go to the
        server itself, and none but a reference through the user's browser (RFC 9126). Options of
        the HTTP library are taken too.
        """
        call, keep = self._authorizing(url, state, code_verifier, kwargs, push=True)
        return keep(self.run(call))

    def _push_at_once(
        self,
        url: str | None,
        state: str | None,
        code_verifier: str | None,
        parameters: dict[str, Any],
        /,
    ) -> tuple[str, str]:
        return self.push_authorization_request(url, state, code_verifier, **parameters)

    def revoke_token(
        self,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: Any = None,
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ResponseT:
        """Revoke a token (RFC 7009), and return the HTTP library's response as it is.

        url: the revocation endpoint, where it was not given to the constructor.
        token: where it is left out, this session's refresh token, or else its access token.
        A token of this session that the server has revoked is gone from here too.
        """
        call = self._asking_about_token(
            Endpoint.REVOCATION,
            HookType.REVOKE_TOKEN_REQUEST,
            url,
            token,
            token_type_hint,
            body,
            auth,
            headers,
            kwargs,
        )
        revoked, response = self._perform(call)
        assert response is not None  # the flow has sent one request
        if self._forget_revoked(revoked.token, revoked.status):
            self._flight.discard()
        return response

    def introspect_token(
        self,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: Any = None,
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> ResponseT:
        """Ask about a token (RFC 7662), and return the HTTP library's response as it is.

        The arguments are those of `revoke_token`.
        """
        call = self._asking_about_token(
            Endpoint.INTROSPECTION,
            HookType.INTROSPECT_TOKEN_REQUEST,
            url,
            token,
            token_type_hint,
            body,
            auth,
            headers,
            kwargs,
        )
        response = self._perform(call)[1]
        assert response is not None  # the flow has sent one request
        return response

    def _prepare_flight(self) -> None:
        self._flight = ThreadFlight(self._keeper, self.run, self._save, deadline=self.deadline)
        if self._kept.store is not None:
            from .coordinated import CoordinatedThreads

            self._flight = CoordinatedThreads(
                self._keeper,
                self.run,
                self._save,
                store=self._kept.store,
                coordinator=self._coordinator(),
                renew=self._renewal,
                deadline=self.deadline,
            )

    def _save_all(self, flights: list[ThreadFlight]) -> None:
        # Each has its chance, also where one before it fails.
        with ExitStack() as saving:
            for flight in reversed(flights):
                saving.callback(flight.save_now)

    def _new_flight(self, keeper: TokenKeeper) -> ThreadFlight:
        return ThreadFlight(keeper, self.run, self._save, deadline=self.deadline)

    def _save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
        if self.update_token is None:
            return
        result = self.update_token(token, **self._saved_as(previous))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("update_token is asynchronous, and nothing awaits it here")
