"""`store=` in every class: sessions that share a store stand for processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oauth2_sansio.errors import StoreError, UnsavedTokenError
from oauth2_sansio.events import Endpoint
from oauth2_sansio.stores import AsyncMemoryStore, MemoryStore
from oauth2_sansio.testing import (
    AuthorizationServer,
    Misbehaviour,
)
from oauth2_sansio.testing.loopback import serve
from tests.interop.sessions import Kind
from tests.password_server import password_server


class Full(MemoryStore):
    """A store whose disk is full, as long as it is told to be."""

    full = False

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        if self.full:
            raise StoreError("the disk is full")
        return super().replace(key, content, expected=expected)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with serve(password_server) as running:
        yield running


def settings(kind: Kind, server: AuthorizationServer, inner: MemoryStore) -> dict[str, Any]:
    return {
        "client_id": "app",
        "token_endpoint": server.url(Endpoint.TOKEN),
        "revocation_endpoint": server.url(Endpoint.REVOCATION),
        "store": inner if kind.portal is None else AsyncMemoryStore(inner),
        "store_key": "alice",
    }


def test_one_renews_and_all_use_it(kind: Kind, server: AuthorizationServer) -> None:
    inner, api = MemoryStore(), server.url(Endpoint.RESOURCE)
    saved: list[str] = []

    def save(token: dict[str, Any], **_replaced: str) -> None:
        saved.append(token["access_token"])

    given = {**settings(kind, server, inner), "update_token": save}
    with kind.session(**given) as first, kind.session(**given) as second:
        fetched = first.fetch_token(username="alice", password="secret")
        assert second.get(api).status_code == 200  # it had no token
        assert second.token["access_token"] == fetched["access_token"]
        server.misbehave(Misbehaviour.RESOURCE_REFUSES_TOKEN, times=1)
        with ThreadPoolExecutor(8) as threads:
            answers = threads.map(lambda each: each.get(api).status_code, [first, second] * 4)
            assert set(answers) == {200}
        assert server.count(grant_type="refresh_token") == 1
        (renewed,) = saved
        held = {each.token["access_token"] for each in (first, second)}
        assert renewed in held <= {renewed, fetched["access_token"]}


def test_a_logout_is_one_for_the_store_too(kind: Kind, server: AuthorizationServer) -> None:
    inner = MemoryStore()
    with kind.session(**settings(kind, server, inner)) as session:
        session.fetch_token(username="alice", password="secret")
        assert inner.load("alice") is not None
        session.revoke_token()
        assert inner.load("alice") is None


def test_what_was_not_stored_is_stored_at_the_end(kind: Kind, server: AuthorizationServer) -> None:
    inner = Full()
    with kind.session(**settings(kind, server, inner)) as session:
        inner.full = True
        with pytest.raises(UnsavedTokenError) as caught:
            session.fetch_token(username="alice", password="secret")
        assert session.token == caught.value.token
        inner.full = False
    assert inner.load("alice") is not None


def test_a_store_needs_to_know_whose_token_it_is(kind: Kind) -> None:
    with pytest.raises(TypeError, match="store= takes issuer= or token_endpoint="):
        kind.client_class("app", store=MemoryStore())
