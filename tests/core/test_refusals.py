"""What a resource server's refusal calls for, and what of it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio import Client, Finished, LocalProtocolError, ResponseReceived, Server
from oauth2_sansio.refusals import (
    MOST_REPETITIONS,
    Refusal,
    Repair,
    RepairBudget,
    is_token_rejected,
    read_refusal,
    refusal_of,
)

URL = "https://api.example/a"
METADATA = "https://api.example/.well-known/oauth-protected-resource"
NONCE = 'DPoP error="use_dpop_nonce"'
TOKEN = 'Bearer error="invalid_token"'
LOGIN = 'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="5"'
SCOPE = 'Bearer error="insufficient_scope", scope="write admin"'
WHERE = f'Bearer resource_metadata="{METADATA}"'


def refusal(status: int, *values: str) -> Refusal:
    found = refusal_of(status, values)
    assert found is not None
    return found


def choose(budget: RepairBudget, found: Refusal | None, url: str = URL, **other: Any) -> Repair:
    return budget.choose(found, url=url, **{"carries_token": True, "is_repeatable": True, **other})


@pytest.mark.parametrize(
    ("status", "values", "repairs"),
    [
        (401, [], []),
        (403, [], []),
        (401, ["Bearer"], []),
        (401, ["Basic error=invalid_token"], []),
        (401, ["Bearer error=something_else"], []),
        (401, [NONCE], [Repair.NEW_PROOF]),
        (401, [TOKEN], [Repair.NEW_TOKEN]),
        (401, ['DPoP algs="ES256", error="invalid_token"'], [Repair.NEW_TOKEN]),
        (401, [LOGIN], [Repair.STEP_UP]),
        (403, [LOGIN], [Repair.STEP_UP]),
        (403, [SCOPE], [Repair.WIDER_SCOPE]),
        (401, [SCOPE], [Repair.WIDER_SCOPE]),
        (401, [WHERE], [Repair.DISCOVERY]),
        (401, [f'Basic resource_metadata="{METADATA}"'], [Repair.DISCOVERY]),
        (403, [TOKEN], []),
        (403, [NONCE], []),
        (401, [SCOPE, LOGIN], [Repair.STEP_UP, Repair.WIDER_SCOPE]),
        (401, [WHERE, LOGIN, f"{TOKEN}, {NONCE}"], [*list(Repair)[:3], Repair.DISCOVERY]),
    ],
)
def test_what_a_refusal_calls_for(status: int, values: list[str], repairs: list[Repair]) -> None:
    found = refusal(status, *values)
    assert list(found.repairs) == repairs
    assert found.repair is ([*repairs, Repair.NOTHING])[0]


def test_what_is_no_refusal() -> None:
    for status in (200, 302, 400, 404, 407, 500):
        assert refusal_of(status, [TOKEN]) is None
    headers = (("www-authenticate", LOGIN), ("WWW-Authenticate", WHERE))
    assert read_refusal(ResponseReceived(status=401, headers=headers)) == refusal(401, LOGIN, WHERE)


@dataclass(frozen=True)
class Response:
    """As an HTTP library has it."""

    status_code: int
    headers: Mapping[str, str]


def test_a_response_of_an_http_library() -> None:
    joined = Response(401, {"WWW-Authenticate": f"{LOGIN}, {WHERE}"})
    assert read_refusal(joined) == refusal(401, LOGIN, WHERE)
    assert read_refusal(Response(403, {})) == Refusal(403)
    assert read_refusal(Response(200, {"WWW-Authenticate": LOGIN})) is None


def test_what_it_says() -> None:
    found = refusal(401, f"Basic realm=x, {WHERE}", LOGIN, "DPoP algs=ES256, scope=read")
    assert found.error == "insufficient_user_authentication"
    assert (found.acr_values, found.max_age, found.scope) == ("gold silver", 5, "read")
    assert found.resource_metadata == METADATA
    empty = refusal(401, 'Bearer scope="", acr_values="", max_age="soon", resource_metadata=""')
    said = (empty.error, empty.scope, empty.acr_values, empty.max_age, empty.resource_metadata)
    assert said == (None,) * 5


def test_the_challenge_of_the_repair_counts_before_the_others() -> None:
    found = refusal(403, "DPoP error=other, scope=wrong", SCOPE)
    assert (found.error, found.scope) == ("insufficient_scope", "write admin")
    other = refusal(401, 'Basic error="of another kind"', "Bearer error=unknown")
    assert other.error == "unknown"


@pytest.mark.parametrize(
    ("value", "scope", "wanted"),
    [
        (LOGIN, None, {"acr_values": "gold silver", "max_age": 5}),
        (LOGIN, "read", {"scope": "read", "acr_values": "gold silver", "max_age": 5}),
        (SCOPE, "read write", {"scope": "read write admin"}),
        (SCOPE, ["read", "admin"], {"scope": "read admin write"}),
        (SCOPE, None, {"scope": "write admin"}),
        ("Bearer error=insufficient_user_authentication, max_age=0", (), {"max_age": 0}),
    ],
)
def test_the_next_authorization_request(
    value: str, scope: str | list[str] | None, wanted: dict[str, object]
) -> None:
    assert refusal(401, value).step_up(scope) == wanted


@pytest.mark.parametrize("values", [[], ["Bearer"], [TOKEN], [WHERE], ["Bearer max_age=soon"]])
def test_a_refusal_that_no_login_would_help(values: list[str]) -> None:
    with pytest.raises(LocalProtocolError, match="names no login"):
        refusal(401, *values).step_up("read")


def test_the_arguments_fit_those_of_a_client() -> None:
    client = Client(
        server=Server(authorization_endpoint="https://as.example/authorize"), client_id="app"
    )
    step_up = refusal(401, LOGIN).step_up("read")
    action = client.authorize(redirect_uri=None, **step_up).start(0.0)
    assert isinstance(action, Finished)
    assert "&scope=read&" in action.result.url
    assert action.result.url.endswith("&acr_values=gold%20silver&max_age=5")


# What of it is tried.


def test_each_repair_once_and_in_order() -> None:
    budget, both = RepairBudget(), refusal(401, TOKEN, NONCE, LOGIN, WHERE)
    chosen: list[Repair] = []
    for _ in range(3):
        repair = choose(budget, both, wants_proof=True)
        chosen.append(repair)
        if repair.is_silent:
            budget.spend(repair, URL)
    assert chosen == [Repair.NEW_PROOF, Repair.NEW_TOKEN, Repair.STEP_UP]


def test_choosing_spends_nothing() -> None:
    budget = RepairBudget()
    for _ in range(9):
        assert choose(budget, refusal(401, TOKEN)) is Repair.NEW_TOKEN


def test_a_nonce_that_the_proof_had_is_not_worth_another_try() -> None:
    assert choose(RepairBudget(), refusal(401, NONCE)) is Repair.NOTHING
    assert choose(RepairBudget(), refusal(401, NONCE, WHERE)) is Repair.DISCOVERY


def test_a_proof_for_each_url_that_redirects_lead_to() -> None:
    budget = RepairBudget()
    for number in range(3):
        url = f"{URL}/{number}"
        assert choose(budget, refusal(401), url, wants_proof=True) is Repair.NEW_PROOF
        budget.spend(Repair.NEW_PROOF, url)
        assert choose(budget, refusal(401), url, wants_proof=True) is Repair.NOTHING
    assert choose(budget, refusal(401), f"{URL}/b", wants_proof=True) is Repair.NOTHING
    assert choose(budget, refusal(401, TOKEN), URL) is Repair.NOTHING


@pytest.mark.parametrize("other", [{"carries_token": False}, {"is_repeatable": False}])
def test_what_cannot_be_repeated_is_not(other: dict[str, Any]) -> None:
    for value, left in ((TOKEN, Repair.NOTHING), (LOGIN, Repair.STEP_UP)):
        found = refusal(401, value, NONCE)
        assert choose(RepairBudget(), found, wants_proof=True, **other) is left


def test_nothing_is_done_about_what_is_no_refusal() -> None:
    assert choose(RepairBudget(), None, wants_proof=True) is Repair.NOTHING


def test_a_new_token_comes_once_whatever_the_url() -> None:
    budget = RepairBudget()
    budget.spend(Repair.NEW_TOKEN, URL)
    assert choose(budget, refusal(401, TOKEN), f"{URL}/b") is Repair.NOTHING


_ANSWERS = st.tuples(
    st.sampled_from([401, 403]),
    st.lists(st.sampled_from([NONCE, TOKEN, LOGIN, SCOPE, WHERE, "Basic"]), max_size=4),
    st.sampled_from([URL, f"{URL}/b", f"{URL}/c"]),
    st.fixed_dictionaries(
        dict.fromkeys(["carries_token", "is_repeatable", "wants_proof"], st.booleans())
    ),
)


@given(st.lists(_ANSWERS, max_size=30))
def test_every_story_of_refusals_comes_to_an_end(
    answers: list[tuple[int, list[str], str, dict[str, Any]]],
) -> None:
    budget = RepairBudget()
    tried: list[tuple[Repair, str]] = []
    for status, values, url, other in answers:
        found = refusal(status, *values)
        repair = choose(budget, found, url, **other)
        if repair.is_silent:
            assert other["carries_token"]
            assert other["is_repeatable"]
            budget.spend(repair, url)
            tried.append((repair, url))
        elif repair is not Repair.NOTHING:
            assert repair in found.repairs
    assert len(tried) <= MOST_REPETITIONS
    assert len(tried) == len(set(tried))
    assert sum(repair is Repair.NEW_TOKEN for repair, _ in tried) <= 1


@pytest.mark.parametrize(
    ("status", "values", "expected"),
    [
        (401, ['Bearer error="invalid_token"'], True),
        (401, ["bearer realm=x, error=invalid_token"], True),
        (401, ['DPoP algs="ES256", error="invalid_token"'], True),
        (401, ["Basic realm=x", "Bearer error=invalid_token"], True),
        (401, ["Bearer realm=x, DPoP error=invalid_token"], True),
        (400, ["Bearer error=invalid_token"], False),
        (403, ["Bearer error=invalid_token"], False),
        (200, ["Bearer error=invalid_token"], False),
        (401, [], False),
        (401, ["Bearer"], False),
        (401, ["Bearer error=insufficient_user_authentication"], False),
        (401, ["Bearer error=invalid_client"], False),
        (401, ["Bearer error=Invalid_Token"], False),
        (401, ["DPoP error=use_dpop_nonce"], False),
        (401, ["Basic error=invalid_token"], False),
        (401, ['Basic realm="Bearer error=invalid_token"'], False),
        (401, ["Bearer error=invalid_token, error=invalid_token"], False),
    ],
)
def test_only_invalid_token_rejects_the_token(
    status: int, values: list[str], expected: bool
) -> None:
    assert is_token_rejected(status, values) is expected
