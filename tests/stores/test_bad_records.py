"""A session whose store holds what it cannot use, is full, or is away: nothing is lost or overwritten."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from oauth2_sansio import Endpoint, OAuth2Token, StoreError, UnsavedTokenError
from oauth2_sansio.stores import (
    EncryptedStore,
    FileStore,
    PostgreSQLStore,
    RedisStore,
    SQLiteStore,
    TokenStore,
    generate_key,
)
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.loopback import serve
from oauth2_sansio.token_record import TokenIdentity, TokenRecord
from oauth2_sansio_requests import OAuth2Session
from tests.password_server import password_server

from .servers import closed_port

KEY = "alice"
OTHER = TokenIdentity(issuer="https://other.example", client_id="app", subject=KEY)
FOREIGN = TokenRecord(identity=OTHER, token=OAuth2Token(access_token="theirs")).to_bytes()
NEWER = json.dumps({"format": 99, "whatever": "comes"}).encode()


@pytest.fixture
def server() -> Generator[AuthorizationServer]:
    with serve(password_server) as running:
        yield running


def session(server: AuthorizationServer, store: TokenStore, **more: Any) -> OAuth2Session:
    return OAuth2Session(
        "app", token_endpoint=server.url(Endpoint.TOKEN), store=store, store_key=KEY, **more
    )


def log_in(one: OAuth2Session) -> OAuth2Token:
    return one.fetch_token(username="alice", password="secret")


def use(server: AuthorizationServer, one: OAuth2Session) -> int:
    return one.get(server.url(Endpoint.RESOURCE)).status_code


@pytest.mark.parametrize(
    ("content", "error", "advice"),
    [
        pytest.param(b"\x00 no JSON", "damaged_record", "delete the record", id="damaged"),
        pytest.param(FOREIGN, "foreign_record", "a key of its own", id="foreign"),
        pytest.param(NEWER, "newer_record", "upgrade oauth2_sansio", id="newer"),
        pytest.param(None, "damaged_record", "that it was encrypted with", id="undecryptable"),
    ],
)
def test_a_record_that_cannot_be_used(
    server: AuthorizationServer, tmp_path: Path, content: bytes | None, error: str, advice: str
) -> None:
    inner = SQLiteStore(tmp_path / "tokens.sqlite")
    old, new = generate_key(), generate_key()
    store = EncryptedStore(inner, [old])
    first = session(server, store)
    log_in(first)
    if content is None:  # another program has encrypted it with a key that nobody else has
        content, writer = b"secret", EncryptedStore(inner, [new])
    else:
        writer = store
    held = inner.load(KEY)
    assert held is not None
    assert writer.replace(KEY, content, expected=held.version) is not None
    bad = inner.load(KEY)

    assert use(server, first) == 200  # the token in memory is good
    for one in (first, session(server, store)):
        with pytest.raises(StoreError) as caught:
            one.refresh_token() if one is first else use(server, one)
        assert caught.value.error == error
        assert advice in str(caught.value)
    assert use(server, first) == 200
    with pytest.raises(UnsavedTokenError) as unsaved:
        log_in(first)
    assert use(server, first) == 200  # by the token that is still to be saved
    assert inner.load(KEY) == bad  # nothing was overwritten
    assert server.count(grant_type="refresh_token") == 0

    assert bad is not None
    assert inner.delete(KEY, expected=bad.version)  # as the advice says
    first.close()
    last = session(server, store)
    assert use(server, last) == 200
    assert last.token == unsaved.value.token


@pytest.mark.parametrize("kind", [FileStore, SQLiteStore], ids=["file", "sqlite"])
def test_a_folder_that_cannot_be_written(
    server: AuthorizationServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Callable[[Path], TokenStore],
) -> None:
    """A full disk, by `fsync`: tests/stores/test_processes.py has one that is full indeed."""
    folder = tmp_path / "private"
    store = kind(folder / "tokens")
    first = session(server, store)
    log_in(first)
    before = store.load(KEY)

    def full(*_arguments: object, **_options: object) -> None:
        if kind is FileStore:
            raise OSError(28, "No space left on device")
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(*((os, "fsync") if kind is FileStore else (sqlite3, "connect")), full)
        with pytest.raises(StoreError, match="No space left|disk is full"):
            first.refresh_token()
        assert server.count(grant_type="refresh_token") == 0  # nothing could be noted before
        assert use(server, first) == 200
    assert store.load(KEY) == before
    first.close()
    with session(server, store) as second:
        second.refresh_token()
    assert server.count(grant_type="refresh_token") == 1


@pytest.mark.parametrize("which", ["redis", "postgresql"])
def test_a_store_that_is_away(server: AuthorizationServer, which: str) -> None:
    with closed_port() as port:
        store: TokenStore
        if which == "redis":
            store = RedisStore(f"redis://127.0.0.1:{port}/0", timeout=1)
        else:
            store = PostgreSQLStore(f"host=127.0.0.1 port={port} sslmode=disable", timeout=1)
        one = session(server, store)
        with pytest.raises(StoreError, match="failed"):
            use(server, one)
        with pytest.raises(UnsavedTokenError) as caught:
            log_in(one)
        assert one.token == caught.value.token
        assert use(server, one) == 200
        with pytest.raises(UnsavedTokenError):
            one.close()
        assert one.token == caught.value.token
