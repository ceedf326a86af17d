"""`fetch_token`: every grant and argument."""

from __future__ import annotations

from typing import Any

from .recorder import TOKEN
from .row import Assign, Made, Read, Row, call

_OTHER = "{url}/token?tenant=a"


def _basic(state: Any) -> Any:
    """The HTTP library's own Basic authentication."""
    side = state.side
    return (
        side.http.auth.HTTPBasicAuth("x", "y")
        if side.over_requests
        else side.http.BasicAuth("x", "y")
    )


ROWS = (
    Row("client credentials", (call("fetch_token"), Read("token"))),
    Row(
        "fetch_token: the endpoint by position",
        (call("fetch_token", "{url}/token"),),
        {"token_endpoint": None},
    ),
    Row(
        "fetch_token: the endpoint by keyword",
        (call("fetch_token", url="{url}/token"),),
        {"token_endpoint": None},
    ),
    Row("fetch_token: no endpoint", (call("fetch_token"),), {"token_endpoint": None}),
    Row("fetch_token: an endpoint with a query", (call("fetch_token", _OTHER),)),
    Row(
        "fetch_token: a query that can be written in several ways",
        (call("fetch_token", "{url}/token?a=b%20c&d=/e"),),
    ),
    Row("fetch_access_token", (call("fetch_access_token"),), over="requests"),
    Row(
        "fetch_access_token with a code",
        (call("fetch_access_token", "{url}/token", code="c"),),
        over="requests",
    ),
    Row("client credentials: scope of the client", (call("fetch_token"),), {"scope": "read write"}),
    Row(
        "client credentials: scope of the call",
        (call("fetch_token", scope="read"),),
        {"scope": "read write"},
    ),
    Row("client credentials: scope as a list", (call("fetch_token", scope=["read", "write"]),)),
    Row("client credentials: audience", (call("fetch_token", audience="https://api.example"),)),
    Row(
        "client credentials: repeated resource",
        (call("fetch_token", resource=["https://a.example", "https://b.example"]),),
    ),
    Row("client credentials: a parameter that is a dict", (call("fetch_token", claims={"a": 1}),)),
    Row("client credentials: a number", (call("fetch_token", max_age=3),)),
    Row("client credentials: None", (call("fetch_token", audience=None),)),
    Row("client credentials: letters of all kinds", (call("fetch_token", note="ä & = + % ~ / *"),)),
    Row(
        "a code",
        (call("fetch_token", code="c"),),
        {"redirect_uri": "https://app.example/cb", "scope": "read"},
    ),
    Row(
        "a code: redirect_uri of the call",
        (call("fetch_token", code="c", redirect_uri="https://app.example/b"),),
    ),
    Row("a code: verifier of the call", (call("fetch_token", code="c", code_verifier="v" * 43),)),
    Row(
        "a code: grant_type by name",
        (call("fetch_token", grant_type="authorization_code", code="c"),),
    ),
    Row("a code: there is none", (call("fetch_token", grant_type="authorization_code"),)),
    Row("a password", (call("fetch_token", username="u", password="p"),), {"scope": "read"}),
    Row("a password: empty", (call("fetch_token", username="u", password=""),)),
    Row(
        "a password: letters of all kinds", (call("fetch_token", username="ü", password="p&=+% ~"),)
    ),
    Row("a grant of one's own", (call("fetch_token", grant_type="urn:example:grant", thing="x"),)),
    Row(
        "refresh as a grant", (call("fetch_token", grant_type="refresh_token", refresh_token="r"),)
    ),
    Row(
        "the grant of the constructor",
        (call("fetch_token", thing="x"),),
        {"grant_type": "urn:example:grant"},
    ),
    Row(
        "a guessed grant in a later call",
        (call("fetch_token"), call("fetch_token", username="u", password="p")),
    ),
    Row("body", (call("fetch_token", body="a=1&b=2"),)),
    Row("body by position", (call("fetch_token", "{url}/token", "a=1"),)),
    Row("body: with letters that must be encoded", (call("fetch_token", body="a=x%20y%26"),)),
    Row("body: repeated names", (call("fetch_token", body="a=1&a=2"),)),
    Row("body: empty values", (call("fetch_token", body="a=&b=1"),)),
    Row(
        "headers",
        (
            call(
                "fetch_token",
                headers={
                    "X-Own": "1",
                    "Accept": "text/html",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            ),
        ),
    ),
    Row("headers: without Accept and Content-Type", (call("fetch_token", headers={"X-Own": "1"}),)),
    Row(
        "headers: of the client", (call("fetch_token"),), {"headers": {"X-Own": "1"}}, over="httpx"
    ),
    Row("method GET", (call("fetch_token", method="GET"),)),
    Row("method GET in small letters", (call("fetch_token", method="get"),)),
    Row(
        "method GET: a code",
        (call("fetch_token", method="GET", code="c"),),
        {"redirect_uri": "https://app.example/cb"},
    ),
    Row("method GET: an endpoint with a query", (call("fetch_token", _OTHER, method="GET"),)),
    Row("method GET: a password", (call("fetch_token", method="GET", username="u", password="p"),)),
    Row(
        "method GET: secret in the body",
        (call("fetch_token", method="GET"),),
        {"token_endpoint_auth_method": "client_secret_post"},
    ),
    Row("method GET: no secret", (call("fetch_token", method="GET"),), positional=("app",)),
    Row("method PUT", (call("fetch_token", method="PUT"),)),
    Row("auth: a tuple", (call("fetch_token", auth=("x", "y")),)),
    Row("auth: an object of the HTTP library", (call("fetch_token", auth=Made(_basic)),)),
    Row(
        "auth: client_auth",
        (
            call(
                "fetch_token",
                auth=Made(lambda state: state.client.client_auth("client_secret_post")),
            ),
        ),
    ),
    Row(
        "all by position",
        (
            call(
                "fetch_token",
                "{url}/token",
                "a=1",
                "POST",
                {"X-Own": "1"},
                None,
                "urn:example:grant",
                "s",
            ),
        ),
    ),
    Row("timeout of the call", (call("fetch_token", timeout=5),)),
    Row("default_timeout", (call("fetch_token"),), {"default_timeout": 5}, over="requests"),
    Row("verify of the call", (call("fetch_token", verify=False),)),
    Row(
        "allow_redirects of the call",
        (call("fetch_token", allow_redirects=False),),
        over="requests",
    ),
    Row(
        "allow_redirects of the call: true",
        (call("fetch_token", allow_redirects=True),),
        over="requests",
    ),
    Row("json of the call", (call("fetch_token", json={"a": 1}),), over="requests"),
    Row("files of the call", (call("fetch_token", files={"a": b"x"}),), over="requests"),
    Row("proxies of the call", (call("fetch_token", proxies={}),), over="requests"),
    Row(
        "follow_redirects of the call", (call("fetch_token", follow_redirects=False),), over="httpx"
    ),
    Row("cookies of the client", (call("fetch_token"),), {"cookies": {"a": "b"}}, over="httpx"),
    Row("cookies of the call", (call("fetch_token", cookies={"a": "b"}),), over="requests"),
    Row("no client at all", (call("fetch_token"),), positional=()),
    Row("a client without a secret", (call("fetch_token"),), positional=("app",)),
    Row("a secret taken away", (Assign("client_secret", None), call("fetch_token"))),
    Row("scope set later", (Assign("scope", "read"), call("fetch_token"))),
    Row(
        "redirect_uri set later",
        (Assign("redirect_uri", "https://app.example/b"), call("fetch_token", code="c")),
    ),
    Row(
        "client_id and secret set later",
        (Assign("client_id", "x"), Assign("client_secret", "y"), call("fetch_token")),
    ),
    Row(
        "the method set later",
        (Assign("token_endpoint_auth_method", "client_secret_post"), call("fetch_token")),
    ),
    Row("a token before", (call("fetch_token"),), {"token": {**TOKEN, "access_token": "old"}}),
)
