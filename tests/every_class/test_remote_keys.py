"""Keys that are elsewhere: each class has them sign by the function that it was given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from oauth2_sansio import Client, DPoP, PrivateKeyJWT, RemoteKey, RequestObject, Server
from oauth2_sansio.errors import LocalProtocolError, Outcome, TransportError
from oauth2_sansio.events import Endpoint, SignatureNeeded
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve
from tests.interop.sessions import Kind

from .conftest import AWAITING, BLOCKING

CALLBACK = "https://app.example/cb"
KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = {name: str(value) for name, value in KEY.as_dict(private=False).items()}
ELSEWHERE = RemoteKey("ES256", "k-1")


class RemoteSigner:
    """Signs in a thread of its own, as slowly as a test wants.

    open: has to be set before it answers.
    asked: is set once it was asked for something.
    """

    def __init__(self) -> None:
        self.seen: list[SignatureNeeded] = []
        self.open, self.asked = threading.Event(), threading.Event()
        self.open.set()
        self.failures: list[Exception] = []

    def sign(self, needed: SignatureNeeded) -> bytes:
        self.seen.append(needed)
        self.asked.set()
        assert self.open.wait(30)
        if self.failures:
            raise self.failures.pop()
        assert (needed.algorithm, needed.key_id) == ("ES256", "k-1")
        return jws.JWSRegistry.algorithms["ES256"].sign(needed.signing_input, KEY)

    async def sign_async(self, needed: SignatureNeeded) -> bytes:
        return await anyio.to_thread.run_sync(self.sign, needed)


@pytest.fixture
def signer() -> RemoteSigner:
    return RemoteSigner()


class Way(Enum):
    """How a function signs."""

    AT_ONCE = "at once"
    AWAITED = "awaited"


def each(names: Iterable[str], way: Way) -> list[Any]:
    return [pytest.param(name, way, id=f"{name}-{way.value}") for name in names]


BY_ITS_WAY = [*each(BLOCKING, Way.AT_ONCE), *each(AWAITING, Way.AWAITED)]
EVERY_WAY = [*BY_ITS_WAY, *each(AWAITING, Way.AT_ONCE)]
in_every_way = pytest.mark.parametrize(("kind", "sign"), EVERY_WAY, indirect=True)
in_its_way = pytest.mark.parametrize(("kind", "sign"), BY_ITS_WAY, indirect=True)


@pytest.fixture
def sign(signer: RemoteSigner, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function that a class takes."""
    return signer.sign if request.param is Way.AT_ONCE else signer.sign_async


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app",
        keys=(PUBLIC,),
        redirect_uris=(CALLBACK,),
        grant_types=(
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ),
        scope="read",
    )

    def build(issuer: str) -> AuthorizationServer:
        settings = ServerSettings(require_dpop_nonce=True)
        return AuthorizationServer(
            issuer=issuer, clients=(client,), settings=settings, now=time.time
        )

    with serve(build) as found:
        yield found


@contextmanager
def session_at(kind: Kind, server: AuthorizationServer, **settings: Any) -> Iterator[Any]:
    found = kind.discover(server.issuer)
    settings.setdefault("token_endpoint_auth_method", PrivateKeyJWT(private_key=ELSEWHERE))
    settings.setdefault("revocation_endpoint_auth_method", settings["token_endpoint_auth_method"])
    with kind.session("app", server=found, redirect_uri=CALLBACK, **settings) as session:
        yield session


