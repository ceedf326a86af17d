"""Requests and responses in words, with nothing in them that is secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from oauth2_sansio.challenges import read_challenges
from oauth2_sansio.errors import printable
from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.redaction import redact, secrets_of

HIDDEN = "***"

_SECRET_MEMBERS = frozenset({"access_token", "refresh_token", "id_token"})
_SHOWN_MEMBERS = _SECRET_MEMBERS | frozenset(
    {"active", "client_id", "error", "expires_in", "issuer", "scope", "sub", "subject"}
    | {"token_type"}
)
_SHOWN_IN_CALLBACKS = frozenset({"error", "iss"})
_LONGEST = 60  # characters of a value, and of an unbroken run in it


def sent(request: RequestToSend) -> str:
    """Return what was sent: method, path, and the parameters with the secrets hidden."""
    parts = urlsplit(request.url)
    secrets = secrets_of(request)
    pairs = (*parse_qsl(parts.query, keep_blank_values=True), *request.form)
    words = [f"{name}={HIDDEN if value in secrets else value}" for name, value in pairs]
    scheme = (request.header("Authorization") or "").partition(" ")[0]
    if scheme:
        words.append(f"({scheme} {HIDDEN})")
    return " ".join([request.method, parts.path, *words])


def outcome(request: RequestToSend, event: ResponseReceived | RequestFailed) -> str:
    """Return the status that came back, and the error's code if there is one."""
    if isinstance(event, RequestFailed):
        return f"no response ({type(event.cause).__name__})"
    challenges = read_challenges(event.header_values("WWW-Authenticate"))
    codes = [*(challenge.error for challenge in challenges), json_members(event).get("error")]
    known = [_plain(code, secrets_of(request)) for code in codes if isinstance(code, str)]
    return " ".join([str(event.status), *known[:1]])


def received(request: RequestToSend, event: ResponseReceived | RequestFailed) -> str:
    """Return the outcome, and the members that came with it with the secrets hidden."""
    words = [outcome(request, event)]
    if isinstance(event, ResponseReceived):
        secrets = secrets_of(request)
        words += [
            f"{name}={HIDDEN if name in _SECRET_MEMBERS else _plain(value, secrets)}"
            for name, value in json_members(event).items()
            if name in _SHOWN_MEMBERS and name != "error"
        ]
    return " ".join(words)


def brought(url: str) -> str:
    """Return what a browser brought back: path, and the parameters with the secrets hidden."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    secrets = frozenset(value for name, value in pairs if name not in _SHOWN_IN_CALLBACKS)
    words = [
        f"{name}={_plain(value, secrets) if name in _SHOWN_IN_CALLBACKS else HIDDEN}"
        for name, value in pairs
    ]
    return " ".join(["GET", parts.path, *words])


def json_members(response: ResponseReceived) -> Mapping[str, object]:
    """Return the members of a JSON object, and none of anything else."""
    try:
        document: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}


def _plain(value: object, secrets: frozenset[str]) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return printable(redact(text, secrets - {""}, _LONGEST), _LONGEST)
