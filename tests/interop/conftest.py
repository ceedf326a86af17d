"""The server for these tests: one for all of them, since starting it takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .drivers import DRIVERS, Run
from .sessions import KINDS, Kind

if TYPE_CHECKING:
    from .authlib_server import AuthlibServer


@pytest.fixture(scope="session", params=DRIVERS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Return what drives flows, in each way that there is."""
    with DRIVERS[request.param]() as driver:
        yield driver


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Return the classes of each adapter, in each way that there is."""
    with KINDS[request.param]() as opened:
        yield opened


@pytest.fixture(scope="session")
def site() -> Iterator[AuthlibServer]:
    """Return a server that was built with Authlib, and serves on a loopback port."""
    for name in ("authlib", "flask"):
        pytest.importorskip(name, reason=f"{name} is not installed: see the group `interop`")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTHLIB_INSECURE_TRANSPORT", "true")  # http, on the loopback interface
        from .authlib_server import AuthlibServer

        server = AuthlibServer()
        with server.serve():
            yield server
