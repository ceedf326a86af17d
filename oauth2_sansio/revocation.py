"""Telling the server that a token is not needed any more (RFC 7009)."""

from __future__ import annotations

from .answers import Answer
from .errors import MissingTokenError
from .events import Pairs
from .tokens import OAuth2Token


def token_and_hint(token: OAuth2Token | str, token_type_hint: str | None) -> Pairs:
    """Return the parameters `token` and `token_type_hint` (RFC 7009 section 2.1).

    token: of an `OAuth2Token` the refresh token, or else the access token.
    Raises `MissingTokenError` where there is none.
    """
    if isinstance(token, OAuth2Token):
        token_type_hint = token_type_hint or (
            "refresh_token" if token.refresh_token else "access_token"
        )
        token = token.refresh_token or token.access_token or ""
    if not token:
        raise MissingTokenError("there is no token to ask about", advice="fetch one first")
    hint = () if token_type_hint is None else (("token_type_hint", token_type_hint),)
    return (("token", token), *hint)


def read_revocation(answer: Answer) -> None:
    """Take the answer for what it says; raise unless it says that the token is gone."""
    # RFC 7009 section 2.2: 200 is all that counts, and its body says nothing. Some send 204.
    if answer.response.status not in (200, 204):
        answer.raise_refusal()
