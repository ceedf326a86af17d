"""What the server has issued, and what of it still counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from oauth2_sansio.events import Pairs, RequestToSend

from .configuration import User


class TokenKind(Enum):
    """The kinds of tokens, by their names in `token_type_hint` (RFC 7009 section 2.1)."""

    ACCESS = "access_token"
    REFRESH = "refresh_token"


@dataclass(slots=True, kw_only=True, eq=False)
class TokenFamily:
    """All tokens that come from one approval: they are revoked together.

    subject: the user; `None` where the client acts for itself.
    actor: who acts for the user, where that is not the client (RFC 8693 section 4.1).
    resources, audiences: the parameters `resource` and `audience`, in the order of the request.
    authorization_details: what was granted in detail (RFC 9396).
    acr, auth_time: how the user has logged in, and when, in seconds since the epoch.
    """

    client_id: str
    subject: str | None
    scope: str
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    actor: str | None = None
    authorization_details: tuple[dict[str, Any], ...] = ()
    acr: str | None = None
    auth_time: float | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code, and what it was issued for.

    redirect_uri: as it stood in the authorization request; `None` if it was left out there.
    challenge: the `code_challenge` (RFC 7636 section 4.3).
    expires_at: seconds since the epoch.
    """

    value: str = field(repr=False)
    family: TokenFamily
    redirect_uri: str | None
    challenge: str | None = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """An authorization request that came directly, and waits for a browser with its reference.

    expires_at: seconds since the epoch.
    """

    client_id: str
    parameters: Pairs = field(repr=False)
    expires_at: float


