"""Answers of any strangeness: a good one is a dict, all others an error that shows no secret."""

import base64
import html
import json
import pickle
import traceback
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.answers import MAXIMUM_BODY, Answer, read_json
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, Outcome, RemoteProtocolError
from oauth2_sansio.events import Endpoint, Pairs, RequestToSend, ResponseReceived

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT
SECRETS = ("s3cret&'/x", "the-c0de", "r€fresh", "pin")
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="https://as.example/token?ticket=the-c0de",
    headers=(
        ("Authorization", f"Basic {base64.b64encode(b'me:header-s3cret').decode()}"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ),
    form=(
        ("client_id", "me"),
        ("client_secret", SECRETS[0]),
        ("refresh_token", SECRETS[2]),
        ("password", SECRETS[3]),
    ),
)
JSON: Pairs = (("Content-Type", "application/json"),)
FORM: Pairs = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)
TEXT: Pairs = (("content-type", "Text/Plain"),)


def answer(body: bytes, status: int = 200, headers: Pairs = JSON) -> Answer:
    return Answer(REQUEST, ResponseReceived(status=status, headers=headers, body=body), NOW)


def error_of(asked: Answer) -> OAuth2Error:
    with pytest.raises(OAuth2Error) as caught:
        asked.read()
    error = caught.value
    assert error.response is asked.response  # nothing that came is lost
    assert (error.status, error.endpoint) == (asked.response.status, Endpoint.TOKEN)
    assert error.advice
    # The parser's own exception holds the whole body, so it must not be reachable.
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


