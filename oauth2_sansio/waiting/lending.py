"""Tokens of `auth=` objects: each has one of its own, or shares that of a client, which renews it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from weakref import WeakSet

from ..dropin.hooks import HookType
from ..dropin.vocabulary import Vocabulary, read_given_token
from ..errors import InvalidTokenError, LocalProtocolError
from ..events import Endpoint
from ..flow import Flow
from ..keeper import TokenKeeper, UseToken
from ..resource import TokenPlacement
from ..tokens import OAuth2Token
from .clock import now
from .threads import ThreadFlight

if TYPE_CHECKING:
    from ..dpop import DPoP
    from ..dropin.binding import BoundToken
    from ..dropin.signing import Sign
    from .tasks import TaskFlight


class RenewingClient(Protocol):
    """A client that renews tokens: one of the classes of the adapters."""

    token: Any

    @property
    def dpop(self) -> DPoP | None:
        """The key that the client's tokens are bound to."""
        ...

    @property
    def sign(self) -> Sign | None:
        """What signs with keys that are elsewhere."""
        ...

    def keeper_and_flight(self) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return what decides about the client's token."""
        ...

    def keeper_and_flight_of(
        self, token: Mapping[str, Any], auth: LentToken
    ) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return the same for a token of somebody's own, which the client renews and saves."""
        ...

    def protected_request_hooks(self) -> tuple[Any, ...]:
        """Return the hooks that see each request with the token in it."""
        ...


class LentToken:
    """Know which token is to be used: the base of each adapter's `OAuth2Auth`.

    token: a dict; None for whatever token the client has at the time.
    token_placement: `header`, `body` or `uri`.
    client: a client that renews the token when it has expired, and saves it.
    dpop: the key that the token is bound to; the client's where it is left out.
    sign: signs with that key where it is elsewhere; the client's where it is left out.
    """

    _keeper: TokenKeeper | None = None
    _flight: ThreadFlight | TaskFlight | None = None

    def __init__(
        self,
        token: Mapping[str, Any] | None,
        token_placement: str = "header",
        client: Any = None,
        *,
        dpop: DPoP | None = None,
        sign: Sign | None = None,
    ) -> None:
        self.token_placement = TokenPlacement(token_placement).value
        self.client: RenewingClient | None = client
        self.dpop = dpop if dpop is not None or client is None else client.dpop
        self.sign = sign if sign is not None or client is None else client.sign
        if client is None:
            self._keeper = TokenKeeper(read_given_token(token), _no_renewal)
        elif token is not None:
            self._keeper, self._flight = client.keeper_and_flight_of(token, self)

    def __getstate__(self) -> NoReturn:
        raise TypeError("an OAuth2Auth holds a token and cannot be pickled or copied: store that")

    def __call__(self, request: Any, /) -> Any:
        """Refuse a client of another library: that would call this object with its request."""
        raise foreign_auth(type(request).__module__.partition(".")[0])

    @property
    def token(self) -> OAuth2Token | None:
        """The current token."""
        return self._decides().token

    @token.setter
    def token(self, token: Mapping[str, Any]) -> None:
        self.set_token(token)

    def set_token(self, token: Mapping[str, Any]) -> None:
        """Take another token: for the client too, where this is the client's."""
        if self.client is not None and self._keeper is None:
            self.client.token = token
        elif self.client is not None:
            self._keeper, self._flight = self.client.keeper_and_flight_of(token, self)
        else:
            self._decides().token = read_given_token(token)

    @property
    def flight(self) -> ThreadFlight | TaskFlight | None:
        """What renews the token; None where nothing does."""
        if self._keeper is None and self.client is not None:
            return self.client.keeper_and_flight()[1]
        return self._flight

    def _decides(self) -> TokenKeeper:
        if self._keeper is None and self.client is not None:
            return self.client.keeper_and_flight()[0]
        assert self._keeper is not None  # without a client there is one from the start
        return self._keeper

    def _ready(self) -> tuple[str | None, OAuth2Token | None]:
        # The common case: a fresh token in the header, and nobody who wants to see the request. Then
        # it is the header that is ready; or the token, where it is bound to a key.
        client = self.client
        if self.token_placement == "header" and (
            client is None or not client.protected_request_hooks()
        ):
            keeper, at = self._keeper or self._decides(), now()
            header = keeper.header(at)
            return header, keeper.fresh(at) if header is None else None
        return None, None

    def _bound(self, token: OAuth2Token) -> BoundToken | None:
        return bound(token, self.token_placement, self.dpop, self.sign)

    def _blocking_token(self, rejected: str | None) -> OAuth2Token:
        match self.flight:
            case None:
                return self._unrenewable_token(rejected)
            case ThreadFlight() as flight:
                return flight.token(rejected=rejected)
            case _:
                raise _wrong_colour("an asynchronous", "a blocking")

    async def _awaited_token(self, rejected: str | None) -> OAuth2Token:
        match self.flight:
            case None:
                return self._unrenewable_token(rejected)
            case ThreadFlight():
                raise _wrong_colour("a blocking", "an asynchronous")
            case flight:
                return await flight.token(rejected=rejected)

    def _unrenewable_token(self, rejected: str | None) -> OAuth2Token:
        # The keeper says what is wrong with the token, since nothing can be done about it.
        decision = self._decides().acquire(now(), rejected=rejected)
        assert isinstance(decision, UseToken)  # `_no_renewal` has raised otherwise
        return decision.token


