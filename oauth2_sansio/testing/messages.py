"""Reading requests, and writing answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from oauth2_sansio.certificates import certificate_thumbprint
from oauth2_sansio.events import Pairs, RequestToSend, ResponseReceived

from .configuration import User

MAY_REPEAT = frozenset({"resource", "audience"})
FORM = "application/x-www-form-urlencoded"
NO_STORE: Pairs = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_MOST_PARAMETERS = 200


class Refusal(Exception):
    """The server says no: becomes an error answer (RFC 6749 section 5.2)."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Pairs = ()
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers

    @property
    def answer(self) -> ResponseReceived:
        """This refusal as a JSON answer."""
        members = {"error": self.error, "error_description": self.description}
        return json_answer(members, status=self.status, headers=self.headers)


def invalid_client(description: str) -> Refusal:
    """Return the refusal of a client that does not prove who it is (RFC 6749 section 5.2)."""
    challenge = ("WWW-Authenticate", 'Basic realm="oauth", charset="UTF-8"')
    return Refusal("invalid_client", description, status=401, headers=(challenge,))


def invalid_grant(description: str) -> Refusal:
    """Return the refusal of what should have become a token (RFC 6749 section 5.2)."""
    return Refusal("invalid_grant", description)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRequest:
    """A request as the server understands it.

    form: the parameters of the body; empty if the body is no form.
    user: who would be at the browser.
    certificate: the thumbprint of the one that the client has shown.
    """

    method: str
    origin: str
    path: str
    query: Pairs
    form: Pairs
    headers: Pairs
    body: bytes
    user: User
    certificate: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its letter case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def __repr__(self) -> str:
        return f"<IncomingRequest {self.method} {self.path}>"


def read_request(
    request: RequestToSend, user: User, certificate: bytes | None = None
) -> IncomingRequest:
    """Take a request apart.

    certificate: the one that the client has shown, as DER.
    Raises `Refusal` if it is malformed.
    """
    try:
        url = urlsplit(request.url)
        body = request.body
        content_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
        return IncomingRequest(
            method=request.method.upper(),
            origin=origin_of(request.url),
            path=url.path or "/",
            query=read_pairs(url.query),
            form=read_pairs(body.decode()) if content_type == FORM else (),
            headers=request.headers,
            body=body,
            user=user,
            certificate=None if certificate is None else certificate_thumbprint(certificate),
        )
    except ValueError as error:
        raise Refusal("invalid_request", "The request cannot be read.") from error


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL; the port always, the host in lower case.

    Raises `ValueError` for what is no URL.
    """
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or default}"


def read_pairs(text: str) -> Pairs:
    """Read a form encoded text.

    Raises `ValueError` if it is malformed.
    """
    pairs = parse_qsl(
        text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
    )
    return tuple(pairs)


def require_method(request: IncomingRequest, *methods: str) -> None:
    """Raise `Refusal` if a request is of another method than these."""
    if request.method not in methods:
        raise Refusal(
            "invalid_request",
            f"This endpoint does not take {request.method}.",
            status=405,
            headers=(("Allow", ", ".join(methods)),),
        )


class Parameters:
    """Parameters of a request: each at most once, but for those that may repeat.

    An empty value counts as left out (RFC 6749 section 3.1).
    Raises `Refusal` if another one repeats.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Pairs) -> None:
        counted = Counter(name for name, _ in pairs if name not in MAY_REPEAT)
        if any(count > 1 for count in counted.values()):
            raise Refusal("invalid_request", "A parameter is included more than once.")
        self._pairs = tuple(pair for pair in pairs if pair[1])

    @property
    def pairs(self) -> Pairs:
        """All of them, in their order."""
        return self._pairs

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, or `None`."""
        return next((value for key, value in self._pairs if key == name), None)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may repeat."""
        return tuple(value for key, value in self._pairs if key == name)

    def require(self, name: str) -> str:
        """Return the value of a parameter.

        Raises `Refusal` if it is missing.
        """
        value = self.get(name)
        if value is None:
            raise Refusal("invalid_request", f"The parameter {name} is missing.")
        return value


def json_answer(
    members: Mapping[str, object], *, status: int = 200, headers: Pairs = ()
) -> ResponseReceived:
    """Return a JSON answer that no cache may keep."""
    return ResponseReceived(
        status=status,
        headers=(("Content-Type", "application/json"), *NO_STORE, *headers),
        body=json.dumps(members).encode(),
    )


def page(text: str, *, status: int = 200, headers: Pairs = ()) -> ResponseReceived:
    """Return an HTML page; the text is taken as it stands."""
    return ResponseReceived(
        status=status,
        headers=(("Content-Type", "text/html; charset=utf-8"), *NO_STORE, *headers),
        body=f"<!DOCTYPE html>\n<html><body>{text}</body></html>\n".encode(),
    )
