"""Errors: whose fault, where, what to try; printed safely, and pickled without the answer."""

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.errors import (
    ErrorResponse,
    InvalidTokenError,
    LocalProtocolError,
    MismatchingStateError,
    MissingTokenError,
    OAuth2Error,
    Outcome,
    RemoteProtocolError,
    StoreError,
    TransportError,
    UnsavedTokenError,
    UnsupportedTokenTypeError,
    anew,
    listed,
    printable,
)
from oauth2_sansio.events import Endpoint, ResponseReceived

RESPONSE = ResponseReceived(status=400, body=b'{"access_token": "tOp-sEcret"}')
EVERY_KIND = [
    OAuth2Error("odd", "text", "https://e.example/", status=400, retry_after=5.0),
    LocalProtocolError("text", error="odd", endpoint=Endpoint.TOKEN, advice="try"),
    MissingTokenError("text"),
    InvalidTokenError("text"),
    UnsupportedTokenTypeError("text"),
    RemoteProtocolError("text", status=200, response=RESPONSE, outcome=Outcome.UNKNOWN),
    MismatchingStateError("text"),
    ErrorResponse("invalid_grant", "text", endpoint=Endpoint.TOKEN, response=RESPONSE),
    TransportError("text", outcome=Outcome.UNKNOWN, cause=OSError("tOp-sEcret")),
    UnsavedTokenError({"access_token": "tOp-sEcret"}),
    StoreError("text", cause=OSError("tOp-sEcret"), error="odd", advice="try"),
]


@pytest.mark.parametrize(
    ("kind", "parent", "code"),
    [
        (OAuth2Error, Exception, "oauth2_error"),
        (LocalProtocolError, OAuth2Error, "local_protocol_error"),
        (MissingTokenError, LocalProtocolError, "missing_token"),
        (InvalidTokenError, LocalProtocolError, "token_invalid"),
        (UnsupportedTokenTypeError, InvalidTokenError, "unsupported_token_type"),
        (RemoteProtocolError, OAuth2Error, "remote_protocol_error"),
        (MismatchingStateError, RemoteProtocolError, "mismatching_state"),
        (ErrorResponse, OAuth2Error, "error_response"),
        (TransportError, OAuth2Error, "transport_error"),
        (UnsavedTokenError, OAuth2Error, "unsaved_token"),
        (StoreError, OAuth2Error, "store_error"),
    ],
)
def test_the_family(kind: type[OAuth2Error], parent: type[Exception], code: str) -> None:
    assert kind.__bases__ == (parent,)
    assert kind.default_error == code


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OAuth2Error(), "oauth2_error"),
        (OAuth2Error("", ""), "oauth2_error"),
        (OAuth2Error("odd"), "odd"),
        (OAuth2Error("odd", "text"), "odd: text"),
        (OAuth2Error("odd", "secret", printed="[redacted]"), "odd: [redacted]"),
        (OAuth2Error("odd", "secret", printed=""), "odd"),
        (OAuth2Error("odd", "text", status=400), "odd: text (status 400)"),
        (OAuth2Error("odd", "text", endpoint=Endpoint.TOKEN), "odd: text (token endpoint)"),
        (
            OAuth2Error("odd", "text", endpoint=Endpoint.TOKEN, status=400, advice="try this"),
            "odd: text (token endpoint, status 400); try this",
        ),
        (OAuth2Error("odd", advice="say\nho\x1b"), "odd; say\\nho\\x1b"),
        (OAuth2Error("\ud800\x1b[31m", "a\r\nb\x00"), "\\ud800\\x1b[31m: a\\r\\nb\\x00"),
        (OAuth2Error("e" * 101), "e" * 97 + "..."),
        (OAuth2Error("odd", "d" * 600), "odd: " + "d" * 600),
        (OAuth2Error("odd", "d" * 601), "odd: " + "d" * 597 + "..."),
        (OAuth2Error("odd", advice="a" * 600), "odd; " + "a" * 600),
        (OAuth2Error("odd", advice="a" * 601), "odd; " + "a" * 597 + "..."),
    ],
)
def test_the_text(error: OAuth2Error, text: str) -> None:
    assert str(error) == text
    assert repr(error) == f"OAuth2Error({text!r})"


