from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, ClientSecretJWT, ErrorResponse, PrivateKeyJWT, Server, drive
from oauth2_sansio.client_assertion import CLIENT_ASSERTION_TYPE, AssertionAudience
from oauth2_sansio.events import Endpoint, RequestToSend
from oauth2_sansio.testing import ClientAuthMethod, RegisteredClient, ServerSettings

from .assertions import ALGORITHMS, KINDS, SECRET, base64url, key_of, public_jwk, signed, without
from .world import APP_BASIC, World, members

NAME = "signer"
ISSUER = "https://as.example.com"
TOKEN = f"{ISSUER}/token"
NOW = 1_700_000_000
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {"iss": NAME, "sub": NAME, "aud": TOKEN, "jti": "1", "iat": NOW, "exp": NOW + 60}


def _world(settings: ServerSettings | None = None, **registered: Any) -> World:
    world = World(settings)
    world.clock.advance(NOW - world.clock())
    registered = {"client_secret": SECRET, "grant_types": ("client_credentials",), **registered}
    world.server.register(RegisteredClient(client_id=NAME, **registered))
    return world


def _ask(
    world: World, assertion: str, type_: str = CLIENT_ASSERTION_TYPE, **form: str
) -> tuple[int, str | None, str | None]:
    given = {"grant_type": "client_credentials", "client_assertion": assertion, **form}
    if type_:
        given["client_assertion_type"] = type_
    response = world.post(Endpoint.TOKEN, *given.items(), headers=())
    if response.status == 401:
        assert response.header("WWW-Authenticate") is not None
    said = members(response)
    reason = said.get("error_description")
    return (
        response.status,
        said.get("error"),
        None if reason is None else reason.removeprefix("The assertion is refused. "),
    )


GOOD = (200, None, None)


