"""What only some users need of an adapter is loaded when they use it."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("adapter", "names"),
    [
        ("oauth2_sansio_requests", ("AssertionSession",)),
        ("oauth2_sansio_httpx", ("AssertionClient", "AsyncAssertionClient")),
        ("oauth2_sansio_httpx2", ("AssertionClient", "AsyncAssertionClient")),
    ],
)
def test_the_assertion_classes_are_there(adapter: str, names: tuple[str, ...]) -> None:
    module = import_module(adapter)
    for name in names:
        assert getattr(module, name) is getattr(module, name)
        assert getattr(module, name).__name__ == name
        assert name in module.__all__
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        module.nonsense  # noqa: B018 - the look-up is what is tested
