"""No file of the project holds what belongs on one machine, or to one moment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("oauth2_sansio", "adapters", "tests", "examples", "benchmarks", "docs", ".ci")
TEXTS = frozenset({".py", ".md", ".toml", ".txt", ".json", ".mmd"})
NAMES = frozenset({".gitignore", "LICENSE", "run"})

# Written so that this file does not find itself.
UNWANTED = {
    "a folder of one machine": r"(?<![\w.])/(?:work|root|home|opt)/\w",
    "the host of a package registry": r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs|npmjs\.org)",
    "a note to oneself": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
    "a check switched off without a reason": (
        r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?"
        r"|type:\s*ignore(?:\[[\w\s,-]*\])?|pragma:\s*no\s+cover)\s*$"
    ),
    "a conflict left over": r"^(?:<{7}|>{7}) ",
}
FILES = sorted(
    path
    for top in (ROOT, *(ROOT / name for name in SOURCES))
    for path in (top.glob("*") if top == ROOT else top.rglob("*"))
    if path.is_file() and (path.suffix in TEXTS or path.name in NAMES)
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_search_finds_files() -> None:
    assert Path(__file__).resolve() in FILES


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_has_nothing_unwanted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {
        what: [match.group() for match in re.finditer(pattern, text, re.MULTILINE)]
        for what, pattern in UNWANTED.items()
        if re.search(pattern, text, re.MULTILINE)
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "work/main",
        "https://pypi" + ".org/simple",
        "x = 1  # TO" + "DO later",
        "x = 1  # no" + "qa",
        "x = 1  # no" + "qa: E501",
        "x = 1  # type: ig" + "nore[misc]",
        "<" * 7 + " HEAD",
    ],
)
def test_an_unwanted_line_is_seen(line: str) -> None:
    assert any(re.search(pattern, line, re.MULTILINE) for pattern in UNWANTED.values())


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # no" + "qa: E501 - a URL",
        "x = 1  # type: ig" + "nore[misc]  # the drop-in API demands it",
        "https://server.example/home/page",
    ],
)
def test_a_line_with_a_reason_is_not(line: str) -> None:
    assert not any(re.search(pattern, line, re.MULTILINE) for pattern in UNWANTED.values())


LONGEST_MODULE = 400


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.suffix == ".py" and "tests" not in path.parts],
    ids=_name,
)
def test_a_module_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_MODULE
