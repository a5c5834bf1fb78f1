"""`run_inference.py` with SAM 2: a call for each step, or one for all; videos with `--e`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from moseg.core.frame_index import index_frames
from moseg.core.masks import read_mask_png
from moseg.core.scene import Scene
from moseg.sample.clip import render_sample
from tests.cli.commands import run_inference, run_inference_alone
from tests.filled import SMALL_SAM2, shared_checkpoints
from tests.media import write_images, write_video
from tests.pipeline.runs import TIMED

FRAMES, HEIGHT, WIDTH = 8, 48, 70
CONFIG = """
preset: seganymo
queries: {step: 3, limit: 40}
tracks: {checkpoint: tapir, resolution: 64}
labels: {least_tracks: 4, ladder: [0.6, 0.5], depth: ones}
masks: {checkpoint: CHECKPOINTS, confidence: 0.0, window: 6, interval: 2}
"""


@pytest.fixture(autouse=True)
def store(monkeypatch, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    folder = shared_checkpoints(base.parent if base.name.startswith("popen") else base)
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(folder))
    return folder


def config(folder: Path, store: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("CHECKPOINTS", str(store / SMALL_SAM2)))
    return path


def tree(folder: Path) -> dict[Path, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_one_call_equals_three_byte_for_byte(tmp_path, store):
    apart, together = tmp_path / "apart", tmp_path / "together"
    pictures = [frame for frame, _ in render_sample(FRAMES, HEIGHT, WIDTH, seed=3)]
    write_images(apart / "images/clip", pictures)
    shutil.copytree(apart, together)

    def given(root: Path, *more: object) -> list[object]:
        return ["--data_dir", root / "images", "--config_file", config(tmp_path, store), *more]

    def labels(root: Path) -> list[object]:
        return ["--motion_seg_infer", "--motin_seg_dir", root / "mseg"]

    def masks(root: Path) -> list[object]:
        return ["--sam2", "--sam2dir", root / "sam", "--motin_seg_dir", root / "mseg"]

    for flags in (["--tracks", "--dinos"], labels(apart), masks(apart)):
        done = run_inference(*given(apart, *flags))
        assert done.code == 0, done.err
    every = ["--sam2", "--sam2dir", together / "sam", "--dinos", "--tracks", *labels(together)]
    done = run_inference(*given(together, *every))
    assert done.code == 0, done.err
    first, second = tree(apart), tree(together)
    assert first.keys() == second.keys()
    changed = [path for path in first if first[path] != second[path]]
    assert [path for path in changed if path.name not in TIMED] == []
    masks_stage = json.loads((apart / "sam/.moseg/clip/masks.manifest.json").read_text())
    assert "sam2" in json.dumps(masks_stage)
    again = run_inference(*given(together, *every))
    assert "nothing to do: 1 scene" in again.out


def test_a_video_gets_a_mask_for_each_frame_at_its_size(tmp_path, store):
    pictures = [frame for frame, _ in render_sample(6, 64, 96, seed=3)]
    clip = write_video(tmp_path / "clip.mp4", pictures)
    done = run_inference(
        "--video_path", clip, "--e", "--config_file", config(tmp_path, store), "--tracks",
        "--dinos", "--motion_seg_infer", "--motin_seg_dir", tmp_path / "mseg", "--sam2",
        "--sam2dir", tmp_path / "sam",
    )  # fmt: skip
    assert done.code == 0, done.err
    written = sorted((tmp_path / "sam/initial_preds/clip").iterdir())
    masks = [read_mask_png(path) for path in written]
    assert [mask.shape for mask in masks] == [(64, 96)] * 6
    final = tmp_path / "sam/final_res/clip"
    assert {path.name for path in final.iterdir()} == {"video", "preview.png"}
    for path in (final / "video").iterdir():
        assert len(index_frames(Scene("video", path, "video"))) == 6


def test_a_missing_sam2_ends_in_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "empty"))
    write_images(tmp_path / "images/clip", [frame for frame, _ in render_sample(3, 16, 24, seed=3)])
    (tmp_path / "config.yaml").write_text("masks: {backend: sam2, checkpoint: sam2.1-hiera-tiny}\n")
    done = run_inference_alone(
        "--data_dir", tmp_path / "images", "--config_file", tmp_path / "config.yaml", "--depths",
        "--tracks", "--dinos", "--motion_seg_infer", "--motin_seg_dir", tmp_path / "mseg",
        "--sam2", "--sam2dir", tmp_path / "sam",
    )  # fmt: skip
    assert done.code == 2
    assert "moseg checkpoints download sam2.1-hiera-tiny" in done.one_line
    assert not (tmp_path / "sam/initial_preds").exists()
