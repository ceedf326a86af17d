"""OAuth 2.0 over requests: a session that is a `requests.Session`, and an `auth=` object.

The classes have the names, arguments and results of `authlib.integrations.requests_client`.
`AssertionSession` is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from oauth2_sansio.errors import OAuth2Error as OAuthError

from .auth import OAuth2Auth
from .session import OAuth2Session

if TYPE_CHECKING:
    from .assertion_session import AssertionSession

__all__ = ["AssertionSession", "OAuth2Auth", "OAuth2Session", "OAuthError"]


def __getattr__(name: str) -> object:
    if name != "AssertionSession":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .assertion_session import AssertionSession

    globals()[name] = AssertionSession
    return AssertionSession
