"""Check the project. Nothing needs to be installed before: each check sets itself up.

    python3 .ci/check.py tests [--lowest] [arguments of pytest]   run the tests
    python3 .ci/check.py stacks    the example over niquests, which has to be alone
    python3 .ci/check.py simulation    10,000 histories of processes that share a token
    python3 .ci/check.py fuzzing [--runs N] [--target NAME] [--atheris NAME]    odd inputs for readers
    python3 .ci/check.py hostile [--peers] [--driver NAME] [--rows TEXT]    the table of hostile answers
    python3 .ci/check.py lint      ruff: rules and format
    python3 .ci/check.py types     mypy and pyright, both strict
    python3 .ci/check.py modules   each module of the core: 100 % of it by its own tests alone
    python3 .ci/check.py mutation [MODULE ...]    which small changes of the core its tests notice
    python3 .ci/check.py wheel     build, look into the wheel, run the tests against it

`--lowest` runs the tests with the lowest version of each library that an extra names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from environment import ROOT, Environment, groups, lowest_versions

CORE = ROOT / "oauth2_sansio"
TYPED = ("oauth2_sansio", "adapters", "tests", "examples", "benchmarks")

# Whose own test module bears another name.
OWN_TESTS: Mapping[str, str] = MappingProxyType(
    {"__init__": "tests/packaging/test_exports.py", "version": "tests/packaging/test_metadata.py"}
)
# Packages, from the core's folder on, that are covered as a whole by these tests. What the classes
# of the drop-in vocabulary share is covered together: each story of theirs goes through all of it.
PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "command_line": "tests/command_line",
        "dropin waiting httpx_family ../adapters/oauth2_sansio_requests "
        "../adapters/oauth2_sansio_httpx ../adapters/oauth2_sansio_httpx2": (
            "tests/dropin tests/waiting tests/adapters tests/adapters_httpx tests/every_class "
            "--ignore-glob=*/test_hostile_* tests/interop/test_bound_tokens.py "
            "tests/contract/test_traps.py "
            "tests/interop/test_signed_answers.py"
        ),
        "stores": "tests/stores",
        "testing": "tests/testing",
        "../adapters/oauth2_sansio_trio": "tests/adapters_trio",
    }
)


def tests(arguments: list[str]) -> int:
    """Run the tests against the checkout."""
    lowest = "--lowest" in arguments
    if lowest:
        arguments.remove("--lowest")
    environment = Environment("lowest" if lowest else "tests")
    pinned = lowest_versions() if lowest else []
    environment.install(f"--editable={ROOT}[all]", *groups("test", "interop"), *pinned)
    return environment.run("pytest", *arguments)


def stacks(arguments: list[str]) -> int:
    """Run the example over niquests, which cannot live with the libraries of the other tests."""
    environment = Environment("stacks")
    environment.install(f"--editable={ROOT}[all]", *groups("test", "niquests"))
    return environment.run("pytest", "tests/examples", "-k", "niquests", *arguments)


def simulation(arguments: list[str]) -> int:
    """Live through many histories of processes that share a token, with faults at every step."""
    environment = Environment("tests")
    environment.install(f"--editable={ROOT}[all]", *groups("test", "interop"))
    return environment.run("python", "-m", "tests.simulation", *(arguments or ["--seeds", "10000"]))


def fuzzing(arguments: list[str]) -> int:
    """Give each reader many odd inputs: see `tests/fuzzing`."""
    guided = "--atheris" in arguments
    environment = Environment("fuzzing" if guided else "tests")
    names = ("fuzzing",) if guided else ("test", "interop")
    environment.install(f"--editable={ROOT}[all]", *groups(*names))
    return environment.run("python", "-m", "tests.fuzzing", *(arguments or ["--runs", "100000"]))


def hostile(arguments: list[str]) -> int:
    """Print what each driver makes of each row of the table of hostile answers: `tests/contract`."""
    return _checks().run("python", "-m", "tests.contract", *arguments)


def lint(arguments: list[str]) -> int:
    """Run ruff's rules, then its formatter."""
    environment = _checks()
    return environment.run("ruff", "check", *arguments) or environment.run(
        "ruff", "format", "--check", "--diff", *arguments
    )


