"""The user's way to the server and back (RFC 6749 section 4.1, RFC 7636, RFC 9207)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from .callback import CallbackAnswer, ResponseMode, broken_callback, open_callback
from .errors import ErrorResponse, LocalProtocolError, MismatchingStateError, RemoteProtocolError
from .events import Endpoint, Pairs
from .redaction import redact
from .server import Server
from .stored import FLAG, TEXT, TEXT_OR_NONE, TIME_OR_NONE, Kinds, read_stored, write_stored
from .tokens import OAuth2Token, is_visible_text, token_from_document
from .urls import add_to_query

if TYPE_CHECKING:
    from .jwt_verification import JWTVerification

# What is written once and then remembered. What is one user's own gets into no cache.
_SAME_FOR_EVERY_USER = frozenset(
    {"response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"}
)
# Where a request says none of these, somebody else would have chosen them for this user.
_OF_A_REQUEST_ALONE = frozenset(
    {
        *("redirect_uri", "request", "request_uri", "state", "dpop_jkt"),
        *("code_challenge", "code_challenge_method"),
    }
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAuthorization:
    """A user who was sent to the server, and is not back yet.

    Keep it where only this user's browser session reaches it, and use it once.

    url: where to send the user's browser.
    state: what the answer has to carry. `Client` makes none without one, and redeems none.
    issuer: who has to answer; None if that is not known.
    issuer_required: whether the answer has to name its issuer (RFC 9207 section 2.4).
    expires_at: when it is too late to come back, in seconds since the epoch.
    url_expires_at: when it is too late to send the browser there, in the same way; None for a URL
        that holds the whole request.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    redirect_uri: str | None = None
    code_verifier: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    response_type: str = "code"
    response_mode: ResponseMode = ResponseMode.QUERY
    issuer: str | None = None
    issuer_required: bool = False
    expires_at: float | None = None
    url_expires_at: float | None = None

    def read_callback(self, callback: str) -> str:
        """Return the code in a callback, once all else in it has been checked.

        callback: the URL to which the user came back; with `ResponseMode.FORM_POST` the body that
            was posted there.
        Raises `MismatchingStateError`, `RemoteProtocolError`, or the server's `ErrorResponse`;
        `LocalProtocolError` for a signed one, which `Client.redeem` reads.
        """
        return self.read_answer(callback, "code").parameters["code"]

    def read_implicit_callback(
        self, callback: str, now: float, verification: JWTVerification | None = None
    ) -> OAuth2Token:
        """Return the token in a callback, once all else in it has been checked.

        Only for a `response_type` with `token` in it (RFC 6749 section 4.2), which
        RFC 9700 section 2.1.2 advises against.
        now: seconds since the epoch.
        verification: what a signed one has to be.
        """
        answer = self.read_answer(callback, "access_token", verification)
        answer.check_times(now)
        return token_from_document(answer.parameters, now, broken_callback)

    def read_answer(
        self, callback: str, wanted: str, verification: JWTVerification | None = None
    ) -> CallbackAnswer:
        """Return what a callback says, once it has been checked.

        wanted: what has to be in it: `code` or `access_token`.
        verification: what a signed one has to be.
        Raises what `read_callback` raises.
        """
        if _COMES_WITH[wanted] not in self.response_type.split():
            raise LocalProtocolError(
                f"no {wanted} comes with the response type {self.response_type!r}",
                endpoint=Endpoint.AUTHORIZATION,
                advice="read this callback in the other way",
            )
        answer = open_callback(callback, self.response_mode, self.response_type, verification)
        parameters = answer.parameters
        check_state(parameters, self.state)
        check_issuer(parameters, self.issuer, required=self.issuer_required)
        raise_callback_error(parameters)
        if not is_visible_text(parameters.get(wanted)):
            raise broken_callback(f"the callback has no usable {wanted}")
        return answer

    def check_age(self, now: float) -> None:
        """Raise `LocalProtocolError` if it is too late to come back."""
        if self.expires_at is not None and now > self.expires_at:
            raise LocalProtocolError(
                "this authorization is too old",
                endpoint=Endpoint.AUTHORIZATION,
                advice="send the user to the server again",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict that JSON can hold. The dict holds secrets."""
        return write_stored(self, _STORED)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> PendingAuthorization:
        """Return what `to_dict` has made; raise `LocalProtocolError` for anything else."""
        values = read_stored(document, _STORED, _not_stored)
        mode = values["response_mode"]
        if values["state"] == "" or mode not in [each.value for each in ResponseMode]:
            raise _not_stored("a member is missing, or of a wrong type")
        values["response_mode"] = ResponseMode(mode)
        return cls(**values)


_COMES_WITH: Mapping[str, str] = {"code": "code", "access_token": "token"}
"""What a callback holds, and the part of the response type that calls for it."""

_STORED: Kinds = {
    "url": TEXT,
    "state": TEXT,
    "redirect_uri": TEXT_OR_NONE,
    "code_verifier": TEXT_OR_NONE,
    "nonce": TEXT_OR_NONE,
    "response_type": TEXT,
    "response_mode": TEXT,
    "issuer": TEXT_OR_NONE,
    "issuer_required": FLAG,
    "expires_at": TIME_OR_NONE,
    "url_expires_at": TIME_OR_NONE,
}


def check_state(answer: Mapping[str, str], state: str) -> None:
    """Raise `MismatchingStateError` unless the answer carries this state."""
    given, wanted = (
        text.encode("utf-8", "surrogatepass") for text in (answer.get("state", ""), state)
    )
    if not hmac.compare_digest(given, wanted):
        raise MismatchingStateError(
            "the callback carries another state, or none",
            endpoint=Endpoint.AUTHORIZATION,
            advice="refuse it: it is forged, or belongs to another browser session",
        )


def check_issuer(answer: Mapping[str, str], issuer: str | None, *, required: bool) -> None:
    """Raise `RemoteProtocolError` unless the answer is this issuer's (RFC 9207 section 2.4)."""
    given = answer.get("iss")
    if (given is None and required) or (
        given is not None and issuer is not None and given != issuer
    ):
        raise RemoteProtocolError(
            "the callback names no issuer" if given is None else "the callback is another issuer's",
            error="issuer_mismatch",
            endpoint=Endpoint.AUTHORIZATION,
            advice="refuse it: the answer may come from an attacker's server",
        )


_HIDDEN = ("code", "access_token", "id_token", "refresh_token", "state")


def raise_callback_error(answer: Mapping[str, str]) -> None:
    """Raise the error that a callback carries (RFC 6749 section 4.1.2.1), if it carries one."""
    code = answer.get("error")
    if code:
        hidden = frozenset(answer[name] for name in _HIDDEN if answer.get(name))
        description = answer.get("error_description")
        raise ErrorResponse(
            redact(code, hidden, 80),
            description,
            answer.get("error_uri"),
            endpoint=Endpoint.AUTHORIZATION,
            advice="the server did not authorize: see the code",
            printed=None if description is None else redact(description, hidden, 48),
        )


def check_begun_at(server: Server, pending: PendingAuthorization) -> None:
    """Raise `LocalProtocolError` unless this authorization was begun at this server, safely."""
    if pending.issuer != server.issuer:
        raise LocalProtocolError(
            "this authorization was begun at another server",
            endpoint=Endpoint.TOKEN,
            advice="redeem it with the client that made it",
        )
    if not pending.state:
        raise LocalProtocolError(
            "this authorization has no state, so any callback would do",
            endpoint=Endpoint.TOKEN,
            advice="begin it with Client.authorize, which makes one",
        )


def authorization_url(endpoint: str, parameters: Pairs) -> str:
    """Return the authorization endpoint's URL with these parameters added to its own query.

    endpoint: the URL as it stands in a `Server`, which has checked it.
    parameters: texts that UTF-8 can write.
    Raises `LocalProtocolError` where the endpoint's own query says something else already (which
    of the two would count is anybody's guess), or what a request alone may say.
    """
    if "?" in endpoint:
        own = parse_qsl(endpoint.partition("?")[2], keep_blank_values=True)
        given = dict(parameters)
        if any(
            given.get(name, None if name in _OF_A_REQUEST_ALONE else value) != value
            for name, value in own
        ):
            raise LocalProtocolError(
                "the query of the authorization endpoint sets a parameter of the request already",
                endpoint=Endpoint.AUTHORIZATION,
                advice="take that parameter out of the endpoint's URL",
            )
        return add_to_query(endpoint, tuple(pair for pair in parameters if pair not in own))
    written = [
        _written_once(name, value)
        if name in _SAME_FOR_EVERY_USER
        else f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in parameters
    ]
    return f"{endpoint}?{'&'.join(written)}"


@lru_cache(maxsize=256)
def _written_once(name: str, value: str) -> str:
    return f"{name}={quote(value, safe='')}"


def random_text(random_bytes: Callable[[int], bytes]) -> str:
    """Return 256 random bits as 43 characters that need no encoding anywhere."""
    return base64url(random_bytes(32))


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge for a verifier (RFC 7636 section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def check_challenge_method(server: Server) -> None:
    """Raise `RemoteProtocolError` where a server's metadata rule out S256.

    A server that says nothing of PKCE ignores what it does not know (RFC 6749 section 3.1).
    """
    known = server.code_challenge_methods_supported
    if known is not None and "S256" not in known:
        raise RemoteProtocolError(
            "the server's metadata list PKCE methods, and S256 is not among them",
            endpoint=Endpoint.AUTHORIZATION,
            advice="let the server's operator allow S256, or build the client with omit_pkce",
        )


def check_verifier(verifier: str) -> str:
    """Return a verifier that has the form of RFC 7636 section 4.1; ValueError for another."""
    if not _VERIFIER.fullmatch(verifier):
        raise ValueError("a code_verifier has 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
    return verifier


def base64url(raw: bytes) -> str:
    """Return bytes in base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def generate_token(length: int = 30) -> str:
    """Return a random text of letters and digits, from the system's source of randomness."""
    found: list[str] = []
    while len(found) < length:
        # 248 is the largest multiple of 62 in a byte: each letter is as likely as any other.
        found += (_LETTERS[byte % 62] for byte in os.urandom(length) if byte < 248)
    return "".join(found[:length])


def _not_stored(reason: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"no pending authorization can be read from this: {reason}",
        advice="send the user to the server again",
    )
