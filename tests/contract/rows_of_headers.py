"""Whole answers with odd headers."""

from __future__ import annotations

from .credentials import CLIENT_SECRET
from .row import (
    ERROR_BODY,
    OVER_HTTPX,
    TOKEN_BODY,
    Expected,
    Prints,
    answering,
    broken,
    issued,
    says_no,
)
from .scripts import ELSEWHERE

_LATER: dict[bytes, float | None] = {
    b"5": 5.0,
    b"0": 0.0,
    b" 7 ": 7.0,
    b"007": 7.0,
    b"86401": 86_400.0,
    b"99999999999999999999": 86_400.0,
    b"9" * 5_000: None,
    b"-1": None,
    b"+5": None,
    b"1.5": None,
    b"1e3": None,
    b"5 seconds": None,
    b"5, 6": None,
    b"soon": None,
    b"": None,
    b"\xb2": None,
    b"Sun, 06 Nov 1994 08:49:37 GMT": 0.0,
    b"Sunday, 06-Nov-94 08:49:37 GMT": 0.0,
    b"Sun Nov  6 08:49:37 1994": 0.0,
    b"Fri, 31 Dec 9999 23:59:59 GMT": 86_400.0,
    b"Sun, 31 Feb 2030 08:49:37 GMT": None,
    b"Sun, 06 Nov 1994 08:49:37 CET": None,
    b"1994-11-06T08:49:37Z": None,
    b"Sun, 06 Nov 0000 08:49:37 GMT": None,
}

RETRY_AFTER = tuple(
    answering(
        f"Retry-After: {value[:32].decode('latin-1')!r}, status {status}",
        ERROR_BODY,
        says_no("invalid_grant", retry_after=seconds),
        status=status,
        headers=b"Retry-After: %b\r\n" % value,
    )
    for status in (429, 503)
    for value, seconds in _LATER.items()
)

_CHALLENGES: dict[str, bytes] = {
    "Basic": b'Basic realm="a"',
    "Digest": b'Digest realm="a", nonce="b", qop="auth", algorithm=MD5',
    "Negotiate": b"Negotiate",
    "NTLM": b"NTLM",
    "Bearer": b'Bearer error="invalid_token"',
    "Bearer, DPoP": b'Bearer realm="a", DPoP algs="ES256", error="use_dpop_nonce"',
    "no scheme": b'="a"',
    "an open quote": b'Bearer error="invalid_token',
    "quotes in quotes": b'Bearer error="a\\"b\\\\", realm=""',
    "commas alone": b",,,,,,",
    "nothing": b"",
    "30,000 commas": b"," * 30_000,
    "30,000 quotes": b'"' * 30_000,
    "30,000 schemes": b"a " * 15_000,
    "no ASCII": b'Bearer error="\xff\xfe"',
    "metadata elsewhere": b'Bearer resource_metadata="%b/metadata"' % ELSEWHERE,
}

CHALLENGES = (
    *(
        answering(
            f"WWW-Authenticate of {name}, status {status}",
            b'{"error":"invalid_client"}',
            says_no("invalid_client", status=status),
            status=status,
            headers=b"WWW-Authenticate: %b\r\n" % value,
        )
        for status in (400, 401)
        for name, value in _CHALLENGES.items()
    ),
    answering(
        "a nonce for a proof that nobody sent",
        b'{"error":"use_dpop_nonce"}',
        says_no("use_dpop_nonce"),
        status=400,
        headers=b"DPoP-Nonce: a\r\n",
    ),
    answering(
        "Proxy-Authenticate without a proxy",
        b"",
        broken(status=407),
        status=407,
        headers=b'Proxy-Authenticate: Basic realm="a"\r\n',
    ),
)

_LOGS_HEADERS = Prints(
    OVER_HTTPX, "httpcore logs the headers of a response at DEBUG, whatever a server puts there"
)

_COOKIES: dict[str, bytes] = {
    "one": b"Set-Cookie: a=b\r\n",
    "for another host": b"Set-Cookie: a=b; Domain=example.com\r\n",
    "for all hosts": b"Set-Cookie: a=b; Domain=.com; Path=/\r\n",
    "that is over": b"Set-Cookie: a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    "with an odd date": b"Set-Cookie: a=b; Expires=Thu, 99 Foo 99999 99:99:99 GMT; Max-Age=x\r\n",
    "without a name": b"Set-Cookie: =b\r\n",
    "of Python's own name": b"Set-Cookie: __class__=b; Path=..\r\n",
    "that is nothing": b"Set-Cookie:\r\n",
    "of 30,000 characters": b"Set-Cookie: a=%b\r\n" % (b"b" * 30_000),
    "of 20,000 semicolons": b"Set-Cookie: a=b%b\r\n" % (b";" * 20_000),
    "fifty times": b"".join(b"Set-Cookie: a%d=b\r\n" % number for number in range(50)),
    "that is no ASCII": b"Set-Cookie: a=\xff\r\n",
    "of the old kind": b"Set-Cookie2: a=b; Version=1; Port\r\n",
}

