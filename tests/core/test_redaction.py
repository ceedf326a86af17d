"""What we have sent is never shown, however the server writes it."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.events import Endpoint, Pairs, RequestToSend
from oauth2_sansio.redaction import REDACTED, cut_out, redact, secrets_of

SECRET = "s€cr/t +&\"<'%41\\x"
URL = "https://as.example/token"


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda secret: quote(secret, safe=""),
        quote,
        quote_plus,
        lambda secret: quote(secret, safe="").lower(),
        html.escape,
        lambda secret: html.escape(secret, quote=False),
        lambda secret: "".join(f"&#{ord(sign)};" for sign in secret),
        json.dumps,
        lambda secret: json.dumps(secret, ensure_ascii=False),
        lambda secret: json.dumps(secret).replace("/", "\\/"),
        lambda secret: html.escape(json.dumps(quote_plus(secret))),
    ],
)
def test_an_echo_is_cut_out(write: Callable[[str], str]) -> None:
    shown = cut_out(f"before {write(SECRET)} after", frozenset({SECRET}))
    assert REDACTED in shown
    assert "cr/t" not in shown
    assert "cr%" not in shown


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("nothing here", {"secret"}, "nothing here"),
        ("nothing here", set[str](), "nothing here"),
        ("the secret: secret", {"secret"}, "the [redacted]: [redacted]"),
        ("secret2 secret", {"secret", "secret2"}, "[redacted] [redacted]"),
        ("pin 123 is not 1234", {"123"}, "pin [redacted] is not 1234"),
        ("a.b", {"."}, "a.b"),
        ("hidden: sec%72et", {"secret"}, "[redacted]"),
        ("\\ud83d\\ude00key", {"\U0001f600key"}, "[redacted]"),
        ("bad \ud800 text", {"\ud800key"}, "bad \ud800 text"),
        ("bad \\u0 \\", {"secret"}, "bad \\u0 \\"),
    ],
)
def test_cutting_out(text: str, secrets: set[str], shown: str) -> None:
    assert cut_out(text, frozenset(secrets)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token 0123456789", "token [redacted]"),
        ("token 012345678", "token 012345678"),
        ("gho_ABCDEF12 x", "[redacted] x"),
        ("eyJhbGciOiJub25lIn0.e30.", "[redacted]"),
        ("unsupported_grant_type application/json", "unsupported_grant_type application/json"),
    ],
)
def test_a_long_word_may_be_a_secret(text: str, shown: str) -> None:
    assert redact(text, frozenset(), 10) == shown


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token":"§","token_type":"Bearer"}',
        '{"refresh_token" :\n "§"}',
        '{"id_token": ["§"]}',
        '{"access_token": "a\\"§", "a": 1}',
        "{'access_token': '§'}",
        '{"access_token": "§',
        "access_token=§&token_type=Bearer",
        "<access_token>§</access_token>",
        "Access-Token: §",
        "client_secret=§",
        "password=§&username=a",
        "the device_code = §",
    ],
)
def test_the_value_of_a_telling_name_is_not_shown(text: str) -> None:
    shown = redact(text.replace("§", "sh0rt"), frozenset(), 40)
    assert shown.replace("'[", "[").replace("]'", "]").count(REDACTED) == 1
    assert "sh0rt" not in shown


@pytest.mark.parametrize(
    "text", ["the token expired", 'token_type="Bearer"', '"code": 400', "token:", "a token of <b>"]
)
def test_a_telling_name_alone_hides_nothing(text: str) -> None:
    assert redact(text, frozenset(), 40) == text


@pytest.mark.parametrize("sign", ["token", "token ", "token=", 'token="', "token'", "token:[", "<"])
def test_redacting_takes_time_in_proportion(sign: str) -> None:
    # Where it took the square, this would take minutes.
    redact(sign * 100_000, frozenset({"a secret"}), 40)
    redact(sign + " " * 100_000, frozenset({"a secret"}), 40)
    redact(sign + "\\" * 100_000, frozenset({"a secret"}), 40)


@given(st.text(min_size=4), st.text(), st.text(), st.integers(0, 3))
def test_no_secret_is_left_over(secret: str, before: str, after: str, form: int) -> None:
    written = [
        secret,
        quote_plus(secret, errors="replace"),
        html.escape(secret),
        json.dumps(secret)[1:-1],
    ][form]
    shown = redact(before + written + after, frozenset({secret}), 40)
    assert secret in REDACTED or secret not in shown


def basic(text: str, charset: str = "utf-8") -> Pairs:
    return (("Authorization", f"Basic {base64.b64encode(text.encode(charset)).decode()}"),)


def credentials(headers: Pairs) -> set[str]:
    value = headers[0][1]
    return {value, value.removeprefix("Basic ")}


@pytest.mark.parametrize(
    ("request_to_send", "secrets"),
    [
        pytest.param(RequestToSend(endpoint=Endpoint.TOKEN, url=URL), set[str](), id="nothing"),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN,
                url=URL,
                form=(("grant_type", "x"), ("code", "the code"), ("scope", "y"), ("own", "z")),
            ),
            {"the code", "z"},
            id="form: all that is not known to be public",
        ),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN, method="GET", url=f"{URL}?client_id=me&code=the+code&a="
            ),
            {"the code"},
            id="query",
        ),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN,
                url=URL,
                content=urlencode({"client_id": "me", "password": "ä b"}).encode(),
            ),
            {"ä b"},
            id="content",
        ),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN, url=URL, content=b' {"secret": ["a\\"\\u00e4", 5]}'
            ),
            {"secret", 'a"ä'},
            id="JSON",
        ),
        pytest.param(
            RequestToSend(endpoint=Endpoint.TOKEN, url=URL, content=b"\xff\xfe"), set[str](), id="?"
        ),
        pytest.param(
            RequestToSend(
                endpoint=Endpoint.TOKEN,
                url=URL,
                headers=(
                    ("ACCEPT", "application/json"),
                    ("DPoP", "proof"),
                    ("X-Key", "the key"),
                    ("authorization", "DPoP token"),
                ),
            ),
            {"proof", "the key", "key", "DPoP token", "token"},
            id="headers",
        ),
        pytest.param(
            RequestToSend(endpoint=Endpoint.TOKEN, url=URL, headers=basic("me:a%3Ab")),
            {*credentials(basic("me:a%3Ab")), "me:a%3Ab", "a%3Ab", "a:b"},
            id="Basic, encoded",
        ),
        pytest.param(
            RequestToSend(endpoint=Endpoint.TOKEN, url=URL, headers=basic("me:ä", "latin-1")),
            {*credentials(basic("me:ä", "latin-1")), "me:ä", "ä", "me:\ufffd", "\ufffd"},
            id="Basic, Latin-1",
        ),
        *(
            pytest.param(
                RequestToSend(
                    endpoint=Endpoint.TOKEN, url=URL, headers=(("Authorization", f"Basic {bad}"),)
                ),
                {f"Basic {bad}", bad},
                id=f"no Basic: {bad}",
            )
            for bad in ("a", "ä", "a b", "bWU6cHc=!")
        ),
    ],
)
def test_what_is_secret_in_a_request(request_to_send: RequestToSend, secrets: set[str]) -> None:
    assert secrets_of(request_to_send) == secrets
