"""What the tests of the coordinator share: values, and a way to tell a story."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oauth2_sansio.client import Client
from oauth2_sansio.coordinator_events import (
    CoordinatorAction,
    CoordinatorEvent,
    LeaseHeld,
    LeaseReleased,
    LeaseTaken,
    RecordLoaded,
    RecordReplaced,
    StoreFailed,
)
from oauth2_sansio.coordinator_policy import Knowledge, RefreshPolicy
from oauth2_sansio.coordinator_table import Coordination, Step
from oauth2_sansio.errors import OAuth2Error
from oauth2_sansio.events import Finished, ResponseReceived
from oauth2_sansio.server import Server
from oauth2_sansio.token_record import TokenIdentity, TokenRecord
from oauth2_sansio.tokens import OAuth2Token

NOW = 1_000_000.0
ME, OTHER = "00" * 12, "ff" * 12  # owners of leases
WHO = TokenIdentity(issuer="https://as.example", client_id="app")
CLIENT = Client(
    server=Server(issuer="https://as.example", token_endpoint="https://as.example/token"),
    client_id="app",
)
TAKEN, RELEASED, FAILED = LeaseTaken(), LeaseReleased(), StoreFailed(OSError("away"))
HELD = LeaseHeld(5.0)


def make(access: str, refresh: str | None = None, life: float = 3600, **more: Any) -> OAuth2Token:
    """Return a token that lives so many seconds from now on."""
    token = OAuth2Token(access_token=access, token_type="Bearer", expires_at=NOW + life, **more)
    if refresh is not None:
        token["refresh_token"] = refresh
    return token


OLD, NEW, OTHERS = make("A", "r1", life=10), make("B", "r2"), make("C", "r3")
EXPIRED = make("A", "r1", life=-10)


def knowledge(**policy: Any) -> Knowledge:
    """Return what a process knows whose random numbers are all 0."""
    return Knowledge(key="k", identity=WHO, policy=RefreshPolicy(**policy), random_bytes=bytes)


def still_unsaved(known: Knowledge) -> OAuth2Token | None:
    """Return the token that still has to be saved."""
    return None if known.unsaved is None else known.unsaved.token


def record(token: OAuth2Token, **members: Any) -> TokenRecord:
    """Return a record of the authorization that these tests are about."""
    return TokenRecord(**{"identity": WHO, "token": token, "lineages": ("first",), **members})


def loaded(token: OAuth2Token | None, version: int = 1, **members: Any) -> RecordLoaded:
    """Return the event for a record that was read; None for no record."""
    if token is None:
        return RecordLoaded(None, 0)
    return RecordLoaded(record(token, **members).to_bytes(), version)


def written(version: int | None) -> RecordReplaced:
    """Return the event for a record that was replaced; None for one that somebody else has."""
    return RecordReplaced(version)


def answer(status: int, body: str) -> ResponseReceived:
    """Return an answer of the token endpoint."""
    headers = (("Content-Type", "application/json"),)
    return ResponseReceived(status=status, headers=headers, body=body.encode())


GRANTED = answer(
    200, '{"access_token":"B","token_type":"Bearer","refresh_token":"r2","expires_in":3600}'
)
INVALID = answer(400, '{"error":"invalid_grant"}')


@dataclass(slots=True)
class Story:
    """What has come of some events."""

    stages: str = ""
    actions: list[CoordinatorAction] = field(default_factory=list[CoordinatorAction])
    result: OAuth2Token | None = None
    error: OAuth2Error | None = None

    def written(self) -> list[TokenRecord]:
        """Return what was to be written into the store."""
        contents = [getattr(action, "content", None) for action in self.actions]
        return [TokenRecord.from_bytes(each, WHO) for each in contents if each is not None]


def tell(step: Step, *events: CoordinatorEvent | float) -> Story:
    """Run a step over events; a number lets so many seconds pass before the next one."""
    run, story, now, stages = Coordination(step), Story(), NOW, list[str]()
    left: list[CoordinatorEvent | float | None] = [None, *events]
    try:
        while left:
            event = left.pop(0)
            if isinstance(event, (int, float)):
                now += event
                continue
            action = run.start(now) if event is None else run.receive(event, now)
            stages.append(run.stage.name.lower())
            story.actions.append(action)
            if isinstance(action, Finished):
                assert not left
                story.result = action.result
    except OAuth2Error as error:
        assert not left
        story.error = error
    story.stages = " ".join(stages)
    return story
