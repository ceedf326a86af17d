"""What the token endpoint may answer, and what comes of it."""

from __future__ import annotations

import time
from typing import Any

from .recorder import TOKEN, Answer
from .row import Row, call

_FETCH = (call("fetch_token"),)
_LATER = int(time.time()) + 5 * 3600


def _row(
    name: str, body: Any, status: int = 200, content_type: str = "application/json", **more: str
) -> Row:
    headers = {
        "Content-Type": content_type,
        **{key.replace("_", "-"): value for key, value in more.items()},
    }
    return Row(f"answer: {name}", _FETCH, answers={"/token": (Answer(body, status, headers),)})


ROWS = (
    _row("with unknown members", {**TOKEN, "extra": {"a": [1]}, "id_token": "x"}),
    _row("with a content type of its own", TOKEN, 200, "text/plain"),
    _row("with 201", TOKEN, 201),
    _row(
        "form encoded",
        "access_token=a&token_type=bearer&expires_in=3600",
        200,
        "application/x-www-form-urlencoded",
    ),
    _row("without token_type", {"access_token": "a"}),
    _row("without expires_in", {"access_token": "a", "token_type": "Bearer"}),
    _row("expires_in as a text", {**TOKEN, "expires_in": "3600"}),
    _row("expires_in as a text with a point", {**TOKEN, "expires_in": "3600.0"}),
    _row("expires_in null", {**TOKEN, "expires_in": None}),
    _row("expires_in 0", {**TOKEN, "expires_in": 0}),
    _row("expires_in absurd", {**TOKEN, "expires_in": "soon"}),
    _row("expires_at", {"access_token": "a", "token_type": "Bearer", "expires_at": _LATER}),
    _row(
        "expires_at as a text",
        {"access_token": "a", "token_type": "Bearer", "expires_at": str(_LATER)},
    ),
    _row("expires_at beside expires_in", {**TOKEN, "expires_at": _LATER}),
    _row("expires_at that cannot be true", {**TOKEN, "expires_at": 40_000_000_000_000}),
    _row(
        "an error",
        {
            "error": "invalid_client",
            "error_description": "No.",
            "error_uri": "https://as.example/e",
        },
        401,
    ),
    _row("an error with 400", {"error": "invalid_grant"}, 400),
    _row("an error with 200", {"error": "invalid_grant", "error_description": "No."}, 200),
    _row("an error with 500", {"error": "server_error"}, 500),
    _row("error null beside a good token", {**TOKEN, "error": None}),
    _row("401 with JSON and no error", {"message": "no"}, 401),
    _row("400 with JSON and no error", {"message": "no"}, 400),
    _row("JSON without a token", {"message": "hello"}),
    _row("a list", [1, 2]),
    _row("HTML with 200", "<html>hello</html>", 200, "text/html"),
    _row("HTML with 404", "<html>hello</html>", 404, "text/html"),
    _row("HTML with 502", "<html>bad gateway</html>", 502, "text/html"),
    _row("503 with Retry-After", "", 503, "text/plain", Retry_After="3"),
    _row("429", {"error": "slow_down"}, 429),
    _row("no body", None),
    _row("a redirect", None, 302, "text/plain", Location="/token"),
    Row(
        "answer: an error, and the token before it",
        _FETCH,
        {"token": {"access_token": "old", "token_type": "Bearer"}},
        answers={"/token": (Answer({"error": "invalid_grant"}, 400),)},
    ),
)
