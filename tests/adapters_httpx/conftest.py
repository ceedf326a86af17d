from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from oauth2_sansio.testing import AuthorizationServer

from .drivers import DRIVERS, Driver, running


@pytest.fixture(params=DRIVERS, ids=str)
def driver(request: pytest.FixtureRequest) -> Driver:
    found = request.param
    assert isinstance(found, Driver)
    return found


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with running() as found:
        yield found


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run each story with its driver."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    driver = arguments["driver"]
    assert isinstance(driver, Driver)
    driver.run(lambda: pyfuncitem.obj(**arguments))
    return True
