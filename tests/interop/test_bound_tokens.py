"""Tokens that are bound to a key (DPoP), through every class of the drop-in vocabulary."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from oauth2_sansio import DPoP, LocalProtocolError, OAuth2Error, UnsupportedTokenTypeError
from oauth2_sansio.assertions import JWT_BEARER
from oauth2_sansio.dpop import new_private_key
from oauth2_sansio.events import Endpoint
from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore
from oauth2_sansio.testing import (
    AuthorizationServer,
    ClientAuthMethod,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve

if TYPE_CHECKING:
    from .sessions import Kind

CALLBACK = "https://app.example/cb"
PRIVATE = new_private_key()
TOKEN = {"access_token": "a-1", "token_type": "DPoP"}


@pytest.fixture
def dpop() -> DPoP:
    return DPoP(PRIVATE)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app",
        client_secret="secret",
        redirect_uris=(CALLBACK,),
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope="read",
        dpop_bound_access_tokens=True,
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer,
            clients=[client],
            settings=ServerSettings(require_dpop_nonce=True),
            now=time.time,
            lock=threading.RLock(),
        )

    with serve(build) as found:
        yield found


@contextmanager
def session_at(kind: Kind, server: AuthorizationServer, **settings: Any) -> Iterator[Any]:
    found = kind.discover(server.issuer)
    with kind.session("app", "secret", server=found, redirect_uri=CALLBACK, **settings) as session:
        yield session


def log_in(session: Any, server: AuthorizationServer) -> Any:
    url, _ = session.create_authorization_url(code_verifier="v" * 43)
    return session.fetch_token(authorization_response=server.visit(url), code_verifier="v" * 43)


def test_the_whole_way(kind: Kind, server: AuthorizationServer, dpop: DPoP) -> None:
    api = server.url(Endpoint.RESOURCE)
    with session_at(kind, server, dpop=dpop) as session:
        token = log_in(session, server)
        assert token["token_type"] == "DPoP"
        assert session.get(f"{api}/a?b=c").status_code == 200
        assert session.post(api, **{kind.content: b"body"}).json()["received"] == 4
        # Renewed before it is sent, and once more where the server refuses it.
        session.token = {**token, "expires_at": 1}
        assert session.get(api).status_code == 200
        renewed = session.token
        assert renewed["access_token"] != token["access_token"]
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        assert session.get(api).status_code == 200
        assert session.token["access_token"] != renewed["access_token"]
        assert session.introspect_token(
            server.url(Endpoint.INTROSPECTION), session.token["access_token"]
        ).json()["cnf"] == {"jkt": dpop.thumbprint}


def test_the_first_request_of_all_learns_the_nonce(
    kind: Kind, server: AuthorizationServer, dpop: DPoP
) -> None:
    with session_at(kind, server, dpop=dpop) as session:
        token = session.fetch_token(grant_type="client_credentials")
        assert server.count(Endpoint.TOKEN) == 2
    with session_at(kind, server, dpop=DPoP(PRIVATE), token=token) as session:
        api = server.url(Endpoint.RESOURCE)
        before = server.count(Endpoint.RESOURCE)
        for _ in range(3):
            assert session.get(api).status_code == 200
        assert server.count(Endpoint.RESOURCE) - before == 4


@pytest.mark.parametrize("with_client", [False, True])
def test_auth_objects(
    kind: Kind, server: AuthorizationServer, dpop: DPoP, with_client: bool
) -> None:
    if not kind.has_auth:
        pytest.skip("this adapter has no auth= objects")
    api = server.url(Endpoint.RESOURCE)
    with session_at(kind, server, dpop=dpop) as session, kind.plain() as plain:
        token = session.fetch_token(grant_type="client_credentials")
        if with_client:
            auth = kind.auth(token, client=session)
        else:
            auth = kind.auth_class(token, dpop=DPoP(PRIVATE))
        assert plain.get(api, auth=auth).status_code == 200
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        again = plain.get(api, auth=auth).status_code
        assert again == (200 if with_client else 401)


def test_a_process_with_another_key_does_not_end_the_login_of_all(
    kind: Kind, server: AuthorizationServer, dpop: DPoP
) -> None:
    server.register(RegisteredClient(client_id="phone", redirect_uris=(CALLBACK,), scope="read"))
    store = MemoryStore() if kind.portal is None else AsyncMemoryStore()
    found = kind.discover(server.issuer)
    settings: dict[str, Any] = {
        "server": found,
        "redirect_uri": CALLBACK,
        "store": store,
        "store_key": "alice",
    }
    api = server.url(Endpoint.RESOURCE)
    with (
        kind.session("phone", dpop=dpop, **settings) as session,
        kind.session("phone", dpop=DPoP(new_private_key()), **settings) as other,
    ):
        token = log_in(session, server)
        with pytest.raises(
            LocalProtocolError, match=f"the key whose thumbprint is {dpop.thumbprint}"
        ):
            other.refresh_token()
        assert session.refresh_token()["access_token"] != token["access_token"]
        assert session.get(api).status_code == 200


def test_the_tokens_of_assertions_are_bound(
    kind: Kind, server: AuthorizationServer, dpop: DPoP
) -> None:
    key = new_private_key()
    server.register(
        RegisteredClient(
            client_id="robot",
            token_endpoint_auth_method=ClientAuthMethod.NONE,
            grant_types=(JWT_BEARER,),
            keys=(key,),
            scope="read",
        )
    )
    with kind.assertion_session(
        server.url(Endpoint.TOKEN),
        "robot",
        "alice",
        key=key,
        alg="ES256",
        client_id="robot",
        dpop=dpop,
    ) as session:
        assert session.get(server.url(Endpoint.RESOURCE)).status_code == 200
        assert session.token["token_type"] == "DPoP"


def test_a_response_that_is_read_as_a_stream(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server, dpop=DPoP(PRIVATE)) as session:
        session.fetch_token(grant_type="client_credentials")
        before = server.count(Endpoint.RESOURCE)
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        assert kind.read_stream(session, server.url(Endpoint.RESOURCE))["method"] == "GET"
        assert server.count(Endpoint.RESOURCE) - before == 2


def test_a_server_that_binds_nothing(kind: Kind, server: AuthorizationServer, dpop: DPoP) -> None:
    with session_at(kind, server, dpop=dpop) as session:
        server.misbehave(Misbehaviour.DPOP_BEARER_ANSWER)
        with pytest.raises(OAuth2Error, match="not bound to the key"):
            session.fetch_token(grant_type="client_credentials")


def test_a_server_that_never_has_enough(
    kind: Kind, server: AuthorizationServer, dpop: DPoP
) -> None:
    with session_at(kind, server, dpop=dpop) as session:
        session.fetch_token(grant_type="client_credentials")
        server.misbehave(Misbehaviour.DPOP_ENDLESS_NONCES)
        assert session.get(server.url(Endpoint.RESOURCE)).status_code == 401
        assert server.count(Endpoint.RESOURCE) == 2
        before = server.count(Endpoint.TOKEN)
        with pytest.raises(OAuth2Error, match="use_dpop_nonce"):
            session.fetch_token(grant_type="client_credentials")
        assert server.count(Endpoint.TOKEN) - before == 2


def test_a_bound_token_without_its_key(kind: Kind, server: AuthorizationServer) -> None:
    with session_at(kind, server, token=TOKEN) as session:
        with pytest.raises(UnsupportedTokenTypeError, match="give the client dpop="):
            session.get(server.url(Endpoint.RESOURCE))
        assert server.count(Endpoint.RESOURCE) == 0


def test_a_bound_token_elsewhere_than_in_the_header(
    kind: Kind, server: AuthorizationServer, dpop: DPoP
) -> None:
    for placement in ("body", "uri"):
        with (
            session_at(kind, server, token=TOKEN, dpop=dpop, token_placement=placement) as session,
            pytest.raises(OAuth2Error, match="goes into the header"),
        ):
            session.post(server.url(Endpoint.RESOURCE))
    assert server.count(Endpoint.RESOURCE) == 0


def test_a_bearer_token_of_a_client_with_a_key(kind: Kind, dpop: DPoP) -> None:
    with resource((200, {})) as api:
        with kind.session(token={"access_token": "b-1"}, dpop=dpop) as session:
            assert session.get(api.url).status_code == 200
        (_, headers), *_ = api.seen
        assert headers["authorization"] == "Bearer b-1"
        assert "dpop" not in headers


def test_hooks_see_the_request_and_the_proof_is_for_what_they_make_of_it(
    kind: Kind, dpop: DPoP
) -> None:
    seen: list[str] = []

    def hook(url: str, headers: Any, body: Any) -> tuple[str, Any, Any]:
        seen.append(headers["Authorization"])
        return f"{url}/hooked?a=b", headers, body

    with resource((401, NONCE), (200, {})) as api:
        with kind.session(token=TOKEN, dpop=dpop) as session:
            session.register_compliance_hook("protected_request", hook)
            assert session.get(api.url).status_code == 200
        assert seen == ["DPoP a-1"]
        assert [path for path, _ in api.seen] == ["/api/hooked?a=b"] * 2
        claims = claims_of(api.seen[1][1])
        assert (claims["htu"], claims["nonce"]) == (f"{api.url}/hooked", "n-1")


def test_the_body_of_a_repeated_request_goes_along(kind: Kind, dpop: DPoP) -> None:
    with (
        resource((401, NONCE), (200, {})) as api,
        kind.session(token=TOKEN, dpop=dpop) as session,
    ):
        response = session.post(api.url, **{kind.content: b"important"})
        assert (response.status_code, response.content) == (200, b"POST important")


def test_a_stream_that_went_out_is_not_repeated(kind: Kind, dpop: DPoP) -> None:
    with resource((401, NONCE), (200, {})) as api:
        with kind.session(token=TOKEN, dpop=dpop) as session:
            body = kind.streamed([b"one", b"two"])
            assert session.post(api.url, **{kind.content: body}).status_code == 401
            assert session.get(api.url).status_code == 200
        assert claims_of(api.seen[1][1])["nonce"] == "n-1"  # learnt all the same


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_within_the_server(kind: Kind, dpop: DPoP, status: int) -> None:
    with resource((status, {"Location": "/elsewhere?a=b"}), (401, NONCE), (200, {})) as api:
        with kind.session(token=TOKEN, dpop=dpop) as session:
            response = session.get(api.url, **kind.following)
            assert response.status_code == 200
        assert [path for path, _ in api.seen] == ["/api"] + ["/elsewhere?a=b"] * 2
        claims = claims_of(api.seen[2][1])
        assert claims["htu"] == api.url.replace("/api", "/elsewhere")
        assert claims["nonce"] == "n-1"


def test_a_redirect_to_another_server(kind: Kind, dpop: DPoP) -> None:
    with resource((401, NONCE)) as other:
        with (
            resource((302, {"Location": other.url})) as api,
            kind.session(token=TOKEN, dpop=dpop) as session,
        ):
            assert session.get(api.url, **kind.following).status_code == 401
        ((_, headers),) = other.seen
        assert "authorization" not in headers
        # httpx lets no auth object change what a redirect takes along. What goes there is no
        # secret: it names another URL, and the hash of the token.
        assert ("dpop" in headers) is ("httpx" in kind.adapter)


NONCE = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": "n-1"}


def claims_of(headers: dict[str, str]) -> dict[str, Any]:
    segment = headers["dpop"].split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return claims


class Scripted(ThreadingHTTPServer):
    """Answers in turn, and notes paths and headers; the last answer stays."""

    daemon_threads = True

    def __init__(self, *answers: tuple[int, dict[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"


class Handler(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]  # it is no class variable there

    def answer(self) -> None:
        server = self.server
        server.seen.append(
            (self.path, {name.lower(): value for name, value in self.headers.items()})
        )
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while self.rfile.readline().strip() != b"0":
                pass
            self.rfile.readline()
        status, headers = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        content = f"{self.command} {body.decode()}".encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def resource(*answers: tuple[int, dict[str, str]]) -> Iterator[Scripted]:
    with Scripted(*answers) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()
