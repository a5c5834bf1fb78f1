"""Options of the classifier: what excludes what, what weights tell, what is stored."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.errors import BackendError
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options, fitting_options

FLAGS = [field.name for field in fields(Options) if isinstance(field.default, bool)]


def shapes_of(options: Options) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        state = TrackClassifier(options).state_dict()
    return {key: tuple(value.shape) for key, value in state.items()}


@st.composite
def all_options(draw: st.DrawFn) -> Options:
    flags = {name: draw(st.booleans()) for name in FLAGS}
    rules = {
        "depth_lookup": draw(st.sampled_from(["reference", "pixel"])),
        "depth_read": draw(st.sampled_from(["clip8", "full"])),
    }
    try:
        return Options(**flags, **rules)
    except BackendError:
        return Options(**rules)


@settings(max_examples=30, deadline=None)
@given(all_options())
def test_what_is_told_is_found_and_stored(options: Options) -> None:
    shapes = shapes_of(options)
    assert fitting_options(shapes, "x.pth", asdict(options)) == options
    stored = Options.from_json(options.to_json(), "x")
    assert fitting_options(shapes, "x.safetensors", {}, stored=stored) == options


@settings(max_examples=30, deadline=None)
@given(all_options())
def test_what_is_found_has_the_layers_of_the_weights(options: Options) -> None:
    shapes = shapes_of(options)
    if options.tracks and options.depths != options.extra_info:
        with pytest.raises(BackendError, match="do not tell depths from extra_info"):
            fitting_options(shapes, "x.pth", {})
    else:
        assert shapes_of(fitting_options(shapes, "x.pth", {})) == shapes


def test_weights_tell_where_features_enter() -> None:
    early = Options(dino_later=False)
    assert fitting_options(shapes_of(early), "x.pth", {}) == early
    joined = Options(dino_woatt=False)
    assert fitting_options(shapes_of(joined), "x.pth", {}) == joined


def test_what_cannot_be_told_is_as_assumed() -> None:
    shapes = shapes_of(Options())
    assert fitting_options(shapes, "x.pth", {}) == Options()
    pixel = fitting_options(shapes, "x.pth", {"depth_lookup": "pixel", "time_att": False})
    assert pixel == Options(depth_lookup="pixel", time_att=False)
    shapes = shapes_of(Options(depths=False))
    assumed = Options(depths=False)
    assert fitting_options(shapes, "x.pth", {}, assumed=assumed) == assumed


def test_an_ambiguous_width_has_to_be_told() -> None:
    shapes = shapes_of(Options(depths=False))
    with pytest.raises(BackendError, match=r"x.pth.*do not tell depths from extra_info"):
        fitting_options(shapes, "x.pth", {})
    assert not fitting_options(shapes, "x.pth", {"extra_info": True}).depths


@pytest.mark.parametrize(
    ("made", "told", "line"),
    [
        ({"dino": False}, {"dino": True}, "option dino: true does not fit .* set it to false"),
        ({}, {"dino": False}, "option dino: false"),
        ({}, {"depths": False}, "option depths: false"),
        ({}, {"tracks": True, "pos_embed": False}, "option pos_embed: false"),
        ({"dino_later": False}, {"dino": True, "dino_later": True}, "option dino_later: true"),
        ({"dino_woatt": False}, {"dino_woatt": True}, "option dino_woatt: true"),
        ({"oanet": True, "dino": False}, {"oanet": False}, "option oanet: false"),
        ({}, {"oanet": True}, "option oanet: true"),
    ],
)
def test_a_contradiction_names_the_option(
    made: dict[str, bool], told: dict[str, bool], line: str
) -> None:
    with pytest.raises(BackendError, match=f"^x.pth: {line}"):
        fitting_options(shapes_of(Options(**made)), "x.pth", told)


def test_stored_options_bind() -> None:
    stored = Options(depth_lookup="pixel", time_att=False)
    shapes = shapes_of(stored)
    assert fitting_options(shapes, "x", {"dino": True}, stored=stored) == stored
    for told in ({"depth_lookup": "reference"}, {"time_att": True}):
        with pytest.raises(BackendError, match=f"option {next(iter(told))}"):
            fitting_options(shapes, "x", told, stored=stored)
    with pytest.raises(BackendError, match="stored options do not fit"):
        fitting_options(shapes_of(Options()), "x", {}, stored=Options(depths=False))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}x", '{"window": 3}', '{"oanet": true}', '{"dino": 1}', '{"depth_read": "all"}'],
)
def test_damaged_stored_options(text: str) -> None:
    with pytest.raises(BackendError, match=r"^x: its stored options cannot be used"):
        Options.from_json(text, "x")


def test_stored_options_are_plain_json() -> None:
    assert json.loads(Options().to_json()) == asdict(Options())


@pytest.mark.parametrize(
    "flags",
    [{"oanet": True}, {"tracks": False, "depths": False}],
)
def test_flags_that_exclude_each_other(flags: dict[str, bool]) -> None:
    with pytest.raises(BackendError, match="options of the track classifier: "):
        Options(**flags)
    with pytest.raises(BackendError, match="options of the track classifier: "):
        replace(Options(), **flags)


@pytest.mark.parametrize(
    ("shapes", "line"),
    [
        ({}, "no track classifier of the kind traj_oa_depth: .*traj_seg is not supported"),
        ({"cls_token": (1, 1, 384)}, "no track classifier"),
        ({"joint_encoder.input_fc1.weight": (16, 88, 1, 1)}, "embedding.embedding.weight is miss"),
        ({"joint_encoder.input_fc1.weight": ()}, "input_fc1.weight is missing"),
    ],
)
def test_weights_of_another_model(shapes: dict[str, Any], line: str) -> None:
    with pytest.raises(BackendError, match=line):
        fitting_options(shapes, "x.pth", {})


def test_layers_of_no_known_size() -> None:
    shapes = {**shapes_of(Options()), "joint_encoder.input_fc1.weight": (16, 90, 1, 1)}
    with pytest.raises(BackendError, match=r"no options .*input_fc1.weight \(16, 90, 1, 1\)"):
        fitting_options(shapes, "x.pth", {})
