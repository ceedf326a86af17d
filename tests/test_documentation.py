"""What the documentation says of names and of the table is what the code says."""

from __future__ import annotations

import inspect
import re
from dataclasses import is_dataclass
from enum import Enum
from fnmatch import filter as fnmatch_filter
from fnmatch import fnmatch
from importlib import import_module
from itertools import takewhile
from os.path import normpath
from pathlib import Path
from typing import Any

import pytest

import oauth2_sansio
from oauth2_sansio import Client
from oauth2_sansio.dropin.settings import Settings
from oauth2_sansio.flow import print_diagram

ROOT = Path(__file__).parents[1]


def test_the_documentation_lists_every_public_name_and_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    page = page.partition("## Beside the core")[0]
    listed = re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(oauth2_sansio.__all__)


def test_each_class_that_can_change_says_who_may_share_it() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = set(re.findall(r"`(\w+)`", page.partition("## Who may share what")[2]))
    packages = ["", "_requests", "_httpx", "_httpx2", "_trio"]
    for package in (import_module(f"oauth2_sansio{each}") for each in packages):
        for name in package.__all__:
            found = getattr(package, name)
            if inspect.isclass(found) and not _never_changes(found):
                assert name in table, f"{package.__name__}.{name}"


def _never_changes(found: type[Any]) -> bool:
    is_frozen = is_dataclass(found) and found.__dataclass_params__.frozen  # type: ignore[attr-defined]  # it has
    return (
        is_frozen
        or getattr(found, "_is_protocol", False)
        or issubclass(found, (BaseException, Enum))
    )


@pytest.mark.parametrize("page", ["README.md", "docs/design.md"])
def test_the_diagram_is_printed_from_the_table(page: str) -> None:
    [printed] = re.findall(
        r"```mermaid\n(.*?)\n```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert printed == print_diagram()


def test_the_layout_names_every_part_of_the_core_and_no_other() -> None:
    page = _text_of(ROOT / "docs" / "design.md")
    [layout] = re.findall(r"^oauth2_sansio/ .*?(?=^adapters/)", page, re.DOTALL | re.MULTILINE)
    lines = [line[2:].split(" ") for line in layout.splitlines()[1:]]
    named = [word for line in lines for word in takewhile(_is_part, line)]
    package = Path(oauth2_sansio.__file__).parent
    parts = [
        *(path.name for path in package.glob("*.py") if not path.name.startswith("__")),
        *(f"{path.parent.name}/" for path in package.glob("*/__init__.py")),
    ]
    assert [part for part in parts if sum(fnmatch(part, name) for name in named) != 1] == []
    assert [name for name in named if not fnmatch_filter(parts, name)] == []


def _is_part(word: str) -> bool:
    return word.endswith((".py", "/"))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "examples/README.md",
        *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").glob("*.md")),
    ],
)
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    # Where the tests run against an installed package, the package is elsewhere.
    roots = [ROOT, Path(oauth2_sansio.__file__).parents[1]]
    paths = [normpath(Path(page).parent / link) for link in links]
    assert not [path for path in paths if not any(root.joinpath(path).exists() for root in roots)]


def test_the_tests_that_the_page_on_security_names_are_there() -> None:
    page = "".join(_text_of(ROOT / "docs" / each) for each in ("security.md", "hostile-servers.md"))
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)
    assert len(named) == page.count(".py::") > 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^(?:async )?def {name}\(", _text_of(ROOT / path), flags=re.MULTILINE)
    ]
    assert not missing


_NAMED = re.compile(r"`(?:await )?(\w+)(?:\(([^`]*)\)|(=))?`")


def _table_of_libraries() -> list[tuple[str, str]]:
    """Return each class that the page on extensions has a column for, and all that stands there."""
    page = (ROOT / "docs" / "extensions.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| Extension \| requests: .*?(?=\n\n)", page, re.DOTALL | re.MULTILINE)
    header, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines())
    return [(title, " ".join(row[place] for row in rows)) for place, title in enumerate(header)][1:]


@pytest.mark.parametrize(("title", "column"), _table_of_libraries())
def test_the_table_of_extensions_names_what_each_class_has(title: str, column: str) -> None:
    libraries, _, class_name = title.partition(": ")
    for library in libraries.split(", "):
        module: Any = import_module(f"oauth2_sansio_{library}")
        session_class = getattr(module, class_name.strip("`"))
        named = _NAMED.findall(column)
        for name, given, is_argument in named:
            if is_argument:
                assert _takes(session_class, name), name
                continue
            owners = [
                each for each in (session_class, module, oauth2_sansio) if hasattr(each, name)
            ]
            arguments = re.findall(r"(\w+)=", given)
            assert all(_takes(getattr(owners[0], name), each) for each in arguments), name
        assert len(named) > 12


def _takes(function: Any, name: str) -> bool:
    """Say whether something takes an argument: by its name, or as a parameter of a request."""
    parameters = inspect.signature(function).parameters
    if name in parameters:
        return True
    [further] = [each for each in parameters.values() if each.kind is each.VAR_KEYWORD]
    if "Settings" in str(further.annotation):  # Unpack[...]: what `Settings` lists
        return name in Settings.__annotations__
    return name in inspect.signature(Client.authorize).parameters


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
