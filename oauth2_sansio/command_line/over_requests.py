"""The driver of `oauth2_sansio_requests`, for the demo."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from oauth2_sansio.events import RequestFailed, RequestToSend, ResponseReceived

_ADAPTERS = Path(__file__).parents[2] / "adapters"


def requests_sender() -> Callable[[RequestToSend], ResponseReceived | RequestFailed]:
    """Return what sends the requests of flows over requests.

    In a checkout that is not installed, the adapter is found beside the package.
    Raises `ModuleNotFoundError` where requests is not installed.
    """
    import requests

    try:
        from oauth2_sansio_requests.sending import Sender
    except ModuleNotFoundError:
        if str(_ADAPTERS) in sys.path or not _ADAPTERS.is_dir():
            raise
        sys.path.append(str(_ADAPTERS))
        return requests_sender()
    session = requests.Session()
    session.trust_env = False  # no proxy on the way to this very machine
    return Sender(session, {}, None, (), 30.0).send
