from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oauth2_sansio.errors import (
    ErrorResponse,
    InvalidTokenError,
    LocalProtocolError,
    MissingTokenError,
    OAuth2Error,
    Outcome,
    TransportError,
    UnsupportedTokenTypeError,
)
from oauth2_sansio.events import Endpoint
from oauth2_sansio.flow import Flow, finished
from oauth2_sansio.keeper import (
    AwaitRefresh,
    Decision,
    RefreshIt,
    SaveIt,
    TokenKeeper,
    UseToken,
)
from oauth2_sansio.tokens import OAuth2Token

NOW = 1_000_000.0


def make(
    access: str, refresh: str | None = None, life: float | None = 3600, **more: Any
) -> OAuth2Token:
    token = OAuth2Token(access_token=access, token_type="Bearer", **more)
    if refresh is not None:
        token["refresh_token"] = refresh
    if life is not None:
        token["expires_at"] = int(NOW + life)
    return token


class Renewals:
    """Makes flows, and remembers for which tokens."""

    def __init__(self) -> None:
        self.of: list[OAuth2Token] = []

    def __call__(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        if token and not token.refresh_token:
            raise InvalidTokenError("the token has expired and cannot be renewed")
        self.of.append(token)
        return finished(lambda _now: token)


def stale(access: str = "A", refresh: str | None = "r1") -> OAuth2Token:
    return make(access, refresh, life=30)


def started(keeper: TokenKeeper, **arguments: Any) -> int:
    decision = keeper.acquire(NOW, **arguments)
    assert isinstance(decision, RefreshIt)
    return decision.ticket


def error_of(call: Callable[[], object]) -> OAuth2Error:
    with pytest.raises(OAuth2Error) as caught:
        call()
    return caught.value


def refusal(keeper: TokenKeeper, **arguments: Any) -> OAuth2Error:
    return error_of(lambda: keeper.acquire(NOW, **arguments))


NO_ANSWER = TransportError("no response came", outcome=Outcome.UNKNOWN, endpoint=Endpoint.TOKEN)
DEAD = ErrorResponse("invalid_grant", "revoked", status=400, endpoint=Endpoint.TOKEN)


# The table, row by row.


@pytest.mark.parametrize(
    "token",
    [make("A"), make("A", life=None), make("A", life=61), make("A", life=None, expires_in=9)],
)
def test_a_fresh_token_is_used(token: OAuth2Token) -> None:
    renewals = Renewals()
    keeper = TokenKeeper(token, renewals)
    assert keeper.acquire(NOW) == UseToken(token)
    assert keeper.token is token
    assert keeper.header(NOW) == "Bearer A"
    assert renewals.of == []


def test_a_stale_token_is_renewed_by_the_first_and_awaited_by_the_others() -> None:
    old, new, renewals = stale(), make("B", "r2"), Renewals()
    keeper = TokenKeeper(old, renewals)
    assert keeper.header(NOW) is None
    first = keeper.acquire(NOW)
    assert isinstance(first, RefreshIt)
    assert (first.ticket, first.previous, renewals.of) == (1, old, [old])
    assert [keeper.acquire(NOW) for _ in range(3)] == [AwaitRefresh(1)] * 3
    assert keeper.header(NOW) is None
    keeper.settle(1, new)
    assert [keeper.acquire(NOW, waited_for=1) for _ in range(3)] == [UseToken(new)] * 3
    assert keeper.header(NOW) == "Bearer B"
    assert len(renewals.of) == 1


def test_no_token_is_an_error() -> None:
    keeper = TokenKeeper(None, Renewals())
    assert keeper.header(NOW) is None
    assert type(refusal(keeper)) is MissingTokenError


def test_a_token_that_cannot_be_renewed_stops_nobody_for_long() -> None:
    keeper = TokenKeeper(stale(refresh=None), Renewals())
    for _ in range(2):
        assert type(refusal(keeper)) is InvalidTokenError
    keeper.token = make("B")
    assert keeper.acquire(NOW) == UseToken(make("B"))


def test_a_failure_is_everyones_who_waited_and_nobody_elses() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    keeper.settle(ticket, NO_ANSWER)
    for _ in range(3):
        shared = refusal(keeper, waited_for=ticket)
        assert (type(shared), str(shared), vars(shared)) == (
            TransportError,
            str(NO_ANSWER),
            vars(NO_ANSWER),
        )
        assert shared is not NO_ANSWER  # a traceback belongs to one thread
        assert shared.__traceback__ is not None
    # Who has not waited tries once more; who had waited does not join that.
    assert started(keeper) == ticket + 1
    assert str(refusal(keeper, waited_for=ticket)) == str(NO_ANSWER)
    keeper.settle(ticket + 1, make("B", "r2"))
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(make("B", "r2"))


def test_a_traceback_is_not_kept() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    try:
        raise NO_ANSWER
    except TransportError as error:
        keeper.settle(ticket, error)
    shared = refusal(keeper, waited_for=ticket)
    again = refusal(keeper, waited_for=ticket)
    assert shared.__context__ is again.__context__ is None
    assert shared is not again


def test_one_that_was_given_up_goes_to_the_next() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    keeper.settle(started(keeper), None)
    assert started(keeper, waited_for=1) == 2
    assert keeper.acquire(NOW, waited_for=1) == AwaitRefresh(2)
    keeper.settle(2, NO_ANSWER)  # a later outcome is also that of who has waited longer
    assert str(refusal(keeper, waited_for=1)) == str(NO_ANSWER)


def test_thirty_refusals_lead_to_one_renewal() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    assert keeper.header(NOW) == "Bearer A"
    ticket = started(keeper, rejected="A")
    assert keeper.acquire(NOW, rejected="A") == AwaitRefresh(ticket)
    keeper.settle(ticket, make("B", "r2"))
    for _ in range(30):
        assert keeper.acquire(NOW, rejected="A") == UseToken(make("B", "r2"))
    assert len(renewals.of) == 1


def test_a_server_that_returns_the_same_access_token_is_not_asked_in_a_loop() -> None:
    keeper = TokenKeeper(make("A", "r1"), Renewals())
    ticket = started(keeper, rejected="A")
    keeper.settle(ticket, make("A", "r2"))
    assert keeper.acquire(NOW, rejected="A", waited_for=ticket) == UseToken(make("A", "r2"))
    assert started(keeper, rejected="A") == ticket + 1  # refused anew


def test_only_the_running_ticket_can_be_settled_and_only_once() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    assert type(error_of(lambda: keeper.settle(0, None))) is LocalProtocolError
    ticket = started(keeper)
    assert type(error_of(lambda: keeper.settle(ticket + 1, None))) is LocalProtocolError
    assert keeper.acquire(NOW) == AwaitRefresh(ticket)
    keeper.settle(ticket, make("B"))
    assert str(error_of(lambda: keeper.settle(ticket, None))) == (
        "local_protocol_error: nothing with ticket 1 is running; "
        "settle each RefreshIt and each SaveIt once"
    )


# By hand.


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("error", [None, TransportError("the parent's", outcome=Outcome.NOT_SENT)])
def test_what_a_parent_goes_on_with(own: bool, error: OAuth2Error | None) -> None:
    keeper = TokenKeeper(stale(), Renewals())
    assert not keeper.leave(lambda _ticket: False, error)
    ticket = started(keeper)
    assert keeper.leave(lambda asked: own and asked == ticket, error) is not own
    if own:
        assert keeper.acquire(NOW) == AwaitRefresh(ticket)
    elif error is None:
        assert isinstance(keeper.acquire(NOW), RefreshIt)
    else:
        for _ in range(2):
            with pytest.raises(TransportError, match="the parent's"):
                keeper.acquire(NOW)
        keeper.token = make("B", "r2")
        assert keeper.acquire(NOW) == UseToken(make("B", "r2"))


def test_what_spends_no_refresh_token_a_child_does_itself() -> None:
    token = make("A", life=0)
    keeper = TokenKeeper(token, lambda stale: finished(lambda _now: stale))
    started(keeper)
    assert keeper.leave(lambda _ticket: False, TransportError("no", outcome=Outcome.NOT_SENT))
    assert isinstance(keeper.acquire(NOW), RefreshIt)


def test_two_callers_by_hand_share_one_renewal_and_a_later_one_renews_again() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    by_hand: dict[str, Any] = {"by_hand": renewals, "spending": "r1"}
    ticket = started(keeper, **by_hand)
    assert keeper.acquire(NOW, **by_hand) == AwaitRefresh(ticket)
    assert keeper.acquire(NOW) == AwaitRefresh(ticket)
    new = make("B", "r2")
    keeper.settle(ticket, new)
    assert keeper.acquire(NOW, waited_for=ticket, **by_hand) == UseToken(new)
    assert keeper.acquire(NOW, waited_for=ticket, by_hand=renewals) == UseToken(new)
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(new)
    assert started(keeper, by_hand=renewals, spending="r2") == ticket + 1
    assert renewals.of == [make("A", "r1"), new]


def test_by_hand_a_failure_is_shared_too() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    keeper.settle(started(keeper, by_hand=renewals, spending="r1"), NO_ANSWER)
    for spending in ("r1", None):
        shared = refusal(keeper, waited_for=1, by_hand=renewals, spending=spending)
        assert str(shared) == str(NO_ANSWER)
    assert started(keeper, waited_for=1, by_hand=renewals, spending="another") == 2


def test_a_refresh_token_that_was_rotated_away_is_not_sent_again() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("0", "r0"), renewals)
    for n in range(4):
        keeper.settle(started(keeper, rejected=str(n)), make(str(n + 1), f"r{n + 1}"))
    del renewals.of[:]
    for n in range(4):
        assert keeper.acquire(NOW, by_hand=renewals, spending=f"r{n}") == UseToken(make("4", "r4"))
    assert renewals.of == []
    # A server that does not rotate from here on: what was rotated away before stays so.
    kept = make("later", "r4")
    keeper.settle(started(keeper, rejected="4"), kept)
    assert keeper.acquire(NOW, by_hand=renewals, spending="r0") == UseToken(kept)
    # No more than these are remembered.
    keeper.settle(started(keeper, rejected="later"), make("last", "rotated"))
    assert keeper.acquire(NOW, by_hand=renewals, spending="r1") == UseToken(make("last", "rotated"))
    assert isinstance(keeper.acquire(NOW, by_hand=renewals, spending="r0"), RefreshIt)


