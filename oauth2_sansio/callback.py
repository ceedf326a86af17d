"""What the server says in a callback, in whichever way it comes, signed (JARM) or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from .errors import LocalProtocolError, RemoteProtocolError
from .events import Endpoint
from .urls import read_query, split_callback

if TYPE_CHECKING:
    from .jwt_verification import JWT, JWTVerification


class ResponseMode(Enum):
    """How the server hands its answer to the callback; those with JWT are signed (JARM)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"
    JWT = "jwt"  # in the query for a code, in the fragment for all else
    QUERY_JWT = "query.jwt"
    FRAGMENT_JWT = "fragment.jwt"
    FORM_POST_JWT = "form_post.jwt"

    @property
    def is_signed(self) -> bool:
        """Whether the whole answer is one JWT (JARM section 2.3)."""
        return self.value.endswith("jwt")

    def carrier(self, response_type: str) -> ResponseMode:
        """Return the plain mode that says where in the callback the answer to such a request is."""
        if self is ResponseMode.JWT:
            return default_mode(response_type)
        return ResponseMode(self.value.removesuffix(".jwt"))


def default_mode(response_type: str) -> ResponseMode:
    """Return the mode of an answer for which none was asked."""
    return ResponseMode.QUERY if response_type == "code" else ResponseMode.FRAGMENT


def check_signed_mode(mode: ResponseMode, issuer: str | None) -> None:
    """Raise `LocalProtocolError` for a signed mode where nobody knows whose answer it has to be."""
    if mode.is_signed and issuer is None:
        raise LocalProtocolError(
            "a signed answer names its issuer, and this server has none",
            endpoint=Endpoint.AUTHORIZATION,
            advice="give Server(issuer=...), or read the server's metadata",
        )


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the server says in a callback, proved but for the time of a signed one.

    signed: the JWT that all of it came in, if it did.
    """

    parameters: Mapping[str, str] = field(repr=False)
    signed: JWT | None = None

    def check_times(self, now: float) -> None:
        """Raise `RemoteProtocolError` for a signed answer whose time is not now (JARM section 2.1)."""
        if self.signed is not None:
            self.signed.check_times(now, broken_callback, required="exp")


def open_callback(
    callback: str,
    mode: ResponseMode,
    response_type: str,
    verification: JWTVerification | None = None,
) -> CallbackAnswer:
    """Return the parameters that a callback brings, in the mode that was asked for and no other.

    Nothing of a plain one is proved by that.
    Raises `RemoteProtocolError`; `LocalProtocolError` for a signed mode without a verification.
    """
    carried = _carried(callback, mode.carrier(response_type))
    response = carried.get("response")
    if not mode.is_signed:
        if response is not None:
            raise broken_callback("the callback is signed, and no such one was asked for")
        return CallbackAnswer(carried)
    if verification is None:
        raise LocalProtocolError(
            "this callback is signed, and read here without the server's keys",
            endpoint=Endpoint.AUTHORIZATION,
            advice="pass it to Client.redeem, with keys=",
        )
    if response is None:
        raise broken_callback(
            "the callback is not signed, and a signed one was asked for",
            advice="refuse it: it is forged, or the server knows no signed responses (JARM)",
        )
    signed = verification.verify(response, broken_callback)
    return CallbackAnswer(_parameters_in(signed.claims), signed)


def broken_callback(
    description: str, *, error: str | None = None, advice: str | None = None
) -> RemoteProtocolError:
    """Return the error for a callback that breaks the protocol."""
    return RemoteProtocolError(
        description,
        error=error,
        endpoint=Endpoint.AUTHORIZATION,
        advice=advice or "the fault is the server's",
    )


def _carried(callback: str, carrier: ResponseMode) -> dict[str, str]:
    if carrier is ResponseMode.FORM_POST:
        return read_query(callback, what="the posted callback")
    query, fragment = split_callback(callback)
    beside = read_query(query, what="the callback")
    if carrier is ResponseMode.QUERY:
        return beside
    answer = read_query(fragment, what="the callback")
    # Some servers put `iss` into the query while all else is in the fragment.
    issuer = beside.get("iss")
    if issuer is not None and answer.setdefault("iss", issuer) != issuer:
        raise broken_callback("the callback has iss more than once")
    return answer


def _parameters_in(claims: Mapping[str, Any]) -> dict[str, str]:
    # As they would stand in a plain callback: `expires_in` of a token may be a number here.
    return {
        name: str(value)
        for name, value in claims.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
