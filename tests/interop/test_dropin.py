"""The drop-in vocabulary over requests, at a server that nobody here wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from oauth2_sansio import Server
from oauth2_sansio_requests import OAuth2Auth, OAuth2Session, OAuthError

from .over_urllib import run
from .test_strict import CALLBACK, visit

if TYPE_CHECKING:
    from .authlib_server import AuthlibServer

CLIENTS = pytest.mark.parametrize("name", ["APP", "POSTER", "PHONE"])
WITH_SECRET = pytest.mark.parametrize("name", ["APP", "POSTER"])


@contextmanager
def session_at(site: AuthlibServer, name: str = "APP", **settings: Any) -> Iterator[OAuth2Session]:
    """Return a session that knows the server by its metadata."""
    from . import authlib_server

    registered = getattr(authlib_server, name)
    settings = {
        "client_secret": registered.client_secret or None,
        "token_endpoint_auth_method": registered.method,
        "revocation_endpoint_auth_method": registered.method,
        "scope": "profile",
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
        "server": run(Server.discover(site.issuer)),
        **settings,
    }
    with OAuth2Session(registered.client_id, **settings) as session:
        yield session


def authorize(session: OAuth2Session, **arguments: Any) -> str:
    """Send the user to the server; return with what the user comes back."""
    return visit(session.create_authorization_url(**arguments)[0])


def sign_in(session: OAuth2Session, **arguments: Any) -> Any:
    """Go the whole way to a token for a user."""
    return session.fetch_token(authorization_response=authorize(session, **arguments))


def by_password(session: OAuth2Session, password: str | None = None) -> Any:
    """Go the short way to a token for a user."""
    from .authlib_server import USER

    right = USER.password if password is None else password
    return session.fetch_token(username=USER.name, password=right)


def name_of_user(session: requests.Session, site: AuthlibServer, **options: Any) -> object:
    """Ask the API who the user is."""
    answer = session.get(f"{site.issuer}/me", **options)
    answer.raise_for_status()
    return answer.json()["name"]


@CLIENTS
def test_code_with_pkce(site: AuthlibServer, name: str) -> None:
    with session_at(site, name) as session:
        token = sign_in(session)
        assert token["expires_at"] > token["expires_in"]
        assert session.token is token
        assert name_of_user(session, site) == "alice"


@CLIENTS
def test_password(site: AuthlibServer, name: str) -> None:
    with session_at(site, name) as session:
        by_password(session)
        assert name_of_user(session, site) == "alice"


@WITH_SECRET
def test_client_credentials(site: AuthlibServer, name: str) -> None:
    with session_at(site, name, scope=["profile", "email"]) as session:
        token = session.fetch_token()
        assert token["scope"] == "profile email"
        assert "refresh_token" not in token
        assert session.introspect_token().json()["sub"] == session.client_id


def test_client_credentials_are_fetched_anew(site: AuthlibServer) -> None:
    saved: list[dict[str, Any]] = []
    with session_at(site, update_token=lambda token, **_before: saved.append(token)) as session:
        first = session.fetch_token()
        assert session.ensure_active_token()
        first["expires_at"] = 1
        assert session.ensure_active_token()
        assert session.token is saved[0]
        assert saved[0]["access_token"] != first["access_token"]


@CLIENTS
def test_refresh_with_rotation(site: AuthlibServer, name: str) -> None:
    with session_at(site, name) as session:
        first = dict(sign_in(session))
        renewed = session.refresh_token()
        assert renewed["access_token"] != first["access_token"]
        assert renewed["refresh_token"] != first["refresh_token"]
        assert name_of_user(session, site) == "alice"


def test_an_expired_token_is_renewed_and_saved_before_the_request(site: AuthlibServer) -> None:
    saved: list[tuple[object, dict[str, Any]]] = []
    with session_at(
        site, update_token=lambda token, **before: saved.append((token, before))
    ) as session:
        first = sign_in(session)
        assert name_of_user(session, site) == "alice"
        assert saved == []
        first["expires_at"] = 1
        assert name_of_user(session, site) == "alice"
        assert saved == [(session.token, {"refresh_token": first["refresh_token"]})]


def test_a_token_that_the_api_refuses_is_renewed_once(site: AuthlibServer) -> None:
    with session_at(site) as session:
        first = dict(sign_in(session))
        site.ledger.expire(first["access_token"])
        answer = session.post(f"{site.issuer}/me", data="once more", headers={"X-Kind": "text"})
        assert answer.json() == {"name": "alice", "sent": "once more"}
        assert session.token is not None
        assert session.token["access_token"] != first["access_token"]


def test_any_number_of_threads_renew_once(site: AuthlibServer) -> None:
    with session_at(site) as session:
        token = sign_in(session)
        assert name_of_user(session, site) == "alice"
        token["expires_at"] = 1
        before = site.ledger.refreshes
        with ThreadPoolExecutor(8) as pool:
            names = list(pool.map(lambda _number: name_of_user(session, site), range(16)))
        assert names == ["alice"] * 16
        assert site.ledger.refreshes == before + 1


@CLIENTS
def test_revocation(site: AuthlibServer, name: str) -> None:
    with session_at(site, name) as session:
        token = sign_in(session)
        answer = session.revoke_token()
        assert (answer.status_code, answer.json()) == (200, {})
        assert session.token is None
        refused = requests.get(f"{site.issuer}/me", auth=OAuth2Auth(token), timeout=30)
        assert refused.status_code == 401


@WITH_SECRET
def test_introspection(site: AuthlibServer, name: str) -> None:
    with session_at(site, name) as session:
        token = sign_in(session)
        said = session.introspect_token(
            token=token["access_token"], token_type_hint="access_token"
        ).json()
        assert (said["active"], said["sub"], said["scope"]) == (True, "alice", "profile")
        assert session.introspect_token(token="unknown").json() == {"active": False}


def test_implicit(site: AuthlibServer) -> None:
    with session_at(site, "PHONE", response_type="token") as session:
        token = session.token_from_fragment(authorize(session))
        assert token["expires_in"] == "3600"
        assert name_of_user(session, site) == "alice"


def test_a_plain_session_with_the_token(site: AuthlibServer) -> None:
    with session_at(site) as session, requests.Session() as plain:
        auth = OAuth2Auth(sign_in(session), client=session)
        assert name_of_user(plain, site, auth=auth) == "alice"
        assert auth.token is not None
        site.ledger.expire(auth.token["access_token"])
        assert name_of_user(plain, site, auth=auth) == "alice"


def test_a_flow_of_the_strict_vocabulary(site: AuthlibServer) -> None:
    with session_at(site) as session:
        assert session.run(Server.discover(site.issuer)) == run(Server.discover(site.issuer))


# What the server refuses: the story, and the code and the status of the error.


def _wrong_secret(site: AuthlibServer) -> None:
    with session_at(site, client_secret="wrong") as session:
        session.fetch_token()


def _wrong_posted_secret(site: AuthlibServer) -> None:
    with session_at(site, "POSTER", client_secret="wrong") as session:
        session.fetch_token()


def _reused_code(site: AuthlibServer) -> None:
    with session_at(site) as session:
        callback = authorize(session)
        session.fetch_token(authorization_response=callback)
        session.fetch_token(authorization_response=callback)


def _wrong_verifier(site: AuthlibServer) -> None:
    with session_at(site) as session:
        callback = authorize(session)
        session.fetch_token(authorization_response=callback, code_verifier="v" * 43)


def _no_verifier(site: AuthlibServer) -> None:
    with session_at(site, "PHONE", code_challenge_method=None) as session:
        sign_in(session)


def _reused_refresh_token(site: AuthlibServer) -> None:
    with session_at(site) as session, session_at(site) as other:
        stored = dict(sign_in(session))
        session.refresh_token()
        other.token = stored
        other.refresh_token()


def _unknown_scope(site: AuthlibServer) -> None:
    with session_at(site, scope="everything") as session:
        session.fetch_token()


def _wrong_password(site: AuthlibServer) -> None:
    with session_at(site) as session:
        by_password(session, "wrong")


def _grant_not_allowed(site: AuthlibServer) -> None:
    with session_at(site, "MODEST") as session:
        session.fetch_token()


def _unknown_grant(site: AuthlibServer) -> None:
    with session_at(site) as session:
        session.fetch_token(grant_type="urn:example:no-such-grant")


def _user_says_no(site: AuthlibServer) -> None:
    with session_at(site) as session:
        sign_in(session, login_hint="mallory")


@pytest.mark.parametrize(
    ("story", "error", "status"),
    [
        (_wrong_secret, "invalid_client", 401),
        (_wrong_posted_secret, "invalid_client", 401),
        (_reused_code, "invalid_grant", 400),
        (_wrong_verifier, "invalid_grant", 400),
        (_no_verifier, "invalid_request", 400),
        (_reused_refresh_token, "invalid_grant", 400),
        (_unknown_scope, "invalid_scope", 400),
        (_wrong_password, "invalid_request", 400),
        (_grant_not_allowed, "unauthorized_client", 400),
        (_unknown_grant, "unsupported_grant_type", 400),
        (_user_says_no, "access_denied", None),
    ],
)
def test_a_refusal(
    site: AuthlibServer, story: Callable[[AuthlibServer], None], error: str, status: int | None
) -> None:
    with pytest.raises(OAuthError) as caught:
        story(site)
    assert (caught.value.error, caught.value.status) == (error, status)


def test_a_dead_refresh_token_is_not_sent_again(site: AuthlibServer) -> None:
    with session_at(site) as session, session_at(site) as other:
        other.token = {**sign_in(session), "expires_at": 1}
        session.revoke_token()
        for _ in range(2):
            with pytest.raises(OAuthError, match="invalid_grant"):
                name_of_user(other, site)
