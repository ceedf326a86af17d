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
from .rows_of_endpoints import OTHER_ENDPOINTS
from .rows_of_errors import ERRORS, PAGES
from .rows_of_forms import FORMS
from .rows_of_framing import BROKEN_CHUNKS, BROKEN_HEADS, BROKEN_LENGTHS
from .rows_of_headers import ODD_HEADERS
from .rows_of_json import ODD_JSON
from .rows_of_members import ODD_MEMBERS
from .rows_of_statuses import ODD_STATUSES

__all__ = ["ANSWERS", "ROWS", "ROWS_OF_TLS"]

ANSWERS = (
    *ODD_JSON,
    *ODD_MEMBERS,
    *ERRORS,
    *PAGES,
    *ODD_STATUSES,
    *ODD_HEADERS,
    *FORMS,
    *OTHER_ENDPOINTS,
)
"""Whole answers, which the core reads by itself too."""

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
"""What comes over a connection, and what becomes of that."""
