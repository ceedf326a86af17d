"""Signatures of a user's function: at once, or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oauth2_sansio.dropin.signing import finish, finish_async, signature, signature_async
from oauth2_sansio.errors import (
    InvalidTokenError,
    LocalProtocolError,
    OAuth2Error,
    Outcome,
    TransportError,
)
from oauth2_sansio.events import (
    Action,
    Endpoint,
    Event,
    Finished,
    RequestToSend,
    SignatureMade,
    SignatureNeeded,
)
from oauth2_sansio.flow import Flow

NEEDED = SignatureNeeded(algorithm="ES256", signing_input=b"a")
FAILURE = OSError("the token is a-secret")


def at_once(needed: SignatureNeeded) -> bytes:
    return needed.signing_input + b" signed"


async def awaited(needed: SignatureNeeded) -> bytes:
    return at_once(needed)


def failing(_needed: SignatureNeeded) -> bytes:
    raise FAILURE


async def failing_later(_needed: SignatureNeeded) -> bytes:
    raise FAILURE


def refusing(_needed: SignatureNeeded) -> bytes:
    raise InvalidTokenError("one of ours")


class Promise:
    """What can be awaited, and is no coroutine."""

    def __await__(self) -> Any:
        yield from ()
        return b"promised"


def run(call: Awaitable[Any]) -> Any:
    async def awaiting() -> Any:
        return await call

    return asyncio.run(awaiting())


def test_signatures() -> None:
    assert signature(at_once, NEEDED) == b"a signed"
    assert run(signature_async(at_once, NEEDED)) == b"a signed"
    assert run(signature_async(awaited, NEEDED)) == b"a signed"
    assert run(signature_async(lambda _needed: Promise(), NEEDED)) == b"promised"


def test_nothing_that_signs() -> None:
    for call in (
        lambda: signature(None, NEEDED),
        lambda: run(signature_async(None, NEEDED)),
    ):
        with pytest.raises(LocalProtocolError, match="no signer was given"):
            call()


@pytest.mark.parametrize("sign", [awaited, lambda _needed: Promise()])
def test_nothing_can_await(sign: Any) -> None:
    with pytest.raises(LocalProtocolError, match="await sign_authorization_request"):
        signature(sign, NEEDED)


@pytest.mark.parametrize(
    "call",
    [
        lambda: signature(failing, NEEDED),
        lambda: run(signature_async(failing, NEEDED)),
        lambda: run(signature_async(failing_later, NEEDED)),
    ],
)
def test_a_function_that_fails(call: Callable[[], object]) -> None:
    with pytest.raises(TransportError) as caught:
        call()
    error = caught.value
    assert (error.cause, error.__cause__, error.outcome) == (FAILURE, FAILURE, Outcome.NOT_SENT)
    assert "a-secret" not in f"{error} {error!r}"


def test_errors_of_ours_pass() -> None:
    for call in (
        lambda: signature(refusing, NEEDED),
        lambda: run(signature_async(refusing, NEEDED)),
    ):
        with pytest.raises(InvalidTokenError):
            call()


def signing() -> Flow[bytes]:
    def step(event: Event, _now: float) -> Action[bytes]:
        return Finished(event.signature) if isinstance(event, SignatureMade) else NEEDED

    return Flow(step)


def sending() -> Flow[bytes]:
    return Flow(
        lambda _event, _now: RequestToSend(endpoint=Endpoint.TOKEN, url="https://a.example")
    )


def test_flows_to_their_end() -> None:
    assert finish(signing(), lambda: 0.0, at_once) == b"a signed"
    assert run(finish_async(signing(), lambda: 0.0, awaited)) == b"a signed"


def test_flows_that_do_not_end_so() -> None:
    for flow, message in ((signing(), "no signer was given"), (sending(), "more than signing")):
        with pytest.raises(OAuth2Error, match=message):
            finish(flow, lambda: 0.0, None)
    for flow, message in ((signing(), "no signer was given"), (sending(), "more than signing")):
        with pytest.raises(OAuth2Error, match=message):
            run(finish_async(flow, lambda: 0.0, None))
