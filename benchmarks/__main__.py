"""Print how much this library costs, side by side with the same by hand: see README.md.

    python -m benchmarks [--list | --once] [NAME ...]

NAME: of a group, or `imports` or `memory`; all where there is none.
--list: prints the names. --once: does each step once, and measures nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib.util import find_spec
from math import nan

from .answering import answer, answering
from .comparing import Group, Judge
from .groups import GROUPS, MISSING
from .measuring import (
    bytes_of,
    can_count,
    count_in_turns,
    instructions,
    modules_of_import,
    peak,
    peak_in_process,
    relative_times,
)
from .sizes import IMPORTS, MOST_STANDARD_MODULES, sizes

_UNCOUNTED = "valgrind is not installed, so nothing is counted: times alone, which vary"


def main(arguments: list[str]) -> int:
    """Measure, and print the tables."""
    match arguments:
        case ["--answer"]:
            answer()
            return 0
        case ["--count", group, case, times, port]:
            return _count(GROUPS[group], case, int(times), int(port))
        case ["--peak", group, case, port]:
            return _print_peak(GROUPS[group], case, int(port))
        case ["--list"]:
            print(*GROUPS, "imports", "memory", sep="\n")
            return 0
        case ["--once", *names]:
            return _do_once(names or [*GROUPS])
        case _:
            return _print_tables(arguments)


def _print_tables(names: list[str]) -> int:
    known = [*GROUPS, "imports", "memory"]
    wanted = names or known
    if _has_unknown(wanted, known):
        return 2
    for name, needed in MISSING.items():
        print(f"not installed, and left out: {' and '.join(needed)} ({name})")
    if not can_count():
        print(_UNCOUNTED)
    with answering() as port:
        for name in wanted:
            if name in GROUPS:
                _print_group(GROUPS[name], port)
    if "imports" in wanted:
        _print_imports()
    if "memory" in wanted:
        _print_sizes()
    return 0


def _has_unknown(names: list[str], known: Collection[str]) -> bool:
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no group is called {unknown[0]}; see --list", file=sys.stderr)
    return bool(unknown)


def _do_once(names: list[str]) -> int:
    if _has_unknown(names, GROUPS):
        return 2
    with answering() as port:
        for name in names:
            for case, build in GROUPS[name].cases.items():
                step = build(port)
                if step is not None:
                    step()
                print(f"{name}: {case}: {'left out' if step is None else 'done'}")
    return 0


def _print_group(group: Group, port: int) -> None:
    print(f"\n{group.title} ({group.name})\n", flush=True)
    steps = {name: step for name, case in group.cases.items() if (step := case(port)) is not None}
    if len(steps) > 1:
        if group.judge is Judge.PEAK:
            _print_peaks(group, list(steps), port)
        else:
            for step in steps.values():
                step()
            _print_costs(group, list(steps), relative_times(steps), port)
    for name in group.cases:
        if name not in steps:
            print(f"  {name:36} not installed, or over another library")


def _print_costs(group: Group, names: list[str], times: list[float], port: int) -> None:
    print(f"  {'':36} {'instructions':>12} {'ratio':>8} {'time':>8}", flush=True)
    for name, longer in zip(names, times, strict=True):
        before, here = (
            instructions(group.name, name, group.times, port) if can_count() else (nan, nan)
        )
        measured = here / before
        count = f"{here / group.each:12,.0f} {measured:8.4f}" if can_count() else f"{'':21}"
        if group.judge is Judge.TIME or not can_count():
            measured = longer
        verdict = _verdict(measured, group.goal) if name == group.ours else ""
        print(f"  {name:36} {count} {longer:8.3f}  {verdict}".rstrip(), flush=True)


def _print_peaks(group: Group, names: list[str], port: int) -> None:
    first = nan
    for name in names:
        found = peak_in_process(group.name, name, port)
        first = found if name == names[0] else first
        verdict = _verdict(found / first, group.goal) if name == group.ours else ""
        print(f"  {name:36} {found:12,.0f} {found / first:8.3f}  {verdict}".rstrip(), flush=True)


def _print_imports() -> None:
    print(f"\nModules that an import adds (imports)\n\n  {'':36} {'standard':>12} {'others':>8}")
    for name, (before, statement) in IMPORTS.items():
        if not all(_is_installed(each) for each in (before, statement)):
            print(f"  {name:36} not installed")
            continue
        loaded = modules_of_import(before, statement)
        standard = {each for each in loaded if each.partition(".")[0] in sys.stdlib_module_names}
        ours = {each for each in loaded if each.startswith("oauth2_sansio")}
        others = loaded - standard - ours
        verdict = _verdict(len(standard) + 100 * len(others), MOST_STANDARD_MODULES) if ours else ""
        print(f"  {name:36} {len(standard):12} {len(others):8}  {verdict}".rstrip())


def _is_installed(statement: str) -> bool:
    _, _, names = statement.partition(" ")
    return all(find_spec(name.strip().partition(".")[0]) for name in names.split(","))


def _print_sizes() -> None:
    print("\nBytes that one takes (memory)\n")
    for size in sizes():
        more = bytes_of(size.ours) - bytes_of(size.bare)
        print(f"  {size.title:46} {more:8.0f}  {_verdict(more, size.goal)}")


def _verdict(measured: float, goal: float | None) -> str:
    if goal is None:
        return ""
    return f"goal {goal:.4g}: {'met' if measured <= goal else 'missed'}"


def _count(group: Group, case: str, times: int, port: int) -> int:
    first, this = next(iter(group.cases.values()))(port), group.cases[case](port)
    if first is None or this is None:
        return 1
    count_in_turns(first, this, times)
    return 0


def _print_peak(group: Group, case: str, port: int) -> int:
    step = group.cases[case](port)
    if step is None:
        return 1
    print(peak(step))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
