"""The promises, and the books that are kept to see whether they hold.

Every request that reaches the server, every answer that reaches a client and every token that is
used is written down. A second request with one refresh token is right only where nobody could know
what had become of the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from oauth2_sansio.errors import ErrorResponse, OAuth2Error
from oauth2_sansio.events import ResponseReceived
from oauth2_sansio.testing import AuthorizationServer
from oauth2_sansio.testing.ledger import TokenFamily
from oauth2_sansio.token_record import fingerprint
from oauth2_sansio.tokens import OAuth2Token

from .store import SimulatedStore
from .world import Process, Violation, World


@dataclass(eq=False, slots=True)
class Send:
    """One request with a refresh token, as it has reached the server."""

    process: Process
    life: int
    owner: str  # of the lease, which tells one renewal from another
    at: float
    marked_at: float
    refused: bool  # by invalid_grant
    successor: OAuth2Token | None = None
    delivered: bool = False

    @property
    def lives_on(self) -> bool:
        """Whether the process that has sent it knows what has become of it."""
        return self.process.life == self.life


@dataclass(slots=True)
class Books:
    """What has happened, in the world's eyes."""

    world: World
    store: SimulatedStore
    server: AuthorizationServer
    strict: bool  # whether a refresh token that comes twice ends the login
    sends: dict[str, list[Send]] = field(default_factory=dict[str, list[Send]])
    logins: list[str] = field(default_factory=list[str])  # their access tokens, in their order
    issued: list[str] = field(default_factory=list[str])  # access tokens, in their order
    unsaved: set[str] = field(default_factory=set[str])  # access tokens that could not be saved
    ended: list[TokenFamily] = field(default_factory=list["TokenFamily"])  # by a logout
    expected: int = 0  # callers who wait for a token
    answered: int = 0
    failed: int = 0
    revoked: bool = False  # whether a new authorization has ended the one before
    lost: bool = False  # whether the login has ended, as it may under a strict server

    def arrives(self, refresh_token: str, send: Send) -> None:
        """Check a request with a refresh token as it reaches the server."""
        earlier = self.sends.setdefault(refresh_token, [])
        buried_at = self.store.buried_at.get(fingerprint(refresh_token))
        if buried_at is not None and buried_at <= send.marked_at:
            raise Violation(f"{send.process!r} sends a token that was known to be dead")
        for other in earlier:
            if not (other.successor or other.refused):
                continue  # it was not done: whoever comes next may try
            self._check_again(other, send)
        earlier.append(send)

    def _check_again(self, other: Send, send: Send) -> None:
        if other.owner == send.owner:
            raise Violation(f"one renewal of {send.process!r} has sent its token twice")
        if other.delivered and other.lives_on and other.process is send.process:
            raise Violation(f"{send.process!r} sends a token that it has had an answer for")
        if other.delivered and other.successor is not None:
            saved_at = self.store.written_at.get(str(other.successor.access_token))
            if saved_at is not None and saved_at <= send.marked_at:
                raise Violation(f"{send.process!r} sends a token whose successor was in the store")
        if self._disturbed_since(min(other.at, send.marked_at)):
            return  # a process that has slept, or whose clock was set, may have lost its lease
        if not other.lives_on:
            return
        leased_until = self.store.lease_until if self.store.owner == other.owner else 0.0
        if leased_until > self.world.now:
            raise Violation(f"{send.process!r} sends while {other.process!r} has the lease")
        successor = other.successor if other.delivered else None
        if successor is not None and str(successor.access_token) not in self.unsaved:
            raise Violation(f"{send.process!r} sends what {other.process!r} has renewed")

    def _disturbed_since(self, moment: float) -> bool:
        return self.world.disturbed >= moment - 60

    def uses(self, process: Process, token: OAuth2Token, before: OAuth2Token | None) -> None:
        """Check a token that a caller is about to use.

        before: the token that this process has used last.
        """
        access = str(token.access_token)
        if access not in self.store.written_at and access not in self.unsaved:
            raise Violation(f"{process!r} uses a token before it is saved")
        if before is None or not self.strict or access in self.logins:
            return  # what the user has assigned counts for this process
        last, one = str(before.access_token), self.server.token(access)
        other = self.server.token(last)
        assert one is not None  # all come from this server
        assert other is not None
        is_older = self.issued.index(access) < self.issued.index(last)
        if one.family is other.family and is_older:
            raise Violation(f"{process!r} goes back to an older token")

    def writes(self, process: Process) -> None:
        """Check the record that was just written."""
        record = self.store.record
        assert record is not None  # it was just written
        family = self._family(record.token)
        if family not in self.ended:
            return
        if str(record.token.access_token) not in self.logins:
            raise Violation(f"{process!r} brings back a login that was ended")
        self.ended.remove(family)  # its user was told that it was not saved

    def deletes(self, expected: int) -> bool:
        """Let somebody delete the record, and note which login that has ended."""
        record = self.store.record
        deleted = self.store.delete(expected)
        if record is not None and deleted:
            self.ended.append(self._family(record.token))
        return deleted

    def _family(self, token: OAuth2Token) -> TokenFamily:
        issued = self.server.token(str(token.access_token))
        assert issued is not None  # all come from this server
        return issued.family

    def is_interrupted(self, process: Process) -> None:
        """Note that a process could not save what it has got, since it was interrupted."""
        for sends in self.sends.values():
            for send in sends:
                if send.process is process and send.delivered and send.successor is not None:
                    self.unsaved.add(str(send.successor.access_token))

    def ends(self, process: Process, error: OAuth2Error, answered_at: float) -> None:
        """Check an error that a caller gets.

        answered_at: when the process has got its last answer from the server.
        """
        if not isinstance(error, ErrorResponse):
            return
        record = self.store.record
        if record is None or not record.token.refresh_token:
            return
        written = self.store.written_at[str(record.token.access_token)]
        if self.server.is_active(record.token.refresh_token) and written < answered_at:
            raise Violation(f"{process!r} calls a login dead whose token is in the store")

    def close(self, *, succeeded: bool) -> None:
        """Check the end: no token is lost that could have been kept.

        succeeded: whether the last caller got a token, once nothing went wrong any more.
        """
        if self.expected != self.answered:
            raise Violation(f"{self.expected - self.answered} callers were never answered")
        record = self.store.record
        if record is None:
            if succeeded or not self.ended:
                raise Violation("there is no record, and nobody has deleted it, or it is used")
            return  # somebody has logged out, and nobody logged in again
        alive = [send for sends in self.sends.values() for send in sends if self._is_alive(send)]
        if succeeded:
            return
        self.lost = True
        stored = record.token.refresh_token
        if stored is not None and self.server.is_active(stored):
            raise Violation("the stored token is alive, and the last caller got none")
        for send in alive:
            if send.delivered and send.lives_on:
                raise Violation(f"{send.process!r} had a token that lives, and lost it")
        if not self.strict and not self.revoked:
            raise Violation("a server with a period of grace was not enough")

    def _is_alive(self, send: Send) -> bool:
        successor = send.successor
        if successor is None or successor.refresh_token is None:
            return False
        issued = self.server.token(successor.refresh_token)
        stored = [login for login in self.logins if login in self.store.written_at]
        newest = self.server.token(stored[-1])
        assert issued is not None  # both come from this server
        assert newest is not None
        # What an earlier authorization has given nobody needs any more.
        return issued.family is newest.family and self.server.is_active(issued.value)


def read_outcome(answer: ResponseReceived) -> tuple[bool, bool]:
    """Say whether an answer hands out tokens, and whether it is an invalid_grant."""
    return answer.status == 200, answer.status == 400 and b"invalid_grant" in answer.body
