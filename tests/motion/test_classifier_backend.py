"""Labels by the network: what is read, classified and written."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from moseg.core.device import Device
from moseg.core.errors import CacheError
from moseg.core.types import FeatureMap
from moseg.models.track_classifier.options import Options
from moseg.motion.classifier import ClassifierParams, TrackClassifierLabels
from tests.motion.classifier_world import (
    FRAMES,
    HIDDEN,
    SEEN,
    H,
    W,
    World,
    backend,
    labels_of,
    official,
    probabilities,
    run,
    stored,
)

pytestmark = pytest.mark.usefixtures("store")


def test_labels_of_every_query_frame(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 30, 4: 20, 8: 25})
    world.tracks[12, :, 2] = HIDDEN
    labels, report = run(world.write(), weights)
    assert list(labels) == [0, 4, 8]
    assert [len(each.probability) for each in labels.values()] == [30, 20, 25]
    for query, each in labels.items():
        assert (each.query_frame, each.start) == (query, 0)
        assert each.log_odds.shape == (len(each.probability), FRAMES)
        assert each.log_odds.dtype == each.probability.dtype == np.float32
        assert (each.log_odds == each.log_odds[:, :1]).all()
        judged = np.isfinite(each.probability)
        odds = each.log_odds[judged, 0]
        np.testing.assert_allclose(1 / (1 + np.exp(-odds)), each.probability[judged], rtol=1e-5)
        assert not (each.dynamic & ~judged).any()
    never = labels[0]
    assert np.flatnonzero(np.isnan(never.probability)).tolist() == [12]
    assert (never.log_odds[12] == 0).all()
    assert report.summary["labelled_tracks"] == 74
    assert report.summary["moving_tracks"] == sum(int(e.dynamic.sum()) for e in labels.values())
    assert report.summary["thresholds"] == [labels[0].threshold]
    assert probabilities(labels)[np.arange(75) != 12].std() > 0.02


def test_the_network_gets_what_the_artefacts_hold(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, {0: 5, 4: 6})
    world.tracks[:, 3, 2] = HIDDEN
    world.tracks[7, 3, 3] = -6
    made = backend(weights)
    seen: dict[str, np.ndarray] = {}

    def spy(traj: torch.Tensor, mask: torch.Tensor, **others: torch.Tensor) -> torch.Tensor:
        seen.update(traj=traj.numpy(), mask=mask.numpy())
        seen.update({name: value.numpy() for name, value in others.items()})
        return torch.zeros(len(mask))

    monkeypatch.setattr(made.network, "forward", spy)
    made.run(world.write())
    xy = world.tracks[..., :2]
    expected = np.clip(2 * xy / [W, H] - 1, -1, 1).transpose(2, 0, 1)
    np.testing.assert_allclose(seen["traj"], expected, atol=1e-6)
    hidden = world.tracks[..., 2] > 0
    hidden[7, 3] = False
    np.testing.assert_array_equal(seen["mask"], hidden)
    np.testing.assert_array_equal(seen["dino"], world.features.astype(np.float32))
    np.testing.assert_allclose(
        seen["visibility"], 1 / (1 + np.exp(world.tracks[..., 2])), rtol=1e-5
    )
    assert seen["confidence"].shape == seen["depth"].shape == (11, FRAMES)
    assert set(np.unique(seen["depth"])) <= {0.0, 1.0} | set(seen["depth"][seen["depth"] < 1])
    assert {a.dtype for a in seen.values()} == {np.dtype(np.float32)}


def test_each_window_is_classified_by_itself(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 20, 1: 20, 4: 22}, frames=8, window=4)
    labels, report = run(world.write(), weights)
    assert [each.start for each in labels.values()] == [0, 0, 4]
    assert len(report.summary["thresholds"]) == 2
    for array in (world.tracks, world.features):
        array[:40] = array[:40][::-1].copy()
    world.disparity[:4] += 5 * world.disparity[:4].mean(axis=0)
    other, _ = run(world.write(), weights)
    assert np.array_equal(other[4].probability, labels[4].probability)
    assert not np.array_equal(other[0].probability, labels[0].probability)


def test_bytes_do_not_depend_on_threads(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 300, 4: 300})
    made = backend(weights)
    task = world.write()
    held = []
    for threads in (1, 3):
        made.run(replace(task, threads=threads))
        held.append([path.read_bytes() for path in sorted(task.out.glob("*.npz"))])
    assert held[0] == held[1]


def test_a_sample_is_drawn_of_all_points(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 60, 3: 60, 6: 60})
    world.tracks[..., 2] = SEEN
    world.points = replace(world.points, drawn=False)
    made = backend(weights, limit=45)
    task = world.write()
    drawn = []
    for seed in (1, 1, 2):
        report = made.run(replace(task, seed=seed))
        labels = labels_of(task)
        assert report.summary["labelled_tracks"] == 45
        counts = [int(np.isfinite(each.probability).sum()) for each in labels.values()]
        assert max(counts) <= 20
        drawn.append(probabilities(labels))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(np.isnan(drawn[0]), np.isnan(drawn[2]))


def test_drawn_points_are_all_taken_up_to_the_limit(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 30, 4: 21})
    world.tracks[..., 2] = SEEN
    task = world.write()
    assert run(task, weights, limit=51)[1].summary["labelled_tracks"] == 51
    assert run(task, weights, limit=50)[1].summary["labelled_tracks"] == 50


@pytest.mark.slow
def test_5001_tracks(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 5001}, frames=1)
    world.tracks[..., 2] = SEEN
    labels, report = run(world.write(), weights)
    assert report.summary["labelled_tracks"] == 5000
    assert np.isnan(labels[0].probability).sum() == 1


def test_features_may_come_as_maps(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 12, 4: 9})
    task = world.write()
    rng = np.random.default_rng(5)
    for query in (0, 4):
        values = rng.normal(size=(6, 10, 768)).astype(np.float16)
        FeatureMap(query, values, 4.0).save(task.inputs["dinos"] / f"{query:05d}.npz")
        rows = world.points.rows_of_frame(query)
        x, y = (world.points.xy[rows] / 4).astype(int).T
        world.features[rows] = values[y, x]
    (task.inputs["dinos"] / "points.npz").unlink()
    from_maps = probabilities(run(task, weights)[0])
    np.testing.assert_array_equal(probabilities(run(world.write(), weights)[0]), from_maps)
    (task.inputs["dinos"] / "points.npz").unlink()
    (task.inputs["dinos"] / "00004.npz").unlink()
    with pytest.raises(CacheError, match=r"00004.npz is missing; run --dinos again"):
        run(task, weights)


def test_depth_of_ones_needs_no_maps(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 15, 4: 10})
    # By the released rule all but the farthest is 1, and points of the upper half read pixel 0.
    world.points = replace(world.points, xy=np.repeat([[8, 4], [30, 20]], [15, 10], 0))
    world.tracks[..., :2] = world.points.xy[:, None]
    task = world.write()
    inputs = {stage: path for stage, path in task.inputs.items() if stage != "depths"}
    made = backend(weights, depth="ones")
    assert "depths" not in made.needs
    quick = made.run(replace(task, inputs=inputs))
    assert quick.summary["labelled_tracks"] == 25
    ones = probabilities(labels_of(task))
    np.testing.assert_array_equal(probabilities(run(task, weights)[0]), ones)
    world.disparity[:, 0, 0] = 0
    world.write()
    assert np.abs(probabilities(run(task, weights)[0]) - ones).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({}, ("frames", "queries", "tracks", "dinos", "depths")),
        ({"depth": "ones"}, ("frames", "queries", "tracks", "dinos")),
        ({"options": {"dino": False}}, ("frames", "queries", "tracks", "depths")),
    ],
)
def test_what_is_needed_follows_the_settings(settings: dict[str, Any], needs: tuple[str]) -> None:
    assert TrackClassifierLabels(ClassifierParams(**settings)).needs == needs
    assert TrackClassifierLabels.needs == ()


def test_weights_without_depth_and_features(tmp_path: Path) -> None:
    bare = official(tmp_path / "bare.pth", Options(depths=False, extra_info=True, dino=False))
    world = World(tmp_path, {0: 15})
    inputs = {k: v for k, v in world.write().inputs.items() if k not in ("depths", "dinos")}
    task = replace(world.task, inputs=inputs)
    labels, _ = run(task, bare, depth="none", options={"dino": False})
    assert np.isfinite(labels[0].probability).all()


def test_stored_options_are_used(tmp_path: Path) -> None:
    options = Options(depth_lookup="pixel", depth_read="full", time_att=False)
    assert backend(stored(tmp_path / "new.safetensors", options)).network.options == options
    plain = official(tmp_path / "old.pth")
    told = {"depth_lookup": "pixel", "depth_read": "full", "time_att": False}
    assert backend(plain, options=told).network.options == options
    assert backend(plain).network.options == Options()


def test_bfloat16_changes_little(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 40})
    task = world.write()
    exact = probabilities(run(task, weights)[0])
    backend(weights, Device("cpu", "bfloat16")).run(task)
    low = probabilities(labels_of(task))
    assert 0 < np.nanmax(np.abs(low - exact)) < 2e-3


@pytest.mark.parametrize(("frames", "threshold"), [(300, 0.95), (301, 0.98)])
def test_long_windows_take_the_long_ladder(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, frames: int, threshold: float
) -> None:
    world = World(tmp_path, {0: 12}, frames=frames)
    world.tracks[..., 2] = SEEN
    made = backend(weights)
    logits = torch.linspace(1, 20, 12)
    logits[:10] = 4.2  # probability 0.985
    monkeypatch.setattr(made.network, "forward", lambda *_, **__: logits)
    task = world.write()
    assert made.run(task).summary["thresholds"] == [threshold]
    labels = labels_of(task)[0]
    assert labels.dynamic.all()
    assert labels.log_odds.max() == 8
    assert labels.probability[-1] > 0.9999


def test_the_ladder_is_a_setting(tmp_path: Path, weights: Path) -> None:
    task = World(tmp_path, {0: 40, 4: 40}).write()
    labels, _ = run(task, weights)
    middle = float(np.nanmedian(probabilities(labels)))
    settings = {"ladder": (0.999, round(middle, 3)), "least_tracks": 5, "fallback_tracks": 1}
    labels, report = run(task, weights, **settings)
    assert report.summary["thresholds"] == [round(middle, 3)]
    with np.errstate(invalid="ignore"):
        for each in labels.values():
            np.testing.assert_array_equal(each.dynamic, each.probability > each.threshold)
    _, report = run(task, weights, **{**settings, "ladder": (0.999,)})
    assert report.summary["moving_tracks"] == 1
    assert report.summary["thresholds"] == [0.0]


def test_settings_load_without_pytorch() -> None:
    script = (
        "import sys; sys.modules['torch'] = None;"
        "from moseg.motion.classifier import ClassifierParams, TrackClassifierLabels;"
        "print(TrackClassifierLabels(ClassifierParams()).needs[-1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "depths"
