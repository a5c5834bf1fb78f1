"""Image features of a window: each frame encoded once, in memory or on the disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.core.errors import CacheError, OutputError
from moseg.sam2.video.features import FeatureStore, ImageEncoder
from moseg.sam2.video.pixels import sam2_pixels
from moseg.sam2.video.settings import VideoSettings
from tests.limits import largest_file
from tests.sam2.video.small import CPU, SIDE, moving_frames

FLOATS = VideoSettings(features="float32")
OUT_OF_MEMORY = torch.OutOfMemoryError("out of memory")
SHAPES = (16, 4), (4, 8), (1, 16)
BYTES = 4 * sum(cells * channels for cells, channels in SHAPES)


class Encoder:
    """Levels that hold the frame's first level of grey; tells what it was asked for."""

    positions = torch.zeros(1, 1, 16)

    def __init__(self, most=100, error=OUT_OF_MEMORY):
        self.most, self.error, self.asked = most, error, []

    def __call__(self, rgb):
        self.asked.append(rgb[:, 0, 0, 0].tolist())
        if len(rgb) > self.most:
            raise self.error
        values = torch.from_numpy(rgb[:, 0, 0, 0]).float()
        return [values[None, :, None].expand(cells, -1, width) for cells, width in SHAPES]


def frames(count):
    return [np.full((2, 2, 3), t, np.uint8) for t in range(count)]


def store(folder, encoder, count=10, settings=FLOATS):
    return FeatureStore(encoder, iter(frames(count)), count, folder, settings, CPU)


def value(features, frame):
    levels = features.get_vision_features(frame)["vision_feats"]
    assert [level.shape for level in levels] == [(cells, 1, width) for cells, width in SHAPES]
    assert all(level.dtype == torch.float32 for level in levels)
    values = {float(each) for level in levels for each in level.unique()}
    assert len(values) == 1
    return values.pop()


def test_features_are_those_of_the_library(network):
    rgb = np.stack(moving_frames(3))
    encoder = ImageEncoder(network, CPU)
    pixels = sam2_pixels(torch.from_numpy(rgb), SIDE, torch.device("cpu"))
    expected = network.get_image_features(pixels)
    found = encoder(rgb)
    assert len(found) == 3
    for level, other in zip(found, expected.fpn_hidden_states, strict=True):
        assert torch.equal(level, other)
    assert torch.equal(encoder.positions, expected.fpn_position_encoding[-1][:, :1])


def test_positions_keep_their_precision_and_come_back(network):
    kept = network.vision_encoder.neck.position_encoding
    encoder = ImageEncoder(network, Device("cpu", "bfloat16"))
    assert encoder(np.stack(moving_frames(1)))[2].dtype == torch.bfloat16
    assert torch.equal(encoder.positions, ImageEncoder(network, CPU).positions)
    with pytest.raises((RuntimeError, ValueError)):
        encoder(np.zeros((1, 0, 0, 3), np.uint8))
    assert network.vision_encoder.neck.position_encoding is kept


def test_each_frame_is_encoded_once_in_order(tmp_path):
    encoder = Encoder()
    with store(tmp_path, encoder, settings=replace(FLOATS, batch=3)) as features:
        features.open_window(range(5))
        assert encoder.asked == [[0, 1, 2], [3, 4]]
        assert [value(features, t) for t in (4, 0, 3, 3, 1, 2)] == [4, 0, 3, 3, 1, 2]
        features.open_window(range(4, 8))
        features.open_window(range(4, 8))
        assert encoder.asked[2:] == [[5, 6, 7]]
        assert [value(features, t) for t in range(4, 8)] == [4, 5, 6, 7]
        with pytest.raises(ValueError, match="frame 3 is not in the open window"):
            features.get_vision_features(3)
        features.open_window(range(9, 10))
        assert encoder.asked[3:] == [[9]]
        assert value(features, 9) == 9
        assert features.encoded == 9
        assert features.halvings == []


def test_windows_that_cannot_be_opened(tmp_path):
    with store(tmp_path, Encoder()) as features:
        features.open_window(range(3, 6))
        for window in (range(2, 6), range(5, 11)):
            with pytest.raises(ValueError, match="of 10 frames"):
                features.open_window(window)
    features = FeatureStore(Encoder(), iter(frames(3)), 5, tmp_path, FLOATS, CPU)
    with features, pytest.raises(ValueError, match="3 frames instead of 5"):
        features.open_window(range(5))


