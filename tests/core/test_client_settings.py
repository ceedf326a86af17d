"""What a client is told, and what each of its requests passes: before any operation has a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth2_sansio import (
    ClientSecretBasic,
    ClientSecretJWT,
    DPoP,
    Endpoint,
    Exchange,
    Finished,
    LocalProtocolError,
    NoAuthentication,
    OAuth2Token,
    RemoteProtocolError,
    RequestToSend,
    ResponseReceived,
    SelfSignedTLSClientAuth,
    Server,
    TLSClientAuth,
    new_private_key,
)
from oauth2_sansio.answers import Answer
from oauth2_sansio.client_settings import ClientSettings

SERVER = Server(
    token_endpoint="https://as.example/token", userinfo_endpoint="https://as.example/userinfo"
)
TOKEN = b'{"access_token": "a1", "token_type": "%s"}'


def settings_of(**settings: Any) -> ClientSettings:
    return ClientSettings(**{"server": SERVER, "client_id": "app", **settings})


def sent_by(settings: ClientSettings, endpoint: Endpoint = Endpoint.TOKEN) -> RequestToSend:
    request = settings.exchange(endpoint, {"a": "b"}, Answer.read).start(1000.0)
    assert isinstance(request, RequestToSend)
    return request


@pytest.mark.parametrize(
    ("settings", "form", "header"),
    [
        ({}, (("a", "b"), ("client_id", "app")), None),
        ({"auth": NoAuthentication()}, (("a", "b"), ("client_id", "app")), None),
        ({"auth": ClientSecretBasic("hush")}, (("a", "b"),), "Basic YXBwOmh1c2g="),
        ({"client_secret": "hush"}, (("a", "b"),), "Basic YXBwOmh1c2g="),
    ],
)
def test_the_authentication(
    settings: dict[str, Any], form: tuple[tuple[str, str], ...], header: str | None
) -> None:
    request = sent_by(settings_of(**settings))
    assert request.form == form
    assert request.header("Authorization") == header


def test_one_way_to_authenticate() -> None:
    with pytest.raises(TypeError, match="not both"):
        settings_of(auth=NoAuthentication(), client_secret="hush")


def test_the_pipeline() -> None:
    settings = settings_of(
        server=replace(SERVER, token_endpoint="http://as.internal/token", allow_insecure_http=True),
        amend_request=(lambda request: request.with_header("X-Own", "1"),),
        amend_response=(lambda _request, response: replace(response, body=b'{"a": 1}'),),
        url_allowed=lambda url: "internal" in url,
    )
    assert sent_by(settings).header("X-Own") == "1"
    draft = SERVER.draft(Endpoint.TOKEN, ())
    with pytest.raises(LocalProtocolError, match="url_allowed"):
        Exchange(settings.pipeline, draft, Answer.read).flow().start(0.0)
    flow = settings.exchange(Endpoint.TOKEN, (), Answer.read, method="GET")
    flow.start(0.0)
    assert flow.receive(ResponseReceived(status=200), 0.0) == Finished({"a": 1})


def test_what_holds_where_nothing_is_said() -> None:
    settings = settings_of()
    assert (settings.omit_pkce, settings.authorization_lifetime) == (False, 600)


def test_a_secret_goes_into_a_form_and_never_into_a_url() -> None:
    request = settings_of().exchange(Endpoint.TOKEN, {"client_secret": "hush"}, Answer.read)
    assert isinstance(request.start(0.0), RequestToSend)
    with pytest.raises(LocalProtocolError, match="never goes into a URL"):
        settings_of().exchange(Endpoint.TOKEN, {"client_secret": "hush"}, Answer.read, method="GET")


def test_equal_settings_are_equal_and_show_no_secret() -> None:
    one, other = (settings_of(auth=ClientSecretJWT(client_secret="hush" * 8)) for _ in range(2))
    assert one == other
    for settings in (one, settings_of(client_secret="hush")):
        assert repr(settings) == (
            f"ClientSettings(server={SERVER!r}, client_id='app', omit_pkce=False, "
            "request_object=None, dpop=None, use_mtls_endpoint_aliases=False, "
            "authorization_signed_response_alg=None, introspection_signed_response_alg=None, "
            "authorization_lifetime=600.0, amend_request=(), amend_response=(), url_allowed=None)"
        )


def test_further_signers_come_before_the_authentication() -> None:
    settings = settings_of(client_secret="hush")
    first = NoAuthentication().signer(replace(settings.identity, client_id="first"))
    flow = settings.exchange(Endpoint.TOKEN, (), Answer.read, signers=(first,))
    request = flow.start(0.0)
    assert isinstance(request, RequestToSend)
    assert request.form == (("client_id", "first"),)
    assert request.header("Authorization")


@pytest.mark.parametrize("kind", [b"DPoP", b"Bearer"])
def test_a_token_that_is_bound_or_not(kind: bytes) -> None:
    dpop = DPoP(new_private_key())
    settings = settings_of(dpop=dpop)
    assert sent_by(settings).header("DPoP")
    answer = Answer(sent_by(settings), ResponseReceived(status=200, body=TOKEN % kind), 0.0)
    assert settings_of().read_token(answer)["access_token"] == "a1"
    if kind == b"DPoP":
        before = OAuth2Token(refresh_token="r1")
        assert settings.read_token(answer, before)["refresh_token"] == "r1"
    else:
        with pytest.raises(RemoteProtocolError, match="not bound"):
            settings.read_token(answer)
    with pytest.raises(LocalProtocolError, match="no DPoP proofs"):
        settings_of(server=Server(dpop_signing_alg_values_supported=("PS256",)), dpop=dpop)


@pytest.mark.parametrize(
    "name", ["authorization_signed_response_alg", "introspection_signed_response_alg"]
)
def test_what_answers_are_signed_with(name: str) -> None:
    assert getattr(settings_of(**{name: "PS256"}), name) == "PS256"
    for algorithm in ("none", "RSA1_5", ""):
        with pytest.raises(ValueError, match="no algorithm"):
            settings_of(**{name: algorithm})


def test_a_grant_has_a_name() -> None:
    exchange = settings_of()._token_exchange("own", (("a", "b"),), ())
    assert exchange.send(0.0).form[:2] == (("grant_type", "own"), ("a", "b"))  # type: ignore[union-attr]  # nothing is signed elsewhere
    answer = ResponseReceived(status=200, body=TOKEN % b"Bearer")
    flow = exchange.flow()
    flow.start(0.0)
    assert isinstance(flow.receive(answer, 0.0), Finished)


ALIASED = Server(
    token_endpoint="https://as.example/token",
    userinfo_endpoint="https://as.example/userinfo",
    mtls_endpoint_aliases={"token_endpoint": "https://mtls.as.example/token"},
)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"auth": TLSClientAuth()}, "mtls.as.example"),
        ({"auth": SelfSignedTLSClientAuth()}, "mtls.as.example"),
        ({"client_secret": "s", "use_mtls_endpoint_aliases": True}, "mtls.as.example"),
        ({"client_secret": "s"}, "as.example"),
        ({}, "as.example"),
    ],
)
def test_where_clients_with_a_certificate_turn_to(settings: dict[str, Any], host: str) -> None:
    client = settings_of(server=ALIASED, **settings)
    assert sent_by(client).url == f"https://{host}/token"
    assert sent_by(client, Endpoint.USERINFO).url == "https://as.example/userinfo"
    assert sent_by(replace(client, client_id="b")).url == f"https://{host}/token"
