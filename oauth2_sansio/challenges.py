"""What a server asks for: the challenges of `WWW-Authenticate`.

A field may carry several challenges, and a response several fields. Commas stand between challenges
as well as between the parameters of one, so a field is cut at its commas first, and each piece then
says by its form whether it begins a challenge or goes on with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

LONGEST_FIELDS = 65_536
"""Characters of all fields together; a field that goes beyond them is not read, nor any after it."""

MOST_CHALLENGES = 100
"""Challenges in one response; those that follow are not read."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which the server wants a request to be authenticated (RFC 9110 section 11.3).

    scheme: in lower case, such as `bearer`, `dpop` or `basic`.
    token68: the data of a scheme that has no parameters, such as `negotiate`.
    parameters: by their names in lower case; cannot be changed.

    All of it is the server's text: check a URL before it is asked, and show none of it as HTML.
    """

    scheme: str
    token68: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @property
    def realm(self) -> str | None:
        """What is protected, for a person to read (RFC 9110 section 11.5)."""
        return self.parameters.get("realm")

    @property
    def error(self) -> str | None:
        """Why the request was refused, such as `invalid_token` (RFC 6750 section 3.1)."""
        return self.parameters.get("error")

    @property
    def error_description(self) -> str | None:
        """More about the error, for a developer to read (RFC 6750 section 3)."""
        return self.parameters.get("error_description")

    @property
    def error_uri(self) -> str | None:
        """A page about the error (RFC 6750 section 3)."""
        return self.parameters.get("error_uri")

    @property
    def scope(self) -> str | None:
        """The scope that the resource needs, separated by spaces (RFC 6750 section 3)."""
        return self.parameters.get("scope")

    @property
    def resource_metadata(self) -> str | None:
        """Where the resource server describes itself (RFC 9728 section 5.1)."""
        return self.parameters.get("resource_metadata")

    @property
    def acr_values(self) -> str | None:
        """The ways of logging in that would do, separated by spaces (RFC 9470 section 3)."""
        return self.parameters.get("acr_values")

    @property
    def max_age(self) -> int | None:
        """The seconds since the login that would do (RFC 9470 section 3); None if not a number."""
        value = self.parameters.get("max_age", "")
        return int(value) if _SECONDS.fullmatch(value) else None

    @property
    def algs(self) -> tuple[str, ...]:
        """The algorithms for a DPoP proof that the server takes (RFC 9449 section 7.1)."""
        return tuple(self.parameters.get("algs", "").split())

    def __repr__(self) -> str:
        error = "" if self.error is None else f", error={_shown(self.error)}"
        return f"Challenge(scheme={_shown(self.scheme)}{error})"

    def __reduce__(self) -> tuple[type[Challenge], tuple[str, str | None, dict[str, str]]]:
        return Challenge, (self.scheme, self.token68, dict(self.parameters))


def read_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return all challenges of a response, in their order.

    values: those of all its `WWW-Authenticate` fields.
    Never raises: a challenge that is malformed or that has a parameter twice is left out, and the
    others are kept. Behind a quotation mark that is never closed nothing more can be told, so the
    rest of that field is left out, with the challenge that it belongs to.
    Source: RFC 9110 section 11.6.1.
    """
    challenges: list[Challenge] = []
    left = LONGEST_FIELDS
    for value in values:
        left -= len(value)
        if left < 0:
            break
        for draft in _drafts(value):
            challenges.append(Challenge(draft.scheme, draft.token68, draft.parameters))
            if len(challenges) == MOST_CHALLENGES:
                return tuple(challenges)
    return tuple(challenges)


# Every repetition is possessive (`*+`): it gives nothing back, so hostile text costs linear time.
_TOKEN = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]++"
_QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\t\x20-\x7e\x80-\U0010ffff])*+)"'
_PIECE = re.compile(r'[ \t,]*+((?:[^",]|"(?:[^"\\]|\\.)*+")*+)', re.DOTALL)
_PARAMETER = re.compile(rf"({_TOKEN})[ \t]*+=[ \t]*+(?:({_TOKEN})|{_QUOTED})[ \t]*+")
_BEGINNING = re.compile(rf"({_TOKEN})(?:[ \t]++|\Z)(?!=)")
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]++=*+)[ \t]*+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,10}")


class _Draft:
    """A challenge while its parameters are being collected."""

    __slots__ = ("is_sound", "parameters", "scheme", "token68")

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme.lower()
        self.token68: str | None = None
        self.parameters: dict[str, str] = {}
        self.is_sound = True

    def begin(self, text: str) -> None:
        """Take in what stands behind the scheme, up to the first comma."""
        if match := _TOKEN68.fullmatch(text):
            self.token68 = match[1]
        elif text:
            self.go_on(text)

    def go_on(self, text: str) -> None:
        """Take in a parameter."""
        match = _PARAMETER.fullmatch(text)
        if match is None or self.token68 is not None or match[1].lower() in self.parameters:
            self.is_sound = False
            return
        value = match[2] if match[3] is None else _ESCAPE.sub(r"\1", match[3])
        self.parameters[match[1].lower()] = value


def _drafts(value: str) -> Iterator[_Draft]:
    draft: _Draft | None = None
    for piece in _pieces(value):
        beginning = None if piece is None else _BEGINNING.match(piece)
        if piece is not None and beginning is not None:
            if draft is not None and draft.is_sound:
                yield draft
            draft = _Draft(beginning[1])
            draft.begin(piece[beginning.end() :])
        elif draft is not None:
            draft.go_on(piece or "")
    if draft is not None and draft.is_sound:
        yield draft


def _pieces(value: str) -> Iterator[str | None]:
    """Yield what stands between the commas; None, and the end, for a quote that is not closed."""
    for match in _PIECE.finditer(value):
        if match[1]:
            yield match[1]
        if value.startswith('"', match.end()):
            yield None
            return


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")