def test_only_a_batch_of_frames_is_held(tmp_path):
    taken = []

    def source():
        for frame in frames(10):
            taken.append(len(encoder.asked))
            yield frame

    encoder = Encoder()
    settings = replace(FLOATS, batch=2)
    with FeatureStore(encoder, source(), 10, tmp_path, settings, CPU) as features:
        features.open_window(range(7))
    assert taken == [0, 0, 1, 1, 2, 2, 3]


def test_what_does_not_fit_in_memory_lies_on_the_disk(tmp_path):
    folder = tmp_path / "features"
    settings = replace(FLOATS, memory_bytes=2 * BYTES + 1)
    features = store(folder, Encoder(), settings=settings)
    features.open_window(range(5))
    files = sorted(folder.iterdir())
    assert [path.stat().st_size for path in files] == [BYTES] * 3
    assert [value(features, t) for t in (4, 1, 3, 0, 2)] == [4, 1, 3, 0, 2]
    features.open_window(range(4, 7))
    assert len(list(folder.iterdir())) == 1
    assert [value(features, t) for t in (6, 5, 4)] == [6, 5, 4]
    features.close()
    assert list(folder.iterdir()) == []
    features.close()


def test_bfloat16_takes_half_and_rounds(tmp_path, network):
    rgb = moving_frames(2)
    exact = ImageEncoder(network, CPU)(np.stack(rgb))
    for memory in (1 << 30, 0):
        settings = VideoSettings(memory_bytes=memory)
        encoder = ImageEncoder(network, CPU)
        with FeatureStore(encoder, iter(rgb), 2, tmp_path, settings, CPU) as features:
            features.open_window(range(2))
            if not memory:
                size = sum(path.stat().st_size for path in tmp_path.iterdir())
                assert size == 2 * sum(level.numel() for level in exact)
            for t in range(2):
                levels = features.get_vision_features(t)["vision_feats"]
                for level, other in zip(levels, exact, strict=True):
                    rounded = other[:, t : t + 1].bfloat16().float()
                    assert torch.allclose(level, rounded, rtol=0.01, atol=1e-5)
                    assert torch.equal(level, level.bfloat16().float())


def test_a_changed_file_is_told(tmp_path):
    with store(tmp_path, Encoder(), settings=replace(FLOATS, memory_bytes=0)) as features:
        features.open_window(range(2))
        path = min(tmp_path.iterdir())
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(CacheError, match="was changed"):
            features.get_vision_features(0)
        assert value(features, 1) == 1


def test_a_disk_that_refuses(tmp_path):
    features = store(tmp_path, Encoder(), settings=replace(FLOATS, memory_bytes=0))
    with pytest.raises(OutputError), largest_file(BYTES - 10):
        features.open_window(range(2))
    features.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_smaller_batches_when_memory_runs_out(tmp_path, error):
    encoder = Encoder(most=2, error=error)
    with store(tmp_path, encoder, settings=replace(FLOATS, batch=8)) as features:
        features.open_window(range(7))
        assert encoder.asked == [list(range(7)), [0, 1, 2, 3], [0, 1], [2, 3], [4, 5], [6]]
        assert features.halvings == [(0, 4), (0, 2)]
        assert features.batch == 2
        assert features.encoded == 7
        assert [value(features, t) for t in range(7)] == list(range(7))


def test_smaller_batches_from_the_frame_on_where_memory_ran_out(tmp_path):
    encoder = Encoder()
    with store(tmp_path, encoder, settings=replace(FLOATS, batch=4)) as features:
        features.open_window(range(4))
        encoder.most = 2
        features.open_window(range(3, 9))
        assert features.halvings == [(4, 2)]
        assert encoder.asked == [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [6, 7], [8]]


def test_what_smaller_batches_do_not_help(tmp_path):
    for encoder in (Encoder(most=0), Encoder(most=1, error=RuntimeError("shapes differ"))):
        features = store(tmp_path, encoder, settings=replace(FLOATS, batch=2))
        with features, pytest.raises(RuntimeError, match=str(encoder.error)):
            features.open_window(range(4))
    assert encoder.asked == [[0, 1]]
