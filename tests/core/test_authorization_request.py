"""Pushed authorization requests: what goes out, and what the browser gets to carry."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    ClientSecretPost,
    DPoP,
    NoAuthentication,
    PendingAuthorization,
    RequestObject,
    ResponseMode,
    Server,
    new_private_key,
)
from oauth2_sansio.errors import ErrorResponse, LocalProtocolError, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
)
from oauth2_sansio.jwt_signing import RemoteKey
from oauth2_sansio.parameters import Parameters

SERVER = Server(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    pushed_authorization_request_endpoint="https://as.example/par",
)
REQUIRING = Server.from_metadata(
    {
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/authorize?tenant=1",
        "pushed_authorization_request_endpoint": "https://as.example/par",
        "require_pushed_authorization_requests": True,
    }
)
# The example of RFC 9126 section 2.2.
REFERENCE = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
ANSWER = {"request_uri": REFERENCE, "expires_in": 60}


def client_at(server: Server = SERVER) -> Client:
    return Client(
        server=server,
        client_id="s6BhdRkqt3",
        auth=ClientSecretBasic("s3cret"),
        random_bytes=bytes,
    )


def pushed(members: object, client: Client | None = None, status: int = 201) -> Any:
    flow = (client or client_at()).authorize(redirect_uri="https://app.example/cb", push=True)
    flow.start(1000.0)
    action = flow.receive(
        ResponseReceived(status=status, body=json.dumps(members).encode()), 1000.5
    )
    assert isinstance(action, Finished)
    assert isinstance(action.result, PendingAuthorization)
    return action.result


def test_the_request() -> None:
    flow = client_at().authorize(
        redirect_uri="https://app.example/cb",
        scope=["a", "b"],
        state="st-1",
        nonce="n-1",
        resource=["https://r.example", "https://q.example"],
        authorization_details=[{"type": "payment"}],
        acr_values=["gold", "silver"],
        max_age=0,
        claims={"id_token": {"acr": {"essential": True}}},
        parameters={"prompt": "login"},
        push=True,
    )
    request = flow.start(0.0)
    assert request == RequestToSend(
        endpoint=Endpoint.PUSHED_AUTHORIZATION,
        method="POST",
        url="https://as.example/par",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", "Basic czZCaGRSa3F0MzpzM2NyZXQ="),
        ),
        form=(
            ("response_type", "code"),
            ("client_id", "s6BhdRkqt3"),
            ("redirect_uri", "https://app.example/cb"),
            ("scope", "a b"),
            ("state", "st-1"),
            ("code_challenge", "DwBzhbb51LfusnSGBa_hqYSgo7-j8BTQnip4TOnlzRo"),
            ("code_challenge_method", "S256"),
            ("nonce", "n-1"),
            ("resource", "https://r.example"),
            ("resource", "https://q.example"),
            ("authorization_details", '[{"type":"payment"}]'),
            ("acr_values", "gold silver"),
            ("max_age", "0"),
            ("claims", '{"id_token":{"acr":{"essential":true}}}'),
            ("prompt", "login"),
        ),
    )


def test_a_type_of_details_that_the_server_does_not_list() -> None:
    client = client_at(replace(SERVER, authorization_details_types_supported=("account",)))
    details = [{"type": "payment"}]
    for begin in (
        lambda: client.authorize(redirect_uri=None, authorization_details=details),
        lambda: client.client_credentials(authorization_details=details),
        lambda: client.refresh("r-1", authorization_details=details),
    ):
        with pytest.raises(LocalProtocolError, match="of the type payment"):
            begin()


def test_a_login_that_lies_in_the_future_is_misuse() -> None:
    with pytest.raises(ValueError, match="max_age"):
        client_at().authorize(redirect_uri=None, max_age=-1)


def test_what_goes_into_the_url() -> None:
    # What the other tests of this module push.
    client = replace(client_at(), dpop=DPoP(new_private_key(random_bytes=lambda n: b"1" * n)))
    assert client.dpop is not None
    action = client.authorize(
        redirect_uri=None, acr_values="gold", response_mode=ResponseMode.FORM_POST
    ).start(0.0)
    assert isinstance(action, Finished)
    query = parse_qs(urlsplit(action.result.url).query)
    assert query["acr_values"] == ["gold"]
    assert query["response_mode"] == ["form_post"]
    assert query["dpop_jkt"] == [client.dpop.thumbprint]
    assert action.result.response_mode is ResponseMode.FORM_POST
    with pytest.raises(LocalProtocolError, match="bound to no key"):
        client.authorize(redirect_uri=None, response_type="id_token token")
    client = replace(client, dpop=None)
    action = client.authorize(redirect_uri=None, response_type="token").start(0.0)
    assert isinstance(action, Finished)
    assert "code_challenge" not in action.result.url
    assert action.result.response_mode is ResponseMode.FRAGMENT


def test_a_server_that_does_not_take_s256_is_refused() -> None:
    server = replace(SERVER, code_challenge_methods_supported=("plain",))
    for push in (False, True):
        with pytest.raises(RemoteProtocolError, match="S256 is not among them"):
            client_at(server).authorize(redirect_uri=None, push=push)


def test_the_result() -> None:
    pending = pushed(ANSWER)
    assert pending == PendingAuthorization(
        url="https://as.example/authorize?client_id=s6BhdRkqt3&request_uri=urn%3Aietf%3Aparams%3A"
        "oauth%3Arequest_uri%3A6esc_11ACC5bwc014ltc14eY22c",
        url_expires_at=1060.5,
        state="A" * 43,
        redirect_uri="https://app.example/cb",
        code_verifier="A" * 43,
        issuer="https://as.example",
        expires_at=1000.5 + client_at().authorization_lifetime,
    )
    assert PendingAuthorization.from_dict(pending.to_dict()) == pending
    callback = f"https://app.example/cb?code=c&state={'A' * 43}&iss=https%3A%2F%2Fas.example"
    request = client_at().redeem(pending, callback).start(1001.0)
    assert isinstance(request, RequestToSend)
    assert ("code_verifier", "A" * 43) in request.form


def test_a_secret_in_the_body_names_the_client_once() -> None:
    client = Client(server=SERVER, client_id="app", auth=ClientSecretPost("s3cret"))
    request = client.authorize(redirect_uri=None, push=True).start(0.0)
    assert isinstance(request, RequestToSend)
    names = [name for name, _ in request.form]
    assert (names.count("client_id"), names.count("client_secret")) == (1, 1)


def test_a_server_that_requires_it_gets_it_without_being_asked() -> None:
    flow = client_at(REQUIRING).authorize(redirect_uri=None)
    request = flow.start(0.0)
    assert isinstance(request, RequestToSend)
    assert request.endpoint is Endpoint.PUSHED_AUTHORIZATION
    action = flow.receive(ResponseReceived(status=201, body=json.dumps(ANSWER).encode()), 0.0)
    assert isinstance(action, Finished)
    query = parse_qs(urlsplit(action.result.url).query)
    assert query == {"tenant": ["1"], "client_id": ["s6BhdRkqt3"], "request_uri": [REFERENCE]}


def test_a_server_that_does_not_gets_the_whole_request_in_the_url() -> None:
    action = client_at().authorize(redirect_uri=None).start(0.0)
    assert isinstance(action, Finished)
    assert action.result.url_expires_at is None
    assert "request_uri" not in action.result.url


def test_a_server_that_requires_it_and_names_no_endpoint() -> None:
    server = Server(
        authorization_endpoint="https://as.example/authorize",
        require_pushed_authorization_requests=True,
    )
    with pytest.raises(RemoteProtocolError, match="name no endpoint") as caught:
        client_at(server).authorize(redirect_uri=None)
    assert caught.value.endpoint is Endpoint.PUSHED_AUTHORIZATION


def test_a_server_without_an_endpoint_for_it() -> None:
    server = Server(authorization_endpoint="https://as.example/authorize")
    with pytest.raises(LocalProtocolError, match="has no pushed authorization request endpoint"):
        client_at(server).authorize(redirect_uri=None, push=True)


@pytest.mark.parametrize("parameters", [{"request_uri": REFERENCE}, [("request_uri", "")]])
def test_a_pushed_request_refers_to_no_other_one(parameters: Parameters) -> None:
    with pytest.raises(LocalProtocolError, match="refers to no other one"):
        client_at().authorize(redirect_uri=None, push=True, parameters=parameters)


def test_a_reference_may_be_long_and_over_soon() -> None:
    pending = pushed({"request_uri": "u" * 2_048, "expires_in": 1})
    assert pending.url.endswith("&request_uri=" + "u" * 2_048)
    assert pending.url_expires_at == 1001.5


def test_a_secret_is_pushed_and_never_goes_into_the_url() -> None:
    begin = replace(client_at(), auth=NoAuthentication()).authorize
    flow = begin(redirect_uri=None, parameters={"client_secret": "hush"}, push=True)
    request = flow.start(0.0)
    assert isinstance(request, RequestToSend)
    assert ("client_secret", "hush") in request.form
    with pytest.raises(LocalProtocolError, match="never goes into a URL"):
        begin(redirect_uri=None, parameters={"client_secret": "hush"})


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("expires_in", [60, 60.0, "60"])
def test_answers_that_mean_the_same(status: int, expires_in: object) -> None:
    assert pushed({**ANSWER, "expires_in": expires_in}, status=status).url_expires_at == 1060.5


NO_REFERENCES: tuple[object, ...] = (None, "", 1, [REFERENCE], "ü", "a\n")
NO_LIFETIMES: tuple[object, ...] = (None, 0, -1, "soon", True, [], "nan", 1e999)


@pytest.mark.parametrize(
    "members",
    [
        *({"request_uri": bad, "expires_in": 60} for bad in NO_REFERENCES),
        {"expires_in": 60},
        {"request_uri": "u" * 2_049, "expires_in": 60},
        *({**ANSWER, "expires_in": bad} for bad in NO_LIFETIMES),
        {"request_uri": REFERENCE},
        [],
        "text",
        None,
    ],
    ids=repr,
)
def test_an_answer_that_is_none(members: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        pushed(members)
    assert caught.value.endpoint is Endpoint.PUSHED_AUTHORIZATION
    assert caught.value.advice


@given(st.dictionaries(st.sampled_from(["request_uri", "expires_in", "error"]), st.text()))
def test_answers_of_any_shape_end_in_a_url_or_an_error_of_ours(members: dict[str, str]) -> None:
    try:
        pending = pushed(members)
    except OAuth2Error:
        return
    assert parse_qs(urlsplit(pending.url).query)["request_uri"] == [members["request_uri"]]


def test_a_refusal_prints_no_secret() -> None:
    with pytest.raises(ErrorResponse, match="invalid_request") as caught:
        pushed({"error": "invalid_request", "error_description": "no s3cret"}, status=400)
    assert "s3cret" not in f"{caught.value}{caught.value!r}"


def test_what_is_pushed_prints_no_secret() -> None:
    request = (
        client_at()
        .authorize(redirect_uri=None, push=True, state="st-secret", nonce="n-secret")
        .start(0.0)
    )
    assert "secret" not in repr(request)
    assert "6esc" not in repr(pushed(ANSWER))


def test_a_signed_request_goes_into_the_url() -> None:
    client = replace(client_at(), request_object=RequestObject(RemoteKey("ES256", "k-1")))
    flow = client.authorize(redirect_uri=None)
    assert isinstance(flow.start(1000.0), SignatureNeeded)
    action = flow.receive(SignatureMade(b"s" * 64), 1000.5)
    assert isinstance(action, Finished)
    assert parse_qs(urlsplit(action.result.url).query).keys() == {"client_id", "request"}
    assert action.result.url_expires_at is None
    assert action.result.expires_at == 1000.5 + client.authorization_lifetime


def test_a_server_that_takes_signed_requests_alone() -> None:
    server = replace(SERVER, require_signed_request_object=True)
    for push in (False, True):
        with pytest.raises(LocalProtocolError, match="only where they are signed"):
            client_at(server).authorize(redirect_uri=None, push=push)
