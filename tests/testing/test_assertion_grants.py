from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, Flow, OAuth2Token, Server, drive
from oauth2_sansio.assertions import JWT_BEARER, SAML2_BEARER, JWTAssertion, assert_jwt, assert_saml
from oauth2_sansio.client_assertion import AssertionAudience
from oauth2_sansio.events import Endpoint
from oauth2_sansio.testing import (
    AssertionIssuer,
    ClientAuthMethod,
    Refusal,
    RegisteredClient,
    ServerSettings,
)

from .assertions import base64url, key_of, public_jwk, signed, without
from .world import World, basic, members

NAME = "robot"
IDP = "https://idp.example.com"
ISSUER = "https://as.example.com"
TOKEN = f"{ISSUER}/token"
NOW = 1_700_000_000
TRUST = AssertionIssuer(IDP, (public_jwk("ES256"), public_jwk("HS256")))
SETTINGS = ServerSettings(assertion_issuers=(TRUST,), saml_issuers=(IDP,))
ROBOT = RegisteredClient(
    client_id=NAME,
    client_secret="s3cret",
    grant_types=(JWT_BEARER, SAML2_BEARER, "refresh_token"),
    scope="read write",
    keys=(public_jwk("EdDSA"),),
)
ROBOT_BASIC = basic(NAME, "s3cret")
# RFC 7523 section 4 has these claims, of another server.
CLAIMS = {
    "iss": IDP,
    "sub": "mailto:mike@example.com",
    "aud": TOKEN,
    "nbf": NOW,
    "exp": NOW + 60,
    "http://claims.example.com/member": True,
}


def _world(settings: ServerSettings = SETTINGS, client: RegisteredClient = ROBOT) -> World:
    world = World(settings)
    world.clock.advance(NOW - world.clock())
    world.server.register(client)
    return world


def _ask(
    world: World, assertion: str, grant_type: str = JWT_BEARER, **form: str
) -> tuple[int, str | None]:
    """Return the status, and the reason for a refusal."""
    pairs = {"grant_type": grant_type, "assertion": assertion, **form}
    response = world.post(Endpoint.TOKEN, *pairs.items(), headers=ROBOT_BASIC)
    said = members(response)
    if response.status == 200:
        return response.status, None
    assert said["error"] == "invalid_grant"
    return response.status, said["error_description"].removeprefix("The assertion is refused. ")


def _run(world: World, flow: Flow[OAuth2Token]) -> OAuth2Token:
    return drive(flow, send=world.server.send, sleep=world.clock.advance, now=world.clock)


def _client(**settings: Any) -> Client:
    server = Server(issuer=ISSUER, token_endpoint=TOKEN)
    return Client(server=server, client_id=NAME, **{"client_secret": "s3cret", **settings})


@pytest.mark.parametrize("audience", AssertionAudience)
@pytest.mark.parametrize(
    ("issuer", "algorithm", "kind"),
    [(IDP, "ES256", "P-256"), (IDP, "HS256", "oct"), (NAME, "EdDSA", "Ed25519")],
)
def test_the_client_of_this_library(
    audience: AssertionAudience, issuer: str, algorithm: str, kind: str
) -> None:
    world = _world()
    assertion = JWTAssertion(
        key=key_of(kind), alg=algorithm, issuer=issuer, subject="mike", audience=audience
    )
    token = _run(world, assert_jwt(_client(), assertion, scope="read"))
    assert (token.scope, token.refresh_token) == ("read", None)
    issued = world.server.token(token["access_token"])
    assert issued is not None
    assert (issued.family.subject, issued.family.client_id) == ("mike", NAME)
    assert world.works(token["access_token"])


