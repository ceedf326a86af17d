"""Programs that use a token which expires and rotates: the same one over each library.

Each keeps its token where the library's documentation says, and tries nothing that the library does
not do by itself: its users write no locks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from oauth2_sansio.stores import SQLiteStore
from oauth2_sansio_requests import OAuth2Session

CLIENT_ID = "app"
_KEY = "alice"


class Program(Protocol):
    """A program with one token, which threads may share."""

    def use(self) -> None:
        """Send a request with the token; raise where that fails."""
        ...

    def close(self) -> None:
        """End."""
        ...


@dataclass
class Place:
    """Where a program keeps its token, and what it talks to.

    shared: whether a store of ours is there, or a file of JSON.
    fails: whether saving fails for now.
    """

    folder: Path
    token_endpoint: str
    resource: str
    shared: bool = False
    fails: bool = False

    def write(self, token: Mapping[str, Any]) -> None:
        """Keep a token; raise `OSError` where saving fails for now."""
        if self.fails:
            raise OSError("the disk is full")
        if self.shared:
            store = SQLiteStore(self._store_path)
            found = store.load(_KEY)
            content = json.dumps(dict(token)).encode()
            assert store.replace(_KEY, content, expected=0 if found is None else found.version)
            return
        new = self.folder / f"token.{os.getpid()}"
        new.write_text(json.dumps(dict(token)))
        new.replace(self._file_path)

    def read(self) -> dict[str, Any]:
        """Return the token that is kept."""
        if self.shared:
            record = SQLiteStore(self._store_path).load(_KEY)
            assert record is not None  # a login has put it there
            kept: dict[str, Any] = json.loads(record.content)
            return dict(kept.get("token", kept))
        read: dict[str, Any] = json.loads(self._file_path.read_text())
        return read

    def store(self) -> SQLiteStore:
        """Return the store; saving in it fails where that is said."""
        return _Failing(self)

    @property
    def _file_path(self) -> Path:
        return self.folder / "token.json"

    @property
    def _store_path(self) -> Path:
        return self.folder / "tokens.sqlite"


class _Failing(SQLiteStore):
    def __init__(self, place: Place) -> None:
        super().__init__(place.folder / "tokens.sqlite")
        self._place = place

    def replace(self, key: str, content: bytes, *, expected: int) -> int | None:
        # Not the mark before a refresh: where that cannot be written, nothing is sent.
        if self._place.fails and b'"started":null' in content:
            raise OSError("the disk is full")
        return super().replace(key, content, expected=expected)


@dataclass
class _OverSession:
    """Over a session that renews by itself, and raises nothing for an answer that says no."""

    session: Any
    url: str

    def use(self) -> None:
        """Send a request with the token."""
        self.session.get(self.url).raise_for_status()

    def close(self) -> None:
        """Close the session."""
        self.session.close()


def ours_with_store(place: Place) -> Program:
    """Build it over our session for requests, with a store."""
    session = OAuth2Session(
        CLIENT_ID, token_endpoint=place.token_endpoint, store=place.store(), store_key=_KEY
    )
    return _OverSession(session, place.resource)


def ours_without_store(place: Place) -> Program:
    """Build it over our session for requests, with the token in a file."""
    session = OAuth2Session(
        CLIENT_ID,
        token=place.read(),
        token_endpoint=place.token_endpoint,
        update_token=lambda token, **_replaced: place.write(token),
    )
    return _OverSession(session, place.resource)


def authlib_over_requests(place: Place) -> Program:
    """Build it over Authlib's session for requests."""
    from authlib.integrations.requests_client import OAuth2Session as Session

    return _authlib(Session, place)


def authlib_over_httpx(place: Place) -> Program:
    """Build it over Authlib's client for httpx."""
    from authlib.integrations.httpx_client import OAuth2Client

    return _authlib(OAuth2Client, place)


def requests_oauthlib(place: Place) -> Program:
    """Build it over requests-oauthlib."""
    from requests_oauthlib import OAuth2Session as Session

    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the server is on this very machine
    session = Session(
        CLIENT_ID,
        token=place.read(),
        auto_refresh_url=place.token_endpoint,
        auto_refresh_kwargs={"client_id": CLIENT_ID},
        token_updater=place.write,
    )
    return _OverSession(session, place.resource)


def requests_oauth2client(place: Place) -> Program:
    """Build it over requests_oauth2client, which knows no function that saves."""
    import requests
    from requests_oauth2client import BearerToken, OAuth2AccessTokenAuth, OAuth2Client

    kept = place.read()
    token = BearerToken(
        access_token=kept["access_token"],
        refresh_token=kept["refresh_token"],
        expires_at=datetime.fromtimestamp(kept["expires_at"], tz=UTC),
    )
    client = OAuth2Client(place.token_endpoint, client_id=CLIENT_ID, testing=True)

    class Saving(OAuth2AccessTokenAuth):
        """As its documentation says: what is to be kept is kept after each renewal."""

        def renew_token(self) -> None:
            """Renew, and save."""
            super().renew_token()
            new = self.token
            if new is not None and new.expires_at is not None:
                expires_at = int(new.expires_at.timestamp())
                place.write(
                    {
                        "access_token": str(new.access_token),
                        "refresh_token": new.refresh_token,
                        "expires_at": expires_at,
                    }
                )

    session = requests.Session()
    session.auth = Saving(client, token)
    return _OverSession(session, place.resource)


def _authlib(kind: Callable[..., Any], place: Place) -> Program:
    session = kind(
        client_id=CLIENT_ID,
        token=place.read(),
        token_endpoint=place.token_endpoint,
        token_endpoint_auth_method="none",
        update_token=lambda token, **_replaced: place.write(token),
    )
    return _OverSession(session, place.resource)


@dataclass(frozen=True)
class Library:
    """A library, and the program over it.

    module: what has to be installed for it.
    """

    title: str
    module: str
    build: Callable[[Place], Program]
    shared: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it can be measured here."""
        return find_spec(self.module) is not None


LIBRARIES = {
    library.build.__name__: library
    for library in (
        Library("oauth2_sansio, store=", "oauth2_sansio_requests", ours_with_store, shared=True),
        Library("oauth2_sansio, update_token=", "oauth2_sansio_requests", ours_without_store),
        Library("Authlib, requests", "authlib", authlib_over_requests),
        Library("Authlib, httpx", "authlib", authlib_over_httpx),
        Library("requests-oauthlib", "requests_oauthlib", requests_oauthlib),
        Library("requests_oauth2client", "requests_oauth2client", requests_oauth2client),
    )
}


@contextmanager
def running(library: Library, place: Place) -> Iterator[Program]:
    """Run a program from its start to its end."""
    program = library.build(place)
    try:
        yield program
    finally:
        program.close()
