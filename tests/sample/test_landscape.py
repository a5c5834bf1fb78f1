"""The landscape fills every frame, and the truth marks what objects change in it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from moseg.sample.actors import Actor
from moseg.sample.landscape import Landscape, stream
from moseg.sample.runner import Runner
from moseg.sample.stork import Stork
from moseg.sample.van import Van
from moseg.sample.view import CameraPath, View

VIEW = View(120, 214)


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return Landscape(VIEW, seed=0)


@pytest.fixture(scope="module")
def camera() -> CameraPath:
    return CameraPath(VIEW, stream(0, 0))


@pytest.mark.parametrize("time", [0, 13, 27, 40, 55])
def test_truth_marks_what_the_objects_change(
    landscape: Landscape, camera: CameraPath, time: int
) -> None:
    actors: list[Actor] = [
        Van(VIEW, stream(0, 1), start=-3.0),
        Runner(VIEW, stream(0, 2), start=-5.0),
        Stork(VIEW, stream(0, 3), camera, entry=10),
    ]
    pose = camera.at(time)
    with_objects = landscape.expose(pose, actors, time)
    without = landscape.expose(pose, [], time)
    assert not without.ids().any()
    ids = with_objects.ids()
    change = np.abs(with_objects.rgb.astype(int) - without.rgb).max(axis=2)
    assert (change[ids > 0] > 8).mean() > 0.95
    near = cv2.dilate((ids > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    darker = with_objects.rgb.astype(int).sum(axis=2) <= without.rgb.astype(int).sum(axis=2)
    only_shadow = change[~near] > 8
    assert only_shadow.mean() < 0.02
    assert darker[~near][only_shadow].mean() > 0.9


@pytest.mark.parametrize("owner", [1, 2, 3])
def test_each_object_is_marked_with_its_own_number(
    landscape: Landscape, camera: CameraPath, owner: int
) -> None:
    van = Van(VIEW, stream(0, 1), start=-3.0)
    runner = Runner(VIEW, stream(0, 2), start=-5.0)
    stork = Stork(VIEW, stream(0, 3), camera, entry=0)
    alone = [van, runner, stork][owner - 1]
    pose = camera.at(12)
    everything = landscape.expose(pose, [van, runner, stork], 12).ids() == owner
    single = landscape.expose(pose, [alone], 12).ids() == 1
    assert everything.any()
    assert (everything == single).mean() > 0.995


@pytest.mark.parametrize(("height", "width"), [(120, 214), (90, 300), (160, 60)])
def test_no_camera_looks_past_the_edge_of_the_scenery(height: int, width: int) -> None:
    view = View(height, width)
    landscape, camera = Landscape(view, seed=1), CameraPath(view, stream(1, 0))
    for time in range(0, 400, 23):
        rgb = landscape.expose(camera.at(time), [], time).rgb
        border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
        assert border.max(axis=1).min() > 0, time


def test_objects_come_again_in_a_long_clip(landscape: Landscape, camera: CameraPath) -> None:
    actors: list[Actor] = [
        Van(VIEW, stream(0, 1), start=-3.0),
        Runner(VIEW, stream(0, 2), start=-5.0),
        Stork(VIEW, stream(0, 3), camera, entry=10),
    ]
    seen = [
        set(np.unique(landscape.expose(camera.at(time), actors, time).ids()))
        for time in range(1000, 1400, 20)
    ]
    for owner in (1, 2, 3):
        count = sum(owner in there for there in seen)
        assert 3 < count < len(seen)


def test_camera_of_the_first_sweep_moves_steadily() -> None:
    camera = CameraPath(View(480, 854), stream(0, 0))
    x = np.array([camera.at(time).x for time in range(60)])
    assert (np.diff(x) > 0.008).all()
    assert np.abs(x).max() <= CameraPath.SIDEWAYS
    rolls = [camera.at(time).roll for time in range(400)]
    assert 0 < np.abs(rolls).max() < math.radians(0.6)
