"""What a revocation says, and when it has worked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.answers import Answer
from oauth2_sansio.errors import (
    ErrorResponse,
    MissingTokenError,
    OAuth2Error,
    RemoteProtocolError,
)
from oauth2_sansio.events import Endpoint, Pairs, RequestToSend, ResponseReceived
from oauth2_sansio.revocation import read_revocation, token_and_hint
from oauth2_sansio.tokens import OAuth2Token

REQUEST = RequestToSend(endpoint=Endpoint.REVOCATION, url="https://as.example/revoke")


@pytest.mark.parametrize(
    ("token", "hint", "form"),
    [
        ("a", None, (("token", "a"),)),
        ("a", "access_token", (("token", "a"), ("token_type_hint", "access_token"))),
        (
            OAuth2Token(access_token="a", refresh_token="r"),
            None,
            (("token", "r"), ("token_type_hint", "refresh_token")),
        ),
        (
            OAuth2Token(access_token="a"),
            None,
            (("token", "a"), ("token_type_hint", "access_token")),
        ),
        (
            OAuth2Token(access_token="a"),
            "their own",
            (("token", "a"), ("token_type_hint", "their own")),
        ),
    ],
)
def test_parameters(token: OAuth2Token | str, hint: str | None, form: Pairs) -> None:
    assert token_and_hint(token, hint) == form


@pytest.mark.parametrize("token", ["", OAuth2Token(), OAuth2Token(access_token="")])
def test_no_token_is_no_request(token: OAuth2Token | str) -> None:
    with pytest.raises(MissingTokenError, match="there is no token to ask about"):
        token_and_hint(token, None)


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("body", [b"", b"\xff", b'{"error": "none"}'])
def test_gone_whatever_the_body(status: int, body: bytes) -> None:
    read_revocation(Answer(REQUEST, ResponseReceived(status=status, body=body), 0.0))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (201, b"", RemoteProtocolError),
        (302, b"", RemoteProtocolError),
        (400, b'{"error": "unsupported_token_type"}', ErrorResponse),
        (503, b"", RemoteProtocolError),
    ],
)
def test_perhaps_alive(status: int, body: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind) as got:
        read_revocation(Answer(REQUEST, ResponseReceived(status=status, body=body), 0.0))
    assert type(got.value) is kind


@given(st.integers(100, 599), st.binary())
def test_any_answer_says_that_it_is_gone_or_is_our_error(status: int, body: bytes) -> None:
    try:
        read_revocation(Answer(REQUEST, ResponseReceived(status=status, body=body), 0.0))
    except OAuth2Error:
        assert status not in (200, 204)
    else:
        assert status in (200, 204)
