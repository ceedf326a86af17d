"""Rows: the same calls for both sides, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .recorder import Answer, Received, Recorder
from .sides import Side


@dataclass
class State:
    """What the steps of one row share on one side."""

    side: Side
    recorder: Recorder
    client: Any = None
    noted: list[Any] = field(default_factory=list[Any])  # by functions of the row, such as hooks
    before_answer: Callable[[Received], None] | None = None


class Step(Protocol):
    """One thing that is done on both sides."""

    def take(self, state: State) -> Any: ...


@dataclass(frozen=True)
class Call:
    """A call of the client's method. In texts, `{url}` is the recording server."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def take(self, state: State) -> Any:
        args, kwargs = filled(self.args, state), filled(dict(self.kwargs), state)
        return getattr(state.client, self.method)(*args, **kwargs)


@dataclass(frozen=True)
class Assign:
    """An attribute of the client that is set."""

    name: str
    value: Any

    def take(self, state: State) -> None:
        setattr(state.client, self.name, filled(self.value, state))


@dataclass(frozen=True)
class Read:
    """An attribute of the client that is read."""

    name: str

    def take(self, state: State) -> Any:
        return getattr(state.client, self.name)


@dataclass(frozen=True)
class Do:
    """A function of the client and of what the steps share."""

    function: Callable[[Any, State], Any]

    def take(self, state: State) -> Any:
        return self.function(state.client, state)


@dataclass(frozen=True)
class Made:
    """An argument that each side makes for itself, such as a function or an object of its own."""

    make: Callable[[State], Any]


def call(method: str, /, *args: Any, **kwargs: Any) -> Call:
    """Return a call of the client's method."""
    return Call(method, args, kwargs)


def filled(value: Any, state: State) -> Any:
    """Return an argument with what only the run knows."""
    match value:
        case str():
            return value.replace("{url}", state.recorder.url)
        case Made():
            return value.make(state)
        case dict():
            return {name: filled(each, state) for name, each in value.items()}
        case list():
            return [filled(each, state) for each in value]
        case tuple():
            return tuple(filled(each, state) for each in value)
        case _:
            return value


@dataclass(frozen=True)
class Row:
    """The same calls for both sides.

    client: arguments of the constructor beside the id, the secret and the token endpoint; one that
        is None is left out.
    positional: arguments instead of the id and the secret.
    answers: of the recording server, by path, one after the other.
    differs: the names of intended differences (see `differences.py`), and in what they show.
    over: `requests` or `httpx`, where a row makes sense over one of them alone.
    kind: `session`, `assertion` or `plain`.
    """

    name: str
    steps: tuple[Step, ...]
    client: Mapping[str, Any] = field(default_factory=dict[str, Any])
    positional: tuple[Any, ...] | None = None
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict[str, tuple[Answer, ...]])
    over: str | None = None
    kind: str = "session"

    def build(self, state: State) -> Any:
        """Return the client of one side."""
        side = state.side
        given = {**_DEFAULTS[self.kind], **self.client}
        kwargs = {name: filled(value, state) for name, value in given.items() if value is not None}
        args = filled(_POSITIONAL[self.kind] if self.positional is None else self.positional, state)
        cls = {
            "session": side.session_class,
            "assertion": side.assertion_class,
            "plain": side.plain_class,
        }[self.kind]
        return side.build(cls, *args, **kwargs)


SECRET = "a-secret"
_POSITIONAL: Mapping[str, tuple[Any, ...]] = {
    "session": ("app", SECRET),
    "assertion": ("{url}/token", "the-issuer", "the-subject"),
    "plain": (),
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "session": {"token_endpoint": "{url}/token"},
    "assertion": {"key": "a-key-of-thirty-two-bytes-or-more", "alg": "HS256"},
    "plain": {},
}