@pytest.mark.parametrize(
    ("header", "claims", "reason"),
    [
        pytest.param({}, {}, None, id="right"),
        pytest.param({"typ": "authorization-grant+jwt"}, {}, None, id="the newer typ"),
        pytest.param(
            {"typ": "client-authentication+jwt"}, {}, "Its typ is that of another kind of JWT.",
            id="for client authentication",
        ),
        pytest.param({}, {"jti": "1"}, None, id="with jti"),
        pytest.param({}, {"jti": ""}, "It has no jti.", id="an empty jti"),
        pytest.param({}, {"sub": ...}, "It does not say of whom it speaks.", id="no subject"),
        pytest.param({}, {"exp": NOW}, "It has expired.", id="expired"),
        pytest.param({}, {"aud": IDP}, "Its audience is somebody else.", id="for somebody else"),
        pytest.param(
            {}, {"iss": "x"}, "Its issuer is not trusted, or its signature is not right.", id="unknown"
        ),
        pytest.param(
            {}, {"iss": NAME}, "Its issuer is not trusted, or its signature is not right.", id="client"
        ),
        pytest.param(
            {"alg": "RS256"}, {}, "Its issuer is not trusted, or its signature is not right.", id="key"
        ),
    ],
)  # fmt: skip
def test_each_check(header: dict[str, Any], claims: dict[str, Any], reason: str | None) -> None:
    assertion = signed({"alg": "ES256", **header}, without(CLAIMS, claims))
    assert _ask(_world(), assertion) == (200 if reason is None else 400, reason)


def test_a_jti_is_used_once() -> None:
    world = _world()
    assertion = signed({"alg": "ES256"}, {**CLAIMS, "jti": "1"})
    assert _ask(world, assertion) == (200, None)
    assert _ask(world, assertion) == (400, "It was used before.")
    nameless = signed({"alg": "ES256"}, CLAIMS)
    assert [_ask(world, nameless)[0] for _ in range(2)] == [200, 200]


def test_more_than_the_client_may() -> None:
    pairs = {"grant_type": JWT_BEARER, "assertion": signed({"alg": "ES256"}, CLAIMS), "scope": "x"}
    response = _world().post(Endpoint.TOKEN, *pairs.items(), headers=ROBOT_BASIC)
    assert members(response)["error"] == "invalid_scope"


def test_the_assertion_says_who_the_client_is() -> None:
    """As with service accounts: a request that names no client, but has an assertion of it."""
    account = replace(ROBOT, client_secret=None, token_endpoint_auth_method=ClientAuthMethod.NONE)
    world = _world(client=account)
    own = JWTAssertion(key=key_of("Ed25519"), issuer=NAME, subject="mike")
    token = _run(world, assert_jwt(_client(client_secret=None), own))
    assert world.works(token["access_token"])
    form = {
        "grant_type": JWT_BEARER,
        "assertion": signed({"alg": "EdDSA"}, {**CLAIMS, "iss": NAME}),
    }
    answer = world.post(Endpoint.TOKEN, *form.items(), headers=())
    assert answer.status == 200
    for changes in (
        {"assertion": "x"},
        {"grant_type": SAML2_BEARER},
        {"assertion": signed({"alg": "EdDSA"}, {**CLAIMS, "iss": "nobody"})},
        {"assertion": signed({"alg": "EdDSA"}, without(CLAIMS, {"iss": ...}))},
    ):
        answer = world.post(Endpoint.TOKEN, *{**form, **changes}.items(), headers=())
        assert (answer.status, members(answer)["error"]) == (401, "invalid_client")


# SAML. The reader takes what nobody has signed, so the tests change the text.

SAML = f"""<?xml version="1.0" encoding="UTF-8"?>
<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="ef1" Version="2.0"
    IssueInstant="2023-11-14T22:13:20Z">
  <Issuer>{IDP}</Issuer>
  <Subject>
    <NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">brian@example.com</NameID>
    <SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <SubjectConfirmationData NotOnOrAfter="2023-11-14T22:14:20.5Z" Recipient="{TOKEN}"/>
    </SubjectConfirmation>
  </Subject>
  <Conditions NotBefore="2023-11-14T22:13:20Z" NotOnOrAfter="2023-11-14T22:14:20Z">
    <AudienceRestriction><Audience>x</Audience><Audience>{ISSUER}</Audience></AudienceRestriction>
  </Conditions>
</Assertion>
"""
RESTRICTION = f"<AudienceRestriction><Audience>{ISSUER}</Audience></AudienceRestriction>"
SIGNATURE = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
NO_XML = "It is no XML, or has comments or entities."
NO_CONFIRMATION = "Its subject is not confirmed for whoever bears it, at this endpoint."
SIGNED = "It is signed: let ServerSettings(read_saml=...) verify it."
ELSEWHERE = "Its audience is somebody else."


