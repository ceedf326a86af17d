from __future__ import annotations

import gzip
import importlib
import inspect
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import oauth2_sansio_httpx
import oauth2_sansio_httpx2
from oauth2_sansio import DPoP, new_private_key
from oauth2_sansio.errors import (
    ErrorResponse,
    LocalProtocolError,
    MismatchingStateError,
    OAuth2Error,
    RemoteProtocolError,
    TransportError,
    UnsavedTokenError,
)
from oauth2_sansio.events import Endpoint
from oauth2_sansio.server import Server
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour, User
from oauth2_sansio.tokens import OAuth2Token

from .drivers import API, BLOCKING, EXPIRED, GOOD, SERVER, TOKEN_URL, Driver, at, done, sign_in


async def test_the_whole_way(driver: Driver, server: AuthorizationServer) -> None:
    saved: list[Any] = []
    client = at(server, driver, update_token=lambda token, **old: saved.append((token, old)))
    token = dict(await sign_in(client, server))
    assert (await done(client.get(f"{server.issuer}/api/me"))).json()["subject"] == "alice"
    client.token["expires_at"] = 0
    assert (await done(client.get(f"{server.issuer}/api/me"))).status_code == 200
    assert saved == [(client.token, {"refresh_token": token["refresh_token"]})]
    assert (await done(client.introspect_token())).json()["active"] is True
    assert (await done(client.run(Server.discover(server.issuer)))).issuer == server.issuer
    assert (await done(client.revoke_token())).status_code == 200
    assert client.token is None
    with pytest.raises(LocalProtocolError, match="there is no token"):
        await done(client.get(f"{server.issuer}/api/me"))
    await driver.close(client)


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
async def test_placements(driver: Driver, server: AuthorizationServer, placement: str) -> None:
    client = at(server, driver, token_placement=placement)
    await sign_in(client, server)
    response = await done(client.post(f"{server.issuer}/api/me", data={"a": "ü"}))
    assert response.status_code == 200
    await driver.close(client)


async def test_the_token_is_withheld(driver: Driver) -> None:
    client, sent = driver.answering(
        lambda _request: driver.library.Response(200, json={}), token=GOOD
    )
    for verb in ("get", "options", "head", "post", "put", "patch", "delete"):
        await done(getattr(client, verb)(API, withhold_token=True))
        await done(getattr(client, verb)(API, auth=("user", "word")))
        await done(getattr(client, verb)(API))
        assert [each.headers.get("Authorization", "")[:6] for each in sent[-3:]] == [
            "",
            "Basic ",
            "Bearer",
        ]
        assert {each.method for each in sent[-3:]} == {verb.upper()}
    await driver.close(client)


async def test_a_stream(driver: Driver, server: AuthorizationServer) -> None:
    client = at(server, driver)
    await sign_in(client, server)

    async def chunks() -> Any:
        for each in (b"a", b"b"):
            yield each

    content = iter((b"a", b"b")) if driver.way == "sync" else chunks()
    stream = client.stream("POST", f"{server.issuer}/api/x", content=content)
    if driver.way == "sync":
        with stream as response:
            response.read()
    else:
        async with stream as response:
            await response.aread()
    assert response.json()["received"] == 2
    await driver.close(client)


async def test_everything_goes_through_the_clients_own_send(driver: Driver) -> None:
    client, sent = driver.answering(lambda _request: driver.library.Response(200, json=GOOD))

    class Double:
        status_code = 200

        def json(self) -> dict[str, Any]:
            return {**GOOD, "access_token": "from a double".replace(" ", "-")}

    def send(_request: Any, **_options: Any) -> Any:
        if driver.way == "sync":
            return Double()

        async def answer() -> Any:
            return Double()

        return answer()

    client.send = send
    assert (await done(client.fetch_token()))["access_token"] == "from-a-double"
    assert sent == []
    del client.send
    await driver.close(client)