def test_a_server_that_does_not_rotate_may_be_asked_again_by_hand() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    for ticket in (1, 2, 3):
        assert started(keeper, by_hand=renewals, spending="r1") == ticket
        keeper.settle(ticket, make(f"B{ticket}", "r1"))
    assert keeper.token == make("B3", "r1")


def test_another_authorizations_refresh_token_by_hand() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    keeper.settle(started(keeper, rejected="A"), make("B", "r2"))
    keeper.settle(started(keeper, by_hand=renewals, spending="s1"), make("S", "s2"))
    assert keeper.token == make("S", "s2")
    assert keeper.acquire(NOW, by_hand=renewals, spending="s1") == UseToken(make("S", "s2"))
    # That of the former authorization must not yield a token of this one.
    assert started(keeper, by_hand=renewals, spending="r1") == 3


def test_by_hand_without_a_token_or_a_refresh_token() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(None, renewals)
    decision = keeper.acquire(NOW, by_hand=renewals, spending="r1")
    assert isinstance(decision, RefreshIt)
    assert decision.previous == OAuth2Token(refresh_token="r1")
    assert renewals.of == [OAuth2Token()]
    keeper.settle(decision.ticket, make("A", "r2"))
    assert keeper.token == make("A", "r2")
    # A grant without a refresh token, as client credentials are, spends nothing.
    keeper.settle(started(keeper, by_hand=renewals), make("C"))
    assert keeper.acquire(NOW, waited_for=2, by_hand=renewals) == UseToken(make("C"))
    assert keeper.token == make("C")


