"""`moseg eval`: options, help, and what is wrong ends in one line."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from moseg.cli import evaluate
from moseg.evaluation.results import Report
from tests.cli.commands import moseg
from tests.cli.evaluation_tree import FUNCTIONS, PROTOCOLS, call, write_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """See `write_tree`."""
    return write_tree(tmp_path)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_options_have_the_defaults_of_the_function(protocol: str) -> None:
    """So that a figure does not depend on whether it is asked for in Python or in a shell."""
    module, name = FUNCTIONS[protocol].split(".")
    function = getattr(import_module(f"moseg.evaluation.protocols.{module}"), name)
    wanted = defaults(function)
    shown = defaults(command_of(protocol))
    assert {key: shown.get(key, "not there") for key in wanted} == wanted


def defaults(function: Callable[..., object]) -> dict[str, object]:
    found = inspect.signature(function).parameters
    # How many processes is no matter of figures: a function starts none unless it is asked to.
    left_out = {"pred", "gt", "progress", "workers"}
    return {name: part.default for name, part in found.items() if name not in left_out}


def command_of(protocol: str) -> Callable[..., object]:
    (found,) = [one.callback for one in evaluate.app.registered_commands if one.name == protocol]
    assert found is not None
    return found


def test_there_is_a_command_for_every_protocol() -> None:
    names = [command.name for command in evaluate.app.registered_commands]
    assert sorted(name or "" for name in names) == PROTOCOLS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_help_states_the_rules(protocol: str) -> None:
    outcome = moseg("eval", protocol, "--help")
    assert outcome.code == 0
    for rule in ("Frames:", "Missing:", "Void:", "Matching:", "--pred", "--gt", "--sequences"):
        assert rule in outcome.out


def test_help_of_tracks_says_that_all_of_the_truth_is_scored() -> None:
    words = " ".join(moseg("eval", "tracks", "--help").out.replace("│", " ").split())
    assert "default: (all of the truth)" in words
    assert "protocol's list" not in words
    assert "from 0 to below 1" in words


@pytest.mark.parametrize(
    ("protocol", "options", "given"),
    [
        ("davis16", ["--frames", "mtnet"], {"frames": "mtnet"}),
        ("davis16-moving", ["--frames", "davis16"], {"frames": "davis16"}),
        ("davis17-moving", ["--void-as-foreground"], {"void_as_foreground": True}),
        (
            "fbms",
            ["--frames", "mtnet", "--threshold", "0.9"],
            {"frames": "mtnet", "threshold": 0.9},
        ),
        ("ytvos18-m", ["--objects", "5"], {"objects": 5}),
        ("vsod", ["--variant", "pysodmetrics"], {"variant": "pysodmetrics", "frames": "davis16"}),
        (
            "tracks",
            ["--threshold", "0.5", "--tracks", "t"],
            {"threshold": 0.5, "tracks": Path("t")},
        ),
        ("davis16", ["--sequences", "a,b", "--workers", "3"], {"workers": 3, "names": ["a", "b"]}),
    ],
)
def test_options_reach_the_protocol(
    protocol: str,
    options: list[str],
    given: dict[str, object],
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, object] = {}

    class Enough(Exception):
        """The protocol was called."""

    def listening(pred: Path, gt: Path, names: object, **rest: object) -> Report:
        seen.update(rest, pred=pred, gt=gt, names=names)
        raise Enough

    module, name = FUNCTIONS[protocol].split(".")
    monkeypatch.setattr(import_module(f"moseg.evaluation.protocols.{module}"), name, listening)
    outcome = moseg(*call(protocol, tree, *options))
    assert "unexpected Enough" in outcome.err
    assert (seen["pred"], seen["gt"]) == (tree / "pred", tree / "gt")
    assert {key: seen[key] for key in given} == given


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["davis99"], r"unknown protocol 'davis99'; choose one of davis16, davis16-moving,"),
        (["davis16", "--frames", "some"], "'some' is not one of 'davis16', 'all-frames', 'mtnet'"),
        (["davis16", "--worst", "-1"], "greater than or equal to 0; see moseg eval davis16 --help"),
        (["davis16", "--workers", "0"], "greater than or equal to 1"),
        (["davis16", "--sequences", "cow"], "no sequence cow; it has dog"),
        (["davis16", "--sequences", " , "], "no name in it"),
        (["davis16", "--images", "nowhere"], "nowhere: no such folder for the images"),
        (["davis16", "--images", "."], "--images is for the pictures that --out writes; add"),
        (["tracks", "--name", "mine"], "--name is for the LaTeX row that --out writes; add --out"),
        (["davis16", "--sequences", "no/list.txt"], "sequences 'no/list.txt': no such file; check"),
        (["tracks", "--threshold", "1"], "1.0 is no probability; choose one from 0 to below 1"),
        (["fbms", "--threshold", "2"], "less than or equal to 1"),
        (["ytvos18-m", "--objects", "0"], "greater than or equal to 1"),
        (["vsod", "--variant", "mine"], "'mine' is not one of"),
        (["davis16", "--threshold", "1"], "No such option: --threshold"),
    ],
)
def test_wrong_values_end_in_one_line(words: list[str], error: str, tree: Path) -> None:
    protocol, *options = words
    outcome = moseg(*call(protocol, tree, *options))
    assert outcome.code == 2
    assert error in outcome.one_line
    assert outcome.one_line.startswith("error: ")
    assert outcome.out == ""


def test_folders_must_be_given(tree: Path) -> None:
    outcome = moseg("eval", "davis16", "--pred", tree / "pred")
    assert outcome.code == 2
    assert "Missing option '--gt'; see moseg eval davis16 --help" in outcome.one_line


def test_a_shell_can_complete_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "moseg eval davis99 --pr"
    for name, value in (("_MOSEG_COMPLETE", "complete_bash"), ("COMP_WORDS", words)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMP_CWORD", "3")
    outcome = moseg()
    assert "error" not in outcome.err


def test_without_a_protocol_there_is_help() -> None:
    outcome = moseg("eval")
    assert outcome.code == 0
    for protocol in PROTOCOLS:
        assert protocol in outcome.out


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    place: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "file").touch()
    monkeypatch.setattr(
        "moseg.evaluation.protocols.davis16.evaluate_davis16",
        lambda *_, **__: pytest.fail("the work began"),
    )
    outcome = moseg(*call("davis16", tree, "--out", tree / place))
    assert outcome.code == 2
    assert "file stands where a folder is needed" in outcome.one_line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_without_permission_is_told(tree: Path) -> None:
    (tree / "closed").mkdir(mode=0o500)
    outcome = moseg(*call("davis16", tree, "--out", tree / "closed"))
    assert outcome.code == 2
    assert "no permission" in outcome.one_line
