"""The drop-in vocabulary of each adapter, at a server that nobody here wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import ClientSecretJWT, PrivateKeyJWT, Server

from . import over_urllib
from .test_strict import CALLBACK, SIGNERS, visit

if TYPE_CHECKING:
    from .authlib_server import AuthlibServer
    from .sessions import Kind

CLIENTS = pytest.mark.parametrize("name", ["APP", "POSTER", "PHONE", *SIGNERS])
WITH_SECRET = pytest.mark.parametrize("name", ["APP", "POSTER", *SIGNERS])
# As users of Authlib have them: they take the secret of the session as their key.
WAYS = {"client_secret_jwt": ClientSecretJWT(), "private_key_jwt": PrivateKeyJWT()}


@dataclass(frozen=True)
class Place:
    """The server, and the classes with which it is reached."""

    site: AuthlibServer
    kind: Kind


@pytest.fixture
def at(site: AuthlibServer, kind: Kind) -> Place:
    return Place(site, kind)


@contextmanager
def session_at(at: Place, name: str = "APP", **settings: Any) -> Iterator[Any]:
    """Return a session that knows the server by its metadata."""
    from . import authlib_server

    registered = getattr(authlib_server, name)
    settings = {
        "client_secret": registered.client_secret or registered.key,
        "token_endpoint_auth_method": registered.method,
        "revocation_endpoint_auth_method": registered.method,
        "scope": "profile",
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
        "server": over_urllib.run(Server.discover(at.site.issuer)),
        **settings,
    }
    with at.kind.session(registered.client_id, **settings) as session:
        if registered.method in WAYS:
            session.register_client_auth_method(WAYS[registered.method])
        yield session


def authorize(session: Any, **arguments: Any) -> str:
    """Send the user to the server; return with what the user comes back."""
    return visit(session.create_authorization_url(**arguments)[0])


def sign_in(session: Any, **arguments: Any) -> Any:
    """Go the whole way to a token for a user."""
    return session.fetch_token(authorization_response=authorize(session, **arguments))


def by_password(session: Any, password: str | None = None) -> Any:
    """Go the short way to a token for a user."""
    from .authlib_server import USER

    right = USER.password if password is None else password
    return session.fetch_token(username=USER.name, password=right)


def name_of_user(session: Any, at: Place, **options: Any) -> object:
    """Ask the API who the user is."""
    answer = session.get(f"{at.site.issuer}/me", **options)
    answer.raise_for_status()
    return answer.json()["name"]


@CLIENTS
def test_code_with_pkce(at: Place, name: str) -> None:
    with session_at(at, name) as session:
        token = sign_in(session)
        assert token["expires_at"] > token["expires_in"]
        assert session.token is token
        assert name_of_user(session, at) == "alice"


@CLIENTS
def test_password(at: Place, name: str) -> None:
    with session_at(at, name) as session:
        by_password(session)
        assert name_of_user(session, at) == "alice"


@WITH_SECRET
def test_client_credentials(at: Place, name: str) -> None:
    with session_at(at, name, scope=["profile", "email"]) as session:
        token = session.fetch_token()
        assert token["scope"] == "profile email"
        assert "refresh_token" not in token
        assert session.introspect_token().json()["sub"] == session.client_id


def test_client_credentials_are_fetched_anew(at: Place) -> None:
    saved: list[dict[str, Any]] = []
    with session_at(at, update_token=lambda token, **_before: saved.append(token)) as session:
        first = session.fetch_token()
        assert session.ensure_active_token()
        first["expires_at"] = 1
        assert session.ensure_active_token()
        assert session.token is saved[0]
        assert saved[0]["access_token"] != first["access_token"]


@CLIENTS
def test_refresh_with_rotation(at: Place, name: str) -> None:
    with session_at(at, name) as session:
        first = dict(sign_in(session))
        renewed = session.refresh_token()
        assert renewed["access_token"] != first["access_token"]
        assert renewed["refresh_token"] != first["refresh_token"]
        assert name_of_user(session, at) == "alice"


def test_an_expired_token_is_renewed_and_saved_before_the_request(at: Place) -> None:
    saved: list[tuple[object, dict[str, Any]]] = []
    with session_at(
        at, update_token=lambda token, **before: saved.append((token, before))
    ) as session:
        first = sign_in(session)
        assert name_of_user(session, at) == "alice"
        assert saved == []
        first["expires_at"] = 1
        assert name_of_user(session, at) == "alice"
        assert saved == [(session.token, {"refresh_token": first["refresh_token"]})]


def test_a_token_that_the_api_refuses_is_renewed_once(at: Place) -> None:
    with session_at(at) as session:
        first = dict(sign_in(session))
        at.site.ledger.expire(first["access_token"])
        answer = session.post(
            f"{at.site.issuer}/me", headers={"X-Kind": "text"}, **{at.kind.content: b"once more"}
        )
        assert answer.json() == {"name": "alice", "sent": "once more"}
        assert session.token is not None
        assert session.token["access_token"] != first["access_token"]


def test_any_number_of_threads_renew_once(at: Place) -> None:
    with session_at(at) as session:
        token = sign_in(session)
        assert name_of_user(session, at) == "alice"
        token["expires_at"] = 1
        before = at.site.ledger.refreshes
        with ThreadPoolExecutor(8) as pool:
            names = list(pool.map(lambda _number: name_of_user(session, at), range(16)))
        assert names == ["alice"] * 16
        assert at.site.ledger.refreshes == before + 1


@CLIENTS
def test_revocation(at: Place, name: str) -> None:
    with session_at(at, name) as session:
        token = sign_in(session)
        answer = session.revoke_token()
        assert (answer.status_code, answer.json()) == (200, {})
        assert session.token is None
        with at.kind.plain() as plain:
            header = {"Authorization": f"Bearer {token['access_token']}"}
            refused = plain.get(f"{at.site.issuer}/me", headers=header, timeout=30)
        assert refused.status_code == 401


@WITH_SECRET
def test_introspection(at: Place, name: str) -> None:
    with session_at(at, name) as session:
        token = sign_in(session)
        said = session.introspect_token(
            token=token["access_token"], token_type_hint="access_token"
        ).json()
        assert (said["active"], said["sub"], said["scope"]) == (True, "alice", "profile")
        assert session.introspect_token(token="unknown").json() == {"active": False}


def test_implicit(at: Place) -> None:
    with session_at(at, "PHONE", response_type="token") as session:
        token = session.token_from_fragment(authorize(session))
        assert token["expires_in"] == "3600"
        assert name_of_user(session, at) == "alice"


def test_a_plain_session_with_the_token(at: Place) -> None:
    if not at.kind.has_auth:
        pytest.skip("this HTTP client has no auth= objects")
    with session_at(at) as session, at.kind.plain() as plain:
        auth = at.kind.auth(sign_in(session), client=session)
        assert name_of_user(plain, at, auth=auth) == "alice"
        assert auth.token is not None
        at.site.ledger.expire(auth.token["access_token"])
        assert name_of_user(plain, at, auth=auth) == "alice"


def test_a_flow_of_the_strict_vocabulary(at: Place) -> None:
    with session_at(at) as session:
        assert session.run(Server.discover(at.site.issuer)) == over_urllib.run(
            Server.discover(at.site.issuer)
        )


@pytest.mark.parametrize(
    ("name", "algorithm"), list(zip(SIGNERS, ("HS256", "ES256", "RS256"), strict=True))
)
def test_a_session_that_asserts(at: Place, name: str, algorithm: str) -> None:
    from . import authlib_server

    registered = getattr(authlib_server, name)
    with at.kind.assertion_session(
        f"{at.site.issuer}/token",
        registered.client_id,
        "alice",
        key=registered.key,
        alg=algorithm,
        scope="profile",
    ) as session:
        assert name_of_user(session, at) == "alice"
        first = session.token["access_token"]
        session.token["expires_at"] = 1
        assert name_of_user(session, at) == "alice"
        assert session.token["access_token"] != first


def test_a_session_that_asserts_what_is_refused(at: Place) -> None:
    from .authlib_server import KEY_SIGNER

    with (
        at.kind.assertion_session(
            f"{at.site.issuer}/token",
            KEY_SIGNER.client_id,
            "mallory",
            key=KEY_SIGNER.key,
            alg="ES256",
        ) as session,
        pytest.raises(at.kind.error, match="invalid_grant"),
    ):
        name_of_user(session, at)


# What the server refuses: the story, and the code and the status of the error.


def _wrong_secret(at: Place) -> None:
    with session_at(at, client_secret="wrong") as session:
        session.fetch_token()


def _wrong_posted_secret(at: Place) -> None:
    with session_at(at, "POSTER", client_secret="wrong") as session:
        session.fetch_token()


def _reused_code(at: Place) -> None:
    with session_at(at) as session:
        callback = authorize(session)
        session.fetch_token(authorization_response=callback)
        session.fetch_token(authorization_response=callback)


def _wrong_verifier(at: Place) -> None:
    with session_at(at) as session:
        callback = authorize(session)
        session.fetch_token(authorization_response=callback, code_verifier="v" * 43)


def _no_verifier(at: Place) -> None:
    with session_at(at, "PHONE", code_challenge_method=None) as session:
        sign_in(session)


def _reused_refresh_token(at: Place) -> None:
    with session_at(at) as session, session_at(at) as other:
        stored = dict(sign_in(session))
        session.refresh_token()
        other.token = stored
        other.refresh_token()


def _unknown_scope(at: Place) -> None:
    with session_at(at, scope="everything") as session:
        session.fetch_token()


def _wrong_password(at: Place) -> None:
    with session_at(at) as session:
        by_password(session, "wrong")


def _grant_not_allowed(at: Place) -> None:
    with session_at(at, "MODEST") as session:
        session.fetch_token()


def _unknown_grant(at: Place) -> None:
    with session_at(at) as session:
        session.fetch_token(grant_type="urn:example:no-such-grant")


def _user_says_no(at: Place) -> None:
    with session_at(at) as session:
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
    at: Place, story: Callable[[Place], None], error: str, status: int | None
) -> None:
    with pytest.raises(at.kind.error) as caught:
        story(at)
    assert (caught.value.error, caught.value.status) == (error, status)


def test_a_dead_refresh_token_is_not_sent_again(at: Place) -> None:
    with session_at(at) as session, session_at(at) as other:
        other.token = {**sign_in(session), "expires_at": 1}
        session.revoke_token()
        for _ in range(2):
            with pytest.raises(at.kind.error, match="invalid_grant"):
                name_of_user(other, at)
