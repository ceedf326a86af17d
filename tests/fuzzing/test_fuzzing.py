"""Each reader takes an input, or refuses it with an error of ours; and what finds faults finds some.

In each run of the tests a few inputs for each; `.ci/run` gives each 100,000, and by hand
`python -m tests.fuzzing --runs N` as many as there is time for.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from oauth2_sansio.errors import LocalProtocolError

from . import running
from .__main__ import main
from .mutator import LONGEST_INPUT, Mutator, take_apart
from .running import CORPUS, FoundFaultError, inputs, run, samples_of
from .targets import TARGETS, Target
from .world import must


@pytest.mark.parametrize("name", TARGETS)
def test_each_reader_takes_an_input_or_refuses_it_with_an_error_of_ours(name: str) -> None:
    run(name, inputs(name, 0, 400))


def test_each_folder_of_the_corpus_belongs_to_a_target_and_has_something_in_it() -> None:
    assert {each.name for each in CORPUS.iterdir()} == {each.samples for each in TARGETS.values()}
    assert all(samples_of(each) for each in TARGETS.values())


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"error"}))
def test_each_reader_takes_some_of_the_known_inputs(name: str) -> None:
    # A target that refuses everything shows nothing of what follows a check.
    assert run(name, samples_of(TARGETS[name])) > 0


def test_a_seed_gives_the_same_inputs_each_time_and_another_seed_others() -> None:
    first, again, others = (list(inputs("token", seed, 200)) for seed in (7, 7, 8))
    assert first == again
    assert first != others
    assert len(set(first)) > 150


def test_the_inputs_are_bounded_and_many_of_them_are_nearly_right() -> None:
    made = list(inputs("record", 1, 1000))
    assert max(map(len, made)) <= LONGEST_INPUT
    assert sum(each.startswith(b"{") and each.rstrip().endswith(b"}") for each in made) > 400


def test_an_input_is_taken_apart_and_nothing_is_lost() -> None:
    data = b'{"a":[1,{"b":"x,y"}],"c":null}\n&d=e'
    sample = take_apart(data)
    assert b"".join(sample.tokens) == data
    units = [b"".join(sample.tokens[begin:end]) for begin, end in sample.units]
    assert units == [
        *(b"1", b'"b":"x,y"', b'{"b":"x,y"}', b'{"b":"x,y"}', b'[1,{"b":"x,y"}]'),
        *(b'"a":[1,{"b":"x,y"}]', b'"c":null', b'{"a":[1,{"b":"x,y"}],"c":null}'),
        *(b'{"a":[1,{"b":"x,y"}],"c":null}', b"d=e"),
    ]
    values = [b"".join(sample.tokens[begin:end]) for begin, end in sample.values]
    assert values == [b'"x,y"', b'[1,{"b":"x,y"}]', b"null", b"e"]


def test_there_need_be_nothing_to_begin_with() -> None:
    mutator = Mutator(0, [b""])
    assert len({mutator.next() for _ in range(100)}) > 10


def _refuses_nothing(data: bytes) -> None:
    data.decode("ascii").index("}")


def _loops(data: bytes) -> None:
    while data:
        pass


def _says_no(_data: bytes) -> None:
    raise LocalProtocolError("no")


def _breaks_a_promise(_data: bytes) -> None:
    must(False, "the promise")


@pytest.mark.parametrize(
    ("read", "what"),
    [
        pytest.param(_refuses_nothing, "ValueError|UnicodeDecodeError", id="an error of others"),
        pytest.param(_breaks_a_promise, "Violation: the promise", id="a promise broken"),
        pytest.param(_loops, "TakesTooLong", id="no end"),
    ],
)
def test_a_fault_is_found_printed_and_kept(
    read: Callable[[bytes], None],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(running, "TARGETS", {"token": Target(read, "token")})
    monkeypatch.setattr(running, "_PATIENCE", 0.02)
    with pytest.raises(FoundFaultError, match=what) as caught:
        run("token", inputs("token", 0, 1000))
    arguments = ["--target", "token", "--runs", "1000", "--keep", str(tmp_path)]
    assert main(arguments) == 1
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == caught.value.data
    assert repr(caught.value.data) in capsys.readouterr().out
    assert main([*arguments, "--replay", str(kept)]) == 1


def test_an_error_of_ours_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "TARGETS", {"token": Target(_says_no, "token")})
    assert main(["--target", "token", "--runs", "100"]) == 0
    assert "100 inputs, 0 taken" in capsys.readouterr().out


@pytest.mark.skipif(find_spec("atheris") is not None, reason="atheris is there")
def test_it_says_what_to_install_where_atheris_is_missing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["--atheris", "token"]) == 2
    assert "check.py fuzzing --atheris token" in capfd.readouterr().out