async def test_what_a_token_request_looks_like(driver: Driver) -> None:
    client, sent = driver.answering(lambda _request: driver.library.Response(200, json=GOOD))
    await done(client.fetch_token(resource=["a", "b"], timeout=3, extensions={"x": 1}))
    request = sent[0]
    assert request.content == b"grant_type=client_credentials&resource=a&resource=b"
    assert request.headers["Connection"] == "close"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.extensions["x"] == 1
    assert request.extensions["timeout"]["read"] == 3
    for name in ("verify", "proxies", "follow_redirects", "json"):
        with pytest.raises(TypeError, match=name):
            await done(client.fetch_token(**{name: True}))
    await driver.close(client)


@pytest.mark.parametrize("driver", BLOCKING, ids=str)
async def test_a_token_request_goes_over_a_connection_of_its_own(
    driver: Driver, server: AuthorizationServer
) -> None:
    client = at(server, driver)
    told: list[str] = []

    def count_connections() -> int:
        connected = told.count("connection.connect_tcp.complete")
        told.clear()
        return connected

    def get() -> None:
        trace = {"trace": lambda event, _about: told.append(event)}
        client.get(f"{server.issuer}/jwks", withhold_token=True, extensions=trace)

    get()
    get()
    assert count_connections() == 1  # so they are kept
    client.fetch_token(extensions={"trace": lambda event, _about: told.append(event)})
    assert count_connections() == 1
    get()
    assert count_connections() == 1  # neither is that one kept
    await driver.close(client)


async def test_endpoints_below_the_base_url(driver: Driver) -> None:
    client, sent = driver.answering(
        lambda _request: driver.library.Response(200, json=GOOD),
        base_url="https://as.example/v1",
        token_endpoint="/token?x=1",
    )
    await done(client.fetch_token())
    await done(client.revoke_token("/revoke", token="t"))
    assert [str(request.url) for request in sent] == [
        "https://as.example/v1/token?x=1",
        "https://as.example/v1/revoke",
    ]
    await driver.close(client)
    client, sent = driver.answering(lambda _request: None)
    with pytest.raises(LocalProtocolError, match="not an absolute https URL"):
        await done(client.fetch_token("/token"))
    assert sent == []
    await driver.close(client)


async def test_hooks(driver: Driver) -> None:
    client, sent = driver.answering(lambda _request: driver.library.Response(200, json=GOOD))

    def answered(response: Any) -> Any:
        response.json = lambda: {**GOOD, "access_token": "hooked"}
        return response

    client.register_compliance_hook("access_token_response", answered)
    client.register_compliance_hook(
        "access_token_request", lambda url, headers, body: (url, {**headers, "X": "1"}, body)
    )
    client.register_compliance_hook(
        "protected_request", lambda url, headers, _body: (f"{url}?more=1", headers, "changed")
    )
    assert (await done(client.fetch_token()))["access_token"] == "hooked"
    await done(client.post(API, content="as it was"))
    assert sent[0].headers["X"] == "1"
    assert str(sent[1].url) == f"{API}?more=1"
    assert sent[1].content == b"changed"
    assert sent[1].headers["Authorization"] == "Bearer hooked"
    client.register_compliance_hook("protected_request", lambda _url, _headers, _body: None)
    with pytest.raises(TypeError, match="protected_request"):
        await done(client.get(API))
    await driver.close(client)


async def test_a_refused_token_is_renewed_once(driver: Driver, server: AuthorizationServer) -> None:
    client = at(server, driver)
    await sign_in(client, server)
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
    assert (await done(client.get(f"{server.issuer}/api/me"))).status_code == 200
    server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN)
    assert (await done(client.get(f"{server.issuer}/api/me"))).status_code == 401
    assert server.count(Endpoint.TOKEN, grant_type="refresh_token") == 2
    await driver.close(client)


