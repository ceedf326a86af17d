from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.comparing import Group
from benchmarks.groups import GROUPS
from benchmarks.measuring import ENVIRONMENT, ROOT


def run(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_step_can_be_done() -> None:
    lines = run("--once")
    assert [line.rpartition(":")[0] for line in lines] == [
        f"{group.name}: {case}" for group in GROUPS.values() for case in group.cases
    ]
    # What is compared with, and what is compared, is never left out where all extras are installed.
    assert {f"{group.name}: {case}: done" for group in GROUPS.values() for case in _own(group)} <= {
        *lines
    }


def _own(group: Group) -> list[str]:
    return [next(iter(group.cases)), group.ours]


def test_the_names_of_the_groups() -> None:
    assert run("--list") == [*GROUPS, "imports", "memory"]


@pytest.mark.parametrize("arguments", [["nothing"], ["--once", "nothing"]])
def test_a_name_that_is_none(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "no group is called nothing" in done.stderr
