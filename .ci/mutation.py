"""Change the core in many small ways, and see whether its own tests notice.

    python3 .ci/check.py mutation [--jobs N] [MODULE ...]

Each mutant is one module of the core with one change that cosmic-ray knows of. It runs in a process
of its own, with those tests of `tests/core/test_MODULE.py` that get to the changed line, and no file
is changed. What survives is printed; what nobody can notice stands in `equivalent_mutants.toml`, with
the reason.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from environment import ROOT
from mutants import CORE, Mutant, mutants_of

# What is slow to load and the same for each mutant: loaded once, before any process is forked.
_LOADED_ONCE = (
    *("pytest", "coverage", "hypothesis", "hypothesis.strategies", "trio", "trio.testing"),
    *("joserfc.jwe", "joserfc.jwk", "joserfc.jws", "joserfc.jwt", "jwt", "email.utils"),
    *("cryptography.x509", "cryptography.hazmat.primitives.serialization"),
)

_OPTIONS = (
    *("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:unraisableexception"),
    *(
        "-p",
        "_hypothesis_pytestplugin",
        "--hypothesis-profile=mutation",
        "-p",
        "pytest_trio.plugin",
    ),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of what was loaded once
)

_MEMORY = 4 * 1024**3  # bytes
_PATIENCE = 300  # seconds: for who waits without computing


class Fate(Enum):
    """What has become of a mutant."""

    KILLED = "killed"
    ENDLESS = "killed, by running without end"
    SURVIVED = "survived"
    EQUIVALENT = "cannot be noticed"


# By pytest's exit codes: a test has failed, or none could be loaded (then those named are not found).
_CODES = {0: Fate.SURVIVED, 1: Fate.KILLED, 2: Fate.KILLED, 4: Fate.KILLED}


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from other source than its file has."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"oauth2_sansio.{mutant.module}", str(CORE / f"{mutant.module}.py"))
        self._source = mutant.source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds that one module."""

    def __init__(self, mutant: Mutant) -> None:
        self._loader = _Loader(mutant)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._loader.name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self._loader.path, loader=self._loader
        )


