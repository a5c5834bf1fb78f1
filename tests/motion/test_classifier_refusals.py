"""What the labels by the network refuse: settings, weights and artefacts that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from moseg.core.errors import BackendError, CacheError
from moseg.core.stage import Task
from moseg.models.track_classifier.options import Options
from moseg.motion.classifier import ClassifierParams, TrackClassifierLabels
from tests.motion.classifier_world import (
    World,
    backend,
    official,
    run,
    stored,
)

pytestmark = pytest.mark.usefixtures("store")


@pytest.mark.parametrize(
    ("options", "settings", "line"),
    [
        (Options(), {"depth": "none"}, "uses depth, but labels.depth is none; set it to maps"),
        (Options(depths=False, extra_info=False), {}, "uses no depth; set labels.depth to none"),
        (Options(depth_read="full"), {"depth": "ones"}, "reference and full.*set .* to maps"),
        (Options(depth_lookup="pixel"), {"depth": "ones"}, "pixel and clip8.*set .* to maps"),
        (Options(), {"options": {"dino": False}}, "option dino: false does not fit"),
        (Options(depth_read="full"), {"options": {"depth_read": "clip8"}}, "option depth_read"),
    ],
)
def test_settings_that_contradict_the_weights(
    tmp_path: Path, options: Options, settings: dict[str, Any], line: str
) -> None:
    with pytest.raises(BackendError, match=line):
        backend(stored(tmp_path / "moseg.safetensors", options), **settings)


@pytest.mark.parametrize("depths", [True, False])
def test_depth_settings_that_contradict_each_other(depths: bool) -> None:
    depth = "none" if depths else "ones"
    with pytest.raises(ValidationError, match="set depth to"):
        ClassifierParams(depth=depth, options={"depths": depths})


def test_options_that_exclude_each_other() -> None:
    late = {"dino": True, "dino_later": True, "dino_woatt": True}
    with pytest.raises(ValidationError, match="oanet takes dino only with"):
        ClassifierParams(options={"oanet": True, **late})
    ClassifierParams(options={"oanet": True})


def test_checkpoint_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"cls_token": torch.zeros(1, 1, 8)}, path)
    with pytest.raises(BackendError, match=r"other.pth is no track classifier"):
        backend(path)
    with pytest.raises(BackendError, match=r"unexpected: decoder.extra"):
        backend(official(path, changes={"decoder.extra": torch.zeros(1)}))


def test_xformers_is_missed_before_anything_is_done(weights: Path) -> None:
    made = TrackClassifierLabels(ClassifierParams(checkpoint=str(weights), attention="xformers"))
    with pytest.raises(BackendError, match=r"labels.attention is xformers.*pip install"):
        made.check()


def test_damaged_numbers_in_the_weights(tmp_path: Path) -> None:
    bad = official(
        tmp_path / "bad.pth", changes={"decoder.output_layer.bias": torch.tensor([np.nan])}
    )
    with pytest.raises(BackendError, match=r"bad.pth answers with values that are not numbers"):
        run(World(tmp_path, {0: 15}).write(), bad)


def damage_tracks(world: World, task: Task) -> None:
    world.tracks[3, 2, 0] = np.nan
    world.write()


def damage_features(world: World, task: Task) -> None:
    world.features[3, 2] = np.inf
    world.write()


def other_frames(world: World, task: Task) -> None:
    world.disparity = world.disparity[:-1]
    world.write()


def other_size(world: World, task: Task) -> None:
    world.disparity = world.disparity[:, ::2]
    world.write()


def other_points(world: World, task: Task) -> None:
    world.features = world.features[:-1]
    world.write()


def longer_tracks(world: World, task: Task) -> None:
    world.points = replace(world.points, starts=np.array([2]))
    world.write()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (damage_tracks, "tracks hold values that are not numbers; run --tracks again"),
        (damage_features, "dinos holds values that are not numbers; run --dinos again"),
        (other_frames, "holds 8 maps of 40x24 pixels, the scene has 9 frames of 40x24; run --d"),
        (other_size, "holds 9 maps of 40x12 pixels, the scene has 9 frames of 40x24; run --d"),
        (other_points, "points.npz does not belong to these tracks; run --dinos again"),
        (longer_tracks, "tracks of more than 9 frames; run --tracks again"),
    ],
)
def test_artefacts_that_do_not_belong(
    tmp_path: Path, weights: Path, change: Any, line: str
) -> None:
    world = World(tmp_path, {0: 15})
    task = world.write()
    change(world, task)
    with pytest.raises(CacheError, match=line):
        run(task, weights)


def test_features_of_another_network(tmp_path: Path, weights: Path) -> None:
    world = World(tmp_path, {0: 15})
    world.features = world.features[:, :384].copy()
    with pytest.raises(BackendError, match=r"384 channels, the track classifier takes 768: set"):
        run(world.write(), weights)
