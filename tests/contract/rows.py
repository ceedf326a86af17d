"""All rows. A new one goes to the others of its kind."""

from __future__ import annotations

from .rows_of_answers import (
    COMPRESSED_ANSWERS,
    GOOD_ANSWERS,
    LONG_ANSWERS,
    REFUSALS,
    SMUGGLING,
)
from .rows_of_connections import LATE_ANSWERS, LOST_CONNECTIONS, ROWS_OF_TLS
from .rows_of_framing import BROKEN_CHUNKS, BROKEN_HEADS, BROKEN_LENGTHS

__all__ = ["ROWS", "ROWS_OF_TLS"]

ROWS = (
    *GOOD_ANSWERS,
    *REFUSALS,
    *LONG_ANSWERS,
    *COMPRESSED_ANSWERS,
    *SMUGGLING,
    *BROKEN_HEADS,
    *BROKEN_LENGTHS,
    *BROKEN_CHUNKS,
    *LATE_ANSWERS,
    *LOST_CONNECTIONS,
)