@pytest.mark.parametrize(
    ("body", "headers", "document"),
    [
        (b"{}", JSON, {}),
        (b'{"a": 1, "b": "\xc3\xa4", "c": [1.5, null, true]}', JSON, None),
        (b' \t\r\n{"a": 1}\r\n', (), {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', (), {"a": 1}),
        (b'{"a": "\\ud800"}', (), {"a": "\ud800"}),
        (b'{"error": null}', (), {"error": None}),
        (b'{"error": ""}', (), {"error": ""}),
        (b'{"error": false}', (), {"error": False}),
        (b'{"a": 1}', FORM, {"a": 1}),
        (b'{"a": 1}', (("Content-Type", "text/html"),), {"a": 1}),
        (b'{"a": "="}', TEXT, {"a": "="}),
        (b"a=1&b=%C3%A4+&c=", FORM, {"a": "1", "b": "ä ", "c": ""}),
        (b"a=1\r\n", FORM, {"a": "1"}),
        (b"a=1", TEXT, {"a": "1"}),
        (b"", FORM, {}),
        (f'{{"a": {"9" * 400}}}'.encode(), (), None),
        (f'{{"a": 0.{"1" * 398}}}'.encode(), (), None),
        (b'{"a": ' * 300 + b"1" + b"}" * 300, (), None),
        (json.dumps({str(number): number for number in range(10_000)}).encode(), (), None),
        (b'{"a": [' + b"{}," * 10_000 + b"{}]}", (), None),
        (b'{"a": "' + b"x" * (MAXIMUM_BODY - 9) + b'"}', (), None),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_good_answers(
    body: bytes, headers: Pairs, document: dict[str, Any] | None, status: int
) -> None:
    found = answer(body, status, headers).read()
    assert found == (json.loads(body) if document is None else document)


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        pytest.param(b"", JSON, "it is not JSON (an empty body)", id="empty"),
        pytest.param(b" \n", JSON, "it is not JSON", id="blank"),
        pytest.param(b"\xef\xbb\xbf", JSON, "it is not JSON", id="a byte order mark"),
        pytest.param(
            b"\xef\xbb\xbf" * 2 + b"{}", JSON, "it is not JSON: \\ufeff\\ufeff{}", id="two of them"
        ),
        pytest.param(b"{", JSON, "it is not JSON: {", id="cut"),
        pytest.param(b'{"a": "b', JSON, 'it is not JSON: {"a": "b', id="cut in a text"),
        pytest.param(b"{'a': 1}", JSON, "it is not JSON: {'a': 1}", id="wrong quotes"),
        pytest.param(b'{"a": 1,}', JSON, 'it is not JSON: {"a": 1,}', id="a comma too many"),
        pytest.param(b'{"a": "\n"}', JSON, 'it is not JSON: {"a": " "}', id="a raw line break"),
        pytest.param(b"{} {}", JSON, "something follows its JSON: {} {}", id="twice"),
        pytest.param(b"{}\x00", JSON, "something follows its JSON: {}\\x00", id="NUL"),
        pytest.param(b"{}\xc2\xa0", JSON, "something follows its JSON: {}", id="another blank"),
        pytest.param(b"[]", JSON, "it is not a JSON object: []", id="list"),
        pytest.param(b"null", JSON, "it is not a JSON object: null", id="null"),
        pytest.param(b'"a=b"', TEXT, 'it is not a JSON object: "a=b"', id="text"),
        pytest.param(b"5", FORM, "it is not a JSON object: 5", id="number"),
        pytest.param(b'{"\xff": 1}', JSON, 'it is not UTF-8: {"\\ufffd": 1}', id="not UTF-8"),
        pytest.param(
            "{}".encode("utf-16"), JSON, "it is not UTF-8: \\ufffd\\ufffd{\\x00}\\x00", id="UTF-16"
        ),
        pytest.param(
            "{}".encode("utf-16-le"), JSON, "it is not JSON: {\\x00}\\x00", id="UTF-16, no mark"
        ),
        pytest.param(b'{"\xed\xa0\x80": 1}', JSON, "it is not UTF-8", id="a raw half character"),
        pytest.param(b'{"a": 1, "a": 2}', JSON, "its JSON repeats a member", id="twice a member"),
        pytest.param(b'{"b": {"a": 1, "\\u0061": 1}}', JSON, "its JSON repeats a member", id="in"),
        pytest.param(b'{"a": NaN}', JSON, "a number that is not finite", id="NaN"),
        pytest.param(b'{"a": -Infinity}', JSON, "a number that is not finite", id="Infinity"),
        pytest.param(b'{"a": 1e999}', JSON, "a number that is out of range", id="1e999"),
        pytest.param(
            b'{"a": 0.' + b"1" * 400 + b"}", JSON, "a number that is out of range", id="long"
        ),
        pytest.param(
            b'{"a": ' + b"9" * 401 + b"}", JSON, "a number of too many digits", id="401 digits"
        ),
        pytest.param(b"[" * 50_000, JSON, "its JSON is nested too deeply", id="deep list"),
        pytest.param(b'{"a":' * 50_000, JSON, "its JSON is nested too deeply", id="deep object"),
        pytest.param(b"{}," * 300_000, JSON, "too much memory", id="many objects"),
        pytest.param(b"[" * 100_000, JSON, "too much memory", id="many lists"),
        pytest.param(b"7," * 20_000, JSON, "too much memory", id="many values"),
        pytest.param(b" " * 500_000 + b"\\ud83d", JSON, "too much memory", id="wide by an escape"),
        pytest.param(b" " * 500_000 + b"\xc3\xa4", JSON, "too much memory", id="wide"),
        pytest.param(b"a=1", JSON, "it is not JSON: a=1", id="form, called JSON"),
        pytest.param(b"a=1", (), "it is not JSON: a=1", id="form, not called at all"),
        pytest.param(
            b"a=1", (("Content-Type", "text/xml"),), "it is not JSON: a=1", id="form, called XML"
        ),
        pytest.param(b"well done", TEXT, "it is not JSON: well done", id="plain text"),
        pytest.param(b"a=1&a=2", FORM, "the answer has a more than once", id="form, doubled"),
        pytest.param(b"a=%zz", FORM, "the answer is not form encoded UTF-8", id="form, broken"),
        pytest.param(b"a=%ff", FORM, "the answer is not form encoded UTF-8", id="form, not UTF-8"),
        pytest.param(b"a=\xc3\xa4", FORM, "it is form encoded and not ASCII", id="form, raw"),
        pytest.param(b"a=1 2", TEXT, "a space or a control character", id="form, space"),
        pytest.param(
            b"&".join(b"a%d=" % number for number in range(101)),
            FORM,
            "the answer has more than 100 parameters",
            id="form, long",
        ),
    ],
)
def test_answers_that_cannot_be_read(body: bytes, headers: Pairs, reason: str) -> None:
    error = error_of(answer(body, 200, headers))
    assert type(error) is RemoteProtocolError
    assert error.error == "remote_protocol_error"
    assert reason in str(error)
    assert str(error).startswith("remote_protocol_error: the answer cannot be read: ")
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("end", "of_a_byte", "of_values"),
    [
        (b"[{}]", 3, 2 * 64),
        (b"[1,2]", 3, 240 + 64),
        ('"é"'.encode(), 9, 0),
        (b'"\\u00e9"', 9, 0),
    ],
)
def test_how_much_memory_reading_takes(end: bytes, of_a_byte: int, of_values: int) -> None:
    body = b" " * 16_384 + end
    weight = len(body) * of_a_byte + of_values
    assert read_json(body, heaviest=weight) == json.loads(end)
    with pytest.raises(ValueError, match="too much memory"):
        read_json(body, heaviest=weight - 1)


def test_what_is_short_is_never_too_heavy() -> None:
    assert read_json(b" " * 16_382 + b"[]", heaviest=0) == []
    with pytest.raises(ValueError, match="too much memory"):
        read_json(b" " * 16_383 + b"[]", heaviest=0)


def test_how_much_memory_an_answer_may_take() -> None:
    assert read_json(b" " * 1_398_078 + b"[]") == []  # 3 * 1,398,080 + 64: four MiB
    with pytest.raises(ValueError, match="too much memory"):
        read_json(b" " * 1_398_055 + b"[[]]")  # 3 * 1,398,059 + 2 * 64: one byte more


def test_an_answer_too_long_is_not_even_parsed() -> None:
    error = error_of(answer(b" " * (MAXIMUM_BODY + 1)))
    assert error.description == "the answer is longer than 1048576 bytes"
    error = error_of(answer(b" " * (MAXIMUM_BODY + 1), 500))
    assert error.description == "not an OAuth answer"


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 403, 418, 500, 503, 100, 600, 0, -1])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b'{"error": "own_code", "error_description": "d", "error_uri": "u", "x": {}}'),
        (
            JSON,
            b'{"access_token": "a", "error": "own_code", "error_description": 5, "error_uri":[]}',
        ),
        (FORM, b"error=own_code&error_description=d&error_uri=u"),
    ],
)
def test_the_server_says_no(status: int, headers: Pairs, body: bytes) -> None:
    error = error_of(answer(body, status, headers))
    assert type(error) is ErrorResponse
    assert error.error == "own_code"
    odd = b"access_token" in body
    assert (error.description, error.uri) == ((None, None) if odd else ("d", "u"))
    unknown = status >= 500
    assert error.outcome is (Outcome.UNKNOWN if unknown else Outcome.REFUSED)
    assert str(error) == (
        f"own_code{'' if odd else ': d'} (token endpoint, status {status}); "
        "see what the server's documentation says of this code"
    )


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
@pytest.mark.parametrize("body", [b"", b'{"access_token": "a"}', b'{"error": "invalid_grant"}'])
def test_a_redirect_is_never_followed_nor_read(status: int, body: bytes) -> None:
    location = (("Location", "https://evil.example/?x=the-c0de"),)
    error = error_of(answer(body, status, location))
    assert type(error) is RemoteProtocolError
    assert error.outcome is Outcome.REFUSED
    assert str(error) == (
        "remote_protocol_error: the endpoint redirects, and credentials never follow a redirect "
        f"(token endpoint, status {status}); configure the URL that the endpoint has now"
    )


