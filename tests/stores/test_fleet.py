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

import pytest

from oauth2_sansio import Endpoint
from oauth2_sansio.testing import AuthorizationServer, RegisteredClient, ServerSettings
from oauth2_sansio.testing.loopback import serve

from .fleet import KILLED, PROCESSES
from .kinds import SHARED, Kind, Place

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))


@pytest.fixture
def strict_server() -> Generator[AuthorizationServer]:
    def build(issuer: str) -> AuthorizationServer:
        return AuthorizationServer(
            issuer=issuer,
            clients=[RegisteredClient(client_id="app", grant_types=("password", "refresh_token"))],
            settings=ServerSettings(passwords={"alice": "secret"}),
        )

    with serve(build) as server:
        yield server


@pytest.mark.parametrize("kind", SHARED, ids=lambda kind: kind.name)
def test_a_token_outlives_those_who_renew_it(
    kind: Kind, place: Callable[[Kind], Place], strict_server: AuthorizationServer
) -> None:
    where = place(kind)
    seed = random.randrange(2**32) if "FAULT_ROUNDS" in os.environ else 1
    where_it_is = (kind.name, where.folder, where.server)
    address = (strict_server.issuer, strict_server.url(Endpoint.TOKEN))
    how = (str(ROUNDS), str(seed))
    done = subprocess.run(
        [sys.executable, "-m", "tests.stores.fleet", *where_it_is, *address, *how],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rounds) == ROUNDS
    print(f"\n{kind.value}, seed {seed}:", dict(Counter(map(_judge(strict_server), rounds))))


def _judge(server: AuthorizationServer) -> Callable[[dict[str, object]], str]:
    """Return what says how a round has ended, and fails where that must not be."""
    sent = Counter(
        value for entry in server.log for name, value in entry.parameters if name == "refresh_token"
    )

    def judge(one: dict[str, object]) -> str:
        results = one["results"]
        assert isinstance(results, list)
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
