from __future__ import annotations

import pickle

import pytest

from oauth2_sansio.coordinator_errors import (
    RefreshPausedError,
    bound_elsewhere,
    busy,
    dead,
    store_error,
    store_failed,
)
from oauth2_sansio.errors import OAuth2Error, Outcome, StoreError
from oauth2_sansio.token_record import DeadRefreshToken


def test_what_a_store_raises_is_not_quoted() -> None:
    cause = OSError("postgres://me:secret@host")
    error = store_failed(cause, "saving the new token")
    assert error.cause is cause
    assert str(error) == (
        "store_error: saving the new token has failed: OSError; "
        "mend the store; the token in memory is good as long as it has not expired"
    )
    assert error.__cause__ is None


def test_an_error_of_a_store_of_ours_stays_what_it_is() -> None:
    cause = StoreError("the disk is full", advice="make room")
    assert store_failed(cause, "saving the new token") is cause


@pytest.mark.parametrize(
    "error",
    [
        store_failed(ValueError(), "x"),
        store_failed(StoreError("x"), "x"),
        store_error("x"),
        busy(3),
        dead(DeadRefreshToken(fingerprint="f", at=1.0, error="invalid_grant")),
        RefreshPausedError(3.5, "server_error"),
    ],
)
def test_nothing_was_sent(error: OAuth2Error) -> None:
    assert error.outcome is Outcome.NOT_SENT
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied)) == (type(error), str(error))


def test_a_pause_says_how_long() -> None:
    error = RefreshPausedError(3.2, "server_error")
    assert error.retry_after == 3.2
    assert str(error) == (
        "refresh_paused: the last refresh has failed (server_error) (token endpoint); "
        "try again in 3 seconds, when the next one may begin"
    )


def test_a_dead_refresh_token_bears_the_word_of_the_server() -> None:
    error = dead(DeadRefreshToken(fingerprint="f", at=1.0, error="invalid_grant"))
    assert error.error == "invalid_grant"
    assert "was not sent again" in str(error)


def test_others_are_at_it() -> None:
    assert "for 90 seconds" in str(busy(90.2))


def test_a_key_that_is_elsewhere() -> None:
    error = bound_elsewhere("key 1")
    assert error.outcome is Outcome.REFUSED
    assert str(error).endswith("give this process dpop= with the key whose thumbprint is key 1")
