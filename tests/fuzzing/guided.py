"""Lets atheris look for inputs: it sees which code an input reaches, and goes on from there.

`python -m tests.fuzzing --atheris NAME` runs this in a process of its own, since the library has to
be loaded under the eyes of atheris.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from typing import Any

_MISSING = """atheris is not installed here. It is for Linux, and for the Pythons that it has wheels for:

    python3 .ci/check.py fuzzing --atheris {name}

makes an environment that has it. The runs without --atheris need nothing."""


def main(name: str, arguments: list[str]) -> int:
    """Search until libFuzzer's arguments say stop, from the known inputs on."""
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print(_MISSING.format(name=name))
        return 2
    with atheris.instrument_imports(include=["oauth2_sansio"]):
        from oauth2_sansio.errors import OAuth2Error

        from .running import CORPUS
        from .targets import TARGETS
    target = TARGETS[name]

    def read(data: bytes) -> None:
        try:
            target.read(data)
        except OAuth2Error:
            return

    found = tempfile.mkdtemp(prefix=f"fuzzing-{name}-")
    print(f"new inputs go to {found}", flush=True)
    samples = str(CORPUS / target.samples)
    atheris.Setup(["fuzzing", "-max_len=20000", *arguments, found, samples], read)
    atheris.Fuzz()  # ends the process
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
