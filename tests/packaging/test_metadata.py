"""What is installed is what pyproject.toml, the changelog and the contributor's table say."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import oauth2_sansio
from oauth2_sansio.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TOP_LEVEL: list[str] = PYPROJECT["tool"]["check-wheel-contents"]["toplevel"]
LOWEST = re.compile(r"(?P<name>[a-z0-9-]+)>=(?P<version>[0-9.]+)")


def test_the_core_has_no_dependency() -> None:
    assert PROJECT["dependencies"] == []


def test_the_version_is_a_semantic_one_and_the_changelog_tells_of_it() -> None:
    assert oauth2_sansio.__version__ == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert newest in {"Unreleased", __version__}


def test_the_wheel_has_every_adapter() -> None:
    """A folder that is not listed is left out without a word: extend `packages` and `toplevel`."""
    listed: list[str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [Path(folder).name for folder in listed] == TOP_LEVEL
    folders = {path.name for path in (ROOT / "adapters").glob("*") if path.is_dir()}
    if not folders:
        pytest.skip("away from the checkout there are no folders to compare with")
    assert folders == {Path(name).name for name in listed if name.startswith("adapters/")}


@pytest.mark.parametrize("package", TOP_LEVEL)
def test_a_package_says_that_it_is_typed(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None, f"{package} has no __init__.py"
    assert Path(spec.origin).with_name("py.typed").is_file()


def test_all_means_every_extra() -> None:
    others = ",".join(name for name in EXTRAS if name != "all")
    assert EXTRAS["all"] == [f"{PROJECT['name']}[{others}]"]


@pytest.mark.parametrize(
    "requirement", [line for name, lines in EXTRAS.items() if name != "all" for line in lines]
)
def test_an_extra_has_a_lowest_version_that_the_table_names(requirement: str) -> None:
    found = LOWEST.fullmatch(requirement)
    assert found is not None, "each extra gives one lower bound and no more"
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(rf"`{found['name']}` {re.escape(found['version'])}\b", table)


def test_the_pythons_are_those_of_the_table() -> None:
    classifier = "Programming Language :: Python :: 3."
    minors = [
        int(line.removeprefix(classifier))
        for line in PROJECT["classifiers"]
        if line.startswith(classifier)
    ]
    assert PROJECT["requires-python"] == f">=3.{min(minors)}"
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"| Python | {', '.join(f'3.{minor}' for minor in sorted(minors))} |" in table
