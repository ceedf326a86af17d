"""Tokens: read strictly, kept whole, printed without a secret."""

import copy
import json
import pickle
from pprint import pformat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import tokens
from oauth2_sansio.answers import Answer
from oauth2_sansio.errors import ErrorResponse, OAuth2Error, Outcome, RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend, ResponseReceived
from oauth2_sansio.tokens import (
    LONGEST_LIFETIME,
    OAuth2Token,
    is_visible_text,
    read_seconds,
    read_token,
    token_from_document,
)

NOW = 1_700_000_000.5
REQUEST = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="https://as.example/token",
    form=(("grant_type", "authorization_code"), ("code", "the-c0de")),
)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
GOOD: dict[str, Any] = {"access_token": "a", "token_type": "Bearer"}


def answer(document: object, *, status: int = 200) -> Answer:
    body = json.dumps(document).encode()
    return Answer(REQUEST, ResponseReceived(status=status, body=body), NOW)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"expires_in": None},
        {"scope": ["a", "b"]},
        {"scope": 5, "token_type": None},
        {"token_type": 7},
        {"token_type": "mac", "mac_key": "k"},
        {"refresh_token": None},
        {"refresh_token": ""},
        {"refresh_token": "r r"},
        {"id_token": "not verified", "unknown": {"nested": [1, 2.5, None]}},
        {"error": None},
        {"error": ""},
        {"access_token": "b\\/%+ ~"},
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_a_token_is_what_the_server_sent(members: dict[str, Any], status: int) -> None:
    token = read_token(answer({**GOOD, **members}, status=status))
    assert type(token) is OAuth2Token
    assert token == {**GOOD, **members}


GRANTED = [{"type": "payment", "amount": "12.00"}, {"type": "account"}]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (GRANTED, tuple(GRANTED)),
        (tuple(GRANTED), tuple(GRANTED)),
        ([], ()),
        (None, None),
        ({"type": "payment"}, None),
        ('[{"type": "payment"}]', None),
        ([{"type": "payment"}, {}], None),
        ([{"type": 1}], None),
        (["payment"], None),
    ],
)
def test_what_was_granted_in_detail(value: object, read: object) -> None:
    token = read_token(answer({**GOOD, "authorization_details": value}))
    assert token.authorization_details == read
    assert token["authorization_details"] == value or isinstance(value, tuple)
    assert OAuth2Token(GOOD).authorization_details is None


def test_what_was_granted_in_detail_outlives_a_refresh() -> None:
    before = OAuth2Token({**GOOD, "authorization_details": GRANTED})
    assert read_token(answer(GOOD), before).authorization_details == tuple(GRANTED)
    less = {**GOOD, "authorization_details": GRANTED[:1]}
    assert read_token(answer(less), before).authorization_details == tuple(GRANTED[:1])


@pytest.mark.parametrize(
    ("members", "expires_at"),
    [
        ({"expires_in": 3600}, 1_700_003_600),
        ({"expires_in": 3600.9}, 1_700_003_601),
        ({"expires_in": "3600"}, 1_700_003_600),
        ({"expires_in": "3600.0"}, 1_700_003_600),
        ({"expires_in": " 3600 "}, 1_700_003_600),
        ({"expires_in": "1e3"}, 1_700_001_000),
        ({"expires_in": 0}, 1_700_000_000),
        ({"expires_in": -1}, 1_700_000_000),
        ({"expires_in": "0"}, 1_700_000_000),
        ({"expires_in": -5}, 1_700_000_000),
        ({"expires_in": LONGEST_LIFETIME + 1}, 2_015_360_000),
        ({"expires_in": 10**300}, 2_015_360_000),
        ({"expires_in": 10**399}, None),
        ({"expires_in": "9" * 5000}, None),
        ({"expires_in": None}, None),
        ({"expires_in": True}, None),
        ({"expires_in": ""}, None),
        ({"expires_in": "soon"}, None),
        ({"expires_in": "NaN"}, None),
        ({"expires_in": "Infinity"}, None),
        ({"expires_in": "1_000"}, None),
        ({"expires_in": "\uff11\uff10"}, None),
        ({"expires_in": [3600]}, None),
        ({"expires_in": {"seconds": 3600}}, None),
        ({"expires_at": 1_700_000_009}, 1_700_000_009),
        ({"expires_at": "1700000009.7", "expires_in": 3600}, 1_700_000_009),
        ({"expires_at": 1_600_000_000, "expires_in": 3600}, 1_600_000_000),
        ({"expires_at": 0, "expires_in": 3600}, 1_700_003_600),
        ({"expires_at": NOW + LONGEST_LIFETIME, "expires_in": 3600}, 2_015_360_000),
        ({"expires_at": NOW + LONGEST_LIFETIME + 1, "expires_in": 3600}, 1_700_003_600),
        ({"expires_at": 1_700_000_009_000, "expires_in": 3600}, 1_700_003_600),
        ({"expires_at": "2026-01-01T00:00:00Z", "expires_in": 3600}, 1_700_003_600),
        ({"expires_at": "2026-01-01T00:00:00Z", "expires_in": "60"}, 1_700_000_060),
        ({"expires_at": "never"}, None),
        ({"expires_at": None, "expires_in": None}, None),
    ],
)
def test_when_a_token_expires(members: dict[str, Any], expires_at: int | None) -> None:
    token = read_token(answer({**GOOD, **members}))
    assert token.get("expires_at") == token.expires_at == expires_at
    assert type(token.get("expires_at")) is (int if expires_at is not None else type(None))
    assert ("expires_at" in token) is (expires_at is not None)
    assert token.get("expires_in") == members.get("expires_in")  # stays as it was sent


