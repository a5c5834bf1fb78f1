"""The stages by networks, end to end through the command line, with random weights."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from moseg.core.track_array import TrackArray
from moseg.core.types import TrackLabels
from moseg.sample.clip import render_sample
from tests.cli.commands import left_overs, moseg, run_inference, run_inference_alone
from tests.filled import SMALL_SAM2, shared_checkpoints
from tests.limits import largest_file
from tests.media import write_images

FRAMES, HEIGHT, WIDTH = 7, 48, 70
CONFIG = """
preset: seganymo
queries: {step: 3, limit: 60}
depths: {checkpoint: depth-anything-v2-small, side: 70}
tracks: {checkpoint: tapir, resolution: 64}
labels: {least_tracks: 4, ladder: [0.6, 0.5]}
masks: {checkpoint: CHECKPOINTS, confidence: 0.0}
"""


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen") else base
    return shared_checkpoints(shared)


@pytest.fixture(autouse=True)
def store(monkeypatch, checkpoints):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(checkpoints))


def make_root(folder: Path, frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """Make a data root with an image folder and a configuration."""
    pictures = [frame for frame, _ in render_sample(frames, height, width, seed=3)]
    write_images(folder / "images/clip", pictures)
    write_config(folder, CONFIG)
    return folder


def write_config(root: Path, text: str) -> None:
    """Write the settings of a root, with the path of the small SAM 2."""
    small = Path(os.environ["MOSEG_CHECKPOINTS"]) / SMALL_SAM2
    (root / "config.yaml").write_text(text.replace("CHECKPOINTS", str(small)))


def flags(root: Path, *more: object) -> list[object]:
    """Arguments of a call on a root."""
    return ["--data_dir", root / "images", "--config_file", root / "config.yaml", *more]


PREPROCESS = ("--depths", "--tracks", "--dinos")


def infer(root: Path) -> tuple[object, ...]:
    """Arguments of the classifier's call."""
    return ("--motion_seg_infer", "--motin_seg_dir", root / "mseg")


def computed(root: Path) -> dict[str, str]:
    """Stages that the last run computed, with the reason."""
    report = json.loads((root / ".moseg/run.json").read_text())
    stages = report["scenes"][0]["stages"]
    return {stage["stage"]: stage["reason"] for stage in stages if stage["status"] == "done"}


