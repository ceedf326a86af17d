"""Corners of the drop-in vocabulary that no request reaches; all else is tested in tests/adapters."""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth2_sansio import LocalProtocolError
from oauth2_sansio.dropin.methods import Unauthenticated
from oauth2_sansio.dropin.parameters import read_body, read_parameters
from oauth2_sansio.events import RequestToSend
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio_requests import AssertionSession, OAuth2Auth, OAuth2Session

TOKEN_ENDPOINT = "https://as.example/token"


def test_who_adds_nothing_is_called_none() -> None:
    assert Unauthenticated().method == "none"


@pytest.mark.parametrize(
    ("scope", "sent"), [("a b", "a b"), (["a", "b"], "a b"), (("a", 1), "a 1"), (7, "7")]
)
def test_a_scope_of_any_kind_is_one_text(scope: object, sent: str) -> None:
    assert read_parameters({"scope": scope}) == (("scope", sent),)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (None, ()),
        ("", ()),
        ("a=1&a=2&b=", (("a", "1"), ("a", "2"), ("b", ""))),
        (b"a=%C3%BC", (("a", "ü"),)),
        ({"a": ["1", "2"]}, (("a", "1"), ("a", "2"))),
    ],
)
def test_a_body_is_read_as_pairs(body: object, pairs: tuple[tuple[str, str], ...]) -> None:
    assert read_body(body) == pairs


def test_a_body_that_is_no_form_is_not_quoted() -> None:
    with pytest.raises(ValueError, match="form") as caught:
        read_body("the-secret-without-a-name")
    assert "the-secret" not in str(caught.value)


def test_an_auth_object_of_an_assertion_session_asserts_for_its_own_token() -> None:
    with AssertionSession(TOKEN_ENDPOINT, "me", "you", key="k" * 32, alg="HS256") as session:
        auth = OAuth2Auth({"access_token": "x", "expires_at": 1}, client=session)
        assert auth.token is not session.token
        flow = session._renewal_of_another(OAuth2Token(access_token="x"))
        action = flow.start(0.0)
    assert isinstance(action, RequestToSend)
    assert action.url == TOKEN_ENDPOINT
    assert dict(action.form)["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


DETAILS = [{"type": "payment", "amount": "12.00"}]


def test_authorization_details_of_a_type_that_the_server_does_not_list() -> None:
    with OAuth2Session(
        "app",
        "secret",
        authorization_endpoint="https://as.example/authorize",
        token_endpoint=TOKEN_ENDPOINT,
        authorization_details_types_supported=["account"],
    ) as session:
        session.token = {"access_token": "a-1", "refresh_token": "r-1"}
        for call in (
            session.create_authorization_url,
            partial(session.fetch_token, grant_type="client_credentials"),
            session.refresh_token,
        ):
            with pytest.raises(LocalProtocolError, match="of the type payment"):
                call(authorization_details=DETAILS)
            with pytest.raises(TypeError, match="list of dicts"):
                call(authorization_details=DETAILS[0])
        # What is a text already is sent as it stands.
        url, _ = session.create_authorization_url(authorization_details=json.dumps(DETAILS))
        assert json.loads(parse_qs(urlsplit(url).query)["authorization_details"][0]) == DETAILS


def test_a_session_names_an_unknown_argument() -> None:
    with pytest.raises(TypeError, match="OAuth2Session has no argument .*client_idd"):
        OAuth2Session(client_idd="app")  # type: ignore[call-arg]  # the mistake is the point


@pytest.mark.parametrize(
    ("named", "asked"),
    [(None, "https://mtls.as.example/token"), ("https://as.example/named", None)],
)
def test_an_endpoint_for_certificates_counts_unless_the_call_names_another(
    named: str | None, asked: str | None
) -> None:
    with OAuth2Session(
        "app",
        token_endpoint_auth_method="tls_client_auth",
        token_endpoint=TOKEN_ENDPOINT,
        mtls_endpoint_aliases={"token_endpoint": "https://mtls.as.example/token"},
    ) as session:
        flow = session._refreshing(named, None, "", None, None, {})(
            OAuth2Token(refresh_token="refresh")
        )
        action = flow.start(0.0)
    assert isinstance(action, RequestToSend)
    assert action.url == (asked or named)
