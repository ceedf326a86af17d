from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.events import Endpoint, RequestFailed, RequestToSend, ResponseReceived
from oauth2_sansio.testing import (
    GRANTS,
    AnswerLost,
    AuthorizationServer,
    LogEntry,
    Misbehaviour,
    Parameters,
    RegisteredClient,
    ServerSettings,
    ServerState,
    TokenFamily,
    TokenKind,
    User,
    token_answer,
)
from oauth2_sansio.testing.configuration import ClientAuthMethod

from .world import APP_BASIC, CALLBACK, FORM, World, error, members

ISSUER = "https://as.example.com"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"{ISSUER}/authorize?a=b", Endpoint.AUTHORIZATION),
        (f"{ISSUER}/token", Endpoint.TOKEN),
        ("HTTPS://as.example.com:443/token", Endpoint.TOKEN),
        (f"{ISSUER}/revoke", Endpoint.REVOCATION),
        (f"{ISSUER}/introspect", Endpoint.INTROSPECTION),
        (f"{ISSUER}/api", Endpoint.RESOURCE),
        (f"{ISSUER}/api/x/y", Endpoint.RESOURCE),
        (f"{ISSUER}/.well-known/openid-configuration", Endpoint.METADATA),
        (ISSUER, None),
        (f"{ISSUER}/token/", None),
        (f"{ISSUER}/apis", None),
        ("http://as.example.com/token", None),
        ("https://elsewhere.example/token", None),
        ("https://as.example.com:8443/token", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_what_is_where(url: str, endpoint: Endpoint | None) -> None:
    world = World()
    assert world.server.endpoint_at(url) is endpoint
    status = world.get(url).status
    assert world.server.log[-1].endpoint is endpoint
    assert (status == 404) is (endpoint is None and url != "https://[")


def test_urls_go_by_the_issuer() -> None:
    server = AuthorizationServer(issuer="https://example.com/tenant/")
    assert server.issuer == "https://example.com/tenant/"
    assert server.url(Endpoint.TOKEN) == "https://example.com/tenant/token"
    assert server.endpoint_at("https://example.com/tenant/api/x") is Endpoint.RESOURCE
    assert server.endpoint_at("https://example.com/token") is None
    assert repr(server) == "<AuthorizationServer 'https://example.com/tenant/', 0 requests>"


@pytest.mark.parametrize("issuer", ["as.example.com", "ftp://a.example", "https://a?b=c", "http:"])
def test_what_is_no_issuer(issuer: str) -> None:
    with pytest.raises(ValueError, match="an issuer is an http or https URL"):
        AuthorizationServer(issuer=issuer)


def test_two_servers_do_the_same() -> None:
    first, second = World(), World()
    assert [first.tokens(), first.tokens()] == [second.tokens(), second.tokens()]


def test_other_randomness() -> None:
    world = World(random_bytes=bytes)
    assert world.callback()["code"] == "code-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def test_the_log() -> None:
    world = World()
    url = world.authorization_url()
    world.server.visit(url)
    request = world.request(Endpoint.TOKEN, ("grant_type", "client_credentials"))
    response = world.server.handle(request)
    visit, asked = world.server.log
    assert asked == LogEntry(
        endpoint=Endpoint.TOKEN,
        request=request,
        parameters=(("grant_type", "client_credentials"),),
        response=response,
    )
    assert (visit.endpoint, visit.request.url) == (Endpoint.AUTHORIZATION, url)
    assert "a state" in dict(visit.parameters).values()


def test_the_log_shows_no_secret() -> None:
    world = World()
    tokens = world.tokens()
    world.post(Endpoint.TOKEN, ("client_id", "app"), ("client_secret", "s3cret"), headers=())
    shown = repr(world.server.log)
    assert "RequestToSend(endpoint=TOKEN, method='POST'" in shown
    for secret in ("s3cret", "czNjcmV0", "v" * 43, tokens["access_token"], "code-"):
        assert secret not in shown


def test_counting() -> None:
    world = World()
    tokens = world.tokens()
    world.refresh(tokens["refresh_token"])
    world.get(f"{ISSUER}/nowhere")
    count = world.server.count
    assert (count(), count(Endpoint.TOKEN), count(Endpoint.REVOCATION)) == (4, 2, 0)
    assert count(Endpoint.TOKEN, grant_type="refresh_token") == 1
    assert count(grant_type="password") == 0


def test_sending() -> None:
    world = World()
    request = world.request(Endpoint.REVOCATION, ("token", "x"))
    expected = ResponseReceived(
        status=200, headers=(("Cache-Control", "no-store"), ("Pragma", "no-cache"))
    )
    assert world.server.send(request) == expected
    assert asyncio.run(world.server.send_async(request)) == expected
    world.server.misbehave(Misbehaviour.REFUSE_CONNECTION)
    event = asyncio.run(world.server.send_async(request))
    assert isinstance(event, RequestFailed)
    assert (event.sent, str(event.cause)) == (False, "the connection is refused")
    with pytest.raises(AnswerLost):
        world.server.handle(request)


def test_the_server_s_own_user() -> None:
    world = World(user=User(subject="bob"))
    token = world.server.token(world.tokens()["access_token"])
    assert token is not None
    assert token.family.subject == "bob"
    world.server.user = User(approves=False)
    assert world.callback()["error"] == "access_denied"
    assert "code" in world.callback_for(User())


def test_settings_may_change() -> None:
    world = World()
    assert world.server.settings == ServerSettings()
    world.server.settings = ServerSettings(access_token_lifetime=5)
    assert world.tokens()["expires_in"] == 5


def test_tokens_can_be_looked_up_and_revoked() -> None:
    world = World()
    tokens = world.tokens()
    found = world.server.token(tokens["refresh_token"])
    assert found is not None
    assert (found.kind, found.family.client_id) == (TokenKind.REFRESH, "app")
    assert world.server.is_active(tokens["access_token"])
    world.server.revoke(tokens["refresh_token"])
    assert not world.server.is_active(tokens["access_token"])
    assert world.server.token("unknown") is None
    assert not world.server.is_active("unknown")
    with pytest.raises(LookupError, match="never issued"):
        world.server.revoke("unknown")


def test_a_grant_of_one_s_own() -> None:
    def grant(
        state: ServerState, client: RegisteredClient, parameters: Parameters
    ) -> ResponseReceived:
        family = TokenFamily(
            client_id=client.client_id, subject=parameters.require("badge"), scope="door"
        )
        return token_answer(state.issue(TokenKind.ACCESS, family), None)

    world = World(grants={**GRANTS, "urn:example:badge": grant})
    world.server.register(
        RegisteredClient(
            client_id="app", client_secret="s3cret", grant_types=("urn:example:badge",)
        )
    )
    answer = members(world.token_request("urn:example:badge", badge="7"))
    token = world.server.token(answer["access_token"])
    assert token is not None
    assert (token.family.subject, answer["scope"]) == ("7", "door")
    assert error(world.token_request("urn:example:badge")) == (400, "invalid_request")


def test_the_lock_is_held() -> None:
    held: list[str] = []

    class Lock:
        def __enter__(self) -> None:
            held.append("in")

        def __exit__(self, *_problem: object) -> None:
            held.append("out")

    world = World(lock=Lock())
    world.callback()
    assert held == ["in", "out"]


WORDS = st.sampled_from(
    "grant_type authorization_code refresh_token code client_id app phone client_secret s3cret "
    f"redirect_uri {CALLBACK} response_type token scope response_mode form_post password username "
    "access_token resource ".split(" ")
)
TEXTS = WORDS | st.text(max_size=20)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=8).map(tuple)
PATHS = st.sampled_from(
    ["/authorize", "/token", "/revoke", "/introspect", "/api/x", "/.well-known"]
)
HEADERS = st.lists(
    st.sampled_from([FORM, *APP_BASIC])
    | st.tuples(st.sampled_from(["Authorization", "Content-Type"]), st.text(max_size=30))
    | st.tuples(st.just("Authorization"), st.text(max_size=30).map("Basic {}".format)),
    max_size=3,
).map(tuple)


