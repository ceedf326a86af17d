"""What a server's metadata may say that must reach neither a browser, nor a shell, nor a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from oauth2_sansio.answers import MAXIMUM_BODY

ISSUER = "https://as.example"
GOOD: Mapping[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "pushed_authorization_request_endpoint": f"{ISSUER}/par",
    "device_authorization_endpoint": f"{ISSUER}/device",
    "registration_endpoint": f"{ISSUER}/register",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
}
ENDPOINTS = tuple(name for name in GOOD if name != "issuer")

URLS: Mapping[str, str] = {
    "a script": "javascript:alert(document.cookie)",
    "a script, as if with a host": "javascript://as.example/%0Aalert(1)",
    "a script in other letters": "JaVaScRiPt:alert(1)",
    "a document of its own": "data:text/html,<script>alert(1)</script>",
    "a file": "file:///etc/passwd",
    "a share": "file://evil.example/share",
    "a program": "http:$(calc.exe)",
    "a program as a host": "https://$(calc.exe)/",
    "a program in backticks": "https://as.example/`calc.exe`",
    "a pipe": "https://as.example/|calc.exe",
    "an option of a program": "--new-window=https://evil.example",
    "an option, and then a URL": "-https://as.example/",
    "a setting of the system": "ms-settings:privacy",
    "an app": "intent://evil.example#Intent;scheme=https;end",
    "another protocol": "ftp://as.example/",
    "a socket": "wss://as.example/",
    "no scheme": "//evil.example/",
    "a path": "/authorize",
    "nothing but a host": "as.example",
    "one slash": "https:/as.example/",
    "no host": "https:///authorize",
    "plain http": "http://as.example/authorize",
    "plain http to who is called as this machine": "http://localhost.evil.example/",
    "plain http to who is called by its address": "http://127.0.0.1.evil.example/",
    "plain http behind a user name": "http://localhost:80@evil.example/",
    "plain http by a number for this machine": "http://2130706433/",
    "plain http to another way to write it": "http://0x7f.1/",
    "plain http to an inner address": "http://169.254.169.254/latest/meta-data/",
    "a user name": "https://as.example@evil.example/",
    "a password": "https://user:password@as.example/",
    "a backslash": "https://as.example\\@evil.example/",
    "backslashes": "https:\\\\evil.example\\",
    "a fragment": "https://as.example/#access_token=x",
    "an empty fragment": "https://as.example/#",
    "a space before it": " https://as.example/",
    "a line feed behind it": "https://as.example/\n",
    "a line feed in it": "https://as.example/\nhttps://evil.example/",
    "a tab in its scheme": "java\tscript:alert(1)",
    "NUL": "https://as.example/\x00.evil.example",
    "a quotation mark": 'https://as.example/"onmouseover="alert(1)',
    "markup": "https://as.example/<script>",
    "a host beyond ASCII": "https://аs.example/",
    "a dot beyond ASCII": "https://as。example/",
    "a percent sign in the host": "https://as%2eexample/",
    "a zone": "https://[fe80::1%25eth0]/",
    "a bracket that is not closed": "https://[::1/",
    "no port": "https://as.example:/",
    "port 0": "https://as.example:0/",
    "a port too high": "https://as.example:65536/",
    "a broken percent sequence": "https://as.example/%zz",
    "half of a surrogate pair": "https://as.example/\ud800",
    "8,001 characters": "https://as.example/".ljust(8_001, "a"),
}
"""URLs that no endpoint may have, by what is wrong with them."""

LEGAL_URLS: Mapping[str, str] = {
    "characters that a shell knows": "https://as.example/$(calc.exe);&'!*",  # RFC 3986 section 3.3
    "a host as IDNA has it": "https://xn--bcher-kva.example/",
    "another port": "https://as.example:8443/authorize",
    "an address": "https://[2001:db8::1]/authorize",
    "this machine": "http://127.0.0.1:8080/authorize",
    "a query of its own": "https://as.example/authorize?tenant=a%20b&x=",
}
"""URLs that are odd and allowed: hand one to a program as one argument, and never to a shell."""

RESERVED: tuple[str, ...] = (
    *("client_id=evil", "state=known", "redirect_uri=https://evil.example/cb"),
    *("response_type=token", "code_challenge=known", "code_challenge_method=plain"),
    *("scope=admin", "client_id=", "x=1&state=known&y=2", "st%61te=known"),
    *("request_uri=https://evil.example/request", "request=eyJh.eyJj.", "dpop_jkt=known"),
)
"""What an authorization endpoint's own query must not say, since the request says it, or must not."""


