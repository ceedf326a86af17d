"""Which event loop a store is called in."""

from __future__ import annotations

import sys

from ..errors import LocalProtocolError


def is_trio() -> bool:
    """Say whether the caller is a task of trio."""
    if sys.modules.get("trio") is None:  # then nobody can run in it
        return False
    from ..waiting.loop_of_trio import runs_here

    return runs_here()


def require_asyncio(name: str) -> None:
    """Raise `LocalProtocolError` under trio.

    name: of the store for threads that is to be taken instead.
    """
    if is_trio():
        raise LocalProtocolError(
            f"the library below Async{name} runs under asyncio alone",
            advice=f"under trio take StoreInThreads({name}(...))",
        )
