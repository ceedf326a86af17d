"""HTTP/1.1 over trio and h11, and OAuth 2.0 on top of it, without any further dependency."""

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
    "ConnectError",
    "ConnectTimeout",
    "DeadlineExceeded",
    "HTTPClient",
    "HTTPError",
    "HTTPStatusError",
    "Headers",
    "Limits",
    "LocalProtocolError",
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
