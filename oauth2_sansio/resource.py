"""The token in a request to a resource server (RFC 6750 section 2, RFC 9449 section 7.1)."""

from __future__ import annotations

from enum import Enum
from urllib.parse import parse_qsl, urlencode

from .errors import InvalidTokenError, LocalProtocolError, UnsupportedTokenTypeError
from .events import Endpoint
from .tokens import OAuth2Token
from .urls import add_to_query

DPOP = "dpop"
"""The type of a token that is bound to a key, in lower case."""

_FORM = "application/x-www-form-urlencoded"


class TokenPlacement(Enum):
    """Where in a request the access token goes."""

    HEADER = "header"
    BODY = "body"
    URI = "uri"


def authorization_header(token: OAuth2Token) -> str:
    """Return the value of the header `Authorization` for a token (RFC 6750 section 2.1).

    Raises `InvalidTokenError` for a token that cannot be sent, and `UnsupportedTokenTypeError` for
    one that is of another type than Bearer.
    """
    return f"Bearer {usable_access_token(token)}"


def usable_access_token(token: OAuth2Token) -> str:
    """Return the access token of a bearer token; see `authorization_header` for the errors."""
    kind = _kind(token)
    if kind != "bearer":
        bound = kind == DPOP
        raise UnsupportedTokenTypeError(
            "the token is bound to a key (DPoP)"
            if bound
            else "the token is of another type than Bearer",
            endpoint=Endpoint.RESOURCE,
            advice=(
                "give the client dpop=DPoP(private_key), with the key it was issued for"
                if bound
                else "ask the server for a bearer token"
            ),
        )
    return _plain_access_token(token)


def bound_access_token(token: OAuth2Token) -> str | None:
    """Return the access token of one that is bound to a key; None for a token of another type.

    Raises `InvalidTokenError` for a token that cannot be sent.
    """
    return _plain_access_token(token) if _kind(token) == DPOP else None


def place_in_url(url: str, token: OAuth2Token) -> str:
    """Return a URL with the token in its query (RFC 6750 section 2.3).

    RFC 9700 section 4.3.2 advises against it: URLs end up in logs.
    """
    return add_to_query(url, (("access_token", usable_access_token(token)),))


def place_in_body(body: str | None, content_type: str | None, token: OAuth2Token) -> str:
    """Return a form encoded body with the token in it (RFC 6750 section 2.2).

    body: the body so far; None or empty where there is none.
    content_type: its media type; None where there is none.
    Raises `LocalProtocolError` for a body that is no form.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if body and kind != _FORM:
        raise LocalProtocolError(
            "the token can only be placed into a form encoded body",
            endpoint=Endpoint.RESOURCE,
            advice='use token_placement="header"',
        )
    if body and any(name == "access_token" for name, _ in parse_qsl(body, True)):
        raise LocalProtocolError(
            "the body has an access_token already",
            endpoint=Endpoint.RESOURCE,
            advice="leave it out, or pass withhold_token=True",
        )
    placed = urlencode((("access_token", usable_access_token(token)),))
    return f"{body}&{placed}" if body else placed


def _kind(token: OAuth2Token) -> str | None:
    kind = token.get("token_type", "Bearer")
    return kind.lower() if isinstance(kind, str) else None


def _plain_access_token(token: OAuth2Token) -> str:
    access_token = token.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise InvalidTokenError(
            "there is no access token in the token",
            endpoint=Endpoint.RESOURCE,
            advice="fetch a token, or assign one that has an access_token",
        )
    if not (access_token.isascii() and access_token.isprintable()) or " " in access_token:
        raise InvalidTokenError(
            "the access token has characters that no header may have",
            endpoint=Endpoint.RESOURCE,
            advice="check where the token comes from",
        )
    return access_token
