"""A fleet of processes that share one token, some of which are killed in the middle of renewing it.

`python -m tests.stores.fleet KIND FOLDER SERVER ISSUER TOKEN_ENDPOINT ROUNDS PROCESSES KILLED SEED`
prints a line of JSON for each round: the refresh token that was to be used, and what came of it in
each process.
"""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import dataclass
from signal import SIGKILL
from time import sleep
from typing import TextIO

from oauth2_sansio import Client, OAuth2Error, OAuth2Token, Server, TokenKeeper, drive
from oauth2_sansio.command_line.over_urllib import UrllibSender
from oauth2_sansio.coordinator import RefreshCoordinator, RefreshPolicy
from oauth2_sansio.flow import Flow
from oauth2_sansio.stores import TokenStore
from oauth2_sansio.token_record import TokenIdentity
from oauth2_sansio.waiting import clock
from oauth2_sansio.waiting.coordinated import CoordinatedThreads

from .kinds import Kind, Place, open_store

POLICY = RefreshPolicy(deadline=5, lease=6, patience=60)


@dataclass
class Fleet:
    """What its processes have in common."""

    client: Client
    store: TokenStore
    sending: int = -1  # where its processes say that they are about to send

    def drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        """Run a flow over the network."""
        return drive(flow, UrllibSender(deadline=POLICY.deadline).send, clock.sleep, clock.now)

    def tell_and_drive(self, flow: Flow[OAuth2Token]) -> OAuth2Token:
        """Send, and tell the parent before that who sends, and once the answer is there."""
        line = f"{os.getpid()}\n".encode()
        os.write(self.sending, line)
        token = self.drive(flow)
        os.write(self.sending, line)
        return token

    def process(self, key: str, token: OAuth2Token) -> CoordinatedThreads:
        """Return what one process has of its own."""
        identity = TokenIdentity(issuer=self.client.server.issuer or "", client_id="app")
        return CoordinatedThreads(
            TokenKeeper(token, self.client.refresh),
            self.tell_and_drive,
            lambda _token, _previous: None,
            store=self.store,
            coordinator=RefreshCoordinator(identity, policy=POLICY, key=key),
            renew=self.client.refresh,
            deadline=POLICY.patience,
        )

    def round(
        self, key: str, chance: random.Random, processes: int, killed: int
    ) -> dict[str, object]:
        """Let all processes renew an expired token at once, and kill some of them."""
        token = self.drive(self.client.password("alice", "secret"))
        token["expires_at"] = 1
        self.process(key, token).keep(token)
        reading, writing = os.pipe()
        about_to_send, self.sending = os.pipe()
        children = [self._fork(key, token, writing) for _ in range(processes)]
        os.close(writing)
        os.close(self.sending)
        with os.fdopen(about_to_send) as senders:
            self._kill(children, killed, senders, chance)
        for child in children:
            os.waitpid(child, 0)
        with os.fdopen(reading) as told:
            return {"refresh_token": token["refresh_token"], "results": told.read().split()}

    def _kill(
        self, children: list[int], count: int, senders: TextIO, chance: random.Random
    ) -> None:
        # At any time; or one that sends, or has its answer and saves it.
        alive = list(children)
        for _ in range(count):
            victim = chance.choice(alive)
            if chance.random() < 0.5:
                sleep(chance.uniform(0, 0.06))
            else:
                lines = [senders.readline() for _ in range(chance.choice((1, 2, 2)))]
                sender = int(lines[-1] or 0)  # an empty line where all have ended
                victim = sender if sender in alive else victim
                sleep(chance.choice((0, 0.005)))
            os.kill(victim, SIGKILL)
            alive.remove(victim)

    def _fork(self, key: str, token: OAuth2Token, writing: int) -> int:
        child = os.fork()
        if child == 0:
            try:
                result = str(self.process(key, token).token()["access_token"])
            except OAuth2Error as error:
                result = type(error).__name__
            os.write(writing, f"{result}\n".encode())
            os._exit(0)
        return child


if __name__ == "__main__":
    kind, folder, server, issuer, endpoint, *numbers = sys.argv[1:]
    rounds, processes, killed, seed = map(int, numbers)
    fleet = Fleet(
        Client(server=Server(issuer=issuer, token_endpoint=endpoint), client_id="app"),
        open_store(Place(Kind[kind], folder, server)),
    )
    its_chance = random.Random(seed)
    for number in range(rounds):
        one = fleet.round(f"{seed}/{number}", its_chance, processes, killed)
        print(json.dumps(one), flush=True)
