"""What the server signs, as other libraries verify it, and what this library's client says of each forgery."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from oauth2_sansio import (
    Client,
    Flow,
    OAuth2Error,
    OAuth2Token,
    ResponseMode,
    Server,
    ServerKeys,
    drive,
    new_private_key,
)
from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import Misbehaviour, SeededBytes, ServerSettings
from oauth2_sansio.testing.forging import FORGERIES

from .assertions import KINDS, key_of
from .world import APP, APP_BASIC, CALLBACK, World, basic, error, members

T = TypeVar("T")
M = Misbehaviour
KEY = new_private_key(random_bytes=SeededBytes(3))
SIGNING = ServerSettings(signing_key=KEY)
SECRET = "s" * 40
JWT_TYPE = "application/token-introspection+jwt"
ACCEPT = ("Accept", JWT_TYPE)
SIGNED_MODES = [mode for mode in ResponseMode if mode.is_signed]


def world_of(settings: ServerSettings = SIGNING, **registration: Any) -> World:
    world = World(settings)
    world.server.register(replace(APP, **registration))
    return world


def keys_of(world: World) -> dict[str, Any]:
    return members(world.get(world.server.url(Endpoint.JWKS)))


def key_set(world: World) -> KeySet:
    found: Any = keys_of(world)
    return KeySet.import_key_set(found)


def introspected(world: World, token: str = "unknown") -> ResponseReceived:
    return world.post(Endpoint.INTROSPECTION, ("token", token), headers=(*APP_BASIC, ACCEPT))


def decoded(text: str) -> dict[str, Any]:
    """Return claims and header of a JWT together."""
    header, claims = (json.loads(urlsafe_b64decode(f"{part}==")) for part in text.split(".")[:2])
    return {**claims, **header}


def test_the_keys() -> None:
    (key,) = keys_of(world_of())["keys"]
    public = {name: value for name, value in KEY.items() if name != "d"}
    assert key == {**public, "kid": "of-today", "use": "sig"}
    named = ServerSettings(signing_key={**KEY, "kid": "k-1"})
    assert keys_of(world_of(named))["keys"][0]["kid"] == "k-1"
    assert error(World().get(f"{World().server.issuer}/jwks")) == (404, "not_found")
    with pytest.raises(ValueError, match="JWK"):
        ServerSettings(signing_key={"kty": "EC"})
    with pytest.raises(ValueError, match="shared"):
        ServerSettings(signing_key={"kty": "oct", "k": "aHVzaA" * 10})
    with pytest.raises(ValueError, match="no algorithm"):
        replace(APP, authorization_signed_response_alg="none")


def test_the_metadata() -> None:
    url = "https://as.example.com/.well-known/openid-configuration"
    document = members(world_of().get(url))
    assert document["jwks_uri"] == "https://as.example.com/jwks"
    assert document["response_modes_supported"] == [mode.value for mode in ResponseMode]
    assert document["authorization_signing_alg_values_supported"] == ["ES256"]
    assert document["introspection_signing_alg_values_supported"] == ["ES256"]
    assert "jwks_uri" not in members(World().get(url))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # joserfc says so of the name alone
@pytest.mark.parametrize("algorithm", [None, "ES256", "RS256", "PS512", "EdDSA", "HS256"])
def test_others_verify_an_introspection(algorithm: str | None) -> None:
    kind = algorithm or "ES256"
    key = None if kind == "HS256" else key_of(KINDS[kind]).as_dict(private=True)
    world = world_of(
        ServerSettings(signing_key=key),
        introspection_signed_response_alg=algorithm,
        client_secret=SECRET,
    )
    response = world.post(
        Endpoint.INTROSPECTION, ("token", "t"), headers=(*basic("app", SECRET), ACCEPT)
    )
    assert response.header("Content-Type") == JWT_TYPE
    text = response.body.decode()
    claims = {
        "iss": "https://as.example.com",
        "aud": "app",
        "iat": 1_700_000_000,
        "token_introspection": {"active": False},
    }
    theirs: Any = OctKey.import_key(SECRET)
    ours: Any = SECRET
    if key is not None:
        theirs, ours = key_set(world), pyjwt.PyJWK(keys_of(world)["keys"][0], kind)
    token = jwt.decode(text, theirs, algorithms=[kind])
    assert (token.header["alg"], token.header["typ"]) == (kind, "token-introspection+jwt")
    assert token.claims == claims
    assert pyjwt.decode(text, ours, algorithms=[kind], audience="app") == claims


@pytest.mark.parametrize("mode", SIGNED_MODES)
def test_others_verify_a_callback(mode: ResponseMode) -> None:
    world = world_of()
    callback = world.server.visit(world.authorization_url(response_mode=mode.value))
    parts = urlsplit(callback)
    found = {"query": parts.query, "fragment": parts.fragment, "form_post": callback}
    parameters = dict(parse_qsl(found[mode.carrier("code").value]))
    assert parameters.keys() == {"response"}
    token = jwt.decode(parameters["response"], key_set(world))
    assert token.claims.pop("code")
    assert token.claims == {
        "iss": "https://as.example.com",
        "aud": "app",
        "iat": 1_700_000_000,
        "exp": 1_700_000_600,
        "state": "a state",
    }


def test_a_refusal_is_signed_too() -> None:
    answer = world_of().callback(response_mode="jwt", scope="admin")
    assert decoded(answer["response"])["error"] == "invalid_scope"


def test_a_server_without_a_key_signs_nothing() -> None:
    # It says so in plain words, since it cannot sign those either.
    assert World().callback(response_mode="jwt")["error"] == "invalid_request"
    assert error(introspected(World())) == (400, "invalid_request")


# Each forgery: what it looks like, and what the client says of it.

Looks = Callable[[dict[str, Any]], object]
LOOKS: dict[Misbehaviour, tuple[str, Looks]] = {
    M.JWT_ALG_NONE: ("unexpected_algorithm", lambda jwt: jwt["alg"] == "none"),
    M.JWT_HS_CONFUSION: ("unexpected_algorithm", lambda jwt: jwt["alg"] == "HS256"),
    M.JWT_EMBEDDED_KEY: ("invalid_signature", lambda jwt: jwt["jwk"]["kty"] == "EC"),
    M.JWT_KEY_URL: ("invalid_signature", lambda jwt: "elsewhere" in jwt["jku"]),
    M.JWT_UNKNOWN_KEY: ("unknown_key", lambda jwt: jwt["kid"] == "of-tomorrow"),
    M.JWT_WRONG_SIGNATURE: ("invalid_signature", lambda jwt: jwt["alg"] == "ES256"),
    M.JWT_CRITICAL_HEADER: ("remote_protocol_error", lambda jwt: jwt["crit"]),
    M.JWT_WRONG_ISSUER: ("issuer_mismatch", lambda jwt: jwt["iss"].endswith("/")),
    M.JWT_WRONG_AUDIENCE: ("audience_mismatch", lambda jwt: jwt["aud"] != "app"),
    M.JWT_EXPIRED: ("jwt_expired", lambda jwt: jwt["exp"] < jwt["iat"]),
    M.JWT_OF_TOMORROW: ("jwt_not_yet_valid", lambda jwt: jwt["nbf"] > 1_700_080_000),
    M.JWT_WITHOUT_TIMES: ("remote_protocol_error", lambda jwt: "exp" not in jwt),
    M.JWT_OVERSIZE: (
        "remote_protocol_error",
        lambda jwt: len(jwt["padding"]) > 16_384,
    ),
    M.JWT_WRONG_TYPE: ("remote_protocol_error", lambda jwt: jwt["typ"] == "at+jwt"),
}


def run(world: World, flow: Flow[T]) -> T:
    return drive(flow, world.server.send, world.clock.advance, world.clock)


def client_at(world: World) -> tuple[Client, ServerKeys]:
    server = run(world, Server.discover(world.server.issuer))
    keys = run(world, ServerKeys.fetch(server))
    return Client(server=server, client_id="app", client_secret="s3cret"), keys


def token_by(world: World, client: Client, keys: ServerKeys, mode: ResponseMode) -> OAuth2Token:
    pending = run(world, client.authorize(redirect_uri=CALLBACK, response_mode=mode))
    return run(world, client.redeem(pending, world.server.visit(pending.url), keys=keys))


def test_each_forgery_is_told_of() -> None:
    assert {*LOOKS, M.PLAIN_INSTEAD_OF_JWT} == {*FORGERIES}


@pytest.mark.parametrize("misbehaviour", LOOKS)
def test_a_forged_introspection(misbehaviour: Misbehaviour) -> None:
    expected, check = LOOKS[misbehaviour]
    world = world_of()
    client, keys = client_at(world)
    with world.server.misbehave(misbehaviour, endpoint=Endpoint.INTROSPECTION):
        assert check(decoded(introspected(world).body.decode()))
        with pytest.raises(OAuth2Error) as got:
            run(world, client.introspect("t", keys=keys))
    assert got.value.error == expected
    assert got.value.endpoint is Endpoint.INTROSPECTION


@pytest.mark.parametrize("mode", SIGNED_MODES)
@pytest.mark.parametrize("misbehaviour", [each for each in LOOKS if each is not M.JWT_WRONG_TYPE])
def test_a_forged_callback(misbehaviour: Misbehaviour, mode: ResponseMode) -> None:
    expected, check = LOOKS[misbehaviour]
    world = world_of()
    client, keys = client_at(world)
    with world.server.misbehave(misbehaviour):
        assert check(decoded(world.callback(response_mode="jwt")["response"]))
        with pytest.raises(OAuth2Error) as got:
            token_by(world, client, keys, mode)
    assert got.value.error == expected
    assert world.server.count(Endpoint.TOKEN) == 0  # a forged callback never causes a request


def test_a_plain_answer_instead() -> None:
    world = world_of()
    client, keys = client_at(world)
    with world.server.misbehave(M.PLAIN_INSTEAD_OF_JWT):
        assert introspected(world).header("Content-Type") == "application/json"
        assert world.callback(response_mode="jwt")["code"]
        for operation in (
            lambda: token_by(world, client, keys, ResponseMode.JWT),
            lambda: run(world, client.introspect("t", keys=keys)),
        ):
            with pytest.raises(OAuth2Error, match="is not signed"):
                operation()


@pytest.mark.parametrize(
    ("misbehaviour", "complaint"),
    [
        (M.CALLBACK_WRONG_STATE, "mismatching_state"),
        (M.CALLBACK_WRONG_ISSUER, "issuer_mismatch"),
        (M.CALLBACK_WITHOUT_CODE, "no usable code"),
        (M.CALLBACK_ERROR_AND_CODE, "access_denied"),
    ],
)
def test_what_is_wrong_in_a_callback_is_signed_too(
    misbehaviour: Misbehaviour, complaint: str
) -> None:
    world = world_of()
    client, keys = client_at(world)
    world.server.misbehave(misbehaviour)
    with pytest.raises(OAuth2Error, match=complaint):
        token_by(world, client, keys, ResponseMode.JWT)


@pytest.mark.parametrize(
    ("misbehaviour", "complaint"),
    [
        (M.JWKS_PRIVATE_KEY, "private_key_published"),
        (M.JWKS_SHARED_SECRET, "private_key_published"),
        (M.JWKS_HUGE, "more than 100 keys"),
        (M.JWKS_WITHOUT_KEYS, "none of its keys"),
        (M.JWKS_KEYS_OBJECT, "no list of keys"),
        (M.HUGE_BODY, "longer than"),
        (M.REDIRECT_302, "redirects"),
    ],
)
def test_keys_that_are_refused(misbehaviour: Misbehaviour, complaint: str) -> None:
    world = world_of()
    world.server.misbehave(misbehaviour, endpoint=Endpoint.JWKS)
    with pytest.raises(OAuth2Error, match=complaint):
        client_at(world)


def test_a_new_key_of_the_server() -> None:
    world = world_of()
    client, keys = client_at(world)
    world.server.settings = ServerSettings(
        signing_key={**new_private_key(random_bytes=SeededBytes(4)), "kid": "new"}
    )
    with pytest.raises(OAuth2Error, match="unknown_key"):
        token_by(world, client, keys, ResponseMode.JWT)
    assert token_by(world, *client_at(world), ResponseMode.JWT)["access_token"]


def test_where_a_forgery_can_happen() -> None:
    world = world_of()
    for endpoint in (Endpoint.TOKEN, Endpoint.JWKS):
        with pytest.raises(ValueError, match="cannot happen"):
            world.server.misbehave(M.JWT_EXPIRED, endpoint=endpoint)
    with pytest.raises(ValueError, match="cannot happen"):
        world.server.misbehave(M.JWT_WRONG_TYPE, endpoint=Endpoint.AUTHORIZATION)
    world.server.misbehave(M.JWT_EXPIRED, endpoint=Endpoint.INTROSPECTION)
    assert token_by(world, *client_at(world), ResponseMode.JWT)["access_token"]