def test_a_token_renewed_by_hand_is_used_once_even_if_it_has_expired() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    keeper.settle(started(keeper, by_hand=renewals, spending="r1"), stale("B", "r2"))
    assert keeper.acquire(NOW) == UseToken(stale("B", "r2"))
    assert started(keeper) == 2


# Dead refresh tokens.


def test_a_dead_refresh_token_is_never_sent_again() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(stale(), renewals)
    keeper.settle(started(keeper), DEAD)
    assert keeper.token == stale()  # it may be of use to the user
    by_hand: dict[str, Any] = {"by_hand": renewals, "spending": "r1"}
    for arguments in ({}, by_hand, {"rejected": "A"}):
        again = refusal(keeper, **arguments)
        assert (type(again), str(again)) == (ErrorResponse, str(DEAD))
        assert again is not DEAD
    assert len(renewals.of) == 1
    assert started(keeper, by_hand=renewals, spending="r9") == 2  # another one may live
    keeper.settle(2, NO_ANSWER)
    keeper.token = stale("A2", "r1")
    assert started(keeper) == 3  # the user says so


@pytest.mark.parametrize(
    "error", [NO_ANSWER, ErrorResponse("invalid_client"), ErrorResponse("temporarily_unavailable")]
)
def test_any_other_failure_leaves_the_refresh_token_alive(error: OAuth2Error) -> None:
    keeper = TokenKeeper(stale(), Renewals())
    keeper.settle(started(keeper), error)
    assert started(keeper) == 2


def test_a_grant_that_spends_nothing_kills_nothing() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(stale(), renewals)
    keeper.settle(started(keeper), NO_ANSWER)
    keeper.settle(started(keeper, by_hand=renewals), DEAD)
    assert started(keeper) == 3


# Tokens that the user assigns.


def test_a_token_assigned_while_a_renewal_runs_wins() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(stale(), renewals)
    ticket = started(keeper)
    keeper.token = make("X", "x1")
    assert keeper.acquire(NOW) == AwaitRefresh(ticket)
    assert keeper.header(NOW) is None
    keeper.settle(ticket, make("B", "r2"), saved=False)
    assert not keeper.unsaved
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(make("X", "x1"))
    # But who asked by hand for the other one gets the other one.
    for waited_for in (ticket, None):
        assert keeper.acquire(
            NOW, waited_for=waited_for, by_hand=renewals, spending="r1"
        ) == UseToken(make("B", "r2"))


@pytest.mark.parametrize("outcome", [NO_ANSWER, make("B", "r2"), None])
def test_a_stale_token_assigned_while_a_renewal_runs_is_renewed_in_its_turn(outcome: Any) -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    keeper.token = stale("X", "x1")
    keeper.settle(ticket, outcome)
    assert started(keeper, waited_for=ticket) == ticket + 1


