"""Print how many logins each library loses where a refresh token rotates and is used by many.

    python -m benchmarks.reliability

All libraries live through the same: an authorization server on a socket that rotates refresh tokens
and ends a login whose refresh token comes twice (RFC 9700 section 4.14.2).

--threads N     that find an expired token at once (64), --rounds N times (20)
--processes N   that do so (4), --starts N times (5)
--refreshes N   with a fault drawn for each (1000), by --seed N
--only NAME     one library
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import sleep
from typing import Any

import requests

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import (
    AuthorizationServer,
    Misbehaviour,
    RegisteredClient,
    ServerSettings,
)
from oauth2_sansio.testing.loopback import serve

from .programs import CLIENT_ID, LIBRARIES, Library, Place, running

USERS = 25  # whose refreshes with faults go on at once, since much of the time is waiting
TRIES = 3
BETWEEN_TRIES = 1.1  # seconds: a little longer than we let a server rest after its first failure


class Fault(Enum):
    """What goes wrong with a refresh, once; a program that tries again can keep its login."""

    NOTHING = None
    REQUEST_LOST = Misbehaviour.DROP_REQUEST
    ANSWER_LOST = Misbehaviour.DROP_ANSWER_AFTER_ROTATION
    ANSWER_CUT_OFF = Misbehaviour.CUT_JSON
    SERVER_ERROR = Misbehaviour.SERVER_ERROR_500_JSON
    PAGE_OF_A_PROXY = Misbehaviour.HTML_PAGE_IN_200
    SAVING_FAILS = "saving fails"


@dataclass
class Login:
    """A user's login: a server, and a token of it that has expired."""

    server: AuthorizationServer
    place: Place

    def begin(self) -> None:
        """Log in, and keep a token that has expired."""
        form = {"grant_type": "password", "username": "alice", "password": "secret"}
        answer = requests.post(
            self.place.token_endpoint, data={**form, "client_id": CLIENT_ID}, timeout=30
        )
        self.place.write({**answer.json(), "expires_at": 1})

    def expire(self) -> None:
        """Let time go by until the token that is kept has expired."""
        self.place.write({**self.place.read(), "expires_at": 1})

    @property
    def is_lost(self) -> bool:
        """Whether what is kept is good for nothing any more."""
        return not self.server.is_active(self.place.read()["refresh_token"])


@contextmanager
def login(library: Library, *, grace: float = 0) -> Iterator[Login]:
    """Run a server with one user, who has logged in.

    grace: for how many seconds a refresh token may come again.
    """

    def build(issuer: str) -> AuthorizationServer:
        client = RegisteredClient(client_id=CLIENT_ID, grant_types=("password", "refresh_token"))
        settings = ServerSettings(passwords={"alice": "secret"}, rotation_grace=grace)
        return AuthorizationServer(issuer=issuer, clients=[client], settings=settings)

    with serve(build) as server, tempfile.TemporaryDirectory() as folder:
        urls = (server.url(Endpoint.TOKEN), server.url(Endpoint.RESOURCE))
        one = Login(server, Place(Path(folder), *urls, shared=library.shared))
        one.begin()
        yield one


@dataclass(frozen=True)
class Race:
    """What has come of many who renew one token at once, several times."""

    rounds: int
    lost: int
    requests: int

    def __str__(self) -> str:
        return f"{self.lost} of {self.rounds} lost, {self.requests / self.rounds:.0f} requests each"


def threads(library: Library, count: int, rounds: int) -> Race:
    """Let threads of one program find the token expired."""
    lost = requests_sent = 0
    for _ in range(rounds):
        with login(library) as one, running(library, one.place) as program:
            begin = threading.Barrier(count)

            def use() -> None:
                begin.wait()  # noqa: B023 - all of them end within this round
                with suppress(Exception):  # what counts is what becomes of the login
                    program.use()

            started = [threading.Thread(target=use) for _ in range(count)]
            for each in started:
                each.start()
            for each in started:
                each.join()
            lost += one.is_lost
            requests_sent += one.server.count(grant_type="refresh_token")
    return Race(rounds, lost, requests_sent)


