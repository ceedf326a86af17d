"""What a resource says of itself: the exact request, and what is refused."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Pipeline, ProtectedResource
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error, RemoteProtocolError
from oauth2_sansio.events import Endpoint, Finished, RequestToSend, ResponseReceived
from oauth2_sansio.protected_resource import resource_metadata_url

# The example of RFC 9728 section 3.2.
RESOURCE = "https://resource.example.com"
DOCUMENT: dict[str, Any] = {
    "resource": RESOURCE,
    "authorization_servers": ["https://as1.example.com", "https://as2.example.net/tenant"],
    "bearer_methods_supported": ["header", "body"],
    "scopes_supported": ["profile", "email", "phone"],
    "resource_documentation": "https://resource.example.com/resource_documentation.html",
}


def discovered(document: object, **arguments: Any) -> ProtectedResource:
    flow = ProtectedResource.discover(RESOURCE, **arguments)
    flow.start(0.0)
    body = json.dumps(document).encode()
    action = flow.receive(ResponseReceived(status=200, body=body), 0.0)
    assert isinstance(action, Finished)
    return action.result


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://example.com", "https://example.com/.well-known/oauth-protected-resource"),
        ("https://example.com/", "https://example.com/.well-known/oauth-protected-resource"),
        (
            "https://example.com/issuer1",
            "https://example.com/.well-known/oauth-protected-resource/issuer1",
        ),
        (
            "https://example.com/a/b/",
            "https://example.com/.well-known/oauth-protected-resource/a/b/",
        ),
        (
            "https://r.example.com:8443/mcp?x=1",
            "https://r.example.com:8443/.well-known/oauth-protected-resource/mcp?x=1",
        ),
    ],
)
def test_where_the_document_is(resource: str, url: str) -> None:
    assert resource_metadata_url(resource) == url


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (None, f"{RESOURCE}/.well-known/oauth-protected-resource"),
        ("https://elsewhere.example/own", "https://elsewhere.example/own"),
    ],
)
def test_the_request_tells_nothing(url: str | None, asked: str) -> None:
    class Telling:
        def sign(self, request: RequestToSend, now: float) -> RequestToSend:
            return request.with_header("Authorization", "secret")

        def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
            return False

    pipeline = Pipeline(signers=(Telling(),))
    action = ProtectedResource.discover(RESOURCE, url=url, pipeline=pipeline).start(0.0)
    assert action == RequestToSend(
        endpoint=Endpoint.METADATA,
        method="GET",
        url=asked,
        headers=(("Accept", "application/json"),),
    )


def test_the_result() -> None:
    found = discovered({**DOCUMENT, "dpop_bound_access_tokens_required": True, "own": 1})
    assert found == ProtectedResource(
        resource=RESOURCE,
        authorization_servers=("https://as1.example.com", "https://as2.example.net/tenant"),
        bearer_methods_supported=("header", "body"),
        scopes_supported=("profile", "email", "phone"),
        resource_documentation="https://resource.example.com/resource_documentation.html",
        dpop_bound_access_tokens_required=True,
        metadata={**DOCUMENT, "dpop_bound_access_tokens_required": True, "own": 1},
    )
    assert found.metadata["own"] == 1
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
    with pytest.raises(TypeError):
        found.metadata["own"] = 2  # type: ignore[index]  # it is read-only
    assert discovered({"resource": RESOURCE}).authorization_servers == ()


def test_a_resource_by_hand_is_only_what_was_told() -> None:
    found = ProtectedResource(resource=RESOURCE)
    assert [each.name for each in fields(found) if getattr(found, each.name)] == ["resource"]
    assert found.metadata == {}
    other = replace(found, metadata={"own": 1})
    assert hash(other) == hash(found)
    assert repr(other) == repr(found)


@pytest.mark.parametrize(
    "resource",
    [
        None,
        "",
        f"{RESOURCE}/",
        "https://RESOURCE.example.com",
        "https://resource.example.com:443",
        "https://attacker.example",
        [RESOURCE],
    ],
)
def test_the_document_of_another_resource(resource: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        discovered({**DOCUMENT, "resource": resource})
    assert caught.value.response is not None
    assert caught.value.error == (
        "remote_protocol_error" if isinstance(resource, list) else "resource_mismatch"
    )


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("authorization_servers", ["http://as.example.com"], "plain http"),
        ("authorization_servers", ["https://as.example.com?a=b"], "has a query"),
        ("authorization_servers", ["https://as.example.com", "javascript:alert(1)"], "one of its"),
        ("authorization_servers", "https://as.example.com", "not a list of texts"),
        ("authorization_servers", [1], "not a list of texts"),
        ("scopes_supported", "a b", "not a list of texts"),
        ("resource_name", 5, "not a text"),
        ("dpop_bound_access_tokens_required", "true", "not true or false"),
    ],
)
def test_a_document_that_cannot_be_used(member: str, value: object, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason) as caught:
        discovered({**DOCUMENT, member: value})
    assert caught.value.endpoint is Endpoint.METADATA


def test_plain_http_for_tests() -> None:
    plain = {"resource": "http://r.example", "authorization_servers": ["http://as.example"]}
    found = ProtectedResource.from_metadata(
        plain, resource="http://r.example", allow_insecure_http=True
    )
    assert found.authorization_servers == ("http://as.example",)
    with pytest.raises(RemoteProtocolError, match="plain http"):
        ProtectedResource.from_metadata(plain, resource="http://r.example")
    for discover in (ProtectedResource.discover, found.discover):
        flow = discover("http://r.example", allow_insecure_http=True)
        assert isinstance(flow.start(0.0), RequestToSend)


def test_a_document_that_is_no_object() -> None:
    with pytest.raises(RemoteProtocolError, match="not a JSON object"):
        ProtectedResource.from_metadata([], resource=RESOURCE)  # type: ignore[arg-type]  # as it comes
    with pytest.raises(OAuth2Error):
        discovered([DOCUMENT])


@pytest.mark.parametrize("status", [301, 404, 500])
def test_where_there_is_no_document(status: int) -> None:
    flow = ProtectedResource.discover(RESOURCE)
    flow.start(0.0)
    headers = (("Location", "https://elsewhere.example"),)
    with pytest.raises(RemoteProtocolError):
        flow.receive(ResponseReceived(status=status, headers=headers), 0.0)


UNSAFE = ["http://r.example", "ftp://r.example", "https://user@r.example", "r.example", "https://"]


@pytest.mark.parametrize("url", UNSAFE)
def test_what_is_not_safe_to_ask_is_not_asked(url: str) -> None:
    with pytest.raises(LocalProtocolError):
        ProtectedResource.discover(url)
    with pytest.raises(LocalProtocolError):
        ProtectedResource.discover(RESOURCE, url=url).start(0.0)


def test_the_caller_may_refuse_a_url() -> None:
    pipeline = Pipeline(url_allowed=lambda url: url.startswith(RESOURCE))
    flow = ProtectedResource.discover(RESOURCE, url="https://10.0.0.1/x", pipeline=pipeline)
    with pytest.raises(LocalProtocolError, match="url_allowed"):
        flow.start(0.0)


_VALUES = st.one_of(
    st.none(), st.booleans(), st.text(), st.lists(st.text()), st.just(RESOURCE), st.integers()
)


@given(st.dictionaries(st.sampled_from([*DOCUMENT, "jwks_uri", "resource_name"]), _VALUES))
def test_any_document_is_a_resource_or_an_error_of_ours(document: dict[str, Any]) -> None:
    try:
        found = discovered(document)
    except RemoteProtocolError:
        return
    assert found.resource == document["resource"] == RESOURCE
