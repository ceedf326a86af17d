"""Refusals in the words of RFC 6749, and refusals that only look like it."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

from .credentials import (
    ACCESS_TOKEN,
    BASIC,
    CLIENT_SECRET,
    CODE,
    CODE_VERIFIER,
    ISSUED_REFRESH_TOKEN,
    REFRESH_TOKEN,
    SHORT_ACCESS_TOKEN,
)
from .operations import Operation
from .row import (
    TOKEN_BODY,
    Expected,
    Row,
    answering,
    broken,
    says_no,
)
from .scripts import ELSEWHERE

_CODES = (
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
    *("unsupported_grant_type", "invalid_scope", "invalid_target", "access_denied"),
    *("temporarily_unavailable", "server_error", "interaction_required", "slow_down"),
    *("invalid_code", "error", "x", "Invalid_Grant", "urn:example:error", "invalid grant"),
)

_NO_CODES: dict[str, bytes] = {
    "a number": b"400",
    "the value true": b"true",
    "a list": b'["invalid_grant"]',
    "an object": b'{"code":400,"message":"x","type":"OAuthException"}',
    "an object with the token": b'{"access_token":"%b"}' % ACCESS_TOKEN.encode(),
    "an object with a short token": b'{"access_token":"%b"}' % SHORT_ACCESS_TOKEN.encode(),
    "half of a character": b'{"a":"\\ud800"}',
}

_ODD_CODES: dict[str, str] = {
    "quotes": 'a"b\\c',
    "line ends": "a\r\nSet-Cookie: b=c",
    "a zero": "a\0b",
    "colours": "\x1b[31minvalid_grant\x1b[0m",
    "a bell and a backspace": "a\x07\x08b",
    "letters written backwards": "a\u202eb",
    "half of a character": "\ud800",
    "HTML": "<script>alert(1)</script>",
    "a format": "%s%n{0}{error.__class__}",
    "10,000 characters": "e" * 10_000,
    "900,000 characters": "e" * 900_000,
    "our secret": CLIENT_SECRET,
    "our code": CODE,
    "our verifier": CODE_VERIFIER,
}

_ECHOES: dict[str, str] = {
    "our secret": f"client {CLIENT_SECRET} is unknown",
    "our code": f"the code {CODE} has expired",
    "our verifier": f"{CODE_VERIFIER} does not match",
    "our header": f"Authorization: Basic {BASIC}",
    "our secret, percent-encoded": CLIENT_SECRET.replace("-", "%2D"),
    "our secret, percent-encoded twice": CLIENT_SECRET.replace("-", "%252D"),
    "our secret, all of it percent-encoded": "".join(f"%{ord(sign):02x}" for sign in CLIENT_SECRET),
    "our secret in HTML": html.escape(CLIENT_SECRET).replace("-", "&#45;"),
    "our secret in JSON": json.dumps({"client_secret": CLIENT_SECRET}),
    "our secret with escapes": CLIENT_SECRET.replace("-", "\\u002d"),
    "our request": f"grant_type=authorization_code&code={CODE}&code_verifier={CODE_VERIFIER}",
    "our URL": f"https://app.example/callback?code={quote(CODE)}&state=a-state",
    "our code behind much else": "x " * 8_190 + CODE,
    "our code after 400,000 characters": "x" * 400_000 + CODE,
    "our code a thousand times": f"{CODE} " * 1_000,
    "a token": f"token {ACCESS_TOKEN * 3} is not for you",
}

_ODD_DESCRIPTIONS: dict[str, object] = {
    "null": None,
    "a number": 7,
    "a list": ["a", "b"],
    "an object": {"message": "a"},
    "line ends": "a\r\nERROR root:forged line of a log",
    "colours": "\x1b]0;title\x07\x1b[2J",
    "letters written backwards": "\u202eevil",
    "half of a character": "a \ud800 b",
    "letters that are no ASCII": "ungültig \N{SNOWMAN}",
    "900,000 characters": "d" * 900_000,
    "900,000 words": "d " * 450_000,
    "100,000 percent escapes": "%41" * 100_000,
    "100,000 characters of HTML": "&amp;" * 20_000,
    "100,000 backslashes": "\\" * 100_000,
    "100,000 angle brackets": "<" * 100_000,
    "nothing but spaces": " " * 900_000,
}

_FALSY: tuple[object, ...] = (None, "", 0, False, [], {})

_URIS: dict[str, object] = {
    "javascript": "javascript:alert(1)",
    "a number": 7,
    "another origin": ELSEWHERE.decode() + "/page",
    "our code": f"https://server.example/?code={CODE}",
    "900,000 characters": "https://server.example/" + "a" * 900_000,
    "line ends": "https://server.example/\r\nA: b",
}


def _no(name: str, members: dict[str, object], expected: Expected, status: int = 400) -> Row:
    return answering(f"error: {name}", json.dumps(members).encode(), expected, status=status)


ERRORS = (
    *(
        _no(code, {"error": code, "error_description": "d"}, says_no(code, description="d"))
        for code in _CODES
    ),
    *(
        _no(
            f"invalid_grant with the status {status}",
            {"error": "invalid_grant"},
            says_no("invalid_grant", status=status),
            status,
        )
        for status in (200, 201, 202, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503)
    ),
    *(
        _no(
            f"invalid_grant with the status {status}, which counts for more",
            {"error": "invalid_grant"},
            broken(status=status),
            status,
        )
        for status in (300, 302, 307)
    ),
    *(
        answering(f"error: {name}", b'{"error":%b}' % value, broken(), status=400)
        for name, value in _NO_CODES.items()
    ),
    *(
        answering(f"error in a 200: {name}", b'{"error":%b}' % value, broken())
        for name, value in _NO_CODES.items()
    ),
    *(
        _no(f"a code with {name}", {"error": code}, Expected(says_no("x").kind))
        for name, code in _ODD_CODES.items()
    ),
    *(
        _no(
            f"a description with {name}",
            {"error": "invalid_grant", "error_description": text},
            says_no("invalid_grant"),
        )
        for name, text in _ECHOES.items()
    ),
    *(
        answering(
            f"error: a description with our refresh token, status {status}",
            json.dumps(
                {"error": "invalid_grant", "error_description": f"{REFRESH_TOKEN} was used twice"}
            ).encode(),
            says_no("invalid_grant"),
            status=status,
            operation=Operation.REFRESH,
        )
        for status in (400, 500)
    ),
    *(
        _no(
            f"a description that is {name}",
            {"error": "invalid_grant", "error_description": text},
            says_no("invalid_grant"),
        )
        for name, text in _ODD_DESCRIPTIONS.items()
    ),
    *(
        _no(
            f"a page that is {name}",
            {"error": "invalid_grant", "error_uri": uri},
            says_no("invalid_grant"),
        )
        for name, uri in _URIS.items()
    ),
    *(_no(f"a code that is {value!r}", {"error": value}, broken(), 400) for value in _FALSY),
    _no("a token beside it", {"error": "x", "access_token": ACCESS_TOKEN}, says_no("x"), 200),
    _no("a problem document", {"type": "about:blank", "title": "x", "status": 400}, broken()),
    _no("a list of errors", {"errors": [{"message": "x"}]}, broken()),
    _no("its name in capitals", {"Error": "invalid_grant"}, broken()),
    _no("within `data`", {"data": {"error": "invalid_grant"}}, broken()),
)

# What is no OAuth answer, with something in it that must not be printed.
_PAGES: dict[str, bytes] = {
    "nothing": b"",
    "a token": TOKEN_BODY,
    "a short token": b'{"access_token":"%b"}' % SHORT_ACCESS_TOKEN.encode(),
    "a short token in odd JSON": b'{"access_token" :\n"%b"' % SHORT_ACCESS_TOKEN.encode(),
    "a short token in a form": b"access_token=%b&token_type=Bearer" % SHORT_ACCESS_TOKEN.encode(),
    "a refresh token": b'{"refresh_token":"%b"}' % ISSUED_REFRESH_TOKEN.encode(),
    "a short token in a list": b'{"access_token":["%b"]}' % SHORT_ACCESS_TOKEN.encode(),
    "a token in XML": b"<access_token>%b</access_token>" % SHORT_ACCESS_TOKEN.encode(),
    "our request": f"<pre>code={CODE}&amp;client_secret={CLIENT_SECRET}</pre>".encode(),
    "our header": f"<pre>Authorization: Basic {BASIC}</pre>".encode(),
    "our secret in UTF-16": CLIENT_SECRET.encode("utf-16-le"),
    "a page": b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
    "a page that leads elsewhere": (
        b'<meta http-equiv="refresh" content="0;url=%b/page">' % ELSEWHERE
    ),
    "a page that sends a form elsewhere": (
        b'<form action="%b/page" method="post"><script>document.forms[0].submit()</script>'
        % ELSEWHERE
    ),
    "a million angle brackets": b"<" * 1_000_000,
    "a million letters": b"a" * 1_000_000,
    "a million zero bytes": bytes(1_000_000),
    "bytes that are no text": bytes(range(128, 256)) * 100,
}

PAGES = tuple(
    answering(
        f"status {status}, and {name}",
        body,
        broken(status=status),
        status=status,
        kind=b"text/html" if body[:1] == b"<" else b"application/json",
    )
    for status in (400, 500)
    for name, body in _PAGES.items()
)
