"""Answers of the other endpoints: introspection, revocation, metadata, PAR, device."""

from __future__ import annotations

import json
from functools import partial

from oauth2_sansio import (
    DeviceAuthorization,
    Introspection,
    PendingAuthorization,
    Server,
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
from .scripts import ELSEWHERE, HERE

_introspecting = partial(answering, operation=Operation.INTROSPECT)
_revoking = partial(answering, operation=Operation.REVOKE)
_discovering = partial(answering, operation=Operation.DISCOVER)
_pushing = partial(answering, operation=Operation.PUSH)
_asking_device = partial(answering, operation=Operation.AUTHORIZE_DEVICE)

_GONE = Expected(type(None))
_ALIVE, _DEAD = (
    Expected(Introspection, {"active": True}),
    Expected(Introspection, {"active": False}),
)


def _active(**values: object) -> Expected:
    return Expected(Introspection, {"active": True, **values})


_SAID_OF_A_TOKEN: dict[bytes, Expected] = {
    b'{"active":true}': _ALIVE,
    b'{"active":false}': _DEAD,
    b'{"active":false,"scope":"a","exp":9999999999}': _DEAD,
    **{
        b'{"active":%b}' % value: broken()
        for value in (
            b'"true"',
            b'"false"',
            b'"active"',
            b"1",
            b"0",
            b"null",
            b"[]",
            b"[true]",
            b"{}",
        )
    },
    b'{"Active":true}': broken(),
    b'{"active":true,"active":false}': broken(),
    b"{}": broken(),
    b"true": broken(),
    b'[{"active":true}]': broken(),
    b"": broken(),
    b"<html>active</html>": broken(),
    b"active=true": broken(),
    b"eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.": broken(),
    b'{"active":true,"exp":1.5}': _active(expires_at=1.5),
    b'{"active":true,"exp":"17"}': _active(expires_at=17.0),
    b'{"active":true,"exp":"soon"}': _active(expires_at=None),
    b'{"active":true,"exp":true}': _active(expires_at=None),
    b'{"active":true,"exp":[]}': _active(expires_at=None),
    b'{"active":true,"exp":1e300}': _active(expires_at=1e300),
    b'{"active":true,"aud":"a"}': _active(audience=("a",)),
    b'{"active":true,"aud":["a","b"]}': _active(audience=("a", "b")),
    b'{"active":true,"aud":["a",7,null]}': _active(audience=("a",)),
    b'{"active":true,"aud":7}': _active(audience=()),
    b'{"active":true,"aud":{"a":1}}': _active(audience=()),
    b'{"active":true,"scope":["a"]}': _active(scope=None),
    b'{"active":true,"scope":7}': _active(scope=None),
    b'{"active":true,"sub":[],"username":7,"cnf":"a","iss":{}}': _ALIVE,
    b'{"error":"invalid_client"}': says_no("invalid_client"),
    b'{"active":true,"error":"invalid_token"}': says_no("invalid_token"),
}

INTROSPECTION = (
    *(
        _introspecting(f"introspection: {body.decode() or 'nothing'}", body, expected)
        for body, expected in _SAID_OF_A_TOKEN.items()
    ),
    *(
        _introspecting(
            f"introspection: active with the status {status}",
            b'{"active":true}',
            broken(status=status),
            status=status,
        )
        for status in (202, 203, 206, 300, 401, 403, 404, 500)
    ),
    _introspecting(
        "introspection: a redirect to another origin",
        b"",
        broken(status=307),
        status=307,
        headers=b"Location: %b/token\r\n" % ELSEWHERE,
    ),
)

_REVOKED: dict[str, tuple[int, bytes, Expected]] = {
    "200": (200, b"", _GONE),
    "200 with a page": (200, b"<html>done</html>", _GONE),
    "200 with bytes that are no text": (200, b"\xff\xfe", _GONE),
    "200 with an error": (200, b'{"error":"invalid_token"}', _GONE),
    "200 with a million letters": (200, b"a" * 1_000_000, _GONE),
    "201": (201, b"", broken(status=201)),
    "202": (202, b"", broken(status=202)),
    "302": (302, b"", broken(status=302)),
    "400": (400, b'{"error":"unsupported_token_type"}', says_no("unsupported_token_type")),
    "400 without a word": (400, b"", broken(status=400)),
    "401": (401, b'{"error":"invalid_client"}', says_no("invalid_client")),
    "403 with a page": (403, b"<html>no</html>", broken(status=403)),
    "503": (503, b"", broken(status=503, retry_after=7.0)),
    "600": (600, b"", broken(status=600)),
}

REVOCATION = tuple(
    _revoking(
        f"revocation: {name}",
        body,
        expected,
        status=status,
        headers=b"Retry-After: 7\r\nLocation: %b/token\r\n" % ELSEWHERE,
    )
    for name, (status, body, expected) in _REVOKED.items()
)

_HERE, _THERE = HERE.decode(), ELSEWHERE.decode()


def _metadata(**members: object) -> bytes:
    return json.dumps({"issuer": _HERE, "token_endpoint": f"{_HERE}/token", **members}).encode()


def _bad(**members: object) -> tuple[bytes, Expected]:
    return _metadata(**members), broken()


_METADATA: dict[str, tuple[bytes, Expected]] = {
    "good": (_metadata(), Expected(Server)),
    "unknown members": (_metadata(a=1, __class__="a", get=[]), Expected(Server)),
    "members that are null": (_metadata(jwks_uri=None, scopes_supported=None), Expected(Server)),
    "another issuer": _bad(issuer=_THERE),
    "an issuer with a slash behind": _bad(issuer=f"{_HERE}/"),
    "an issuer in capitals": _bad(issuer=_HERE.replace("http", "HTTP")),
    "an issuer with a space": _bad(issuer=f"{_HERE} "),
    "no issuer": (b'{"token_endpoint":"https://server.example/token"}', broken()),
    "an issuer that is null": _bad(issuer=None),
    "an issuer that is a number": _bad(issuer=7),
    "an issuer that is a list": _bad(issuer=[_HERE]),
    "a token endpoint that is plain http": _bad(token_endpoint="http://server.example/token"),
    "a token endpoint that is a number": _bad(token_endpoint=7),
    "a token endpoint that is a list": _bad(token_endpoint=["https://server.example/"]),
    # As good as left out: who asks for a token then is told so.
    "a token endpoint that is empty": (
        _metadata(token_endpoint=""),
        Expected(Server, {"token_endpoint": None}),
    ),
    "a token endpoint that is a path": _bad(token_endpoint="/token"),
    "a token endpoint of JavaScript": _bad(token_endpoint="javascript:alert(1)"),
    "a token endpoint of a file": _bad(token_endpoint="file:///etc/passwd"),
    "a token endpoint with a password": _bad(token_endpoint="https://a:b@server.example/token"),
    "a token endpoint with a fragment": _bad(token_endpoint="https://server.example/token#a"),
    "a token endpoint with a line end": _bad(token_endpoint="https://server.example/\r\nA: b"),
    "a token endpoint with a backslash": _bad(token_endpoint="https://server.example\\@evil"),
    "a token endpoint that is no ASCII": _bad(token_endpoint="https://sеrver.example/token"),
    "an authorization endpoint of a shell": _bad(authorization_endpoint="http:$(calc.exe)"),
    "an authorization endpoint that is an option": _bad(authorization_endpoint="--help"),
    "keys at a number": _bad(jwks_uri=7),
    "methods that are a text": _bad(token_endpoint_auth_methods_supported="client_secret_basic"),
    "methods that are numbers": _bad(token_endpoint_auth_methods_supported=[1, 2]),
    "methods that are lists": _bad(token_endpoint_auth_methods_supported=[["none"]]),
    "challenge methods that are an object": _bad(code_challenge_methods_supported={"S256": True}),
    "a flag that is a text": _bad(authorization_response_iss_parameter_supported="true"),
    "a flag that is a number": _bad(require_pushed_authorization_requests=1),
    "a list": (b"[" + _metadata() + b"]", broken()),
    "a page": (b"<html></html>", broken()),
    "nothing": (b"", broken()),
    "a JWT": (b"eyJhbGciOiJub25lIn0.e30.", broken()),
    "lists 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, broken()),
    "an issuer twice": (_metadata().replace(b"{", b'{"issuer":"a",', 1), broken()),
    "an error": (b'{"error":"not_found"}', says_no("not_found")),
}

METADATA = (
    *(
        _discovering(f"metadata: {name}", body, expected)
        for name, (body, expected) in _METADATA.items()
    ),
    *(
        _discovering(
            f"metadata: good, with the status {status}",
            _metadata(),
            broken(),
            status=status,
            headers=b"Location: %b/.well-known/oauth-authorization-server\r\n" % ELSEWHERE,
        )
        for status in (202, 301, 302, 307, 404, 500, 600)
    ),
)

_REFERENCE = "urn:ietf:params:oauth:request_uri:a"
_PUSHED = Expected(PendingAuthorization)


def _pushed(**members: object) -> bytes:
    return json.dumps({"request_uri": _REFERENCE, "expires_in": 60, **members}).encode()


_NO_REFERENCES: tuple[object, ...] = (
    *(None, "", 7, True, ["a"], {}, "a\r\nb", "ü", "r" * 100_000),
)
_NO_LIFETIMES: tuple[object, ...] = (None, "", "soon", 0, -1, True, [], {})

_PUSHES: dict[str, tuple[bytes, Expected]] = {
    "good": (_pushed(), _PUSHED),
    "a lifetime that is a text": (_pushed(expires_in="60"), _PUSHED),
    "a lifetime with a fraction": (_pushed(expires_in=60.5), _PUSHED),
    "no reference": (b'{"expires_in":60}', broken()),
    **{
        f"a reference that is {value!r}"[:60]: (_pushed(request_uri=value), broken())
        for value in _NO_REFERENCES
    },
    "no lifetime": (json.dumps({"request_uri": _REFERENCE}).encode(), broken()),
    **{
        f"a lifetime that is {value!r}": (_pushed(expires_in=value), broken())
        for value in _NO_LIFETIMES
    },
    "a token": (TOKEN_BODY, broken()),
    "an error": (b'{"error":"invalid_request"}', says_no("invalid_request")),
}

PUSHED = (
    *(
        _pushing(f"PAR: {name}", body, expected, status=201)
        for name, (body, expected) in _PUSHES.items()
    ),
    _pushing("PAR: good, with the status 200", _pushed(), _PUSHED),
    *(
        _pushing(
            f"PAR: good, with the status {status}",
            _pushed(),
            broken(status=status),
            status=status,
            headers=b"Location: %b/token\r\n" % ELSEWHERE,
        )
        for status in (202, 302, 303, 307, 308, 400, 405, 413, 429, 500)
    ),
)

_ASKED = Expected(DeviceAuthorization)


def _device(**members: object) -> bytes:
    good = {
        "device_code": "d",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://server.example/device",
        "expires_in": 1800,
    }
    kept = {name: value for name, value in {**good, **members}.items() if value != "left out"}
    return json.dumps(kept).encode()


def _no(**members: object) -> tuple[bytes, Expected]:
    return _device(**members), broken()


_NO_TEXTS: tuple[object, ...] = ("left out", None, "", 7, True, ["a"], {}, "a" * 100_000)

_DEVICES: dict[str, tuple[bytes, Expected]] = {
    "good, without an interval": (
        _device(),
        Expected(DeviceAuthorization, {"interval": 5.0, "user_code": "WDJB-MJHT"}),
    ),
    "an interval": (_device(interval=7), Expected(DeviceAuthorization, {"interval": 7.0})),
    "an interval that is a text": (
        _device(interval="7"),
        Expected(DeviceAuthorization, {"interval": 7.0}),
    ),
    "the page by its old name": (
        _device(verification_uri="left out", verification_url="https://server.example/device"),
        _ASKED,
    ),
    **{
        f"{name}: {value!r}"[:70]: _no(**{name: value})
        for name in ("device_code", "user_code", "verification_uri")
        for value in _NO_TEXTS
    },
    "user_code: with a line end": _no(user_code="a\r\nb"),
    **{
        f"the page {url[:40]}": _no(verification_uri=url)
        for url in (
            "http://server.example/device",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a:b@server.example/",
            "--help",
            "http:$(calc.exe)",
            "https://server.example/\u202e",
        )
    },
    # It is only ever sent back, in a form.
    "device_code: with a line end": (_device(device_code="a\r\nb"), _ASKED),
    "a whole page of JavaScript": _no(verification_uri_complete="javascript:alert(1)"),
    "a whole page that is a number": _no(verification_uri_complete=7),
    **{f"expires_in: {value!r}": _no(expires_in=value) for value in ("left out", *_NO_LIFETIMES)},
    "an error": (b'{"error":"invalid_scope"}', says_no("invalid_scope")),
}

DEVICE = (
    *(
        _asking_device(f"device: {name}", body, expected)
        for name, (body, expected) in _DEVICES.items()
    ),
    *(
        _asking_device(
            f"device: good, with the status {status}",
            _device(),
            broken(status=status),
            status=status,
            headers=b"Location: %b/token\r\n" % ELSEWHERE,
        )
        for status in (202, 302, 307, 404, 500)
    ),
)

OTHER_ENDPOINTS: tuple[Row, ...] = (
    *INTROSPECTION,
    *REVOCATION,
    *METADATA,
    *PUSHED,
    *DEVICE,
)
