"""Keeping secrets out of text that somebody will print."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

from .events import RequestToSend

REDACTED = "[redacted]"

# What may be shown of what we send. Everything else is taken for a secret.
_PUBLIC_PARAMETERS = frozenset(
    {
        "audience",
        "client_assertion_type",
        "client_id",
        "code_challenge_method",
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
_PUBLIC_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
_SHORT_SECRET = 3  # characters; one so short is cut out only where it is a word of its own
_RUN = r"[A-Za-z0-9._~+/=%-]"
_WORDS = re.compile(r"[a-z._/-]+")
# A value of such a name, in JSON, in a form, in XML, in a header or in prose, whatever it looks like.
_NAMED = re.compile(
    r"""((?:token|secret|password|assertion|verifier|device_code)["'\]\s]*+[:=>][\s\[{(]*+)"""
    r"""(?:"(?:[^"\\]|\\.)*+"?|'[^']*+'?|[^\s<>&,;"'()\[\]{}]+)""",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_JSON_TEXT = re.compile(r'"((?:[^"\\]|\\.)*+)"')


def redact(text: str, secrets: frozenset[str], longest_word: int) -> str:
    """Return text without the secrets, and without whatever may well be one.

    That is the value of a name such as `access_token`, and any unbroken run that is long.

    longest_word: how many characters of a token's alphabet may stand in a row, unless all are
        lower case letters.
    """

    def judge(run: re.Match[str]) -> str:
        return run[0] if _WORDS.fullmatch(run[0]) else REDACTED

    text = _NAMED.sub(rf"\1{REDACTED}", cut_out(text, secrets))
    return re.sub(rf"{_RUN}{{{longest_word},}}", judge, text)


def cut_out(text: str, secrets: frozenset[str]) -> str:
    """Return text without the secrets, also where it has them percent-encoded or escaped.

    A text that hides one in a way that cannot be cut out is replaced as a whole.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) <= _SHORT_SECRET:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", REDACTED, text)
        else:
            for form in (secret, quote(secret, safe="", errors="replace"), html.escape(secret)):
                text = text.replace(form, REDACTED)
    long_secrets = [secret for secret in secrets if len(secret) > _SHORT_SECRET]
    if any(secret in view for view in _views(text) for secret in long_secrets):
        return REDACTED
    return text


def secrets_of(request: RequestToSend) -> frozenset[str]:
    """Return every value in a request that must not be printed, should the server send it back."""
    parameters = [*request.form, *parse_qsl(request.url.partition("?")[2])]
    found: set[str] = set()
    if request.content is not None:
        content = request.content.decode("utf-8", "replace")
        parameters += parse_qsl(content)
        if content.lstrip()[:1] in {"{", "["}:
            found.update(_unescaped(each) for each in _JSON_TEXT.findall(content))
    found.update(value for name, value in parameters if name not in _PUBLIC_PARAMETERS)
    for name, value in request.headers:
        if name.lower() not in _PUBLIC_HEADERS:
            scheme, _, credentials = value.partition(" ")
            found |= {value, credentials}
            if scheme.lower() == "basic":
                found |= _basic_secrets(credentials)
    return frozenset(filter(None, found))


def _views(text: str) -> Iterator[str]:
    yield text
    yield unquote_plus(text)
    yield html.unescape(text)
    yield _unescaped(text)
    yield unquote_plus(_unescaped(html.unescape(text)))


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[2], text)
    # Two escapes may be the halves of one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _basic_secrets(credentials: str) -> set[str]:
    try:
        decoded = base64.b64decode(credentials, validate=True)
    except ValueError:  # not Basic credentials after all, and so nothing more is hidden in them
        return set()
    texts = {decoded.decode("utf-8", "replace"), decoded.decode("latin-1")}
    secrets = {text.partition(":")[2] for text in texts}
    return texts | secrets | {unquote(secret) for secret in secrets}