def test_everything_is_kept() -> None:
    error = OAuth2Error(
        "odd",
        "text",
        "https://e.example/",
        status=400,
        endpoint=Endpoint.TOKEN,
        advice="try",
        response=RESPONSE,
        outcome=Outcome.REFUSED,
        retry_after=5.0,
        printed="shown",
    )
    assert vars(error) == {
        "error": "odd",
        "description": "text",
        "uri": "https://e.example/",
        "status": 400,
        "endpoint": Endpoint.TOKEN,
        "advice": "try",
        "response": RESPONSE,
        "outcome": Outcome.REFUSED,
        "retry_after": 5.0,
    }


def test_the_callers_fault_was_never_sent() -> None:
    assert LocalProtocolError("text").outcome is Outcome.NOT_SENT


def test_the_cause_is_kept_and_not_printed() -> None:
    cause = OSError("tOp-sEcret")
    error = TransportError("no response came", outcome=Outcome.UNKNOWN, cause=cause)
    assert error.cause is cause
    assert "tOp-sEcret" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: type(error).__name__)
def test_an_error_pickles_without_the_answer(error: OAuth2Error, protocol: int) -> None:
    pickled = pickle.dumps(error, protocol)
    again = pickle.loads(pickled)
    assert b"tOp-sEcret" not in pickled
    assert type(again) is type(error)
    assert again.args == error.args == (str(again),)
    empty: dict[str, object] = {"response": None, "cause": None, "token": {}}
    left_out = {name: value for name, value in empty.items() if hasattr(error, name)}
    assert vars(again) == {**vars(error), **left_out}


def test_a_note_survives() -> None:
    error = OAuth2Error("odd")
    error.add_note("in step 3")
    assert copy.copy(error).__notes__ == ["in step 3"]


def test_an_error_that_is_also_one_of_an_http_library_pickles() -> None:
    again = pickle.loads(pickle.dumps(_Both("text")))
    assert isinstance(again, ConnectionError)
    assert str(again) == "remote_protocol_error: text"


class _Both(RemoteProtocolError, ConnectionError):
    pass


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "..."),
        ("abcdef", 5, "ab..."),
        ("aä\n", 20, "a\\xe4\\n"),
        ("ääää", 8, "\\xe4\\..."),
        ("\ud800\U0001f600", 30, "\\ud800\\U0001f600"),
        ("\x1b]0;owned\x07", 30, "\\x1b]0;owned\\x07"),
        ("'\"\\", 30, "'\"\\"),
        ("", 3, ""),
    ],
)
def test_printable(text: str, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


def test_names_are_listed_as_far_as_they_go() -> None:
    assert listed(["a", "b\n"]) == "a, b\\n"
    assert listed(()) == ""
    assert listed(["n" * 198, ""]) == "n" * 198 + ", "
    assert listed(["n" * 198, "o"]) == "n" * 197 + "..."


any_text = st.text(st.characters())


@given(any_text, st.integers(3, 50))
def test_printable_never_fails(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= limit


@given(any_text, any_text, any_text)
def test_printing_an_error_never_fails(error: str, description: str, advice: str) -> None:
    shown = str(OAuth2Error(error, description, advice=advice))
    assert shown.isascii()
    assert shown.isprintable()
    assert pickle.loads(pickle.dumps(OAuth2Error(error, description))).description == description


def test_each_caller_gets_an_error_of_its_own() -> None:
    with pytest.raises(TransportError) as caught:
        raise TransportError("no answer", outcome=Outcome.UNKNOWN, cause=OSError())
    other = anew(caught.value)
    assert type(other) is TransportError
    assert (str(other), vars(other)) == (str(caught.value), vars(caught.value))
    assert other.__traceback__ is None
