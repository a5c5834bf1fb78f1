"""Simulated scenes through the real built-in stages."""

from __future__ import annotations

import numpy as np
import pytest

from moseg.core.types import Tracks
from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import TRAINING
from moseg.motion.simulate.tracks import simulate_tracks
from moseg.pipeline.simulated_clips import SimulatedClip, read_truth, simulate_clip
from moseg.preproc.tracks.backend import GridParams

T, H, W = 7, 64, 112
GRID = GridParams(step=3, span=4, spacing=6)
THINGS = [kind for kind in TRAINING if kind.name == "things"]


def clip_of(seed: int) -> SimulatedClip:
    return simulate_clip(draw_scene(seed, THINGS, frames=T, size=(H, W)), GRID)


@pytest.fixture(scope="module")
def clip() -> SimulatedClip:
    return clip_of(1)


def test_a_clip_holds_what_the_built_in_stages_leave(clip: SimulatedClip) -> None:
    assert [found.tracks.query_frame for found in clip.sets] == [0, 3, 6]
    assert clip.evidence.shape == clip.disparity.shape == clip.confidence.shape == (T, H, W)
    assert np.isfinite(clip.evidence).all()
    assert clip.cameras["forward"].shape == (T - 1, 3, 3)
    for found in clip.sets:
        count, length = found.tracks.visible.shape
        assert found.features.values.shape == (H // 4, W // 4, 16)
        assert found.features.query_frame == found.tracks.query_frame
        assert found.truth.moving.shape == (count,)
        assert found.truth.moving_now.shape == found.truth.stays.shape == (count, length)
        assert (found.truth.moving == (found.truth.object_id > 0)).all()
        assert not found.truth.moving_now[~found.truth.moving].any()


def test_the_same_scene_gives_the_same_clip(clip: SimulatedClip) -> None:
    again = clip_of(1)
    assert (again.evidence == clip.evidence).all()
    for one, other in zip(clip.sets, again.sets, strict=True):
        assert (one.tracks.xy == other.tracks.xy).all()
        assert (one.truth.moving_now == other.truth.moving_now).all()


def test_real_tracks_follow_the_true_ones_and_have_their_labels() -> None:
    errors, agreed = [], []
    for seed in range(4):
        clip = clip_of(seed)
        for found in clip.sets:
            at = found.tracks.query_frame - found.tracks.start
            window = slice(found.tracks.start, found.tracks.start + found.tracks.xy.shape[1])
            points = found.tracks.xy[:, at]
            true = simulate_tracks([clip.scene], points, found.tracks.query_frame)
            both = found.tracks.visible & true.visible[0, :, window]
            away = np.linalg.norm(found.tracks.xy - true.xy[0, :, window], axis=-1)
            errors.append(np.median(away[both]))
            sure = found.truth.certain
            agreed.append((found.truth.moving == true.moving[0])[sure].mean())
    assert np.median(errors) < 0.7
    assert min(agreed) > 0.99


def straight(frames: int, x: list[float]) -> Tracks:
    xy = np.zeros((len(x), frames, 2), np.float32)
    xy[:, :, 0] = np.array(x)[:, None]
    xy[:, :, 1] = 5
    ones = np.ones((len(x), frames), np.float32)
    return Tracks(1, 0, xy, ones > 0, ones, ones)


def test_truth_is_read_under_the_tracks() -> None:
    ids = np.zeros((3, 12, 20), np.uint8)
    ids[0, :, 4:10] = 2
    ids[1, :, 6:12] = 2
    ids[2, :, 10:16] = 2
    moves = np.zeros((3, 3), bool)
    moves[2, :2] = True
    truth = read_truth(straight(3, [2.0, 8.4, 6.0, 30.0]), ids, moves)
    assert truth.object_id.tolist() == [0, 2, 2, 0]
    assert truth.moving.tolist() == [False, True, True, False]
    assert truth.moving_now[1].tolist() == [True, True, False]
    assert not truth.moving_now[0].any()
    assert truth.certain.tolist() == [True, True, False, True]
    assert truth.stays[:3].tolist() == [[True] * 3, [True, True, False], [True, True, False]]
