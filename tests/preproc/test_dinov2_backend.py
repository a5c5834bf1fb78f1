"""Features of query frames by a network, from frames to files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.core.errors import BackendError, CacheError
from moseg.core.point_features import PointFeatures
from moseg.core.scene import Scene
from moseg.core.types import FeatureMap, list_by_frame
from moseg.models.foundation import dinov2
from moseg.models.foundation.dinov2 import KeyFeatures
from moseg.models.foundation.preprocess import dino_pixels
from moseg.preproc.dinos.dinov2 import Dinov2Features, Dinov2Params
from tests.media import write_video
from tests.models.foundation.official import dinov2_shapes, official
from tests.models.foundation.small import small_depth, small_dinov2
from tests.preproc.network_tasks import ask, image_task, pictures, scene_task

CPU = Device("cpu")
POINTS = {0: [(0, 0), (69, 39), (35.5, 20)], 2: [(12, 30)], 3: [(-5, 10), (200, 100), (7, 7)]}


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "store"))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dino")
    small_dinov2().save_pretrained(folder)
    return folder


def run(checkpoint, task, device=CPU, **settings):
    backend = Dinov2Features(Dinov2Params(**{"checkpoint": str(checkpoint), **settings}))
    backend.prepare(device)
    return backend.run(task)


def expected_map(frame, **settings):
    with torch.inference_mode():
        pixels = dino_pixels(torch.from_numpy(frame)[None])
        return KeyFeatures(small_dinov2(), **settings)(pixels)[0].half().numpy()


def near(found, expected):
    """Equal but for the last bit of half precision."""
    return found.dtype == np.float16 and np.allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_points_take_the_cell_they_lie_in(tmp_path, checkpoint):
    frames = pictures(5, 40, 70)
    task = image_task(tmp_path, frames)
    points = ask(task, POINTS)
    report = run(checkpoint, task)
    assert report.summary == {"query_frames": 3, "channels": 32}
    assert [path.name for path in task.out.iterdir()] == ["points.npz"]
    values = PointFeatures.load(task.out / "points.npz").values
    assert values.shape == (7, 32)
    maps = {query: expected_map(frames[query]) for query in POINTS}
    assert maps[0].shape == (5, 9, 32)
    for row, (query, (x, y)) in enumerate(zip(points.frame, points.xy, strict=True)):
        j, i = (int(np.clip(int(v), 0, n - 1)) for v, n in ((x * 9 / 70, 9), (y * 5 / 40, 5)))
        assert near(values[row], maps[int(query)][i, j])
    assert abs(maps[0] - maps[2]).max() > 0.1


def test_whole_maps(tmp_path, checkpoint):
    frames = pictures(4, 40, 70)
    task = image_task(tmp_path, frames)
    ask(task, POINTS)
    run(checkpoint, task, maps="full")
    files = list_by_frame(task.out)
    assert [path.name for path in files] == ["00000.npz", "00002.npz", "00003.npz"]
    for path in files:
        stored = FeatureMap.load(path)
        assert near(stored.values, expected_map(frames[stored.query_frame]))
        assert stored.cell == 70 / 9
        assert path.stem == f"{stored.query_frame:05d}"


@pytest.mark.parametrize(
    ("settings", "shape"),
    [({"stride": 14}, (3, 5)), ({"block": 1}, (5, 9)), ({"block": 0}, (5, 9))],
)
def test_stride_and_block(tmp_path, checkpoint, settings, shape):
    frames = pictures(1, 40, 70)
    task = image_task(tmp_path, frames)
    ask(task, {0: [(1, 1)]})
    run(checkpoint, task, maps="full", **settings)
    values = FeatureMap.load(task.out / "00000.npz").values
    assert values.shape == (*shape, 32)
    assert near(values, expected_map(frames[0], **settings))


def test_batches_and_threads_change_nothing_but_rounding(tmp_path, checkpoint):
    frames = pictures(8, 40, 50)
    results = {}
    for batch, threads in [(1, 1), (1, 2), (2, 1), (9, 1)]:
        folder = tmp_path / f"{batch}-{threads}"
        folder.mkdir()
        seen = []
        task = replace(image_task(folder, frames, threads), progress=lambda *p, s=seen: s.append(p))
        ask(task, {query: [(3, 4), (30, 20)] for query in (0, 3, 5, 6, 7)}, window=4)
        run(checkpoint, task, batch=batch)
        results[batch, threads] = PointFeatures.load(task.out / "points.npz").values
        assert seen == [(min(done, 5), 5) for done in range(batch, 5 + batch, batch)]
    assert np.array_equal(results[1, 1], results[1, 2])
    assert len(np.unique(results[1, 1], axis=0)) == 10
    for other in results.values():
        assert near(other, results[1, 1])


def test_only_query_frames_are_given_to_the_network(tmp_path, checkpoint):
    task = image_task(tmp_path, pictures(6, 20, 30))
    ask(task, {1: [(1, 1)], 4: [(2, 2)]})
    backend = Dinov2Features(Dinov2Params(checkpoint=str(checkpoint)))
    backend.prepare(CPU)
    seen = []
    backend.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    backend.run(task)
    assert seen == [(1, 3, 28, 42)] * 2


def test_one_tiny_frame_and_a_video(tmp_path, checkpoint):
    (tmp_path / "tiny").mkdir()
    task = image_task(tmp_path / "tiny", pictures(1, 16, 16))
    ask(task, {0: [(15, 15)]})
    run(checkpoint, task)
    assert PointFeatures.load(task.out / "points.npz").values.shape == (1, 32)
    frames = pictures(4, 32, 48)
    path = write_video(tmp_path / "a.mkv", frames, codec="ffv1")
    task = scene_task(tmp_path, Scene("a", path, "video"))
    ask(task, {2: [(15, 15)]})
    run(checkpoint, task, maps="full")
    assert near(FeatureMap.load(task.out / "00002.npz").values, expected_map(frames[2]))


def test_no_point_at_all(tmp_path, checkpoint):
    task = image_task(tmp_path, pictures(2, 20, 30))
    ask(task, {})
    assert run(checkpoint, task).summary["query_frames"] == 0
    assert PointFeatures.load(task.out / "points.npz").values.shape == (0, 32)


def test_low_precision(tmp_path, checkpoint):
    frames = pictures(1, 40, 50)
    values = []
    for name in ("float32", "bfloat16"):
        (tmp_path / name).mkdir()
        task = image_task(tmp_path / name, frames)
        ask(task, {0: [(x, 20) for x in range(0, 50, 10)]})
        run(checkpoint, task, Device("cpu", name))
        values.append(PointFeatures.load(task.out / "points.npz").values.astype(np.float32))
    assert not np.array_equal(*values)
    assert abs(values[0] - values[1]).max() < 0.05 * abs(values[0]).max()


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e30])
def test_features_that_are_no_numbers(tmp_path, value):
    network = small_dinov2()
    network.encoder.layer[2].attention.k_proj.weight[3] = value
    network.save_pretrained(tmp_path / "checkpoint")
    task = image_task(tmp_path, pictures(3, 20, 30))
    ask(task, {2: [(1, 1)]})
    with pytest.raises(BackendError, match=r"frame 2: .* not numbers; check the checkpoint") as e:
        run(tmp_path / "checkpoint", task)
    assert "\n" not in str(e.value)


def test_queries_of_another_scene(tmp_path, checkpoint):
    task = image_task(tmp_path, pictures(3, 20, 30))
    ask(task, {3: [(1, 1)]})
    with pytest.raises(CacheError, match="another scene"):
        run(checkpoint, task)


def test_a_checkpoint_of_another_model_or_without_the_block(tmp_path, checkpoint):
    small_depth().save_pretrained(tmp_path / "depth")
    task = image_task(tmp_path, pictures(1, 20, 30))
    with pytest.raises(BackendError, match="type depth_anything, not dinov2"):
        run(tmp_path / "depth", task)
    with pytest.raises(BackendError, match="block 3 of a network of 3 blocks; use 0 to 2"):
        run(checkpoint, task, block=3)


def test_an_official_file_whole_and_cut(tmp_path):
    generator = torch.Generator().manual_seed(0)
    tensors = {
        key: torch.randn(shape, generator=generator) / shape[-1] ** 0.5
        for key, shape in dinov2_shapes("s").items()
    }
    frames = pictures(1, 40, 70)
    task = image_task(tmp_path, frames)
    ask(task, {0: [(1, 1)]})
    torch.save(tensors, tmp_path / "a.pth")
    run(tmp_path / "a.pth", task, maps="full")
    with torch.inference_mode():
        features = KeyFeatures(dinov2.build(official(tensors)))
        expected = features(dino_pixels(torch.from_numpy(frames[0])[None]))[0]
    assert near(FeatureMap.load(task.out / "00000.npz").values, expected.numpy())
    del tensors["blocks.11.attn.qkv.bias"]
    torch.save(tensors, tmp_path / "b.pth")
    with pytest.raises(BackendError, match=r"b\.pth .* missing: blocks\.11\.attn\.qkv\.bias"):
        run(tmp_path / "b.pth", task)