async def test_many_callers_renew_once(driver: Driver, server: AuthorizationServer) -> None:
    saved: list[Any] = []
    client = at(server, driver, update_token=lambda token, **_old: saved.append(token))
    await sign_in(client, server)
    client.token["expires_at"] = 0
    count = 64 if driver.way == "sync" else 200
    plain = driver.plain_class(auth=client.token_auth, timeout=30)

    def get() -> Any:
        return (
            plain.get(f"{server.issuer}/api/me")
            if len(saved) % 2
            else client.get(f"{server.issuer}/api/me", timeout=30)
        )

    answers = await driver.at_once(count, get)
    assert {getattr(each, "status_code", each) for each in answers} == {200}
    assert (len(saved), server.count(Endpoint.TOKEN, grant_type="refresh_token")) == (1, 1)
    await driver.close(plain)
    await driver.close(client)


async def test_a_failure_is_shared(driver: Driver, server: AuthorizationServer) -> None:
    client = at(server, driver)
    await sign_in(client, server)
    client.token["expires_at"] = 0
    server.misbehave(Misbehaviour.SERVER_ERROR_500_JSON, endpoint=Endpoint.TOKEN, times=1)
    server.misbehave(Misbehaviour.HTML_ERROR, endpoint=Endpoint.TOKEN)
    before = server.count(Endpoint.TOKEN)
    answers = await driver.at_once(8, lambda: client.get(f"{server.issuer}/api/me"))
    assert all(isinstance(each, OAuth2Error) for each in answers)
    assert server.count(Endpoint.TOKEN) - before <= 8
    await driver.close(client)


async def test_users_of_one_client_are_not_mixed(
    driver: Driver, server: AuthorizationServer
) -> None:
    client = at(server, driver)
    plain = driver.plain_class()
    auths = []
    for name in ("alice", "bob", "carol"):
        server.user = User(subject=name)
        auths.append(driver.adapter.OAuth2Auth(await sign_in(client, server), client=client))
    for _ in range(2):
        for name, auth in zip(("alice", "bob", "carol"), auths, strict=True):
            response = await done(plain.get(f"{server.issuer}/api/me", auth=auth))
            assert response.json()["subject"] == name
            auth.token["expires_at"] = 0
    await driver.close(plain)
    await driver.close(client)


async def test_an_auth_object_without_a_client(driver: Driver) -> None:
    transport = driver.library.MockTransport(lambda _request: driver.library.Response(200))
    plain = driver.plain_class(transport=transport)
    auth = driver.adapter.OAuth2Auth(dict(GOOD))
    assert (await done(plain.get(API, auth=auth))).status_code == 200
    auth.set_token(EXPIRED)
    with pytest.raises(LocalProtocolError, match="no client to renew"):
        await done(plain.get(API, auth=auth))
    await driver.close(plain)


async def test_a_request_of_the_callers_keeps_no_proof(driver: Driver) -> None:
    library = driver.library
    bound = {**GOOD, "token_type": "DPoP"}
    dpop = DPoP(new_private_key())
    client, sent = driver.answering(
        lambda _request: library.Response(200, json={}), token=bound, dpop=dpop
    )
    given = library.Request("PUT", API, content=b"a", headers={"X-B": "c"}, extensions={"d": 1})
    before = list(given.headers.raw)
    for _ in range(2):
        response = await done(client.send(given, auth=client.token_auth))
        assert list(given.headers.raw) == before
        assert response.request.headers["DPoP"].startswith("eyJ")
    first, second = sent
    assert first.headers["DPoP"] != second.headers["DPoP"]
    assert first.headers["Authorization"] == f"DPoP {GOOD['access_token']}"
    assert (first.method, first.content, first.headers["X-B"]) == ("PUT", b"a", "c")
    assert first.extensions["d"] == 1
    await driver.close(client)


