"""What a client of the drop-in vocabulary has made serves as long as its settings are the same."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oauth2_sansio.dropin.hooks import HookType
from oauth2_sansio.dropin.kept import Kept
from oauth2_sansio.errors import RemoteProtocolError
from oauth2_sansio.events import Endpoint, RequestToSend
from oauth2_sansio.tokens import OAuth2Token
from oauth2_sansio_requests import OAuth2Session

TOKEN_ENDPOINT = "https://as.example/token"
OTHER = "https://other.example/token"


@pytest.fixture
def session() -> Iterator[OAuth2Session]:
    with OAuth2Session(
        "app",
        "secret",
        token_endpoint=TOKEN_ENDPOINT,
        use_mtls_endpoint_aliases=True,
        mtls_endpoint_aliases={"revocation_endpoint": "https://mtls.as.example/revoke"},
        code_challenge_methods_supported=["plain", "S256"],
    ) as session:
        yield session


def asked(session: OAuth2Session) -> RequestToSend:
    renew = session._refreshing(None, None, "", None, None, {})
    action = renew(OAuth2Token(refresh_token="r-1")).start(0.0)
    assert isinstance(action, RequestToSend)
    return action


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def hook(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
    return url, {**headers, "X-Hooked": "1"}, body


def sign(_client: object, _method: str, _uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    return OTHER, {**headers, "Authorization": "own"}, body


def assign(name: str, value: object) -> Callable[[OAuth2Session], None]:
    return lambda session: setattr(session, name, value)


CHANGES: dict[str, tuple[Callable[[OAuth2Session], Any], tuple[str, str, str | None]]] = {
    "client_id": (assign("client_id", "you"), (TOKEN_ENDPOINT, basic("you:secret"), None)),
    "client_secret": (assign("client_secret", "new"), (TOKEN_ENDPOINT, basic("app:new"), None)),
    "a function under the name of a method": (
        lambda session: session.register_client_auth_method(("client_secret_basic", sign)),
        (OTHER, "own", None),
    ),
    "a function as the method": (
        assign("token_endpoint_auth_method", sign),
        (OTHER, "own", None),
    ),
    "other metadata": (
        assign("metadata", {"token_endpoint": OTHER}),
        (OTHER, basic("app:secret"), None),
    ),
    "a member of the metadata": (
        lambda session: session.metadata.update(token_endpoint=OTHER),
        (OTHER, basic("app:secret"), None),
    ),
    "a member of a member": (
        lambda session: session.metadata["mtls_endpoint_aliases"].update(token_endpoint=OTHER),
        (OTHER, basic("app:secret"), None),
    ),
    "a hook": (
        lambda session: session.register_compliance_hook("refresh_token_request", hook),
        (TOKEN_ENDPOINT, basic("app:secret"), "1"),
    ),
    "a hook that nobody has registered": (
        lambda session: session.compliance_hook.update(refresh_token_request=[hook]),
        (TOKEN_ENDPOINT, basic("app:secret"), "1"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_counts_from_the_next_call_on(session: OAuth2Session, change: str) -> None:
    for _ in range(2):
        before = asked(session)
        assert (before.url, before.header("Authorization"), before.header("X-Hooked")) == (
            TOKEN_ENDPOINT,
            basic("app:secret"),
            None,
        )
    do, wanted = CHANGES[change]
    do(session)
    for _ in range(2):
        after = asked(session)
        found = (after.url, after.header("Authorization"), after.header("X-Hooked"))
        assert found == wanted


def test_a_list_in_the_metadata_may_be_changed_in_place(session: OAuth2Session) -> None:
    session.code_challenge_method = "S256"
    url = "https://as.example/authorize"
    assert "code_challenge" in session.create_authorization_url(url)[0]
    session.metadata["code_challenge_methods_supported"].remove("S256")
    with pytest.raises(RemoteProtocolError, match="S256"):
        session.create_authorization_url(url)


def test_as_long_as_nothing_changes_nothing_is_made_anew(session: OAuth2Session) -> None:
    def client(url: str | None, hooks: HookType, auth: object = None) -> object:
        chosen = session._chosen(auth, session.token_endpoint_auth_method)
        return session._client(Endpoint.TOKEN, url, chosen, hooks=hooks)

    first = client(None, HookType.ACCESS_TOKEN_REQUEST)
    assert client(None, HookType.ACCESS_TOKEN_REQUEST) is first
    # Without hooks it is of no account which ones they would be.
    assert client(None, HookType.REFRESH_TOKEN_REQUEST) is first
    assert client(None, HookType.ACCESS_TOKEN_REQUEST, ("app", "secret")) is first
    assert client(OTHER, HookType.ACCESS_TOKEN_REQUEST) is not first
    assert client(None, HookType.ACCESS_TOKEN_REQUEST, ("you", "secret")) is not first


def test_it_shows_no_secret() -> None:
    assert repr(Kept(allow_insecure_http=False, url_allowed=None)) == "<Kept>"
