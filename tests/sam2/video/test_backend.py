"""The masks stage by SAM 2, with a network small enough for tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.core.errors import BackendError
from moseg.core.masks import read_mask_png
from moseg.core.scene import Scene
from moseg.core.stage import Report, Task
from moseg.preproc.frames.source import FramesParams, SourceFrames
from moseg.sam2.segment import SegmentSettings
from moseg.sam2.video.backend import Sam2Masks, Sam2Params
from tests.media import write_images
from tests.sam2.labelled import save_labelled
from tests.sam2.video.small import moving_frames, save_small_sam2

FRAMES, SIZE = 9, (40, 56)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small SAM 2 that believes that every object is there."""
    folder = save_small_sam2(tmp_path_factory.mktemp("checkpoints") / "small")
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    tensors = load_file(file)
    tensors["mask_decoder.pred_obj_score_head.proj_out.bias"] += 30
    save_file(tensors, file, {"format": "pt"})
    return folder


def make_task(folder: Path, frames: int = FRAMES, moving: bool = True, **chosen: int) -> Task:
    """Return a task on a clip with two clouds of tracks; the second comes in the fifth frame."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene("scene", write_images(folder / "scene", moving_frames(frames, SIZE)), "images")
    SourceFrames(FramesParams(**chosen)).run(Task(scene, {}, folder / "frames.json"))
    count = chosen.get("max_frames", frames)
    spread = np.stack(np.meshgrid(np.arange(5) * 2.0, np.arange(4) * 2.0), -1).reshape(-1, 1, 2)
    clouds = [spread + np.array(corner) for corner in ((8, 8), (36, 20))]
    xy = np.concatenate(clouds) + np.zeros((1, count, 2))
    visible = np.ones(xy.shape[:2], bool)
    visible[20:, : min(4, count - 1)] = False
    save_labelled(folder, xy, np.full(40, moving), visible=visible)
    (folder / "out").mkdir()
    inputs = {name: folder / name for name in ("tracks", "labels")}
    return Task(scene, {**inputs, "frames": folder / "frames.json"}, folder / "out")


def run(task: Task, checkpoint: Path, **settings: object) -> tuple[Sam2Masks, Report]:
    backend = Sam2Masks(Sam2Params(checkpoint=str(checkpoint), **settings))
    backend.prepare(Device("cpu"))
    return backend, backend.run(task)


def masks_of(task: Task) -> list[np.ndarray]:
    return [read_mask_png(path) for path in sorted(task.out.iterdir())]


def test_one_mask_a_frame_and_scores_in_the_summary(checkpoint, tmp_path):
    task = make_task(tmp_path)
    _, report = run(task, checkpoint)
    masks = masks_of(task)
    assert len(masks) == FRAMES
    assert {mask.shape for mask in masks} == {SIZE}
    assert sorted(p.name for p in task.out.iterdir()) == [f"{n:05d}.png" for n in range(FRAMES)]
    objects = report.summary["objects"]
    assert objects
    assert {int(n) for mask in masks for n in np.unique(mask) if n} == {o["id"] for o in objects}
    assert all(0 < each["score"] <= 1 for each in objects)
    json.dumps(report.summary)


def test_the_encoder_sees_every_frame_once_whatever_is_asked(checkpoint, tmp_path, monkeypatch):
    from transformers import Sam2VideoModel

    inner, seen = Sam2VideoModel.get_image_features, []

    def counting(self, pixels, **named):
        seen.extend(round(float(frame.sum()), 2) for frame in pixels)
        return inner(self, pixels, **named)

    monkeypatch.setattr(Sam2VideoModel, "get_image_features", counting)
    _, report = run(make_task(tmp_path), checkpoint, interval=3, window=5)
    assert report.summary["objects"]
    assert len(seen) == FRAMES
    assert len(set(seen)) == FRAMES


def test_frames_left_out_and_shrunk_come_back_at_the_size_of_the_source(checkpoint, tmp_path):
    task = make_task(tmp_path, max_frames=5, max_side=28)
    run(task, checkpoint)
    assert [mask.shape for mask in masks_of(task)] == [SIZE] * FRAMES


def test_progress_rises_while_frames_are_encoded_and_ends_at_all(checkpoint, tmp_path):
    told = []
    task = replace(make_task(tmp_path), progress=lambda done, total: told.append((done, total)))
    run(task, checkpoint, batch=1)
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert {1, 2, 3} <= set(done)
    assert told[-1] == (FRAMES, FRAMES)


def test_without_moving_tracks_all_masks_are_empty(checkpoint, tmp_path):
    task = make_task(tmp_path, moving=False)
    _, report = run(task, checkpoint)
    assert report.notes == ("nothing moves: all masks are empty",)
    assert len(masks_of(task)) == FRAMES
    assert not np.any(masks_of(task))


def test_a_batch_too_large_is_halved_and_noted(checkpoint, tmp_path, monkeypatch):
    from transformers import Sam2VideoModel

    inner = Sam2VideoModel.get_image_features

    def small_memory(self, pixels, **named):
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return inner(self, pixels, **named)

    whole, halved = make_task(tmp_path / "whole"), make_task(tmp_path / "halved")
    run(whole, checkpoint, batch=2)
    monkeypatch.setattr(Sam2VideoModel, "get_image_features", small_memory)
    _, report = run(halved, checkpoint, batch=8)
    assert report.notes[-1] == "memory did not suffice at frame 0: batches of 2 from there"
    assert np.array_equal(masks_of(whole), masks_of(halved))


def test_memory_that_is_never_enough_is_said(checkpoint, tmp_path, monkeypatch):
    from transformers import Sam2VideoModel

    def no_memory(self, pixels, **named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Sam2VideoModel, "get_image_features", no_memory)
    with pytest.raises(BackendError, match="memory of cpu is not enough for stage masks"):
        run(make_task(tmp_path), checkpoint)


def test_features_in_memory_or_on_disk_give_the_same_masks(checkpoint, tmp_path):
    memory, disk = make_task(tmp_path / "memory"), make_task(tmp_path / "disk")
    run(memory, checkpoint)
    run(disk, checkpoint, memory_gb=1e-6)
    assert np.array_equal(masks_of(memory), masks_of(disk))


def test_a_network_of_another_kind_is_refused_before_any_scene_is_begun(tmp_path):
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    Dinov2Model(config).save_pretrained(tmp_path / "dino")
    backend = Sam2Masks(Sam2Params(checkpoint=str(tmp_path / "dino")))
    with pytest.raises(BackendError, match="dinov2; stage masks needs one of SAM 2"):
        backend.check()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch", 3), ("features", "float32"), ("fill_holes", True), ("memory_gb", 1.5)],
)
def test_settings_reach_the_driver(setting, value):
    usual, other = Sam2Params().driving(), Sam2Params(**{setting: value}).driving()
    name, told = ("memory_bytes", 1_500_000_000) if setting == "memory_gb" else (setting, value)
    assert getattr(other, name) == told
    assert replace(other, **{name: getattr(usual, name)}) == usual


def test_settings_reach_the_densifier():
    params = Sam2Params(window=33, interval=4)
    assert params.segmenting(short_tracks=False) == SegmentSettings(window=33, interval=4)
    assert params.segmenting(short_tracks=True).rounds == 60
    assert Sam2Params(rounds=7).segmenting(short_tracks=True).rounds == 7


def test_nothing_is_encoded_where_nothing_moves(checkpoint, tmp_path, monkeypatch):
    from transformers import Sam2VideoModel

    monkeypatch.setattr(Sam2VideoModel, "get_image_features", None)
    run(make_task(tmp_path, moving=False), checkpoint)
