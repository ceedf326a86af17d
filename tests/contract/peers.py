"""Other clients, behind the same few words as our drivers, so that the same rule judges them.

Each gets what its users would give it: a timeout, as its library knows it.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import httpx2
import requests

from .credentials import CLIENT_ID, CLIENT_SECRET
from .drivers import PATIENCE, SYSTEM, Driver, Loop, Parser, Run, Story, Trust, finish


class Peer(Driver):
    """A client that others wrote.

    package: by its name in the package index.
    below: the HTTP library, where there is a choice.
    """

    package: str
    below: str = ""
    is_ours = False

    @property
    def is_there(self) -> bool:
        """Whether it is installed."""
        return find_spec(self.package) is not None

    def __str__(self) -> str:
        return f"{self.name} {version(self.package)}{self.below}"


class _Authlib(Peer):
    package = "authlib"

    def __init__(self, module: str, kind: str, like: str, own: tuple[type[Exception], ...]) -> None:
        self.name, self.below = "Authlib", f", {like}"
        self.parser = Parser.HTTP_CLIENT if like == "requests" else Parser.H11
        self._module, self._kind, self._like, self._own = module, kind, like, own

    @property
    def like(self) -> str:
        return self._like

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        errors = importlib.import_module("authlib.common.errors")
        self.family = (errors.AuthlibBaseError, *self._own)
        kind = getattr(importlib.import_module(f"authlib.integrations.{self._module}"), self._kind)
        self._tell(kind, story, deadline, trust)

    @abstractmethod
    def _tell(self, kind: Any, story: Story, deadline: float, trust: Trust | None) -> None: ...


class _AuthlibOverRequests(_Authlib):
    def _tell(self, kind: Any, story: Story, deadline: float, trust: Trust | None) -> None:
        with kind(CLIENT_ID, CLIENT_SECRET, default_timeout=deadline) as session:
            session.verify = True if trust is None else trust.path
            finish(story(Run(_no_flow, session)))


class _AuthlibOverHttpx(_Authlib):
    def _tell(self, kind: Any, story: Story, deadline: float, trust: Trust | None) -> None:
        verify = SYSTEM if trust is None else trust.context
        with kind(CLIENT_ID, CLIENT_SECRET, timeout=deadline, verify=verify) as client:
            finish(story(Run(_no_flow, client)))


class _AuthlibOverAsyncHttpx(_Authlib):
    loop = Loop.ASYNCIO

    def _tell(self, kind: Any, story: Story, deadline: float, trust: Trust | None) -> None:
        verify = SYSTEM if trust is None else trust.context

        async def whole() -> None:
            async with kind(CLIENT_ID, CLIENT_SECRET, timeout=deadline, verify=verify) as client:
                await story(Run(_no_flow, client))

        Loop.ASYNCIO.run(whole)


class _RequestsOAuth2Client(Peer):
    package = "requests_oauth2client"
    name = "requests_oauth2client"
    parser = Parser.HTTP_CLIENT
    like = "requests"

    def tell(self, story: Story, *, deadline: float = PATIENCE, trust: Trust | None = None) -> None:
        module: Any = importlib.import_module("requests_oauth2client")
        errors: Any = importlib.import_module("requests_oauth2client.exceptions")
        self.family = (errors.OAuth2Error, requests.RequestException)
        with requests.Session() as session:
            session.verify = True if trust is None else trust.path
            finish(story(Run(_no_flow, _InOtherWords(module.OAuth2Client, session, deadline))))


class _InOtherWords:
    """The two calls of the table, in the words of requests_oauth2client."""

    def __init__(self, kind: Any, session: requests.Session, deadline: float) -> None:
        self._kind = kind
        self._session = session
        self._options = {"timeout": deadline}

    def fetch_token(
        self, url: str, *, code: str, code_verifier: str, redirect_uri: str, grant_type: str
    ) -> Mapping[str, Any]:
        assert grant_type == "authorization_code"
        token = self._client(url).authorization_code(
            code,
            validate=False,
            requests_kwargs=self._options,
            code_verifier=code_verifier,
            redirect_uri=redirect_uri,
        )
        return {"access_token": token.access_token}

    def refresh_token(self, url: str, *, refresh_token: str) -> Mapping[str, Any]:
        token = self._client(url).refresh_token(refresh_token, requests_kwargs=self._options)
        return {"access_token": token.access_token}

    def _client(self, url: str) -> Any:
        # It refuses plain http, also on the loopback interface, unless it is told to test.
        return self._kind(
            token_endpoint=url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            session=self._session,
            testing=True,
        )


def _no_flow(_flow: object) -> None:
    raise AssertionError("a peer knows no flows")


# Authlib takes httpx2 where that is installed.
_OF_HTTPX = (httpx2.HTTPError, httpx2.InvalidURL)

PEERS: tuple[Peer, ...] = (
    _AuthlibOverRequests(
        "requests_client", "OAuth2Session", "requests", (requests.RequestException,)
    ),
    _AuthlibOverHttpx("httpx_client", "OAuth2Client", "httpx2-sync", _OF_HTTPX),
    _AuthlibOverAsyncHttpx("httpx_client", "AsyncOAuth2Client", "httpx2-asyncio", _OF_HTTPX),
    _RequestsOAuth2Client(),
)
