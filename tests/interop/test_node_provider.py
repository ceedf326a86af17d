"""The extensions over each driver and each class, at node-oidc-provider."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from oauth2_sansio import (
    Client,
    ClientSecretBasic,
    ClientSecretJWT,
    DPoP,
    Endpoint,
    ErrorResponse,
    Exchange,
    LocalProtocolError,
    OAuth2Token,
    PendingAuthorization,
    Pipeline,
    PrivateKeyJWT,
    RemoteProtocolError,
    RequestObject,
    RequestToSend,
    ResponseMode,
    Server,
    ServerKeys,
    authorize_device,
    new_private_key,
    poll_device,
)

from .node_provider import Browser, serving

if TYPE_CHECKING:
    from .drivers import Run
    from .sessions import Kind

CALLBACK = "https://app.example/callback"
SECRET = "a secret: 100% + /=& of a length that will do"
CODE = {
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}
DETAILED = {"authorization_details_types": ["payment", "account"]}
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256", {"kid": "k-1"}).as_dict(private=True))


@pytest.fixture(scope="module")
def issuer(key: dict[str, Any]) -> Iterator[str]:
    public = {name: value for name, value in key.items() if name != "d"}
    by_key = {
        **CODE,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "request_object_signing_alg": "ES256",
        "jwks": {"keys": [public]},
    }
    clients: list[dict[str, Any]] = [
        {**CODE, **DETAILED, "client_id": "app", "client_secret": SECRET},
        {**by_key, **DETAILED, "client_id": "bank", "require_signed_request_object": True},
        {
            **by_key,
            "client_id": "vault",
            "require_signed_request_object": True,
            "require_pushed_authorization_requests": True,
        },
        {
            **CODE,
            "client_id": "hmac",
            "client_secret": SECRET,
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_alg": "HS256",
        },
        {
            **CODE,
            "client_id": "bound",
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "dpop_bound_access_tokens": True,
        },
        {
            **CODE,
            "client_id": "careful",
            "client_secret": SECRET,
            "dpop_bound_access_tokens": True,
        },
        {
            **CODE,
            "client_id": "curved",
            "client_secret": SECRET,
            "authorization_signed_response_alg": "ES256",
            "introspection_signed_response_alg": "ES256",
        },
        {
            "client_id": "tv",
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "redirect_uris": [],
            "response_types": [],
            "grant_types": [DEVICE, "refresh_token"],
        },
    ]
    with serving(clients) as found:
        yield found


@pytest.fixture
def server(issuer: str, run: Run) -> Server:
    return run(Server.discover(issuer))


def app(server: Server) -> Client:
    return Client(server=server, client_id="app", auth=ClientSecretBasic(SECRET))


def by_key(server: Server, client_id: str, key: dict[str, Any]) -> Client:
    return Client(
        server=server,
        client_id=client_id,
        auth=PrivateKeyJWT(private_key=key, alg="ES256"),
        request_object=RequestObject(key, "ES256"),
    )


def sign_in(client: Client, run: Run, pending: PendingAuthorization) -> OAuth2Token:
    callback = Browser(CALLBACK).visit(pending.url)
    return run(client.redeem(pending, callback))


def names(url: str) -> set[str]:
    return set(parse_qs(urlsplit(url).query))


@pytest.mark.parametrize("push", [False, True], ids=["in-the-url", "pushed"])
def test_the_whole_way(server: Server, run: Run, push: bool) -> None:
    client = app(server)
    assert server.authorization_response_iss_parameter_supported
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid offline_access",
            nonce="n-1",
            parameters={"prompt": "consent"},
            push=push,
        )
    )
    assert (names(pending.url) == {"client_id", "request_uri"}) is push
    token = sign_in(client, run, pending)
    assert token["id_token"]
    renewed = run(client.refresh(token))
    assert renewed["access_token"] != token["access_token"]
    assert run(client.introspect(renewed)).active
    run(client.revoke(renewed))
    assert not run(client.introspect(renewed["refresh_token"])).active


@pytest.mark.parametrize("method", ["hmac", "bank"])
def test_client_authentication_by_jwt_where_it_is_pushed(
    server: Server, run: Run, key: dict[str, Any], method: str
) -> None:
    if method == "bank":
        client = by_key(server, "bank", key)
    else:
        client = Client(server=server, client_id="hmac", auth=ClientSecretJWT(client_secret=SECRET))
    pending = run(client.authorize(redirect_uri=CALLBACK, scope="openid", push=True))
    assert sign_in(client, run, pending)["access_token"]


@pytest.mark.parametrize(("client_id", "push"), [("bank", False), ("bank", True), ("vault", True)])
def test_a_signed_request(
    server: Server, run: Run, key: dict[str, Any], client_id: str, push: bool
) -> None:
    client = by_key(server, client_id, key)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid read",
            resource=["urn:api", "urn:other"],
            parameters={"max_age": "600", "prompt": "consent"},
            push=push,
        )
    )
    assert ("request" in names(pending.url)) is not push
    assert "redirect_uri" not in names(pending.url)
    assert sign_in(client, run, pending)["access_token"]


def test_what_the_server_requires_of_a_client(
    server: Server, run: Run, key: dict[str, Any]
) -> None:
    unsigned = Client(
        server=server, client_id="bank", auth=PrivateKeyJWT(private_key=key, alg="ES256")
    )
    with pytest.raises(ErrorResponse, match="invalid_request"):
        run(unsigned.authorize(redirect_uri=CALLBACK, scope="openid", push=True))


def test_a_form_that_is_posted(server: Server, run: Run) -> None:
    client = app(server)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK, scope="openid", response_mode=ResponseMode.FORM_POST, push=True
        )
    )
    assert sign_in(client, run, pending)["access_token"]


SIGNED_MODES = [mode for mode in ResponseMode if mode.is_signed]


@pytest.fixture
def server_keys(server: Server, run: Run) -> ServerKeys:
    return run(ServerKeys.fetch(server))


def signed_app(server: Server, algorithm: str) -> Client:
    """Return a client that answers are signed for: by default, or as it is registered."""
    if algorithm == "RS256":
        return app(server)
    return Client(
        server=server,
        client_id="curved",
        auth=ClientSecretBasic(SECRET),
        authorization_signed_response_alg=algorithm,
        introspection_signed_response_alg=algorithm,
    )


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("mode", SIGNED_MODES)
def test_a_signed_callback(
    server: Server, server_keys: ServerKeys, run: Run, mode: ResponseMode, algorithm: str
) -> None:
    client = signed_app(server, algorithm)
    push = mode is ResponseMode.QUERY_JWT
    pending = run(
        client.authorize(redirect_uri=CALLBACK, scope="openid", response_mode=mode, push=push)
    )
    callback = Browser(CALLBACK).visit(pending.url)
    assert "code=" not in callback
    token = run(client.redeem(pending, callback, keys=server_keys))
    assert token["access_token"]
    with pytest.raises(RemoteProtocolError, match="no such one was asked for"):
        client.redeem(replace(pending, response_mode=mode.carrier("code")), callback)


def test_a_refusal_is_signed_too(server: Server, server_keys: ServerKeys, run: Run) -> None:
    client = app(server)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid",
            response_mode=ResponseMode.JWT,
            parameters={"prompt": "none"},
        )
    )
    callback = Browser(CALLBACK).visit(pending.url)
    with pytest.raises(ErrorResponse, match="login_required"):
        client.redeem(pending, callback, keys=server_keys)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_signed_introspection(
    server: Server, server_keys: ServerKeys, run: Run, algorithm: str
) -> None:
    client = signed_app(server, algorithm)
    pending = run(client.authorize(redirect_uri=CALLBACK, scope="openid"))
    token = sign_in(client, run, pending)
    found = run(client.introspect(token, keys=server_keys))
    assert (found.active, found["client_id"]) == (True, client.client_id)
    assert not run(client.introspect("unknown", keys=server_keys)).active


def test_a_resource_of_several(server: Server, run: Run) -> None:
    client = app(server)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid offline_access read",
            resource=["urn:api", "urn:other"],
            parameters={"prompt": "consent"},
        )
    )
    callback = Browser(CALLBACK).visit(pending.url)
    token = run(client.redeem(pending, callback, parameters={"resource": "urn:api"}))
    assert token["scope"] == "read"
    assert run(client.introspect(token))["aud"] == "urn:api"
    other = run(client.refresh(token, resource=["urn:other"]))
    assert run(client.introspect(other))["aud"] == "urn:other"


PAYMENT = {"type": "payment", "amount": "12.00"}
ACCOUNT = {"type": "account", "actions": ["read"]}


@pytest.mark.parametrize("way", ["in-the-url", "pushed", "signed"])
def test_what_exactly_is_asked_for(server: Server, run: Run, key: dict[str, Any], way: str) -> None:
    client = by_key(server, "bank", key) if way == "signed" else app(server)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid offline_access read",
            resource=["urn:api"],
            authorization_details=[PAYMENT, ACCOUNT],
            parameters={"prompt": "consent"},
            push=way == "pushed",
        )
    )
    callback = Browser(CALLBACK).visit(pending.url)
    token = run(
        client.redeem(pending, callback, resource=["urn:api"], authorization_details=[ACCOUNT])
    )
    assert token.authorization_details == (ACCOUNT,)
    assert run(client.introspect(token))["authorization_details"] == [ACCOUNT]
    renewed = run(client.refresh(token, resource=["urn:api"]))
    assert renewed.authorization_details == (PAYMENT, ACCOUNT)


def test_what_the_server_does_not_take(server: Server, run: Run) -> None:
    client = app(server)
    assert set(server.authorization_details_types_supported or ()) == {"payment", "account"}
    with pytest.raises(LocalProtocolError, match="of the type photograph"):
        client.authorize(redirect_uri=CALLBACK, authorization_details=[{"type": "photograph"}])
    without_amount = client.authorize(
        redirect_uri=CALLBACK, authorization_details=[{"type": "payment"}], push=True
    )
    with pytest.raises(ErrorResponse, match="invalid_authorization_details"):
        run(without_amount)


ESSENTIAL = {"id_token": {"acr": {"essential": True, "value": "passkey"}}}


@pytest.mark.parametrize(
    "asked", [{"acr_values": "passkey password"}, {"claims": ESSENTIAL}], ids=["acr", "claims"]
)
def test_how_the_user_has_to_log_in(server: Server, run: Run, asked: dict[str, Any]) -> None:
    client = app(server)
    pending = run(client.authorize(redirect_uri=CALLBACK, scope="openid", max_age=60, **asked))
    id_token = sign_in(client, run, pending)["id_token"]
    claims = json.loads(urlsafe_b64decode(id_token.split(".")[1] + "=="))
    assert claims["acr"] == "passkey"
    assert time.time() - claims["auth_time"] < 60


def test_login_on_another_device(server: Server, run: Run) -> None:
    client = Client(server=server, client_id="tv")
    device = run(authorize_device(client, scope="openid offline_access"))
    assert device.verification_uri_complete
    # The first request comes after the interval alone: so this is in time.
    Browser(CALLBACK).approve_device(device.verification_uri_complete)
    soon = replace(device, interval=0.1, expires_at=time.time() + 30)
    token = run(poll_device(client, soon))
    assert token["access_token"]


@pytest.mark.parametrize("push", [False, True], ids=["in-the-url", "pushed"])
@pytest.mark.parametrize("client_id", ["bound", "careful"])
def test_bound_tokens(server: Server, run: Run, client_id: str, push: bool) -> None:
    # `bound` is a public client, whose refresh tokens are bound too; `careful` has to send nonces.
    auth = ClientSecretBasic(SECRET) if client_id == "careful" else None
    dpop = DPoP(new_private_key())
    client = Client(server=server, client_id=client_id, auth=auth, dpop=dpop)
    pending = run(
        client.authorize(
            redirect_uri=CALLBACK,
            scope="openid offline_access",
            parameters={"prompt": "consent"},
            push=push,
        )
    )
    token = sign_in(client, run, pending)
    assert token["token_type"] == "DPoP"
    renewed = run(client.refresh(token))
    assert renewed["access_token"] != token["access_token"]
    assert user_of(server, run, renewed, dpop) == "alice"
    thief = Client(server=server, client_id=client_id, auth=auth, dpop=DPoP(new_private_key()))
    if client_id == "bound":
        with pytest.raises(ErrorResponse, match="invalid_grant"):
            run(thief.refresh(renewed))


def user_of(server: Server, run: Run, token: OAuth2Token, dpop: DPoP) -> Any:
    headers = (("Authorization", f"DPoP {token.access_token}"),)
    draft = RequestToSend(
        endpoint=Endpoint.USERINFO, method="GET", url=server.url(Endpoint.USERINFO), headers=headers
    )
    pipeline = Pipeline(signers=(dpop,))
    return run(Exchange(pipeline, draft, lambda answer: answer.read()["sub"]).flow())


@pytest.mark.parametrize("client_id", ["bound", "careful"])
def test_the_drop_in_classes_with_bound_tokens(issuer: str, kind: Kind, client_id: str) -> None:
    server = kind.discover(issuer)
    secret = SECRET if client_id == "careful" else None
    with kind.session(
        client_id,
        secret,
        redirect_uri=CALLBACK,
        scope="openid offline_access",
        server=server,
        code_challenge_method="S256",
        dpop=DPoP(new_private_key("Ed25519"), "Ed25519"),
    ) as session:
        url, _ = session.create_authorization_url(prompt="consent")
        token = session.fetch_token(authorization_response=Browser(CALLBACK).visit(url))
        assert token["token_type"] == "DPoP"
        assert session.get(server.userinfo_endpoint).json()["sub"] == "alice"
        session.token = {**token, "expires_at": 1}
        assert session.get(server.userinfo_endpoint).json()["sub"] == "alice"
        assert session.token["access_token"] != token["access_token"]


def test_the_drop_in_classes_in_detail(issuer: str, kind: Kind) -> None:
    server = kind.discover(issuer)
    with kind.session(
        "app",
        SECRET,
        redirect_uri=CALLBACK,
        scope="openid read",
        server=server,
        code_challenge_method="S256",
    ) as session:
        url, _ = session.push_authorization_request(
            resource=["urn:api"], authorization_details=[PAYMENT], acr_values="passkey", max_age=60
        )
        token = session.fetch_token(
            authorization_response=Browser(CALLBACK).visit(url), resource="urn:api"
        )
        assert token.authorization_details == (PAYMENT,)


def test_the_drop_in_classes_push(issuer: str, kind: Kind) -> None:
    with kind.session(
        "app",
        SECRET,
        redirect_uri=CALLBACK,
        scope="openid",
        issuer=issuer,
        authorization_endpoint=f"{issuer}/auth",
        token_endpoint=f"{issuer}/token",
        pushed_authorization_request_endpoint=f"{issuer}/request",
        code_challenge_method="S256",
    ) as session:
        url, state = session.push_authorization_request(nonce="n-1")
        assert names(url) == {"client_id", "request_uri"}
        assert session.state == state
        callback = Browser(CALLBACK).visit(url)
        assert session.fetch_token(authorization_response=callback)["access_token"]


@pytest.mark.parametrize("mode", [mode.value for mode in SIGNED_MODES])
def test_the_drop_in_classes_with_signed_callbacks(issuer: str, kind: Kind, mode: str) -> None:
    with kind.session() as anybody:
        server = anybody.run(Server.discover(issuer))
        keys = anybody.run(ServerKeys.fetch(server))
    with kind.session(
        "app",
        SECRET,
        redirect_uri=CALLBACK,
        scope="openid",
        server=server,
        code_challenge_method="S256",
        response_mode=mode,
        server_keys=keys,
    ) as session:
        url, _ = session.create_authorization_url()
        callback = Browser(CALLBACK).visit(url)
        assert session.fetch_token(authorization_response=callback)["access_token"]