@pytest.mark.parametrize("status", [202, 204, 206, 299, 400, 401, 404, 500, 503, 599, 600, 103])
@pytest.mark.parametrize("body", [b'{"access_token": "a"}', b'{"error": null}', b"[]"])
def test_a_token_of_any_other_status_is_none(status: int, body: bytes) -> None:
    error = error_of(answer(body, status))
    assert type(error) is RemoteProtocolError
    assert str(error).startswith("remote_protocol_error: not an OAuth answer: ")
    assert (error.outcome is Outcome.UNKNOWN) is (status < 300 or status >= 500)
    assert (error.advice == "the server failed: try again later") is (status >= 500)


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"", " (an empty body)"),
        (b"<br/>", ""),
        (b"<html><h1 class='a>b'>Bad\nGateway</h1> nginx", ": b'>Bad Gateway nginx"),
        (b"Bad\x1b[31m \x00\xff", ": Bad\\x1b[31m \\x00\\ufffd"),
        (b"x" * 19 + b"1 " + b"y" * 19, f": [redacted] {'y' * 19}"),
        (b"x" * 18 + b"1 " + b"x" * 19 + b"1", f": {'x' * 18}1 [redacted]"),
        (b"a " * 20_000, f": {('a ' * 80)[:157]}..."),
        (b"- the-c0de -", ": - [redacted] -"),
        (b"<b>the-c0de</b> <i title='the-c0de'>", ": [redacted]"),
    ],
)
def test_a_page_that_is_no_answer(body: bytes, excerpt: str) -> None:
    error = error_of(answer(body, 502, (("Content-Type", "text/html"),)))
    assert error.description == f"not an OAuth answer{excerpt}"
    assert error.outcome is Outcome.UNKNOWN