def _metadata(world: World) -> Server:
    return drive(
        Server.discover(ISSUER), send=world.server.send, sleep=world.clock.advance, now=world.clock
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("audience", AssertionAudience)
def test_the_client_of_this_library(algorithm: str, audience: AssertionAudience) -> None:
    """At each endpoint where a client says who it is."""
    world = _world(keys=() if KINDS[algorithm] == "oct" else (public_jwk(algorithm),))
    auth: ClientSecretJWT | PrivateKeyJWT
    if KINDS[algorithm] == "oct":
        auth = ClientSecretJWT(client_secret=SECRET, alg=algorithm, audience=audience)
    else:
        key = key_of(KINDS[algorithm])
        auth = PrivateKeyJWT(private_key=key, alg=algorithm, audience=audience)
    client = Client(server=_metadata(world), client_id=NAME, auth=auth)

    def run(flow: Any) -> Any:
        return drive(flow, send=world.server.send, sleep=world.clock.advance, now=world.clock)

    token = run(client.client_credentials())
    assert run(client.introspect(token)).active
    run(client.revoke(token))
    assert not world.server.is_active(token.access_token)
    assert world.server.count() == 4


@pytest.mark.parametrize(
    ("header", "claims", "reason"),
    [
        pytest.param({}, {}, None, id="right"),
        pytest.param({"typ": ...}, {}, None, id="no typ"),
        pytest.param({"typ": "Client-Authentication+JWT"}, {}, None, id="the newer typ"),
        pytest.param({"typ": "at+jwt"}, {}, "Its typ is that of another", id="an access token"),
        pytest.param({"typ": 1}, {}, "Its typ is that of another", id="typ is a number"),
        pytest.param({"alg": "HS384"}, {}, None, id="another algorithm"),
        pytest.param({"alg": "none"}, {}, "The client is unknown", id="no signature"),
        pytest.param({"alg": "HS999"}, {}, "Its signature is not right", id="unknown algorithm"),
        pytest.param({"alg": 1}, {}, "The client is unknown", id="alg is a number"),
        pytest.param({"alg": "ES256"}, {}, "The client is unknown", id="not its way"),
        pytest.param({"crit": ["x"]}, {}, "Its header demands", id="crit"),
        pytest.param({"b64": True}, {}, "Its header demands", id="b64"),
        pytest.param({"kid": ["a", 1]}, {}, None, id="a key without a name fits any"),
        pytest.param({}, {"iss": "other"}, "Its iss and sub", id="another issuer"),
        pytest.param({}, {"sub": "other"}, "Its iss and sub", id="another subject"),
        pytest.param({}, {"sub": ..., "iss": ...}, "Its iss and sub", id="nobody"),
        pytest.param({}, {"sub": [NAME], "iss": [NAME]}, "Its iss and sub", id="a list of names"),
        pytest.param({}, {"aud": ISSUER}, None, id="for the issuer"),
        pytest.param({}, {"aud": ["x", ISSUER]}, None, id="for several"),
        pytest.param({}, {"aud": "https://as.example.com/"}, "Its audience is", id="a slash"),
        pytest.param({}, {"aud": ["x", 1]}, "Its audience is", id="for others"),
        pytest.param({}, {"aud": ...}, "Its audience is", id="for nobody"),
        pytest.param({}, {"aud": {TOKEN: 1}}, "Its audience is", id="aud is an object"),
        pytest.param({}, {"exp": ...}, "It does not say when", id="no end"),
        pytest.param({}, {"exp": NOW}, "It has expired", id="just expired"),
        pytest.param({}, {"exp": NOW + 0.5}, None, id="a fraction of a second"),
        pytest.param({}, {"exp": NOW + 3601}, "It expires too late", id="far in the future"),
        pytest.param({}, {"exp": True}, "Its exp is no time", id="exp is true"),
        pytest.param({}, {"exp": 10**400}, "Its exp is no time", id="exp is no float"),
        pytest.param({}, {"exp": "1700000060"}, "Its exp is no time", id="exp is a text"),
        pytest.param({}, {"nbf": NOW, "iat": ...}, None, id="from now on"),
        pytest.param({}, {"nbf": NOW + 1}, "It does not count yet", id="not yet"),
        pytest.param({}, {"iat": NOW + 1}, "It does not count yet", id="made in the future"),
        pytest.param({}, {"iat": "x"}, "Its iat is no time", id="iat is a text"),
        pytest.param({}, {"jti": ...}, "It has no jti", id="no jti"),
        pytest.param({}, {"jti": 1}, "It has no jti", id="jti is a number"),
    ],
)
def test_each_check(header: dict[str, Any], claims: dict[str, Any], reason: str | None) -> None:
    answer = _ask(_world(), signed(without(HEADER, header), without(CLAIMS, claims)))
    if reason is None:
        assert answer == GOOD
    else:
        assert answer[:2] == (401, "invalid_client")
        assert (answer[2] or "").startswith(reason)


_HEAD, _BODY, _SIGNATURE = signed(HEADER, CLAIMS).split(".")


@pytest.mark.parametrize(
    ("assertion", "reason"),
    [
        ("x", "It is no signed JWT."),
        (f"{_HEAD}.{_BODY}", "It is no signed JWT."),
        (f"{_HEAD}.{_BODY}.", "It is no base64url without padding."),
        (f"{_HEAD}.{_BODY}.{_SIGNATURE}=", "It is no base64url without padding."),
        (f"{_HEAD}.{_BODY}.{_SIGNATURE[:-2]}AA", "Its signature is not right."),
        (signed(b"[]", CLAIMS), "It is not made of JSON objects."),
        (signed(HEADER, b"[" * 100_000), "It is not made of JSON objects."),
        (signed(HEADER, b'{"sub": "a", "sub": "b"}'), "It says something twice."),
        (signed(HEADER, b'{"exp": NaN}'), "NaN is no number."),
        (
            signed(HEADER, b'{"iss": "signer", "sub": "signer", "aud": "%s", "exp": 1e999}' % b"x"),
            "Its audience is somebody else.",
        ),
    ],
)
def test_malformed(assertion: str, reason: str) -> None:
    assert _ask(_world(), assertion) == (401, "invalid_client", reason)


def test_a_time_without_end() -> None:
    claims = b'{"iss": "signer", "sub": "signer", "aud": "https://as.example.com", "exp": 1e999}'
    assert _ask(_world(), signed(HEADER, claims))[2] == "Its exp is no time."


@given(st.text())
def test_any_text(assertion: str) -> None:
    status, error, _ = _ask(_world(), assertion)
    assert (status, error) in ((401, "invalid_client"), (400, "invalid_request"))


@given(st.binary(), st.binary(), st.binary())
def test_any_bytes(header: bytes, claims: bytes, signature: bytes) -> None:
    assertion = ".".join(map(base64url, (header, claims, signature)))
    assert _ask(_world(), assertion)[:2] == (401, "invalid_client")


def test_an_assertion_is_used_once() -> None:
    world = _world()
    assertion = signed(HEADER, CLAIMS)
    assert _ask(world, assertion) == GOOD
    assert _ask(world, assertion) == (401, "invalid_client", "It was used before.")
    assert _ask(world, signed(HEADER, {**CLAIMS, "jti": "2"})) == GOOD
    world.clock.advance(60)
    again = {**CLAIMS, "exp": NOW + 120}
    assert _ask(world, assertion)[2] == "It has expired."
    assert _ask(world, signed(HEADER, again)) == GOOD  # its `jti` was forgotten by then


def test_what_is_refused_is_not_used_up() -> None:
    world = _world()
    assert _ask(world, signed(HEADER, {**CLAIMS, "aud": "x"}))[0] == 401
    assert _ask(world, signed(HEADER, CLAIMS)) == GOOD


@pytest.mark.parametrize(
    ("settings", "claims", "expected"),
    [
        (ServerSettings(clock_skew=5), {"exp": NOW - 4}, 200),
        (ServerSettings(clock_skew=5), {"exp": NOW - 5}, 401),
        (ServerSettings(clock_skew=5), {"iat": NOW + 5}, 200),
        (ServerSettings(clock_skew=5), {"iat": NOW + 6}, 401),
        (ServerSettings(longest_assertion_lifetime=59), {}, 401),
        (ServerSettings(longest_assertion_lifetime=60), {}, 200),
        (ServerSettings(assertion_audiences=(AssertionAudience.ISSUER,)), {}, 401),
        (ServerSettings(assertion_audiences=(AssertionAudience.ISSUER,)), {"aud": ISSUER}, 200),
    ],
)
def test_settings(settings: ServerSettings, claims: dict[str, Any], expected: int) -> None:
    assert _ask(_world(settings), signed(HEADER, {**CLAIMS, **claims}))[0] == expected


SECRET_JWT = ClientAuthMethod.CLIENT_SECRET_JWT
KEY_JWT = ClientAuthMethod.PRIVATE_KEY_JWT
PEM: str = key_of("RSA").as_pem(private=False).decode()


@pytest.mark.parametrize(
    ("registered", "algorithm", "expected"),
    [
        ({"token_endpoint_auth_method": SECRET_JWT}, "HS256", 200),
        ({"token_endpoint_auth_method": KEY_JWT, "keys": (PEM,)}, "HS256", 401),
        ({"token_endpoint_auth_method": KEY_JWT, "keys": (PEM,)}, "RS256", 200),
        ({"token_endpoint_auth_method": KEY_JWT}, "RS256", 401),
        ({"token_endpoint_auth_method": SECRET_JWT, "client_secret": None}, "HS256", 401),
        ({"keys": (public_jwk("ES256"), PEM)}, "RS256", 200),
        ({"keys": (public_jwk("ES256"),)}, "RS256", 401),
        ({"keys": (PEM,), "token_endpoint_auth_signing_alg": "PS256"}, "RS256", 401),
        ({"keys": (PEM,), "token_endpoint_auth_signing_alg": "PS256"}, "PS256", 200),
        # A public key is no secret.
        ({"keys": (PEM,), "client_secret": None}, "HS256", 401),
        ({"keys": (public_jwk("HS256"),), "client_secret": "another"}, "HS256", 401),
    ],
)
def test_what_the_client_has_registered(
    registered: dict[str, Any], algorithm: str, expected: int
) -> None:
    world = _world(**registered)
    assert _ask(world, signed({"alg": algorithm}, CLAIMS))[0] == expected


def test_the_rest_of_the_request() -> None:
    world = _world()
    assertion = signed(HEADER, CLAIMS)
    assert _ask(world, assertion, "")[:2] == (400, "invalid_request")
    assert _ask(world, assertion, "urn:other")[:2] == (401, "invalid_client")
    assert _ask(world, assertion, client_id="other")[:2] == (400, "invalid_request")
    form = (("grant_type", "client_credentials"), ("client_assertion", assertion))
    both = (*form, ("client_assertion_type", CLIENT_ASSERTION_TYPE))
    assert world.post(Endpoint.TOKEN, *both, headers=APP_BASIC).status == 400
    in_url = RequestToSend(endpoint=Endpoint.TOKEN, url=f"{TOKEN}?client_assertion={assertion}")
    assert world.server.handle(in_url).status == 400
    assert _ask(world, assertion, client_id=NAME) == GOOD


def test_a_client_of_this_library_with_a_wrong_key() -> None:
    world = _world()
    wrong = ClientSecretJWT(client_secret="wrong" * 10)
    client = Client(server=_metadata(world), client_id=NAME, auth=wrong)
    with pytest.raises(ErrorResponse, match="Its signature is not right"):
        drive(
            client.client_credentials(),
            send=world.server.send,
            sleep=world.clock.advance,
            now=world.clock,
        )
