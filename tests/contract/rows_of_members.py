"""Token answers with every type in every member."""

from __future__ import annotations

from .credentials import ACCESS_TOKEN, ISSUED_REFRESH_TOKEN, REFRESH_TOKEN, SHORT_ACCESS_TOKEN
from .operations import Operation
from .row import Expected, Row, answering, broken, issued, says_no

_TEN_YEARS = 315_360_000.0
_ACCESS = b'"access_token":"%b"' % ACCESS_TOKEN.encode()
_TYPE = b'"token_type":"Bearer"'


def _member(name: str, value: bytes, expected: Expected, operation: Operation) -> Row:
    """Return the row of an answer with this member, given as JSON."""
    base = b",".join(
        each for each in (_ACCESS, _TYPE) if not each.startswith(b'"%b":' % name.encode())
    )
    shown = value.decode("ascii", "backslashreplace")
    shown = shown if len(shown) <= 40 else f"{shown[:30]}... ({len(value)} bytes)"
    of = "" if operation is Operation.REDEEM else ", of a refresh"
    return answering(
        f"{name}: {shown or 'left out'}{of}",
        b"{%b%b}" % (base, value and b',"%b":%b' % (name.encode(), value)),
        expected,
        operation=operation,
    )


def _rows(
    name: str, cases: dict[bytes, Expected], operation: Operation = Operation.REDEEM
) -> tuple[Row, ...]:
    return tuple(_member(name, value, expected, operation) for value, expected in cases.items())


def _access(token: str) -> Expected:
    return issued(access_token=token)


_NO_TEXT = (b"null", b'""', b"0", b"7", b"true", b"false", b"1.5", b"[]", b'["a"]', b"{}")
_NO_TOKEN = (
    b'"a\\nb"',
    b'"a\\r\\nHost: b"',
    b'"a\\tb"',
    b'"a\\u0000"',
    b'"a\\u007f"',
    b'"\xc3\xa9"',
    b'"\xf0\x9f\x98\x80"',
    b'"\\ud800"',
    b'"\\u200b"',
    b'"\\u202ea"',
    b'"\\uff21"',
)

ACCESS_TOKENS = (
    *_rows("access_token", {value: broken() for value in (b"", *_NO_TEXT, *_NO_TOKEN)}),
    *_rows(
        "access_token",
        {
            b'{"value":"%b"}' % ACCESS_TOKEN.encode(): broken(),
            b'["%b"]' % ACCESS_TOKEN.encode(): broken(),
            b'"a b"': _access("a b"),
            b'"\\"quoted\\""': _access('"quoted"'),
            b'"null"': _access("null"),
            b'"a%0d%0ab"': _access("a%0d%0ab"),
            b'"Bearer %b"' % SHORT_ACCESS_TOKEN.encode(): _access(f"Bearer {SHORT_ACCESS_TOKEN}"),
            b'"' + b"t" * 100_000 + b'"': _access("t" * 100_000),
        },
    ),
)

TOKEN_TYPES = _rows(
    "token_type",
    {
        b"": issued(),
        **{
            value: issued()
            for value in (
                *(b"null", b'""', b'"bearer"', b'"BEARER"', b'"Bearer "', b'" Bearer"'),
                *(b'"mac"', b'"N_A"', b'"DPoP"', b'"Bearer, DPoP"', b'"a\\r\\nb"', b'"\xc3\xa9"'),
                *(b"7", b"true", b"[]", b'["Bearer"]', b"{}", b'"' + b"B" * 100_000 + b'"'),
            )
        },
    },
)

_UNKNOWN = issued(expires_at=None)