@given(
    url=st.builds(lambda path, query: f"{ISSUER}{path}?{query}", PATHS, st.text(max_size=60))
    | st.text(max_size=30),
    method=st.sampled_from(["GET", "POST", "PUT"]) | st.text(max_size=5),
    headers=HEADERS,
    form=PAIRS,
    content=st.none() | st.binary(max_size=60),
    misbehaviour=st.none() | st.sampled_from(Misbehaviour),
)
def test_every_request_gets_an_answer(
    url: str,
    method: str,
    headers: tuple[tuple[str, str], ...],
    form: tuple[tuple[str, str], ...],
    content: bytes | None,
    misbehaviour: Misbehaviour | None,
) -> None:
    world = World(ServerSettings(passwords={"app": "s3cret"}, allow_get_token_requests=True))
    if misbehaviour is not None:
        world.server.misbehave(misbehaviour)
    request = RequestToSend(
        endpoint=Endpoint.TOKEN,
        method=method,
        url=url,
        headers=headers,
        form=form,
        content=content,
    )
    event = world.server.send(request)
    if isinstance(event, ResponseReceived):
        assert 200 <= event.status < 600
    else:
        assert isinstance(event.cause, AnswerLost)
    assert len(world.server.log) == 1


def test_the_methods_of_clients_are_those_of_the_metadata() -> None:
    document = members(World().get(f"{ISSUER}/.well-known/openid-configuration"))
    assert document["token_endpoint_auth_methods_supported"] == [
        method.value for method in ClientAuthMethod
    ]
