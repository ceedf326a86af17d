from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.errors import (
    InvalidTokenError,
    LocalProtocolError,
    OAuth2Error,
    UnsupportedTokenTypeError,
)
from oauth2_sansio.events import Endpoint
from oauth2_sansio.resource import (
    TokenPlacement,
    authorization_header,
    bound_access_token,
    place_in_body,
    place_in_url,
    usable_access_token,
)
from oauth2_sansio.tokens import OAuth2Token

TOKEN = OAuth2Token(access_token="a+/~.-_=", token_type="Bearer")
PLACED = "access_token=a%2B%2F~.-_%3D"
FORM = "application/x-www-form-urlencoded"


def test_the_placements_have_the_names_of_the_drop_in_vocabulary() -> None:
    assert [placement.value for placement in TokenPlacement] == ["header", "body", "uri"]


@pytest.mark.parametrize(
    "members", [{"token_type": "Bearer"}, {"token_type": "bearer"}, {"token_type": "BEARER"}, {}]
)
def test_a_bearer_token_goes_into_the_header_as_it_is(members: dict[str, Any]) -> None:
    token = OAuth2Token(access_token="a+/~.-_=", **members)
    assert usable_access_token(token) == "a+/~.-_="
    assert authorization_header(token) == "Bearer a+/~.-_="


@pytest.mark.parametrize("kind", ["mac", "", "Bearer ", "N_A", None, 1, ["Bearer"], True])
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    with pytest.raises(UnsupportedTokenTypeError) as caught:
        authorization_header(OAuth2Token(access_token="secret", token_type=kind))
    assert caught.value.endpoint is Endpoint.RESOURCE
    assert str(caught.value) == (
        "unsupported_token_type: the token is of another type than Bearer (resource); "
        "ask the server for a bearer token"
    )


NO_TEXTS: list[object] = [None, "", 1, b"secret", ["secret"], {}]


@pytest.mark.parametrize("members", [{}, *({"access_token": value} for value in NO_TEXTS)])
def test_no_access_token_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError) as caught:
        authorization_header(OAuth2Token(members))
    assert type(caught.value) is InvalidTokenError
    assert str(caught.value) == (
        "token_invalid: there is no access token in the token (resource); "
        "fetch a token, or assign one that has an access_token"
    )


@pytest.mark.parametrize(
    "access_token",
    ["sec ret", " secret", "secret\r\nX: y", "secret\x00", "sécret", "secret\x7f", "\ud800", "\t"],
)
def test_an_access_token_that_no_header_may_hold_is_refused(access_token: str) -> None:
    token = OAuth2Token(access_token=access_token)
    places: list[Callable[[], str]] = [
        lambda: authorization_header(token),
        lambda: place_in_url("https://api.example/", token),
        lambda: place_in_body(None, None, token),
    ]
    for place in places:
        with pytest.raises(InvalidTokenError) as caught:
            place()
        assert str(caught.value) == (
            "token_invalid: the access token has characters that no header may have (resource); "
            "check where the token comes from"
        )


@pytest.mark.parametrize("kind", ["DPoP", "dpop"])
def test_a_bound_token_takes_a_proof(kind: str) -> None:
    token = OAuth2Token(access_token="secret", token_type=kind)
    assert bound_access_token(token) == "secret"
    with pytest.raises(UnsupportedTokenTypeError) as caught:
        authorization_header(token)
    assert str(caught.value) == (
        "unsupported_token_type: the token is bound to a key (DPoP) (resource); "
        "give the client dpop=DPoP(private_key), with the key it was issued for"
    )
    with pytest.raises(InvalidTokenError):
        bound_access_token(OAuth2Token(access_token="sec ret", token_type=kind))


@pytest.mark.parametrize("kind", ["Bearer", "mac", None, 1, ["DPoP"]])
def test_a_token_that_is_not_bound(kind: object) -> None:
    assert bound_access_token(OAuth2Token(access_token="secret", token_type=kind)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/a", f"https://api.example/a?{PLACED}"),
        ("https://api.example/a?b=%7e&c", f"https://api.example/a?b=%7e&c&{PLACED}"),
        ("https://api.example/a?b#f", f"https://api.example/a?b&{PLACED}#f"),
    ],
)
def test_the_token_goes_into_the_query(url: str, expected: str) -> None:
    assert place_in_url(url, TOKEN) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, None, PLACED),
        ("", None, PLACED),
        ("", "application/json", PLACED),
        (None, "text/plain", PLACED),
        ("a=b", FORM, f"a=b&{PLACED}"),
        ("a=b&a=&c", f" {FORM.title()} ; charset=UTF-8", f"a=b&a=&c&{PLACED}"),
        (
            "token=1&xaccess_token=2&b=access_token",
            FORM,
            f"token=1&xaccess_token=2&b=access_token&{PLACED}",
        ),
    ],
)
def test_the_token_goes_into_a_form(
    body: str | None, content_type: str | None, expected: str
) -> None:
    assert place_in_body(body, content_type, TOKEN) == expected


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/json", "multipart/form-data; boundary=x", f"{FORM}2", ";"],
)
def test_the_token_goes_into_no_other_body(content_type: str | None) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        place_in_body("a=b", content_type, TOKEN)
    assert str(caught.value) == (
        "local_protocol_error: the token can only be placed into a form encoded body (resource); "
        'use token_placement="header"'
    )


@pytest.mark.parametrize(
    "body", ["access_token=x", "a=b&access_token=", "access_token", "access%5Ftoken=x"]
)
def test_a_body_gets_no_second_token(body: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        place_in_body(body, FORM, TOKEN)
    assert str(caught.value) == (
        "local_protocol_error: the body has an access_token already (resource); "
        "leave it out, or pass withhold_token=True"
    )


@given(st.none() | st.text(), st.sampled_from([FORM, None, "text/plain"]) | st.text())
def test_any_body_keeps_what_it_has_or_is_refused(
    body: str | None, content_type: str | None
) -> None:
    try:
        placed = place_in_body(body, content_type, TOKEN)
    except LocalProtocolError:
        assert body
        return
    assert placed.startswith(body or "")
    assert ("access_token", "a+/~.-_=") in parse_qsl(placed)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda values: st.lists(values, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(["access_token", "token_type", "expires_at"]), anything | st.just("Bearer")
    )
)
def test_any_token_makes_a_header_or_our_error(members: dict[str, Any]) -> None:
    try:
        header = authorization_header(OAuth2Token(members))
    except OAuth2Error as error:
        assert isinstance(error, InvalidTokenError)
        return
    assert header == f"Bearer {members['access_token']}"
    assert header.isascii()
    assert header.isprintable()
