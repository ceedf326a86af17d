"""A store in memory that is perfect: what goes wrong is the world's business."""

from __future__ import annotations

from oauth2_sansio.coordinator_events import RecordLoaded
from oauth2_sansio.token_record import TokenIdentity, TokenRecord

from .world import World


class SimulatedStore:
    """One record, with a version and a lease, and the history of what was written."""

    def __init__(self, world: World, identity: TokenIdentity) -> None:
        self._world = world
        self._identity = identity
        self.content: bytes | None = None
        self.version = 0  # of the record; 0 where there is none
        self._last_version = 0  # none comes again
        self.record: TokenRecord | None = None
        self.written_at: dict[str, float] = {}  # access tokens, and when each was first written
        self.buried_at: dict[str, float] = {}  # dead refresh tokens, and when that was written
        self.owner: str | None = None
        self.lease_until = 0.0

    def load(self) -> RecordLoaded:
        return RecordLoaded(self.content, self.version)

    def replace(self, content: bytes, expected: int) -> int | None:
        if expected != self.version:
            return None
        self.content = content
        self._last_version += 1
        self.version = self._last_version
        self.record = TokenRecord.from_bytes(content, self._identity)
        self.written_at.setdefault(str(self.record.token.access_token), self._world.now)
        if self.record.dead is not None:
            self.buried_at.setdefault(self.record.dead.fingerprint, self._world.now)
        return self.version

    def delete(self, expected: int) -> bool:
        if self.record is None or expected != self.version:
            return False
        self.content = self.record = None
        self.version = 0
        return True

    def lease(self, owner: str, seconds: float) -> float | None:
        now = self._world.now
        if self.owner not in (None, owner) and self.lease_until > now:
            return self.lease_until - now
        self.owner, self.lease_until = owner, now + seconds
        return None

    def release(self, owner: str) -> None:
        if self.owner == owner:
            self.owner = None
