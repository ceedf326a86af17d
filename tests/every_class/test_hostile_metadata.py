"""Hostile metadata: no endpoint that may not be one reaches a browser, a shell or a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oauth2_sansio import (
    Client,
    Finished,
    NoAuthentication,
    ProtectedResource,
    RequestToSend,
    ResponseReceived,
    Server,
    ServerKeys,
)
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    RemoteProtocolError,
)
from oauth2_sansio.exchange import Pipeline
from oauth2_sansio.flow import Flow
from tests.core.server_jwts import jwk_set
from tests.interop.sessions import Kind

from .hostile_metadata import (
    ENDPOINTS,
    GOOD,
    ISSUER,
    LEGAL_URLS,
    RESERVED,
    ROWS,
    URLS,
    Outcome,
    Row,
)
from .site import Answer, Site

NOW = 1_700_000_000.0
CALLBACK = "https://app.example/cb"

each_url = pytest.mark.parametrize("url", URLS.values(), ids=URLS)


def authorize(server: Server) -> str:
    client = Client(server=server, client_id="app", auth=NoAuthentication())
    action = client.authorize(redirect_uri=CALLBACK, state="s", scope="read").start(NOW)
    assert isinstance(action, Finished)
    return action.result.url


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_document(row: Row) -> None:
    response = ResponseReceived(
        status=row.status, headers=(("Content-Type", row.content_type),), body=row.body
    )
    flow = Server.discover(ISSUER)
    action = flow.start(NOW)
    asked: list[str] = []
    try:
        while isinstance(action, RequestToSend):
            asked.append(action.url)
            action = flow.receive(response, NOW)
    except (RemoteProtocolError, ErrorResponse) as error:
        wanted = Outcome.ISSUER if error.error == "issuer_mismatch" else Outcome.REFUSED
        assert row.outcome is wanted
        assert str(error).isprintable()
        assert error.response is response
    else:
        assert row.outcome is Outcome.SERVER
    # Nothing is asked for but the document, whatever it names.
    assert all(url.startswith(f"{ISSUER}/.well-known/") for url in asked)
    assert len(asked) <= 2


@each_url
@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_may_not_be_one(name: str, url: str) -> None:
    with pytest.raises(RemoteProtocolError, match="cannot be used") as caught:
        Server.from_metadata({**GOOD, name: url}, issuer=ISSUER)
    assert url not in str(caught.value)
    with pytest.raises(LocalProtocolError, match=name):
        Server(**{name: url})  # type: ignore[arg-type]  # the name is that of a URL


@pytest.mark.parametrize("url", LEGAL_URLS.values(), ids=LEGAL_URLS)
def test_an_odd_endpoint_that_may_be_one(url: str) -> None:
    made = authorize(Server.from_metadata({**GOOD, "authorization_endpoint": url}, issuer=ISSUER))
    assert made.startswith(url)
    assert made.isascii()
    assert made.isprintable()
    assert not set(made) & set(' "<>\\^`{|}')


@pytest.mark.parametrize("query", RESERVED)
def test_an_endpoint_whose_query_says_what_the_request_says(query: str) -> None:
    with pytest.raises(LocalProtocolError, match="sets a parameter"):
        authorize(Server(authorization_endpoint=f"{ISSUER}/authorize?{query}"))


def test_the_function_url_allowed_is_asked_before_each_request_of_discovery() -> None:
    asked: list[str] = []

    def url_allowed(url: str) -> bool:
        asked.append(url)
        return "oauth-authorization-server" in url

    flow = Server.discover(ISSUER, pipeline=Pipeline(url_allowed=url_allowed))
    request = flow.start(NOW)
    assert isinstance(request, RequestToSend)
    with pytest.raises(LocalProtocolError, match="url_allowed refuses"):
        flow.receive(ResponseReceived(status=404), NOW)
    assert asked == [
        f"{ISSUER}/.well-known/oauth-authorization-server",
        f"{ISSUER}/.well-known/openid-configuration",
    ]


# The same through the classes of the drop-in vocabulary.


@pytest.fixture(scope="module")
def one_session(kind: Kind) -> Iterator[Any]:
    token = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer"}
    with kind.session("app", token=token, redirect_uri=CALLBACK) as session:
        yield session


_CALLS: dict[str, Callable[[Any], Any]] = {
    "authorization_endpoint": lambda session: session.create_authorization_url(),
    "token_endpoint": lambda session: session.fetch_token(grant_type="client_credentials"),
    "revocation_endpoint": lambda session: session.revoke_token(token="a"),
    "introspection_endpoint": lambda session: session.introspect_token(token="a"),
    "pushed_authorization_request_endpoint": lambda session: session.push_authorization_request(),
}
_CALLS_WITH_URL: tuple[Callable[[Any, str], Any], ...] = (
    lambda session, url: session.create_authorization_url(url),
    lambda session, url: session.fetch_token(url, grant_type="client_credentials"),
    lambda session, url: session.refresh_token(url),
    lambda session, url: session.revoke_token(url, token="a"),
    lambda session, url: session.introspect_token(url, token="a"),
)


@each_url
def test_every_class_refuses_such_an_endpoint(url: str, one_session: Any) -> None:
    for name, call in _CALLS.items():
        one_session.metadata.clear()
        one_session.metadata.update({**GOOD, name: url})
        with pytest.raises(LocalProtocolError) as caught:
            call(one_session)
        assert url not in str(caught.value)
    one_session.metadata.clear()
    for call_with_url in _CALLS_WITH_URL:
        with pytest.raises(LocalProtocolError):
            call_with_url(one_session, url)


@pytest.mark.parametrize("query", RESERVED)
def test_every_class_refuses_a_query_that_says_what_the_request_says(
    query: str, one_session: Any
) -> None:
    endpoint = f"{ISSUER}/authorize?{query}"
    for arguments in ({}, {"code_challenge_method": "S256"}):
        with pytest.raises(LocalProtocolError, match="sets a parameter"):
            one_session.create_authorization_url(endpoint, "s", scope="read", **arguments)


# url_allowed, in every class.


class Guard:
    """Notes what it is asked, and allows what it is told to."""

    def __init__(self, *, allows: bool) -> None:
        self.allows = allows
        self.asked: list[str] = []

    def __call__(self, url: str) -> bool:
        self.asked.append(url)
        return self.allows


def _use_an_expired_token(session: Any, site: Site) -> None:
    session.metadata.update(token_endpoint=f"{site.url}/renewal")
    session.token = {"access_token": "old", "refresh_token": "r", "expires_at": 1}
    session.get(site.answer("/api"))


_REQUESTS: dict[str, Callable[[Any, Site], Any]] = {
    "/token": lambda session, _: session.fetch_token(grant_type="client_credentials"),
    "/refresh": lambda session, site: session.refresh_token(f"{site.url}/refresh"),
    "/renewal": _use_an_expired_token,
    "/revoke": lambda session, site: session.revoke_token(f"{site.url}/revoke", token="a"),
    "/introspect": lambda session, site: session.introspect_token(f"{site.url}/introspect", "a"),
    "/par": lambda session, _: session.push_authorization_request(f"{ISSUER}/authorize"),
}


@pytest.mark.parametrize("allows", [True, False])
def test_every_class_asks_the_function_url_allowed_before_each_request(
    kind: Kind, site: Site, allows: bool
) -> None:
    token = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer"}
    for path in _REQUESTS:
        answer = {"request_uri": "urn:x", "expires_in": 60} if path == "/par" else token
        site.answer(path, Answer(200, answer))
    guard = Guard(allows=allows)
    settings = {
        "token": token,
        "redirect_uri": CALLBACK,
        "url_allowed": guard,
        "token_endpoint": f"{site.url}/token",
        "pushed_authorization_request_endpoint": f"{site.url}/par",
    }
    with kind.session("app", **settings) as session:
        for call in _REQUESTS.values():
            try:
                call(session, site)
            except LocalProtocolError as error:
                assert "url_allowed refuses" in str(error)
                assert not allows
    assert guard.asked == [f"{site.url}{path}" for path in _REQUESTS]
    sent = [each.target for each in site.requests if each.target != "/api"]
    assert sent == (list(_REQUESTS) if allows else [])


@pytest.mark.parametrize("allows", [True, False])
def test_every_class_with_assertions_asks_it_too(kind: Kind, site: Site, allows: bool) -> None:
    site.answer("/token", Answer(200, {"access_token": "a", "token_type": "Bearer"}))
    guard = Guard(allows=allows)
    given = (f"{site.url}/token", "me", "you")
    settings = {"key": "k" * 32, "alg": "HS256", "url_allowed": guard}
    with kind.assertion_session(*given, **settings) as session:
        try:
            session.fetch_token()
        except LocalProtocolError as error:
            assert "url_allowed refuses" in str(error)
            assert not allows
    assert guard.asked == [f"{site.url}/token"]
    assert len(site.requests) == int(allows)


@pytest.mark.parametrize("allows", [True, False])
def test_every_class_asks_it_before_each_document_that_a_flow_fetches(
    kind: Kind, site: Site, allows: bool
) -> None:
    documents = {
        "/.well-known/oauth-authorization-server": {"issuer": site.url},
        "/.well-known/oauth-protected-resource/api": {"resource": f"{site.url}/api"},
        "/jwks": jwk_set("ES256"),
    }
    for path, document in documents.items():
        site.answer(path, Answer(200, document))
    guard = Guard(allows=allows)
    own = Pipeline(url_allowed=guard)
    flows: tuple[Flow[Any], ...] = (
        Server.discover(site.url, pipeline=own),
        ProtectedResource.discover(f"{site.url}/api", pipeline=own),
        ServerKeys.fetch(Server(jwks_uri=f"{site.url}/jwks"), pipeline=own),
    )
    with kind.session() as anybody:
        for flow in flows:
            try:
                anybody.run(flow)
            except LocalProtocolError as error:
                assert "url_allowed refuses" in str(error)
                assert not allows
    assert guard.asked == [f"{site.url}{path}" for path in documents]
    assert [each.target for each in site.requests] == (list(documents) if allows else [])
