"""Disparity of a scene by a network, from frames to files."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.core.disparity import DisparityMaps
from moseg.core.errors import BackendError, InputError
from moseg.core.scene import Scene
from moseg.models.foundation.depth_anything import DisparityNetwork, at_image_size
from moseg.models.foundation.preprocess import depth_pixels
from moseg.preproc.depths.depth_anything import DepthAnythingDepths, DepthAnythingParams
from tests.media import write_image, write_video
from tests.models.foundation.small import small_depth, small_dinov2
from tests.preproc.network_tasks import image_task, pictures, scene_task

CPU = Device("cpu")


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "store"))


@pytest.fixture(scope="session")
def network():
    """Disparity that differs from pixel to pixel and is seldom cut off at zero."""
    network = small_depth()
    network.head.conv3.bias.fill_(3.0)
    return network


@pytest.fixture(scope="session")
def checkpoint(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("depth")
    network.save_pretrained(folder)
    return folder


def run(checkpoint, task, device=CPU, **settings):
    backend = DepthAnythingDepths(
        DepthAnythingParams(**{"checkpoint": str(checkpoint), "side": 56, **settings})
    )
    backend.prepare(device)
    return backend.run(task)


def stored(task):
    with DisparityMaps(task.out) as maps:
        return np.stack([maps.raw(t) for t in range(len(maps))])


@pytest.mark.parametrize("resize", ["lower_bound", "minimal"])
@pytest.mark.parametrize("upsample", ["bicubic", "bilinear"])
def test_every_frame_gets_its_own_disparity(tmp_path, checkpoint, network, resize, upsample):
    frames = pictures(3, 40, 70)
    task = image_task(tmp_path, frames)
    report = run(checkpoint, task, resize=resize, upsample=upsample)
    assert report.summary == {"frames": 3, "frames_of_constant_disparity": 0}
    disparity = stored(task)
    assert disparity.dtype == np.float32
    assert disparity.shape == (3, 40, 70)
    for t, frame in enumerate(frames):
        with torch.inference_mode():
            pixels = depth_pixels(torch.from_numpy(frame)[None], 56, resize)
            expected = at_image_size(DisparityNetwork(network)(pixels), (40, 70), upsample)[0]
        assert np.allclose(disparity[t], expected, atol=1e-5)
    assert disparity.std() > 0.1
    assert abs(disparity[0] - disparity[1]).max() > 0.1
    limits = np.load(task.out / "range.npy")
    assert np.array_equal(limits, np.stack([disparity.min((1, 2)), disparity.max((1, 2))], axis=1))


def test_batches_and_threads_change_nothing_but_rounding(tmp_path, checkpoint):
    frames = pictures(5, 40, 50)
    results = {}
    for batch, threads in [(1, 1), (1, 2), (2, 1), (9, 1)]:
        folder = tmp_path / f"{batch}-{threads}"
        folder.mkdir()
        seen = []
        task = replace(image_task(folder, frames, threads), progress=lambda *p, s=seen: s.append(p))
        run(checkpoint, task, batch=batch)
        results[batch, threads] = stored(task)
        assert seen == [(min(done, 5), 5) for done in range(batch, 5 + batch, batch)]
    assert np.array_equal(results[1, 1], results[1, 2])
    for other in results.values():
        assert np.allclose(other, results[1, 1], atol=1e-5)


def test_nothing_of_former_batches_is_held(tmp_path, checkpoint):
    held = []

    def count(*_):
        gc.collect()
        held.append(sum(issubclass(type(item), torch.Tensor) for item in gc.get_objects()))

    task = replace(image_task(tmp_path, pictures(5, 30, 40)), progress=count)
    run(checkpoint, task)
    assert len(held) == 5
    assert max(held[1:]) <= held[0]


def test_one_tiny_frame(tmp_path, checkpoint):
    task = image_task(tmp_path, pictures(1, 16, 16))
    assert run(checkpoint, task).summary["frames"] == 1
    assert stored(task).shape == (1, 16, 16)


def test_a_video(tmp_path, checkpoint):
    path = write_video(tmp_path / "a.mkv", pictures(3, 32, 48), codec="ffv1")
    task = scene_task(tmp_path, Scene("a", path, "video"))
    run(checkpoint, task)
    assert stored(task).shape == (3, 32, 48)


def test_low_precision(tmp_path, checkpoint):
    frames = pictures(1, 40, 50)
    for name in ("float32", "bfloat16"):
        (tmp_path / name).mkdir()
        run(checkpoint, image_task(tmp_path / name, frames), Device("cpu", name))
    full, low = (np.load(tmp_path / name / "out/disparity.npy") for name in ("float32", "bfloat16"))
    assert not np.array_equal(full, low)
    assert abs(full - low).max() < 0.05 * full.max()


def spoilt(network_of, tmp_path, edit):
    network = network_of()
    edit(network)
    network.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_network_that_returns_no_numbers(tmp_path, value):
    def edit(network):
        network.head.conv3.weight[0, 3] = value

    checkpoint = spoilt(small_depth, tmp_path, edit)
    task = image_task(tmp_path, pictures(2, 20, 30))
    with pytest.raises(BackendError, match=r"frame 0: .* not numbers; check the checkpoint") as e:
        run(checkpoint, task)
    assert "\n" not in str(e.value)


def test_constant_disparity_is_kept_and_told(tmp_path):
    def edit(network):
        network.head.conv3.weight.zero_()
        network.head.conv3.bias.fill_(-1.0)

    checkpoint = spoilt(small_depth, tmp_path, edit)
    task = image_task(tmp_path, pictures(2, 20, 30))
    assert run(checkpoint, task).summary["frames_of_constant_disparity"] == 2
    with DisparityMaps(task.out) as maps:
        assert not maps.raw(1).any()
        assert not maps.uint16(1).any()


def test_a_frame_of_another_size(tmp_path, checkpoint):
    frames = pictures(3, 20, 30)
    task = image_task(tmp_path, frames)
    write_image(task.scene.source / "00001.png", frames[1][:, :28])
    with pytest.raises(InputError, match="changed while it was being worked on"):
        run(checkpoint, task)


def test_long_strips_are_refused_or_shrunk(tmp_path, checkpoint):
    task = image_task(tmp_path, pictures(1, 8, 130))
    with pytest.raises(InputError, match=r"130x8 pixels .* set depths\.resize to minimal"):
        run(checkpoint, task)
    run(checkpoint, task, resize="minimal")
    assert stored(task).shape == (1, 8, 130)


def test_a_checkpoint_of_another_model(tmp_path):
    small_dinov2().save_pretrained(tmp_path / "dino")
    with pytest.raises(BackendError, match="type dinov2, not depth_anything"):
        run(tmp_path / "dino", image_task(tmp_path, pictures(1, 20, 30)))
