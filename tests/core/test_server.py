"""The authorization server: by hand, from its metadata, and found by its issuer."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import (
    Endpoint,
    ErrorResponse,
    Finished,
    Flow,
    LocalProtocolError,
    OAuth2Error,
    Pipeline,
    RemoteProtocolError,
    RequestToSend,
    ResponseReceived,
    Server,
    State,
)
from oauth2_sansio.server import metadata_urls

ISSUER = "https://server.example"
ENDPOINTS = {
    "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
    "token_endpoint": f"{ISSUER}/token",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "pushed_authorization_request_endpoint": f"{ISSUER}/par",
    "device_authorization_endpoint": f"{ISSUER}/device",
    "registration_endpoint": f"{ISSUER}/register",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
}
LISTS = {
    "token_endpoint_auth_methods_supported": ["client_secret_post"],
    "revocation_endpoint_auth_methods_supported": [],
    "introspection_endpoint_auth_methods_supported": ["none"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "scopes_supported": ["openid"],
    "grant_types_supported": ["authorization_code"],
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
}
FLAGS = {
    "authorization_response_iss_parameter_supported": True,
    "require_pushed_authorization_requests": False,
}
DOCUMENT: dict[str, Any] = {"issuer": ISSUER, **ENDPOINTS, **LISTS, **FLAGS, "own": {"a": [1]}}

BAD_URLS = (
    "http://server.example/x",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http:$(calc.exe)",
    "-version",
    "//server.example/x",
    "https://user@server.example/x",
    "https://server.example/x#fragment",
    "https://server.example/\nx",
    "https://server.example\\@evil.example/",
    "https:///x",
    "https://ü.example/",
)


# By hand


def test_a_server_by_hand_knows_only_what_it_was_told() -> None:
    server = Server(token_endpoint="https://server.example/token")
    assert server.url(Endpoint.TOKEN) == "https://server.example/token"
    told = [each.name for each in fields(server) if getattr(server, each.name)]
    assert told == ["token_endpoint"]
    assert server.scopes_supported is None
    assert server.metadata == server.mtls_endpoint_aliases == {}
    with pytest.raises(LocalProtocolError) as got:
        server.url(Endpoint.REVOCATION)
    assert str(got.value) == (
        "local_protocol_error: this server has no revocation endpoint (revocation endpoint); "
        "give revocation_endpoint=, or read the server's metadata"
    )


@pytest.mark.parametrize("endpoint", [Endpoint.METADATA, Endpoint.RESOURCE])
def test_not_every_endpoint_is_the_servers(endpoint: Endpoint) -> None:
    with pytest.raises(LocalProtocolError, match="this server has no"):
        Server(**ENDPOINTS).url(endpoint)  # type: ignore[arg-type]  # all of them are texts


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("url", BAD_URLS)
def test_every_endpoint_is_checked(name: str, url: str) -> None:
    with pytest.raises(LocalProtocolError, match=f"{name} ") as got:
        Server(**{name: url})  # type: ignore[arg-type]  # the name is that of a URL
    assert got.value.endpoint is Endpoint(name)
    assert url not in str(got.value)
    with pytest.raises(RemoteProtocolError, match=f"cannot be used: {name} ") as refused:
        Server.from_metadata({"issuer": ISSUER, name: url})
    assert refused.value.endpoint is Endpoint.METADATA
    assert refused.value.__context__ is None


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:80"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert Server(token_endpoint=f"http://{host}/t").url(Endpoint.TOKEN) == f"http://{host}/t"


def test_its_urls_are_safe_without_an_exception() -> None:
    token, keys = "https://server.example/t", "https://server.example/k"
    server = Server(token_endpoint=token, jwks_uri=keys)
    assert server.safe_urls == {token, keys}
    assert replace(server, allow_insecure_http=True).safe_urls == frozenset()


def test_plain_http_elsewhere_has_to_be_asked_for() -> None:
    url = "http://server.example/t"
    assert Server(token_endpoint=url, allow_insecure_http=True).token_endpoint == url
    server = Server.from_metadata({"token_endpoint": url}, allow_insecure_http=True)
    assert (server.token_endpoint, server.allow_insecure_http) == (url, True)


def test_a_server_is_a_value() -> None:
    document = {"issuer": ISSUER, "own": 1}
    server = Server.from_metadata(document)
    document["own"] = 2
    assert server.metadata["own"] == 1
    with pytest.raises(TypeError):
        server.metadata["own"] = 2  # type: ignore[index]  # what the test is about
    same = Server.from_metadata({"own": 1, "issuer": ISSUER})
    assert (server, hash(server)) == (same, hash(same))
    assert server != Server.from_metadata({"issuer": ISSUER, "own": 2})
    assert replace(server, issuer=None).metadata == {"issuer": ISSUER, "own": 1}
    assert "own" not in repr(server)
    assert "aliases" not in repr(server)


def test_a_server_can_be_stored_and_copied() -> None:
    server = Server.from_metadata(DOCUMENT)
    assert pickle.loads(pickle.dumps(server)) == server
    assert copy.copy(server) == copy.deepcopy(server) == server
    assert Server.from_metadata(json.loads(json.dumps(dict(server.metadata)))) == server


ALIASES = {
    "token_endpoint": "https://mtls.example/token",
    "revocation_endpoint": "https://mtls.example/revoke",
    "authorization_endpoint": "https://mtls.example/authorize",  # the browser's, so of no meaning
    "of_another": "javascript:alert(1)",
}


def test_endpoints_for_clients_with_a_certificate() -> None:
    server = Server.from_metadata(
        {
            "token_endpoint": "https://as.example/token",
            "introspection_endpoint": "https://as.example/introspect",
            "authorization_endpoint": "https://as.example/authorize",
            "mtls_endpoint_aliases": {**ALIASES, "userinfo_endpoint": None},
            "tls_client_certificate_bound_access_tokens": True,
        }
    )
    assert server.tls_client_certificate_bound_access_tokens
    assert server.token_endpoint == "https://as.example/token"
    other = server.with_mtls_endpoint_aliases()
    assert (other.token_endpoint, other.revocation_endpoint) == tuple(ALIASES.values())[:2]
    assert other.introspection_endpoint == "https://as.example/introspect"
    assert other.authorization_endpoint == "https://as.example/authorize"
    assert other.userinfo_endpoint is None
    assert other.with_mtls_endpoint_aliases() == other
    assert pickle.loads(pickle.dumps(server)) == server
    by_hand = Server(mtls_endpoint_aliases=ALIASES)
    assert by_hand.with_mtls_endpoint_aliases().token_endpoint == ALIASES["token_endpoint"]
    assert hash(by_hand) == hash(Server())
    without = Server(token_endpoint="https://as.example/token")
    assert without.with_mtls_endpoint_aliases() is without


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_alias_is_a_safe_url(url: str) -> None:
    aliases = {"token_endpoint": url}
    with pytest.raises(LocalProtocolError):
        Server(mtls_endpoint_aliases=aliases)
    with pytest.raises(RemoteProtocolError):
        Server.from_metadata({"mtls_endpoint_aliases": aliases})


# From a document


def test_a_document_becomes_fields() -> None:
    server = Server.from_metadata(DOCUMENT, issuer=ISSUER)
    found = {name: getattr(server, name) for name in (*ENDPOINTS, *LISTS, *FLAGS)}
    assert found == {
        **ENDPOINTS,
        **{name: tuple(values) for name, values in LISTS.items()},
        **FLAGS,
    }
    assert server.issuer == ISSUER
    assert server.metadata == DOCUMENT


@pytest.mark.parametrize("name", DOCUMENT)
def test_null_changes_nothing(name: str) -> None:
    without = {key: value for key, value in DOCUMENT.items() if key != name}
    one, other = Server.from_metadata({**DOCUMENT, name: None}), Server.from_metadata(without)
    assert replace(one, metadata={}) == replace(other, metadata={})


def test_an_empty_text_is_none() -> None:
    assert Server.from_metadata({"token_endpoint": ""}).token_endpoint is None


@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        "https://SERVER.example",
        "https://server.example:443",
        "http://server.example",
        "",
        None,
        "https://server.example\u200b",
    ],
)
def test_the_issuer_is_compared_character_by_character(issuer: str | None) -> None:
    with pytest.raises(RemoteProtocolError) as got:
        Server.from_metadata({**DOCUMENT, "issuer": issuer}, issuer=ISSUER)
    assert got.value.error == "issuer_mismatch"
    assert Server.from_metadata({**DOCUMENT, "issuer": issuer}).issuer == (issuer or None)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("issuer", ["x"], "a text"),
        ("token_endpoint", 1, "a text"),
        ("jwks_uri", {}, "a text"),
        ("userinfo_endpoint", False, "a text"),
        ("scopes_supported", "openid", "a list of texts"),
        ("scopes_supported", ["openid", 1], "a list of texts"),
        ("scopes_supported", {"openid": 1}, "a list of texts"),
        ("require_pushed_authorization_requests", "true", "true or false"),
        ("mtls_endpoint_aliases", [], "a JSON object"),
        ("mtls_endpoint_aliases", "x", "a JSON object"),
        ("require_pushed_authorization_requests", 1, "true or false"),
    ],
)
def test_a_wrong_type_is_the_servers_fault(name: str, value: object, wanted: str) -> None:
    with pytest.raises(RemoteProtocolError) as got:
        Server.from_metadata({**DOCUMENT, name: value})
    assert str(got.value) == (
        f"remote_protocol_error: the server's metadata cannot be used: its {name} is not {wanted} "
        "(metadata); check the issuer, or the resource; if it is right, the fault is the server's"
    )


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_a_document_is_an_object(document: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="it is not a JSON object"):
        Server.from_metadata(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(DOCUMENT)), value=JSON | st.sampled_from(BAD_URLS))
def test_any_value_of_any_member_gives_a_server_or_our_error(name: str, value: object) -> None:
    try:
        server = Server.from_metadata({**DOCUMENT, name: value})
    except RemoteProtocolError:
        assert name != "own"
    else:
        assert isinstance(hash(server), int)


# By discovery


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://example.com",
            (
                "https://example.com/.well-known/oauth-authorization-server",
                "https://example.com/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com/",
            (
                "https://example.com/.well-known/oauth-authorization-server",
                "https://example.com/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com/issuer1",
            (
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
                "https://example.com/.well-known/openid-configuration/issuer1",
                "https://example.com/issuer1/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com:8443/issuer1",
            (
                "https://example.com:8443/.well-known/oauth-authorization-server/issuer1",
                "https://example.com:8443/.well-known/openid-configuration/issuer1",
                "https://example.com:8443/issuer1/.well-known/openid-configuration",
            ),
        ),
        (
            "https://example.com/a/b/",
            (
                "https://example.com/.well-known/oauth-authorization-server/a/b",
                "https://example.com/.well-known/openid-configuration/a/b",
                "https://example.com/a/b/.well-known/openid-configuration",
            ),
        ),
    ],
)
def test_where_the_metadata_may_be(issuer: str, urls: tuple[str, ...]) -> None:
    assert metadata_urls(issuer) == urls
    flow = Server.discover(issuer)
    asked = [flow.start(0.0)]
    asked += [flow.receive(ResponseReceived(status=404), 0.0) for _ in urls[1:]]
    assert asked == [
        RequestToSend(
            endpoint=Endpoint.METADATA,
            method="GET",
            url=url,
            headers=(("Accept", "application/json"),),
        )
        for url in urls
    ]
    with pytest.raises(RemoteProtocolError, match="no metadata document was found") as got:
        flow.receive(ResponseReceived(status=410), 0.0)
    assert (got.value.status, got.value.endpoint) == (410, Endpoint.METADATA)
    assert flow.state is State.FAILED


PATH_ISSUER = "https://server.example/a"


def document(**members: object) -> ResponseReceived:
    body = json.dumps({"issuer": PATH_ISSUER, **members}).encode()
    return ResponseReceived(status=200, headers=(("Content-Type", "application/json"),), body=body)


def answered(flow: Flow[Server], *responses: ResponseReceived) -> Server:
    action = flow.start(0.0)
    for response in responses:
        assert isinstance(action, RequestToSend)
        action = flow.receive(response, 0.0)
    assert isinstance(action, Finished)
    return action.result


NOT_FOUND = ResponseReceived(status=404, body=b"<html>no</html>")
TOKEN, JWKS = f"{PATH_ISSUER}/token", f"{PATH_ISSUER}/jwks"


@pytest.mark.parametrize(
    ("merge", "responses", "wanted"),
    [
        pytest.param(
            False,
            [document(token_endpoint=TOKEN)],
            {"token_endpoint": TOKEN},
            id="the first good one counts",
        ),
        pytest.param(
            False,
            [NOT_FOUND, ResponseReceived(status=401), document(jwks_uri=JWKS)],
            {"jwks_uri": JWKS},
            id="4xx goes on",
        ),
        pytest.param(
            True,
            [
                document(token_endpoint=TOKEN, jwks_uri=None, own=1),
                NOT_FOUND,
                document(token_endpoint=f"{TOKEN}2", jwks_uri=JWKS, own=2, more=3),
            ],
            {"token_endpoint": TOKEN, "jwks_uri": JWKS, "own": 1, "more": 3},
            id="merged, and the earlier one wins unless it says null",
        ),
        pytest.param(
            True,
            [document(token_endpoint=TOKEN), NOT_FOUND, NOT_FOUND],
            {"token_endpoint": TOKEN},
            id="nothing to merge",
        ),
    ],
)
def test_discovery(
    merge: bool, responses: list[ResponseReceived], wanted: dict[str, object]
) -> None:
    server = answered(Server.discover(PATH_ISSUER, merge=merge), *responses)
    assert server == Server.from_metadata({"issuer": PATH_ISSUER, **wanted})


@pytest.mark.parametrize("status", [400, 401, 499])
def test_discovery_goes_on_where_there_is_nothing(status: int) -> None:
    for discover in (Server.discover, Server().discover):
        server = answered(discover(PATH_ISSUER), ResponseReceived(status=status), document())
        assert server.issuer == PATH_ISSUER


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize(
    ("response", "text"),
    [
        (ResponseReceived(status=500), "the server failed"),
        (ResponseReceived(status=302, headers=(("Location", "https://evil.example"),)), "redirect"),
        (ResponseReceived(status=399), "399"),
        (document(issuer="https://evil.example"), "issuer_mismatch"),
        (document(issuer=f"{PATH_ISSUER}/"), "issuer_mismatch"),
        (document(token_endpoint="http://server.example/t"), "plain http"),
        (document(jwks_uri=7), "its jwks_uri is not a text"),
        (ResponseReceived(status=200, body=b"<html>"), "cannot be read"),
        (ResponseReceived(status=200, body=b"[]"), "not a JSON object"),
        (ResponseReceived(status=200, body=b'{"issuer":"a","issuer":"b"}'), "repeats a member"),
    ],
)
def test_discovery_stops(response: ResponseReceived, text: str, merge: bool) -> None:
    flow = Server.discover(PATH_ISSUER, merge=merge)
    flow.start(0.0)
    flow.receive(NOT_FOUND, 0.0)
    with pytest.raises(RemoteProtocolError, match=text) as got:
        flow.receive(response, 0.0)
    error = got.value
    assert (error.status, error.response) == (response.status, response)
    assert error.endpoint is Endpoint.METADATA
    assert flow.state is State.FAILED


def test_an_error_in_a_document_is_the_servers_word() -> None:
    flow = Server.discover(PATH_ISSUER)
    flow.start(0.0)
    with pytest.raises(ErrorResponse, match="server_error"):
        flow.receive(document(error="server_error"), 0.0)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://server.example",
        "server.example",
        "https://server.example?x=1",
        "https://server.example/?",
        "https://r.example.com:8443/mcp?x=1",
        "https://server.example/#x",
        "https://user@server.example",
        "",
    ],
)
def test_an_unfit_issuer_is_refused_before_a_flow_exists(issuer: str) -> None:
    with pytest.raises(LocalProtocolError) as got:
        Server.discover(issuer)
    assert got.value.endpoint is Endpoint.METADATA


def test_plain_http_for_discovery_has_to_be_asked_for() -> None:
    issuer = "http://server.example"
    body = json.dumps({"issuer": issuer, "token_endpoint": f"{issuer}/t"}).encode()
    response = ResponseReceived(status=200, body=body)
    for pipeline in (None, Pipeline()):
        flow = Server.discover(issuer, allow_insecure_http=True, pipeline=pipeline)
        server = answered(flow, response)
        assert (server.token_endpoint, server.allow_insecure_http) == (f"{issuer}/t", True)


def test_discovery_passes_the_pipeline() -> None:
    def named(request: RequestToSend) -> RequestToSend:
        return request.with_header("User-Agent", "test")

    pipeline = Pipeline(amend_request=(named,), url_allowed=lambda url: "openid" not in url)
    flow = Server.discover(ISSUER, pipeline=pipeline)
    first = flow.start(0.0)
    assert isinstance(first, RequestToSend)
    assert first.header("user-agent") == "test"
    with pytest.raises(LocalProtocolError, match="url_allowed refuses"):
        flow.receive(NOT_FOUND, 0.0)


@given(status=st.sampled_from([200, 201, 204, 302, 404, 500]), body=st.binary(max_size=60))
def test_any_answer_gives_a_server_or_our_error(status: int, body: bytes) -> None:
    flow = Server.discover(ISSUER)
    flow.start(0.0)
    try:
        action = flow.receive(ResponseReceived(status=status, body=body), 0.0)
    except OAuth2Error:
        assert flow.state is State.FAILED
    else:
        assert status == 404
        assert isinstance(action, RequestToSend)


def test_a_draft_has_the_headers_and_parameters_of_its_endpoint() -> None:
    server = Server(token_endpoint="https://as.example/token")
    posted = server.draft(Endpoint.TOKEN, (("a", "b"),), headers=(("accept", "x/y"),))
    assert (posted.method, posted.form) == ("POST", (("a", "b"),))
    assert posted.headers == (
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("accept", "x/y"),
    )
    fetched = server.draft(Endpoint.TOKEN, (("a", "b"),), method="GET")
    assert (fetched.url, fetched.form) == ("https://as.example/token?a=b", ())
    assert fetched.headers == (("Accept", "application/json"),)
