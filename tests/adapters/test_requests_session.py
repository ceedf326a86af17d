"""The session as such: how it is built, shared, saved, closed, and what it costs."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import requests

from oauth2_sansio import (
    Endpoint,
    Finished,
    Flow,
    OAuth2Token,
    RequestToSend,
    Server,
    UnsavedTokenError,
    Wait,
)
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio_requests import OAuth2Auth, OAuth2Session, OAuthError

from .requests_world import (
    API,
    EXPIRED,
    GOOD,
    SECRET,
    SERVER,
    TOKEN_URL,
    Answering,
    mounted,
    scripted,
    session_at,
    sign_in,
)

REQUEST = RequestToSend(endpoint=Endpoint.DEVICE_AUTHORIZATION, url=f"{SERVER}/device")


def _names(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_names_positions_and_defaults() -> None:
    parameters = inspect.signature(OAuth2Session).parameters
    assert {name: each.default for name, each in list(parameters.items())[:-1]} == {
        "client_id": None,
        "client_secret": None,
        "token_endpoint_auth_method": None,
        "revocation_endpoint_auth_method": None,
        "scope": None,
        "state": None,
        "redirect_uri": None,
        "token": None,
        "token_placement": "header",
        "update_token": None,
        "leeway": 60,
        "default_timeout": None,
    }
    assert _names(OAuth2Auth) == ["token", "token_placement", "client", "dpop", "sign"]
    assert {
        name: _names(getattr(OAuth2Session, name))[1:]
        for name in (
            "create_authorization_url",
            "fetch_token",
            "introspect_token",
            "refresh_token",
            "register_client_auth_method",
            "register_compliance_hook",
            "revoke_token",
        )
    } == {
        "create_authorization_url": ["url", "state", "code_verifier", "kwargs"],
        "fetch_token": [
            "url",
            "body",
            "method",
            "headers",
            "auth",
            "grant_type",
            "state",
            "kwargs",
        ],
        "introspect_token": [
            "url",
            "token",
            "token_type_hint",
            "body",
            "auth",
            "headers",
            "kwargs",
        ],
        "refresh_token": ["url", "refresh_token", "body", "auth", "headers", "kwargs"],
        "register_client_auth_method": ["auth"],
        "register_compliance_hook": ["hook_type", "hook"],
        "revoke_token": ["url", "token", "token_type_hint", "body", "auth", "headers", "kwargs"],
    }


def test_a_session_by_position() -> None:
    def save(_token: OAuth2Token, **_more: Any) -> None: ...

    session = OAuth2Session(
        "id", "secret", "client_secret_post", "none", "read", "state", "https://cb", GOOD,
        "uri", save, 30, 9,
    )  # fmt: skip
    assert isinstance(session, requests.Session)
    assert (
        session.client_id,
        session.client_secret,
        session.token_endpoint_auth_method,
        session.revocation_endpoint_auth_method,
        session.scope,
        session.state,
        session.redirect_uri,
        session.token,
        session.token_placement,
        session.update_token,
        session.leeway,
        session.default_timeout,
    ) == (
        "id",
        "secret",
        "client_secret_post",
        "none",
        "read",
        "state",
        "https://cb",
        GOOD,
        "uri",
        save,
        30,
        9,
    )
    assert isinstance(session.token, OAuth2Token)


def test_the_servers_metadata_by_keyword() -> None:
    session = OAuth2Session(
        "id",
        issuer=SERVER,
        userinfo_endpoint=f"{SERVER}/me",
        scopes_supported=["read"],
        response_type=None,  # type: ignore[arg-type]  # as somebody may hand it on
    )
    assert session.metadata == {
        "issuer": SERVER,
        "userinfo_endpoint": f"{SERVER}/me",
        "scopes_supported": ["read"],
    }
    document = {"issuer": SERVER, "token_endpoint": TOKEN_URL, "tenant": "t"}
    session = OAuth2Session("id", server=Server.from_metadata(document), token_endpoint=SERVER)
    assert session.metadata["token_endpoint"] == SERVER
    assert (session.metadata["issuer"], session.metadata["tenant"]) == (SERVER, "t")
    insecure = Server(token_endpoint="http://x.example", allow_insecure_http=True)
    session, adapter = mounted(server=insecure, token_endpoint=None)
    session.fetch_token()
    assert adapter.sent[0].url == "http://x.example/"


def test_a_url_may_be_ruled_out() -> None:
    session, adapter = mounted(url_allowed=lambda url: url != TOKEN_URL)
    with pytest.raises(OAuthError, match="url_allowed"):
        session.fetch_token()
    assert adapter.sent == []


def test_attributes_of_the_session_by_keyword() -> None:
    session = OAuth2Session(
        headers={"x-own": "1"},
        cookies={"c": "1"},
        max_redirects=3,
        stream=True,
        params={"p": "1"},
        auth=("a", "b"),
        cert="c.pem",
    )
    assert (session.headers["X-Own"], session.cookies["c"]) == ("1", "1")
    assert session.headers["Accept"] == "*/*"
    assert (session.max_redirects, session.stream, session.params) == (3, True, {"p": "1"})
    assert (session.auth, session.cert) == (("a", "b"), "c.pem")


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_is_neither_pickled_nor_copied(copied: Callable[[object], object]) -> None:
    session = OAuth2Session("app", SECRET, token=GOOD)
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        copied(session)
    assert SECRET not in repr(session)
    assert "a-1" not in repr(session)


# Saving.


class Behind(requests.Session):
    """What a user may have beside ours, as a base class that comes after it."""

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """Leave a mark, and go on."""
        response = super().request(*arguments, **options)
        response.headers["X-Behind"] = "was here"
        return response


class Own(OAuth2Session, Behind):
    """A user's class of two."""

    def __init_subclass__(cls, mark: str = "", **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.mark = mark

    mark = ""


class Further(Own, mark="given"):
    """One more."""


@pytest.mark.parametrize(
    ("kind", "is_behind"), [(OAuth2Session, False), (Own, True), (Further, True)]
)
def test_what_comes_after_ours_sees_each_request(
    kind: type[OAuth2Session], is_behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def request(_session: requests.Session, *arguments: Any) -> requests.Response:
        calls.append(arguments)
        response = requests.Response()
        response.status_code = 200
        return response

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(requests.Session, "request", request)  # as a user's tests may do it
    with kind("app", token=GOOD) as session:
        response = session.get("https://api.example/", timeout=5)
    assert ("X-Behind" in response.headers) is is_behind
    assert [each[:2] for each in calls] == [("GET", "https://api.example/")]
    assert Further.mark == "given"


@pytest.mark.parametrize(
    ("token", "named"),
    [
        ({**EXPIRED, "refresh_token": "r-1"}, {"refresh_token": "r-1"}),
        (EXPIRED, {"access_token": "old"}),
    ],
)
def test_what_update_token_is_told(token: dict[str, Any], named: dict[str, Any]) -> None:
    saved: list[tuple[Any, Any]] = []
    session, _ = mounted(
        token=token,
        grant_type="client_credentials",
        update_token=lambda new, **more: saved.append((new, more)),
    )
    session.get(API)
    assert saved == [(session.token, named)]
    assert saved[0][0] is session.token
    assert session.token is not None
    session.token["access_token"] = "changed"
    assert session.get(API).request.headers["Authorization"] == "Bearer changed"
    session.fetch_token()
    assert len(saved) == 1  # what is fetched is returned


def test_a_save_that_fails_once_loses_nothing() -> None:
    saved: list[Any] = []

    def save(token: OAuth2Token, **more: Any) -> None:
        saved.append((dict(token), more))
        if len(saved) == 1:
            raise RuntimeError("the disk is full")

    session, adapter = mounted(
        (200, {**GOOD, "refresh_token": "r-2"}),
        (200, {}),
        token={**EXPIRED, "refresh_token": "r-1"},
        update_token=save,
    )
    with pytest.raises(UnsavedTokenError) as caught:
        session.get(API)
    assert caught.value.token["refresh_token"] == "r-2"
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert session.get(API).status_code == 200
    assert len(adapter.sent) == 2
    assert saved == [(session.token, {"refresh_token": "r-1"})] * 2
    session.close()
    assert len(saved) == 2


def test_close_saves_what_is_unsaved() -> None:
    answers = [OSError("full"), OSError("full"), None]

    def save(_token: OAuth2Token, **_more: Any) -> None:
        failure = answers.pop(0)
        if failure is not None:
            raise failure

    session, _ = mounted(token={**EXPIRED, "refresh_token": "r-1"}, update_token=save)
    with pytest.raises(UnsavedTokenError):
        session.get(API)
    with pytest.raises(UnsavedTokenError):
        session.close()
    with session:
        pass
    assert answers == []


def test_close_waits_for_a_renewal(server: AuthorizationServer) -> None:
    at_it, go_on = threading.Event(), threading.Event()
    saved: list[Any] = []

    def save(token: OAuth2Token, **_more: Any) -> None:
        at_it.set()
        go_on.wait(20)
        saved.append(token)

    session = session_at(server, update_token=save)
    sign_in(session, server)
    renewing = threading.Thread(target=session.refresh_token)
    renewing.start()
    at_it.wait(20)
    closing = threading.Thread(target=session.close)
    closing.start()
    closing.join(0.05)
    assert saved == []
    go_on.set()
    closing.join(20)
    renewing.join(20)
    assert saved == [session.token]


def test_an_asynchronous_update_token_is_refused() -> None:
    async def save(_token: OAuth2Token, **_more: Any) -> None: ...

    session, _ = mounted(token={**EXPIRED, "refresh_token": "r-1"}, update_token=save)
    with pytest.raises(UnsavedTokenError) as caught:
        session.get(API)
    assert isinstance(caught.value.__cause__, TypeError)
    assert "asynchronous" in str(caught.value.__cause__)


def test_a_renewal_without_update_token() -> None:
    session, _ = mounted(token={**EXPIRED, "refresh_token": "r-1"})
    assert session.get(API).request.headers["Authorization"] == "Bearer a-1"


# Threads.


def test_waiting_threads_get_the_error_too() -> None:
    ready = threading.Barrier(8)

    def hang_up_later(_connection: socket.socket) -> None:
        time.sleep(1)  # meanwhile the others have come to wait

    # A thread that comes later than that tries on its own, and is answered likewise.
    with scripted(hang_up_later, *[b""] * 7) as (url, received):
        session = OAuth2Session(
            "app", SECRET, token_endpoint=url, token={**EXPIRED, "refresh_token": "r-1"}
        )
        errors: list[Exception] = []

        def use() -> None:
            ready.wait()
            try:
                session.get(API)
            except OAuthError as error:
                errors.append(error)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(errors) == 8
        assert sum(b"refresh_token=r-1" in each for each in received) < 8


# Through another session.


def test_a_token_session() -> None:
    tokens = requests.Session()
    through = Answering((200, {**GOOD, "refresh_token": "r-2"}))
    tokens.mount("https://", through)
    tokens.headers["User-Agent"] = "guarded"
    session, direct = mounted(
        (200, {}),
        token={**EXPIRED, "refresh_token": "r-1"},
        revocation_endpoint=f"{SERVER}/revoke",
        token_client=tokens,
    )
    session.get(API)
    session.fetch_token()
    session.revoke_token()
    assert [each.url for each in through.sent] == [TOKEN_URL, TOKEN_URL, f"{SERVER}/revoke"]
    assert {each.headers["User-Agent"] for each in through.sent} == {"guarded"}
    assert [each.url for each in direct.sent] == [API]


def test_a_token_session_that_is_none() -> None:
    with pytest.raises(TypeError, match=r"token_client is no requests\.Session"):
        OAuth2Session("app", token_client=requests)


# What it costs.


def _memory_of(build: Callable[[], object]) -> float:
    kept = [build()]
    gc.collect()
    tracemalloc.start()
    kept += [build() for _ in range(50)]
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / 50


def test_memory_of_an_auth_object() -> None:
    client = OAuth2Session("app", SECRET, token_endpoint=TOKEN_URL)
    assert _memory_of(lambda: OAuth2Auth({**GOOD, "refresh_token": "r"}, client=client)) < 1500


IMPORTS = """
import sys, requests
before = set(sys.modules)
import oauth2_sansio_requests
new = {name for name in set(sys.modules) - before if "oauth2_sansio" not in name}
print(*sorted(new))
"""


def test_the_adapter_loads_little() -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True, env=_paths()
    )
    new = result.stdout.split()
    assert all(name.partition(".")[0] in sys.stdlib_module_names for name in new)
    assert len(new) <= 12


def test_dropin_starts_no_thread() -> None:
    program = "import sys; before = 'threading' in sys.modules\n" + "".join(
        f"import oauth2_sansio.dropin.{name}\n"
        for name in ("vocabulary", "responses", "library_errors")
    )
    program += "print(before, *({'threading', 'socket', 'requests', 'asyncio'} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_paths()
    )
    assert result.stdout.split() in (["False"], ["True", "threading"])


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_flow_may_wait() -> None:
    actions = iter((Wait(seconds=0.001, reason="the server wants it"), REQUEST, Finished("done")))
    session, adapter = mounted()
    assert session.run(Flow(lambda _event, _now: next(actions))) == "done"
    assert adapter.sent[0].url == f"{SERVER}/device"


def test_a_session_has_few_enough_attributes() -> None:
    # Instances with more than 30 share no keys: each takes twice the memory, and each call of a
    # method, also within requests, is slower.
    session, _ = mounted(code_challenge_method="S256", deadline=9, state="s")
    session.create_authorization_url(f"{SERVER}/authorize")
    session.fetch_token(code="c")
    session.get(API)
    assert len(vars(session)) <= 30
    assert repr(session._kept) == "<Kept>"
