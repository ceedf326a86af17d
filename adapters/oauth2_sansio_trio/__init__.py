"""HTTP/1.1 over trio and h11, and OAuth 2.0 on top of it, without any further dependency."""

from oauth2_sansio.errors import OAuth2Error as OAuthError

from .authorizing import OAuth2Auth
from .clients import AssertionClient, OAuth2Client
from .errors import (
    ConnectError,
    ConnectTimeout,
    DeadlineExceeded,
    HTTPError,
    HTTPStatusError,
    LocalProtocolError,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RedirectError,
    RemoteProtocolError,
    TimedOutError,
    UnusableClientError,
    WriteError,
    WriteTimeout,
)
from .headers import Headers
from .http_client import HTTPClient
from .request import Request
from .response import Response
from .sending import run, send
from .settings import Limits, Timeout

__all__ = [
    "AssertionClient",
    "ConnectError",
    "ConnectTimeout",
    "DeadlineExceeded",
    "HTTPClient",
    "HTTPError",
    "HTTPStatusError",
    "Headers",
    "Limits",
    "LocalProtocolError",
    "OAuth2Auth",
    "OAuth2Client",
    "OAuthError",
    "PoolTimeout",
    "ReadError",
    "ReadTimeout",
    "RedirectError",
    "RemoteProtocolError",
    "Request",
    "Response",
    "TimedOutError",
    "Timeout",
    "UnusableClientError",
    "WriteError",
    "WriteTimeout",
    "run",
    "send",
]
