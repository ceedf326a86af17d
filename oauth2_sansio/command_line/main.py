"""The command line: `python -m oauth2_sansio demo`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import MappingProxyType

from oauth2_sansio.errors import printable
from oauth2_sansio.version import __version__

from .demo import Send, run_demo
from .diagram import sequence_diagram
from .over_requests import requests_sender
from .over_urllib import UrllibSender
from .recording import Step
from .table import summary, table

_ALL_HELD = 0
_SOMETHING_BROKE = 1
_MISUSE = 2  # as argparse has it

_SENDERS: Mapping[str, Callable[[], AbstractContextManager[Send]]] = MappingProxyType(
    {"urllib": lambda: nullcontext(UrllibSender().send), "requests": requests_sender}
)

_ABOUT_DEMO = """\
Start an authorization server and a protected API on 127.0.0.1, and go the whole way with them over
real sockets: discovery, authorization code with PKCE, an API call, expiry, refresh with rotation, a
replay, introspection, revocation. Print what was sent, what came back and what was checked.
"""
_EXIT_CODES = "exit codes: 0 all checks held; 1 a check did not hold; 2 the command was misused"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    arguments: without the program's name; those of the process where they are left out.
    Raises `SystemExit` where argparse ends the program: with 0 for --help, with 2 for misuse.
    """
    parser, demo = _parsers()
    options = parser.parse_args(arguments)
    over: str = options.over
    diagram: Path | None = options.diagram
    with ExitStack() as stack:
        try:
            send = stack.enter_context(_SENDERS[over]())
        except ModuleNotFoundError as error:
            demo.exit(
                _MISUSE,
                f"--over {over} needs {error.name}, which is not installed; "
                f"the extra brings it: python -m pip install 'oauth2-sansio[{over}]'\n",
            )
        if diagram is not None:
            _write(diagram, "", demo)  # before the run, so that nobody waits for nothing
        issuer, steps = run_demo(send)
    _print(over, issuer, steps)
    if diagram is not None:
        _write(diagram, sequence_diagram(steps), demo)
        print(f"The sequence diagram is in {printable(str(diagram), 300)}.")
    return _ALL_HELD if all(step.held for step in steps) else _SOMETHING_BROKE


def _print(over: str, issuer: str, steps: Sequence[Step]) -> None:
    print(f"oauth2_sansio demo over {over}; authorization server and API: {issuer}")
    print()
    print(table(steps))
    print()
    print(summary(steps))


def _write(file: Path, text: str, parser: argparse.ArgumentParser) -> None:
    try:
        file.write_text(text, encoding="ascii")
    except OSError as error:
        parser.error(f"cannot write {file}: {error.strerror}")


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser of the whole command line, and the one of the demo."""
    parser = argparse.ArgumentParser(
        prog="python -m oauth2_sansio", description="OAuth 2.0 for clients, without I/O."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="run a client against a server and an API on this machine, and check every step",
        description=_ABOUT_DEMO,
        epilog=_EXIT_CODES,
    )
    demo.add_argument(
        "--over",
        choices=tuple(_SENDERS),
        default="urllib",
        help="which HTTP library sends the requests: urllib (the default) needs nothing else, "
        "requests needs the extra oauth2-sansio[requests]",
    )
    demo.add_argument(
        "--diagram",
        type=Path,
        metavar="FILE",
        help="write the run as a Mermaid sequence diagram to FILE; secrets are hidden",
    )
    return parser, demo
