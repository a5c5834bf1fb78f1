"""`--shard`: each of several calls does its part of the scenes, and all are done together."""

from __future__ import annotations

import json

import pytest

from moseg.core.shard import Shard
from tests.cli.commands import good_frames, moseg, run_inference
from tests.media import write_images

NAMES = ("a", "b", "d")
PARTS = (Shard(1, 2), Shard(2, 2))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of three scenes of three tiny frames, not all in one part."""
    folder = tmp_path_factory.mktemp("data") / "images"
    for name in NAMES:
        write_images(folder / name, [frame[:32, :48] for frame in good_frames(3)])
    assert all(any(part.holds(name) for name in NAMES) for part in PARTS)
    return folder


def scenes_in(report):
    return [scene["name"] for scene in json.loads(report.read_text())["scenes"]]


def test_moseg_run_does_its_part_and_reports_on_that_alone(images, tmp_path):
    for part in PARTS:
        mine = [name for name in NAMES if part.holds(name)]
        done = moseg("run", images, "--out", tmp_path, "--set", "flow.pixels=1000", "--shard", part)
        assert done.code == 0, done.err
        assert scenes_in(tmp_path / f"run-{part.index}-of-2.json") == mine
    assert not (tmp_path / "run.json").exists()
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == [*NAMES]


def test_run_inference_does_its_part_and_reports_on_that_alone(images):
    made = images.parent / "depth_anything_v2"
    there = set()
    for part in PARTS:
        there |= {name for name in NAMES if part.holds(name)}
        done = run_inference("--data_dir", images, "--depths", "--shard", part)
        assert done.code == 0, done.err
        assert {path.name for path in made.iterdir() if path.name != ".moseg"} == there
    reports = sorted(path.name for path in (images.parent / ".moseg").glob("run*.json"))
    assert reports == ["run-1-of-2.json", "run-2-of-2.json"]


@pytest.mark.parametrize("shard", ["3/2", "half"])
def test_a_part_that_there_is_not_is_one_line(images, tmp_path, shard):
    for done in (
        moseg("run", images, "--out", tmp_path / "out", "--shard", shard),
        run_inference("--data_dir", images, "--depths", "--shard", shard),
    ):
        assert done.code == 2
        assert "give I/N" in done.one_line
    assert not (tmp_path / "out").exists()
