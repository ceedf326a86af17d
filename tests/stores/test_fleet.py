"""The real thing: processes, a real store, a strict server on a socket, and SIGKILL at random.

`FAULT_ROUNDS=200 python -m pytest tests/stores/test_fleet.py -s` runs more of it, by another seed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.loopback import serve
from tests.password_server import password_server

from .kinds import SHARED, Kind, Place

ROOT = Path(__file__).parents[2]
PROCESSES, KILLED = 5, 2
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))


@pytest.fixture
def strict_server() -> Generator[AuthorizationServer]:
    with serve(password_server) as server:
        yield server


over_what_is_shared = pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.name)


def run_fleet(
    where: Place, server: AuthorizationServer, rounds: int, processes: int, killed: int, seed: int
) -> list[dict[str, Any]]:
    """Return what came of each round."""
    address = (server.issuer, server.url(Endpoint.TOKEN))
    numbers = map(str, (rounds, processes, killed, seed))
    where_it_is = (where.kind.name, where.folder, where.server)
    done = subprocess.run(
        [sys.executable, "-m", "tests.stores.fleet", *where_it_is, *address, *numbers],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == rounds
    return found


@over_what_is_shared
def test_a_token_outlives_those_who_renew_it(
    kind: Kind, place: Callable[[Kind], Place], strict_server: AuthorizationServer
) -> None:
    seed = random.randrange(2**32) if "FAULT_ROUNDS" in os.environ else 1
    rounds = run_fleet(place(kind), strict_server, ROUNDS, PROCESSES, KILLED, seed)
    print(f"\n{kind.value}, seed {seed}:", dict(Counter(map(_judge(strict_server), rounds))))


@over_what_is_shared
def test_twelve_processes_with_one_expired_token_send_one_request(
    kind: Kind, place: Callable[[Kind], Place], strict_server: AuthorizationServer
) -> None:
    (one,) = run_fleet(place(kind), strict_server, rounds=1, processes=12, killed=0, seed=12)
    assert strict_server.count(grant_type="refresh_token") == 1
    assert len(one["results"]) == 12
    (token,) = set(one["results"])
    assert strict_server.is_active(token)


def _judge(server: AuthorizationServer) -> Callable[[dict[str, Any]], str]:
    """Return what says how a round has ended, and fails where that must not be."""
    sent = Counter(
        value for entry in server.log for name, value in entry.parameters if name == "refresh_token"
    )

    def judge(one: dict[str, Any]) -> str:
        results: list[str] = one["results"]
        assert PROCESSES - KILLED <= len(results) <= PROCESSES, "every survivor was answered"
        times = sent[str(one["refresh_token"])]
        if times == 1:
            assert len(set(results)) == 1, "one refresh, and all have its token"
            assert server.is_active(str(results[0]))
            return "renewed once"
        # Who has sent it was killed before the answer was safe. No client can heal that with a
        # strict server: one more try, then all are told.
        assert times == 2
        assert set(results) == {"ErrorResponse"}
        return "lost with the one who was killed, and told"

    return judge
