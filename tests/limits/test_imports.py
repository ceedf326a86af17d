"""What importing an adapter loads on top of its HTTP library."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

MOST_STDLIB_MODULES = 12

# Ours that a session needs at once. Whoever adds one here says why a session cannot do without it;
# what only some need is imported where it is needed.
CORE = """
    answers authorization authorization_request callback client client_auth client_settings driving errors events
    exchange flow introspection keeper keeper_decisions metadata parameters redaction resource retry_after revocation server stored tokens
    urls version
"""
DROPIN = """
    amending authorizing callbacks calls configured hooks kept kinds library_errors methods parameters
    responses settings vocabulary
"""
# Forks: a child would wait for a thread of its parent for ever. What a thread is at: a function that
# saves a token and uses the session would wait for itself.
WAITING = "blocking clock forks lending threads under_way workers"
# What the blocking and the asynchronous class of a library of httpx's shape need beside that.
WAITING_OVER_HTTPX = "awaiting own_connection tasks"
FAMILY = "authorizing awaiting blocking clients library"
ADAPTER = {"requests": "auth errors once sending session", "httpx": "clients", "httpx2": "clients"}

_SCRIPT = """
import importlib, json, sys
library = sys.argv[1]
importlib.import_module(library)
before = set(sys.modules)
importlib.import_module(f"oauth2_sansio_{library}")
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _below(package: str, names: str) -> set[str]:
    return {package, *(f"{package}.{name}" for name in names.split())}


def _loaded(library: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, library],
        # Where the tests find the packages, there the new interpreter finds them too.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _is_ours(name: str) -> bool:
    return name.partition(".")[0].startswith("oauth2_sansio")


@pytest.mark.parametrize("library", ADAPTER)
def test_modules_of_others(library: str) -> None:
    others = {name for name in _loaded(library) if not _is_ours(name)}
    third_party = {name for name in others if name.partition(".")[0] not in sys.stdlib_module_names}
    assert third_party == set()
    assert len(others) <= MOST_STDLIB_MODULES, sorted(others)


@pytest.mark.parametrize("library", ADAPTER)
def test_modules_of_ours(library: str) -> None:
    needed = (
        _below("oauth2_sansio", CORE)
        | _below("oauth2_sansio.dropin", DROPIN)
        | _below("oauth2_sansio.waiting", WAITING)
        | _below(f"oauth2_sansio_{library}", ADAPTER[library])
    )
    if library != "requests":
        needed |= _below("oauth2_sansio.waiting", WAITING_OVER_HTTPX)
        needed |= _below("oauth2_sansio.httpx_family", FAMILY)
    assert {name for name in _loaded(library) if _is_ours(name)} == needed