async def test_an_auth_object_of_another_library(driver: Driver) -> None:
    other = "httpx2" if driver.name == "httpx" else "httpx"
    foreign = importlib.import_module(f"oauth2_sansio_{other}").OAuth2Auth(dict(GOOD))
    client, sent = driver.answering(lambda _request: driver.library.Response(200), token=GOOD)
    plain = driver.plain_class(transport=client._transport)
    calls: list[Callable[[], Any]] = [
        lambda: client.get(API, auth=foreign),
        lambda: client.fetch_token(auth=foreign),
        lambda: plain.get(API, auth=foreign),
    ]
    for call in calls:
        with pytest.raises(LocalProtocolError, match="another HTTP library"):
            await done(call())
    assert sent == []
    await driver.close(client)


# Under trio, httpcore's own generators are collected where a body is not read to its end.
@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("misbehaviour", "name"),
    [
        (Misbehaviour.HTML_ERROR, "HTTPStatusError"),
        (Misbehaviour.DROP_ANSWER, "RemoteProtocolError"),
        (Misbehaviour.REDIRECT_307, None),
        (Misbehaviour.HUGE_BODY, None),
    ],
)
async def test_errors_are_the_librarys_too(
    driver: Driver, server: AuthorizationServer, misbehaviour: Misbehaviour, name: str | None
) -> None:
    client = at(server, driver, follow_redirects=True)
    server.misbehave(misbehaviour, times=1)
    with pytest.raises(OAuth2Error) as caught:
        await done(client.fetch_token())
    assert isinstance(caught.value, driver.library.HTTPError) is (name is not None)
    if name is not None:
        assert isinstance(caught.value, getattr(driver.library, name))
    if name == "HTTPStatusError":
        assert caught.value.response.status_code == 502  # type: ignore[union-attr]  # the library's
    copied = pickle.loads(pickle.dumps(caught.value))
    assert str(copied) == str(caught.value)
    assert server.count() == 1
    await driver.close(client)


async def test_a_refused_connection(driver: Driver) -> None:
    client = driver.client(token_endpoint="http://127.0.0.1:1/token")
    with pytest.raises(driver.library.ConnectError) as caught:
        await done(client.fetch_token())
    assert isinstance(caught.value, TransportError)
    assert caught.value.outcome is not None
    assert caught.value.outcome.value == "not_sent"
    await driver.close(client)


async def test_an_event_hook_that_raises_for_a_status(driver: Driver) -> None:
    def raising(response: Any) -> None:
        response.raise_for_status()

    async def raising_async(response: Any) -> None:
        response.raise_for_status()

    hook = raising if driver.way == "sync" else raising_async
    client, _ = driver.answering(
        lambda _request: driver.library.Response(400, json={"error": "invalid_grant"}),
        event_hooks={"response": [hook]},
    )
    with pytest.raises(ErrorResponse) as caught:
        await done(client.fetch_token())
    assert caught.value.error == "invalid_grant"
    await driver.close(client)


async def test_what_an_event_hook_does_to_the_cookies_of_an_endpoint_is_not_kept(
    driver: Driver,
) -> None:
    seen: list[dict[str, str]] = []

    def look(_response: Any) -> None:
        client.cookies.set("mine", "1")
        seen.append(dict(client.cookies))

    async def look_async(response: Any) -> None:
        look(response)

    client, sent = driver.answering(
        lambda _request: driver.library.Response(
            200, json=GOOD, headers={"Set-Cookie": "theirs=1"}
        ),
        event_hooks={"response": [look if driver.way == "sync" else look_async]},
    )
    for _ in range(2):
        await done(client.fetch_token())
    assert seen == [{}, {}]
    assert dict(client.cookies) == {}
    assert ["Cookie" in each.headers for each in sent] == [False, False]
    await driver.close(client)


COMPRESSED = gzip.compress(b"{}", mtime=0)


