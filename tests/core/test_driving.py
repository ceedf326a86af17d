"""The two loops: one story each, run through both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from oauth2_sansio.driving import drive, drive_async
from oauth2_sansio.errors import LocalProtocolError
from oauth2_sansio.events import (
    Action,
    Endpoint,
    Event,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.flow import Flow, State

REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")
RESPONSE = ResponseReceived(status=200)
FAILED = RequestFailed(OSError())
SIGNATURE = SignatureNeeded(algorithm="ES256", signing_input=b"input")


@dataclass
class Outside:
    """What a driver needs of the world, for both loops; notes what it was asked."""

    answers: list[Event] = field(default_factory=lambda: [RESPONSE])
    asked: list[object] = field(default_factory=list[object])
    clock: float = 100.0

    def now(self) -> float:
        self.clock += 1
        return self.clock

    def send(self, request: RequestToSend) -> Event:
        self.asked.append(request)
        return self.answers.pop(0)

    def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)

    def sign(self, needed: SignatureNeeded) -> bytes:
        self.asked.append(needed)
        return b"signature"


def run_sync(flow: Flow[str], outside: Outside, *, signer: bool) -> str:
    sign = outside.sign if signer else None
    return drive(flow, outside.send, outside.sleep, outside.now, sign)


def run_async(flow: Flow[str], outside: Outside, *, signer: bool) -> str:
    async def send(request: RequestToSend) -> Event:
        await trio.lowlevel.checkpoint()
        return outside.send(request)

    async def sleep(seconds: float) -> None:
        await trio.lowlevel.checkpoint()
        outside.sleep(seconds)

    async def sign(needed: SignatureNeeded) -> bytes:
        await trio.lowlevel.checkpoint()
        return outside.sign(needed)

    async def main() -> str:
        return await drive_async(flow, send, sleep, outside.now, sign if signer else None)

    return trio.run(main)


both = pytest.mark.parametrize("run", [run_sync, run_async])
Run = Callable[..., str]


def scripted(actions: list[Action[str]], heard: list[tuple[Event, float]]) -> Flow[str]:
    def step(event: Event, now: float) -> Action[str]:
        heard.append((event, now))
        return actions.pop(0)

    return Flow(step)


@both
@pytest.mark.parametrize(
    ("actions", "answers", "asked", "events"),
    [
        pytest.param([], [], [], [Started()], id="no request"),
        pytest.param([REQUEST], [RESPONSE], [REQUEST], [Started(), RESPONSE], id="one request"),
        pytest.param(
            [REQUEST, REQUEST],
            [RESPONSE, RESPONSE],
            [REQUEST, REQUEST],
            [Started(), RESPONSE, RESPONSE],
            id="once more",
        ),
        pytest.param(
            [REQUEST, Wait(5.0, "polling"), REQUEST],
            [FAILED, RESPONSE],
            [REQUEST, 5.0, REQUEST],
            [Started(), FAILED, WaitElapsed(), RESPONSE],
            id="failed, waited, asked again",
        ),
        pytest.param(
            [SIGNATURE, SIGNATURE, REQUEST],
            [RESPONSE],
            [SIGNATURE, SIGNATURE, REQUEST],
            [Started(), SignatureMade(b"signature"), SignatureMade(b"signature"), RESPONSE],
            id="two signatures",
        ),
    ],
)
def test_stories(
    run: Run,
    actions: list[Action[str]],
    answers: list[Event],
    asked: list[object],
    events: list[Event],
) -> None:
    outside = Outside(answers=list(answers))
    heard: list[tuple[Event, float]] = []
    flow = scripted([*actions, Finished("result")], heard)
    assert run(flow, outside, signer=True) == "result"
    assert outside.asked == asked
    # The clock is read for each event, after it has happened.
    assert heard == [(event, 101.0 + number) for number, event in enumerate(events)]


@both
def test_a_signature_without_a_signer(run: Run) -> None:
    outside = Outside()
    with pytest.raises(LocalProtocolError, match="needs a ES256 signature") as caught:
        run(scripted([SIGNATURE], []), outside, signer=False)
    assert caught.value.advice is not None
    assert outside.asked == []


@both
@pytest.mark.parametrize("name", ["send", "sleep", "sign", "now"])
def test_what_the_outside_raises_passes(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    outside = Outside()
    monkeypatch.setattr(outside, name, stop)
    flow = scripted([SIGNATURE, REQUEST, Wait(1.0, "polling"), REQUEST, Finished("result")], [])
    with pytest.raises(KeyboardInterrupt):
        run(flow, outside, signer=True)
    assert flow.state is not State.FINISHED


@both
@pytest.mark.parametrize("junk", [None, 200, Started()], ids=repr)
def test_a_send_that_returns_no_answer_is_told_so(run: Run, junk: Any) -> None:
    with pytest.raises(LocalProtocolError, match="cannot come while the flow is SENDING"):
        run(scripted([REQUEST], []), Outside(answers=[junk]), signer=True)
