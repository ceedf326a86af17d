"""OAuth 2.0 over httpx2: clients that are httpx2 clients, blocking and asynchronous.

The classes have the names, arguments and results of `authlib.integrations.httpx_client`.
Those for assertions are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from oauth2_sansio.errors import OAuth2Error as OAuthError

from .clients import AsyncOAuth2Client, OAuth2Auth, OAuth2Client

if TYPE_CHECKING:
    from .assertion_clients import AssertionClient, AsyncAssertionClient

__all__ = [
    "AssertionClient",
    "AsyncAssertionClient",
    "AsyncOAuth2Client",
    "OAuth2Auth",
    "OAuth2Client",
    "OAuthError",
]


def __getattr__(name: str) -> object:
    if name not in ("AssertionClient", "AsyncAssertionClient"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import assertion_clients

    value: object = getattr(assertion_clients, name)
    globals()[name] = value
    return value
