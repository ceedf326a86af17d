"""The headers of a request or an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, cast

Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Headers(Mapping[str, str]):
    """Header fields in their order; names count whatever their letter case, and may repeat.

    As a mapping it has each name once, in lower case, with all its values joined by commas.
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._pairs: Pairs
        if type(headers) is list or type(headers) is tuple:  # the usual case, told apart fast
            self._pairs = tuple(cast("list[tuple[str, str]]", headers))
        elif isinstance(headers, Headers):
            self._pairs = headers.pairs
        elif isinstance(headers, Mapping):
            self._pairs = tuple(cast("Mapping[str, str]", headers).items())
        else:
            self._pairs = tuple((name, value) for name, value in headers)
        self._index: dict[str, list[str]] | None = None

    @property
    def pairs(self) -> Pairs:
        """All names and values as they were written."""
        return self._pairs

    def get_list(self, name: str) -> list[str]:
        """Return all values of a name, in their order."""
        return list(self._values_by_name().get(name.lower(), ()))

    def with_header(self, name: str, value: str) -> Headers:
        """Return these headers with one of them set, instead of all of that name."""
        return Headers((*self._without({name.lower()}), (name, value)))

    def without(self, *names: str) -> Headers:
        """Return these headers but for some."""
        return Headers(self._without({name.lower() for name in names}))

    def updated(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
        """Return these headers with others, which replace those of the same name."""
        others = Headers(headers).pairs
        return Headers((*self._without({name.lower() for name, _ in others}), *others))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values_by_name()[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values_by_name()

    def __iter__(self) -> Iterator[str]:
        return iter(self._values_by_name())

    def __len__(self) -> int:
        return len(self._values_by_name())

    def __repr__(self) -> str:
        # The values may be secrets.
        return f"<Headers {', '.join(self)}>"

    def _values_by_name(self) -> dict[str, list[str]]:
        if self._index is None:
            index: dict[str, list[str]] = {}
            for name, value in self._pairs:
                index.setdefault(name.lower(), []).append(value)
            self._index = index
        return self._index

    def _without(self, names: set[str]) -> list[tuple[str, str]]:
        return [pair for pair in self._pairs if pair[0].lower() not in names]
