"""Assertion sessions over sockets, at a server that verifies each assertion with joserfc."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
import trio
from joserfc.jwk import OctKey
from joserfc.jws import deserialize_compact

import oauth2_sansio_httpx.assertion_clients as over_httpx
import oauth2_sansio_httpx2.assertion_clients as over_httpx2
from oauth2_sansio import ClientSecretJWT
from oauth2_sansio.assertions import JWT_BEARER, SAML2_BEARER
from oauth2_sansio.errors import OAuth2Error
from oauth2_sansio.events import Endpoint, ResponseReceived
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, token_answer
from oauth2_sansio.testing.ledger import TokenFamily, TokenKind
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio.testing.messages import Parameters, Refusal
from oauth2_sansio.testing.state import ServerState
from oauth2_sansio.waiting.loop_of_trio import runs_here
from oauth2_sansio_requests import AssertionSession, OAuth2Session

KEY = "a secret of more than thirty-two bytes"
BLOCKING = pytest.mark.parametrize(
    "kind", [AssertionSession, over_httpx.AssertionClient, over_httpx2.AssertionClient]
)
AWAITING = pytest.mark.parametrize(
    "kind", [over_httpx.AsyncAssertionClient, over_httpx2.AsyncAssertionClient]
)


class Grant:
    """Verifies assertions, and remembers what they said."""

    def __init__(self) -> None:
        self.claims: list[dict[str, Any]] = []
        self.parameters: list[Parameters] = []

    def __call__(
        self, state: ServerState, client: RegisteredClient, parameters: Parameters
    ) -> ResponseReceived:
        signed = deserialize_compact(
            parameters.require("assertion"), OctKey.import_key(KEY), ["HS256"]
        )
        claims = json.loads(signed.payload)
        if claims["jti"] in [each["jti"] for each in self.claims]:
            raise Refusal("invalid_grant", "This assertion was used before.")
        if claims["aud"] != state.url(Endpoint.TOKEN):
            raise Refusal("invalid_grant", "This assertion is for somebody else.")
        self.claims.append(claims)
        self.parameters.append(parameters)
        family = TokenFamily(
            client_id=client.client_id,
            subject=claims.get("sub"),
            scope="a",
            resources=(),
            audiences=(),
        )
        return token_answer(state.issue(TokenKind.ACCESS, family), None)


@pytest.fixture
def grant() -> Grant:
    return Grant()


@pytest.fixture
def server(grant: Grant) -> Iterator[AuthorizationServer]:
    robot = RegisteredClient(client_id="robot", grant_types=(JWT_BEARER, SAML2_BEARER), scope="a")
    with serve(
        lambda issuer: AuthorizationServer(
            issuer=issuer, clients=[robot], now=time.time, grants={JWT_BEARER: grant}
        )
    ) as running:
        yield running


def build(kind: Any, server: AuthorizationServer, **settings: Any) -> Any:
    settings = {"alg": "HS256", "key": KEY, "client_id": "robot", **settings}
    return kind(server.url(Endpoint.TOKEN), "me", "you", **settings)


@BLOCKING
def test_the_first_request_fetches_a_token(
    kind: Any, server: AuthorizationServer, grant: Grant
) -> None:
    claims, header = {"x": [1]}, {"alg": "HS256"}
    with closing(build(kind, server, claims=claims, header=header, alg=None)) as session:
        assert session.token is None
        assert session.get(f"{server.issuer}/api").status_code == 200
        assert session.get(f"{server.issuer}/api").status_code == 200
        session.token = None
        assert session.get(f"{server.issuer}/api").status_code == 200
        assert session.fetch_token()["access_token"] == session.token["access_token"]
    assert (claims, header) == ({"x": [1]}, {"alg": "HS256"})
    assert len(grant.claims) == 3
    assert len({each["jti"] for each in grant.claims}) == 3
    assert {(each["iss"], each["sub"], str(each["x"])) for each in grant.claims} == {
        ("me", "you", "[1]")
    }


@BLOCKING
def test_the_given_times_are_of_the_first_assertion_alone(
    kind: Any, server: AuthorizationServer, grant: Grant
) -> None:
    with closing(build(kind, server, issued_at=1000, expires_at=2000, expires_in=60)) as session:
        session.refresh_token()
        session.refresh_token()
    first, second = grant.claims
    assert (first["iat"], first["exp"]) == (1000, 2000)
    assert second["exp"] - second["iat"] == 60
    assert second["exp"] > time.time()


@BLOCKING
def test_an_expired_token_is_renewed_once_by_many_threads(
    kind: Any, server: AuthorizationServer, grant: Grant
) -> None:
    with closing(build(kind, server, scope="a")) as session, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: session.get(f"{server.issuer}/api"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert [parameters.get("scope") for parameters in grant.parameters] == ["a"]


@BLOCKING
def test_a_refused_token_is_renewed(kind: Any, server: AuthorizationServer, grant: Grant) -> None:
    with closing(build(kind, server)) as session:
        server.revoke(session.fetch_token()["access_token"])
        assert session.get(f"{server.issuer}/api").status_code == 200
    assert len(grant.claims) == 2


@BLOCKING
def test_no_algorithm(kind: Any, server: AuthorizationServer) -> None:
    with (
        closing(build(kind, server, alg=None)) as session,
        pytest.raises(ValueError, match="give alg="),
    ):
        session.get(f"{server.issuer}/api")


@BLOCKING
def test_a_grant_of_ones_own(kind: Any, server: AuthorizationServer) -> None:
    seen: list[dict[str, Any]] = []

    def method(**given: Any) -> str:
        seen.append(given)
        return "the assertion"

    class Own(kind):  # type: ignore[misc]  # a class that the test is given
        ASSERTION_METHODS = {SAML2_BEARER: method}  # noqa: RUF012 - as users write it

    with (
        closing(build(Own, server, grant_type=SAML2_BEARER)) as session,
        pytest.raises(OAuth2Error, match="unsupported_grant_type"),
    ):
        session.get(f"{server.issuer}/api")
    assert seen == [
        {
            "issuer": "me",
            "subject": "you",
            "audience": None,
            "claims": {},
            "alg": "HS256",
            "key": KEY,
        }
    ]
    assert ("assertion", "the assertion") in server.log[-1].parameters


@pytest.mark.parametrize("kind", [over_httpx.AssertionClient, over_httpx2.AssertionClient])
def test_streams_are_signed(kind: Any, server: AuthorizationServer) -> None:
    with (
        closing(build(kind, server)) as session,
        session.stream("GET", f"{server.issuer}/api") as answer,
    ):
        assert answer.status_code == 200


async def twenty_answers(kind: Any, server: AuthorizationServer) -> list[int]:
    """Ask twenty times at once, under whichever loop runs."""
    client = build(kind, server)
    answers: list[int] = []

    async def ask() -> None:
        answers.append((await client.get(f"{server.issuer}/api")).status_code)

    try:
        if runs_here():
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(ask)
        else:
            await asyncio.gather(*(ask() for _ in range(20)))
    finally:
        await client.aclose()
    return answers


@AWAITING
def test_twenty_tasks_of_asyncio(kind: Any, server: AuthorizationServer, grant: Grant) -> None:
    assert asyncio.run(twenty_answers(kind, server)) == [200] * 20
    assert len(grant.claims) == 1


@AWAITING
def test_twenty_tasks_of_trio(kind: Any, server: AuthorizationServer, grant: Grant) -> None:
    assert trio.run(twenty_answers, kind, server) == [200] * 20
    assert len(grant.claims) == 1


@pytest.mark.parametrize("direct", [True, False])
def test_client_secret_jwt_in_a_session(direct: bool) -> None:
    seen: list[str] = []

    def send(request: requests.PreparedRequest, **_options: Any) -> Any:
        seen.append(str(request.body))
        return SimpleNamespace(status_code=200, json=lambda: {"access_token": "a"}, headers={})

    way = ClientSecretJWT()
    with OAuth2Session(
        "me", KEY, token_endpoint_auth_method=way if direct else "client_secret_jwt"
    ) as session:
        session.register_client_auth_method(way)
        session.send = send  # type: ignore[method-assign]  # as users' test doubles do
        session.fetch_token("https://as.example.com/token?tenant=1")
    signed = deserialize_compact(
        dict(parse_qsl(seen[0]))["client_assertion"], OctKey.import_key(KEY), ["HS256"]
    )
    assert json.loads(signed.payload)["aud"] == "https://as.example.com/token"
