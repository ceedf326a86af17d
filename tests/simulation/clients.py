"""Processes that share one token: each has a keeper, a coordinator, and callers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar, assert_never

from oauth2_sansio.answers import Answer
from oauth2_sansio.client import Client
from oauth2_sansio.coordinator import RefreshCoordinator, RefreshPolicy
from oauth2_sansio.coordinator_events import (
    CoordinatorAction,
    CoordinatorEvent,
    DeleteRecord,
    LeaseHeld,
    LeaseReleased,
    LeaseTaken,
    LoadRecord,
    RecordDeleted,
    RecordLoaded,
    RecordReplaced,
    ReleaseLease,
    ReplaceRecord,
    SendRequest,
    StoreFailed,
    TakeLease,
    TooLateToSend,
)
from oauth2_sansio.coordinator_table import Coordination
from oauth2_sansio.errors import OAuth2Error, Outcome, TransportError, UnsavedTokenError
from oauth2_sansio.events import (
    Endpoint,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureNeeded,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow, State
from oauth2_sansio.keeper import AwaitRefresh, RefreshIt, SaveIt, TokenKeeper, UseToken
from oauth2_sansio.testing import SeededBytes
from oauth2_sansio.token_record import TokenIdentity
from oauth2_sansio.tokens import OAuth2Token, read_token

from .books import Books, Send, read_outcome
from .world import Await, Call, Cancelled, Operation, Process, Signal, Sleep, Violation, World

T = TypeVar("T")
Doing = Generator[Operation, Any, T]

POLICY = RefreshPolicy(
    deadline=10, lease=30, leeway=20, patience=40, first_pause=1, longest_pause=8
)
LONGEST_WAIT = 30.0  # seconds that a caller waits for its own process
EVERYBODY_IS_DONE = 300.0  # seconds after which no caller may still be without an answer


class ClientProcess(Process):
    """A process with some callers that use one token."""

    def __init__(
        self,
        world: World,
        name: str,
        books: Books,
        client: Client,
        identity: TokenIdentity,
        coordinator: Callable[[TokenIdentity, SeededBytes], RefreshCoordinator],
    ) -> None:
        super().__init__(world, name)
        self._books = books
        self._client = client
        self._identity = identity
        self._make = coordinator
        self._serial = 0
        self.boot()

    def boot(self) -> None:
        """Begin anew, with nothing but what is in the store."""
        self._serial += 1
        seed = self.world.random.getrandbits(32)
        self.coordinator = self._make(self._identity, SeededBytes(seed))
        self._keeper = TokenKeeper(None, self._client.refresh, leeway=POLICY.leeway)
        self._done = Signal()
        self._last: OAuth2Token | None = None
        self._answered_at = 0.0

    # What callers do.

    def use(self, *, refused: bool = False) -> Doing[None]:
        """Use the token, as a caller does.

        refused: whether a resource server then refuses it, so that a new one is needed.
        """
        books = self._books
        books.expected += 1
        began, ended = self.world.now, False
        life = self.life
        try:
            token = yield from self._token(None)
            if refused:
                token = yield from self._token(token.access_token)
            self._keeper.leeway = self.coordinator.leeway(token)
            books.uses(self, token, self._last)
            self._last = token
            ended = True
        except OAuth2Error as error:
            books.ends(self, error, self._answered_at)
            books.failed += 1
            ended = True
        except Cancelled:
            ended = True
            raise
        finally:
            if ended or life != self.life:
                books.answered += 1
            if self.world.now - began > EVERYBODY_IS_DONE:
                raise Violation(f"{self!r} let a caller wait too long")

    def log_in(self) -> Doing[None]:
        """Get a token in another way, as after a user has authorized anew."""
        flow = self._client.password("alice", "secret")
        request = flow.start(self.now())
        assert isinstance(request, RequestToSend)
        answer = self._books.server.send(request)
        try:
            yield from self.keep(answer)
        except OAuth2Error:
            self._books.failed += 1

    def log_out(self) -> Doing[None]:
        """Forget the token, here and in the store."""
        self._keeper.token = None
        try:
            yield from self._drive(self.coordinator.discard())
        except OAuth2Error:
            self._books.failed += 1

    def keep(self, answer: object) -> Doing[None]:
        assert isinstance(answer, ResponseReceived)
        token = read_token(
            Answer(RequestToSend(endpoint=Endpoint.TOKEN, url=""), answer, self.now())
        )
        self._books.issued.append(str(token.access_token))
        self._books.logins.append(str(token.access_token))
        self._books.unsaved.add(str(token.access_token))  # the user has it, saved or not
        if self.coordinator.unsaved is not None:  # nobody needs that one any more
            self._books.unsaved.add(str(self.coordinator.unsaved.access_token))
        self._keeper.arrive(token, self.now())
        try:
            yield from self._drive(self.coordinator.keep(token))
        except UnsavedTokenError:
            self._books.unsaved.add(str(token.access_token))
            raise

    def close(self) -> Doing[None]:
        """Save what is unsaved."""
        try:
            yield from self._drive(self.coordinator.save())
        except OAuth2Error:
            self._books.failed += 1

    # The waiting half, as `waiting.threads` has it.

    def _token(self, rejected: str | None) -> Doing[OAuth2Token]:
        if self._keeper.token is None:
            found = yield from self._drive(self.coordinator.look())
            if self._keeper.token is None:
                self._keeper.token = found
        waited_for, tried_to_save = None, False
        until = self.world.now + LONGEST_WAIT
        while True:
            decision = self._keeper.acquire(
                self.now(), rejected=rejected, waited_for=waited_for, tried_to_save=tried_to_save
            )
            match decision:
                case UseToken(token):
                    return token
                case RefreshIt():
                    return (yield from self._renew(decision, usable=rejected is None))
                case SaveIt():
                    tried_to_save = True
                    yield from self._save(decision)
                case AwaitRefresh(ticket):
                    came = yield Await(self._done, until - self.world.now)
                    if not came:
                        raise TransportError("too late", outcome=Outcome.NOT_SENT)
                    waited_for = waited_for or ticket
                case _:
                    assert_never(decision)

    def _renew(self, decision: RefreshIt, *, usable: bool) -> Doing[OAuth2Token]:
        outcome: OAuth2Token | OAuth2Error | None = None
        saved = True
        flows: list[Flow[OAuth2Token]] = []

        def renew(token: OAuth2Token) -> Flow[OAuth2Token]:
            flows.append(self._client.refresh(token))
            return flows[-1]

        held = self._keeper.token or OAuth2Token()
        run = self.coordinator.renew(held, renew, usable=usable)
        try:
            outcome = yield from self._drive(run)
            assert outcome is not None
        except UnsavedTokenError as error:
            outcome, saved = OAuth2Token(error.token), False
            self._books.unsaved.add(str(outcome.access_token))
            raise
        except OAuth2Error as error:
            outcome = error
            raise
        finally:
            if outcome is None and any(flow.state is not State.READY for flow in flows):
                outcome = TransportError("interrupted", outcome=Outcome.UNKNOWN)
            self._settle(decision.ticket, outcome, saved=saved)
        return outcome

    def _save(self, decision: SaveIt) -> Doing[None]:
        saved, stored = False, None
        try:
            stored = yield from self._drive(self.coordinator.save())
            saved = True
        except UnsavedTokenError:
            pass  # whoever renewed the token was told; this caller uses it all the same
        finally:
            self._settle(decision.ticket, decision.token, saved=saved)
        if stored is not None:
            self._keeper.token = stored

    def _settle(self, ticket: int, outcome: Any, *, saved: bool) -> None:
        self._keeper.settle(ticket, outcome, saved=saved)
        self.world.wake(self._done)

    # The driver.

    def _drive(self, run: Coordination) -> Doing[OAuth2Token | None]:
        try:
            action = run.start(self.now())
            while not isinstance(action, Finished):
                event = yield from self._perform(action)
                action = run.receive(event, self.now())
        except Cancelled:
            self._interrupt(run)
            raise
        return action.result

    def _interrupt(self, run: Coordination) -> None:
        self._books.is_interrupted(self)
        left = run.abandon()
        if left is not None:
            self.world.start(self, self._give_back(left), "abandon")

    def _give_back(self, left: ReleaseLease) -> Doing[None]:
        yield from self._perform(left)

    def _perform(self, action: CoordinatorAction) -> Doing[CoordinatorEvent]:
        store = self._books.store
        match action:
            case TakeLease(_, owner, seconds):
                self._owner = owner
                held = yield _store_call("lease", lambda: store.lease(owner, seconds))
                if isinstance(held, StoreFailed):
                    return held
                return LeaseTaken() if held is None else LeaseHeld(held)
            case LoadRecord():
                found: RecordLoaded | StoreFailed = yield _store_call("load", store.load)
                return found
            case ReplaceRecord(_, content, expected):

                def replace() -> int | None:
                    self._marked_at = self.world.now
                    version = store.replace(content, expected)
                    if version is not None:
                        self._books.writes(self)
                    return version

                version = yield _store_call("replace", replace)
                return version if isinstance(version, StoreFailed) else RecordReplaced(version)
            case ReleaseLease(_, owner):
                done = yield _store_call("release", lambda: store.release(owner))
                return done if isinstance(done, StoreFailed) else LeaseReleased()
            case SendRequest(request, not_after):
                if self.now() > not_after:
                    return TooLateToSend()
                answer: ResponseReceived | RequestFailed = yield self._request(request)
                return answer
            case Wait(seconds):
                yield Sleep(seconds)
                return WaitElapsed()
            case DeleteRecord(_, expected):
                deleted = yield _store_call("delete", lambda: self._books.deletes(expected))
                return deleted if isinstance(deleted, StoreFailed) else RecordDeleted(deleted)
            case SignatureNeeded() | Finished():
                raise AssertionError("no such action comes up in here")
            case _:
                assert_never(action)

    def _request(self, request: RequestToSend) -> Call:
        books, world = self._books, self.world
        refresh_token = dict(request.form)["refresh_token"]
        life, owner, marked_at = self.life, self._owner, self._marked_at
        arrived: list[Send] = []

        def perform() -> ResponseReceived:
            if world.chance(world.rates.server):
                status = world.random.choice((500, 502, 503))
                return ResponseReceived(status=status, headers=(("Retry-After", "2"),))
            answer = books.server.handle(request)
            issued, refused = read_outcome(answer)
            token = read_token(Answer(request, answer, self.now())) if issued else None
            send = Send(self, life, owner, world.now, marked_at, refused, token)
            if token is not None:
                books.issued.append(str(token.access_token))
            books.arrives(refresh_token, send)
            arrived.append(send)
            return answer

        def delivered(_answer: object) -> None:
            for send in arrived:
                send.delivered = True
            self._answered_at = world.now

        return Call(
            "request",
            perform,
            lambda sent: RequestFailed(TimeoutError(), sent=sent or world.random.random() < 0.5),
            slow=2.0,
            delivered=delivered,
        )


def _store_call(name: str, perform: Callable[[], Any]) -> Call:
    return Call(name, perform, lambda _done: StoreFailed(OSError("the store is away")))