def test_no_token_assigned_while_a_renewal_runs_wins_too() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    keeper.token = None
    keeper.settle(ticket, make("B", "r2"))
    assert type(refusal(keeper, waited_for=ticket)) is MissingTokenError


@pytest.mark.parametrize("assigned", [stale(), make("reloaded", "r1", life=10)])
def test_a_token_assigned_with_the_refresh_token_that_is_just_used_up_does_not_win(
    assigned: OAuth2Token,
) -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    keeper.token = assigned
    keeper.settle(ticket, make("B", "r2"))
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(make("B", "r2"))


def test_a_save_function_may_assign_the_token() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    ticket = started(keeper)
    new = make("B", "r2")
    keeper.token = OAuth2Token(new)
    keeper.settle(ticket, new, saved=False)
    assert keeper.unsaved
    assert keeper.token is new
    decision = keeper.acquire(NOW, waited_for=ticket)
    assert decision == SaveIt(ticket + 1, new, stale())


def test_assigning_the_same_token_once_more_forgets_nothing() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(stale(), renewals)
    ticket = started(keeper)
    keeper.settle(ticket, stale("B", "r2"), saved=False)
    keeper.token = same = stale("B", "r2")
    assert keeper.token is same
    assert keeper.unsaved
    save = keeper.acquire(NOW, waited_for=ticket)
    assert isinstance(save, SaveIt)
    assert save.token is same
    keeper.settle(save.ticket, save.token)
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(same)
    for waited_for, spending in ((None, "r1"), (ticket, None)):
        decision = keeper.acquire(NOW, waited_for=waited_for, by_hand=renewals, spending=spending)
        assert isinstance(decision, UseToken)
        assert decision.token is same


def test_a_token_assigned_once_more_before_its_first_use_is_still_used_once() -> None:
    keeper = TokenKeeper(None, Renewals())
    keeper.arrive(stale(), NOW)
    keeper.token = stale()
    assert keeper.acquire(NOW) == UseToken(stale())
    assert isinstance(keeper.acquire(NOW), RefreshIt)


@pytest.mark.parametrize("token", [None, OAuth2Token()])
def test_assigning_nothing_over_nothing(token: OAuth2Token | None) -> None:
    keeper = TokenKeeper(token, Renewals())
    keeper.token = token
    assert keeper.token is token


def test_a_token_assigned_forgets_what_was_spent() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(stale(), renewals)
    keeper.settle(started(keeper), make("B", "r2"), saved=False)
    keeper.token = make("X", "x1")
    assert not keeper.unsaved
    assert started(keeper, by_hand=renewals, spending="r1") == 2


# Unsaved tokens.


def test_an_unsaved_token_is_saved_by_who_comes_next_and_each_waiter_tries() -> None:
    old, new = stale(), make("B", "r2")
    keeper = TokenKeeper(old, Renewals())
    assert keeper.acquire_save() is None
    ticket = started(keeper)
    assert keeper.acquire_save() == AwaitRefresh(ticket)
    keeper.settle(ticket, new, saved=False)
    assert keeper.unsaved
    assert keeper.header(NOW) is None
    for n in (2, 3):
        assert keeper.acquire(NOW, waited_for=ticket) == SaveIt(n, new, old)
        assert keeper.acquire(NOW, waited_for=ticket) == AwaitRefresh(n)
        assert keeper.acquire_save() == AwaitRefresh(n)
        assert keeper.header(NOW) is None
        keeper.settle(n, new, saved=False)
        assert keeper.acquire(NOW, waited_for=ticket, tried_to_save=True) == UseToken(new)
    assert keeper.acquire_save() == SaveIt(4, new, old)
    keeper.settle(4, new)
    assert (keeper.unsaved, keeper.acquire_save()) == (False, None)
    assert keeper.acquire(NOW, waited_for=ticket) == UseToken(new)
    assert keeper.header(NOW) == "Bearer B"


@pytest.mark.parametrize("outcome", [None, NO_ANSWER])
def test_a_saving_without_a_token_has_saved_nothing(outcome: OAuth2Error | None) -> None:
    keeper = TokenKeeper(stale(), Renewals())
    keeper.settle(started(keeper), make("B", "r2"), saved=False)
    assert isinstance(keeper.acquire_save(), SaveIt)
    keeper.settle(2, outcome)
    assert keeper.acquire(NOW, waited_for=2) == SaveIt(3, make("B", "r2"), stale())


def test_a_token_assigned_while_another_is_saved_wins() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    keeper.settle(started(keeper), make("B", "r2"), saved=False)
    decision = keeper.acquire_save()
    assert isinstance(decision, SaveIt)
    keeper.token = make("X")
    keeper.settle(decision.ticket, decision.token)
    assert keeper.acquire(NOW) == UseToken(make("X"))


