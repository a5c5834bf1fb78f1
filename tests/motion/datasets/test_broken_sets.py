"""Data sets of which files are missing, damaged or of another size end in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from moseg.core.errors import ConfigError, InputError
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.kubric import Kubric
from tests.motion.datasets import tiny_scenes as tiny
from tests.motion.datasets.tiny_scenes import draw


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("train/images/17", "images"),
        ("train/masks/17", "masks"),
        ("train/masks/17/00001.png", "1 masks"),
        ("train/depth_anything_v2/17/00001.png", "needs its depth"),
        ("train/bootstapir_dense/17/00000_00001.npy", "is missing"),
        ("train/bootstapir_dense/17/00000_00000.npy", "no tracks of a query frame"),
        ("train/dinos/17/00000.npy", "is missing"),
    ],
)
def test_missing_files_are_named_in_one_line(tmp_path: Path, path: str, said: str) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    dataset = Kubric(tmp_path, "train")
    gone = tmp_path / path
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    with pytest.raises(InputError, match=said) as caught:
        draw(dataset)
    assert str(gone.parent) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "train/images/17/00000.png",
        "train/masks/17/00000.png",
        "train/depth_anything_v2/17/00000.png",
        "train/bootstapir_dense/17/00000_00001.npy",
        "train/dinos/17/00000.npy",
    ],
)
def test_damaged_files_are_named_in_one_line(tmp_path: Path, path: str) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    (tmp_path / path).write_bytes(b"no such thing")
    with pytest.raises(InputError) as caught:
        draw(Kubric(tmp_path, "train"))
    assert str(tmp_path / path) in str(caught.value)


@pytest.mark.parametrize("folder", ["masks", "depth_anything_v2"])
def test_files_of_another_size_are_refused(tmp_path: Path, folder: str) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    path = tmp_path / "train" / folder / "17/00000.png"
    tiny.write_image(path, np.zeros((6, 8), np.uint16 if "depth" in folder else np.uint8))
    with pytest.raises(InputError, match="is 8x6 pixels, the frames are 16x12"):
        draw(Kubric(tmp_path, "train"))


def test_a_data_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be listed"):
        Hoi4d(tmp_path / "none")
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="holds no scenes of hoi4d"):
        Hoi4d(tmp_path)
    with pytest.raises(ConfigError, match="no split 'test'; there is train or validation"):
        Kubric(tmp_path, "test")
    with pytest.raises(ConfigError, match="no split 'train'; there is none: leave it out"):
        Hoi4d(tmp_path, "train")