@dataclass(slots=True, kw_only=True, eq=False)
class Decision:
    """A decision that is asked of a user, and what has become of it.

    family: what the tokens will come from.
    user: who decides; what this user is like counts when the client asks.
    decided_at: when the user has decided, or will have; None for never.
    expires_at: when it is too late. All times are in seconds since the epoch.
    interval: how many seconds the client has to leave between two requests.
    notification: what tells the client of the decision, once.
    """

    family: TokenFamily
    user: User
    decided_at: float | None
    expires_at: float
    interval: float
    notification: RequestToSend | None = field(default=None, init=False, repr=False)
    asked_at: float | None = field(default=None, init=False)
    is_used: bool = field(default=False, init=False)

    def decide(self, user: User, now: float) -> None:
        """Let a user decide now."""
        self.user, self.decided_at = user, now

    def is_made(self, now: float) -> bool:
        """Say whether the user has decided by now."""
        return self.decided_at is not None and self.decided_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token, and what it is good for.

    issued_at, expires_at: seconds since the epoch.
    """

    value: str = field(repr=False)
    kind: TokenKind
    family: TokenFamily
    scope: str
    resources: tuple[str, ...]
    audiences: tuple[str, ...]
    authorization_details: tuple[dict[str, Any], ...] = field(default=(), hash=False)
    issued_at: float
    expires_at: float


class Ledger:
    """Keep codes and tokens, used and unused."""

    __slots__ = (
        "_certificates",
        "_codes",
        "_decisions",
        "_keys",
        "_nonces",
        "_pushed",
        "_revoked",
        "_spent_assertions",
        "_spent_codes",
        "_spent_tokens",
        "_tokens",
    )

    def __init__(self) -> None:
        self._codes: dict[str, AuthorizationCode] = {}
        self._tokens: dict[str, IssuedToken] = {}
        self._certificates: dict[str, str] = {}
        self._decisions: dict[str, Decision] = {}
        self._pushed: dict[str, PushedRequest] = {}
        self._spent_codes: set[str] = set()
        self._spent_tokens: dict[str, float] = {}
        self._spent_assertions: dict[tuple[str, str], float] = {}
        self._revoked: set[str] = set()
        self._keys: dict[str, str] = {}
        self._nonces: tuple[tuple[str, float], ...] = ()

    def add_code(self, code: AuthorizationCode) -> None:
        """Note a code that was issued."""
        self._codes[code.value] = code

    def add_token(self, token: IssuedToken) -> None:
        """Note a token that was issued."""
        self._tokens[token.value] = token

    def add_pushed_request(self, request_uri: str, request: PushedRequest) -> None:
        """Note an authorization request that was pushed, by the reference to it."""
        self._pushed[request_uri] = request

    def take_pushed_request(self, request_uri: str) -> PushedRequest | None:
        """Return what was pushed, once, whether it still counts or not."""
        return self._pushed.pop(request_uri, None)

    def add_decision(self, decision: Decision, *names: str) -> None:
        """Note what a user is to decide, by all codes that it is known by."""
        self._decisions.update(dict.fromkeys(names, decision))

    def decision(self, name: str) -> Decision | None:
        """Return what is known by a code, whether it still counts or not."""
        return self._decisions.get(name)

    def take_notifications(self, now: float) -> tuple[RequestToSend, ...]:
        """Return what tells clients of decisions that were made by now, each once."""
        found: list[RequestToSend] = []
        for decision in self._decisions.values():
            if decision.notification is not None and decision.is_made(now):
                found.append(decision.notification)
                decision.notification = None
        return tuple(found)

    def bind(self, value: str, key: str) -> None:
        """Note that a code or a token is bound to a key, by the key's thumbprint (RFC 9449)."""
        self._keys[value] = key

    def key_of(self, value: str) -> str | None:
        """Return the thumbprint of the key that a code or a token is bound to."""
        return self._keys.get(value)

    def bind_to_certificate(self, value: str, thumbprint: str) -> None:
        """Note that a token is bound to a certificate (RFC 8705 section 3)."""
        self._certificates[value] = thumbprint

    def certificate_of(self, value: str) -> str | None:
        """Return the thumbprint of the certificate that a token is bound to."""
        return self._certificates.get(value)

    @property
    def nonces(self) -> frozenset[str]:
        """The nonces that still count: the newest, and the one before it (RFC 9449 section 8)."""
        return frozenset(nonce for nonce, _ in self._nonces)

    def newest_nonce(self, now: float, lifetime: float, new: Callable[[], str]) -> str:
        """Return the nonce for the next proof: a new one where the last has had its time.

        now, lifetime: seconds since the epoch, and seconds.
        """
        if not self._nonces or now >= self._nonces[-1][1]:
            self._nonces = (*self._nonces[-1:], (new(), now + lifetime))
        return self._nonces[-1][0]

    def code(self, value: str) -> AuthorizationCode | None:
        """Return what is known of a code, whether it still counts or not."""
        return self._codes.get(value)

    def token(self, value: str) -> IssuedToken | None:
        """Return what is known of a token, whether it still counts or not."""
        return self._tokens.get(value)

    def spend_code(self, code: AuthorizationCode) -> bool:
        """Use up a code; return whether this was its first use."""
        first = code.value not in self._spent_codes
        self._spent_codes.add(code.value)
        return first

    def spend_token(self, token: IssuedToken, now: float) -> float:
        """Use up a refresh token; return the time of its first use, in seconds since the epoch."""
        return self._spent_tokens.setdefault(token.value, now)

    def spend_assertion(self, issuer: str, name: str, forgotten_at: float, now: float) -> bool:
        """Use up an assertion, by its `jti` or ID; return whether this was its first use.

        forgotten_at: seconds since the epoch; later it is refused in any case.
        """
        spent = self._spent_assertions
        for key in [key for key, until in spent.items() if until <= now]:
            del spent[key]
        first = (issuer, name) not in spent
        spent[issuer, name] = forgotten_at
        return first

    def is_spent(self, token: IssuedToken) -> bool:
        """Return whether a refresh token was used and replaced."""
        return token.value in self._spent_tokens

    def revoke(self, token: IssuedToken) -> None:
        """Revoke one token, and only this one."""
        self._revoked.add(token.value)

    def is_active(self, token: IssuedToken, now: float) -> bool:
        """Return whether a token still counts.

        now: seconds since the epoch.
        """
        return (
            token.expires_at > now
            and not token.family.revoked
            and token.value not in self._revoked
            and not self.is_spent(token)
        )