def test_a_save_function_that_fails_for_good_does_not_stop_renewals() -> None:
    old = stale()
    keeper = TokenKeeper(old, Renewals())
    keeper.settle(started(keeper), stale("B", "r2"), saved=False)
    save = keeper.acquire(NOW, rejected="B")
    assert save == SaveIt(2, stale("B", "r2"), old)
    keeper.settle(2, stale("B", "r2"), saved=False)
    decision = keeper.acquire(NOW, rejected="B", tried_to_save=True)
    # A store knows only the token that was saved last.
    assert isinstance(decision, RefreshIt)
    assert decision.previous is old
    keeper.settle(decision.ticket, make("C", "r3"), saved=False)
    assert keeper.acquire_save() == SaveIt(4, make("C", "r3"), old)


def test_a_failed_renewal_does_not_forget_what_is_unsaved() -> None:
    keeper = TokenKeeper(stale(), Renewals())
    keeper.settle(started(keeper), stale("B", "r2"), saved=False)
    keeper.settle(started(keeper, tried_to_save=True), NO_ANSWER)
    assert keeper.unsaved
    assert isinstance(keeper.acquire(NOW), SaveIt)


def test_what_was_unsaved_before_there_was_a_token_has_what_was_spent_before_it() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(None, renewals)
    keeper.settle(started(keeper, by_hand=renewals, spending="r1"), make("A", "r2"), saved=False)
    assert keeper.acquire(NOW) == SaveIt(2, make("A", "r2"), OAuth2Token(refresh_token="r1"))


def test_a_refresh_token_of_the_callers_is_told_as_the_one_that_is_replaced() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    decision = keeper.acquire(NOW, by_hand=renewals, spending="r9")
    assert isinstance(decision, RefreshIt)
    assert decision.previous == make("A", "r9")
    assert keeper.token == make("A", "r1")


# Expiry.


@pytest.mark.parametrize(
    ("members", "leeway", "stale_after"),
    [
        ({"expires_at": NOW + 3600, "expires_in": 3600}, 60, 3540),
        ({"expires_at": NOW + 3600}, 60, 3540),
        ({"expires_at": NOW + 3600}, 0, 3600),
        ({"expires_at": NOW + 60, "expires_in": 60}, 60, 48),  # at most a fifth
        ({"expires_at": NOW + 10, "expires_in": 10}, 60, 8),
        ({"expires_at": NOW + 300, "expires_in": 300}, 60, 240),
        ({"expires_at": NOW + 1000, "expires_in": 1000}, 1000, 800),
        ({"expires_at": str(NOW + 3600)}, 60, 3540),
    ],
)
def test_when_a_token_is_renewed(
    members: dict[str, Any], leeway: float, stale_after: float
) -> None:
    token = OAuth2Token(access_token="A", refresh_token="r1", **members)
    keeper = TokenKeeper(token, Renewals(), leeway=leeway)
    just_before = NOW + stale_after - 0.001
    assert keeper.header(just_before) == "Bearer A"
    assert keeper.header(just_before) == "Bearer A"
    assert keeper.acquire(just_before) == UseToken(token)
    assert keeper.header(NOW + stale_after) is None
    assert isinstance(keeper.acquire(NOW + stale_after), RefreshIt)


def test_the_leeway_can_be_changed() -> None:
    keeper = TokenKeeper(make("A", "r1", life=100), Renewals())
    assert keeper.header(NOW) == "Bearer A"
    keeper.leeway = 200
    assert keeper.leeway == 200
    assert keeper.header(NOW) is None
    assert isinstance(keeper.acquire(NOW), RefreshIt)


@pytest.mark.parametrize("life", [0, -10_000, 30])  # the last one within the leeway
def test_a_token_that_arrives_expired_is_used_once(life: float) -> None:
    token = make("A", "r1", life=life)
    keeper = TokenKeeper(stale("before"), Renewals())
    keeper.arrive(token, NOW)
    assert keeper.token is token
    later = NOW + 3600
    assert keeper.acquire(later) == UseToken(token)
    assert isinstance(keeper.acquire(later), RefreshIt)


def test_an_expiry_changed_after_arrival_counts() -> None:
    keeper = TokenKeeper(None, Renewals())
    token = stale()
    keeper.arrive(token, NOW)
    token["expires_at"] = 1
    assert keeper.header(NOW) is None
    assert isinstance(keeper.acquire(NOW), RefreshIt)


def test_a_refusal_counts_more_than_the_first_use() -> None:
    keeper = TokenKeeper(None, Renewals())
    keeper.arrive(stale(), NOW)
    assert isinstance(keeper.acquire(NOW, rejected="A"), RefreshIt)


def test_an_expiry_that_the_user_changes_counts_more_than_the_first_use() -> None:
    token = stale()
    keeper = TokenKeeper(None, Renewals())
    keeper.arrive(token, NOW)
    token["expires_at"] = NOW - 1
    assert isinstance(keeper.acquire(NOW), RefreshIt)


