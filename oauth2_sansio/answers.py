"""Reading what an endpoint has answered: one strict way for all of them.

A good answer becomes a dict. Anything else becomes a typed error that says which endpoint it was,
with which status, what the server said (without the secrets that we sent), and what to try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn, cast

from .errors import ErrorResponse, Outcome, RemoteProtocolError, printable
from .events import RequestToSend, ResponseReceived
from .redaction import cut_out, redact, secrets_of
from .retry_after import read_retry_after
from .urls import read_query

MAXIMUM_BODY = 1_048_576
"""How many bytes of an answer are read; a longer one is refused."""

HEAVIEST_BODY = 4_194_304
"""How many bytes of memory reading an answer may take; one that might take more is refused."""

_ALWAYS_LIGHT = 16_384  # bytes; whatever is in so short a text, it is not heavy
_LONGEST_NUMBER = 400  # digits; more would only serve to keep the processor busy
_GOOD = (200, 201)
_LOOKED_AT = 8_192  # bytes of a body that an excerpt is taken from, characters of a description
_COMPRESSED = "it is compressed, and nobody asked for that"
_FORM = "application/x-www-form-urlencoded"

_ADVICE: Mapping[str, str] = {
    "access_denied": "the user or the server's policy said no; do not ask again unprompted",
    "account_selection_required": (
        "send the user to the authorization endpoint without prompt=none"
    ),
    "authorization_pending": "wait for the interval, then ask again",
    "consent_required": "send the user to the authorization endpoint without prompt=none",
    "expired_login_hint_token": "get a new login_hint_token",
    "expired_token": "begin again: the user has taken too long",
    "interaction_required": "send the user to the authorization endpoint without prompt=none",
    "invalid_binding_message": "send a short binding_message of plain words",
    "invalid_client": "check client_id, client_secret and the client authentication method",
    "invalid_dpop_proof": "check the key and the clock that DPoP proofs are made with",
    "invalid_grant": (
        "the code or refresh token is not valid (any more): send the user to authorize again"
    ),
    "invalid_request": "check the parameters against the server's documentation",
    "invalid_scope": "ask for scopes that the server knows and the client may have",
    "invalid_target": "check resource and audience",
    "invalid_token": "get a new token",
    "invalid_user_code": "ask the user for their user_code once more",
    "login_required": "send the user to the authorization endpoint without prompt=none",
    "missing_user_code": "ask the user for their user_code, and send it along",
    "server_error": "the server failed: try again later",
    "slow_down": "wait five seconds longer, then ask again",
    "temporarily_unavailable": "the server is busy: try again later",
    "unauthorized_client": "let the server's operator allow this grant for the client",
    "unknown_user_id": "check the hint: the server knows no such user",
    "unsupported_grant_type": "use a grant that the server knows",
    "unsupported_response_type": "use a response type that the server knows",
    "unsupported_token_type": "leave out token_type_hint, or revoke the other token",
    "use_dpop_nonce": "the server's nonce was not taken up: check that each answer is learnt from",
}


@dataclass(slots=True)  # to make a frozen one takes three times as long
class Answer:
    """A response together with the request that it answers.

    now: when it came, in seconds since the epoch.
    """

    request: RequestToSend
    response: ResponseReceived
    now: float

    def read(self) -> dict[str, Any]:
        """Return the members of a good answer.

        Raises `ErrorResponse` where the server said no, and `RemoteProtocolError` for whatever is
        neither (RFC 6749 sections 5.1 and 5.2).
        """
        if self.response.status not in _GOOD:
            self.raise_refusal()
        document = self._document()
        # Some servers say no with a status of 200, and some say "error": null beside a token.
        if document.get("error"):
            self._raise_error(document)
        return document

    def raise_refusal(self) -> NoReturn:
        """Raise what an answer of any status but 200 and 201 stands for."""
        if 300 <= self.response.status < 400:
            raise self.broken(
                "the endpoint redirects, and credentials never follow a redirect",
                advice="configure the URL that the endpoint has now",
            )
        try:
            document = self._document()
        except RemoteProtocolError:
            document = {}
        if document.get("error"):
            self._raise_error(document)
        advice = (
            "the server failed: try again later"
            if self.response.status >= 500
            else "check the endpoint's URL, and what stands between it and this client"
        )
        raise self.broken(f"not an OAuth answer{self._excerpt()}", advice=advice)

    def broken(
        self, description: str, *, advice: str | None = None, error: str | None = None
    ) -> RemoteProtocolError:
        """Return the error for an answer that breaks the protocol; the answer stays reachable."""
        return RemoteProtocolError(
            description,
            error=error,
            status=self.response.status,
            endpoint=self.request.endpoint,
            advice=advice or "the fault is the server's: report it to its operator",
            response=self.response,
            outcome=self._outcome(),
            retry_after=self._retry_after(),
        )

    def check_size(self) -> None:
        """Raise `RemoteProtocolError` for a body that is longer than what is read."""
        if len(self.response.body) > MAXIMUM_BODY:
            raise self.broken(f"the answer is longer than {MAXIMUM_BODY} bytes")

    def check_coding(self) -> None:
        """Raise `RemoteProtocolError` for a body in a content coding (RFC 9110 section 8.4).

        What it expands to has no bound, so drivers ask for none, and expand none.
        """
        if self.response.body and self._is_compressed():
            raise self.broken(f"the answer cannot be read: {_COMPRESSED}")

    def _is_compressed(self) -> bool:
        coding = (self.response.header("Content-Encoding") or "identity").strip().lower()
        return coding != "identity"

    def _document(self) -> dict[str, Any]:
        self.check_size()
        try:
            document = read_json(self.response.body)
        except ValueError as error:
            # Nothing is raised in here: the parser's own exception holds the whole body, and must
            # not be chained.
            reason, is_form = _COMPRESSED if self._is_compressed() else str(error), self._is_form()
        else:
            if type(document) is dict:  # the decoder makes no other mapping
                return cast("dict[str, Any]", document)
            reason, is_form = "it is not a JSON object", False
        if is_form:
            return self._form_document()
        raise self.broken(f"the answer cannot be read: {reason}{self._excerpt()}")

    def _is_form(self) -> bool:
        kind = (self.response.header("Content-Type") or "").partition(";")[0].strip().lower()
        return kind == _FORM or (kind == "text/plain" and b"=" in self.response.body)

    def _form_document(self) -> dict[str, Any]:
        try:
            text = self.response.body.decode("ascii").strip()
            return dict(read_query(text, what="the answer"))
        except UnicodeDecodeError:
            reason = "it is form encoded and not ASCII"
        except RemoteProtocolError as error:
            reason = error.description or error.error
        raise self.broken(f"the answer cannot be read: {reason}")

    def _raise_error(self, document: Mapping[str, Any]) -> NoReturn:
        code, description, uri = (
            document.get(name) for name in ("error", "error_description", "error_uri")
        )
        if not isinstance(code, str):
            kind = type(code).__name__
            raise self.broken(f"the member `error` is a {kind}, not a text{self._excerpt()}")
        secrets = secrets_of(self.request)
        text = _without_secrets(description, secrets)
        raise ErrorResponse(
            # A code that everybody knows is no secret, whatever we have sent.
            code if code in _ADVICE else redact(_beginning(code, secrets), secrets, 80),
            text,
            _without_secrets(uri, secrets),
            status=self.response.status,
            endpoint=self.request.endpoint,
            advice=_ADVICE.get(code, "see what the server's documentation says of this code"),
            response=self.response,
            outcome=self._outcome(said_no=True),
            retry_after=self._retry_after(),
            printed=None if text is None else redact(text, frozenset(), 40),
        )

    def _outcome(self, *, said_no: bool = False) -> Outcome:
        status = self.response.status
        if status >= 500 or (status < 300 and not said_no):
            return Outcome.UNKNOWN
        return Outcome.REFUSED

    def _retry_after(self) -> float | None:
        return read_retry_after(self.response.header("Retry-After"), self.now)

    def _excerpt(self) -> str:
        body, secrets = self.response.body, secrets_of(self.request)
        text = body[:_LOOKED_AT].decode("utf-8", "replace")
        if len(body) > _LOOKED_AT:
            text = _without_end(text, secrets)
        text = redact(text, secrets, 20)
        words = " ".join(re.sub(r"<[^<>]{0,200}>", " ", text).split())
        if words:
            return f": {printable(words, 160)}"
        return "" if body else " (an empty body)"


def read_json(body: bytes, *, heaviest: float = HEAVIEST_BODY) -> object:
    """Return what a JSON text says; raise ValueError, without quoting the text, if it is not one.

    Only UTF-8 is read (with or without a byte order mark), as RFC 8259 section 8.1 says. A member
    that comes twice, a number that is not finite, and nesting without end are refused.

    heaviest: how many bytes of memory it may take. A million bytes of `{},{},` would take 25
        million.
    """
    if len(body) > _ALWAYS_LIGHT and _weight(body) > heaviest:
        raise ValueError("it would take too much memory")
    try:
        text = body.decode().removeprefix("\ufeff").strip(" \t\r\n")
        document, end = _DECODER.raw_decode(text)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "its JSON is nested too deeply"
    except json.JSONDecodeError:
        reason = "it is not JSON"
    else:
        if end == len(text):
            return document
        reason = "something follows its JSON"
    raise ValueError(reason)  # not inside `except`: the parser's own exception holds the text


def _weight(body: bytes) -> int:
    # At least as many bytes as reading takes: for the text and a copy of each text in it, both of
    # four bytes a character as soon as one character needs them; and for each value.
    of_texts = 9 if not body.isascii() or b"\\u" in body else 3
    containers = body.count(b"[") + body.count(b"{")
    return len(body) * of_texts + body.count(b",") * 240 + containers * 64


def _without_secrets(text: object, secrets: frozenset[str]) -> str | None:
    return cut_out(_beginning(text, secrets), secrets) if isinstance(text, str) else None


def _beginning(text: str, secrets: frozenset[str]) -> str:
    # Looking for secrets in whatever form takes long.
    return text if len(text) <= _LOOKED_AT else _without_end(text[:_LOOKED_AT], secrets)


def _without_end(text: str, secrets: frozenset[str]) -> str:
    # Where a text was cut it may end with the beginning of a secret, which nobody would know again.
    return text[: max(len(text) - max(map(_longest_form, secrets), default=0), 0)]


def _longest_form(secret: str) -> int:
    # An escape makes six characters of one, and up to twelve of one beyond ASCII.
    return len(secret) * (6 if secret.isascii() else 12)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("its JSON repeats a member")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("its JSON holds a number that is not finite")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("its JSON holds a number of too many digits")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")
    if not isfinite(number):
        raise ValueError("its JSON holds a number that is out of range")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_constant=_refuse_constant,
    parse_int=_integer,
    parse_float=_fraction,
)
