"""What the documentation says of names and of the table is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import oauth2_sansio
from oauth2_sansio.flow import print_diagram

ROOT = Path(__file__).parents[1]


def test_the_documentation_lists_every_public_name_and_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    page = page.partition("## Beside the core")[0]
    listed = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(oauth2_sansio.__all__)


@pytest.mark.parametrize("page", ["README.md", "docs/design.md"])
def test_the_diagram_is_printed_from_the_table(page: str) -> None:
    [printed] = re.findall(
        r"```mermaid\n(.*?)\n```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert printed == print_diagram()


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").glob("*.md")),
    ],
)
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    # Where the tests run against an installed package, the package is elsewhere.
    roots = [(ROOT / page).parent, Path(oauth2_sansio.__file__).parents[1]]
    missing = [link for link in links if not any(root.joinpath(link).exists() for root in roots)]
    assert not missing


def test_the_tests_that_the_page_on_security_names_are_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)
    assert len(named) == page.count(".py::") > 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^(?:async )?def {name}\(", _text_of(ROOT / path), flags=re.MULTILINE)
    ]
    assert not missing


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