def types(arguments: list[str]) -> int:
    """Run mypy over everything, and pyright over what users import."""
    environment = _checks()
    folders = [name for name in TYPED if any((ROOT / name).rglob("*.py"))]
    scripts = sorted(str(path.relative_to(ROOT)) for path in Path(__file__).parent.glob("*.py"))
    python = ("--pythonpath", environment.program("python"))  # pyright would take the first on PATH
    return environment.run("mypy", *folders, *scripts, *arguments) or environment.run(
        "pyright", *python, *arguments, variables={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    )


def modules(arguments: list[str]) -> int:
    """Measure each module of the core with its own tests alone: all lines and branches.

    arguments: names of modules, such as `tokens`; all where there is none.
    """
    environment = _checks()
    wanted = [
        job for job in _jobs() if not arguments or not set(arguments).isdisjoint(job.name.split())
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [report for report in pool.map(lambda job: job.run(environment), wanted) if report]
    print(*failed, sep="\n")
    print(f"{len(wanted) - len(failed)} of {len(wanted)} modules are covered by their own tests")
    return bool(failed or not wanted)


def mutation(arguments: list[str]) -> int:
    """Change each module of the core in many small ways, and see whether its own tests notice."""
    environment = Environment("mutation")
    environment.install(f"--editable={ROOT}[all]", *groups("test", "mutation"))
    return environment.run("python", ".ci/mutation.py", *arguments)


def wheel(arguments: list[str]) -> int:
    """Build wheel and sdist, and run the tests against the wheel, away from the checkout."""
    checks = _checks()
    built = ROOT / "dist"
    shutil.rmtree(built, ignore_errors=True)
    code = checks.run("python", "-m", "build", "--outdir", str(built))
    if code:
        return code
    (file,) = built.glob("*.whl")
    code = checks.run("check-wheel-contents", str(file))
    if code:
        return code
    environment = Environment("wheel")
    environment.install(f"{file}[all]", *groups("test", "interop"))
    with tempfile.TemporaryDirectory() as folder:
        _copy_all_but_packages(Path(folder))
        return environment.run("pytest", *arguments, folder=Path(folder))


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be covered, and by which tests; `name` has those of several packages."""

    name: str
    sources: str
    tests: str

    def run(self, environment: Environment) -> str:
        """Return what is wrong; an empty text where all is covered."""
        arguments = self.tests.split()
        if not all((ROOT / each).exists() for each in arguments if not each.startswith("-")):
            return f"{self.name}: there is no {self.tests}"
        with tempfile.TemporaryDirectory() as folder:
            # A file of its own for each: coverage must not add them up.
            variables = {**os.environ, "COVERAGE_FILE": f"{folder}/data", "CI": "true"}
            for command in (
                ("run", f"--include={self.sources}", "-m", "pytest", "-q", *arguments),
                ("report", f"--include={self.sources}"),
            ):
                done = subprocess.run(
                    [environment.program("coverage"), *command],
                    cwd=ROOT,
                    env=variables,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    return f"{self.name} by {self.tests}:\n{done.stdout}{done.stderr}"
        return ""


def _jobs() -> list[Job]:
    """List what is to be covered."""
    names = sorted(path.stem for path in CORE.glob("*.py") if path.stem != "__main__")
    jobs = [
        Job(name, f"{CORE}/{name}.py", OWN_TESTS.get(name, f"tests/core/test_{name}.py"))
        for name in names
    ]
    for packages, folders in PACKAGES.items():
        found = [(CORE / name).resolve() for name in packages.split()]
        sources = ",".join(f"{folder}/*.py" for folder in found)
        jobs.append(Job(" ".join(folder.name for folder in found), sources, folders))
    return jobs


def _checks() -> Environment:
    """Return the environment that has all that a developer needs."""
    environment = Environment("checks")
    environment.install(f"--editable={ROOT}[all]", *groups("dev"))
    return environment


def _copy_all_but_packages(folder: Path) -> None:
    """Copy what git knows, except for the packages: they have to come from the wheel."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("oauth2_sansio/", "adapters/")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)


COMMANDS: Mapping[str, Callable[[list[str]], int]] = MappingProxyType(
    {
        command.__name__: command
        for command in (
            *(tests, stacks, simulation, fuzzing, hostile, lint, types, modules, mutation, wheel),
        )
    }
)


def main() -> int:
    """Run the check that the command line names, and return the exit code."""
    name, *arguments = sys.argv[1:] or ["--help"]
    command = COMMANDS.get(name)
    if command is None:
        print(__doc__)
        return 0 if name in {"-h", "--help"} else 2
    if sys.version_info < (3, 11):  # noqa: UP036 - to say so is what this line is for
        print("This project needs Python 3.11 or newer: call me with that one.")
        return 2
    return command(arguments)


if __name__ == "__main__":
    sys.exit(main())
