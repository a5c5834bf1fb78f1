"""`run_inference.py`: its flags, folders and array formats."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from moseg.core.masks import read_mask_png
from moseg.sample.clip import render_sample
from tests.media import write_images, write_video
from tests.pipeline.runs import TIMED

ROOT = Path(__file__).parents[2]
FRAMES, HEIGHT, WIDTH = 12, 72, 128


def call(*arguments):
    """Run the script as a user does; return exit code, stdout, stderr."""
    command = [sys.executable, str(ROOT / "run_inference.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def pictures():
    return [frame for frame, _ in render_sample(FRAMES, HEIGHT, WIDTH, seed=3)]


@pytest.fixture(scope="module")
def root(tmp_path_factory, pictures):
    """A data root on which all stages were run, one call after the other."""
    root = tmp_path_factory.mktemp("root")
    write_images(root / "images" / "a_b", pictures)
    data = ("--data_dir", f"{root}/images/", "--step", 6)
    preprocess = call(*data, "--depths", "--tracks", "--dinos", "--gpus", 0)
    infer = call(*data, "--motion_seg_infer", "--motin_seg_dir", root / "mseg")
    masks = call(*data, "--sam2", "--sam2dir", root / "sam", "--motion_seg_dir", root / "mseg")
    assert (preprocess[0], infer[0], masks[0]) == (0, 0, 0), (preprocess, infer, masks)
    return root


def test_depth_is_16_bit_and_stretched_over_every_frame(root):
    paths = sorted((root / "depth_anything_v2/a_b").iterdir())
    assert [p.name for p in paths] == [f"{i:05d}.png" for i in range(FRAMES)]
    disparity = cv2.imread(str(paths[5]), cv2.IMREAD_UNCHANGED)
    assert (disparity.dtype, disparity.shape) == (np.uint16, (HEIGHT, WIDTH))
    assert (disparity.min(), disparity.max()) == (0, 65535)


def test_tracks_are_one_file_for_each_query_and_target_frame(root):
    folder = root / "bootstapir/a_b"
    queries = (0, 6, 11)
    names = {f"{q:05d}_{t:05d}.npy" for q in queries for t in range(FRAMES)}
    assert {p.name for p in folder.iterdir()} == names
    start = np.load(folder / "00006_00006.npy")
    assert (start.dtype, start.shape[1]) == (np.float64, 4)
    v, c = (1 - 1 / (1 + np.exp(-start[:, k])) for k in (2, 3))
    assert (v * c > 0.5).all()
    assert ((start[:, :2] >= -0.5) & (start[:, :2] <= [WIDTH, HEIGHT])).all()
    later = np.load(folder / "00006_00009.npy")
    v, c = (1 - 1 / (1 + np.exp(-later[:, k])) for k in (2, 3))
    seen = v * c > 0.5
    assert 0.2 < seen.mean() < 1
    assert 0.1 < np.abs(later - start)[seen, :2].mean() < 20


def test_features_are_maps_of_query_frames(root):
    paths = sorted((root / "dinos/a_b").iterdir())
    assert [p.name for p in paths] == ["00000.npy", "00006.npy", "00011.npy"]
    features = np.load(paths[0])
    assert (features.dtype, features.ndim) == (np.float16, 3)


def test_moving_tracks_and_their_videos(root):
    folder = root / "mseg/a_b"
    traj = np.load(folder / "dynamic_traj.npy")
    visible = np.load(folder / "dynamic_visibility.npy")
    confidence = np.load(folder / "dynamic_confidences.npy")
    n = traj.shape[1]
    assert n > 0
    assert (traj.dtype, traj.shape) == (np.float32, (2, n, FRAMES))
    assert (visible.dtype, visible.shape) == (bool, (n, FRAMES))
    assert (confidence.dtype, confidence.shape) == (np.float32, (n, FRAMES))
    assert not (visible & (confidence <= 0.9)).any()
    for name in ("original.mp4", "dynamic.mp4"):
        assert video_length(folder / name) == FRAMES


def test_masks_and_result_videos(root):
    paths = sorted((root / "sam/initial_preds/a_b").iterdir())
    assert [p.name for p in paths] == [f"{i:05d}.png" for i in range(FRAMES)]
    assert {read_mask_png(p).shape for p in paths} == {(HEIGHT, WIDTH)}
    videos = root / "sam/final_res/a_b/video"
    names = {"original_rgb.mp4", "mask.mp4", "mask_rgb.mp4", "mask_rgb_color.mp4"}
    assert {p.name for p in videos.iterdir()} == names
    assert {video_length(p) for p in videos.iterdir()} == {FRAMES}
    with Image.open(root / "sam/final_res/a_b/preview.png") as sheet:
        assert min(sheet.size) > 100


def test_one_call_equals_separate_calls_byte_for_byte(root, tmp_path):
    shutil.copytree(root / "images", tmp_path / "images")
    code, _, errors = call(
        "--data_dir", tmp_path / "images", "--step", 6, "--sam2", "--sam2dir", tmp_path / "sam",
        "--dinos", "--tracks", "--depths", "--motion_seg_infer", "--motin_seg_dir",
        tmp_path / "mseg",
    )  # fmt: skip
    assert code == 0, errors
    ours, theirs = tree(tmp_path), tree(root)
    assert ours.keys() == theirs.keys()
    assert [p for p in ours if ours[p] != theirs[p] and p.name not in TIMED] == []


def test_a_second_call_does_nothing_and_clean_keeps_results(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    data = ("--data_dir", tmp_path / "copy/images", "--step", 6, "--depths", "--tracks", "--dinos")
    assert "nothing to do" in call(*data)[1]
    code, _, errors = call(*data, "--clean")
    assert (code, "removed" in errors) == (0, True)
    assert not (tmp_path / "copy/.moseg/a_b/flow").exists()
    assert "nothing to do" in call(*data)[1]


def test_other_settings_between_calls_are_named_not_mixed(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    code, _, errors = call(
        "--data_dir", tmp_path / "copy/images", "--motion_seg_infer", "--motin_seg_dir",
        tmp_path / "copy/mseg",
    )  # fmt: skip
    assert code == 2
    assert "step 6 -> 5" in errors
    assert "--tracks" in errors


def test_efficient_mode_maps_masks_back_to_every_frame_of_a_video(tmp_path):
    small = list(render_sample(130, 40, 64, seed=1))
    enlarged = [cv2.resize(f, (1040, 80), interpolation=cv2.INTER_CUBIC) for f, _ in small]
    video = write_video(tmp_path / "long clip.mp4", enlarged)
    code, _, errors = call(
        "--video_path", video, "--e", "--depths", "--tracks", "--dinos", "--motion_seg_infer",
        "--motin_seg_dir", tmp_path / "mseg", "--sam2", "--sam2dir", tmp_path / "sam",
        "--config_file", small_config(tmp_path),
    )  # fmt: skip
    assert code == 0, errors
    images = sorted((tmp_path / "images/long clip").iterdir())
    assert [p.name for p in images] == [f"{i:05d}.png" for i in range(100)]
    assert cv2.imread(str(images[0])).shape == (80, 1040, 3)
    assert cv2.imread(str(tmp_path / "resize_images/long clip/00099.png")).shape == (76, 1000, 3)
    last = np.abs(cv2.imread(str(images[99]))[:, :, ::-1].astype(int) - enlarged[129])
    assert last.mean() < 6, "the last frame of the clip is kept"
    masks = sorted((tmp_path / "sam/initial_preds/long clip").iterdir())
    assert [p.name for p in masks] == [f"{i:05d}.png" for i in range(130)]
    assert {read_mask_png(p).shape for p in masks[::43]} == {(80, 1040)}


def small_config(folder):
    path = folder / "small.yaml"
    path.write_text("flow: {pixels: 4000}\n")
    return path


def video_length(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
