"""The public surface is a list, and every name on it is there."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import oauth2_sansio


def test_the_list_is_in_order_and_has_no_doubles() -> None:
    names = list(oauth2_sansio.__all__)
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("_") and name != "__version__"]


@pytest.mark.parametrize("name", oauth2_sansio.__all__)
def test_a_public_name_is_there(name: str) -> None:
    value = getattr(oauth2_sansio, name)
    assert getattr(oauth2_sansio, name) is value
    assert name in dir(oauth2_sansio)


@pytest.mark.parametrize("name", oauth2_sansio.__all__)
def test_a_public_class_or_function_is_ours_and_documented(name: str) -> None:
    value = getattr(oauth2_sansio, name)
    if callable(value) and isinstance(getattr(value, "__module__", None), str):
        origin = importlib.import_module(value.__module__)
        if origin.__name__.partition(".")[0] == "oauth2_sansio":
            assert value.__doc__, f"{name} has no docstring"


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="'oauth2_sansio' has no attribute 'nonsense'"):
        getattr(oauth2_sansio, "nonsense")  # noqa: B009 - a type checker would refuse the plain form


def test_a_star_takes_the_list() -> None:
    namespace: dict[str, object] = {}
    exec("from oauth2_sansio import *", namespace)
    assert set(oauth2_sansio.__all__) <= set(namespace)


def test_every_error_is_public() -> None:
    """A caller must be able to catch by name whatever the core raises."""
    errors = importlib.import_module("oauth2_sansio.errors")
    own = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and issubclass(value, Exception)
        and value.__module__ == errors.__name__
        and not name.startswith("_")
    }
    assert own
    assert own <= set(oauth2_sansio.__all__)


def test_every_module_can_be_imported() -> None:
    found = {module.name for module in pkgutil.iter_modules(oauth2_sansio.__path__)}
    assert {"errors", "events", "flow"} <= found


def test_type_checkers_are_told_the_same() -> None:
    """The names load late; what is written for type checkers has to name them all."""
    source = ast.parse(Path(oauth2_sansio.__file__).read_text(encoding="utf-8"))
    told = {
        alias.asname or alias.name: (node.module, alias.name)
        for block in source.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(told) == set(oauth2_sansio.__all__) - {"__version__"}
    for name, (module, original) in told.items():
        origin = importlib.import_module(f"oauth2_sansio.{module}")
        assert getattr(oauth2_sansio, name) is getattr(origin, original)
