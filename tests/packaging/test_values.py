"""The values of the core cannot be changed, and hold what they name alone."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import oauth2_sansio

# What collects something while it comes, within one module.
CHANGE = {"Answer", "Knowledge", "Unsaved", "_Ended", "_Members", "_Running"}


def classes() -> dict[str, Any]:
    folder = Path(oauth2_sansio.__file__).parent
    modules = [
        importlib.import_module(f"oauth2_sansio.{path.stem}")
        for path in sorted(folder.glob("*.py"))
        if not path.stem.startswith("__")
    ]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if is_dataclass(value) and value.__module__ == module.__name__
    }


CLASSES = classes()


def test_there_are_many() -> None:
    assert len(CLASSES) > 60


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_a_value_is_frozen_and_has_slots(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen is (kind.__name__ not in CHANGE)
    slots = {name for each in kind.__mro__ for name in vars(each).get("__slots__", ())}
    assert {each.name for each in fields(kind)} <= slots