class Tests:
    """The tests of a module, and which of them get to which line."""

    def __init__(self, module: str) -> None:
        self._file = f"tests/core/test_{module}.py"
        path = CORE / f"{module}.py"
        self._statements = _statements(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "found.json"
            _, status, usage = os.wait4(_begin(lambda: _run_noting(self._file, path, found)), 0)
            if status:
                sys.exit(f"{self._file} fails without any change")
            self._by_line: dict[str, list[str]] = json.loads(found.read_text(encoding="utf-8"))
        self.most_seconds = int(usage.ru_utime + usage.ru_stime) + 4  # of processor time

    def of_line(self, line: int) -> list[str]:
        """Return the arguments of pytest that run all tests which may notice a change there."""
        lines = next((each for each in self._statements if line in each), range(line, line + 1))
        names = {name for each in lines for name in self._by_line.get(str(each), [""])}
        if "" in names:  # it runs when the module is loaded
            return [self._file]
        return [f"{self._file}::{name}" for name in sorted(names)]


def _statements(source: str) -> list[range]:
    """Return the lines of each statement, of compound ones those of the head; inner ones first."""
    found: list[range] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
            end = inner[0].lineno - 1 if inner else node.end_lineno or node.lineno
            found.append(range(node.lineno, max(end, node.lineno) + 1))
    return sorted(found, key=len)


def _run_noting(tests: str, path: Path, found: Path) -> int:
    """Run tests, and write down which of them gets to which line."""
    coverage: Any = importlib.import_module("coverage")
    measuring = coverage.Coverage(data_file=None, include=[str(path)], config_file=False)

    class Noting:
        def pytest_runtest_setup(self, item: Any) -> None:
            measuring.switch_context(item.function.__name__)

    measuring.start()
    code = _run(tests, plugins=[Noting()])
    measuring.stop()
    by_line = measuring.get_data().contexts_by_lineno(str(path))
    found.write_text(json.dumps(by_line), encoding="utf-8")
    return code


def _run(*tests: str, plugins: Sequence[object] = ()) -> int:
    pytest: Any = importlib.import_module("pytest")
    return int(pytest.main([*_OPTIONS, *tests], plugins=list(plugins)))


def _run_mutant(mutant: Mutant, tests: Tests) -> int:
    seconds = tests.most_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.alarm(_PATIENCE)
    sys.meta_path.insert(0, _Finder(mutant))
    return _run(*tests.of_line(mutant.line))


def _begin(run: Callable[[], int]) -> int:
    """Fork a process that prints nothing and ends with what a function returns; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70  # for what should not happen
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        code = run()
    finally:
        os._exit(code)


def _fates(module: str, mutants: Iterable[Mutant], jobs: int) -> Iterator[tuple[Mutant, Fate]]:
    tests = Tests(module)
    running: dict[int, Mutant] = {}
    waiting = iter(mutants)
    while True:
        while len(running) < jobs and (mutant := next(waiting, None)) is not None:
            running[_begin(partial(_run_mutant, mutant, tests))] = mutant
        if not running:
            return
        pid, status = os.wait()
        yield running.pop(pid), _fate(status)


def _fate(status: int) -> Fate:
    if os.WIFSIGNALED(status):
        return Fate.ENDLESS
    code = os.WEXITSTATUS(status)
    if code not in _CODES:
        sys.exit(f"pytest has ended with the exit code {code}, and says nothing of the mutant")
    return _CODES[code]


def examine(module: str, reasons: Sequence[Mapping[str, str]], jobs: int) -> Counter[Fate]:
    """Print what survives of the mutants of a module, and how they fared."""
    made = list(mutants_of(module))
    explained = [mutant for mutant in made if mutant.explained_by(reasons)]
    fates = Counter({Fate.EQUIVALENT: len(explained)})
    for mutant, fate in _fates(module, (each for each in made if each not in explained), jobs):
        fates[fate] += 1
        if fate is Fate.SURVIVED:
            print(f"{fate.value}: {mutant}", flush=True)
    for reason in reasons:
        if not any(mutant.explained_by([reason]) for mutant in made):
            print(f"there is no such mutant any more: {module}: {reason['becomes']!r}")
    print(_row(module, fates), flush=True)
    return fates


def _row(name: str, fates: Counter[Fate]) -> str:
    killed = fates[Fate.KILLED] + fates[Fate.ENDLESS]
    noticeable = killed + fates[Fate.SURVIVED]
    score = 100 * killed / max(noticeable, 1)
    return (
        f"| `{name}` | {fates.total()} | {fates[Fate.EQUIVALENT]} | {fates[Fate.SURVIVED]} "
        f"| {score:.1f} % |"
    )


def main() -> int:
    """Read the command line, examine the modules, and say how many mutants were noticed."""
    parser = argparse.ArgumentParser(prog="python3 .ci/check.py mutation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    given = parser.parse_args()
    os.chdir(ROOT)
    os.environ["CI"] = "true"  # the same examples for each mutant
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they load slowly, and are of no use here
    for name in _LOADED_ONCE:
        importlib.import_module(name)
    hypothesis: Any = importlib.import_module("hypothesis")
    # Nobody looks at the smallest example, and what takes more than a few is noticed by luck.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation", deadline=None, derandomize=True, database=None, phases=phases, max_examples=30
    )
    gc.collect()
    gc.freeze()  # what was loaded once is not looked through again in each process
    explained = tomllib.loads(
        (Path(__file__).parent / "equivalent_mutants.toml").read_text(encoding="utf-8")
    )
    names = sorted(path.stem for path in CORE.glob("*.py") if not path.stem.startswith("__"))
    total = Counter[Fate]()
    print(
        "| module | mutants | cannot be noticed | survived | score |\n|---|--:|--:|--:|--:|",
        flush=True,
    )
    for module in given.modules or [each for each in names if each != "version"]:
        total += examine(module, explained.get(module, []), given.jobs)
    print(_row("together", total))
    return bool(total[Fate.SURVIVED])


if __name__ == "__main__":
    sys.exit(main())
