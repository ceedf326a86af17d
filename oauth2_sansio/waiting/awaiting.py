"""The asynchronous half of the drop-in vocabulary, under asyncio and under trio."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Generic, NoReturn, TypeVar

from ..dropin.hooks import HookType
from ..dropin.vocabulary import Vocabulary, read_given_token
from ..errors import (
    InvalidTokenError,
    LocalProtocolError,
    MissingTokenError,
    Outcome,
    TransportError,
)
from ..events import Endpoint, SignatureNeeded, T
from ..flow import Flow
from ..keeper import TokenKeeper
from ..tokens import OAuth2Token
from .clock import now
from .tasks import TaskFlight, current_loop

ResponseT = TypeVar("ResponseT")


class TokenAtHand(OAuth2Token):
    """A token from a fragment: it is there at once, and can be awaited all the same."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, OAuth2Token]:
        yield from ()
        return self


class AwaitingVocabulary(Vocabulary, Generic[ResponseT]):
    """The calls that send something. An adapter says how (`_perform`)."""

    @abstractmethod
    async def _perform(self, flow: Flow[T]) -> tuple[T, ResponseT | None]:
        """Drive a flow; return its result and the HTTP library's last response."""

    @property
    def _signs(self) -> Callable[[SignatureNeeded], Awaitable[bytes]] | None:
        # What a driver signs with.
        return None if self.sign is None else self._signature

    async def _signature(self, needed: SignatureNeeded) -> bytes:
        # Nobody can cancel a renewal: so this needs a bound, as `update_token` does.
        from ..dropin.signing import signature_async  # here, since few clients have such a key

        sign = self.sign
        assert sign is not None  # else no driver calls this
        return await current_loop().within(
            self.deadline, lambda: signature_async(sign, needed), self._not_signed_in_time
        )

    def _not_signed_in_time(self) -> Exception:
        return TransportError(
            f"sign= has not ended within {self.deadline:g} seconds",
            outcome=Outcome.NOT_SENT,
            advice="nothing was sent: try again, or give the client a longer deadline=",
        )

    async def run(self, flow: Flow[T]) -> T:
        """Drive any flow of the strict vocabulary through this client, and return its result."""
        return (await self._perform(flow))[0]

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
    ) -> Awaitable[OAuth2Token]:
        """Fetch a token, and keep it.

        The grant follows from what is given: `authorization_response` or `code` (authorization
        code), `username` and `password` (password), else client credentials. A token in the
        fragment of an `authorization_response` is there without being awaited.

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
        if isinstance(call, OAuth2Token):
            token = TokenAtHand(call)
            self._arrive(token, now())
            return token
        return self._fetched(call)

    def fetch_access_token(self, url: str | None = None, **kwargs: Any) -> Awaitable[OAuth2Token]:
        """Do what `fetch_token` does, under its old name."""
        return self.fetch_token(url, **kwargs)

    def token_from_fragment(
        self, authorization_response: str, state: str | None = None
    ) -> OAuth2Token:
        """Take the token out of a callback's fragment (RFC 6749 section 4.2.2), and keep it."""
        token = self._implicit_token(authorization_response, state, now())
        self._arrive(token, now())
        return token

    async def refresh_token(
        self,
        url: str | None = None,
        refresh_token: str | None = None,
        body: Any = "",
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> OAuth2Token:
        """Renew the token, whether it has expired or not, and keep the new one.

        Where another task is renewing it already, that renewal serves this call too. The arguments
        are those of `fetch_token`.
        """
        held = self._keeper.token
        spending = refresh_token or (held.refresh_token if held is not None else None)
        renew = self._refreshing(url, refresh_token, body, auth, headers, kwargs)
        return await self._flight.token(by_hand=renew, spending=spending)

    async def ensure_active_token(self, token: Mapping[str, Any] | None = None) -> bool:
        """Renew the token if it has expired; return whether there is one to use now.

        token: another one than this client's. Where it has expired, it is renewed, and the new
            token kept here.
        """
        given = read_given_token(token)
        try:
            if given is None or given == self._keeper.token:
                await self._flight.token()
            elif given.is_expired(self.leeway, now()):
                await self._flight.token(
                    by_hand=self._renewing(given), spending=given.refresh_token
                )
        except (InvalidTokenError, MissingTokenError):
            return False
        return True

    async def push_authorization_request(
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
        return keep(await self.run(call))

    async def sign_authorization_request(
        self,
        url: str | None = None,
        state: str | None = None,
        code_verifier: str | None = None,
        **kwargs: Any,
    ) -> tuple[str, str]:
        """Have an authorization request signed, and return the URL to send the user to.

        The arguments and results are those of `create_authorization_url`; the signature by a key
        elsewhere is awaited (RFC 9101).
        """
        from ..dropin.signing import finish_async

        call, keep = self._authorizing(url, state, code_verifier, kwargs, push=False)
        return keep(await finish_async(call, now, self._signs))

    def _push_at_once(
        self,
        _url: str | None,
        _state: str | None,
        _code_verifier: str | None,
        _parameters: dict[str, Any],
        /,
    ) -> NoReturn:
        raise LocalProtocolError(
            "this server takes authorization requests only where they are pushed to it",
            endpoint=Endpoint.PUSHED_AUTHORIZATION,
            advice="await push_authorization_request, which takes and returns the same",
        )

    async def revoke_token(
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
        token: where it is left out, this client's refresh token, or else its access token.
        A token of this client that the server has revoked is gone from here too.
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
        revoked, response = await self._perform(call)
        assert response is not None  # the flow has sent one request
        if self._forget_revoked(revoked.token, revoked.status):
            await self._flight.discard()
        return response

    async def introspect_token(
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
        response = (await self._perform(call))[1]
        assert response is not None  # the flow has sent one request
        return response

    async def _fetched(self, call: Flow[OAuth2Token]) -> OAuth2Token:
        token = await self.run(call)
        self._arrive(token, now())
        await self._flight.keep(token)
        return token

    def _prepare_flight(self) -> None:
        self._flight = TaskFlight(self._keeper, self.run, self._save, deadline=self.deadline)
        if self._kept.store is not None:
            from .coordinated import CoordinatedTasks

            self._flight = CoordinatedTasks(
                self._keeper,
                self.run,
                self._save,
                store=self._kept.store,
                coordinator=self._coordinator(),
                renew=self._renewal,
                deadline=self.deadline,
            )

    async def _save_all(self, flights: list[TaskFlight]) -> None:
        # Each has its chance, also where one before it fails.
        async with AsyncExitStack() as saving:
            for flight in reversed(flights):
                saving.push_async_callback(flight.save_now)

    def _new_flight(self, keeper: TokenKeeper) -> TaskFlight:
        return TaskFlight(keeper, self.run, self._save, deadline=self.deadline)

    async def _save(self, token: OAuth2Token, previous: OAuth2Token) -> None:
        if self.update_token is not None:
            result = self.update_token(token, **self._saved_as(previous))
            if inspect.isawaitable(result):
                await result