@pytest.fixture(scope="module")
def root(tmp_path_factory, checkpoints):
    """A root on which depth, tracks, features and labels were made in two calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOSEG_CHECKPOINTS", str(checkpoints))
        folder = make_root(tmp_path_factory.mktemp("networks"))
        first = run_inference(*flags(folder, *PREPROCESS))
        assert first.code == 0, first.err
        second = run_inference(*flags(folder, *infer(folder)))
        assert second.code == 0, second.err
    return folder


def labels_of(root: Path, scene: str = "clip") -> dict[str, TrackLabels]:
    folder = root / "mseg/.moseg" / scene / "labels"
    return {path.name: TrackLabels.load(path) for path in sorted(folder.glob("*.npz"))}


def test_every_artefact_is_there(root):
    hidden = root / ".moseg/clip"
    assert np.load(hidden / "depths/disparity.npy").shape == (FRAMES, HEIGHT, WIDTH)
    with TrackArray(hidden / "tracks") as tracks:
        assert tracks.points.drawn
        assert len(tracks.points) == 60
        assert tracks.points.query_frames == [0, 3, 6]
        window = tracks.window(0)
        for row, (frame, xy) in enumerate(zip(tracks.points.frame, tracks.points.xy, strict=True)):
            assert window[row, frame, :2].tolist() == xy.tolist()
    features = np.load(hidden / "dinos/points.npz")["values"]
    assert features.shape == (60, 768)
    assert features.dtype == np.float16
    assert len(list((root / "depth_anything_v2/clip").glob("*.png"))) == FRAMES
    assert len(list((root / "bootstapir/clip").glob("*.npy"))) == 3 * FRAMES
    assert not (root / "dinos").exists(), "features at points have no file in the layout"
    labels = labels_of(root)
    assert list(labels) == ["00000.npz", "00003.npz", "00006.npz"]
    probability = np.concatenate([each.probability for each in labels.values()])
    assert np.isfinite(probability).sum() > 30
    assert (root / "mseg/clip/dynamic_traj.npy").exists()


def test_a_second_run_does_nothing_and_says_so(root):
    again = run_inference(*flags(root, *PREPROCESS, *infer(root)))
    assert again.code == 0, again.err
    assert computed(root) == {}
    assert "nothing to do: 1 scene" in again.out


@pytest.mark.parametrize(
    ("change", "redone", "reason"),
    [
        ("ladder: [0.6, 0.5]", {"labels", "dynamic_tracks"}, "ladder"),
        ("resolution: 64", {"tracks", "track_files", "labels", "dynamic_tracks"}, "resolution"),
        ("side: 70", {"depths", "depth_images", "labels", "dynamic_tracks"}, "side"),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it(root, tmp_path, change, redone, reason):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    other = {"ladder: [0.6, 0.5]": "ladder: [0.55]", "resolution: 64": "resolution: 72"}
    text = CONFIG.replace(change, other.get(change, "side: 84"))
    write_config(copy, text)
    again = run_inference(*flags(copy, *PREPROCESS, *infer(copy)))
    assert again.code == 0, again.err
    told = computed(copy)
    assert set(told) == redone
    assert any("parameter changed" in why and reason in why for why in told.values())
    assert f"parameter changed: {reason}" in again.err


def test_a_full_disk_is_said_and_leaves_the_old_results(root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    before = (copy / ".moseg/clip/depths/disparity.npy").read_bytes()
    write_config(copy, CONFIG.replace("side: 70", "side: 84"))
    with largest_file(20_000):
        full = run_inference(*flags(copy, "--depths"))
    assert full.code == 2
    assert "cannot write" in full.err
    assert (copy / ".moseg/clip/depths/disparity.npy").read_bytes() == before
    assert not left_overs(copy)
    assert run_inference(*flags(copy, "--depths")).code == 0


def test_masks_stand_on_these_labels(root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    done = run_inference(
        *flags(copy, "--sam2", "--sam2dir", copy / "sam", "--motin_seg_dir", copy / "mseg")
    )
    assert done.code == 0, done.err
    assert len(list((copy / "sam/initial_preds/clip").glob("*.png"))) == FRAMES


def test_a_preset_runs_from_video_to_masks(tmp_path):
    root = make_root(tmp_path)
    settings = ["queries.limit=40", "depths.checkpoint=depth-anything-v2-small", "depths.side=70"]
    small = Path(os.environ["MOSEG_CHECKPOINTS"]) / SMALL_SAM2
    settings += ["tracks.checkpoint=tapir", "tracks.resolution=64", f"masks.checkpoint={small}"]
    words = [word for setting in settings for word in ("--set", setting)]
    done = moseg("run", root / "images/clip", "--preset", "seganymo", *words, "--out", root / "out")
    assert done.code == 0, done.err
    assert len(list((root / "out/masks/clip").glob("*.png"))) == FRAMES
    quick = ["tracks.checkpoint=tapir", "tracks.resolution=64", "queries.limit=40"]
    quick += [f"masks.checkpoint={small}"]
    words = [word for setting in quick for word in ("--set", setting)]
    done = moseg("run", root / "images/clip", "--preset", "fast", *words, "--out", root / "quick")
    assert done.code == 0, done.err
    stages = json.loads((root / "quick/run.json").read_text())["scenes"][0]["stages"]
    assert "depths" not in {stage["stage"] for stage in stages}


def test_folders_of_the_reference_give_the_same_labels(tmp_path):
    """What we export is taken for another program's once our own records are gone."""
    root = make_root(tmp_path / "ours", 4, 16, 20)
    text = (
        CONFIG.replace("limit: 60", "limit: null").replace("step: 3", "step: 2")
        + "dinos: {maps: full}\n"
    )
    write_config(root, text)
    ours = run_inference(*flags(root, *PREPROCESS, *infer(root)))
    assert ours.code == 0, ours.err
    theirs = tmp_path / "theirs"
    shutil.copytree(root, theirs, ignore=shutil.ignore_patterns(".moseg", "mseg"))
    done = run_inference(*flags(theirs, *infer(theirs)))
    assert done.code == 0, done.err
    assert "made by another program" in done.err
    first, second = labels_of(root), labels_of(theirs)
    assert first.keys() == second.keys()
    for name, labels in first.items():
        assert np.array_equal(labels.probability, second[name].probability, equal_nan=True)
        assert np.array_equal(labels.dynamic, second[name].dynamic)
    masks = run_inference(
        *flags(theirs, "--sam2", "--sam2dir", theirs / "sam", "--motin_seg_dir", theirs / "mseg")
    )
    assert masks.code == 0, masks.err
    (theirs / "bootstapir/clip/00002_00003.npy").unlink()
    broken = run_inference(*flags(theirs, *infer(theirs)))
    assert broken.code == 2
    assert "00002_00003.npy is missing" in broken.err


def test_our_own_drawn_sample_gives_the_same_labels_when_it_is_read_back(root, tmp_path):
    theirs = tmp_path / "theirs"
    shutil.copytree(root, theirs, ignore=shutil.ignore_patterns(".moseg", "mseg"))
    features = run_inference(*flags(theirs, "--dinos"))
    assert features.code == 0, features.err
    done = run_inference(*flags(theirs, *infer(theirs)))
    assert done.code == 0, done.err
    first, second = labels_of(root), labels_of(theirs)
    for name, labels in first.items():
        assert np.array_equal(labels.probability, second[name].probability, equal_nan=True)


def test_working_files_that_labels_still_need_outlive_clean(root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("mseg"))
    assert run_inference(*flags(copy, *PREPROCESS, "--clean")).code == 0
    assert (copy / ".moseg/clip/depths").exists()
    assert run_inference(*flags(copy, *infer(copy), "--clean")).code == 0
    assert not (copy / ".moseg/clip/depths").exists()


def test_settings_of_memory_and_speed_redo_no_more_than_their_stage(root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    changed = CONFIG.replace("limit: 60", "limit: 60, memory_gb: 3.6")
    write_config(copy, changed)
    assert run_inference(*flags(copy, *PREPROCESS, *infer(copy))).code == 0
    assert computed(copy) == {}


def test_a_missing_checkpoint_ends_in_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "empty"))
    root = make_root(tmp_path)
    done = run_inference_alone(*flags(root, "--tracks"))
    assert done.code == 2
    assert "moseg checkpoints download tapir" in done.one_line
    assert not (root / "bootstapir").exists()
