"""The one place that loads what the stores need beyond the standard library."""

from __future__ import annotations

from enum import Enum
from importlib import import_module
from types import ModuleType

from ..errors import LocalProtocolError


class Extra(Enum):
    """What is to be installed for a store, by the name of the extra."""

    FILE = "file"
    KEYRING = "keyring"
    REDIS = "redis"
    POSTGRESQL = "postgresql"
    ENCRYPTION = "encryption"


def load(name: str, extra: Extra) -> ModuleType:
    """Return a module of a library that an extra brings.

    Raises `LocalProtocolError` where it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise LocalProtocolError(
            f"this store takes {name.partition('.')[0]}, which is not installed",
            advice=f'install "oauth2-sansio[{extra.value}]"',
        ) from error
