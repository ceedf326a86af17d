"""Calls of the vocabulary that no fault is told of, in every class."""

from __future__ import annotations

import asyncio
import copy
import importlib
import pickle
import re
from typing import Any

import pytest

from oauth2_sansio.errors import LocalProtocolError
from tests.interop.sessions import Kind

from .conftest import AWAITING, OVER_HTTPX
from .site import Answer, Site

GOOD = {"access_token": "a-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r-1"}
STALE = {"access_token": "old", "token_type": "Bearer", "expires_at": 1, "refresh_token": "r-0"}
REFUSED = Answer(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
NO_ENDPOINT = {"client_id": "app", "token": {"access_token": "a-0", "token_type": "Bearer"}}


def test_whether_there_is_a_token_to_use(kind: Kind, site: Site) -> None:
    endpoint = site.answer("/token", Answer(200, GOOD))
    with kind.session("app", token=dict(STALE), token_endpoint=endpoint) as session:
        assert session.ensure_active_token()
        assert session.token["access_token"] == "a-1"
        assert session.ensure_active_token(session.token)
        assert len(site.requests) == 1
        assert session.ensure_active_token({**GOOD, "access_token": "of another"})
        assert len(site.requests) == 1  # its end is not known
        assert session.ensure_active_token({**STALE, "refresh_token": "r-9"})
        assert dict(site.requests[1].form)["refresh_token"] == "r-9"
        session.token = None
        assert not session.ensure_active_token()
    with kind.session(token={**STALE, "refresh_token": None}) as session:
        assert not session.ensure_active_token()
        with pytest.raises(TypeError, match="a token is a dict, not a str"):
            session.ensure_active_token("a-1")


def test_a_refusal_that_nothing_can_be_done_about(kind: Kind, site: Site) -> None:
    api = site.answer("/api", REFUSED)
    auth = kind.auth_class(NO_ENDPOINT["token"])
    with kind.session(**NO_ENDPOINT) as session, kind.plain() as plain:
        assert session.get(api).status_code == 401
        assert session.get(api, auth=auth).status_code == 401
        assert plain.get(api, auth=auth).status_code == 401
    assert len(site.requests) == 3


@pytest.mark.parametrize("kind", AWAITING, indirect=True)
def test_a_token_in_a_fragment_can_be_awaited_too(kind: Kind) -> None:
    callback = "https://app.example/#access_token=t&token_type=Bearer&state=s"
    client = kind.client_class("app", state="s", **(kind.settings or {}))
    token = client.fetch_token(authorization_response=callback)

    async def wait() -> Any:
        return await token

    assert kind.portal is not None
    assert kind.portal.call(wait) is token
    assert kind.portal.call(lambda: client.token) == token


def test_the_old_name_and_an_auth_object_of_the_library(kind: Kind, site: Site) -> None:
    endpoint = site.answer("/token", Answer(200, GOOD))
    library = importlib.import_module(kind.plain_class.__module__.partition(".")[0])
    auth: Any = ("user", "word")
    if kind.adapter == "oauth2_sansio_requests":
        auth = library.auth.HTTPBasicAuth(*auth)
    elif kind.adapter != "oauth2_sansio_trio":
        auth = library.BasicAuth(*auth)
    with kind.session("app", token_endpoint=endpoint) as session:
        assert session.fetch_access_token(endpoint, auth=auth) == session.token
    assert site.requests[0].headers["authorization"] == "Basic dXNlcjp3b3Jk"


def test_auth_objects_take_other_tokens(kind: Kind, site: Site) -> None:
    endpoint = site.answer("/token", Answer(200, GOOD))
    with kind.session("app", token=dict(GOOD), token_endpoint=endpoint) as session:
        shared = kind.auth(None, client=session)
        assert shared.token == GOOD
        shared.token = {**GOOD, "access_token": "a-2"}
        assert session.token["access_token"] == "a-2"
        own = kind.auth({**GOOD, "access_token": "a-3"}, client=session)
        own.set_token({**GOOD, "access_token": "a-4"})
        assert (own.token["access_token"], session.token["access_token"]) == ("a-4", "a-2")
        assert session.get(f"{site.url}/api", auth=own).status_code == 200
    alone = kind.auth_class(GOOD)
    alone.token = {**GOOD, "access_token": "a-5"}
    assert alone.token["access_token"] == "a-5"
    assert site.requests[0].headers["authorization"] == "Bearer a-4"


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_a_client_of_another_colour_renews_nothing(site: Site, library: str) -> None:
    adapter, module = (
        importlib.import_module(name) for name in (f"oauth2_sansio_{library}", library)
    )
    given: dict[str, Any] = {"token": STALE, "token_endpoint": f"{site.url}/token"}
    awaiting = adapter.AsyncOAuth2Client("app", **given)

    async def use(auth: Any) -> None:
        async with module.AsyncClient() as plain:
            await plain.get(site.url, auth=auth)

    with adapter.OAuth2Client("app", **given) as blocking, module.Client() as plain:
        wrong = "an asynchronous client cannot renew a token for a blocking one"
        with pytest.raises(LocalProtocolError, match=wrong):
            plain.get(site.url, auth=awaiting.token_auth)
        wrong = "a blocking client cannot renew a token for an asynchronous one"
        with pytest.raises(LocalProtocolError, match=wrong):
            asyncio.run(use(blocking.token_auth))
    asyncio.run(awaiting.aclose())
    assert site.requests == []


def test_a_token_that_is_not_withheld_after_all(kind: Kind, site: Site) -> None:
    with kind.session(token=GOOD) as session:
        session.get(f"{site.url}/api", withhold_token=False)
        session.get(f"{site.url}/api", withhold_token=True)
    assert [each.headers.get("authorization") for each in site.requests] == ["Bearer a-1", None]


def test_secrets_are_not_in_the_repr(kind: Kind) -> None:
    with kind.session("app", "the-s3cret", token={**GOOD, "access_token": "the-t0ken"}) as session:
        own = session.client if kind.portal else session
        shown = f"{own!r} {own.token_auth!r} {own._kept!r} {own.token!r}"
    assert not re.search("the-s3cret|the-t0ken|r-1", shown)


POST, BASIC = ("client_secret_post",), ("client_secret_basic",)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, "bbb"),
        ({"token_endpoint_auth_methods_supported": POST}, "pbp"),
        ({"revocation_endpoint_auth_methods_supported": POST}, "bpb"),
        ({"introspection_endpoint_auth_methods_supported": POST}, "bbp"),
        (
            {
                "token_endpoint_auth_method": "client_secret_post",
                "revocation_endpoint_auth_method": "client_secret_post",
                "token_endpoint_auth_methods_supported": BASIC,
                "revocation_endpoint_auth_methods_supported": BASIC,
            },
            "ppp",
        ),
        (
            {
                "token_endpoint_auth_method": "none",
                "introspection_endpoint_auth_methods_supported": POST,
            },
            "nbn",
        ),
    ],
    ids=[
        "nothing",
        "token",
        "revocation",
        "introspection",
        "what is named counts",
        "none is named",
    ],
)
def test_the_metadata_choose_the_authentication(
    kind: Kind, site: Site, given: dict[str, Any], wanted: str
) -> None:
    endpoint = site.answer("/token", Answer(200, GOOD))
    with kind.session("app", "s3cret", token_endpoint=endpoint, **given) as session:
        session.fetch_token()
        session.revoke_token(f"{site.url}/revoke", token="t")
        session.introspect_token(f"{site.url}/introspect", token="t")
    used = ""
    for seen in site.requests:
        in_body = "p" if "client_secret" in dict(seen.form) else "n"
        used += "b" if "authorization" in seen.headers else in_body
    assert used == wanted


