"""The clients of httpx2 with the vocabulary that all libraries of its shape share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

import httpx2

from oauth2_sansio.httpx_family.authorizing import TokenAuth
from oauth2_sansio.httpx_family.awaiting import AwaitingClient
from oauth2_sansio.httpx_family.blocking import BlockingClient
from oauth2_sansio.httpx_family.clients import ClientSettings
from oauth2_sansio.httpx_family.library import Library
from oauth2_sansio.tokens import DEFAULT_LEEWAY

_LIBRARY = Library(httpx2)


class OAuth2Auth(TokenAuth, httpx2.Auth):
    """Authorize the requests of any client of httpx2 with a token (RFC 6750).

    token: a dict; None for whatever token the client has at the time.
    token_placement: `header`, `body` or `uri`.
    client: a client of this package that renews the token when it has expired, and saves it.
    dpop: the key that the token is bound to; the client's where it is left out.
    sign: signs with that key where it is elsewhere; the client's where it is left out.

    Whoever may share that client may share this too, also as `auth=` of others of the library.
    """

    library = _LIBRARY


class OAuth2Client(BlockingClient, httpx2.Client):
    """A `httpx2.Client` for one client at one server, and one token.

    client_id, client_secret: from the registration of the client.
    token_endpoint_auth_method: `none`, `client_secret_basic` (the default where there is a
        secret), `client_secret_basic_raw`, `client_secret_post`, `tls_client_auth`,
        `self_signed_tls_client_auth`, a registered name, or a function.
    revocation_endpoint_auth_method: the same for revocation.
    scope: a text with spaces, or a list.
    token: a dict.
    token_placement: `header`, `body` or `uri`.
    update_token: is called with a renewed token, and with `refresh_token=` or `access_token=` of
        the one before it, before anybody uses the new one.
    leeway: how many seconds before its end a token is renewed.
    kwargs: endpoints and other members of the server's metadata, and arguments of `httpx2.Client`.

    Threads may share a client as far as they may share a `httpx2.Client`; of any number of threads
    that find the token expired, one renews it.
    """

    library = _LIBRARY
    auth_class = OAuth2Auth

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
        *,
        leeway: float = DEFAULT_LEEWAY,
        state: str | None = None,
        **kwargs: Unpack[ClientSettings],
    ) -> None:
        self._set_up(
            httpx2.Client.__init__,
            dict(kwargs),
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
        )


class AsyncOAuth2Client(AwaitingClient, httpx2.AsyncClient):
    """A `httpx2.AsyncClient` for one client at one server, and one token.

    The arguments are those of `OAuth2Client`; `update_token` may be asynchronous. It works under
    asyncio and under trio, in one event loop at a time. Of any number of tasks that find the token
    expired, one renews it, and the renewal outlives that task's cancellation.
    """

    library = _LIBRARY
    auth_class = OAuth2Auth

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
        **kwargs: Unpack[ClientSettings],
    ) -> None:
        self._set_up(
            httpx2.AsyncClient.__init__,
            dict(kwargs),
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
        )
