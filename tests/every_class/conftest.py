"""One story, told to every class of the drop-in vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.sessions import KINDS, Kind

from .site import Site, serving

BLOCKING = ("requests", "httpx-sync", "httpx2-sync")
AWAITING = tuple(name for name in KINDS if name not in BLOCKING)
OVER_HTTPX = tuple(name for name in KINDS if name.startswith("httpx"))
LOOPS = ("asyncio", "trio")


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Return the classes of each adapter, in each way that there is."""
    with KINDS[request.param]() as opened:
        yield opened


@pytest.fixture(scope="session")
def one_site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def site(one_site: Site) -> Site:
    """Return a server that has seen nothing yet."""
    one_site.begin_anew()
    return one_site