OTHERS = (
    "oauth2_sansio_requests",
    "oauth2_sansio_httpx",
    "oauth2_sansio_httpx2",
    "oauth2_sansio_trio",
)


@pytest.mark.parametrize("adapter", OTHERS)
@pytest.mark.parametrize("with_client", [False, True])
def test_an_auth_object_of_another_adapter(
    kind: Kind, site: Site, adapter: str, with_client: bool
) -> None:
    if adapter == kind.adapter:
        return
    module = importlib.import_module(adapter)
    client_class = module.OAuth2Session if adapter.endswith("requests") else module.OAuth2Client
    other = client_class("app", token=dict(GOOD)) if with_client else None
    auth = module.OAuth2Auth(None if with_client else dict(GOOD), client=other)
    with kind.session("app", token=dict(GOOD)) as session, kind.plain() as plain:
        for client in (session, plain):
            with pytest.raises((LocalProtocolError, TypeError)) as caught:
                client.get(f"{site.url}/api", auth=auth)
            assert "auth" in str(caught.value)
    assert site.requests == []
    if other is not None and adapter != "oauth2_sansio_trio":
        other.close()


def test_nothing_with_secrets_is_pickled_or_copied(kind: Kind) -> None:
    told: dict[str, Any] = {"key": "s" * 32, "alg": "HS256"}
    with (
        kind.session("app", "s3cret", token=GOOD) as session,
        kind.assertion_session("https://as.example/token", "me", "me", **told) as asserting,
    ):
        owns = [each.client if kind.portal else each for each in (session, asserting)]
        for each in [*owns, owns[0].token_auth, kind.auth_class(GOOD)]:
            for write in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="pickled or copied"):
                    write(each)
        token = session.token
        assert pickle.loads(pickle.dumps(token)) == copy.copy(token) == token == GOOD


@pytest.mark.parametrize("kind", OVER_HTTPX, indirect=True)
def test_cookies_of_ones_own(kind: Kind, site: Site) -> None:
    endpoint = site.answer("/token", Answer(200, GOOD, {"Set-Cookie": "theirs=1"}))
    with kind.session("app", token_endpoint=endpoint) as session:
        session.cookies = {"mine": "1"}
        session.fetch_token()
        session.get(f"{site.url}/api")
        assert dict(session.cookies)["mine"] == "1"
    assert [each.headers["cookie"] for each in site.requests] == ["mine=1"] * 2