async def test_a_compressed_answer_is_refused(driver: Driver) -> None:
    class Stream(driver.library.SyncByteStream, driver.library.AsyncByteStream):  # type: ignore[misc, name-defined]  # either
        def __iter__(self) -> Any:
            yield COMPRESSED

        async def __aiter__(self) -> Any:
            yield COMPRESSED

    client, _ = driver.answering(
        lambda _request: driver.library.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=Stream()
        )
    )
    with pytest.raises(OAuth2Error) as caught:
        await done(client.fetch_token())
    assert caught.value.response is not None
    assert caught.value.response.body == COMPRESSED
    await driver.close(client)


@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_answer_that_goes_on_after_its_end(driver: Driver) -> None:
    class Endless(driver.library.SyncByteStream, driver.library.AsyncByteStream):  # type: ignore[misc, name-defined]  # either
        def __iter__(self) -> Any:
            while True:
                yield b" " * 1_000_000

        async def __aiter__(self) -> Any:
            while True:
                yield b" " * 1_000_000

    client, _ = driver.answering(lambda _request: driver.library.Response(200, stream=Endless()))
    with pytest.raises(RemoteProtocolError, match="longer than"):
        await done(client.fetch_token())
    await driver.close(client)


async def test_a_token_that_cannot_be_saved(driver: Driver, server: AuthorizationServer) -> None:
    saved: list[Any] = []

    def save(token: Any, **_old: Any) -> None:
        saved.append(token)
        if len(saved) == 1:
            raise OSError("the disk is full")

    client = at(server, driver, update_token=save)
    await sign_in(client, server)
    client.token["expires_at"] = 0
    with pytest.raises(UnsavedTokenError):
        await done(client.get(f"{server.issuer}/api/me"))
    await driver.close(client)
    assert saved == [client.token, client.token]
    with pytest.raises(LocalProtocolError, match="closed"):
        await done(client.fetch_token())


@pytest.mark.parametrize("leaving", [False, True], ids=["closed", "left"])
async def test_what_is_unsaved_is_saved_at_the_end(driver: Driver, leaving: bool) -> None:
    answers = [OSError("full"), OSError("full"), None, None]
    saved: list[str] = []

    def note(refresh_token: str) -> None:
        failure = answers.pop(0)
        if failure is not None:
            raise failure
        saved.append(refresh_token)

    def save(_token: OAuth2Token, *, refresh_token: str) -> None:
        note(refresh_token)

    async def save_later(_token: OAuth2Token, *, refresh_token: str) -> None:
        note(refresh_token)

    client, _ = driver.answering(
        lambda _request: driver.library.Response(200, json={**GOOD, "refresh_token": "r-2"}),
        token={**EXPIRED, "refresh_token": "own"},
        update_token=save if driver.way == "sync" else save_later,
    )
    auth = driver.adapter.OAuth2Auth({**EXPIRED, "refresh_token": "lent"}, client=client)

    async def use() -> None:
        for given in ({}, {"auth": auth}):
            with pytest.raises(UnsavedTokenError):
                await done(client.get(API, **given))

    if not leaving:
        await use()
        await driver.close(client)
    elif driver.way == "sync":
        with client:
            await use()
    else:
        async with client:
            await use()
    assert sorted(saved) == ["lent", "own"]
    assert client.is_closed


async def test_a_token_client(driver: Driver) -> None:
    through: list[Any] = []

    def answer(request: Any) -> Any:
        through.append(request)
        return driver.library.Response(200, json={**GOOD, "refresh_token": "r-2"})

    tokens = driver.plain_class(
        transport=driver.library.MockTransport(answer), headers={"User-Agent": "guarded"}
    )
    client, direct = driver.answering(
        lambda _request: driver.library.Response(204),
        token={**EXPIRED, "refresh_token": "r-1"},
        revocation_endpoint=f"{SERVER}/revoke",
        token_client=tokens,
    )
    await done(client.get(API))
    await done(client.fetch_token())
    await done(client.revoke_token())
    assert [str(each.url) for each in through] == [TOKEN_URL, TOKEN_URL, f"{SERVER}/revoke"]
    assert {each.headers["User-Agent"] for each in through} == {"guarded"}
    assert [str(each.url) for each in direct] == [API]
    await driver.close(tokens)
    with pytest.raises(LocalProtocolError, match="the token_client was closed"):
        await done(client.fetch_token())
    await driver.close(client)
    with pytest.raises(LocalProtocolError, match="this client was closed"):
        await done(client.fetch_token())


