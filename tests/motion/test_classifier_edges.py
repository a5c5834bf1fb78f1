"""Labels by the network where there is little to label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.motion.classifier_world import (
    HIDDEN,
    SEEN,
    World,
    probabilities,
    run,
)

pytestmark = pytest.mark.usefixtures("store")


def test_nothing_moves_is_an_answer(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 15, 4: 10})
    task = world.write()
    labels, report = run(task, weights, minimum_probability=1.0)
    assert not any(each.dynamic.any() for each in labels.values())
    highest = np.nanmax(probabilities(labels))
    assert report.notes == (
        f"nothing moves: no track is probable enough, the most probable has {highest:.3f}",
    )
    assert report.summary["moving_tracks"] == 0
    assert not run(task, weights)[1].notes


def test_no_track_is_visible(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 15, 4: 10})
    world.tracks[..., 2] = HIDDEN
    labels, report = run(world.write(), weights)
    assert np.isnan(probabilities(labels)).all()
    assert not any(each.dynamic.any() or each.log_odds.any() for each in labels.values())
    assert report.notes == ("nothing moves: no track is visible in any frame",)


def test_a_scene_of_one_frame_and_few_points(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 2}, frames=1)
    world.tracks[..., 2] = SEEN
    labels, report = run(world.write(), weights)
    assert labels[0].log_odds.shape == (2, 1)
    assert report.summary == {"moving_tracks": 2, "labelled_tracks": 2, "thresholds": [0.0]}


def test_a_scene_without_points(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 1})
    none = {"window": world.points.window[:0], "frame": world.points.frame[:0]}
    for drawn in (True, False):
        world.points = replace(world.points, **none, xy=world.points.xy[:0], drawn=drawn)
        world.tracks, world.features = world.tracks[:0], world.features[:0]
        labels, report = run(world.write(), weights)
        assert not labels
        assert report.summary["labelled_tracks"] == 0


def test_constant_disparity(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 15})
    world.disparity[:] = 4
    assert np.isfinite(probabilities(run(world.write(), weights)[0])).any()
