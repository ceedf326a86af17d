"""A run as a Mermaid sequence diagram, printed from what was really sent and received."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from oauth2_sansio.errors import printable

from .recording import CallbackBrought, Exchanged, Happening, Party, Step, TimePassed
from .wording import brought, received, sent

_PARTICIPANTS = (
    "    actor User as User with a browser",
    "    participant Client as Client (oauth2_sansio)",
    "    participant Server as Authorization server",
    "    participant API as Protected API",
)
_LONGEST = 1000  # characters of a message
# In the text of a message Mermaid reads these as its own, or hands them on as HTML.
_SPECIAL = re.compile(r"[#;<>&\"\\]")


def sequence_diagram(steps: Iterable[Step]) -> str:
    """Return the steps as a Mermaid sequence diagram, with the secrets hidden."""
    lines = ["sequenceDiagram", *_PARTICIPANTS]
    for number, step in enumerate(steps, start=1):
        held = "" if step.held else " - a check did not hold" if step.checks else " - not reached"
        lines.append(f"    Note over User,API: {number}. {_escaped(step.title)}{held}")
        for happening in step.happened:
            lines += _arrows(happening)
    return "\n".join(lines) + "\n"


def _arrows(happening: Happening) -> Iterator[str]:
    match happening:
        case Exchanged(sender, request, event):
            here, there = sender.value, happening.receiver.value
            yield f"    {here}->>{there}: {_escaped(sent(request))}"
            yield f"    {there}-->>{here}: {_escaped(received(request, event))}"
        case CallbackBrought(url):
            yield f"    {Party.USER.value}->>{Party.CLIENT.value}: {_escaped(brought(url))}"
        case TimePassed(seconds):
            yield f"    Note over User,API: {seconds:g} seconds pass (the clock is moved)"
        case _:
            assert_never(happening)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"#{ord(sign[0])};", printable(text, _LONGEST))
