"""One request, sent as often as it takes to be answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, Protocol, TypeAlias, TypeVar, assert_never

from .answers import Answer
from .errors import LocalProtocolError, Outcome, TransportError
from .events import (
    Action,
    Event,
    Finished,
    RequestFailed,
    RequestToSend,
    ResponseReceived,
    SignatureMade,
    SignatureNeeded,
    Started,
    T,
    WaitElapsed,
)
from .flow import Flow
from .parameters import are_ascii
from .redaction import redact, secrets_of
from .urls import check_url

V = TypeVar("V")

AmendRequest: TypeAlias = Callable[[RequestToSend], RequestToSend]
AmendResponse: TypeAlias = Callable[[RequestToSend, ResponseReceived], ResponseReceived]

# RFC 9110 sections 5.6.2 and 5.5; beyond ASCII the HTTP libraries differ, so nothing of it goes out.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HALF_A_CHARACTER = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What a signer returns where the key is elsewhere: what to sign, and how to go on then.

    attach: returns the signed request, given the signature.
    """

    needed: SignatureNeeded
    attach: Callable[[bytes], RequestToSend] = field(repr=False)


class Signer(Protocol):
    """Adds to a request what proves who sends it: client authentication, DPoP."""

    def sign(self, request: RequestToSend, now: float) -> RequestToSend | Unsigned:
        """Return the request with the proof; it runs anew on every attempt.

        now: seconds since the epoch.
        """
        ...

    def learn(self, request: RequestToSend, response: ResponseReceived) -> bool:
        """Keep what the response teaches; say whether that calls for one more try."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What each request passes on its way out, and each response on its way in.

    amend_request: pure functions, called in this order, before the signers.
    signers: client authentication and other proofs, in this order.
    amend_response: pure functions, called in this order, before the answer is read.
    url_allowed: is asked before each request; false refuses it. A guard against requests to
        addresses that a hostile server names.
    allow_insecure_http: lets requests go to plain http outside the loopback interface.
    known_urls: have passed `check_url` without `allow_insecure_http`, and need not again.
    known_headers: are such as HTTP takes.
    """

    amend_request: tuple[AmendRequest, ...] = ()
    signers: tuple[Signer, ...] = ()
    amend_response: tuple[AmendResponse, ...] = ()
    url_allowed: Callable[[str], bool] | None = None
    allow_insecure_http: bool = False
    known_urls: frozenset[str] = frozenset()
    known_headers: frozenset[tuple[str, str]] = frozenset()

    def check(self, request: RequestToSend) -> RequestToSend:
        """Return a request that may go out as it is; raise `LocalProtocolError` for another."""
        if request.url not in self.known_urls:
            check_url(
                request.url,
                str(request.endpoint),
                allow_insecure_http=self.allow_insecure_http,
                endpoint=request.endpoint,
            )
        if self.url_allowed is not None and not self.url_allowed(request.url):
            raise LocalProtocolError(
                "the function url_allowed refuses this URL",
                endpoint=request.endpoint,
                advice="check where the URL comes from before you allow it",
            )
        if not _TOKEN.fullmatch(request.method):
            raise _unfit(request, "the method is none that HTTP knows")
        for name, value in request.headers:
            if not ((name, value) in self.known_headers or _is_header(name, value)):
                raise _unfit(request, "a header has characters that no header may have")
        if not (are_ascii(request.form) or all(map(_is_text, chain(*request.form)))):
            raise _unfit(request, "a parameter is not a text that UTF-8 can write")
        return request