def test_a_header_counts_as_the_first_use() -> None:
    keeper = TokenKeeper(None, Renewals())
    skewed = make("A", "r1", life=30)
    keeper.arrive(skewed, NOW)
    assert keeper.header(NOW - 300) == "Bearer A"  # somebody has set the clock back
    assert isinstance(keeper.acquire(NOW), RefreshIt)


def test_a_token_that_arrives_good_and_is_left_until_its_end_is_renewed() -> None:
    keeper = TokenKeeper(None, Renewals())
    keeper.arrive(make("A", "r1", life=3600, expires_in=3600), NOW)
    assert keeper.header(NOW + 3600) is None
    assert isinstance(keeper.acquire(NOW + 3600), RefreshIt)


@pytest.mark.parametrize(("life", "used"), [(0, True), (30, True), (3600, False)])
def test_a_token_renewed_by_hand_is_used_after_its_end_only_if_it_came_so(
    life: float, used: bool
) -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("A", "r1"), renewals)
    by_hand = keeper.acquire(NOW, by_hand=renewals, spending="r1")
    assert isinstance(by_hand, RefreshIt)
    keeper.settle(by_hand.ticket, make("B", "r2", life=life))
    assert isinstance(keeper.acquire(NOW + 3600), UseToken if used else RefreshIt)


def test_a_lifetime_of_nothing_is_renewed_for_each_use_but_not_in_a_loop() -> None:
    renewals = Renewals()
    keeper = TokenKeeper(make("0", "r0", life=0, expires_in=0), renewals)
    for n in range(1, 4):
        ticket = started(keeper)  # and this caller uses what comes
        new = make(str(n), f"r{n}", life=0, expires_in=0)
        keeper.settle(ticket, new)
        assert keeper.acquire(NOW, waited_for=ticket) == UseToken(new)
    assert len(renewals.of) == 3


# The header.


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"access_token": "changed"}, "Bearer changed"),
        ({"expires_at": NOW}, None),
        ({"expires_at": NOW + 7200}, "Bearer A"),
        ({"expires_at": None}, "Bearer A"),
        ({"expires_at": None, "expires_in": 0}, None),
        ({"token_type": "bearer"}, "Bearer A"),
        ({"scope": "more"}, "Bearer A"),
    ],
)
def test_the_header_sees_what_the_user_changes_in_place(
    change: dict[str, Any], expected: str | None
) -> None:
    token = make("A", "r1")
    keeper = TokenKeeper(token, Renewals())
    assert keeper.header(NOW) == "Bearer A"
    token.update(change)
    assert keeper.header(NOW) == expected
    assert isinstance(keeper.acquire(NOW), UseToken if expected else RefreshIt)


def test_the_header_sees_a_lifetime_that_the_user_sets_in_place() -> None:
    token = make("A", "r1", life=None)
    keeper = TokenKeeper(token, Renewals())
    assert keeper.header(NOW) == "Bearer A"
    token["expires_in"] = 0
    assert keeper.header(NOW) is None


def test_the_header_of_a_token_that_cannot_be_sent_is_an_error() -> None:
    token = make("A")
    keeper = TokenKeeper(token, Renewals())
    assert keeper.header(NOW) == "Bearer A"
    token["token_type"] = "mac"
    assert type(error_of(lambda: keeper.header(NOW))) is UnsupportedTokenTypeError
    token["token_type"] = "Bearer"
    del token["access_token"]
    assert type(error_of(lambda: keeper.header(NOW))) is InvalidTokenError


def test_a_bound_token_has_no_header_of_its_own() -> None:
    token = OAuth2Token(access_token="a", token_type="DPoP")
    keeper = TokenKeeper(token, Renewals())
    assert keeper.header(NOW) is None
    assert keeper.acquire(NOW) == UseToken(token)


@pytest.mark.parametrize("kind", ["Bearer", "DPoP"])
def test_a_token_that_was_found_good_is_handed_out_at_once(kind: str) -> None:
    token = make("A", "r1", life=3600)
    token["token_type"] = kind
    keeper = TokenKeeper(token, Renewals())
    assert keeper.fresh(NOW) is None  # nobody has looked at it
    keeper.header(NOW)
    assert keeper.fresh(NOW) is token
    assert keeper.fresh(NOW + 3539) is token
    assert keeper.fresh(NOW + 3540) is None
    token["scope"] = "more"
    assert keeper.fresh(NOW) is None  # it may be another one now
    keeper.header(NOW)
    started(keeper, rejected="A")
    assert keeper.fresh(NOW) is None


def test_a_token_that_others_share_is_trusted_for_a_time() -> None:
    keeper = TokenKeeper(make("A", "r1"), Renewals())
    assert keeper.trusted_until == inf
    assert keeper.header(NOW) == "Bearer A"
    keeper.trusted_until = NOW + 5
    assert keeper.trusted_until == NOW + 5
    assert [keeper.header(NOW + 4), keeper.header(NOW + 5)] == ["Bearer A", None]
    assert keeper.acquire(NOW + 5) == UseToken(make("A", "r1"))  # its user has asked the others
    keeper.trusted_until = NOW + 9999
    assert [keeper.header(NOW + 5), keeper.header(NOW + 3600)] == ["Bearer A", None]


