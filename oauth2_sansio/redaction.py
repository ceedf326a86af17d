"""Keeping secrets out of text that somebody will print."""

from __future__ import annotations

import base64
import binascii
import html
import re
from urllib.parse import parse_qsl, quote, unquote

from .events import RequestToSend

REDACTED = "[redacted]"

# What may be shown of what we send. Everything else is taken for a secret.
_PUBLIC_PARAMETERS = frozenset(
    {
        "audience",
        "client_assertion_type",
        "client_id",
        "grant_type",
        "redirect_uri",
        "requested_token_type",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "subject_token_type",
        "token_type_hint",
    }
)
_SHORTEST_SECRET = 4


def redact(text: str, secrets: frozenset[str], longest_word: int) -> str:
    """Return text without the secrets, and without any unbroken run that may well be one.

    longest_word: how many characters of a token's alphabet may stand in a row.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), html.escape(secret)}:
            text = text.replace(form, REDACTED)
    return re.sub(rf"[A-Za-z0-9._~+/=%-]{{{longest_word},}}", REDACTED, text)


def secrets_of(request: RequestToSend) -> frozenset[str]:
    """Return every value in a request that must not be printed, should the server send it back."""
    form = request.form
    if request.content is not None:
        form = tuple(parse_qsl(request.content.decode("utf-8", "replace")))
    found = {value for name, value in form if name not in _PUBLIC_PARAMETERS}
    for name, value in request.headers:
        if name.lower() in {"authorization", "dpop"}:
            scheme, _, credentials = value.rpartition(" ")
            found.add(credentials)
            if scheme.lower() == "basic":
                found |= _basic_secrets(credentials)
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def _basic_secrets(credentials: str) -> set[str]:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
    except binascii.Error:  # not Basic credentials after all, and so nothing more is hidden in them
        return set()
    secret = decoded.partition(":")[2]
    return {secret, unquote(secret)}
