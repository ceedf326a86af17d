"""Virtual environments of the project's own, made with nothing but Python 3.11 and its pip.

They lie in `.environments/`, which git ignores. The machine's Python is left as it is. Each has a
pip of its own, since the one that comes with Python 3.11 knows no dependency groups (PEP 735).
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".environments"
PIP = "pip>=25.1"

_LOWER_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<version>[0-9][0-9A-Za-z.]*)$")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment with a name."""

    name: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return ENVIRONMENTS / self.name

    def program(self, name: str) -> str:
        """Return the path of a program in it, such as `python`."""
        windows = os.name == "nt"
        return str(self.folder / ("Scripts" if windows else "bin") / name) + ".exe" * windows

    def run(
        self,
        program: str,
        *arguments: str,
        folder: Path = ROOT,
        variables: Mapping[str, str] | None = None,
    ) -> int:
        """Run one of its programs, and return the exit code.

        folder: where to run it.
        variables: what to add to the process's environment.
        """
        command = [self.program(program), *arguments]
        return subprocess.run(
            command, cwd=folder, env={**os.environ, **(variables or {})}, check=False
        ).returncode

    def install(self, *arguments: str) -> None:
        """Make it anew where pyproject.toml or the arguments of pip are not those of last time."""
        stamp = self.folder / "made-from"
        wanted = _fingerprint(arguments)
        if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
            return
        print(f"Making the virtual environment {self.folder.relative_to(ROOT)} …", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(self.folder))
        pip = (self.program("python"), "-m", "pip", "--disable-pip-version-check", "install", "-q")
        _run(*pip, PIP)
        _run(*pip, *arguments)
        stamp.write_text(wanted, encoding="ascii")


def groups(*names: str) -> list[str]:
    """Return pip's arguments for dependency groups of this project, whatever the folder."""
    return [f"--group={ROOT / 'pyproject.toml'}:{name}" for name in names]


def lowest_versions() -> list[str]:
    """Return a requirement for the lowest version of everything that the extras name.

    Raises `ValueError` where an extra gives no lower bound.
    """
    import tomllib  # not at the top: an older Python shall get as far as our own words

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: Mapping[str, Sequence[str]] = project["optional-dependencies"]
    return [_lowest(line) for name, lines in extras.items() if name != "all" for line in lines]


def _lowest(requirement: str) -> str:
    found = _LOWER_BOUND.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} in pyproject.toml gives no lower bound")
    return f"{found['name']}=={found['version']}"


def _fingerprint(arguments: Iterable[str]) -> str:
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for argument in (sys.version, PIP, *arguments):
        digest.update(b"\0" + argument.encode())
        wheel = Path(argument.partition("[")[0])
        if wheel.suffix == ".whl":  # built anew under the same name: its bytes count
            digest.update(wheel.read_bytes())
    return digest.hexdigest()


def _run(*command: str) -> None:
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(f"{' '.join(command[:4])} … ended with exit code {code}")
