from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from oauth2_sansio.testing import AuthorizationServer, ServerSettings

from .requests_world import running


@pytest.fixture(autouse=True)
def _close_sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close whatever session a test has left open."""
    opened: list[requests.Session] = []
    build = requests.Session.__init__

    def note(self: requests.Session, *arguments: Any) -> None:
        opened.append(self)
        build(self, *arguments)

    monkeypatch.setattr(requests.Session, "__init__", note)
    yield
    for session in opened:
        requests.Session.close(session)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with running(ServerSettings(passwords={"alice": "pass"})) as server:
        yield server