def processes(library: Library, count: int, rounds: int) -> Race:
    """Let processes find the token expired that they share."""
    lost = requests_sent = 0
    for _ in range(rounds):
        with login(library) as one:
            place = one.place
            told = [str(place.folder), place.token_endpoint, place.resource]
            command = [sys.executable, "-m", "benchmarks.reliability", "--child"]
            children = [
                subprocess.Popen(
                    [*command, library.build.__name__, *told],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for _ in range(count)
            ]
            for child in children:
                assert child.stdout is not None
                assert child.stdout.readline() == "ready\n"
            for child in children:
                assert child.stdin is not None
                child.stdin.close()
            for child in children:
                child.wait()
                assert child.stdout is not None
                child.stdout.close()
            lost += one.is_lost
            requests_sent += one.server.count(grant_type="refresh_token")
    return Race(rounds, lost, requests_sent)


def child(name: str, folder: str, token_endpoint: str, resource: str) -> None:
    """Be one of the processes: begin when the parent says so."""
    library = LIBRARIES[name]
    place = Place(Path(folder), token_endpoint, resource, shared=library.shared)
    with running(library, place) as program:
        print("ready", flush=True)
        sys.stdin.read()
        with suppress(Exception):  # what counts is what becomes of the login
            program.use()


def with_faults(library: Library, count: int, seed: int) -> Counter[Fault]:
    """Renew a token that often, each time with a fault; return by which one a login was lost."""
    shares = [range(user, count, USERS) for user in range(min(USERS, count))]
    with ThreadPoolExecutor(USERS) as pool:
        lost = pool.map(lambda share: _one_user(library, share, seed), shares)
        return sum(lost, Counter[Fault]())


def _one_user(library: Library, share: range, seed: int) -> Counter[Fault]:
    lost = Counter[Fault]()
    with login(library, grace=60) as one:
        for number in share:
            fault = random.Random(f"{seed} {number}").choice(list(Fault))
            _refresh(library, one, fault)
            if one.is_lost:
                lost[fault] += 1
                one.begin()
            else:
                one.expire()
    return lost


def _refresh(library: Library, one: Login, fault: Fault) -> None:
    # A program starts, finds its token expired, tries again where it gets an error, and ends.
    if isinstance(fault.value, Misbehaviour):
        one.server.misbehave(fault.value, times=1, endpoint=Endpoint.TOKEN)
    one.place.fails = fault is Fault.SAVING_FAILS
    with running(library, one.place) as program:
        for _ in range(TRIES):
            try:
                program.use()
            except Exception:  # noqa: BLE001 - each library has errors of its own
                one.place.fails = False
                sleep(BETWEEN_TRIES)
            else:
                break
    one.place.fails = False
    one.server.behave()


def main(arguments: list[str]) -> int:
    """Measure, and print the table."""
    if arguments[:1] == ["--child"]:
        child(*arguments[1:])
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability")
    for name, default in _NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", choices=LIBRARIES)
    given = parser.parse_args(arguments)
    print(f"logins lost, seed {given.seed}\n")
    for name, library in LIBRARIES.items():
        if given.only not in (None, name):
            continue
        if not library.is_installed:
            print(f"{library.title}: not installed\n")
            continue
        _print(library, given)
    return 0


def _print(library: Library, given: Any) -> None:
    print(library.title)
    print(f"  {given.threads} threads:", threads(library, given.threads, given.rounds))
    print(f"  {given.processes} processes:", processes(library, given.processes, given.starts))
    lost = with_faults(library, given.refreshes, given.seed)
    causes = {fault.name.lower().replace("_", " "): times for fault, times in lost.items()}
    print(f"  refreshes with faults: {lost.total()} of {given.refreshes} lost", json.dumps(causes))
    print(flush=True)


_NUMBERS = {
    "threads": 64,
    "rounds": 20,
    "processes": 4,
    "starts": 5,
    "refreshes": 1000,
    "seed": 1,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