LIFETIMES = (
    *_rows(
        "expires_in",
        {
            b"": _UNKNOWN,
            **dict.fromkeys(
                (
                    *(b"null", b'""', b'" "', b"true", b"false", b"[]", b"[3600]", b"{}"),
                    *(b'"soon"', b'"0x10"', b'"1_000"', b'"3600s"', b'"1 hour"', b'"3,600"'),
                    *(b'"nan"', b'"inf"', b'"-Infinity"', b'"1e999"', b'"PT1H"'),
                    *('"٣٦٠٠"'.encode(), '"３６００"'.encode(), b'"2030-01-01T00:00:00Z"'),
                ),
                _UNKNOWN,
            ),
            b"3600": issued(lives=3600.0),
            b'"3600"': issued(lives=3600.0),
            b"3600.9": issued(lives=3600.0),
            b'"3600.5"': issued(lives=3600.0),
            b'" 3600 "': issued(lives=3600.0),
            b'"3.6e3"': issued(lives=3600.0),
            b"3.6e3": issued(lives=3600.0),
            b'"+3600"': issued(lives=3600.0),
            b"0": issued(lives=0.0),
            b"-0": issued(lives=0.0),
            b"-1": issued(lives=0.0),
            b"-1e300": issued(lives=0.0),
            b'"-5"': issued(lives=0.0),
            b"1e-300": issued(lives=0.0),
            b"10000000000": issued(lives=_TEN_YEARS),
            b"1e300": issued(lives=_TEN_YEARS),
            b"9" * 400: _UNKNOWN,
            b'"' + b"9" * 300 + b'"': issued(lives=_TEN_YEARS),
            b'"' + b"9" * 100_000 + b'"': _UNKNOWN,
        },
    ),
    *_rows(
        "expires_at",
        dict.fromkeys(
            (b"0", b'"soon"', b"4102444800000", b"null", b"[]", b"-1e300", b'"1e999"'), _UNKNOWN
        ),
    ),
)

SCOPES = _rows(
    "scope",
    {
        b'""': issued(scope=""),
        b'"a b"': issued(scope="a b"),
        b'["a","b"]': issued(scope="a b"),
        b"[]": issued(scope=""),
        b"null": issued(scope=None),
        b"7": issued(scope=None),
        b"true": issued(scope=None),
        b"{}": issued(scope=None),
        b"[1,2]": issued(scope=None),
        b'["a",["b"]]': issued(scope=None),
        b'"a\\nb \\"c\\""': issued(scope='a\nb "c"'),
        b'"a a a"': issued(scope="a a a"),
        b'"' + b"s " * 50_000 + b'"': issued(scope="s " * 50_000),
    },
)

_KEPT = issued(refresh_token=REFRESH_TOKEN)
_FALSY = (b"", b"null", b'""', b"0", b"false", b"[]", b"{}")

REFRESH_TOKENS = (
    *_rows("refresh_token", dict.fromkeys(_FALSY[1:], issued(refresh_token=None))),
    *_rows(
        "refresh_token",
        {value: broken() for value in (b"7", b"true", b"1.5", b'["a"]', b'{"a":1}', *_NO_TOKEN)},
    ),
    *_rows("refresh_token", dict.fromkeys(_FALSY, _KEPT), Operation.REFRESH),
    *_rows(
        "refresh_token",
        {
            b'"%b"' % ISSUED_REFRESH_TOKEN.encode(): issued(refresh_token=ISSUED_REFRESH_TOKEN),
            b'"%b"' % REFRESH_TOKEN.encode(): _KEPT,
            b"7": broken(),
            b'"a\\r\\nb"': broken(),
        },
        Operation.REFRESH,
    ),
)

OTHER_MEMBERS = (
    *_rows(
        "id_token",
        {
            value: issued(id_token=None)
            for value in (b"null", b'""', b"7", b"[]", b"{}", b'["a.b.c"]')
        },
    ),
    *_rows(
        "id_token",
        {
            b'"a.b"': issued(id_token="a.b"),
            b'"..."': issued(id_token="..."),
            b'"eyJhbGciOiJub25lIn0.e30."': issued(id_token="eyJhbGciOiJub25lIn0.e30."),
            b'"' + b"." * 900_000 + b'"': issued(id_token="." * 900_000),
        },
    ),
    *_rows("error", dict.fromkeys((b"null", b'""', b"0", b"false", b"[]", b"{}"), issued())),
    *_rows(
        "error",
        {
            b'"invalid_grant"': says_no("invalid_grant"),
            b'"x"': says_no("x"),
            **dict.fromkeys((b"7", b"true", b"1.5", b'["a"]', b'{"a":1}'), broken()),
        },
    ),
    *_rows(
        "error_description",
        dict.fromkeys((b"null", b"7", b'"no error"', b"{}"), issued()),
    ),
    *_rows("cnf", dict.fromkeys((b"null", b"7", b'{"jkt":"a"}', b'{"jkt":7}', b"[]"), issued())),
    *_rows("authorization_details", dict.fromkeys((b"null", b"{}", b'[{"type":7}]'), issued())),
)

ODD_MEMBERS = (
    *ACCESS_TOKENS,
    *TOKEN_TYPES,
    *LIFETIMES,
    *SCOPES,
    *REFRESH_TOKENS,
    *OTHER_MEMBERS,
)