def test_the_beginning_of_a_secret_at_the_cut_is_not_shown() -> None:
    body = b"<" + b"-" * 150 + b">"
    body = body * (8_192 // len(body)) + b" " * (8_192 % len(body) - 7) + b"the-c0de" + b" more"
    assert body[:8_192].endswith(b" the-c0d")
    assert "the-c" not in str(error_of(answer(body, 502)).description)
    public = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")
    found = Answer(public, ResponseReceived(status=502, body=body), NOW)
    assert error_of(found).description == "not an OAuth answer: the-c0d"


def test_the_cut_is_where_it_is_however_many_bytes_a_character_takes() -> None:
    body = "éé".encode() + b" " * (8_193 - 4 - 7) + b"the-c0de" + b" more"
    assert body[:8_193].endswith(b" the-c0d")
    assert error_of(answer(body, 502)).description == "not an OAuth answer: \\xe9\\xe9"


def test_what_is_longer_than_all_that_is_looked_at_hides_all_of_it() -> None:
    secret = "s" * 1_400
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://x", form=(("password", secret),))
    page = ResponseReceived(status=502, body=b"word " * 2_000)
    assert error_of(Answer(request, page, NOW)).description == "not an OAuth answer"
    body = json.dumps({"error": "e", "error_description": "word " * 2_000}).encode()
    said = ResponseReceived(status=400, body=body)
    assert error_of(Answer(request, said, NOW)).description == ""


@pytest.mark.parametrize(
    ("character", "escape", "longer", "shown"),
    [
        pytest.param("&", r"\u0026", 1, "kept", id="cut, with what may be a secret"),
        pytest.param(
            "&", r"\u0026", 0, r"kept.\u0026\u0026\u0026\u002", id="not cut, and so whole"
        ),
        pytest.param("\U0001f600", "%F0%9F%98%80", 1, "kept", id="beyond ASCII, cut"),
    ],
)
def test_no_more_is_left_out_at_the_cut_than_a_secret_takes(
    character: str, escape: str, longer: int, shown: str
) -> None:
    secret = character * 4
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://x", form=(("password", secret),))
    end = b"kept." + (escape.encode() * 4)[:-1]
    body = b" " * (8_192 - len(end)) + end + b"x" * longer
    found = Answer(request, ResponseReceived(status=502, body=body), NOW)
    assert error_of(found).description == f"not an OAuth answer: {shown}"


@pytest.mark.parametrize(
    ("member", "characters", "is_shown"),
    [
        ("error", 79, True),
        ("error", 80, False),
        ("error_description", 39, True),
        ("error_description", 40, False),
    ],
)
def test_a_run_of_characters_that_may_be_a_secret(
    member: str, characters: int, is_shown: bool
) -> None:
    run = "A" * characters
    body = json.dumps({"error": "e", member: run}).encode()
    assert (run in str(error_of(answer(body, 400)))) is is_shown


@pytest.mark.parametrize(
    ("status", "advice", "outcome"),
    [
        (499, "check the endpoint's URL", Outcome.REFUSED),
        (500, "the server failed", Outcome.UNKNOWN),
    ],
)
def test_from_which_status_on_it_is_the_servers_failure(
    status: int, advice: str, outcome: Outcome
) -> None:
    error = error_of(answer(b"", status))
    assert str(error.advice).startswith(advice)
    assert error.outcome is outcome


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (5, "int"),
        (True, "bool"),
        (["invalid_grant"], "list"),
        ({"message": "Bad code", "type": "OAuthException", "code": 190}, "dict"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_error_of_a_wrong_type(value: object, kind: str, status: int) -> None:
    body = json.dumps({"error": value}).encode()
    error = error_of(answer(body, status))
    assert type(error) is RemoteProtocolError
    assert error.description == f"the member `error` is a {kind}, not a text: {body.decode()}"


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_nested_as_deep_as_can_be_parsed(status: int) -> None:
    depth = 100
    while depth < 100_000:  # somewhere on this way it cannot be parsed any more
        body = b'{"error": ' + b"[" * depth + b"]" * depth + b"}"
        assert isinstance(error_of(answer(body, status)), RemoteProtocolError)
        depth += 37 if depth < 1100 else 30_000


@pytest.mark.parametrize("code", ["invalid_grant", "login_required", "slow_down", "use_dpop_nonce"])
def test_a_well_known_code_has_its_own_advice_and_is_no_secret(code: str) -> None:
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://x", form=(("prompt", code[:5]),))
    body = json.dumps({"error": code}).encode()
    found = Answer(request, ResponseReceived(status=400, body=body), NOW)
    error = error_of(found)
    assert error.error == code
    assert error.advice != "see what the server's documentation says of this code"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("soon", None),
        ("9" * 5000, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", b'{"error": "temporarily_unavailable"}'])
@pytest.mark.parametrize("status", [429, 503])
def test_when_to_ask_again(
    value: str | None, seconds: float | None, body: bytes, status: int
) -> None:
    headers = () if value is None else (("retry-after", value),)
    assert error_of(answer(body, status, headers)).retry_after == seconds


def test_broken_answers_may_be_named() -> None:
    error = answer(b"{}").broken("odd", advice="try", error="issuer_mismatch")
    assert str(error) == "issuer_mismatch: odd (token endpoint, status 200); try"


BASIC = REQUEST.headers[0][1]
ECHOED = [*SECRETS, "header-s3cret", BASIC, BASIC.removeprefix("Basic ")]
FORGED = {  # each is what a server may make of a secret, and where it may put it
    "code": lambda secret: json.dumps({"error": secret}),
    "code, among others": lambda secret: json.dumps({"error": f"bad {secret} bad"}),
    "description": lambda secret: json.dumps({"error": "e", "error_description": f"no {secret} !"}),
    "description, percent-encoded": lambda secret: json.dumps(
        {"error": "e", "error_description": f"no {quote(secret, safe='')} !"}
    ),
    "description, as HTML": lambda secret: json.dumps(
        {"error": "e", "error_description": f"no {html.escape(secret)} !"}
    ),
    "uri": lambda secret: json.dumps({"error": "e", "error_uri": f"https://e/?{quote(secret)}"}),
    "nested": lambda secret: json.dumps({"error": {"message": [f"no {secret} !"]}}),
    "other JSON": lambda secret: json.dumps([{"detail": {"secret": secret}}]),
    "other JSON, not ASCII": lambda secret: json.dumps([secret], ensure_ascii=False),
    "page": lambda secret: f"<html><p>no {html.escape(secret)} here</p>",
    "page, raw": lambda secret: f"<html><p>no {secret} here",
    "broken JSON": lambda secret: json.dumps({"error": secret})[:-1],
    "broken form": lambda secret: f"error={quote(secret)}&error={quote(secret)}",
}


@pytest.mark.parametrize("secret", ECHOED)
@pytest.mark.parametrize("place", FORGED)
@pytest.mark.parametrize(("status", "headers"), [(200, JSON), (400, TEXT), (500, FORM)])
def test_what_we_sent_is_never_printed(
    secret: str, place: str, status: int, headers: Pairs
) -> None:
    error = error_of(answer(FORGED[place](secret).encode(), status, headers))
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        printed = [
            str(each),
            repr(each),
            "".join(traceback.format_exception(each)),
            repr(vars(each)),
        ]
        for text in printed:
            for form in {secret, quote(secret, safe=""), html.escape(secret), ascii(secret)[1:-1]}:
                assert form not in text
    assert again.response is None
    assert secret.encode() not in pickle.dumps(error)


@pytest.mark.parametrize("member", ["error_description", "error_uri"])
def test_of_a_long_text_the_beginning_is_kept(member: str) -> None:
    text = "a " * 4_070 + "the-c0de and more " * 1_000
    error = error_of(answer(json.dumps({"error": "x", member: text}).encode(), 400))
    kept = error.description if member == "error_description" else error.uri
    assert kept is not None
    assert len(kept) < 8_192
    assert text.startswith(kept)
    public = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")
    body = json.dumps({"error": "x", member: text}).encode()
    found = error_of(Answer(public, ResponseReceived(status=400, body=body), NOW))
    assert text[:8_192] in (found.description, found.uri)


@pytest.mark.parametrize(("characters", "kept"), [(8_192, 8_192), (8_193, 8_144)])
def test_a_text_is_cut_only_where_it_is_long(characters: int, kept: int) -> None:
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://x", form=(("password", "8" * 8),))
    text = ("word " * 2_000)[:characters]
    body = json.dumps({"error": "x", "error_description": text}).encode()
    error = error_of(Answer(request, ResponseReceived(status=400, body=body), NOW))
    assert error.description == text[:kept]


def test_a_code_without_end_is_looked_at_in_part() -> None:
    error = error_of(answer(json.dumps({"error": "a " * 300_000 + "the-c0de"}).encode(), 400))
    assert type(error) is ErrorResponse
    assert error.error == "a " * (len(error.error) // 2)
    assert len(error.error) < 8_192


def test_a_description_keeps_its_own_words() -> None:
    text = "AADSTS70008: code expired. Trace 0f8fad5b-d9cb-469f-a165-70867728950e <b>é\n"
    error = error_of(answer(json.dumps({"error": "e", "error_description": text}).encode(), 400))
    assert error.description == text
    assert "Trace 0f8fad5b-d9cb-469f-a165-70867728950e <b>\\xe9\\n (token" in str(error)
    token = "gho_" + "aB3" * 12
    error = error_of(answer(json.dumps({"error": "e", "error_description": token}).encode(), 400))
    assert str(error).startswith("e: [redacted] (token endpoint")


def is_ours(found: Answer) -> None:
    try:
        document = found.read()
    except OAuth2Error as raised:
        error = raised
    else:
        assert type(document) is dict
        assert found.response.status in {200, 201}
        return
    assert str(error).isascii()
    assert str(error).isprintable()
    assert error.response is found.response
    assert pickle.loads(pickle.dumps(error)).args == error.args


headers_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "content-type", "Retry-After", "X"]),
        st.sampled_from([FORM[0][1], "text/plain", "application/json", ""]) | st.text(),
    ),
    max_size=3,
).map(tuple)
pieces = st.sampled_from(
    [b"{", b"}", b"[", b'"error"', b":", b",", b'"', b"=", b"&", b"%", b"1", b"\\u", b"d800", b" "]
)


