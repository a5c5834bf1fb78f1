"""`moseg eval`: every protocol can be called, says its figures, and leaves its files."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from moseg.cli.counting import Counting
from moseg.evaluation import frame_pool
from tests.cli.commands import ROOT, moseg
from tests.cli.evaluation_tree import PROTOCOLS, block, call, write_tree
from tests.evaluation.folders import numbered, write_labels

WITH_OBJECTS = {"davis17-unsupervised", "davis17-moving", "ytvos18-m"}
WITH_CURVES = {"vsod", "tracks"}
HALF = {"vsod": ("MAE", 54 / (24 * 32)), "tracks": ("IoU", 3 / 5)}
"""The figure that tells a protocol works, where it is not J = 0.5."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """See `write_tree`."""
    return write_tree(tmp_path)


def told(protocol: str) -> tuple[str, float]:
    return HALF.get(protocol, ("J-Mean", 0.5))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_prints_figures_rules_and_the_worst_frames(protocol: str, tree: Path) -> None:
    options = () if protocol == "tracks" else ("--worst", 3)
    outcome = moseg(*call(protocol, tree, *options))
    assert (outcome.code, outcome.err) == (0, "")
    _, value = told(protocol)
    shown = f"{value:.3f}" if protocol == "vsod" else f"{100 * value:.1f}"
    assert shown in outcome.out
    assert "mean" in outcome.out
    assert "frames" in outcome.out
    lines = outcome.out.splitlines()
    if protocol == "tracks":
        assert "worst" not in outcome.out
    else:
        ranked = "MAE" if protocol == "vsod" else "J"
        place = lines.index(f"worst frames by {ranked}:")
        assert [line.split()[0] for line in lines[place + 1 :]] == ["dog"] * 3
        assert all(line.split()[2] == f"{value:.3f}" for line in lines[place + 1 :])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_leaves_its_files_and_prints_their_paths(protocol: str, tree: Path) -> None:
    out = tree / "out"
    outcome = moseg(*call(protocol, tree, "--out", out, "--name", "my_net"))
    assert (outcome.code, outcome.err) == (0, "")
    report = json.loads((out / f"{protocol}.json").read_text())
    measure, value = told(protocol)
    assert report["protocol"] == protocol
    assert report["figures"][measure] == pytest.approx(value)
    assert report["rules"]
    rows = list(csv.DictReader((out / f"{protocol}.csv").read_text().splitlines()))
    assert [row["Sequence"] for row in rows] == ["dog", "global"]
    assert float(rows[-1][measure]) == pytest.approx(value, abs=1e-5)
    assert "my\\_net & " in (out / f"{protocol}.tex").read_text()
    assert (out / f"{protocol}-objects.csv").exists() == (protocol in WITH_OBJECTS)
    assert (out / f"{protocol}-curves.png").exists() == (protocol in WITH_CURVES)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert {str(path) for path in files} <= set(outcome.out.splitlines())
    frames = len(report["sequences"][0]["frames"])
    assert len(list(out.glob("worst/*.png"))) == (0 if protocol == "tracks" else frames)


def test_nothing_but_results_is_left_in_the_output(tree: Path) -> None:
    out = tree / "out"
    moseg(*call("davis16", tree, "--out", out, "--worst", 0))
    names = {path.name for path in out.iterdir()}
    assert names == {"davis16.json", "davis16.csv", "davis16.tex"}


def test_the_row_is_named_after_the_folder_of_predictions(tree: Path) -> None:
    moseg(*call("davis16", tree, "--out", tree / "out"))
    assert (tree / "out/davis16.tex").read_text().splitlines()[-1].startswith("pred & 50.0 & ")


def test_figures_are_never_cut_off_in_a_narrow_terminal(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    lines = moseg(*call("davis17-moving", tree)).out.splitlines()
    row = next(line for line in lines if line.split()[:1] == ["mean"])
    object_row = next(line for line in lines if "object 1 by 2" in line)
    assert row.split()[:4] == ["mean", "6", "50.0", "50.0"]
    assert (len(row.split()), len(object_row.split())) == (2 + 10, 4 + 10)
    assert "…" not in "".join(lines)


@pytest.mark.slow
def test_one_foreground_needs_no_optional_package_and_no_scipy(tree: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('scipy', 'torch', 'transformers', 'ray', 'fsspec', 's3fs'):\n"
        "    sys.modules[name] = None\n"  # so that an import fails
        "from moseg.cli import main\n"
        "main.main()\n"
    )
    words = [str(word) for word in call("davis16", tree, "--out", tree / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_figures_are_the_same_for_any_number_of_processes(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = frame_pool.WORTH_A_PROCESS + 10
    for name in ("dog", "cat"):
        truth = (block(4 + i % 5) for i in range(many))
        write_labels(tree / "gt" / name, numbered(truth))
        write_labels(tree / "pred" / name, numbered(block(4 + i % 7, 2) for i in range(many)))
    pools: list[int] = []
    spread = frame_pool._spread

    def listening(score, pairs, processes):  # type: ignore[no-untyped-def]
        pools.append(processes)
        return spread(score, pairs, processes)

    monkeypatch.setattr(frame_pool, "_spread", listening)
    texts = []
    for workers in (1, 2):
        out = tree / f"out{workers}"
        outcome = moseg(*call("davis17-unsupervised", tree, "-o", out, "--workers", workers))
        assert (outcome.code, outcome.err) == (0, "")
        texts.append((out / "davis17-unsupervised.json").read_text())
    assert texts[0] == texts[1]
    assert pools == [2], "one for two workers, none for one"


def test_progress_is_shown_in_a_terminal_alone() -> None:
    for terminal in (True, False):
        text = io.StringIO()
        console = Console(file=text, force_terminal=terminal, width=80)
        with Counting("frames", console) as counting:
            counting.update(3, 12)
            if counting._bars is not None:
                counting._bars.refresh()
        assert ("3/12" in text.getvalue()) == terminal
        assert bool(text.getvalue()) == terminal
