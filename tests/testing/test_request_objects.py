from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth2_sansio import Client, PrivateKeyJWT, RequestObject, Server, drive
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import AuthorizationRefused, RegisteredClient, ServerSettings

from .world import CALLBACK, CHALLENGE, World, error

KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = {name: str(value) for name, value in KEY.as_dict(private=False).items()}
BANK = RegisteredClient(
    client_id="bank", redirect_uris=(CALLBACK,), keys=(PUBLIC,), scope="read write"
)
REQUIRED = ServerSettings(require_signed_request_object=True)
CLAIMS: dict[str, Any] = {
    "iss": "bank",
    "aud": "https://as.example.com",
    "client_id": "bank",
    "exp": 1_700_000_300,
    "response_type": "code",
    "state": "st-1",
    "resource": ["https://r.example", "https://q.example"],
    "max_age": 60,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}

UNSIGNED = "eyJhbGciOiJub25lIiwidHlwIjoib2F1dGgtYXV0aHotcmVxK2p3dCJ9"  # the header that says `none`


def world_of(settings: ServerSettings | None = None) -> World:
    world = World(settings)
    world.server.register(BANK)
    return world


def signed(key: ECKey = KEY, typ: str = "oauth-authz-req+jwt", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "typ": typ}, claims, key)


def visit(world: World, **parameters: str) -> Mapping[str, list[str]]:
    url = world.server.url(Endpoint.AUTHORIZATION)
    return parse_qs(urlsplit(world.server.visit(f"{url}?{urlencode(parameters)}")).query)


def test_what_is_signed_counts_and_nothing_else() -> None:
    answer = visit(world_of(REQUIRED), client_id="bank", request=signed(), state="other")
    assert answer["state"] == ["st-1"]
    assert answer["code"]


@pytest.mark.parametrize(
    ("request_object", "reason"),
    [
        (signed(ECKey.generate_key("P-256")), "signature is not right"),
        (f"{UNSIGNED}.{signed().split('.')[1]}.", "no base64url"),
        (signed(typ="JWT"), "another kind of JWT"),
        (signed(iss="app"), "made by another client"),
        (signed(client_id="app"), "made by another client"),
        (signed(request_uri="urn:x"), "holds another request"),
        (signed(request="e30.e30."), "holds another request"),
        (signed(aud="https://other.example"), "audience is somebody else"),
        (signed(exp=1), "has expired"),
        (signed(exp=None), "does not say when"),
        ("e30.e30", "no signed JWT"),
    ],
)
def test_what_does_not_count(request_object: str, reason: str) -> None:
    with pytest.raises(AuthorizationRefused, match=reason):
        visit(world_of(), client_id="bank", request=request_object)


def test_a_server_that_requires_it() -> None:
    with pytest.raises(AuthorizationRefused, match="has to be signed"):
        visit(world_of(REQUIRED), client_id="bank", response_type="code")
    pushed = world_of(REQUIRED).post(Endpoint.PUSHED_AUTHORIZATION, ("response_type", "code"))
    assert error(pushed) == (400, "invalid_request_object")


def no_sleep(_seconds: float) -> None:
    raise AssertionError("nothing here waits")


@pytest.mark.parametrize("push", [False, True])
def test_the_whole_way(push: bool) -> None:
    world = world_of(REQUIRED)
    send = world.server.send
    server = drive(Server.discover(world.server.issuer), send, no_sleep, world.clock)
    assert server.require_signed_request_object
    key = json.loads(json.dumps(KEY.as_dict(private=True)))
    client = Client(
        server=server,
        client_id="bank",
        auth=PrivateKeyJWT(private_key=key, alg="ES256"),
        request_object=RequestObject(key, "ES256"),
    )
    flow = client.authorize(
        redirect_uri=CALLBACK,
        scope="read",
        resource=["https://r.example", "https://q.example"],
        parameters={"claims": '{"id_token": {}}'},
        push=push,
    )
    pending = drive(flow, send, no_sleep, world.clock)
    assert "scope" not in parse_qs(urlsplit(pending.url).query)
    token = drive(
        client.redeem(pending, world.server.visit(pending.url)), send, no_sleep, world.clock
    )
    assert token["scope"] == "read"
    issued = world.server.token(token["access_token"])
    assert issued is not None
    assert issued.resources == ("https://r.example", "https://q.example")
