"""What an attacker, or an odd server, makes the user's browser bring; and what has to come of it.

A row is data. `differs` is for the classes of the drop-in vocabulary where they are more lenient
than the core, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from oauth2_sansio import ResponseMode

STATE = "st4te-of-this-user"
CODE = "c0de-of-this-user"
ISSUER = "https://as.example"
URL = "https://app.example/cb"

GOOD = f"code={CODE}&state={STATE}"
WITH_ISSUER = f"{GOOD}&iss=https%3A%2F%2Fas.example"


class Outcome(Enum):
    """What comes of a callback."""

    CODE = auto()  # the code is traded for a token
    STATE = auto()  # MismatchingStateError: it belongs to nobody, or to somebody else
    ISSUER = auto()  # RemoteProtocolError: it is another server's
    BROKEN = auto()  # RemoteProtocolError: it is no callback, or holds no code
    REFUSED = auto()  # ErrorResponse: the server has said no


@dataclass(frozen=True, slots=True)
class Row:
    """One callback.

    issuer_required: the server's metadata promise that it names itself (RFC 9207).
    code: what the code is, where the callback brings one.
    differs: what a class of the drop-in vocabulary makes of it, and why.
    """

    name: str
    callback: str
    outcome: Outcome
    mode: ResponseMode = ResponseMode.QUERY
    issuer: str | None = ISSUER
    issuer_required: bool = False
    code: str = CODE
    differs: tuple[Outcome, str] | None = None


def _query(name: str, query: str, outcome: Outcome, code: str = CODE) -> Row:
    return Row(name, f"{URL}?{query}", outcome, code=code)


def _issuer(name: str, given: str | None, outcome: Outcome, *, required: bool = False) -> Row:
    query = GOOD if given is None else f"{GOOD}&iss={given}"
    return Row(f"issuer: {name}", f"{URL}?{query}", outcome, issuer_required=required)


def _posted(name: str, body: str, outcome: Outcome) -> Row:
    return Row(f"posted: {name}", body, outcome, ResponseMode.FORM_POST)


def _fragment(name: str, rest: str, outcome: Outcome) -> Row:
    return Row(f"fragment: {name}", f"{URL}{rest}", outcome, ResponseMode.FRAGMENT)


_C = f"code={CODE}"
_S = f"state={STATE}"

_STATES = (
    _query("as it should be", GOOD, Outcome.CODE),
    _query("state: missing", _C, Outcome.STATE),
    _query("state: empty", f"{_C}&state=", Outcome.STATE),
    _query("state: without a sign", f"{_C}&state", Outcome.STATE),
    _query("state: another", f"{_C}&state=forged", Outcome.STATE),
    _query("state: a beginning of it", f"{_C}&{_S[:-1]}", Outcome.STATE),
    _query("state: more than it", f"{_C}&{_S}x", Outcome.STATE),
    _query("state: in other letters", f"{_C}&state={STATE.upper()}", Outcome.STATE),
    _query("state: a space behind it", f"{_C}&{_S}%20", Outcome.STATE),
    _query("state: NUL behind it", f"{_C}&{_S}%00", Outcome.STATE),
    _query("state: a line feed behind it", f"{_C}&{_S}%0A", Outcome.STATE),
    _query("state: a letter that looks alike", f"{_C}&{_S.replace('e', '%D0%B5')}", Outcome.STATE),
    _query("state: encoded twice", f"{_C}&state=st4te%252Dof-this-user", Outcome.STATE),
    _query("state: encoded where it need not be", f"{_C}&state=%73t4te-of-this-user", Outcome.CODE),
    _query("state: twice the same", f"{GOOD}&{_S}", Outcome.BROKEN),
    _query("state: a forged one behind it", f"{GOOD}&state=forged", Outcome.BROKEN),
    _query("state: a forged one before it", f"state=forged&{GOOD}", Outcome.BROKEN),
    _query("state: twice, one name encoded", f"{GOOD}&st%61te=forged", Outcome.BROKEN),
    _query("state: its name in other letters", f"{_C}&State={STATE}", Outcome.STATE),
    _query("state: its name as an array", f"{_C}&state[]={STATE}", Outcome.STATE),
    _query("state: behind a semicolon", f"{_C};{_S}", Outcome.STATE),
    _query("state: in the fragment", f"{_C}#{_S}", Outcome.STATE),
    Row("state: in the path", f"{URL};{_S}?{_C}", Outcome.STATE),
    _query("state: another's, with an error", "error=access_denied&state=forged", Outcome.STATE),
    _query("state: none, with an error", "error=access_denied", Outcome.STATE),
    _query("state: 60,000 characters", f"{_C}&state={'s' * 60_000}", Outcome.STATE),
)

_CODES = (
    _query("code: missing", _S, Outcome.BROKEN),
    _query("code: empty", f"code=&{_S}", Outcome.BROKEN),
    _query("code: twice the same", f"{_C}&{GOOD}", Outcome.BROKEN),
    _query("code: another one before it", f"code=stolen&{GOOD}", Outcome.BROKEN),
    _query("code: another one behind it", f"{GOOD}&code=stolen", Outcome.BROKEN),
    _query("code: twice, one name encoded", f"{GOOD}&c%6Fde=stolen", Outcome.BROKEN),
    _query("code: another one in the fragment", f"{GOOD}#code=stolen", Outcome.CODE),
    _query("code: its name in other letters", f"CODE={CODE}&{_S}", Outcome.BROKEN),
    _query("code: NUL behind its name", f"code%00={CODE}&{_S}", Outcome.BROKEN),
    _query("code: CR and LF in it", f"code=a%0D%0AX-Evil:1&{_S}", Outcome.BROKEN),
    _query("code: NUL in it", f"code=a%00b&{_S}", Outcome.BROKEN),
    _query("code: DEL in it", f"code=a%7F&{_S}", Outcome.BROKEN),
    _query("code: beyond ASCII", f"code=%C3%BC&{_S}", Outcome.BROKEN),
    _query("code: a direction mark", f"code=a%E2%80%AEb&{_S}", Outcome.BROKEN),
    _query("code: what looks like parameters", f"code=a%26state=x&{_S}", Outcome.CODE, "a&state=x"),
    _query("code: what looks like markup", f"code=%3Cb%3E&{_S}", Outcome.CODE, "<b>"),
    _query("code: with a space", f"code=a+b&{_S}", Outcome.CODE, "a b"),
    _query("code: 60,000 characters", f"code={'c' * 60_000}&{_S}", Outcome.CODE, "c" * 60_000),
    _query("code: a token instead", f"access_token=at&token_type=bearer&{_S}", Outcome.BROKEN),
    _query("code: a token beside it", f"{GOOD}&access_token=at", Outcome.CODE),
    _query("code: a token in the fragment", f"{GOOD}#access_token=at&{_S}", Outcome.CODE),
    _query("code: in a JWT that nobody asked for", "response=eyJh.eyJj.c2ln", Outcome.BROKEN),
    _query("code: the same, beside a state", f"response=eyJh.eyJj.c2ln&{_S}", Outcome.BROKEN),
    Row("a token in the fragment alone", f"{URL}#access_token=at&{_S}", Outcome.STATE),
)

_ERRORS = (
    _query("error: the server says no", f"error=access_denied&{_S}", Outcome.REFUSED),
    _query("error: with a code", f"error=access_denied&{GOOD}", Outcome.REFUSED),
    # RFC 6749 section 3.1: a parameter without a value counts as left out.
    _query("error: empty, with a code", f"error=&{GOOD}", Outcome.CODE),
    _query("error: twice", f"error=a&error=b&{_S}", Outcome.BROKEN),
    _query("error: one that nobody knows", f"error=%E2%80%AE%00%1B[31m&{_S}", Outcome.REFUSED),
    _query("error: 60,000 characters", f"error={'e' * 60_000}&{_S}", Outcome.REFUSED),
    _query(
        "error: markup in its text",
        f"error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E&{_S}",
        Outcome.REFUSED,
    ),
    _query(
        "error: a log line in its text",
        f"error=x&error_description=a%0A2026-01-01%20admin%20logged%20in&{_S}",
        Outcome.REFUSED,
    ),
    _query(
        "error: the code in its text",
        f"error=x&error_description=code%20{CODE}&{GOOD}",
        Outcome.REFUSED,
    ),
    _query(
        "error: the code in its text, encoded again",
        f"error=x&error_description=c0de%252Dof-this-user&{GOOD}",
        Outcome.REFUSED,
    ),
    _query(
        "error: a hostile page", f"error=x&error_uri=javascript:alert(1)&{_S}", Outcome.REFUSED
    ),
    Row("error: in the fragment", f"{URL}#error=access_denied&{_S}", Outcome.STATE, differs=(
        Outcome.REFUSED, "servers of the implicit grant answer there, and no is no anywhere"
    )),
)  # fmt: skip

_ISSUERS = (
    _issuer("named", "https%3A%2F%2Fas.example", Outcome.CODE),
    _issuer("named, and required", "https%3A%2F%2Fas.example", Outcome.CODE, required=True),
    _issuer("not encoded", "https://as.example", Outcome.CODE),
    _issuer("missing", None, Outcome.CODE),
    _issuer("missing, and required", None, Outcome.ISSUER, required=True),
    _issuer("another", "https%3A%2F%2Fevil.example", Outcome.ISSUER),
    _issuer("empty", "", Outcome.ISSUER),
    _issuer("with a slash behind it", "https://as.example/", Outcome.ISSUER),
    _issuer("in other letters", "https://AS.example", Outcome.ISSUER),
    _issuer("with the port that it has anyway", "https://as.example:443", Outcome.ISSUER),
    _issuer("a beginning of it", "https://as.exampl", Outcome.ISSUER),
    _issuer("more than it", "https://as.example.evil.example", Outcome.ISSUER),
    _issuer("over plain http", "http://as.example", Outcome.ISSUER),
    _issuer("NUL behind it", "https://as.example%00", Outcome.ISSUER),
    _issuer("a letter that looks alike", "https://%D0%B0s.example", Outcome.ISSUER),
    _issuer("twice", "https://as.example&iss=https://evil.example", Outcome.BROKEN),
    _issuer("in the fragment", "https://as.example#iss=https://evil.example", Outcome.CODE),
    Row(
        "issuer: another, with an error",
        f"{URL}?error=access_denied&{_S}&iss=https://evil.example",
        Outcome.ISSUER,
    ),
    Row("issuer: any, where none is known", f"{URL}?{GOOD}&iss=x", Outcome.CODE, issuer=None),
)

_HUNDRED = "&".join(f"p{number}=" for number in range(98))

_TEXTS = (
    _query("100 parameters", f"{GOOD}&{_HUNDRED}", Outcome.CODE),
    _query("101 parameters", f"{GOOD}&{_HUNDRED}&more=", Outcome.BROKEN),
    _query("signs without parameters", f"{GOOD}{'&' * 100}", Outcome.BROKEN),
    _query("longer than 64 KB", f"{GOOD}&x={'x' * 65_536}", Outcome.BROKEN),
    _query("a path longer than 64 KB", f"{GOOD}#{'x' * 65_536}", Outcome.BROKEN),
    _query("a percent sign alone", f"{GOOD}&x=%", Outcome.BROKEN),
    _query("a percent sign and one digit", f"{GOOD}&x=%4", Outcome.BROKEN),
    _query("a percent sign and letters", f"{GOOD}&x=%zz", Outcome.BROKEN),
    _query("as only JavaScript encodes", f"{GOOD}&x=%u0041", Outcome.BROKEN),
    _query("Latin-1", f"{GOOD}&x=%FC", Outcome.BROKEN),
    _query("UTF-8 that is too long", f"{GOOD}&x=%C0%AF", Outcome.BROKEN),
    _query("half of a surrogate pair, encoded", f"{GOOD}&x=%ED%A0%80", Outcome.BROKEN),
    _query("half of a surrogate pair", f"{GOOD}&x=\ud800", Outcome.BROKEN),
    _query("decoded by a framework", f"{GOOD}&name=ü", Outcome.CODE),
    _query("a parameter without a name", f"{GOOD}&=x", Outcome.BROKEN),
    _query("any parameter twice", f"{GOOD}&x=1&x=2", Outcome.BROKEN),
    _query("a second question mark", f"?{GOOD}", Outcome.BROKEN),
    _query("a line feed", f"{GOOD}\n", Outcome.BROKEN),
    _query("CR and LF", f"{GOOD}\r\nSet-Cookie: a=b", Outcome.BROKEN),
    _query("NUL", f"{GOOD}\x00", Outcome.BROKEN),
    _query("a tab", f"{GOOD}&x=\t", Outcome.BROKEN),
    _query("a space", f"{GOOD}&x=a b", Outcome.BROKEN),
    _query("DEL", f"{GOOD}\x7f", Outcome.BROKEN),
    _query("as some servers end it", f"{GOOD}#_=_", Outcome.CODE),
    Row("nothing", "", Outcome.BROKEN),
    Row("no URL", "code", Outcome.BROKEN),
    Row("a query alone", f"?{GOOD}", Outcome.BROKEN),
    Row("the parameters alone", GOOD, Outcome.BROKEN),
    Row("another host's path", f"//evil.example/cb?{GOOD}", Outcome.BROKEN),
    Row("as a web server sees it", f"/cb?{GOOD}", Outcome.CODE),
    Row("an app's own scheme", f"com.example.app:/cb?{GOOD}", Outcome.CODE),
    Row("a bracket that is not closed", f"https://[::1/cb?{GOOD}", Outcome.BROKEN),
    Row("brackets around no address", f"https://[x]/cb?{GOOD}", Outcome.BROKEN),
    Row("a host beyond ASCII", f"https://bücher.example/cb?{GOOD}", Outcome.CODE),
    Row("a host as IDNA has it", f"https://xn--bcher-kva.example/cb?{GOOD}", Outcome.CODE),
    Row("a byte order mark", f"\ufeff{URL}?{GOOD}", Outcome.BROKEN),
)

_POSTED = (
    _posted("as it should be", WITH_ISSUER, Outcome.CODE),
    _posted("ends with a sign", f"{GOOD}&", Outcome.CODE),
    _posted("nothing", "", Outcome.STATE),
    _posted("another state", f"{_C}&state=forged", Outcome.STATE),
    _posted("twice", f"{GOOD}&{_S}", Outcome.BROKEN),
    _posted("another issuer", f"{GOOD}&iss=https://evil.example", Outcome.ISSUER),
    _posted("an error", f"error=access_denied&{_S}", Outcome.REFUSED),
    _posted("JSON", f'{{"code":"{CODE}","state":"{STATE}"}}', Outcome.STATE),
    _posted("lines", f"{_C}\n{_S}", Outcome.BROKEN),
    _posted("Latin-1", f"{GOOD}&x=%FC", Outcome.BROKEN),
    _posted("longer than 64 KB", f"{GOOD}&x={'x' * 65_536}", Outcome.BROKEN),
    _posted("101 parameters", f"{GOOD}&{_HUNDRED}&more=", Outcome.BROKEN),
    _posted("a fragment behind it", f"{GOOD}#x", Outcome.STATE),
)

_FRAGMENTS = (
    _fragment("as it should be", f"#{WITH_ISSUER}", Outcome.CODE),
    _fragment("in the query", f"?{GOOD}", Outcome.STATE),
    _fragment("the state in the query", f"?{_S}#{_C}", Outcome.STATE),
    _fragment("the issuer in the query", f"?iss={ISSUER}#{GOOD}", Outcome.CODE),
    _fragment("another issuer in the query", f"?iss=evil#{GOOD}", Outcome.ISSUER),
    _fragment("two issuers", f"?iss=evil#{WITH_ISSUER}", Outcome.BROKEN),
    _fragment("a second number sign", f"#{GOOD}#x", Outcome.STATE),
    _fragment("twice", f"#{GOOD}&{_C}", Outcome.BROKEN),
    _fragment("an error, and a code", f"#error=x&{GOOD}", Outcome.REFUSED),
)

ROWS = (*_STATES, *_CODES, *_ERRORS, *_ISSUERS, *_TEXTS, *_POSTED, *_FRAGMENTS)
"""All rows."""
