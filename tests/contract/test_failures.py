"""Where no response comes: what is known to be unsent is reported so, and an interruption passes."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest

from oauth2_sansio import OAuth2Error, Outcome, TransportError
from oauth2_sansio.events import Event
from oauth2_sansio.waiting.workers import NAME

from .certificates import Certified
from .credentials import printed, secrets_in
from .drivers import DRIVERS, Driver, Run, Trust
from .observing import Way
from .operations import Operation
from .raw_server import RawServer, scripted
from .scripts import Drip, End, Script
from .spying import collecting, failure_of, token_request, watched

SILENT = Script(end=End.SILENCE)
HANGING = Script((b"HTTP/1.1 200 OK\r\n", Drip(b"A: b\r\n", for_ever=True)))
DRIPPING = Script((b"HTTP/1.1 200 OK\r\n\r\n", Drip(b" ", for_ever=True)))


def fail(driver: Driver, url: str, trust: Trust | None = None) -> tuple[bool, TransportError]:
    """Return what is reported of `sent`, and what the flow ends in."""
    events: list[Event] = []
    errors: list[OAuth2Error] = []

    async def story(run: Run) -> None:
        try:
            await run(watched(token_request(url), events))
        except OAuth2Error as error:
            errors.append(error)

    driver.tell(story, trust=trust)
    (error,) = errors
    assert isinstance(error, TransportError)
    assert "s3cret" not in str(error)
    return failure_of(events).sent, error


def test_a_refused_connection_sends_nothing(driver: Driver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sent, error = fail(driver, f"http://127.0.0.1:{port}/token")
    assert (sent, error.outcome) == (False, Outcome.NOT_SENT)


@contextmanager
def overloaded() -> Generator[str, None, None]:
    """Give the URL of a server that takes no more connections, and does not say so."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/token"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a connection")
@pytest.mark.parametrize(
    ("driver", "way"),
    [
        pytest.param(driver, way, id=f"{driver}-{way.value}")
        for driver in DRIVERS
        for way in Way
        if way is Way.RUN or driver.has_drop_in
    ],
)
def test_a_connection_that_does_not_come_is_given_up(driver: Driver, way: Way) -> None:
    errors: list[OAuth2Error] = []

    async def story(run: Run) -> None:
        try:
            if way is Way.RUN:
                await run(Operation.REDEEM.flow(url))
            else:
                name, arguments = Operation.REDEEM.call()
                await run.call(name, url, **arguments)
        except OAuth2Error as error:
            errors.append(error)

    with overloaded() as url, collecting():
        driver.tell(story, deadline=0.3)
    (error,) = errors
    assert isinstance(error, TransportError)
    assert secrets_in(printed(error)) == []


@pytest.mark.parametrize("fault", ["untrusted", "elsewhere", "expired"])
def test_a_certificate_that_is_no_good_sends_nothing(
    driver: Driver, certified: Certified, fault: str
) -> None:
    context = certified.server if fault == "untrusted" else getattr(certified, fault)
    trust = None if fault == "untrusted" else certified.trust
    with scripted(SILENT, ssl_context=context) as server:
        sent, error = fail(driver, server.url, trust)
    assert (sent, error.outcome) == (False, Outcome.NOT_SENT)
    assert server.requests == []


def test_the_lack_of_an_answer_leaves_the_outcome_open(driver: Driver) -> None:
    with scripted(Script()) as server:
        sent, error = fail(driver, server.url)
    assert (sent, error.outcome) == (True, Outcome.UNKNOWN)
    assert len(server.requests) == 1


def late_calls(before: list[threading.Thread] | None = None) -> list[threading.Thread]:
    """Return the calls that go on in the background; where some did before, without those."""
    found = [each for each in threading.enumerate() if each.name == NAME]
    if before is None:
        return found
    new = [each for each in found if each not in before]
    for each in new:
        each.join(1)  # on its last lines
    return [each for each in new if each.is_alive() and each.name == NAME]


@pytest.mark.parametrize("driver", [each for each in DRIVERS if each.ends_late_calls], ids=str)
@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("script", [SILENT, DRIPPING, HANGING], ids=["silent", "body", "headers"])
def test_nothing_goes_on_in_the_background(
    driver: Driver, script: Script, over_tls: bool, certified: Certified
) -> None:
    before = late_calls()
    left: list[list[threading.Thread]] = []

    async def story(run: Run) -> None:
        with pytest.raises(TransportError):
            await run(token_request(server.url))
        left.append(late_calls(before))

    with scripted(script, ssl_context=certified.server if over_tls else None) as server:
        driver.tell(story, deadline=0.2, trust=certified.trust if over_tls else None)
        assert server.hung_up.wait(20)
    assert left == [[]]


def interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.fixture
def own_handler() -> Generator[None, None, None]:
    """Let Ctrl-C be what it is in any program, whatever the tests run in."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("own_handler")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no such signals")
@pytest.mark.parametrize("script", [SILENT, DRIPPING], ids=["silent", "dripping"])
def test_ctrl_c_passes_through(driver: Driver, script: Script) -> None:
    events: list[Event] = []
    before = late_calls()

    async def story(run: Run) -> None:
        try:
            await run(watched(token_request(server.url), events))
        finally:
            if driver.ends_late_calls:
                assert late_calls(before) == []

    # It comes at any point, also in the middle of what a library would have closed.
    with scripted(script) as server, collecting():
        server.on_request = interrupt
        with pytest.raises(KeyboardInterrupt):
            driver.tell(story)
    assert events == []


@pytest.mark.parametrize("driver", [each for each in DRIVERS if each.loop is not None], ids=str)
@pytest.mark.parametrize("script", [SILENT, DRIPPING], ids=["silent", "dripping"])
def test_cancellation_passes_through_and_closes_the_connection(
    driver: Driver, script: Script
) -> None:
    events: list[Event] = []
    passed: list[bool] = []
    hung_up: list[bool] = []

    async def story(run: Run) -> None:
        loop = driver.loop
        assert loop is not None
        flow = watched(token_request(server.url), events)
        passed.append(await loop.cancel(server.heard, lambda: run(flow)))
        hung_up.append(await loop.in_thread(lambda: server.hung_up.wait(20)))
        following = await run(token_request(server.url))  # the client goes on
        assert following["access_token"] == "honest"

    with scripted(script) as server:
        driver.tell(story)
    assert (passed, hung_up, events) == ([True], [True], [])


def test_a_server_is_told_nothing_twice(driver: Driver) -> None:
    """A request that may have been sent is not sent again, whatever the library would do."""

    def requests_after(script: Script) -> RawServer:
        with scripted(script) as server:
            fail(driver, server.url)
        return server

    for script in (Script(), Script(end=End.RESET), Script((b"HTTP/1.1 20",))):
        assert len(requests_after(script).requests) == 1
