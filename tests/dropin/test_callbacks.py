from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import (
    ErrorResponse,
    MismatchingStateError,
    OAuth2Error,
    RemoteProtocolError,
    ServerKeys,
)
from oauth2_sansio.dropin.callbacks import Callback, is_signed, read_callback
from oauth2_sansio.jwt_verification import JWTVerification
from tests.core import server_jwts

CB = "https://app.example/cb"
VERIFICATION = JWTVerification(
    issuer=server_jwts.ISSUER,
    client_id="app",
    algorithms=("ES256",),
    keys=ServerKeys(server_jwts.jwk_set("ES256")),
)
TOKEN = "access_token=a&token_type=bearer&state=s"


def read(callback: str, **changes: Any) -> Callback:
    arguments: dict[str, Any] = {
        "state": "s",
        "response_type": "code",
        "response_mode": None,
        "token_is_welcome": False,
        "issuer": None,
        "issuer_required": False,
        "verification": lambda: VERIFICATION,
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


def signed(**claims: object) -> str:
    members = {**server_jwts.CLAIMS, "exp": 1060, "state": "s", **claims}
    return f"response={server_jwts.signed_jwt(members)}"


@pytest.mark.parametrize(
    ("mode", "beginning", "changes"),
    [
        ("jwt", f"{CB}?", {}),
        ("jwt", f"{CB}?", {"state": None}),
        ("jwt", f"{CB}#", {"response_type": "code id_token"}),
        ("query.jwt", f"{CB}?", {}),
        ("fragment.jwt", f"{CB}#", {}),
        ("form_post.jwt", "", {}),
        ("form_post.jwt", f"{CB}?", {}),
    ],
)
def test_signed_codes(mode: str, beginning: str, changes: dict[str, Any]) -> None:
    changes = {"response_mode": mode, "issuer": server_jwts.ISSUER, **changes}
    assert read(beginning + signed(code="c"), **changes) == Callback(code="c")
    for claims, error in (
        ({"state": "t"}, MismatchingStateError),
        ({"error": "access_denied"}, ErrorResponse),
        ({"exp": 900}, RemoteProtocolError),
        ({"aud": "other"}, RemoteProtocolError),
        ({"iss": "https://other.example"}, RemoteProtocolError),
        ({"code": None}, RemoteProtocolError),
    ):
        if "state" in claims and changes.get("state", "s") is None:
            continue
        with pytest.raises(error):
            read(beginning + signed(**{"code": "c", **claims}), **changes)
    with pytest.raises(RemoteProtocolError, match="not signed"):
        read(f"{beginning}code=c&state=s", **changes)


def test_signed_tokens() -> None:
    changes = {"response_mode": "jwt", "response_type": "token", "issuer": server_jwts.ISSUER}
    callback = read(f"{CB}#{signed(access_token='a', expires_in=60)}", **changes)
    assert callback.token is not None
    assert callback.token["expires_at"] == 1060


def test_which_modes_are_signed() -> None:
    assert [is_signed(mode) for mode in ("jwt", "query.jwt", "query", None, ["jwt"])] == [
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(RemoteProtocolError, match="no such one was asked for"):
        read(f"{CB}?{signed(code='c')}")
