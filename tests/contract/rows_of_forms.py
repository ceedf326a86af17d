"""Form-encoded answers, as some servers send them, and what only looks like one."""

from __future__ import annotations

from .credentials import ACCESS_TOKEN, CODE, ISSUED_REFRESH_TOKEN
from .row import Expected, answering, broken, issued, says_no

_FORM = b"application/x-www-form-urlencoded"
_TOKEN = b"access_token=%b" % ACCESS_TOKEN.encode()
_GOOD = _TOKEN + b"&token_type=bearer&expires_in=3600"

_CASES: dict[str, tuple[bytes, Expected]] = {
    "a token": (_GOOD, issued(lives=3600.0)),
    "a token and nothing more": (_TOKEN, issued(expires_at=None)),
    "all members": (
        _GOOD + b"&scope=a+b%20c&refresh_token=" + ISSUED_REFRESH_TOKEN.encode(),
        issued(scope="a b c", refresh_token=ISSUED_REFRESH_TOKEN),
    ),
    "a member without a value": (_GOOD + b"&scope=", issued()),
    "a member without an equals sign": (_GOOD + b"&flag", issued()),
    "a token with an equals sign": (b"access_token=a%3D%3D", issued(access_token="a==")),
    "a line end behind": (_GOOD + b"\r\n", issued(lives=3600.0)),
    "an odd lifetime": (_TOKEN + b"&expires_in=soon", issued(expires_at=None)),
    "a lifetime of Facebook": (_TOKEN + b"&expires=5183999", issued(expires_at=None)),
    "an error": (
        b"error=bad_verification_code&error_description=a+b",
        says_no("bad_verification_code", description="a b"),
    ),
    "an error beside a token": (_TOKEN + b"&error=x", says_no("x")),
    "an error that repeats our code": (
        b"error=x&error_description=" + CODE.encode().replace(b"-", b"%2D"),
        says_no("x"),
    ),
    "nothing": (b"", broken()),
    "no token": (b"token_type=bearer", broken()),
    "an empty token": (b"access_token=&token_type=bearer", broken()),
    "two tokens": (_TOKEN + b"&access_token=b", broken()),
    "the same token twice": (_TOKEN + b"&" + _TOKEN, broken()),
    "a member twice": (_TOKEN + b"&a=1&a=2", broken()),
    "a thousand members": (
        _TOKEN + b"".join(b"&a%d=b" % number for number in range(1_000)),
        broken(),
    ),
    "a million ampersands": (b"&" * 1_000_000 + _TOKEN, broken()),
    "a million percent signs": (b"access_token=" + b"%" * 1_000_000, broken()),
    "an escape that is none": (b"access_token=a%zz", broken()),
    "an escape that is cut": (b"access_token=a%4", broken()),
    "an escape that is no UTF-8": (_TOKEN + b"&a=%ff", broken()),
    "bytes that are no ASCII": (_TOKEN + b"&a=\xc3\xa9", broken()),
    "a zero in the token": (b"access_token=a%00", broken()),
    "a line end in the token": (b"access_token=a%0d%0aHost:+b", broken()),
    "a letter that is no ASCII in the token": (b"access_token=%C3%A9", broken()),
    "semicolons": (
        _TOKEN + b";token_type=bearer",
        issued(access_token=f"{ACCESS_TOKEN};token_type=bearer"),
    ),
    "lists in brackets": (b"access_token[]=a", broken()),
    "a page": (b"<html>a=b</html>", broken()),
}

FORMS = (
    *(
        answering(f"a form: {name}", body, expected, kind=_FORM)
        for name, (body, expected) in _CASES.items()
    ),
    *(
        answering(
            f"a form: {name}, as plain text", *_CASES[name], kind=b"text/plain; charset=utf-8"
        )
        for name in ("a token", "all members", "an error", "two tokens", "no token", "a page")
    ),
    answering("a form: with a charset", _GOOD, issued(), kind=_FORM + b"; charset=iso-8859-1"),
    answering("a form: in capitals", _GOOD, issued(), kind=_FORM.upper()),
    answering("a form: as JSON", _GOOD, broken()),
    answering("a form: as HTML", _GOOD, broken(), kind=b"text/html"),
    answering("a form: an error with the status 400", *_CASES["an error"], status=400, kind=_FORM),
    answering("a form: a token with the status 400", _GOOD, broken(), status=400, kind=_FORM),
    answering("plain text", b"no token today", broken(), kind=b"text/plain"),
)
