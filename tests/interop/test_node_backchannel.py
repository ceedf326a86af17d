"""Users who are asked on another device (CIBA), over each driver, at node-oidc-provider."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from oauth2_sansio import (
    BackchannelAuthentication,
    BackchannelNotification,
    Client,
    ClientSecretBasic,
    ErrorResponse,
    OAuth2Error,
    PrivateKeyJWT,
    RemoteProtocolError,
    RequestObject,
    Server,
    authenticate_backchannel,
    poll_backchannel,
    read_notification,
    redeem_notification,
)
from oauth2_sansio.backchannel import CIBA

from .node_provider import serving

if TYPE_CHECKING:
    from .drivers import Run
    from .sessions import Kind

SECRET = "a secret of a length that will do"
Notifications = queue.SimpleQueue[BackchannelNotification]


@contextmanager
def listening() -> Iterator[tuple[str, Notifications]]:
    """Be a client's notification endpoint; return its URL, and what comes to it."""
    came: Notifications = queue.SimpleQueue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                came.put(read_notification(self.headers["Authorization"], body))
                self.send_response(204)
            except OAuth2Error:
                self.send_response(400)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in http.server
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/notified", came
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256", {"kid": "k-1"}).as_dict(private=True))


@pytest.fixture(scope="module")
def site(key: dict[str, Any]) -> Iterator[tuple[str, Notifications]]:
    public = {name: value for name, value in key.items() if name != "d"}
    common = {
        "redirect_uris": [],
        "response_types": [],
        "grant_types": [CIBA, "refresh_token"],
        "backchannel_user_code_parameter": True,
    }
    with listening() as (url, came):
        clients = [
            {
                **common,
                "client_id": "polls",
                "client_secret": SECRET,
                "backchannel_token_delivery_mode": "poll",
            },
            {
                **common,
                "client_id": "told",
                "client_secret": SECRET,
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": url,
            },
            {
                **common,
                "client_id": "signs",
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
                "backchannel_authentication_request_signing_alg": "ES256",
                "backchannel_token_delivery_mode": "poll",
                "jwks": {"keys": [public]},
            },
        ]
        with serving(clients) as issuer:
            yield issuer, came


@pytest.fixture
def server(site: tuple[str, Notifications], run: Run) -> Server:
    found = run(Server.discover(site[0]))
    assert found.backchannel_token_delivery_modes_supported == ("poll", "ping")
    return found


def client_of(server: Server, client_id: str) -> Client:
    return Client(server=server, client_id=client_id, auth=ClientSecretBasic(SECRET))


def soon(login: BackchannelAuthentication) -> BackchannelAuthentication:
    # This server names no interval, and five seconds are long for a test.
    assert login.interval == 5.0
    return replace(login, interval=0.1, expires_at=time.time() + 30)


def test_polling(server: Server, run: Run) -> None:
    client = client_of(server, "polls")
    login = run(
        authenticate_backchannel(client, login_hint="alice", binding_message="W4SCT", ping=False)
    )
    token = run(poll_backchannel(client, soon(login)))
    assert token["id_token"]
    with pytest.raises(ErrorResponse, match="invalid_grant"):
        run(poll_backchannel(client, soon(login)))
    hinted = run(authenticate_backchannel(client, id_token_hint=token["id_token"]))
    assert run(poll_backchannel(client, soon(hinted)))["access_token"]


def test_a_signed_request(server: Server, run: Run, key: dict[str, Any]) -> None:
    client = Client(
        server=server,
        client_id="signs",
        auth=PrivateKeyJWT(private_key=key, alg="ES256"),
        request_object=RequestObject(key, "ES256"),
    )
    login = run(authenticate_backchannel(client, login_hint="alice", requested_expiry=60))
    assert run(poll_backchannel(client, soon(login)))["access_token"]
    with pytest.raises(ErrorResponse, match="invalid_request"):
        run(authenticate_backchannel(client, login_hint="alice", signed=False))


def test_being_notified(site: tuple[str, Notifications], server: Server, run: Run) -> None:
    client = client_of(server, "told")
    login = run(authenticate_backchannel(client, login_hint="alice", ping=True))
    notification = site[1].get(timeout=30)
    token = run(redeem_notification(client, login, notification))
    assert token["access_token"]
    forged = replace(notification, client_notification_token="another")
    with pytest.raises(RemoteProtocolError, match="does not count"):
        run(redeem_notification(client, login, forged))


def test_what_is_refused_at_once(server: Server, run: Run) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"login_hint_token": "x"}, "unknown_user_id"),
        ({"login_hint": "carol"}, "missing_user_code"),
        ({"login_hint": "carol", "user_code": "1"}, "invalid_user_code"),
        ({"login_hint": "alice", "scope": None}, "invalid_request"),
    ]
    for asked, code in refused:
        with pytest.raises(ErrorResponse) as got:
            run(authenticate_backchannel(client_of(server, "polls"), **asked))
        assert got.value.error == code


def test_a_user_who_says_no(server: Server, run: Run) -> None:
    client = client_of(server, "polls")
    login = run(authenticate_backchannel(client, login_hint="mallory"))
    with pytest.raises(ErrorResponse, match="access_denied"):
        run(poll_backchannel(client, soon(login)))


def test_the_drop_in_classes_run_it(site: tuple[str, Notifications], kind: Kind) -> None:
    with kind.session("polls", SECRET) as session:
        client = client_of(session.run(Server.discover(site[0])), "polls")
        login = session.run(authenticate_backchannel(client, login_hint="carol", user_code="1234"))
        session.token = session.run(poll_backchannel(client, soon(login)))
        response = session.get(client.server.userinfo_endpoint)
        assert response.json()["sub"] == "carol"
