"""Scenes from seeds."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from moseg.motion.simulate import bodies, cameras, effects, motions, places
from moseg.motion.simulate.draw import draw_scene
from moseg.motion.simulate.kinds import HELD_OUT, KINDS, TRAINING, Kind
from moseg.motion.simulate.measured import measure_tracks
from moseg.motion.simulate.render import render
from moseg.motion.simulate.scene import Scene
from moseg.motion.simulate.tracks import simulate_tracks
from moseg.motion.simulate.views import view_of
from tests.motion.simulate.made import BOTH
from tests.motion.simulate.test_tracks import lattice

FIELDS = ("cameras", "places", "bodies", "motions", "effects")
MAKERS = (cameras.MAKERS, places.MAKERS, bodies.MAKERS, motions.MAKERS, effects.MAKERS)


def everything(seed: int) -> str:
    """A digest of a scene, its tracks, true and measured, and its pictures."""
    scene = draw_scene(seed, BOTH, frames=4, size=(32, 48))
    tracks = simulate_tracks([scene], lattice(scene.size), 1)
    measured = measure_tracks([scene], view_of([scene]), tracks)
    return hashlib.sha256(pickle.dumps((scene, tracks, measured, render(scene)))).hexdigest()


def names_in(kinds: tuple[Kind, ...], field: str) -> set[str]:
    return {name for kind in kinds for name in getattr(kind, field)}


def test_the_same_seed_gives_the_same_scene_and_another_seed_another() -> None:
    assert everything(3) == everything(3)
    assert everything(3) != everything(4)


@pytest.mark.slow
def test_the_same_seed_gives_equal_bytes_in_another_process() -> None:
    code = "from tests.motion.simulate.test_draw import everything as e; print(e(5), e(6))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [everything(5), everything(6)]


@pytest.mark.slow
def test_scenes_are_drawn_and_rendered_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from tests.motion.simulate.test_draw import everything; everything(5)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("field", FIELDS)
def test_held_out_kinds_share_nothing_with_training(field: str) -> None:
    assert names_in(TRAINING, field)
    assert names_in(HELD_OUT, field)
    assert not names_in(TRAINING, field) & names_in(HELD_OUT, field)


@pytest.mark.parametrize(("field", "makers"), list(zip(FIELDS, MAKERS, strict=True)))
def test_every_maker_is_used_by_one_of_the_sets(field: str, makers: dict[str, object]) -> None:
    assert names_in(BOTH, field) == set(makers)


@pytest.mark.parametrize("name", KINDS)
def test_a_quarter_of_the_scenes_has_effects_and_a_third_nothing_that_moves(name: str) -> None:
    kinds = KINDS[name]
    total = sum(kind.share for kind in kinds)
    effect = sum(kind.share for kind in kinds if kind.effect_count) / total
    calm = sum(kind.share for kind in kinds if kind.objects[1] == 0) / total
    assert 0.2 <= effect <= 0.3
    assert 0.25 <= calm <= 0.4


def drawn(kinds: tuple[Kind, ...], count: int = 60) -> list[Scene]:
    return [draw_scene(seed, kinds, frames=6, size=(64, 112)) for seed in range(count)]


@pytest.mark.parametrize("name", KINDS)
def test_scenes_are_varied_and_their_objects_are_in_view(name: str) -> None:
    scenes = drawn(KINDS[name])
    seen = Counter(part for scene in scenes for part in scene.made_of[:3])
    assert len(seen) >= len(KINDS[name]) + 3 + 5
    with_objects = [scene for scene in scenes if len(scene.moves) > 1]
    shares = []
    for scene in with_objects:
        tracks = [simulate_tracks([scene], lattice(scene.size), frame) for frame in (0, 3, 5)]
        shares.append(max(float(track.moving.mean()) for track in tracks))
    assert np.mean(np.array(shares) > 0) > 0.9
    assert 0.05 < np.mean(shares) < 0.4


@pytest.mark.parametrize("name", KINDS)
def test_motions_are_of_all_speeds(name: str) -> None:
    steps = []
    for scene in drawn(KINDS[name], 40):
        tracks = simulate_tracks([scene], lattice(scene.size))
        step = np.linalg.norm(np.diff(tracks.xy[0], axis=1), axis=-1)
        steps.append(float(np.median(step)))
    steps.sort()
    assert steps[4] < 0.3
    assert 1.0 < steps[-4] < 30


@pytest.mark.parametrize("maker", cameras.MAKERS)
def test_cameras_start_near_the_origin_and_look_ahead(maker: str) -> None:
    target = np.stack([np.linspace(-1, 2, 12), np.zeros(12), np.full(12, 8.0)], axis=1)
    setup = cameras.Setup(12, 224, 224.0, 8.0, target)
    for seed in range(8):
        camera = cameras.MAKERS[maker](np.random.default_rng(seed), setup)
        ahead = camera.rotation[:, 2, 2]
        assert (ahead > np.cos(2 * cameras.FARTHEST_TURN + 0.1)).all()
        identity = camera.rotation @ np.swapaxes(camera.rotation, 1, 2)
        np.testing.assert_allclose(identity, np.tile(np.eye(3), (12, 1, 1)), atol=1e-9)
        assert np.allclose(camera.position[6], 0, atol=1e-9)
        assert (np.abs(camera.position) < 5).all()
        assert (camera.focal > 100).all()


def test_a_following_camera_keeps_its_target_in_view() -> None:
    path = np.stack([np.linspace(-4, 4, 12), np.zeros(12), np.full(12, 8.0)], axis=1)
    setup = cameras.Setup(12, 224, 224.0, 8.0, path)
    for seed in range(10):
        camera = cameras.MAKERS["follow"](np.random.default_rng(seed), setup)
        seen = np.einsum("tji,tj->ti", camera.rotation, path - camera.position)
        swept = np.ptp(seen[:, 0] / seen[:, 2]) * 224
        assert swept < 0.6 * np.ptp(path[:, 0] / path[:, 2]) * 224
