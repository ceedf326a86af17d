"""Tokens, and how to read them out of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from .answers import Answer
from .errors import OAuth2Error

DEFAULT_LEEWAY = 60.0
"""How many seconds before its end a token counts as expired."""

SHORT_LIFETIME = 300.0
"""Up to how many seconds a token's life is short: then the leeway is at most a fifth of it."""

LONGEST_LIFETIME = 315_360_000.0
"""Ten years in seconds: no token is taken to live longer."""

# Numbers: to look for a text in bytes costs Python an exception that nobody sees.
_BACKSLASH, _PERCENT, _DELETE = b"\\%\x7f"
_NOT_INHERITED = frozenset({"access_token", "token_type", "expires_in", "expires_at"})


class OAuth2Token(dict[str, Any]):
    """The members of a token response (RFC 6749 section 5.1), as the dict that they are.

    `expires_at` (seconds since the epoch) is added when a response is read; unknown members are
    kept. An `id_token` is kept too, and is not verified. Printing shows no secret; `dict(token)`
    and `json.dumps(token)` give the values.
    """

    __slots__ = ()

    @classmethod
    def from_dict(cls, token: Mapping[str, Any] | None) -> OAuth2Token | None:
        """Return a stored dict as a token, a token as it is, and None as None."""
        return token if token is None or isinstance(token, cls) else cls(token)

    @property
    def access_token(self) -> str | None:
        """The access token, or None where the dict has none that is a text."""
        return _text(self.get("access_token"))

    @property
    def token_type(self) -> str | None:
        """The type of the access token: Bearer where the server named none, None if no text."""
        return _text(self.get("token_type", "Bearer"))

    @property
    def refresh_token(self) -> str | None:
        """The refresh token; None where there is none."""
        token = self.get("refresh_token")
        return token if isinstance(token, str) and token else None

    @property
    def id_token(self) -> str | None:
        """The ID token, not verified; None where there is none."""
        return _text(self.get("id_token")) or None

    @property
    def scope(self) -> str | None:
        """The scope as one text, also where the server sent a list of texts."""
        match self.get("scope"):
            case str() as scope:
                return scope
            case [*scopes] if all(isinstance(scope, str) for scope in scopes):
                return " ".join(scopes)
            case _:
                return None

    @property
    def authorization_details(self) -> tuple[dict[str, Any], ...] | None:
        """What was granted in detail (RFC 9396 section 7), which may be less, or more, than was
        asked for; None where there is nothing that can be read.
        """
        match self.get("authorization_details"):
            case [*details] if all(map(_is_detail, details)):
                return tuple(details)
            case _:
                return None

    @property
    def expires_at(self) -> float | None:
        """When the access token expires, in seconds since the epoch; None if that is unknown."""
        return read_seconds(self.get("expires_at"))

    def is_expired(self, leeway: float = DEFAULT_LEEWAY, now: float | None = None) -> bool | None:
        """Say whether the access token has expired, or will within the leeway.

        leeway: seconds; of a short life it is at most a fifth, so that the token is used at all.
        now: seconds since the epoch; the system's clock where it is left out.
        Returns None where nobody knows.
        """
        stale_at = self.stale_at(leeway)
        if stale_at is None:
            return None
        return (system_time() if now is None else now) >= stale_at

    def stale_at(self, leeway: float = DEFAULT_LEEWAY) -> float | None:
        """Return when the access token is to be renewed, in seconds since the epoch.

        leeway: see `is_expired`.
        Returns None where nobody knows when it expires, and 0 where it never was good.
        """
        lifetime = read_seconds(self.get("expires_in"))
        expires_at = self.expires_at
        if expires_at is None:
            return 0.0 if lifetime is not None and lifetime <= 0 else None
        if lifetime is not None and lifetime <= max(leeway, SHORT_LIFETIME):
            leeway = min(leeway, max(lifetime, 0.0) / 5)
        return expires_at - leeway

    def __repr__(self) -> str:
        expires_at = self.expires_at
        until = "" if expires_at is None else f", expires_at={expires_at:.0f}"
        more = ", with a refresh token" if self.refresh_token else ""
        return f"<OAuth2Token{until}{more}>"

    __str__ = __repr__


