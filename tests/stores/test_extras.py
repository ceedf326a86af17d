"""What a store says where its library is missing, and what loading a store costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import oauth2_sansio
from oauth2_sansio import LocalProtocolError, stores

PLACE = "a/place"
MISSING: list[tuple[str, str, Callable[[], object]]] = [
    ("filelock", "file", lambda: stores.FileStore(PLACE)),
    ("keyring", "keyring", lambda: stores.KeyringStore(PLACE)),
    ("redis", "redis", lambda: stores.RedisStore("redis://127.0.0.1")),
    ("redis.asyncio", "redis", lambda: stores.AsyncRedisStore("redis://127.0.0.1")),
    ("psycopg", "postgresql", lambda: stores.PostgreSQLStore("")),
    ("psycopg", "postgresql", lambda: stores.AsyncPostgreSQLStore("")),
    (
        "cryptography.hazmat.primitives.ciphers.aead",
        "encryption",
        lambda: stores.EncryptedStore(stores.MemoryStore(), [bytes(32)]),
    ),
]


@pytest.mark.parametrize(("module", "extra", "make"), MISSING)
def test_a_missing_library_is_named_with_its_extra(
    module: str, extra: str, make: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(LocalProtocolError) as raised:
        make()
    library = module.partition(".")[0]
    assert str(raised.value) == (
        f"local_protocol_error: this store takes {library}, which is not installed; "
        f'install "oauth2-sansio[{extra}]"'
    )


def test_the_names_are_there_and_no_others() -> None:
    assert stores.__all__ == dir(stores)
    for name in stores.__all__:
        assert getattr(stores, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'NoStore'"):
        _ = stores.NoStore


def test_a_store_loads_no_library_of_another() -> None:
    program = (
        "import sys; from oauth2_sansio.stores import MemoryStore, SQLiteStore, RedisStore; "
        "print({'filelock', 'keyring', 'redis', 'psycopg', 'cryptography'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(oauth2_sansio.__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "set()\n"