class Outcome(Enum):
    """What comes of a document."""

    SERVER = auto()
    ISSUER = auto()  # it is another's
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to the request for the metadata of `ISSUER`."""

    name: str
    body: bytes
    outcome: Outcome
    status: int = 200
    content_type: str = "application/json"


def _row(name: str, outcome: Outcome, changes: Mapping[str, object]) -> Row:
    return Row(name, json.dumps({**GOOD, **changes}).encode(), outcome)


_TEXT = json.dumps(dict(GOOD))
_NOT_TEXTS: tuple[object, ...] = (1, -0.5, True, [], {}, ["https://as.example"], {"a": "b"})
_NOT_LISTS: tuple[object, ...] = (1, True, {}, "S256", [1], [None], [["S256"]], {"S256": 1})
_NOT_FLAGS: tuple[object, ...] = (1, 0, "true", "", [], {}, [True])
_LISTS = ("code_challenge_methods_supported", "token_endpoint_auth_methods_supported")
_FLAGS = ("authorization_response_iss_parameter_supported", "require_pushed_authorization_requests")

ROWS = (
    _row("as it should be", Outcome.SERVER, {}),
    _row("members that nobody knows", Outcome.SERVER, {"x": [1], "token_endpoint_x": "file:///"}),
    Row(
        "members that are null",
        json.dumps({**dict.fromkeys(ENDPOINTS), "issuer": ISSUER}).encode(),
        Outcome.SERVER,
    ),
    *(
        _row(f"{name} is {json.dumps(value)}", Outcome.REFUSED, {name: value})
        for names, values in (
            (("issuer", *ENDPOINTS), _NOT_TEXTS),
            (_LISTS, _NOT_LISTS),
            (_FLAGS, _NOT_FLAGS),
        )
        for name in names
        for value in values
    ),
    *(
        _row(f"the issuer is {issuer!r}", Outcome.ISSUER, {"issuer": issuer})
        for issuer in (
            *(None, "", f"{ISSUER}/", "https://AS.example", f"{ISSUER}:443", "http://as.example"),
            *("https://evil.example", "https://as.example.evil.example", f"{ISSUER}\x00"),
        )
    ),
    Row("nothing", b"", Outcome.REFUSED),
    Row("HTML", b"<!DOCTYPE html><title>Log in</title>", Outcome.REFUSED, 200, "text/html"),
    Row("a list", f"[{_TEXT}]".encode(), Outcome.REFUSED),
    Row("a text", b'"https://as.example"', Outcome.REFUSED),
    Row("null", b"null", Outcome.REFUSED),
    Row("cut", _TEXT[:-9].encode(), Outcome.REFUSED),
    Row("two documents", (_TEXT * 2).encode(), Outcome.REFUSED),
    Row("a member twice", f'{{"issuer":"{ISSUER}","issuer":"x"}}'.encode(), Outcome.REFUSED),
    Row("UTF-16", _TEXT.encode("utf-16"), Outcome.REFUSED),
    Row("not UTF-8", _TEXT.encode().replace(b"as.", b"a\xff."), Outcome.REFUSED),
    Row("deep", b'{"x":' * 100_000, Outcome.REFUSED),
    Row("deep in a list", b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Outcome.REFUSED),
    Row("huge", f'{{"x":"{"x" * MAXIMUM_BODY}"}}'.encode(), Outcome.REFUSED),
    Row("a number without end", b'{"x":' + b"9" * 500_000 + b"}", Outcome.REFUSED),
    Row("no number", b'{"x":NaN}', Outcome.REFUSED),
    Row("compressed", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", Outcome.REFUSED),
    Row("an error", b'{"error":"server_error"}', Outcome.REFUSED),
    Row("a failure", b"", Outcome.REFUSED, 503),
    Row("elsewhere", b"", Outcome.REFUSED, 302),
    Row("no content", b"", Outcome.REFUSED, 204),
    Row("nowhere", b"", Outcome.REFUSED, 404),
)
"""All rows."""
