"""`OAuth2Client` and `AssertionClient`: an `HTTPClient` for one client at one server, and one token."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Unpack

import trio

from oauth2_sansio.answers import MAXIMUM_BODY
from oauth2_sansio.driving import drive_async
from oauth2_sansio.dropin.assertions import AssertionVocabulary
from oauth2_sansio.dropin.calls import Call
from oauth2_sansio.dropin.hooks import amend_response
from oauth2_sansio.dropin.library_errors import with_class
from oauth2_sansio.dropin.parameters import OPTIONS_OF_HTTP
from oauth2_sansio.dropin.responses import header_texts, read_double
from oauth2_sansio.dropin.settings import Settings
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error, TransportError
from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived, T
from oauth2_sansio.flow import Flow
from oauth2_sansio.tokens import DEFAULT_LEEWAY
from oauth2_sansio.waiting.awaiting import AwaitingVocabulary
from oauth2_sansio.waiting.clock import now
from oauth2_sansio.waiting.lending import Lending

from .authorizing import OAuth2Auth
from .errors import HTTPError, HTTPStatusError, UnusableClientError
from .http_client import HTTPClient
from .request import HeaderFields, is_auth
from .response import Response
from .sending import pairs_of, received, translated
from .settings import Limits, Timeout


class OAuth2Client(AwaitingVocabulary[Response], Lending, HTTPClient):
    """An `HTTPClient` for one client at one server, and one token.

    client_id, client_secret: from the registration of the client.
    token_endpoint_auth_method: `none`, `client_secret_basic` (the default where there is a
        secret), `client_secret_basic_raw`, `client_secret_post`, `tls_client_auth`,
        `self_signed_tls_client_auth`, a registered name, or a function.
    revocation_endpoint_auth_method: the same for revocation.
    scope: a text with spaces, or a list.
    token: a dict.
    token_placement: `header`, `body` or `uri`.
    update_token: is called, and awaited where it can be, with a renewed token, and with
        `refresh_token=` or `access_token=` of the one before it, before anybody uses the new one.
    leeway: how many seconds before its end a token is renewed.
    state: what a callback has to carry.
    verify, headers, timeout, limits: see `HTTPClient`.
    kwargs: endpoints and other members of the server's metadata; `deadline`: how many seconds a
        request to an endpoint may take as a whole.

    Each request carries the token, renewed before if it has expired, unless it is made with
    `withhold_token=True` or an `auth` of one's own. Where a server refuses the token as invalid, it is renewed and the request
    repeated, once, if it can be repeated. `OAuthError` is raised before anything is sent where there
    is no usable token.

    Any number of tasks of one run may share it. Of those that find the token expired, one renews
    it, and the renewal outlives that task's cancellation.
    """

    REQUEST_OPTIONS: ClassVar[frozenset[str]] = frozenset({"timeout"})
    NOT_OF_A_CALL: ClassVar[frozenset[str]] = OPTIONS_OF_HTTP - REQUEST_OPTIONS

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: Any = None,
        token_endpoint_auth_method: Any = None,
        revocation_endpoint_auth_method: Any = None,
        scope: Any = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        update_token: Callable[..., Any] | None = None,
        leeway: float = DEFAULT_LEEWAY,
        *,
        state: str | None = None,
        verify: bool | ssl.SSLContext = True,
        headers: HeaderFields = (),
        timeout: Timeout | float = Timeout(),  # noqa: B008 - a frozen value
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        **kwargs: Unpack[Settings],
    ) -> None:
        self._configure(
            client_id=client_id,
            client_secret=client_secret,
            token_endpoint_auth_method=token_endpoint_auth_method,
            revocation_endpoint_auth_method=revocation_endpoint_auth_method,
            scope=scope,
            state=state,
            redirect_uri=redirect_uri,
            token=token,
            token_placement=token_placement,
            update_token=update_token,
            leeway=leeway,
            settings=kwargs,
        )
        HTTPClient.__init__(self, verify=verify, headers=headers, timeout=timeout, limits=limits)
        self._prepare_flight()
        self._own_auth = OAuth2Auth(None, self.token_placement, self)

    @property
    def token_auth(self) -> OAuth2Auth:
        """The token of this client, whatever it is at the time, as `auth=` for any `HTTPClient`."""
        return OAuth2Auth(None, self.token_placement, self)

    async def aclose(self) -> None:
        """Save what could not be saved before, and close the connections.

        A renewal that is running ends first. Raises `UnsavedTokenError` if something still cannot
        be saved.
        """
        try:
            if not self._is_closed:
                await self._save_all(self._flights())
        finally:
            await HTTPClient.aclose(self)

    async def _ask(
        self, method: str, url: str, options: Mapping[str, Any], *, stream: bool
    ) -> Response:
        if options.get("withhold_token") or options.get("auth") is not None:
            return await super()._ask(method, url, options, stream=stream)
        own = self._own_auth
        own.token_placement = self.token_placement
        return await super()._ask(method, url, {**options, "auth": own}, stream=stream)

    def _token_client_class(self) -> type[Any]:
        return HTTPClient

    async def _perform(self, flow: Flow[T]) -> tuple[T, Response | None]:
        call: Call[T] | None = flow if isinstance(flow, Call) else None
        timeout = None if call is None else call.options.get("timeout")
        auth = None if call is None else call.http_auth
        deadline = self.deadline
        if isinstance(timeout, (int, float)):
            deadline = max(deadline, timeout)
        hooks = () if call is None else call.amend_response
        responses: list[Any] = []
        client: HTTPClient = self._endpoint_client

        async def exchange(request: RequestToSend) -> ResponseReceived | RequestFailed:
            try:
                self._pool_of_this_run()  # a client that is closed fetches no token either
                response: Any = await client._authorized(  # noqa: SLF001 - of this very package
                    translated(client, request, deadline, timeout), auth, stream=True
                )
                return await self._read(response, hooks, responses)
            except UnusableClientError as error:
                unusable = str(error)
            except HTTPError as error:
                return RequestFailed(error, sent=error.sent)
            raise LocalProtocolError(unusable, endpoint=request.endpoint)

        try:
            result = await drive_async(flow, exchange, trio.sleep, now, self._signs)
        except OAuth2Error as error:
            raise _as_http_error(error, responses) from None
        return result, responses[-1] if responses else None

    async def _read(
        self, response: Any, hooks: tuple[Any, ...], responses: list[Any]
    ) -> ResponseReceived:
        if type(response) is Response:
            try:
                await response.aread(limit=MAXIMUM_BODY, decode=False)
            finally:
                await response.aclose()
        if hooks and "content-encoding" not in dict(pairs_of(response)):
            # A compressed answer, which nobody asked for, is refused as it stands.
            response = amend_response(response, hooks)
        responses.append(response)
        if type(response) is Response and "json" not in vars(response):
            return await received(response)
        return read_double(response, header_texts(pairs_of(response)))

    def _is_http_auth(self, auth: Any) -> bool:
        return is_auth(auth)  # all else that can be called is a function of this vocabulary


class AssertionClient(AssertionVocabulary, OAuth2Client):
    """An `HTTPClient` whose token comes of a signed assertion (RFC 7521, RFC 7523).

    issuer, subject: who says it, and of whom.
    audience: to whom; the token endpoint where it is left out.
    grant_type: JWT bearer where it is left out.
    claims: further claims, or others instead of ours; a `jti` of one's own counts.
    client_id: goes along where it is given.
    kwargs: `key` (see `oauth2_sansio.read_key`), `alg`, `header`, `expires_in` (seconds, 3600),
        `issued_at` and `expires_at` (seconds since the epoch, of the first assertion alone), and
        all keyword arguments of `OAuth2Client`.

    The token is fetched before the first request, and renewed before it expires; of any number of
    tasks, one does it.
    """

    def __init__(
        self,
        token_endpoint: str,
        issuer: str,
        subject: str | None,
        audience: Any = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: Any = None,
        client_id: str | None = None,
        *,
        leeway: float = DEFAULT_LEEWAY,
        **kwargs: Any,
    ) -> None:
        self._tell(issuer, subject, audience, grant_type, claims, kwargs)
        OAuth2Client.__init__(
            self,
            client_id,
            scope=scope,
            token_placement=token_placement,
            leeway=leeway,
            token_endpoint=token_endpoint,
            **kwargs,
        )


def _as_http_error(error: OAuth2Error, responses: list[Any]) -> OAuth2Error:
    # As an instance of this package's class too, where it has one for what went wrong.
    cause = error.cause if isinstance(error, TransportError) else None
    if isinstance(cause, HTTPError):
        return with_class(error, type(cause), {"sent": cause.sent})
    if error.status is not None and error.status >= 500 and responses:
        members = {"sent": True, "status_code": error.status, "response": responses[-1]}
        return with_class(error, HTTPStatusError, members)
    return error
