"""Reading and checking JWTs that are assertions (RFC 7523 section 3)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from oauth2_sansio.client_assertion import AssertionAudience
from oauth2_sansio.events import Endpoint
from oauth2_sansio.jwt_verification import is_time

from .messages import Refusal
from .state import ServerState
from .verification_keys import VerificationKey

_ENCODED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True, slots=True)
class UnverifiedJWT:
    """A JWT as it came: nothing of it is proved.

    message, signature: what was signed, and the signature.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The header `alg`; empty if there is none."""
        return _text(self.header.get("alg"))

    @property
    def issuer(self) -> str:
        """The claim `iss`; empty if there is none."""
        return _text(self.claims.get("iss"))

    @property
    def subject(self) -> str:
        """The claim `sub`; empty if there is none."""
        return _text(self.claims.get("sub"))

    def is_signed_by(self, keys: Iterable[VerificationKey]) -> bool:
        """Return whether one of these keys has signed it."""
        key_id = self.header.get("kid")
        return any(
            key.verify(self.algorithm, self.message, self.signature)
            for key in keys
            if key.fits(self.algorithm, key_id)
        )


def read_jwt(text: str, types: Sequence[str]) -> UnverifiedJWT:
    """Take a signed JWT apart (RFC 7515 section 3.1), strictly.

    types: the values of the header `typ` that are allowed, in lower case; it may always be left
        out.
    Raises `ValueError` with the reason.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise ValueError("It is no signed JWT.")
    header, claims = _read_object(parts[0]), _read_object(parts[1])
    if "crit" in header or "b64" in header:
        raise ValueError("Its header demands what is not understood.")
    if _text(header.get("typ", "jwt")).lower() not in types:
        raise ValueError("Its typ is that of another kind of JWT.")
    message = f"{parts[0]}.{parts[1]}".encode("ascii")
    return UnverifiedJWT(header, claims, message, decode_base64url(parts[2]))


def read_trusted_jwt(state: ServerState, text: str) -> UnverifiedJWT:
    """Return a JWT that an issuer has signed whom the server trusts.

    Raises `ValueError` for any other one.
    """
    jwt = read_jwt(text, ("jwt",))
    if not jwt.subject or not jwt.is_signed_by(trusted_keys(state, jwt.issuer)):
        raise ValueError("Its issuer is not trusted, or its signature is not right.")
    return jwt


def trusted_keys(state: ServerState, issuer: str) -> tuple[VerificationKey, ...]:
    """Return the keys of an issuer whom the server trusts; none of another."""
    return tuple(
        key
        for trusted in state.settings.assertion_issuers
        if trusted.issuer == issuer
        for key in trusted.verification_keys
    )


def check_claims(
    state: ServerState,
    jwt: UnverifiedJWT,
    *,
    jti_required: bool,
    audiences: frozenset[str] | None = None,
) -> None:
    """Check for whom a JWT is and when it counts, and use up its `jti`.

    audiences: whom it may be meant for; left out, this server.
    Raises `ValueError` with the reason.
    """
    settings, now, claims = state.settings, state.now(), jwt.claims
    if not _audiences(claims.get("aud")) & (audiences or accepted_audiences(state)):
        raise ValueError("Its audience is somebody else.")
    expires_at = _time(claims, "exp")
    if expires_at is None:
        raise ValueError("It does not say when it expires.")
    check_times(
        state,
        expires_at=expires_at,
        not_before=_time(claims, "nbf"),
        issued_at=_time(claims, "iat"),
    )
    jti = _text(claims.get("jti"))
    if not jti:
        if jti_required or "jti" in claims:
            raise ValueError("It has no jti.")
        return
    forgotten_at = expires_at + settings.clock_skew
    if not state.ledger.spend_assertion(jwt.issuer, jti, forgotten_at, now):
        raise ValueError("It was used before.")


def check_times(
    state: ServerState,
    *,
    expires_at: float | None,
    not_before: float | None = None,
    issued_at: float | None = None,
) -> None:
    """Check when an assertion counts; all times are seconds since the epoch.

    Raises `ValueError` with the reason.
    """
    settings, now = state.settings, state.now()
    skew = settings.clock_skew
    if expires_at is not None:
        if expires_at + skew <= now:
            raise ValueError("It has expired.")
        if expires_at - skew > now + settings.longest_assertion_lifetime:
            raise ValueError("It expires too late.")
    for time in (not_before, issued_at):
        if time is not None and time - skew > now:
            raise ValueError("It does not count yet.")


def accepted_audiences(state: ServerState) -> frozenset[str]:
    """Return whom an assertion may be meant for."""
    names = {
        AssertionAudience.ISSUER: state.issuer,
        AssertionAudience.TOKEN_ENDPOINT: state.url(Endpoint.TOKEN),
    }
    return frozenset(names[each] for each in state.settings.assertion_audiences)


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2), strictly.

    Raises `ValueError` for anything else.
    """
    if not text or not _ENCODED.issuperset(text):
        raise ValueError("It is no base64url without padding.")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def refusing(refusal: Callable[[str], Refusal]) -> Generator[None, None, None]:
    """Make a refusal of whatever `ValueError` says why an assertion is not taken."""
    try:
        yield
    except ValueError as error:
        raise refusal(f"The assertion is refused. {error}") from error


def _read_object(segment: str) -> Mapping[str, Any]:
    try:
        value: object = json.loads(
            decode_base64url(segment), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except RecursionError:
        value = None
    if not isinstance(value, dict):
        raise ValueError("It is not made of JSON objects.")  # noqa: TRY004 - of what was sent
    return cast("dict[str, Any]", value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("It says something twice.")
    return members


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if not is_time(value):
        raise ValueError(f"Its {name} is no time.")
    return value


def _audiences(value: object) -> frozenset[object]:
    if isinstance(value, list):
        return frozenset(each for each in cast("list[object]", value) if isinstance(each, str))
    return frozenset({value}) if isinstance(value, str) else frozenset()