@given(
    st.binary() | st.lists(pieces).map(b"".join),
    st.integers() | st.sampled_from([200, 201, 400, 503]),
    headers_of_any_kind,
)
def test_any_bytes_any_status_any_headers(body: bytes, status: int, headers: Pairs) -> None:
    is_ours(answer(body, status, headers))


@given(
    st.dictionaries(
        st.sampled_from(["error", "error_description", "error_uri", "access_token"]),
        st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.lists(st.text()),
    ),
    st.sampled_from([200, 400, 500]),
)
def test_any_members(document: dict[str, Any], status: int) -> None:
    is_ours(answer(json.dumps(document).encode(), status))


@given(st.binary())
def test_read_json_agrees_with_the_standard_library(body: bytes) -> None:
    try:
        document = read_json(body)
    except ValueError as raised:
        error = raised
    else:
        assert document == json.loads(body)
        return
    assert type(error) is ValueError
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("coding", "reason"),
    [
        ("gzip", "it is compressed, and nobody asked for that"),
        ("zstd", "it is compressed, and nobody asked for that"),
        ("identity", "it is not UTF-8"),
    ],
)
def test_a_compressed_answer_says_so_and_stays_reachable(coding: str, reason: str) -> None:
    response = ResponseReceived(
        status=200, headers=(("content-encoding", coding),), body=b"\x1f\x8b\x08"
    )
    request = RequestToSend(endpoint=Endpoint.TOKEN, url="https://server.example/token")
    with pytest.raises(RemoteProtocolError, match=reason) as caught:
        Answer(request, response, 0.0).read()
    assert caught.value.response is response


def test_checks_of_an_answer_that_somebody_else_reads() -> None:
    coded: Pairs = (("Content-Encoding", "GZIP"),)
    for fine in (answer(b"{}"), answer(b"", headers=coded), answer(b"x" * MAXIMUM_BODY)):
        fine.check_size()
        fine.check_coding()
    for wrong in (
        answer(b"x" * (MAXIMUM_BODY + 1)).check_size,
        answer(b"\x1f\x8b", headers=coded).check_coding,
    ):
        with pytest.raises(RemoteProtocolError, match=r"longer than|nobody asked for that"):
            wrong()
