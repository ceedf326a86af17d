"""`python -m oauth2_sansio`: what it prints, and how it ends."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import oauth2_sansio
from oauth2_sansio.command_line import demo, main, over_requests
from oauth2_sansio.testing import AuthorizationServer, Misbehaviour

PACKAGE = Path(oauth2_sansio.__file__).parent
NOT_INSTALLED = (
    "--over requests needs requests, which is not installed; "
    "the extra brings it: python -m pip install 'oauth2-sansio[requests]'\n"
)
ALL_HELD = "10 steps, 27 checks: all held."

# Neither installed packages nor the environment count: what a bare checkout and Python have.
_BARE = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("oauth2_sansio", run_name="__main__", alter_sys=True)
"""


def bare(*arguments: str) -> subprocess.CompletedProcess[str]:
    # In a folder of its own: where the package is installed, others lie beside it.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, PACKAGE.name).symlink_to(PACKAGE, target_is_directory=True)
        return subprocess.run(
            [sys.executable, "-I", "-S", "-W", "error", "-c", _BARE, folder, *arguments],
            check=False,
            capture_output=True,
            env={"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"},
            text=True,
        )


def test_the_demo_needs_the_standard_library_alone(tmp_path: Path) -> None:
    file = tmp_path / "run.mmd"
    done = bare("demo", "--diagram", str(file))
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith(
        "oauth2_sansio demo over urllib; authorization server and API: http://127.0.0.1:"
    )
    *lines, held, where = done.stdout.splitlines()
    assert held == ALL_HELD
    assert where == f"The sequence diagram is in {file}."
    assert all(len(line) <= 96 for line in lines)
    assert file.read_text().startswith("sequenceDiagram\n")


def test_requests_is_not_installed() -> None:
    done = bare("demo", "--over", "requests")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == NOT_INSTALLED


def test_requests_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(SystemExit) as ended:
        main.main(["demo", "--over", "requests"])
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", NOT_INSTALLED)


@pytest.mark.parametrize("over", ["urllib", "requests"])
def test_the_demo_over(over: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["demo", "--over", over]) == 0
    printed = capsys.readouterr().out
    assert f"demo over {over};" in printed
    assert printed.endswith(f"\n{ALL_HELD}\n")


def test_an_adapter_beside_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout that is not installed, though requests is."""
    monkeypatch.setattr(over_requests, "find_spec", lambda _name: None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with over_requests.requests_sender() as send:
        assert callable(send)
    assert sys.path[-1] == str(PACKAGE.parent / "adapters")


def test_a_broken_check_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def misbehave(server: AuthorizationServer) -> None:
        server.misbehave(Misbehaviour.MISSING_REFRESH_TOKEN)

    monkeypatch.setattr(main, "run_demo", lambda send: demo.run_demo(send, misbehave))
    file = tmp_path / "run.mmd"
    assert main.main(["demo", "--diagram", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "NO  there is a refresh token too" in printed
    assert "--  not reached" in printed
    assert "3. code for tokens - a check did not hold" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param([], "the following arguments are required: COMMAND", id="no command"),
        pytest.param(["dance"], "invalid choice: 'dance'", id="another command"),
        pytest.param(["demo", "--over", "pigeons"], "invalid choice: 'pigeons'", id="over what"),
        pytest.param(["demo", "--diagram"], "expected one argument", id="no file"),
        pytest.param(
            ["demo", "--diagram", "/dev/null/run"],
            "cannot write /dev/null/run: Not a directory",
            id="a file that cannot be",
        ),
        pytest.param(
            ["demo", "--diagram", "/"], "cannot write /: Is a directory", id="a directory"
        ),
    ],
)
def test_misuse_ends_with_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert complaint in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--help"], "demo"),
        (["demo", "--help"], "exit codes: 0 all checks held"),
        (["--version"], oauth2_sansio.__version__),
    ],
)
def test_help(arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert ended.value.code == 0
    assert shown in capsys.readouterr().out


def run_module() -> object:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PACKAGE / "__main__.py"), run_name="__main__")
    return ended.value.code


def test_the_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["oauth2_sansio", "--version"])
    assert run_module() == 0
    assert capsys.readouterr().out == f"{oauth2_sansio.__version__}\n"


def test_an_old_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    assert run_module() == 2
    assert "needs Python 3.11 or newer" in capsys.readouterr().err
