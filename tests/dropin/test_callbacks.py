from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import ErrorResponse, MismatchingStateError, OAuth2Error, RemoteProtocolError
from oauth2_sansio.dropin.callbacks import Callback, read_callback

CB = "https://app.example/cb"
TOKEN = "access_token=a&token_type=bearer&state=s"


def read(callback: str, **changes: Any) -> Callback:
    arguments: dict[str, Any] = {
        "state": "s",
        "response_type": "code",
        "response_mode": None,
        "token_is_welcome": False,
        "issuer": None,
        "issuer_required": False,
        "now": 1000.0,
    }
    return read_callback(callback, **{**arguments, **changes})


@pytest.mark.parametrize(
    ("callback", "changes"),
    [
        (f"{CB}?code=c&state=s", {}),
        (f"{CB}?code=c&state=s#_=_", {}),
        (f"{CB}?code=c&state=any", {"state": None}),
        (f"{CB}?code=c", {"state": None}),
        (f"{CB}#code=c&state=s", {"response_mode": "fragment"}),
        (f"{CB}#code=c&state=s", {"response_type": "code id_token"}),
        ("code=c&state=s", {"response_mode": "form_post"}),
        (f"{CB}?code=c&state=s", {"response_mode": "form_post"}),
        (f"{CB}?code=c&state=s", {"token_is_welcome": True}),
    ],
)
def test_codes(callback: str, changes: dict[str, Any]) -> None:
    assert read(callback, **changes) == Callback(code="c")


def test_tokens() -> None:
    callback = read(f"{CB}#{TOKEN}&expires_in=60", token_is_welcome=True)
    assert callback.code is None
    assert callback.token is not None
    assert callback.token["expires_at"] == 1060
    assert "a" not in (callback.token.access_token or "") or "access" not in repr(callback.token)


@pytest.mark.parametrize(
    ("callback", "changes", "error"),
    [
        (f"{CB}#{TOKEN}", {}, OAuth2Error),
        (f"{CB}?code=c&state=t", {}, MismatchingStateError),
        (f"{CB}?code=c", {}, MismatchingStateError),
        (f"{CB}?error=access_denied&state=s", {}, ErrorResponse),
        (f"{CB}?error=access_denied&code=c&state=s", {}, ErrorResponse),
        (f"{CB}#error=access_denied&state=s", {}, ErrorResponse),
        (f"{CB}#error=access_denied&state=s", {"token_is_welcome": True}, ErrorResponse),
        (f"{CB}?code=c&state=s&code=d", {}, RemoteProtocolError),
        (f"{CB}?code=c&state=s", {"issuer_required": True}, RemoteProtocolError),
        (f"{CB}?code=c&state=s&iss=x", {"issuer": "y"}, RemoteProtocolError),
        (f"{CB}?state=s", {}, RemoteProtocolError),
        (f"{CB}?" + "&".join(f"p{n}=" for n in range(101)), {}, RemoteProtocolError),
    ],
)
def test_errors(callback: str, changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(callback, **changes)


@given(
    st.one_of(
        st.text(), st.text().map(lambda text: f"{CB}?{text}"), st.text().map(f"{CB}#".__add__)
    ),
    st.booleans(),
    st.sampled_from([None, "s"]),
)
def test_any_text_gives_a_callback_or_our_error(
    callback: str, welcome: bool, state: str | None
) -> None:
    try:
        read(callback, token_is_welcome=welcome, state=state)
    except OAuth2Error as error:
        assert str(error).isprintable()
