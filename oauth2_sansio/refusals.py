"""What a resource server's refusal asks for, and what of it is done for one request.

The one decision about refusals: every adapter asks `RepairBudget.choose`, and does what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypedDict

from .challenges import Challenge, read_challenges
from .errors import LocalProtocolError
from .events import Endpoint, ResponseReceived
from .parameters import Scope

MOST_REPETITIONS = 3
"""How often one request goes out again at most, whatever the servers answer."""


class Repair(Enum):
    """What may help where a resource server has refused a request, in the order of repair."""

    NEW_PROOF = "new_proof"
    """Send it again with a new DPoP proof: the server wants its nonce in it (RFC 9449 section 9),
    or the proof was for another URL, from which a redirect led here."""

    NEW_TOKEN = "new_token"
    """Renew the token without the user, and send it again (RFC 6750 section 3.1)."""

    STEP_UP = "step_up"
    """Let the user log in again, more strongly or anew (RFC 9470)."""

    WIDER_SCOPE = "wider_scope"
    """Let the user grant more (RFC 6750 section 3.1)."""

    DISCOVERY = "discovery"
    """Find out which authorization server issues tokens for this resource (RFC 9728)."""

    NOTHING = "nothing"
    """Give up: the server does not say what would help."""

    @property
    def is_silent(self) -> bool:
        """Whether it takes neither the user nor the program: the request is sent again."""
        return self in (Repair.NEW_PROOF, Repair.NEW_TOKEN)


class StepUp(TypedDict, total=False):
    """The arguments of a new authorization request: see `Refusal.step_up`."""

    scope: str
    acr_values: str
    max_age: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource server's refusal: 401 or 403, and all its challenges.

    All of it is the server's text: see `Challenge`.
    """

    status: int
    challenges: tuple[Challenge, ...] = ()

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """All that the refusal calls for, in the order of repair, whatever was tried already."""
        named = {_repair_named_by(each, self.status) for each in self.challenges}
        if self.resource_metadata is not None:
            named.add(Repair.DISCOVERY)
        return tuple(sorted(named - {Repair.NOTHING}, key=_ORDER.index))

    @property
    def repair(self) -> Repair:
        """The first of the repairs; `NOTHING` where there is none."""
        return next(iter(self.repairs), Repair.NOTHING)

    @property
    def error(self) -> str | None:
        """The code that the repair follows from, or else the first one that there is."""
        return next((each.error for each in self._foremost_first() if each.error), None)

    @property
    def scope(self) -> str | None:
        """The scope that the resource needs, separated by spaces."""
        return next((each.scope for each in self._foremost_first() if each.scope), None)

    @property
    def acr_values(self) -> str | None:
        """The ways of logging in that would do, separated by spaces (RFC 9470 section 3)."""
        return next((each.acr_values for each in self._foremost_first() if each.acr_values), None)

    @property
    def max_age(self) -> int | None:
        """How many seconds ago the user may have logged in at most (RFC 9470 section 3)."""
        ages = (each.max_age for each in self._foremost_first())
        return next((age for age in ages if age is not None), None)

    @property
    def resource_metadata(self) -> str | None:
        """Where the resource says who issues tokens for it (RFC 9728 section 5.1).

        Nothing was fetched from there: hand it to `ProtectedResource.discover`.
        """
        named = (each.resource_metadata for each in self.challenges)
        return next((url for url in named if url), None)

    def step_up(self, scope: Scope = None) -> StepUp:
        """Return the arguments of the authorization request that would help (RFC 9470 section 4).

        They fit `Client.authorize`, and `create_authorization_url` of the drop-in classes.

        scope: what was asked for before; what the refusal names is added to it.
        Raises `LocalProtocolError` where no login would help, or where it is not said which.

        Whoever answers for the resource has written them. Look at the scope before you ask your
        user for it, where you do not trust that server with all that it may name.
        """
        if self.scope is None and self.acr_values is None and self.max_age is None:
            raise LocalProtocolError(
                "this refusal names no login, and no scope, that would help",
                endpoint=Endpoint.RESOURCE,
                advice="see its repair; to ask for what it does not name, use Client.authorize",
            )
        words = (scope.split() if isinstance(scope, str) else list(scope or ())) + (
            self.scope or ""
        ).split()
        asked = StepUp()
        if words:
            asked["scope"] = " ".join(dict.fromkeys(words))
        if self.acr_values is not None:
            asked["acr_values"] = self.acr_values
        if self.max_age is not None:
            asked["max_age"] = self.max_age
        return asked

    def _foremost_first(self) -> list[Challenge]:
        # Those about tokens; the one that the repair follows from before the others.
        about_tokens = [each for each in self.challenges if each.scheme in _TOKEN_SCHEMES]
        return sorted(
            about_tokens, key=lambda each: _ORDER.index(_repair_named_by(each, self.status))
        )