def test_saml() -> None:
    world = _world()
    token = _run(world, assert_saml(_client(), SAML, scope="read"))
    issued = world.server.token(token["access_token"])
    assert issued is not None
    assert (issued.family.subject, issued.scope) == ("brian@example.com", "read")
    assert token.refresh_token is None
    assert _ask(world, base64url(SAML.encode()), SAML2_BEARER) == (400, "It was used before.")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("</Assertion>", "", NO_XML),
        ("<Issuer>", "<!-- a comment --><Issuer>", NO_XML),
        ("<Assertion", '<!DOCTYPE a [<!ENTITY b "c">]><Assertion', NO_XML),
        ("<Issuer>", "\0<Issuer>", NO_XML),
        ("2.0:assertion", "1.0:assertion", "It is no SAML 2.0 assertion."),
        ('Version="2.0"', 'Version="1.1"', "It is no SAML 2.0 assertion."),
        ("<Subject>", f"{SIGNATURE}<Subject>", SIGNED),
        (IDP, "https://other.example.com", "Its issuer is not trusted."),
        (f"<Issuer>{IDP}</Issuer>", "", "It has not exactly one Issuer."),
        ("<Subject>", f"<Issuer>{IDP}</Issuer><Subject>", "It has not exactly one Issuer."),
        ("brian@example.com", "", "Its NameID is no text."),
        ("brian@example.com", "brian@<b/>", "Its NameID is no text."),
        (f"<Audience>{ISSUER}<", "<Audience>y<", ELSEWHERE),
        ("<AudienceRestriction>", "<AudienceRestriction/><AudienceRestriction>", ELSEWHERE),
        ("<AudienceRestriction>", f"{RESTRICTION}<AudienceRestriction>", None),
        ("Restriction", "Restrictions", ELSEWHERE),
        ("cm:bearer", "cm:sender-vouches", NO_CONFIRMATION),
        (f'Recipient="{TOKEN}"', "", NO_CONFIRMATION),
        (f'Recipient="{TOKEN}"', 'Recipient="https://as.example.com"', NO_CONFIRMATION),
        ("NotOnOrAfter", "NotAfter", "It does not say when it expires."),
        ('NotOnOrAfter="2023-11-14T22:14:20Z"', "", None),
        ('NotOnOrAfter="2023-11-14T22:14:20.5Z"', "", None),
        ("22:14:20.5Z", "22:13:20Z", "It has expired."),
        ("22:14:20Z", "22:13:20Z", "It has expired."),
        ("22:14:20Z", "23:14:20Z", "It expires too late."),
        ('NotBefore="2023-11-14T22:13:20Z"', 'NotBefore="2023-11-14T22:13:21Z"',
         "It does not count yet."),
        ("22:14:20Z", "22:14:20", "Its NotOnOrAfter is no time in UTC."),
        ("2023-11-14T22:14:20Z", "2023-13-14T22:14:20Z", "month must be in 1..12"),
        ('ID="ef1"', "", "It has no ID."),
    ],
)  # fmt: skip
def test_each_check_of_saml(old: str, new: str, reason: str | None) -> None:
    assert old in SAML
    status, said = _ask(_world(), base64url(SAML.replace(old, new).encode()), SAML2_BEARER)
    assert status == (200 if reason is None else 400)
    assert (said or "").startswith(reason or "")


@pytest.mark.parametrize("assertion", ["<", "AAA=", "A", base64url(SAML.encode("utf-16"))])
def test_no_saml_at_all(assertion: str) -> None:
    assert _ask(_world(), assertion, SAML2_BEARER)[0] == 400


@given(st.binary(min_size=1))
def test_any_bytes(raw: bytes) -> None:
    assert _ask(_world(), base64url(raw), SAML2_BEARER) == (400, NO_XML)


def test_nobody_is_trusted_unless_named() -> None:
    world = _world(ServerSettings())
    assert _ask(world, base64url(SAML.encode()), SAML2_BEARER)[1] == "Its issuer is not trusted."
    assert _ask(world, signed({"alg": "ES256"}, CLAIMS))[0] == 400


def _refuses(xml: bytes) -> str:
    raise ValueError(f"It has {len(xml)} bytes.")


def _refuses_otherwise(xml: bytes) -> str:
    raise Refusal("invalid_grant", xml.decode())


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda xml: xml.decode(), (200, None)),
        (_refuses, (400, "It has 5 bytes.")),
        (_refuses_otherwise, (400, "<own>")),
    ],
)
def test_a_reader_of_one_s_own(
    read: Callable[[bytes], str], expected: tuple[int, str | None]
) -> None:
    world = _world(ServerSettings(read_saml=read))
    assert _ask(world, base64url(b"<own>"), SAML2_BEARER) == expected
