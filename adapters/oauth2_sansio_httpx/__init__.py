"""OAuth 2.0 over httpx: clients that are httpx clients, blocking and asynchronous.

The classes have the names, arguments and results of `authlib.integrations.httpx_client`.
"""

from oauth2_sansio.errors import OAuth2Error as OAuthError

from .assertion_clients import AssertionClient, AsyncAssertionClient
from .clients import AsyncOAuth2Client, OAuth2Auth, OAuth2Client

__all__ = [
    "AssertionClient",
    "AsyncAssertionClient",
    "AsyncOAuth2Client",
    "OAuth2Auth",
    "OAuth2Client",
    "OAuthError",
]
