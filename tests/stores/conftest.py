"""What the tests of stores share: servers for the whole run, a place and a key for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from oauth2_sansio.stores import PostgreSQLStore, TokenStore

from .kinds import Kind, Place, open_store
from .servers import postgresql_server, redis_server


@pytest.fixture(scope="session")
def redis_url() -> Generator[str]:
    """Return the URL of a real Redis."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql() -> Generator[str]:
    """Return the connection string of a real PostgreSQL that has the tables."""
    with postgresql_server() as database:
        PostgreSQLStore(database).create_tables()
        yield database


@pytest.fixture
def key() -> str:
    """Return a key that no other test has."""
    return secrets.token_hex(8)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Kind], Place]:
    """Return what makes a place for a kind of store, with the server that it takes."""

    def make(kind: Kind) -> Place:
        server = kind.server
        return Place(kind, str(tmp_path), request.getfixturevalue(server) if server else "")

    return make


@pytest.fixture
def store(place: Callable[[Kind], Place], kind: Kind) -> Generator[TokenStore]:
    """Return a store of the kind that the test is parametrised with."""
    opened = open_store(place(kind))
    yield opened
    opened.close()
