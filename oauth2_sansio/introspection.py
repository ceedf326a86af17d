"""What an authorization server says of a token (RFC 7662), signed where that was asked for (RFC 9701)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .answers import Answer
from .events import Pairs
from .tokens import read_seconds

if TYPE_CHECKING:
    from .jwt_verification import JWTVerification

_TYP = "token-introspection+jwt"

ACCEPT_SIGNED: Pairs = (("Accept", f"application/{_TYP}"),)
"""What asks for an answer that is signed (RFC 9701 section 4)."""


class Introspection(dict[str, Any]):
    """The members of an introspection response (RFC 7662 section 2.2), as the dict that they are.

    Printing shows only whether the token is active.
    """

    __slots__ = ()

    @property
    def active(self) -> bool:
        """Whether the token is good: true only where the server sent a true `true`."""
        return self.get("active") is True

    @property
    def scope(self) -> str | None:
        """The scopes of the token, with spaces between."""
        value = self.get("scope")
        return value if isinstance(value, str) else None

    @property
    def expires_at(self) -> float | None:
        """When the token expires (`exp`), in seconds since the epoch; None if unknown."""
        return read_seconds(self.get("exp"))

    @property
    def audience(self) -> tuple[str, ...]:
        """For whom the token is (`aud`): one text or several become a tuple."""
        match self.get("aud"):
            case str() as audience:
                return (audience,)
            case [*audiences]:
                return tuple(each for each in audiences if isinstance(each, str))
            case _:
                return ()

    @property
    def acr(self) -> str | None:
        """How the user has logged in (RFC 9470 section 6.2), by the server's name for it."""
        value = self.get("acr")
        return value if isinstance(value, str) else None

    @property
    def auth_time(self) -> float | None:
        """When the user has logged in (RFC 9470 section 6.2), in seconds since the epoch."""
        return read_seconds(self.get("auth_time"))

    def __repr__(self) -> str:
        return f"<Introspection active={self.active}>"

    __str__ = __repr__


def read_introspection(answer: Answer) -> Introspection:
    """Return what the server says of a token.

    Raises `RemoteProtocolError` where `active` is missing or no boolean: a text such as "false"
    must never pass for true.
    """
    return _checked(Introspection(answer.read()), answer)


def read_signed_introspection(verification: JWTVerification, answer: Answer) -> Introspection:
    """Return what the server says of a token in a JWT that it has signed (RFC 9701 section 5).

    Raises `RemoteProtocolError` for any other answer, a plain one too.
    """
    if answer.response.status != 200:
        answer.raise_refusal()
    kind = (answer.response.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != f"application/{_TYP}":
        raise answer.broken(
            "the answer is not signed, and a signed one was asked for",
            advice="the server may know none: introspect without keys=",
        )
    jwt = verification.verify(answer.response.body.strip().decode("latin-1"), answer.broken)
    if jwt.typ != _TYP:
        raise answer.broken("the server's JWT is of another kind: its typ is not that of these")
    jwt.check_times(answer.now, answer.broken, required="iat")
    members = jwt.claims.get("token_introspection")
    if not isinstance(members, dict):
        raise answer.broken("the server's JWT has no claim token_introspection")
    return _checked(Introspection(cast("dict[str, Any]", members)), answer)


def _checked(introspection: Introspection, answer: Answer) -> Introspection:
    if not isinstance(introspection.get("active"), bool):
        raise answer.broken("the member `active` is missing, or is not true or false")
    return introspection
