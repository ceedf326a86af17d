"""A run as a table of plain ASCII, 96 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap
from types import MappingProxyType

from oauth2_sansio.events import Endpoint

from .recording import Exchanged, Step
from .wording import outcome

_WIDTHS = (2, 15, 29, 44)
_NAMES: Mapping[Endpoint, str] = MappingProxyType({Endpoint.RESOURCE: "API"})
_MARK = 4  # columns for `ok` or `NO` before what was checked


def table(steps: Sequence[Step]) -> str:
    """Return the table of the steps: what was sent and received, and what was checked."""
    lines = [_row((" #", "step", "sent and received", "checked")), _row(["-" * w for w in _WIDTHS])]
    for number, step in enumerate(steps, start=1):
        columns = (
            [f"{number:>2}"],
            wrap(step.title, _WIDTHS[1]),
            [line for each in _exchanges(step) for line in wrap(each, _WIDTHS[2])],
            list(_checks(step)),
        )
        lines += [_row(cells) for cells in zip_longest(*columns, fillvalue="")]
    return "\n".join(lines)


def summary(steps: Sequence[Step]) -> str:
    """Return one line: how many checks there were, and whether all held."""
    checks = [check for step in steps for check in step.checks]
    broken = sum(not check.held for check in checks)
    missed = sum(not step.checks for step in steps)
    counted = f"{len(steps)} steps, {len(checks)} checks"
    if not broken and not missed:
        return f"{counted}: all held."
    return f"{counted}: {broken} did not hold; {missed} steps were not reached."


def _exchanges(step: Step) -> Iterator[str]:
    for each in step.happened:
        if isinstance(each, Exchanged):
            name = _NAMES.get(each.request.endpoint, str(each.request.endpoint))
            shown = name.removesuffix(" endpoint")
            yield f"{each.request.method} {shown}: {outcome(each.request, each.event)}"


def _checks(step: Step) -> Iterator[str]:
    if not step.checks:
        yield "--  not reached"
    for check in step.checks:
        mark = "ok" if check.held else "NO"
        for line in wrap(check.what, _WIDTHS[3] - _MARK):
            yield f"{mark:{_MARK}}{line}"
            mark = ""


def _row(cells: Sequence[str]) -> str:
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