def test_the_header_is_made_once() -> None:
    keeper = TokenKeeper(make("A"), Renewals())
    assert keeper.header(NOW) is keeper.header(NOW + 1)
    keeper.token = make("B")
    assert keeper.header(NOW) == "Bearer B"
    keeper.token = None
    assert keeper.header(NOW) is None


# Any number of callers, in any order.


@dataclass
class Caller:
    rejected: str | None = None
    by_hand: bool = False
    spending: str | None = None
    waited_for: int | None = None
    tried_to_save: bool = False


class ManyCallers(RuleBasedStateMachine):
    """A keeper, and a model of it that remembers everything in full."""

    @initialize(token=st.sampled_from(["fresh", "stale", "none"]))
    def begin(self, token: str) -> None:
        self.numbers = count(1)
        self.now = self.began = NOW
        self.asked: list[OAuth2Token] = []
        self.current = None if token == "none" else self.issue(0 if token == "stale" else 3600)
        self.keeper = TokenKeeper(self.current, self.renew)
        self.at_it: tuple[Caller, RefreshIt | SaveIt] | None = None
        self.sending: str | None = None
        self.assigned_meanwhile = self.superseded = False
        self.waiting: list[Caller] = []
        self.unsaved = self.untried = False
        self.forget()

    def forget(self) -> None:
        self.spent: list[str] = []
        self.heir: OAuth2Token | None = None
        self.dead: str | None = None
        self.ended: tuple[int, str | None, OAuth2Token | OAuth2Error] | None = None

    def issue(
        self, life: float, *, access: str | None = None, refresh: str | None = None
    ) -> OAuth2Token:
        number = next(self.numbers)
        return OAuth2Token(
            access_token=access or f"A{number}",
            refresh_token=refresh or f"r{number}",
            expires_at=int(self.now + life),
        )

    def renew(self, token: OAuth2Token) -> Flow[OAuth2Token]:
        self.asked.append(token)
        return finished(lambda _now: token)

    def shared(self, caller: Caller) -> OAuth2Token | OAuth2Error | None:
        """What this caller has waited for."""
        if self.ended is None or caller.waited_for is None:
            return None
        ticket, spending, outcome = self.ended
        own = caller.spending in (None, spending) if caller.by_hand else not self.superseded
        return outcome if own and caller.waited_for <= ticket else None

    def decide(self, caller: Caller) -> Decision | OAuth2Error:
        try:
            return self.keeper.acquire(
                self.now,
                rejected=caller.rejected,
                waited_for=caller.waited_for,
                by_hand=self.renew if caller.by_hand else None,
                spending=caller.spending,
                tried_to_save=caller.tried_to_save,
            )
        except OAuth2Error as error:
            return error

    def ask(self, caller: Caller) -> None:
        shared, spending = self.shared(caller), caller.spending
        if not caller.by_hand and self.current is not None:
            spending = self.current.refresh_token
        decision = self.decide(caller)
        if isinstance(decision, MissingTokenError):
            assert (self.current, caller.by_hand) == (None, False)
            return
        if isinstance(shared, OAuth2Error):
            assert str(decision) == str(shared)
            return
        if isinstance(decision, OAuth2Error):
            assert (decision.error, self.dead) == ("invalid_grant", spending)
            return
        if isinstance(decision, AwaitRefresh):
            assert self.at_it is not None
            assert decision.ticket == self.at_it[1].ticket
            if caller.waited_for is None:
                caller.waited_for = decision.ticket
            self.waiting.append(caller)
            return
        assert self.at_it is None, "at most one at a time"
        may_save = self.unsaved and not caller.tried_to_save
        assert isinstance(decision, SaveIt) == may_save, "what is unsaved is never forgotten"
        if isinstance(decision, UseToken):
            self.check_use(caller, shared, decision.token)
            return
        self.at_it, self.assigned_meanwhile, self.began = (caller, decision), False, self.now
        if isinstance(decision, RefreshIt):
            assert shared is None
            assert spending not in self.spent, "no refresh token is sent twice after an answer"
            assert spending is None or spending != self.dead
            current = self.current
            assert caller.by_hand or (
                current is not None
                and (
                    current["access_token"] == caller.rejected
                    or (current.is_expired(60, self.now) and not self.untried)
                )
            )
            self.sending = spending

    def check_use(
        self, caller: Caller, shared: OAuth2Token | OAuth2Error | None, token: OAuth2Token
    ) -> None:
        if caller.by_hand:
            assert token is (self.heir if shared is None else shared)
            assert shared is not None or caller.spending in self.spent
            return
        assert token is self.current
        if shared is None:
            assert self.untried or not token.is_expired(60, self.now)
            assert token["access_token"] != caller.rejected
        self.untried = False

    @rule(refused=st.sampled_from(["", "current", "older"]))
    def call(self, refused: str) -> None:
        current = "" if self.current is None else self.current["access_token"]
        self.ask(Caller(rejected={"": None, "current": current, "older": "A-1"}[refused]))

    @rule(data=st.data())
    def call_by_hand(self, data: st.DataObject) -> None:
        own = [] if self.current is None else [self.current.refresh_token]
        choice = [*own, *self.spent, None, f"r{next(self.numbers)}"]
        self.ask(Caller(by_hand=True, spending=data.draw(st.sampled_from(choice))))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.waiting) - 1))
        self.ask(self.waiting.pop(index))

    @precondition(lambda self: self.at_it and isinstance(self.at_it[1], RefreshIt))
    @rule(
        rotate=st.booleans(),
        same=st.booleans(),
        life=st.sampled_from([0, 3600]),
        saved=st.booleans(),
    )
    def succeed(self, rotate: bool, same: bool, life: float, saved: bool) -> None:
        assert self.at_it is not None
        caller, decision = self.at_it
        new = self.issue(
            life,
            access=self.current["access_token"] if same and self.current else None,
            refresh=None if rotate else self.sending,
        )
        self.keeper.settle(decision.ticket, new, saved=saved)
        self.ended, self.at_it = (decision.ticket, self.sending, new), None
        self.superseded = self.assigned_meanwhile
        if self.sending is not None:
            if self.heir is None or self.heir.refresh_token != self.sending:
                self.spent = []
            if new.refresh_token != self.sending:
                self.spent = [*self.spent, self.sending][-4:]
            self.heir = new
        if not self.assigned_meanwhile:
            self.current, self.unsaved = new, not saved
            self.untried = caller.by_hand and bool(new.is_expired(60, self.began))

    @precondition(lambda self: self.at_it and isinstance(self.at_it[1], RefreshIt))
    @rule(error=st.sampled_from([NO_ANSWER, DEAD]))
    def fail(self, error: OAuth2Error) -> None:
        assert self.at_it is not None
        ticket = self.at_it[1].ticket
        self.keeper.settle(ticket, error)
        self.ended, self.at_it = (ticket, self.sending, error), None
        self.superseded = self.assigned_meanwhile
        if error is DEAD and self.sending is not None:
            self.dead = self.sending

    @precondition(lambda self: self.at_it and isinstance(self.at_it[1], RefreshIt))
    @rule()
    def give_up(self) -> None:
        assert self.at_it is not None
        self.keeper.settle(self.at_it[1].ticket, None)
        self.at_it = None

    @precondition(lambda self: self.at_it and isinstance(self.at_it[1], SaveIt))
    @rule(saved=st.booleans())
    def save(self, saved: bool) -> None:
        assert self.at_it is not None
        caller, decision = self.at_it
        assert isinstance(decision, SaveIt)
        self.keeper.settle(decision.ticket, decision.token, saved=saved)
        self.at_it = None
        if saved and not self.assigned_meanwhile:
            self.unsaved = False
        caller.tried_to_save = True
        self.ask(caller)

    @rule(life=st.sampled_from([0, 3600]), arrives=st.booleans())
    def assign(self, life: float, arrives: bool) -> None:
        self.current = self.issue(life)
        if arrives:
            self.keeper.arrive(self.current, self.now)
        else:
            self.keeper.token = self.current
        self.assigned_meanwhile, self.unsaved = True, False
        self.untried = arrives and bool(self.current.is_expired(60, self.now))
        self.forget()

    @rule()
    def forget_the_token(self) -> None:
        self.keeper.token = self.current = None
        self.assigned_meanwhile, self.unsaved, self.untried = True, False, False
        self.forget()

    @rule(seconds=st.sampled_from([1, 3541]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take_the_header(self) -> None:
        header = self.keeper.header(self.now)
        good = (
            self.current is not None
            and not self.at_it
            and not self.unsaved
            and not self.current.is_expired(60, self.now)
        )
        assert (header is not None) == good
        if self.current is not None and header is not None:
            assert header == f"Bearer {self.current['access_token']}"
            self.untried = False

    @invariant()
    def the_token_is_the_models(self) -> None:
        assert self.keeper.token is self.current
        assert self.keeper.unsaved == self.unsaved

    def teardown(self) -> None:
        """Let everything come to its end: every waiter is answered."""
        for _ in range(3 * len(self.waiting) + 3):
            if self.at_it is not None and isinstance(self.at_it[1], SaveIt):
                self.save(saved=True)
            elif self.at_it is not None:
                self.succeed(rotate=True, same=False, life=3600, saved=True)
            elif self.waiting:
                self.ask(self.waiting.pop())
        assert self.waiting == []
        assert self.at_it is None


def test_many_callers_in_any_order() -> None:
    run_state_machine_as_test(ManyCallers)
