"""Whether a data set is complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from moseg.motion.datasets.check import check_scene
from moseg.motion.datasets.dynamic_replica import DynamicReplica
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.kubric import Kubric
from moseg.motion.datasets.scenes import Reading
from moseg.motion.datasets.waymo import Waymo
from tests.motion.datasets import tiny_scenes as tiny

QUERIES = [0, 8]


def problems(root: Path, reading: Reading = Reading()) -> list[str]:  # noqa: B008
    return check_scene(Kubric(root, "train", reading), "17")


def test_complete_scenes_have_no_problems(tmp_path: Path) -> None:
    tiny.kubric(tmp_path / "kubric")
    tiny.dynamic_replica(tmp_path / "stereo", "a_left")
    tiny.hoi4d(tmp_path / "hoi4d")
    tiny.waymo(tmp_path / "waymo")
    assert problems(tmp_path / "kubric") == []
    assert check_scene(DynamicReplica(tmp_path / "stereo", "train"), "a_left") == []
    assert check_scene(Hoi4d(tmp_path / "hoi4d"), "00000") == []
    assert check_scene(Waymo(tmp_path / "waymo"), "023_0") == []


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("images/17", "cannot be listed"),
        ("masks/17", "holds no masks"),
        ("masks/17/00003.png", "9 masks, the scene has 10 frames"),
        ("depth_anything_v2/17/00003.png", "1 of 10 depth images .* the first is 00003.png"),
        ("bootstapir_dense/17/00008_00003.npy", "1 of 10 track files of query frame 00008"),
        ("bootstapir_dense/17/00008_00008.npy", "query frames without tracks: 00008"),
        ("bootstapir_dense/17", "holds no tracks of a query frame"),
        ("dinos/17/00008.npy", "1 of 2 features .* the first is 00008.npy"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path: Path, gone: str, said: str) -> None:
    tiny.kubric(tmp_path)
    dataset = Kubric(tmp_path, "train")
    path = tmp_path / "train" / gone
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    (line,) = check_scene(dataset, "17")
    assert "\n" not in line
    assert re.search(said, line), line
    assert str(path if path.suffix == "" else path.parent) in line


def test_empty_files_count_as_missing(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    for kind in ("masks/17/00002.png", "dinos/17/00000.npy", "depth_anything_v2/17/00001.png"):
        (tmp_path / "train" / kind).write_bytes(b"")
    lines = problems(tmp_path)
    assert [line.split(" of ")[0][-1] for line in lines] == ["1", "1", "1"]


def test_packed_features_are_there(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    for path in (tmp_path / "train/dinos/17").iterdir():
        path.rename(path.with_suffix(".h5"))
    assert problems(tmp_path) == []


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    tiny.kubric(tmp_path)
    shutil.rmtree(tmp_path / "train/dinos")
    shutil.rmtree(tmp_path / "train/depth_anything_v2")
    assert len(problems(tmp_path)) == 2
    assert problems(tmp_path, Reading(depth=False, features=False)) == []


def test_one_whole_choice_of_frames_is_enough(tmp_path: Path) -> None:
    tiny.dynamic_replica(tmp_path, "a_left", queries=[1, 33])
    dataset = DynamicReplica(tmp_path, "train")
    assert check_scene(dataset, "a_left") == []
    for path in (tmp_path / "train/a_left/bootstapir_random").glob("00033_*"):
        path.unlink()
    (line,) = check_scene(dataset, "a_left")
    assert line.endswith("query frames without tracks: 00033")
