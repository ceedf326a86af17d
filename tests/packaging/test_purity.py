"""The core does no I/O and costs little to import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import oauth2_sansio

PACKAGE = Path(oauth2_sansio.__file__).parent

# What does I/O or waits. The core never imports it.
WITH_IO = ("command_line", "httpx_family", "stores", "waiting", "testing.loopback", "__main__")

FORBIDDEN = frozenset(
    {
        "asyncio",
        "cryptography",
        "email",
        "http",
        "logging",
        "selectors",
        "socket",
        "ssl",
        "threading",
    }
)

# Of the standard library, what a client needs in any case.
GIVEN = ("json", "urllib.parse", "base64", "hashlib", "hmac", "dataclasses", "enum", "typing")
MOST_STDLIB_MODULES = 20

# Beyond the forbidden ones: what would make a result hang on a clock, on chance or on the machine.
NOT_IMPORTED = FORBIDDEN | {"os.environ", "pathlib", "random", "secrets", "subprocess", "time"}

ALLOWED = {
    ("authorization", "secrets"),  # `generate_token`, a convenience that no flow uses
    ("tokens", "time"),  # the one clock, read only where the caller hands in no time
}


def _module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_pure(path: Path) -> bool:
    within = _module_name(path).removeprefix("oauth2_sansio.")
    return not any(within == name or within.startswith(f"{name}.") for name in WITH_IO)


PURE_FILES = sorted(path for path in PACKAGE.rglob("*.py") if _is_pure(path))
PURE_MODULES = [_module_name(path) for path in PURE_FILES]

_LOADED = """
import importlib, json, sys
package_folder, given, wanted = json.loads(sys.argv[1])
sys.path.insert(0, package_folder)
for name in given:
    importlib.import_module(name)
before = set(sys.modules)
for statement in wanted:
    exec(statement, {})
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _loaded_by(*statements: str) -> set[str]:
    """Return what these statements load in an interpreter that has loaded only what is given."""
    argument = json.dumps([str(PACKAGE.parent), GIVEN, statements])
    done = subprocess.run(
        # Isolated, and without site: what an editable install or the machine preloads stays out.
        [sys.executable, "-I", "-S", "-c", _LOADED, argument],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _assert_pure(loaded: set[str]) -> None:
    foreign = {name for name in loaded if name.partition(".")[0] != "oauth2_sansio"}
    tops = {name.partition(".")[0] for name in foreign}
    assert not tops & FORBIDDEN
    assert not tops - sys.stdlib_module_names, "a third-party module"
    assert len(foreign) <= MOST_STDLIB_MODULES, sorted(foreign)
    ours = {name.removeprefix("oauth2_sansio.") for name in loaded - foreign}
    assert not ours & set(WITH_IO)


def test_the_search_finds_modules() -> None:
    assert "oauth2_sansio.flow" in PURE_MODULES
    assert "oauth2_sansio" in PURE_MODULES


def test_a_violation_is_seen() -> None:
    loaded = _loaded_by("import oauth2_sansio", "import socket")
    with pytest.raises(AssertionError):
        _assert_pure(loaded)


def test_import_of_the_package() -> None:
    _assert_pure(_loaded_by("import oauth2_sansio"))


def test_every_public_name() -> None:
    _assert_pure(_loaded_by("from oauth2_sansio import *"))


@pytest.mark.parametrize("module", PURE_MODULES)
def test_import_of_a_module(module: str) -> None:
    loaded = _loaded_by(f"import {module}")
    assert "oauth2_sansio" in loaded
    _assert_pure(loaded)


def _imports(path: Path) -> set[str]:
    """Return all that a file imports anywhere, by full names: modules, and names in modules."""
    names: set[str] = set()
    package = _module_name(path).split(".")
    if path.stem != "__init__":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=module, level=level):
                start = package[: len(package) - level + 1] if level else []
                origin = ".".join([*start, *filter(None, [module])])
                names.add(origin)
                names.update(f"{origin}.{alias.name}" for alias in node.names)
            case _:
                pass
    return names


@pytest.mark.parametrize("path", PURE_FILES, ids=_module_name)
def test_what_a_file_imports(path: Path) -> None:
    """Late imports too, which no interpreter shows: a function may hide them."""
    imported = _imports(path)
    module = _module_name(path).removeprefix("oauth2_sansio.")
    for name in imported:
        top = name.partition(".")[0]
        assert not top.startswith("oauth2_sansio_"), f"{name}: the core never imports an adapter"
        assert top in sys.stdlib_module_names or top == "oauth2_sansio", f"{name}: third-party"
        if (module, top) not in ALLOWED:
            assert not {top, name} & NOT_IMPORTED, name
        within = name.removeprefix("oauth2_sansio.")
        assert not any(within == part or within.startswith(f"{part}.") for part in WITH_IO), name
