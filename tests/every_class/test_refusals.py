"""What becomes of a resource's refusals, through every class of the drop-in vocabulary."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from oauth2_sansio import DPoP, Repair, Server, new_private_key, read_refusal
from oauth2_sansio.refusals import MOST_REPETITIONS
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient
from oauth2_sansio.testing.loopback import serve
from tests.interop.test_bound_tokens import NONCE, claims_of, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.sessions import Kind

REFUSED = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
LOGIN = {
    "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", acr_values="gold", max_age=5'
}
SCOPE = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="write"'}


@pytest.fixture(scope="module")
def server() -> Iterator[AuthorizationServer]:
    client = RegisteredClient(
        client_id="app", client_secret="secret", grant_types=("client_credentials",)
    )

    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer, clients=[client], now=time.time, lock=threading.RLock()
        )

    with serve(build) as found:
        yield found


def settings(server: AuthorizationServer, **others: Any) -> dict[str, Any]:
    found = Server.from_metadata(
        {"issuer": server.issuer, "token_endpoint": f"{server.issuer}/token"}
    )
    return {"server": found, "grant_type": "client_credentials", **others}


def test_a_nonce_and_then_a_new_token(kind: Kind, server: AuthorizationServer) -> None:
    dpop = DPoP(new_private_key())
    second = {**REFUSED, "DPoP-Nonce": "n-2"}
    with (
        resource((401, NONCE), (401, second), (200, {})) as api,
        kind.session("app", "secret", **settings(server, dpop=dpop)) as session,
    ):
        before = session.fetch_token()["access_token"]
        response = session.post(api.url, **{kind.content: b"important"})
        assert (response.status_code, response.content) == (200, b"POST important")
        assert session.token["access_token"] != before
        proofs = [claims_of(headers) for _, headers in api.seen]
        assert [proof.get("nonce") for proof in proofs] == [None, "n-1", "n-2"]
        assert proofs[0]["ath"] == proofs[1]["ath"] != proofs[2]["ath"]


@pytest.mark.parametrize("is_bound", [False, True])
def test_refusals_without_an_end(kind: Kind, server: AuthorizationServer, is_bound: bool) -> None:
    both = f"{NONCE['WWW-Authenticate']}, {REFUSED['WWW-Authenticate']}"
    answers = [
        (401, {"WWW-Authenticate": both, "DPoP-Nonce": f"n-{number}"}) for number in range(9)
    ]
    more = {"dpop": DPoP(new_private_key())} if is_bound else {}
    with (
        resource(*answers) as api,
        kind.session("app", "secret", **settings(server, **more)) as session,
    ):
        session.fetch_token()
        asked = server.count()
        assert session.get(api.url).status_code == 401
        assert len(api.seen) == (3 if is_bound else 2) <= MOST_REPETITIONS
        assert server.count() - asked == 1


@pytest.mark.parametrize(
    ("status", "headers", "repair"),
    [(401, LOGIN, Repair.STEP_UP), (403, SCOPE, Repair.WIDER_SCOPE), (403, {}, Repair.NOTHING)],
)
def test_what_takes_the_user_is_handed_on(
    kind: Kind,
    server: AuthorizationServer,
    status: int,
    headers: dict[str, str],
    repair: Repair,
) -> None:
    with (
        resource((status, headers)) as api,
        kind.session("app", "secret", **settings(server)) as session,
    ):
        session.fetch_token()
        refusal = read_refusal(session.get(api.url))
        assert refusal is not None
        assert refusal.repair is repair
        assert len(api.seen) == 1


def test_a_refusal_of_a_server_that_a_redirect_led_to(
    kind: Kind, server: AuthorizationServer
) -> None:
    # It has not seen the token, so it says nothing of it.
    with (
        resource((401, REFUSED)) as other,
        resource((302, {"Location": other.url})) as api,
        kind.session("app", "secret", **settings(server)) as session,
    ):
        session.fetch_token()
        asked = server.count()
        assert session.get(api.url, **kind.following).status_code == 401
        assert "authorization" not in other.seen[0][1]
        assert (len(api.seen), len(other.seen), server.count() - asked) == (1, 1, 0)


@pytest.mark.parametrize("way", ["bearer", "renewed before", "bound"])
def test_a_refusal_within_the_server_that_redirects(
    kind: Kind, server: AuthorizationServer, way: str
) -> None:
    # A bound token is first tried with a new proof, since the last one was for another URL.
    refusals, more = [(401, REFUSED)], dict[str, Any]()
    if way == "bound":
        refusals, more = refusals * 2, {"dpop": DPoP(new_private_key())}
    with (
        resource((302, {"Location": "/elsewhere"}), *refusals, (200, {})) as api,
        kind.session("app", "secret", **settings(server, **more)) as session,
    ):
        token = session.fetch_token()
        if way == "renewed before":
            session.token = {**token, "expires_at": 1}
        assert session.get(api.url, **kind.following).status_code == 200
        used = [headers["authorization"] for _, headers in api.seen]
        assert used[0] == used[1] != used[-1]
