"""One seed: a world of processes that share a token, and what is promised of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oauth2_sansio.client import Client
from oauth2_sansio.coordinator import RefreshCoordinator
from oauth2_sansio.events import Endpoint
from oauth2_sansio.server import Server
from oauth2_sansio.testing import (
    AuthorizationServer,
    RegisteredClient,
    SeededBytes,
    ServerSettings,
)
from oauth2_sansio.token_record import TokenIdentity

from .books import Books
from .clients import POLICY, ClientProcess
from .store import SimulatedStore
from .world import Rates, World

LIFETIME = 120  # seconds that an access token lives

NOTHING = Rates()
LITTLE = Rates(
    lost_call=0.01,
    lost_answer=0.01,
    delay=0.02,
    crash=0.002,
    cancel=0.004,
    pause=0.002,
    jump=0.001,
    save=0.02,
    server=0.02,
)
MUCH = Rates(
    lost_call=0.05,
    lost_answer=0.05,
    delay=0.05,
    crash=0.01,
    cancel=0.02,
    pause=0.02,
    jump=0.005,
    save=0.1,
    server=0.1,
)
LOST_ANSWERS = Rates(lost_answer=0.2, delay=0.1)
CRASHES = Rates(crash=0.04)
SAVES = Rates(save=0.4, cancel=0.02)
PAUSES = Rates(pause=0.06, delay=0.1)
PROFILES = (NOTHING, LITTLE, LITTLE, MUCH, LOST_ANSWERS, CRASHES, SAVES, PAUSES)

MakeCoordinator = Callable[[TokenIdentity, SeededBytes], RefreshCoordinator]


@dataclass(frozen=True, slots=True)
class Report:
    """What has become of one seed.

    refreshes: how many answers of the server have handed out tokens for a refresh token.
    requests: how many requests with a refresh token have reached it.
    callers, failed: how many asked for a token, and how many of them got an error.
    lost: whether the login has ended in a way that nobody can prevent.
    """

    seed: int
    refreshes: int
    requests: int
    callers: int
    failed: int
    lost: bool


def as_it_is(identity: TokenIdentity, random_bytes: SeededBytes) -> RefreshCoordinator:
    """Make the coordinator of the library."""
    return RefreshCoordinator(identity, policy=POLICY, random_bytes=random_bytes)


def run_seed(
    seed: int,
    make: MakeCoordinator = as_it_is,
    *,
    rates: Rates | None = None,
    rounds: int | None = None,
    trace: Callable[[str], None] | None = None,
) -> Report:
    """Live through the history that belongs to a seed.

    make: makes the coordinator of each process: the library's, or one with a fault.
    rates: what goes wrong, and how often; drawn by the seed where left out.
    Raises `Violation` where a promise is broken.
    """
    world = World(seed, rates or NOTHING, trace)
    draw = world.random
    strict = draw.random() < 0.6
    if rates is None:
        world.rates = draw.choice(PROFILES)
    server = AuthorizationServer(
        clients=[
            RegisteredClient(
                client_id="app", grant_types=("password", "refresh_token"), scope="all"
            )
        ],
        settings=ServerSettings(
            access_token_lifetime=LIFETIME,
            rotation_grace=0 if strict else 1e9,
            passwords={"alice": "secret"},
        ),
        now=lambda: world.now,
        random_bytes=SeededBytes(seed),
    )
    identity = TokenIdentity(issuer=server.issuer, client_id="app", subject="alice")
    store = SimulatedStore(world, identity)
    books = Books(world, store, server, strict)
    client = Client(
        server=Server(issuer=server.issuer, token_endpoint=server.url(Endpoint.TOKEN)),
        client_id="app",
        random_bytes=SeededBytes(seed),
    )
    processes = [
        ClientProcess(world, f"P{number}", books, client, identity, make)
        for number in range(draw.randint(1, 4))
    ]
    _live(world, books, processes, rounds or draw.randint(1, 3))
    _end(world, books, processes, ClientProcess(world, "last", books, client, identity, make))
    sends = [send for sends in books.sends.values() for send in sends]
    return Report(
        seed=seed,
        refreshes=sum(send.successor is not None for send in sends),
        requests=len(sends),
        callers=books.expected,
        failed=books.failed,
        lost=books.lost,
    )


def _live(world: World, books: Books, processes: list[ClientProcess], rounds: int) -> None:
    # The user authorizes; then the token expires again and again, and everybody comes at once.
    draw, rates = world.random, world.rates
    world.rates = NOTHING
    world.start(processes[0], processes[0].log_in(), "login")
    world.run(world.now + 10)
    world.rates = rates
    for _ in range(rounds):
        for process in processes:
            for number in range(draw.randint(1, 3)):
                refused = draw.random() < 0.05 and rates is not NOTHING
                after = LIFETIME + draw.random() * (2 if draw.random() < 0.8 else 40)
                world.at(after, _caller(world, process, number, refused))
        if rates is not NOTHING and draw.random() < 0.3:
            process = draw.choice(processes)
            world.at(LIFETIME + draw.random() * 3, _log_in_anew(world, books, process))
        if rates is not NOTHING and draw.random() < 0.15:
            process = draw.choice(processes)
            world.at(LIFETIME + draw.random() * 6, _log_out(world, books, process))
        world.run(world.now + LIFETIME + 45)


def _end(world: World, books: Books, processes: list[ClientProcess], last: ClientProcess) -> None:
    # Nothing goes wrong any more: all that is left is saved, and a last caller comes.
    world.calm = True
    world.run(world.now + 500)
    for process in processes:
        process.offset = 0.0
        world.start(process, process.close(), "close")
    world.run(world.now + 500)
    before = books.failed
    world.start(last, last.use(), "last")
    world.run(world.now + 500)
    books.close(succeeded=books.failed == before)


def _caller(world: World, process: ClientProcess, number: int, refused: bool) -> Callable[[], None]:
    return lambda: world.start(process, process.use(refused=refused), f"caller {number}")


def _log_out(world: World, books: Books, process: ClientProcess) -> Callable[[], None]:
    def log_out() -> None:
        _revoke(world, books)
        world.start(process, process.log_out(), "logout")

    return log_out


def _log_in_anew(world: World, books: Books, process: ClientProcess) -> Callable[[], None]:
    def log_in() -> None:
        _revoke(world, books)
        world.start(process, process.log_in(), "login anew")

    return log_in


def _revoke(world: World, books: Books) -> None:
    # Many servers end the authorization before when the user authorizes anew; all do at a logout,
    # if they hear of it.
    record = books.store.record
    if record is not None and record.token.refresh_token and world.random.random() < 0.5:
        books.server.revoke(record.token.refresh_token)
        books.revoked = True
