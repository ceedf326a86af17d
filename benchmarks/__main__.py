"""Print how much this library costs, side by side with the same by hand: see README.md."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from math import nan

from .cases import GROUPS, IMPORTS, SIZES, Group
from .measuring import (
    bytes_of,
    can_count,
    canned_server,
    count_in_turns,
    instructions,
    modules_of_import,
    relative_times,
)

OURS = 1  # the place of ours in each group
_COUNTED = "valgrind is not installed, so nothing is counted: times alone, which vary"


def main() -> int:
    """Measure, and print the tables."""
    if sys.argv[1:2] == ["--case"]:
        return _count_case(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    print(__doc__)
    if not can_count():
        print(_COUNTED)
    with canned_server() as port:
        for number, group in enumerate(GROUPS):
            _print_group(number, group, port)
    _print_imports()
    print("\nMemory\n")
    for size in SIZES:
        more = bytes_of(size.ours) - bytes_of(size.bare)
        print(f"  {size.title:42} {more:8.0f} bytes  {_verdict(more, size.goal)}")
    return 0


def _print_group(number: int, group: Group, port: int) -> None:
    print(f"\n{group.title}\n")
    steps = {name: step for name, case in group.cases.items() if (step := case(port)) is not None}
    for step in steps.values():
        step()
    times = relative_times(steps, times=max(group.times // 10, 20))
    counts = [
        instructions(f"{number}:{name}", group.times, port) if can_count() else (nan, nan)
        for name in steps
    ]
    print(f"  {'':34} {'instructions':>12} {'ratio':>8} {'time':>8}")
    for place, (name, count, longer) in enumerate(zip(steps, counts, times, strict=True)):
        ratio = count[1] / count[0]
        verdict = _verdict(ratio if can_count() else longer, group.goal) if place == OURS else ""
        print(f"  {name:34} {count[1]:12,.0f} {ratio:8.4f} {longer:8.3f}  {verdict}".rstrip())
    for name in group.cases.keys() - steps.keys():
        print(f"  {name:34} not installed")


def _print_imports() -> None:
    print(f"\nModules that an import loads\n\n  {'':34} {'standard':>12} {'others':>8}")
    for name, statement in IMPORTS.items():
        if find_spec(statement.split()[1].partition(".")[0]) is None:
            print(f"  {name:34} not installed")
            continue
        loaded = modules_of_import(statement)
        standard = {each for each in loaded if each.partition(".")[0] in sys.stdlib_module_names}
        print(f"  {name:34} {len(standard):12} {len(loaded - standard):8}")


def _verdict(measured: float, goal: float) -> str:
    return f"goal {goal:g}: {'met' if measured <= goal else 'missed'}"


def _count_case(name: str, times: int, port: int) -> int:
    number, _, within = name.partition(":")
    cases = GROUPS[int(number)].cases
    first, this = next(iter(cases.values()))(port), cases[within](port)
    if first is None or this is None:
        return 1
    count_in_turns(first, this, times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