@pytest.mark.parametrize(
    ("member", "value", "complaint"),
    [
        ("access_token", None, "the answer has no access_token"),
        ("access_token", "", "the answer has no access_token"),
        ("access_token", 5, "the access_token in the answer is a int, not a text"),
        ("access_token", ["a"], "the access_token in the answer is a list, not a text"),
        ("access_token", {}, "the access_token in the answer is a dict, not a text"),
        ("access_token", False, "the access_token in the answer is a bool, not a text"),
        ("access_token", "a\r\nb", "the access_token in the answer has characters that no token"),
        ("access_token", "a\x7f", "the access_token in the answer has characters that no token"),
        ("access_token", "ä", "the access_token in the answer has characters that no token"),
        ("access_token", "\ud800", "the access_token in the answer has characters that no token"),
        ("refresh_token", 5, "the refresh_token in the answer is a int, not a text"),
        ("refresh_token", "a\x00", "the refresh_token in the answer has characters that no token"),
    ],
)
@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("lifetime", [None, 3600])  # most answers name one, and are read at once
def test_what_is_no_token(
    member: str, value: object, complaint: str, ensure_ascii: bool, lifetime: int | None
) -> None:
    members = {**GOOD, "expires_in": lifetime, member: value}
    text = json.dumps(members, ensure_ascii=ensure_ascii or value == "\ud800")
    response = ResponseReceived(status=200, body=text.encode())
    with pytest.raises(RemoteProtocolError, match=complaint) as caught:
        read_token(Answer(REQUEST, response, NOW))
    error = caught.value
    assert error.response is response  # whatever was issued is not lost
    assert (error.status, error.endpoint) == (200, Endpoint.TOKEN)
    assert error.outcome is Outcome.UNKNOWN
    assert error.advice == "the fault is the server's: report it to its operator"


@pytest.mark.parametrize("body", [b"access_token=a%0A", b"access_token=%C3%A4", b"access_token="])
def test_what_is_no_token_in_a_form(body: bytes) -> None:
    response = ResponseReceived(status=200, headers=FORM, body=body)
    with pytest.raises(
        RemoteProtocolError, match=r"the answer has no|has characters that no token"
    ):
        read_token(Answer(REQUEST, response, NOW))


def test_a_form_encoded_token() -> None:
    body = b"access_token=gho_16C7e4&expires_in=3600&scope=repo%2Cgist&token_type=bearer"
    token = read_token(Answer(REQUEST, ResponseReceived(status=200, headers=FORM, body=body), NOW))
    assert token == {
        "access_token": "gho_16C7e4",
        "expires_in": "3600",
        "scope": "repo,gist",
        "token_type": "bearer",
        "expires_at": 1_700_003_600,
    }