async def test_a_token_client_of_another_kind(driver: Driver) -> None:
    for wrong in (driver.library, driver.library.Request, object()):
        with pytest.raises(
            TypeError, match=f"token_client is no {driver.name}.{driver.plain_class.__name__}"
        ):
            driver.client(token_client=wrong)


async def test_update_token_may_use_the_client(driver: Driver, server: AuthorizationServer) -> None:
    seen: list[int] = []

    def save(_token: Any, **_old: Any) -> None:
        seen.append(client.get(f"{server.issuer}/api/me").status_code)

    async def save_async(_token: Any, **_old: Any) -> None:
        seen.append((await client.get(f"{server.issuer}/api/me")).status_code)

    client = at(server, driver, update_token=save if driver.way == "sync" else save_async)
    await sign_in(client, server)
    client.token["expires_at"] = 0
    assert (await done(client.get(f"{server.issuer}/api/me"))).status_code == 200
    assert seen == [200]
    await driver.close(client)


async def test_callbacks(driver: Driver) -> None:
    client, sent = driver.answering(lambda _request: driver.library.Response(200, json=GOOD))
    client.metadata["authorization_endpoint"] = "https://as.example/authorize"
    _, state = client.create_authorization_url()
    with pytest.raises(ErrorResponse, match="access_denied"):
        await done(
            client.fetch_token(
                authorization_response=f"https://app.example/?error=access_denied&state={state}"
            )
        )
    with pytest.raises(MismatchingStateError):
        await done(
            client.fetch_token(authorization_response="https://app.example/?code=c&state=other")
        )
    assert sent == []
    await driver.close(client)


def test_a_token_in_a_fragment_is_there_at_once(driver: Driver) -> None:
    client = driver.client_class("app", state="s")
    callback = "https://app.example/#access_token=t&token_type=Bearer&state=s"
    assert client.fetch_token(authorization_response=callback)["access_token"] == "t"
    assert client.token_from_fragment(callback)["access_token"] == "t"


def test_no_secret_gets_into_a_pickle(driver: Driver) -> None:
    with pytest.raises(TypeError, match="secrets"):
        pickle.dumps(driver.client())


def test_positions(driver: Driver) -> None:
    names = list(inspect.signature(driver.client_class.__init__).parameters)[1:]
    expected = ["client_id", "client_secret", "token_endpoint_auth_method"]
    expected += ["revocation_endpoint_auth_method", "scope", "redirect_uri", "token"]
    expected += ["token_placement", "update_token", "leeway", "state", "kwargs"]
    assert names == expected
    parameters = inspect.signature(driver.client_class.__init__).parameters
    assert parameters["leeway"].kind is (
        parameters["leeway"].KEYWORD_ONLY
        if driver.way == "sync"
        else parameters["leeway"].POSITIONAL_OR_KEYWORD
    )
    with pytest.raises(TypeError, match="unheard_of"):
        driver.client(unheard_of=1)
    assert driver.client().token_endpoint_auth_method == "client_secret_basic"
    assert driver.client().metadata["token_endpoint"] == TOKEN_URL


@pytest.mark.parametrize("name", ["__init__.py", "clients.py", "assertion_clients.py"])
def test_the_adapters_differ_by_the_name_of_the_library(name: str) -> None:
    one, other = (
        Path(str(adapter.__file__)).with_name(name).read_text(encoding="utf-8")
        for adapter in (oauth2_sansio_httpx, oauth2_sansio_httpx2)
    )
    assert other == re.sub(r"\bhttpx\b", "httpx2", one)