class Exchange(Generic[T]):
    """The step of most operations: send one request, read its answer.

    Where a signer learns something from the answer that calls for it, the request goes out once
    more, and not again. A request without a response is never repeated: the server may have acted.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        draft: RequestToSend,
        read: Callable[[Answer], T],
    ) -> None:
        self._pipeline = pipeline
        self._draft = draft
        self._read = read
        self._sent = draft
        self._signers: Iterator[Signer] = iter(())
        self._attach: Callable[[bytes], RequestToSend]  # once a signature was asked for
        self._tried_again = False

    def flow(self) -> Flow[T]:
        """Return a flow of this one exchange."""
        return Flow(self.step)

    def step(self, event: Event, now: float) -> Action[T]:
        """Return what to do after an event."""
        match event:
            case Started():
                self._tried_again = False
                return self.on_start(now)
            case ResponseReceived():
                return self._receive(event, now)
            case RequestFailed():
                return self.on_failure(event, now)
            case WaitElapsed():
                self._tried_again = False
                return self.send(now)
            case SignatureMade(signature):
                return self._sign(self._attach(signature), now)
            case _:
                assert_never(event)

    def send(self, now: float) -> RequestToSend | SignatureNeeded:
        """Return the request, amended and signed anew."""
        request = self._draft
        for amend in self._pipeline.amend_request:
            request = _amended(amend(request), RequestToSend, "amend_request")
        self._signers = iter(self._pipeline.signers)
        return self._sign(request, now)

    # An operation of several answers does these otherwise.

    def on_start(self, now: float) -> Action[T]:
        """Return the first action."""
        return self.send(now)

    def on_answer(self, answer: Answer) -> Action[T]:
        """Return what follows an answer."""
        return Finished(self._read(answer))

    def on_failure(self, failure: RequestFailed, now: float) -> Action[T]:
        """Return what follows the lack of an answer."""
        raise no_answer(self._sent, failure)

    def _sign(self, request: RequestToSend, now: float) -> RequestToSend | SignatureNeeded:
        for signer in self._signers:
            signed = signer.sign(request, now)
            if isinstance(signed, Unsigned):
                self._attach = signed.attach
                return signed.needed
            request = signed
        self._sent = self._pipeline.check(request)
        return request

    def _receive(self, response: ResponseReceived, now: float) -> Action[T]:
        for amend in self._pipeline.amend_response:
            response = amend(self._sent, response)
            response = _amended(response, ResponseReceived, "amend_response")
        # Every signer learns, whatever the others say.
        learnt = [signer.learn(self._sent, response) for signer in self._pipeline.signers]
        if any(learnt) and not self._tried_again:
            self._tried_again = True
            return self.send(now)
        return self.on_answer(Answer(self._sent, response, now))


def no_answer(request: RequestToSend, failure: RequestFailed) -> TransportError:
    """Return the error for a request that got no response."""
    outcome = Outcome.UNKNOWN if failure.sent else Outcome.NOT_SENT
    advice = (
        "the server may have acted: do not simply repeat it"
        if failure.sent
        else "nothing was sent: try again"
    )
    # The cause is kept for the caller, but not chained: the text of an HTTP library's exception
    # may quote a URL, or what the server sent.
    return TransportError(
        f"no response came: {_describe(failure.cause, secrets_of(request))}",
        outcome=outcome,
        cause=failure.cause,
        endpoint=request.endpoint,
        advice=advice,
    )


def _describe(cause: BaseException, secrets: frozenset[str]) -> str:
    names: list[str] = []
    current: BaseException | None = cause
    while current is not None and len(names) < 5:
        names.append(type(current).__name__)
        if isinstance(current, OSError) and isinstance(current.strerror, str):
            return f"{' from '.join(names)} ({redact(current.strerror, secrets, 40)})"
        current = current.__cause__ or current.__context__
    return " from ".join(names)


def _amended(value: object, kind: type[V], name: str) -> V:
    if isinstance(value, kind):
        return value
    raise LocalProtocolError(
        f"a function of {name} returned a {type(value).__name__}",
        advice=f"let it return the {kind.__name__}, also where it changes nothing",
    )


def _is_header(name: str, value: str) -> bool:
    # The value is of visible characters, and within them spaces and tabs.
    return bool(
        _TOKEN.fullmatch(name)
        and value.isascii()
        and value.replace("\t", " ").isprintable()
        and value.strip(" \t") == value
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and (value.isascii() or not _HALF_A_CHARACTER.search(value))


def _unfit(request: RequestToSend, description: str) -> LocalProtocolError:
    return LocalProtocolError(
        description,
        endpoint=request.endpoint,
        advice="check what was given to the call, and the hooks",
    )
