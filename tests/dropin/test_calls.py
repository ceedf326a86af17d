from __future__ import annotations

from oauth2_sansio import Endpoint, Finished, RequestToSend, ResponseReceived
from oauth2_sansio.dropin.calls import Call
from oauth2_sansio.events import Action, Event, Started
from oauth2_sansio.flow import Flow, State, finished

REQUEST = RequestToSend(endpoint=Endpoint.TOKEN, url="https://as.example/token")


def _flow() -> Flow[str]:
    def step(event: Event, _now: float) -> Action[str]:
        return REQUEST if isinstance(event, Started) else Finished("result")

    return Flow(step)


def test_a_call_is_the_flow_and_tells_of_its_success() -> None:
    told: list[State] = []
    call = Call(_flow(), options={"timeout": 1}, on_success=lambda: told.append(call.state))
    assert call.start(0) is REQUEST
    assert told == []
    assert call.receive(ResponseReceived(status=200), 0) == Finished("result")
    assert len(told) == 1
    assert (call.options, call.http_auth, call.amend_response) == ({"timeout": 1}, None, ())


def test_a_call_that_tells_nobody() -> None:
    call = Call(finished(lambda now: now), options={}, http_auth="x", amend_response=(print,))
    assert call.start(5) == Finished(5)
    assert (call.http_auth, call.amend_response) == ("x", (print,))