class Lending(Vocabulary):
    """What a client does for the `auth=` objects that were made with it."""

    _flight: Any  # what renews this client's token, for threads or for tasks
    _is_shared = False  # whether an `auth=` object holds on to the keeper of this client's token
    _renewed_here: WeakSet[LentToken] | None = None  # few clients need it

    @abstractmethod
    def _prepare_flight(self) -> None: ...

    @abstractmethod
    def _new_flight(self, keeper: TokenKeeper) -> ThreadFlight | TaskFlight: ...

    @property
    def token(self) -> OAuth2Token | None:
        """The current token, or None. It may be set to any dict."""
        return self._keeper.token

    @token.setter
    def token(self, token: Mapping[str, Any] | None) -> None:
        given = read_given_token(token)
        if given != self._keeper.token:
            self._leave_to_others()
        self._keeper.token = given

    def _now(self) -> float:
        return now()

    def _arrive(self, token: OAuth2Token, now: float) -> None:
        self._leave_to_others()
        super()._arrive(token, now)

    def _leave_to_others(self) -> None:
        # Another user's token is about to come. The `auth=` objects that were made with the one
        # before go on with that one, and with its renewals.
        if self._is_shared:
            self._is_shared = False
            self._hold_token(None, self.leeway)
            self._prepare_flight()

    def _hold_token(self, token: Mapping[str, Any] | None, leeway: float) -> None:
        def renew(stale: OAuth2Token) -> Flow[OAuth2Token]:
            is_own = self._keeper is keeper
            return self._renewal(stale) if is_own else self._renewal_of_another(stale)

        keeper = self._keeper = TokenKeeper(read_given_token(token), renew, leeway=leeway)

    def keeper_and_flight(self) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return what decides about this client's token."""
        return self._keeper, self._flight

    def keeper_and_flight_of(
        self, token: Mapping[str, Any], auth: LentToken
    ) -> tuple[TokenKeeper, ThreadFlight | TaskFlight]:
        """Return the same for a token of somebody's own, which this client renews and saves.

        token: where it is this client's at present, the two are renewed as one.
        auth: who uses it; what is unsaved of it is saved when this client is closed.
        """
        renewed_here = self._renewed_here
        if renewed_here is None:
            # In one step: of two threads, one must not undo what the other has added.
            renewed_here = vars(self).setdefault("_renewed_here", WeakSet())
        renewed_here.add(auth)
        if token == self._keeper.token:
            self._is_shared = True
            return self.keeper_and_flight()
        own = OAuth2Token(token)
        keeper = TokenKeeper(own, self._renewal_of(own), leeway=self.leeway)
        return keeper, self._new_flight(keeper)

    def protected_request_hooks(self) -> tuple[Callable[..., Any], ...]:
        """Return the hooks that see each request with the token in it."""
        if not self.compliance_hook:
            return ()
        return self.compliance_hook.of(HookType.PROTECTED_REQUEST)

    def _flights(self) -> list[Any]:
        # Those that may have to save something before this client is closed.
        own = {auth.flight for auth in tuple(self._renewed_here or ())}
        return [self._flight, *(own - {self._flight})]


def _no_renewal(_token: object) -> NoReturn:
    raise InvalidTokenError(
        "the token has expired or was refused, and there is no client to renew it",
        endpoint=Endpoint.RESOURCE,
        advice="pass client= to OAuth2Auth, or a new token",
    )


def bound(
    token: OAuth2Token, placement: str, dpop: DPoP | None, sign: Sign | None
) -> BoundToken | None:
    """Return what goes into a request with a bound token; None for one of another type, and where
    there is no key.

    See `dropin.binding.bound` for the arguments and errors.
    """
    return None if dpop is None else _loaded()(token, placement, dpop, sign)


@cache
def _loaded() -> Callable[[OAuth2Token, str, DPoP, Sign | None], BoundToken | None]:
    # Few tokens are bound: the module is loaded for those alone.
    from ..dropin import binding

    return binding.bound


def foreign_auth(name: str) -> LocalProtocolError:
    """Return the error for an auth object in a client of another library.

    name: the library that the client is of.
    """
    return LocalProtocolError(
        f"this auth object belongs to another HTTP library than {name}",
        advice="import OAuth2Auth from the adapter that the client is from",
    )


def _wrong_colour(renewing: str, asking: str) -> LocalProtocolError:
    return LocalProtocolError(
        f"{renewing} client cannot renew a token for {asking} one",
        endpoint=Endpoint.RESOURCE,
        advice="pass an OAuth2Auth of a client of the same kind",
    )