PREVIOUS = OAuth2Token(
    access_token="old",
    token_type="DPoP",
    expires_in=10,
    expires_at=20,
    refresh_token="r0",
    scope="a b",
    id_token="i0",
    own=0,
)


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ({}, {"refresh_token": "r0", "scope": "a b", "id_token": "i0", "own": 0}),
        (
            {"refresh_token": "r1", "scope": "a", "id_token": "i1", "own": 1},
            {"refresh_token": "r1", "scope": "a", "id_token": "i1", "own": 1},
        ),
        (
            {"refresh_token": None, "scope": None},
            {"refresh_token": "r0", "scope": "a b", "id_token": "i0", "own": 0},
        ),
        (
            {"refresh_token": "", "scope": "", "own": False},
            {"refresh_token": "r0", "scope": "", "id_token": "i0", "own": False},
        ),
    ],
)
def test_a_refresh_keeps_what_the_answer_leaves_out(
    members: dict[str, Any], result: dict[str, Any]
) -> None:
    before = dict(PREVIOUS)
    token = read_token(answer({"access_token": "new", **members}), PREVIOUS)
    assert token == {"access_token": "new", **result}
    assert token.expires_at is None  # the old one's end is not the new one's
    assert before == PREVIOUS


def test_a_refresh_keeps_the_refresh_token_where_the_answer_names_a_lifetime() -> None:
    token = read_token(answer({"access_token": "new", "expires_in": 60}), PREVIOUS)
    assert (token.refresh_token, token.expires_at) == ("r0", 1_700_000_060)


@pytest.mark.parametrize(
    ("value", "is_visible"),
    [("", False), (" ", True), ("~", True), ("a\tb", False), ("ä", False), (None, False)],
)
def test_what_is_visible_text(value: object, is_visible: bool) -> None:
    assert is_visible_text(value) is is_visible


def test_a_first_token_has_no_refresh_token_to_keep() -> None:
    assert "refresh_token" not in read_token(answer(GOOD), OAuth2Token(scope="a"))


def test_an_error_is_raised() -> None:
    with pytest.raises(ErrorResponse, match=r"^invalid_grant"):
        read_token(answer({**GOOD, "error": "invalid_grant"}))


def test_the_document_is_not_changed() -> None:
    document = {**GOOD, "expires_in": 5, "expires_at": "never"}
    token = token_from_document(document, 0.0, OAuth2Error, PREVIOUS)
    assert document == {**GOOD, "expires_in": 5, "expires_at": "never"}
    assert token["expires_at"] == 5
    with pytest.raises(OAuth2Error, match="the answer has no access_token"):
        token_from_document({}, 0.0, OAuth2Error)


@pytest.mark.parametrize(
    ("token", "access", "kind", "refresh", "identity", "scope"),
    [
        ({}, None, "Bearer", None, None, None),
        ({"access_token": 5, "token_type": None, "scope": 5}, None, None, None, None, None),
        ({"access_token": "", "refresh_token": "", "id_token": ""}, "", "Bearer", None, None, None),
        (
            {
                "access_token": "a",
                "token_type": "mac",
                "refresh_token": "r",
                "id_token": "i",
                "scope": "x y",
            },
            *("a", "mac", "r", "i", "x y"),
        ),
        ({"scope": ["x", "y"]}, None, "Bearer", None, None, "x y"),
        ({"scope": ("x", "y")}, None, "Bearer", None, None, "x y"),
        ({"scope": []}, None, "Bearer", None, None, ""),
        ({"scope": ["x", 5]}, None, "Bearer", None, None, None),
    ],
)
def test_the_properties(
    token: dict[str, Any],
    access: str | None,
    kind: str | None,
    refresh: str | None,
    identity: str | None,
    scope: str | None,
) -> None:
    found = OAuth2Token(token)
    assert found.access_token == access
    assert found.token_type == kind
    assert found.refresh_token == refresh
    assert found.id_token == identity
    assert found.scope == scope


