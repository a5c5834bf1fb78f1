"""`moseg simulate` as a person calls it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.commands import left_overs, moseg

SMALL = ("--scenes", 2, "--frames", 3, "--size", "64x48")


def test_scenes_are_written_with_truth_and_pictures(tmp_path: Path) -> None:
    outcome = moseg("simulate", "--out", tmp_path / "out", *SMALL, "--seed", 7, "--preview")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "00007.npz, 00007.png"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["00007.npz", "00007.png", "00008.npz", "00008.png"]
    with np.load(tmp_path / "out" / "00007.npz") as stored:
        count = len(stored["xy"])
        assert stored["xy"].shape == stored["measured_xy"].shape == (count, 3, 2)
        assert stored["visible"].shape == stored["moving_now"].shape == (count, 3)
        assert stored["moving"].dtype == bool
        assert stored["query_frame"] == 1
        assert len(stored["made_of"]) >= 3
    with Image.open(tmp_path / "out" / "00007.png") as picture:
        assert picture.width > 3 * 400


def test_the_same_command_leaves_the_same_bytes(tmp_path: Path) -> None:
    for out in ("a", "b"):
        arguments = ("--out", tmp_path / out, *SMALL, "--kinds", "held-out")
        assert moseg("simulate", *arguments).code == 0
    for first in (tmp_path / "a").iterdir():
        assert first.read_bytes() == (tmp_path / "b" / first.name).read_bytes()
    assert left_overs(tmp_path) == []


def test_held_out_kinds_are_others(tmp_path: Path) -> None:
    for kinds in ("training", "held-out"):
        moseg("simulate", "--out", tmp_path / kinds, *SMALL, "--kinds", kinds)
    for name in ("00000.npz", "00001.npz"):
        with (
            np.load(tmp_path / "training" / name) as one,
            np.load(tmp_path / "held-out" / name) as other,
        ):
            assert not set(one["made_of"]) & set(other["made_of"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--kinds", "all"), "choose training or held-out"),
        (("--size", "64"), "write it as in 224x128"),
        (("--size", "64x8"), "each side must be 32 to"),
        (("--frames", 1), "it must be 2 to"),
        (("--scenes", 0), "at least 1"),
        (("--seed", -1), "a seed from 0 on"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_line(
    tmp_path: Path, wrong: tuple[object, ...], words: str
) -> None:
    outcome = moseg("simulate", "--out", tmp_path / "out", *wrong)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    outcome = moseg("simulate", "--out", tmp_path / "out", *SMALL)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert (tmp_path / "out").read_text() == "mine"