def read_token(answer: Answer, previous: OAuth2Token | None = None) -> OAuth2Token:
    """Return the token in an answer of the token endpoint.

    previous: the token that was refreshed: what the answer leaves out is taken from it.
    Raises `ErrorResponse` or `RemoteProtocolError`; the answer stays reachable on the error, so
    that nothing that the server has issued is lost.
    """
    document = answer.read()
    if not _is_plain(answer.response.body):
        return _token(document, answer.now, answer.broken, previous, is_visible_text)
    lifetime = document.get("expires_in")
    if (
        # As nearly every answer is: all of it by a few look-ups, and in one dict.
        type(lifetime) is int
        and 0 <= lifetime <= LONGEST_LIFETIME
        and "expires_at" not in document
        and type(document.get("access_token")) is str
        and document["access_token"]
        and type(document.get("refresh_token", "")) is str
    ):
        token = OAuth2Token(document, expires_at=int(answer.now + lifetime))
        if previous is not None:
            _inherit(token, previous)
        return token
    return _token(document, answer.now, answer.broken, previous, _is_filled)


def token_from_document(
    document: Mapping[str, Any],
    now: float,
    broken: Callable[[str], OAuth2Error],
    previous: OAuth2Token | None = None,
) -> OAuth2Token:
    """Return the token that these members make up (RFC 6749 sections 4.2.2 and 5.1).

    now: when they came, in seconds since the epoch.
    broken: makes the error for members that are no token.
    """
    return _token(document, now, broken, previous, is_visible_text)


def is_visible_text(value: object) -> bool:
    """Say whether a value is a text of one or more characters %x20-7E (RFC 6749 appendix A)."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != ""


def read_seconds(value: object) -> float | None:
    """Return a number of seconds from a number or a numeric text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if isfinite(seconds) else None


def system_time() -> float:
    """Return seconds since the epoch, for a function of the users' that was given no time.

    The one clock of the core: everything else is handed the time.
    """
    import time  # noqa: TID251 - see above

    return time.time()


def _token(
    document: Mapping[str, Any],
    now: float,
    broken: Callable[[str], OAuth2Error],
    previous: OAuth2Token | None,
    is_sound: Callable[[object], bool],
) -> OAuth2Token:
    token = OAuth2Token(document)
    access_token, refresh_token = token.get("access_token"), token.get("refresh_token")
    if not is_sound(access_token):
        raise broken(_complaint("access_token", access_token))
    if refresh_token and not is_sound(refresh_token):
        raise broken(_complaint("refresh_token", refresh_token))
    expires_at = _expiry(token, now)
    if expires_at is not None:
        token["expires_at"] = expires_at
    else:
        token.pop("expires_at", None)
    if previous is not None:
        _inherit(token, previous)
    return token


def _is_plain(body: bytes) -> bool:
    # The readers refuse control characters as such, so whatever a token may not have comes in by an
    # escape. To look for one here costs a tenth of looking at each character of each token.
    return body.isascii() and not (_BACKSLASH in body or _PERCENT in body or _DELETE in body)


def _is_detail(value: object) -> bool:
    match value:
        case {"type": str()}:
            return True
        case _:
            return False


def _is_filled(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _expiry(document: Mapping[str, Any], now: float) -> int | None:
    lifetime, expires_at = document.get("expires_in"), document.get("expires_at")
    # A server's own `expires_at` counts where it can be true; else the lifetime does.
    end, seconds = read_seconds(expires_at), read_seconds(lifetime)
    if end is None or abs(end - now) > LONGEST_LIFETIME:
        if seconds is None:
            return None
        end = now + min(max(seconds, 0.0), LONGEST_LIFETIME)
    return int(end)


def _inherit(token: OAuth2Token, previous: OAuth2Token) -> None:
    for name, value in previous.items():
        if name not in _NOT_INHERITED and token.get(name) is None:
            token[name] = value
    if not token.get("refresh_token") and previous.refresh_token:
        token["refresh_token"] = previous.refresh_token


def _complaint(member: str, value: object) -> str:
    if value is None or value == "":
        return f"the answer has no {member}"
    if not isinstance(value, str):
        return f"the {member} in the answer is a {type(value).__name__}, not a text"
    return f"the {member} in the answer has characters that no token may have"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
