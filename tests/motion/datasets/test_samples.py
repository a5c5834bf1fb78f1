"""Samples of every data set, from a tiny folder in its exact layout."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.motion.datasets.check import check_scene
from moseg.motion.datasets.dynamic_replica import DynamicReplica
from moseg.motion.datasets.hoi4d import Hoi4d
from moseg.motion.datasets.kubric import Kubric
from moseg.motion.datasets.sample import TrackSample
from moseg.motion.datasets.scenes import Dataset, Reading
from moseg.motion.datasets.waymo import Waymo
from tests.cli.commands import good_frames, run_inference
from tests.motion.datasets import tiny_scenes as tiny
from tests.motion.datasets.tiny_scenes import draw

Writer = Callable[..., None]
SETS = [
    pytest.param(tiny.kubric, Kubric, "train", {0, 8}, id="kubric"),
    pytest.param(tiny.dynamic_replica, DynamicReplica, "train", {0, 2, 32, 34}, id="stereo"),
    pytest.param(tiny.hoi4d, Hoi4d, None, {0, 15}, id="hoi4d"),
    pytest.param(tiny.waymo, Waymo, None, {8, 12, 16}, id="waymo"),
]


def frames_of(sample: TrackSample, query: int) -> list[int]:
    """Which frames of the source a sample took: tracks drift by their distance in time."""
    moved = sample.xy[0, :, 0] - sample.xy[0, sample.query_frame, 0]
    return [query + round(float(step) / tiny.DRIFT) for step in moved]


@pytest.mark.parametrize(("write", "kind", "split", "queries"), SETS)
def test_everything_in_a_sample_belongs_to_its_query_frame(
    tmp_path: Path, write: Writer, kind: type[Dataset], split: str | None, queries: set[int]
) -> None:
    write(tmp_path)
    dataset = kind(tmp_path, split)
    drawn = set()
    for seed in range(12):
        sample = draw(dataset, seed)
        assert sample.features is not None
        assert sample.depth is not None
        query = int(sample.features[0, 1])
        frames = frames_of(sample, query)
        start = sample.xy[:, sample.query_frame]
        column, row = np.rint(start).astype(int).T
        np.testing.assert_array_equal(sample.label, tiny.moving_half(query)[row, column] > 0)
        assert sample.judged.all()
        cells = (row * 3 // tiny.HEIGHT) * 4 + column * 4 // tiny.WIDTH
        np.testing.assert_array_equal(sample.features[:, 0], cells)
        for at, frame in enumerate(frames):
            x = np.clip(np.trunc(sample.xy[:, at, 0]), 0, tiny.WIDTH - 1).astype(int)
            expected = tiny.depth_image(frame)[row, x] / 65535
            np.testing.assert_allclose(sample.depth[:, at], expected, rtol=1e-6)
        step = 4 if kind is DynamicReplica else 1
        assert frames == list(range(query % step, frames[-1] + 1, step))
        assert sample.size == (tiny.HEIGHT, tiny.WIDTH)
        assert len(np.unique(start, axis=0)) == len(sample) == tiny.HEIGHT * tiny.WIDTH
        drawn.add(query)
    assert drawn == queries


@pytest.mark.parametrize(("write", "kind", "split", "queries"), SETS)
def test_a_seed_gives_one_sample(
    tmp_path: Path, write: Writer, kind: type[Dataset], split: str | None, queries: set[int]
) -> None:
    write(tmp_path)
    dataset = kind(tmp_path, split)
    first, second, other = draw(dataset, 3), draw(dataset, 3), draw(dataset, 4)
    for name in ("xy", "visible", "visibility", "confidence", "depth", "features", "label"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(first.xy[:, 0], other.xy[:, 0])
    assert (first.xy.dtype, first.visible.dtype) == (np.float32, np.bool_)


def test_as_many_tracks_are_drawn_as_the_reference_draws(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, size=(30, 40), count=2, queries=[0])
    counts = {len(draw(Kubric(tmp_path, "train"), seed)) for seed in range(10)}
    assert counts == {512, 1024}
    limited = draw(Kubric(tmp_path, "train", Reading(limit=100)))
    assert len(limited) == 100
    assert len(np.unique(limited.xy[:, 0], axis=0)) == 100


def test_tracks_hidden_where_they_start_are_not_judged(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    path = tmp_path / "train/bootstapir_dense/17/00000_00000.npy"
    tracks = np.load(path)
    tracks[::2, 2] = tiny.HIDDEN
    np.save(path, tracks)
    sample = draw(Kubric(tmp_path, "train"))
    hidden = np.rint(sample.xy[:, 0, 0]).astype(int) % 2 == 0
    np.testing.assert_array_equal(sample.judged, ~hidden)
    assert not sample.label[hidden].any()


def test_a_track_that_only_counts_as_visible_is_not_judged(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    path = tmp_path / "train/bootstapir_dense/17/00000_00000.npy"
    tracks = np.load(path)
    tracks[:, 2] = tiny.HIDDEN
    np.save(path, tracks)
    sample = draw(Kubric(tmp_path, "train"))
    assert sample.visible[:, 0].sum() == 1
    assert not sample.judged.any()


def test_tracks_never_seen_are_left_out(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    for path in (tmp_path / "train/bootstapir_dense/17").iterdir():
        tracks = np.load(path)
        tracks[:100, 2] = tiny.HIDDEN
        np.save(path, tracks)
    sample = draw(Kubric(tmp_path, "train"))
    assert len(sample) == tiny.HEIGHT * tiny.WIDTH - 100
    np.testing.assert_array_equal(sample.label, sample.xy[:, 0, 0] < tiny.WIDTH // 2)
    for path in (tmp_path / "train/bootstapir_dense/17").iterdir():
        tracks[:, 2] = tiny.HIDDEN
        np.save(path, tracks)
    with pytest.raises(InputError, match="no track of 00000 is visible"):
        draw(Kubric(tmp_path, "train"))


def test_scenes_have_their_own_names_and_lengths(tmp_path: Path) -> None:
    tiny.hoi4d(tmp_path, "00000", count=3, queries=[0])
    tiny.hoi4d(tmp_path, "00001", count=31, queries=[0, 15, 30])
    dataset = Hoi4d(tmp_path)
    assert dataset.scenes == ("00000", "00001")
    assert {draw(dataset, seed, 0).xy.shape[1] for seed in range(4)} == {3}
    assert {draw(dataset, seed, 1).query_frame for seed in range(20)} == {0, 15, 30}


def test_packed_features_are_read(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    before = draw(Kubric(tmp_path, "train"))
    path = tmp_path / "train/dinos/17/00000.npy"
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file["dinos"] = np.load(path)
    path.unlink()
    after = draw(Kubric(tmp_path, "train"))
    np.testing.assert_array_equal(before.features, after.features)


@pytest.mark.parametrize("kind", ["colour", "alpha", "palette", "two values"])
def test_masks_of_any_kind(tmp_path: Path, kind: str) -> None:
    from PIL import Image

    tiny.hoi4d(tmp_path, count=2, queries=[0])
    mask = tiny.moving_half(0)
    image = {
        "colour": lambda: Image.fromarray(np.stack([mask * 0, mask * 0, mask // 255], axis=2)),
        "alpha": lambda: Image.fromarray(np.stack([mask, mask, mask, mask * 0 + 255], axis=2)),
        "palette": lambda: palette(mask // 255),
        "two values": lambda: Image.fromarray(mask).convert("1"),
    }[kind]()
    image.save(tmp_path / "dynamic_masks/00000/00000.png")
    sample = draw(Hoi4d(tmp_path))
    np.testing.assert_array_equal(sample.label, sample.xy[:, 0, 0] < tiny.WIDTH // 2)


def palette(ids: np.ndarray):
    """A palette image in which id 0 is white, and id 1 black."""
    from PIL import Image

    image = Image.fromarray(ids)
    image.putpalette(bytes([255, 255, 255, 0, 0, 0]))
    return image


def test_masks_with_other_names_are_taken_in_order(tmp_path: Path) -> None:
    tiny.dynamic_replica(tmp_path, "a_left")
    masks = tmp_path / "train/a_left/dynamic_masks"
    for path in sorted(masks.iterdir()):
        path.rename(masks / f"a_left_{path.name}")
    sample = draw(DynamicReplica(tmp_path, "train"), 1)
    query = int(sample.features[0, 1])
    assert query > 0
    column, row = np.rint(sample.xy[:, sample.query_frame]).astype(int).T
    np.testing.assert_array_equal(sample.label, tiny.moving_half(query)[row, column] > 0)


def test_masks_with_the_names_of_frames_are_taken_by_name(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    masks = tmp_path / "train/masks/17"
    tiny.write_image(masks / "00000-without-frame.png", np.zeros((3, 3), np.uint8))
    sample = draw(Kubric(tmp_path, "train"))
    np.testing.assert_array_equal(sample.label, sample.xy[:, 0, 0] < tiny.WIDTH // 2)


def test_folders_as_our_own_pipeline_names_them(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    tiny.dynamic_replica(tmp_path, count=5, queries=[0])
    tiny.hoi4d(tmp_path, count=2, queries=[0])
    (tmp_path / "train/bootstapir_dense").rename(tmp_path / "train/bootstapir")
    (tmp_path / "dinos2").rename(tmp_path / "dinos")
    assert len(draw(Kubric(tmp_path, "train")))
    assert len(draw(Hoi4d(tmp_path)))
    stereo = next((tmp_path / "train").glob("*_left"))
    (stereo / "bootstapir_random").rename(stereo / "bootstapir")
    shutil.rmtree(tmp_path / "train/images")
    dataset = DynamicReplica(tmp_path, "train")
    assert len(draw(dataset, 0, dataset.scenes.index(stereo.name)))


def test_what_our_own_pipeline_leaves_is_read(tmp_path: Path) -> None:
    home = tmp_path / "train"
    for name, frame in zip(tiny.names(10), good_frames(10), strict=True):
        tiny.write_image(home / "images/clip" / f"{name}.png", frame[..., ::-1])
        tiny.write_image(home / "masks/clip" / f"{name}.png", tiny.moving_half(0, (48, 64)))
    stages = ("--depths", "--tracks", "--dinos", "--step", 8)
    assert run_inference("--data_dir", home / "images", *stages).code == 0
    dataset = Kubric(tmp_path, "train")
    assert check_scene(dataset, "clip") == []
    samples = [draw(dataset, seed) for seed in range(4)]
    assert {sample.query_frame for sample in samples} == {0, 8}
    for sample in samples:
        assert sample.size == (48, 64)
        assert sample.features is not None
        assert len(sample) == len(sample.features) > 50
        start = sample.xy[:, sample.query_frame]
        assert sample.judged.any()
        moves = np.rint(start[:, 0]) < 32
        np.testing.assert_array_equal(sample.label, moves & sample.judged)


def test_a_folder_of_features_among_the_scenes_is_none(tmp_path: Path) -> None:
    tiny.dynamic_replica(tmp_path, "a_left", count=2, queries=[0])
    (tmp_path / "train/dinos/images").mkdir(parents=True)
    assert DynamicReplica(tmp_path, "train").scenes == ("a_left",)


def test_only_the_cameras_that_look_ahead(tmp_path: Path) -> None:
    for camera in range(5):
        (tmp_path / f"023_{camera}" / "images").mkdir(parents=True)
    assert Waymo(tmp_path).scenes == ("023_0", "023_1", "023_2")


def test_what_is_not_read_need_not_exist(tmp_path: Path) -> None:
    tiny.waymo(tmp_path)
    shutil.rmtree(tmp_path / "023_0/depth_anything_v2")
    shutil.rmtree(tmp_path / "023_0/dinos")
    sample = draw(Waymo(tmp_path, None, Reading(depth=False, features=False)))
    assert sample.depth is None
    assert sample.features is None


def test_depth_is_read_as_the_released_weights_want_it(tmp_path: Path) -> None:
    tiny.kubric(tmp_path, count=2, queries=[0])
    sample = draw(Kubric(tmp_path, "train", Reading(lookup="reference", read="clip8")))
    assert sample.depth is not None
    assert set(np.unique(sample.depth[:, 0]).tolist()) <= {
        float(np.float32(value) / np.float32(255)) for value in [*range(0, 255, 40), 255]
    }
