"""Frames that a decoder beside the worker reads."""

from __future__ import annotations

import os
from contextlib import closing

import numpy as np
import pytest

from moseg.core.errors import CacheError, InputError
from moseg.core.frame_index import index_frames
from moseg.core.frame_record import FrameRecord
from moseg.core.frames import frames_from
from moseg.core.scene import Scene
from moseg.core.selection import Selection
from moseg.sample.write import write_sample

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source():
    from moseg.cluster.decoder import FramesFromDecoder
    from moseg.cluster.runner import open_ray

    with open_ray("local", workers=1):
        yield FramesFromDecoder()


@pytest.fixture
def frames(tmp_path):
    path = write_sample(tmp_path, "pan", frames=30, height=48, width=64).video
    scene = Scene("clip", path, "video")
    return FrameRecord(index_frames(scene), Selection(20, 50)).open(scene)


def test_they_are_those_that_are_decoded_here(frames, source):
    with frames_from(source):
        elsewhere = np.concatenate(list(frames.batches(7)))
    np.testing.assert_array_equal(elsewhere, np.concatenate(list(frames.batches(7))))
    assert elsewhere.shape[0] == 20


def test_two_passes_at_once_and_one_left_early(frames, source):
    expected = list(frames)
    with frames_from(source):
        for (first, second), frame in zip(zip(frames, frames, strict=True), expected, strict=True):
            np.testing.assert_array_equal(first, frame)
            np.testing.assert_array_equal(second, frame)
        with closing(iter(frames)) as some:
            next(some)
        np.testing.assert_array_equal(np.stack(list(frames)), np.stack(expected))


def test_bad_input_is_told_as_if_it_were_read_here(frames, source):
    os.truncate(frames.scene.source, 100)
    with frames_from(source), pytest.raises(InputError, match=r"sample\.mp4"):
        list(frames)


def test_a_decoder_that_dies_is_replaced_by_the_next_try(frames, source):
    with frames_from(source):
        list(frames)
        ray.kill(source._actor)
        with pytest.raises(CacheError, match="the decoder beside the GPU ended"):
            list(frames)
        assert len(list(frames)) == 20