@pytest.mark.parametrize(
    ("token", "leeway", "stale_at"),
    [
        ({}, 60.0, None),
        ({"expires_in": 3600}, 60.0, None),
        ({"expires_in": 0}, 60.0, 0.0),
        ({"expires_in": -1}, 60.0, 0.0),
        ({"expires_in": 1}, 60.0, None),
        ({"expires_at": True}, 60.0, None),
        ({"expires_at": 1000}, 60.0, 940.0),
        ({"expires_at": "1000"}, 0.0, 1000.0),
        ({"expires_at": 1000, "expires_in": 3600}, 60.0, 940.0),
        ({"expires_at": 1000, "expires_in": 3600}, 1800.0, -800.0),
        ({"expires_at": 1000, "expires_in": 300}, 60.0, 940.0),
        ({"expires_at": 1000, "expires_in": 60}, 60.0, 988.0),
        ({"expires_at": 1000, "expires_in": "30"}, 60.0, 994.0),
        ({"expires_at": 1000, "expires_in": 30}, 2.0, 998.0),
        ({"expires_at": 1000, "expires_in": 12}, 60.0, 997.6),
        ({"expires_at": 1000, "expires_in": 300}, 100.0, 940.0),
        ({"expires_at": 1000, "expires_in": 301}, 100.0, 900.0),
        ({"expires_at": 1000, "expires_in": 600}, 600.0, 880.0),
        ({"expires_at": 1000, "expires_in": 0}, 60.0, 1000.0),
        ({"expires_at": 1000, "expires_in": -5}, 60.0, 1000.0),
    ],
)
def test_when_a_token_is_to_be_renewed(
    token: dict[str, Any], leeway: float, stale_at: float | None
) -> None:
    found = OAuth2Token(token)
    assert found.stale_at(leeway) == stale_at
    if stale_at is None:
        assert found.is_expired(leeway, 0.0) is None
        assert found.is_expired(leeway) is None
    else:
        assert found.is_expired(leeway, stale_at - 1) is False
        assert found.is_expired(leeway, stale_at) is True


def test_the_systems_clock_is_read_where_no_time_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OAuth2Token(expires_at=1).is_expired() is True
    assert OAuth2Token(expires_at=1e12).is_expired() is False
    monkeypatch.setattr(tokens, "system_time", lambda: 0.0)
    assert OAuth2Token(expires_at=61).is_expired() is False
    assert OAuth2Token(expires_at=60).is_expired() is True


def test_a_stored_dict_becomes_a_token_and_a_token_stays() -> None:
    stored = {"access_token": "a"}
    token = OAuth2Token.from_dict(stored)
    assert type(token) is OAuth2Token
    assert token == stored
    assert OAuth2Token.from_dict(token) is token
    assert OAuth2Token.from_dict(None) is None


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ({}, "<OAuth2Token>"),
        ({"expires_at": 1000.5}, "<OAuth2Token, expires_at=1000>"),
        ({"refresh_token": "sEcret"}, "<OAuth2Token, with a refresh token>"),
        (
            {"expires_at": "7", "refresh_token": "sEcret", "access_token": "sEcret", "x": "sEcret"},
            "<OAuth2Token, expires_at=7, with a refresh token>",
        ),
        ({"expires_at": [], "refresh_token": 5, "access_token": "\ud800"}, "<OAuth2Token>"),
    ],
)
def test_printing_shows_no_secret(token: dict[str, Any], text: str) -> None:
    found = OAuth2Token(token)
    assert repr(found) == str(found) == f"{found}" == pformat(found) == text
    assert "sEcret" not in f"{[found]}{ {'token': found} }"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_token_pickles_as_the_dict_that_it_is(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(PREVIOUS, protocol))
    assert type(again) is OAuth2Token
    assert again == PREVIOUS
    assert copy.deepcopy(PREVIOUS) == PREVIOUS
    assert json.loads(json.dumps(PREVIOUS)) == dict(PREVIOUS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
MEMBERS = ["access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope"]


@given(st.dictionaries(st.sampled_from([*MEMBERS, "error", "error_description"]), json_values))
def test_any_members_make_a_sound_token_or_an_error_of_ours(document: dict[str, Any]) -> None:
    try:
        token = read_token(answer(document), PREVIOUS)
    except OAuth2Error as error:
        shown = str(error)
    else:
        assert is_visible_text(token.access_token)
        assert is_visible_text(token.refresh_token)
        assert token.expires_at is None or abs(token.expires_at - NOW) <= LONGEST_LIFETIME + 1
        assert token.is_expired(now=NOW) in {True, False, None}
        shown = repr(token)
    assert shown.isprintable()


@given(json_values)
def test_seconds_are_a_finite_number_or_nothing(value: object) -> None:
    seconds = read_seconds(value)
    assert seconds is None or abs(seconds) < float("inf")