@in_every_way
def test_each_request_to_an_endpoint_is_signed(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    with session_at(kind, server, sign=sign) as session:
        url, _ = session.create_authorization_url(code_verifier="v" * 43)
        token = session.fetch_token(
            authorization_response=server.visit(url), code_verifier="v" * 43
        )
        session.token = {**token, "expires_at": 1}
        assert session.get(server.url(Endpoint.RESOURCE)).status_code == 200
        assert session.introspect_token().json()["active"]
        assert session.revoke_token().status_code == 200
    assert len(signer.seen) == 4  # code, renewal, introspection, revocation


@in_its_way
def test_one_renewal_waits_for_a_slow_signature(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    statuses: list[int] = []
    with session_at(kind, server, sign=sign) as session:
        session.token = {**session.fetch_token(grant_type="client_credentials"), "expires_at": 1}
        signer.open.clear()
        signer.asked.clear()

        def ask() -> None:
            statuses.append(session.get(server.url(Endpoint.RESOURCE)).status_code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert signer.asked.wait(30)
        assert server.count(Endpoint.TOKEN) == 1
        signer.open.set()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 8
        assert (server.count(Endpoint.TOKEN), len(signer.seen)) == (2, 2)


@in_every_way
def test_a_flow_of_the_strict_vocabulary(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    with kind.session(sign=sign) as session:
        found = session.run(Server.discover(server.issuer))
        client = Client(server=found, client_id="app", auth=PrivateKeyJWT(private_key=ELSEWHERE))
        assert session.run(client.client_credentials()).access_token
    assert len(signer.seen) == 1


@in_every_way
def test_an_assertion_session(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    settings: dict[str, Any] = {"key": ELSEWHERE, "alg": "ES256", "sign": sign}
    with kind.assertion_session(
        server.url(Endpoint.TOKEN), "app", "alice", client_id="app", **settings
    ) as session:
        session.token_endpoint_auth_method = PrivateKeyJWT(private_key=ELSEWHERE)
        assert session.get(server.url(Endpoint.RESOURCE)).status_code == 200
    assert len(signer.seen) == 2  # the assertion, and the client's authentication


@pytest.mark.parametrize("push", [False, True])
@in_every_way
def test_signed_authorization_requests(
    kind: Kind,
    server: AuthorizationServer,
    signer: RemoteSigner,
    sign: Callable[..., Any],
    push: bool,
) -> None:
    request_object = RequestObject(ELSEWHERE)
    with session_at(kind, server, sign=sign, request_object=request_object) as session:
        if push:
            url, state = session.push_authorization_request()
        elif sign == signer.sign:
            url, state = session.create_authorization_url()
        else:
            with pytest.raises(LocalProtocolError, match="await sign_authorization_request"):
                session.create_authorization_url()
            url, state = session.sign_authorization_request()
        query = parse_qs(urlsplit(url).query)
        assert query.keys() == {"client_id", "request_uri" if push else "request"}
        assert session.state == state


@in_every_way
def test_tokens_that_are_bound(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    api = server.url(Endpoint.RESOURCE)
    dpop = DPoP(ELSEWHERE, public_jwk=PUBLIC)
    auth = PrivateKeyJWT(private_key=KEY)
    with session_at(kind, server, sign=sign, dpop=dpop, token_endpoint_auth_method=auth) as session:
        token = session.fetch_token(grant_type="client_credentials")
        assert token["token_type"] == "DPoP"
        assert session.post(api, **{kind.content: b"body"}).json()["received"] == 4
        before = len(signer.seen)
        for own in (
            kind.auth(token, client=session),
            kind.auth_class(token, dpop=DPoP(ELSEWHERE, public_jwk=PUBLIC), sign=sign),
        ):
            with kind.plain() as plain:
                assert plain.get(api, auth=own).status_code == 200
        assert len(signer.seen) == before + 3  # the last one had to learn the nonce


@in_every_way
def test_a_signer_that_fails(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner, sign: Callable[..., Any]
) -> None:
    failure = OSError("the key is busy")
    signer.failures.append(failure)
    with session_at(kind, server, sign=sign) as session:
        with pytest.raises(TransportError, match="sign= has failed: OSError") as caught:
            session.fetch_token(grant_type="client_credentials")
        assert (caught.value.cause, caught.value.outcome) == (failure, Outcome.NOT_SENT)
        assert server.count(Endpoint.TOKEN) == 0
        assert session.fetch_token(grant_type="client_credentials")["access_token"]


@pytest.mark.parametrize("kind", AWAITING, indirect=True)
def test_a_signer_of_an_asynchronous_class_has_a_deadline(
    kind: Kind, server: AuthorizationServer
) -> None:
    async def never(_needed: SignatureNeeded) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError

    with session_at(kind, server, sign=never, deadline=0.01) as session:
        session.token = {"access_token": "a", "refresh_token": "r", "expires_at": 1}
        with pytest.raises(TransportError, match="has not ended within 0.01 seconds") as caught:
            session.get(server.url(Endpoint.RESOURCE))
        assert caught.value.outcome is Outcome.NOT_SENT
        assert server.count(Endpoint.TOKEN) == 0


@pytest.mark.parametrize("kind", BLOCKING, indirect=True)
def test_a_blocking_class_and_a_function_to_be_awaited(
    kind: Kind, server: AuthorizationServer, signer: RemoteSigner
) -> None:
    with (
        session_at(kind, server, sign=signer.sign_async) as session,
        pytest.raises(LocalProtocolError, match="nothing can await it here"),
    ):
        session.fetch_token(grant_type="client_credentials")


def test_what_is_no_signature(kind: Kind, server: AuthorizationServer) -> None:
    for made, said in (("text", "returned a str"), (b"short", "does not have 5 bytes")):
        sign: Any = lambda _needed, made=made: made  # noqa: E731 - it is one
        with (
            session_at(kind, server, sign=sign) as session,
            pytest.raises(LocalProtocolError, match=said),
        ):
            session.fetch_token(grant_type="client_credentials")


def test_nobody_to_sign(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server, request_object=RequestObject(ELSEWHERE)) as session:
        for call in (
            session.create_authorization_url,
            lambda: session.fetch_token(grant_type="client_credentials"),
        ):
            with pytest.raises(LocalProtocolError, match="no signer was given; pass sign="):
                call()
    assert server.count(Endpoint.TOKEN) == 0