class Answered(Protocol):
    """A response of an HTTP library, as far as it matters here: of requests, httpx, httpx2, trio."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


def read_refusal(response: ResponseReceived | Answered) -> Refusal | None:
    """Return what a resource server's answer refuses; None where it refuses nothing.

    response: the core's, or that of an HTTP library, whose headers join all values of a name.
    """
    if isinstance(response, ResponseReceived):
        return refusal_of(response.status, response.header_values("WWW-Authenticate"))
    return refusal_of(response.status_code, [response.headers.get("WWW-Authenticate") or ""])


def refusal_of(status: int, www_authenticate: Iterable[str]) -> Refusal | None:
    """Return what a response refuses: see `read_refusal`.

    www_authenticate: the values of all its fields of that name.
    """
    if status not in (401, 403):
        return None
    return Refusal(status, read_challenges(www_authenticate))


def is_token_rejected(status: int, www_authenticate: Iterable[str]) -> bool:
    """Tell whether a resource server refused the access token itself, so that a new one may help.

    status: that of the resource's response.
    www_authenticate: the values of all its fields of that name.
    Returns true for 401 with `error="invalid_token"` in a challenge for Bearer or DPoP, and for
    nothing else. A 401 that names no error, or another one, says nothing about the token: a new one
    would cost a refresh at each such answer, and heal none.
    Source: RFC 6750 section 3.1, RFC 9449 section 7.1.
    """
    refusal = refusal_of(status, www_authenticate)
    return refusal is not None and Repair.NEW_TOKEN in refusal.repairs


class RepairBudget:
    """Decide what is to be done about the refusals of one request: each repair once.

    A new proof once for each URL that redirects lead to, a new token once, and no more than
    `MOST_REPETITIONS` in all: so a server that always wants something else comes to an end.
    """

    __slots__ = ("_spent",)

    def __init__(self) -> None:
        self._spent: set[tuple[Repair, str | None]] = set()

    def choose(
        self,
        refusal: Refusal | None,
        *,
        url: str,
        carries_token: bool,
        is_repeatable: bool,
        wants_proof: bool = False,
    ) -> Repair:
        """Return what to do about an answer to the request; nothing is spent yet.

        refusal: what the answer refuses, if anything: see `refusal_of`.
        url: that of the request that was answered, after all redirects.
        carries_token: whether that one carried the token, which a redirect may have taken out. If
            not, the refusal says nothing of the token.
        is_repeatable: whether its body can be sent once more.
        wants_proof: whether a new proof would differ in what the server complains of: it would hold
            a nonce that the last one did not, or be for this URL where that one was for another.
        Returns a repair that is silent where there is a budget for it, or else what is left.
        """
        if refusal is None:
            return Repair.NOTHING
        if carries_token and is_repeatable and len(self._spent) < MOST_REPETITIONS:
            if wants_proof and (Repair.NEW_PROOF, url) not in self._spent:
                return Repair.NEW_PROOF
            if Repair.NEW_TOKEN in refusal.repairs and (Repair.NEW_TOKEN, None) not in self._spent:
                return Repair.NEW_TOKEN
        left = (repair for repair in refusal.repairs if not repair.is_silent)
        return next(left, Repair.NOTHING)

    def spend(self, repair: Repair, url: str) -> None:
        """Note that a silent repair is being tried.

        url: as it was given to `choose`.
        """
        self._spent.add((repair, url if repair is Repair.NEW_PROOF else None))


_TOKEN_SCHEMES = ("bearer", "dpop")
_ORDER = tuple(Repair)
_CODES = {
    "use_dpop_nonce": Repair.NEW_PROOF,
    "invalid_token": Repair.NEW_TOKEN,
    "insufficient_user_authentication": Repair.STEP_UP,
    "insufficient_scope": Repair.WIDER_SCOPE,
}


def _repair_named_by(challenge: Challenge, status: int) -> Repair:
    if challenge.scheme not in _TOKEN_SCHEMES:
        return Repair.NOTHING
    repair = _CODES.get(challenge.error or "", Repair.NOTHING)
    # With 403 the server knows who asks, and refuses all the same.
    return Repair.NOTHING if repair.is_silent and status != 401 else repair
