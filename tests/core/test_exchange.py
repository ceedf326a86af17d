"""Transcripts: what comes in, what goes out, one story each."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from oauth2_sansio.answers import Answer
from oauth2_sansio.errors import LocalProtocolError, OAuth2Error, Outcome, TransportError
from oauth2_sansio.events import (
    Action,
    Endpoint,
    Event,
    Finished,
    Pairs,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    Wait,
    WaitElapsed,
)
from oauth2_sansio.exchange import Exchange, Pipeline, Unsigned, no_answer
from oauth2_sansio.flow import Flow, State

DRAFT = RequestToSend(
    endpoint=Endpoint.TOKEN,
    url="https://as.example/token",
    headers=(("Accept", "application/json"),),
    form=(("grant_type", "client_credentials"), ("code", "the-c0de")),
)
OK = ResponseReceived(status=200, body=b"{}")
NO = ResponseReceived(status=400, body=b"{}")
NONCE = ResponseReceived(status=400, headers=(("DPoP-Nonce", "n1"),), body=b"{}")


@dataclass
class Named:
    """A signer that adds its name, the number of its signature and the time, and learns nonces."""

    name: str
    learns: bool = False
    signed: int = 0
    learnt: list[tuple[RequestToSend, ResponseReceived]] = field(default_factory=list[Any])

    def proof(self, now: float) -> str:
        self.signed += 1
        return f"{self.signed} at {now:.0f}"

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        return request.with_header(self.name, self.proof(now))

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        self.learnt.append((request, response))
        return self.learns and response.header("DPoP-Nonce") is not None


class Remote(Named):
    """A signer whose key is elsewhere."""

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        proof = self.proof(now)

        def attach(signature: bytes) -> RequestToSend:
            return request.with_header(self.name, f"{proof} {signature.decode()}")

        return Unsigned(needed(self.name), attach)


def needed(name: str) -> SignatureNeeded:
    return SignatureNeeded(algorithm="ES256", signing_input=name.encode(), key_id=name)


def sent(*headers: tuple[str, str]) -> RequestToSend:
    return replace(DRAFT, headers=(*DRAFT.headers, *headers))


def status(answer: Answer) -> int:
    return answer.response.status


class Polling(Exchange[int]):
    """An exchange of several answers: 400 means to ask again later."""

    def on_start(self, now: float) -> Action[int]:
        return Wait(5.0, "polling")

    def on_answer(self, answer: Answer) -> Action[int]:
        return Wait(5.0, "polling") if status(answer) == 400 else super().on_answer(answer)

    def on_failure(self, failure: RequestFailed, now: float) -> Action[int]:
        return Wait(10.0, "no answer") if not failure.sent else super().on_failure(failure, now)


def transcript(flow: Flow[int], events: list[Event]) -> list[Action[int]]:
    return [flow.receive(event, float(number)) for number, event in enumerate(events)]


@pytest.mark.parametrize(
    ("signers", "events", "actions"),
    [
        pytest.param([], [Started(), OK], [sent(), Finished(200)], id="nothing to sign"),
        pytest.param([], [Started(), NO], [sent(), Finished(400)], id="any status is an answer"),
        pytest.param(
            [Named("A"), Named("B")],
            [Started(), OK],
            [sent(("A", "1 at 0"), ("B", "1 at 0")), Finished(200)],
            id="two signers, in order",
        ),
        pytest.param(
            [Named("A"), Named("B", learns=True)],
            [Started(), NONCE, OK],
            [
                sent(("A", "1 at 0"), ("B", "1 at 0")),
                sent(("A", "2 at 1"), ("B", "2 at 1")),
                Finished(200),
            ],
            id="learnt: once more, all signed anew",
        ),
        pytest.param(
            [Named("A", learns=True)],
            [Started(), NONCE, NONCE],
            [sent(("A", "1 at 0")), sent(("A", "2 at 1")), Finished(400)],
            id="learnt twice: once more all the same",
        ),
        pytest.param(
            [Remote("A")],
            [Started(), SignatureMade(b"s"), OK],
            [needed("A"), sent(("A", "1 at 0 s")), Finished(200)],
            id="a key elsewhere",
        ),
        pytest.param(
            [Remote("A"), Named("B"), Remote("C")],
            [Started(), SignatureMade(b"s"), SignatureMade(b"t"), OK],
            [
                needed("A"),
                needed("C"),
                sent(("A", "1 at 0 s"), ("B", "1 at 1"), ("C", "1 at 1 t")),
                Finished(200),
            ],
            id="two keys elsewhere, and one here between them",
        ),
        pytest.param(
            [Remote("A", learns=True)],
            [Started(), SignatureMade(b"s"), NONCE, SignatureMade(b"t"), OK],
            [
                needed("A"),
                sent(("A", "1 at 0 s")),
                needed("A"),
                sent(("A", "2 at 2 t")),
                Finished(200),
            ],
            id="a key elsewhere, and learnt",
        ),
    ],
)
def test_stories(signers: list[Named], events: list[Event], actions: list[Action[int]]) -> None:
    fresh = [replace(signer, signed=0, learnt=[]) for signer in signers]
    flow = Exchange(Pipeline(signers=tuple(fresh)), DRAFT, status).flow()
    assert transcript(flow, events) == actions
    assert flow.state is State.FINISHED


def test_polling_with_a_key_elsewhere_learns_anew_for_each_attempt() -> None:
    signer = Remote("A", learns=True)
    flow = Polling(Pipeline(signers=(signer,)), DRAFT, status).flow()
    made = SignatureMade(b"s")
    assert transcript(
        flow,
        [
            *(Started(), WaitElapsed(), made, NONCE, made, NONCE),
            *(WaitElapsed(), made, RequestFailed(OSError(), sent=False)),
            *(WaitElapsed(), made, NONCE, made, OK),
        ],
    ) == [
        Wait(5.0, "polling"),
        *(needed("A"), sent(("A", "1 at 1 s")), needed("A"), sent(("A", "2 at 3 s"))),
        Wait(5.0, "polling"),
        *(needed("A"), sent(("A", "3 at 6 s"))),
        Wait(10.0, "no answer"),
        *(needed("A"), sent(("A", "4 at 9 s")), needed("A"), sent(("A", "5 at 11 s"))),
        Finished(200),
    ]


def test_every_signer_learns_whatever_the_others_say() -> None:
    first, second = Named("A", learns=True), Named("B", learns=True)
    flow = Exchange(Pipeline(signers=(first, second)), DRAFT, status).flow()
    request, *_ = transcript(flow, [Started(), NONCE])
    assert first.learnt == second.learnt == [(request, NONCE)]


def test_hooks_run_in_order_before_the_signers_and_on_every_attempt() -> None:
    def amend(name: str) -> Callable[[RequestToSend], RequestToSend]:
        return lambda request: request.with_header("Hooks", f"{request.header('Hooks')} {name}")

    def amend_response(request: RequestToSend, response: ResponseReceived) -> ResponseReceived:
        assert request.header("A") is not None  # as it was sent
        return replace(response, status=response.status + 1)

    signer = Named("A", learns=True)
    pipeline = Pipeline(
        amend_request=(amend("x"), amend("y")),
        signers=(signer,),
        amend_response=(amend_response, amend_response),
    )
    flow = Exchange(pipeline, DRAFT, status).flow()
    assert transcript(flow, [Started(), NONCE, OK]) == [
        sent(("Hooks", "None x y"), ("A", "1 at 0")),
        sent(("Hooks", "None x y"), ("A", "2 at 1")),
        Finished(202),
    ]
    assert [response.status for _, response in signer.learnt] == [402, 202]


def test_hooks_that_forget_to_return() -> None:
    hook: Any = lambda *_: None  # noqa: E731 - a hook is a function, and this is the shortest
    asking = Exchange(Pipeline(amend_request=(hook,)), DRAFT, status).flow()
    with pytest.raises(LocalProtocolError, match="a function of amend_request returned a NoneType"):
        asking.start(0.0)
    reading = Exchange(Pipeline(amend_response=(hook,)), DRAFT, status).flow()
    reading.start(0.0)
    with pytest.raises(LocalProtocolError, match="a function of amend_response returned a NoneTyp"):
        reading.receive(OK, 1.0)


def test_an_exchange_can_be_run_again() -> None:
    exchange = Exchange(Pipeline(signers=(Named("A", learns=True),)), DRAFT, status)
    for _ in range(2):
        assert transcript(exchange.flow(), [Started(), NONCE, OK])[-1] == Finished(200)


@pytest.mark.parametrize(
    "headers",
    [
        (("X", "a\r\nEvil: 1"),),
        (("X", "a\nb"),),
        (("X", "a\x00"),),
        (("X", "\x7f"),),
        (("X", " a"),),
        (("X", "a "),),
        (("X", "a\t"),),
        (("X", "ä"),),
        (("X", "\ud800"),),
        (("X: a", "b"),),
        (("", "b"),),
        (("X\n", "b"),),
        (("Good", "a"), ("Ä", "b")),
    ],
)
def test_a_header_that_would_be_two_is_refused(headers: Pairs) -> None:
    refused(replace(DRAFT, headers=headers), "a header has characters that no header may have")


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", '"!~"', "tOken" * 1000])
def test_a_good_header_goes_out(value: str) -> None:
    request = sent(("X-Own_1", value))
    assert Pipeline().check(request) is request


def test_a_hook_may_make_a_header_of_a_list() -> None:
    own: Any = [["X-Own", "a"], ["Accept", "application/json"]]
    request = replace(DRAFT, headers=own)
    pipeline = Pipeline(known_headers=frozenset({("Accept", "application/json")}))
    assert pipeline.check(request) is request


@pytest.mark.parametrize("method", ["", "PO ST", "POST\r\nX: y", "GET /", "ä"])
def test_a_method_is_one_word(method: str) -> None:
    refused(replace(DRAFT, method=method), "the method is none that HTTP knows")


@pytest.mark.parametrize("pair", [("a", None), (None, "a"), ("a", 5), ("a", "\ud800"), (b"a", "b")])
def test_a_parameter_is_a_text(pair: Any) -> None:
    refused(replace(DRAFT, form=(pair,)), "a parameter is not a text that UTF-8 can write")
    assert Pipeline().check(replace(DRAFT, form=(("ä", "€"),))).body == b"%C3%A4=%E2%82%AC"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://as.example/token", "token endpoint is plain http"),
        ("https://me:pw@as.example/token", "token endpoint holds a user name"),
        ("javascript:alert(1)", "token endpoint is not an absolute https URL"),
        ("https://as.example/token\r\nX: y", "token endpoint holds a character"),
    ],
)
def test_an_unsafe_url_is_refused(url: str, reason: str) -> None:
    refused(replace(DRAFT, url=url), reason)


@pytest.mark.parametrize("other", ["http://as.example/token", f"{DRAFT.url}#part"])
def test_a_known_url_vouches_for_no_other(other: str) -> None:
    pipeline = Pipeline(known_urls=frozenset({DRAFT.url}))
    assert pipeline.check(DRAFT) is DRAFT
    refused(replace(DRAFT, url=other), "token endpoint", pipeline)
    hook = replace(pipeline, amend_request=(lambda request: replace(request, url=other),))
    refused(DRAFT, "token endpoint", hook)


def test_plain_http_may_be_allowed() -> None:
    request = replace(DRAFT, url="http://as.example/token")
    assert Pipeline(allow_insecure_http=True).check(request) is request


def test_url_allowed_is_asked_before_each_request() -> None:
    asked: list[str] = []

    def url_allowed(url: str) -> bool:
        asked.append(url)
        return len(asked) < 3

    pipeline = Pipeline(signers=(Named("A", learns=True),), url_allowed=url_allowed)
    assert transcript(Exchange(pipeline, DRAFT, status).flow(), [Started(), NONCE, OK])
    assert asked == [DRAFT.url, DRAFT.url]
    refused(DRAFT, "the function url_allowed refuses this URL", pipeline)


def refused(request: RequestToSend, reason: str, pipeline: Pipeline | None = None) -> None:
    flow = Exchange(pipeline or Pipeline(), request, status).flow()
    with pytest.raises(LocalProtocolError, match=reason) as caught:
        flow.start(0.0)
    assert caught.value.endpoint is Endpoint.TOKEN
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.advice is not None
    assert flow.state is State.FAILED


@pytest.mark.parametrize(
    ("was_sent", "outcome", "advice"),
    [
        (True, Outcome.UNKNOWN, "the server may have acted: do not simply repeat it"),
        (False, Outcome.NOT_SENT, "nothing was sent: try again"),
    ],
)
def test_a_request_without_an_answer_is_never_repeated(
    was_sent: bool, outcome: Outcome, advice: str
) -> None:
    flow = Exchange(Pipeline(signers=(Named("A", learns=True),)), DRAFT, status).flow()
    flow.start(0.0)
    cause = TimeoutError("the-c0de")
    with pytest.raises(TransportError) as caught:
        flow.receive(RequestFailed(cause, sent=was_sent), 1.0)
    error = caught.value
    assert (error.outcome, error.advice, error.endpoint) == (outcome, advice, Endpoint.TOKEN)
    assert error.cause is cause
    assert "the-c0de" not in "".join(traceback.format_exception(error))
    assert flow.state is State.FAILED


def chain(*causes: Exception, context: bool = False) -> Exception:
    for outer, inner in pairwise(causes):
        if context:
            outer.__context__ = inner
        else:
            outer.__cause__ = inner
    return causes[0]


def loop() -> Exception:
    cause = ValueError("the-c0de")
    return chain(cause, KeyError("the-c0de"), cause)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (ValueError("the-c0de"), "ValueError"),
        (OSError("the-c0de"), "OSError"),
        (OSError(5, None), "OSError"),
        (OSError(111, "Connection refused"), "ConnectionRefusedError (Connection refused)"),
        (OSError(5, "GET /?code=the-c0de"), "OSError (GET /?code=[redacted])"),
        (OSError(5, "read 0123456789abcdef0123456789abcdef01234567"), "OSError (read [redacted])"),
        (OSError(5, f"read {'A' * 39}"), f"OSError (read {'A' * 39})"),
        (OSError(5, f"read {'A' * 40}"), "OSError (read [redacted])"),
        (
            chain(RuntimeError("the-c0de"), OSError(111, "Connection refused")),
            "RuntimeError from ConnectionRefusedError (Connection refused)",
        ),
        (chain(RuntimeError(), KeyError(), context=True), "RuntimeError from KeyError"),
        (loop(), "ValueError from KeyError from ValueError from KeyError from ValueError"),
    ],
)
def test_the_cause_is_named_and_not_quoted(cause: Exception, text: str) -> None:
    error = no_answer(DRAFT, RequestFailed(cause))
    assert error.description == f"no response came: {text}"
    assert "the-c0de" not in str(error)


def test_what_the_reader_raises_passes() -> None:
    def read(answer: Answer) -> int:
        raise answer.broken("odd")

    flow = Exchange(Pipeline(), DRAFT, read).flow()
    flow.start(0.0)
    with pytest.raises(OAuth2Error, match="odd") as caught:
        flow.receive(OK, 1.0)
    assert caught.value.response is OK


def test_what_awaits_a_signature_shows_none_of_it() -> None:
    assert repr(Remote("A").sign(DRAFT, 0.0)) == (
        "Unsigned(needed=SignatureNeeded(algorithm='ES256', key_id='A'))"
    )