COOKIES = tuple(
    answering(f"a cookie {name}", TOKEN_BODY, issued(), headers=headers)
    for name, headers in _COOKIES.items()
)

_LATIN = '{"access_token":"access-issued-77aa31","name":"Jörg"}'.encode("latin-1")
_TAKEN, _BROKEN = issued(), broken()

_KINDS: dict[bytes | None, Expected] = {
    None: _TAKEN,
    b"": _TAKEN,
    b"text/html": _TAKEN,
    b"text/plain": _TAKEN,
    b"text/javascript": _TAKEN,
    b"APPLICATION/JSON": _TAKEN,
    b"application/json; charset=utf-8": _TAKEN,
    b"application/json; charset=utf-16": _TAKEN,
    b"application/json; charset=iso-8859-1": _TAKEN,
    b"application/json; charset=nonsense": _TAKEN,
    b"application/json; charset=rot13": _TAKEN,
    b"application/json; charset=zlib_codec": _TAKEN,
    b'application/json; charset="': _TAKEN,
    b"application/json; charset=idna": _TAKEN,
    b"application/json; charset=" + b"u" * 30_000: _TAKEN,
    b"application/json, text/html": _TAKEN,
    b"application/problem+json": _TAKEN,
    b"application/jwt": _TAKEN,
    b"multipart/form-data; boundary=a": _TAKEN,
    b"image/png": _TAKEN,
    b";;;": _TAKEN,
    b"\xff\xfe": _TAKEN,
    b"application/x-www-form-urlencoded": _TAKEN,  # though it is JSON all the same
}

KINDS = (
    *(
        answering(
            f"the media type {None if kind is None else kind[:60].decode('latin-1')!r}",
            TOKEN_BODY,
            expected,
            kind=kind,
        )
        for kind, expected in _KINDS.items()
    ),
    answering(
        "Latin-1, as the charset says",
        _LATIN,
        _BROKEN,
        kind=b"application/json; charset=iso-8859-1",
    ),
    answering(
        "UTF-16, as the charset says",
        TOKEN_BODY.decode().encode("utf-16"),
        _BROKEN,
        kind=b"application/json; charset=utf-16",
    ),
    answering("two media types", TOKEN_BODY, issued(), headers=b"Content-Type: text/html\r\n"),
)

_ODD: dict[str, bytes] = {
    "a hundred headers less few": b"".join(b"A%d: b\r\n" % number for number in range(90)),
    "a header of 30,000 characters": b"A: %b\r\n" % (b"b" * 30_000),
    "a date that is none": b"Date: yesterday\r\nExpires: -1\r\nAge: x\r\n",
    "a date in another century": b"Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
    "a cached answer": b"Age: 99999999\r\nCache-Control: public, max-age=31536000\r\nX-Cache: HIT\r\n",
    "transport security": b"Strict-Transport-Security: max-age=x; includeSubDomains\r\n",
    "keep-alive for ever": b"Keep-Alive: timeout=99999999999999999999, max=-1\r\n",
    "an upgrade": b"Upgrade: h2c, websocket\r\nConnection: upgrade\r\n",
    "a trailer that does not come": b"Trailer: A\r\n",
    "names of ours": b"DPoP-Nonce: \xff\r\nWWW-Authenticate: \xff\r\nRetry-After: \xff\r\n",
    "an odd digest": b"Content-MD5: a\r\nDigest: SHA-256=a\r\nContent-Range: bytes 0-1/2\r\n",
    "pseudo headers": b"X-Status: 500\r\nStatus: 500 Error\r\n",
}

ODD_HEADERS = (
    *RETRY_AFTER,
    *CHALLENGES,
    *COOKIES,
    *KINDS,
    *(
        answering(f"headers: {name}", TOKEN_BODY, issued(), headers=headers)
        for name, headers in _ODD.items()
    ),
    answering(
        "a cookie with our secret",
        TOKEN_BODY,
        issued(),
        headers=b"Set-Cookie: a=%b\r\n" % CLIENT_SECRET.encode(),
        prints=(_LOGS_HEADERS,),
    ),
)
