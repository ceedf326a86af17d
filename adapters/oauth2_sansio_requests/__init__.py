"""OAuth 2.0 over requests: a session that is a `requests.Session`, and an `auth=` object.

The classes have the names, arguments and results of `authlib.integrations.requests_client`.
"""

from oauth2_sansio.errors import OAuth2Error as OAuthError

from .assertion_session import AssertionSession
from .auth import OAuth2Auth
from .session import OAuth2Session

__all__ = ["AssertionSession", "OAuth2Auth", "OAuth2Session", "OAuthError"]
