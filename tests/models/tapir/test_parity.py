"""Our network gives what the reference gives, everywhere one can look into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from moseg.models.tapir.initialise import CostVolumeHeads
from moseg.models.tapir.model import Mix, PointTracks
from moseg.models.tapir.stream import CausalStream
from tests.models.tapir.reference import Case, cases_with

pytestmark = pytest.mark.parity

PIXELS = 2e-3
LOGITS = 1e-3
FEATURES = 1e-5


def close(ours: Tensor, reference: NDArray[np.floating], atol: float, rtol: float = 0) -> None:
    np.testing.assert_allclose(ours.numpy(), reference, rtol=rtol, atol=atol)


def same_tracks(ours: PointTracks, case: Case, prefix: str) -> None:
    close(ours.xy, case.outputs[f"{prefix}tracks"], PIXELS)
    close(ours.occlusion, case.outputs[f"{prefix}occlusion"], LOGITS)
    close(ours.distance, case.outputs[f"{prefix}expected_dist"], LOGITS)


@pytest.mark.parametrize("path", cases_with("out_tracks"))
def test_tracks(path: Path) -> None:
    case = Case(path)
    tracks = case.network.track(case.features, case.queries, case.points)
    same_tracks(tracks, case, "out_")


@pytest.mark.parametrize("path", cases_with("out_all_tracks"))
def test_every_prediction(path: Path) -> None:
    case = Case(path)
    steps = list(case.network.predictions(case.features, case.queries, case.points))
    close(torch.stack([step.xy for step in steps]), case.outputs["out_all_tracks"], PIXELS)
    for name, values in (
        ("out_all_occlusion", [step.occlusion for step in steps]),
        ("out_all_expected_dist", [step.distance for step in steps]),
    ):
        if name in case.outputs:
            close(torch.stack(values), case.outputs[name], LOGITS)


@pytest.mark.parametrize("path", cases_with("out_resolutions"))
def test_resolutions(path: Path) -> None:
    case = Case(path)
    assert list(case.features.schedule) == [tuple(r) for r in case.outputs["out_resolutions"]]


@pytest.mark.parametrize("path", cases_with("out_lowres0_samples"))
def test_grids(path: Path) -> None:
    case = Case(path)
    checked = 0
    for name in case.outputs:
        found = re.fullmatch(r"out_((lowres|hires)(\d+))_samples", name)
        if found is None:
            continue
        grid = getattr(case.features.levels[int(found[3])], found[2])
        places = tuple(case.outputs[f"in_idx_{found[1]}"].T)
        assert grid.shape == tuple(case.outputs[f"out_{found[1]}_shape"])
        close(grid[places], case.outputs[name], FEATURES)
        close(torch.stack((grid.mean(), grid.std())), case.outputs[f"out_{found[1]}_meanstd"], 1e-5)
        checked += 1
    assert checked >= 2


@pytest.mark.parametrize("path", cases_with("out_query_lowres0"))
def test_query_features(path: Path) -> None:
    case = Case(path)
    for level, (lowres, hires) in enumerate(case.queries.levels):
        for name, values in (("lowres", lowres), ("hires", hires)):
            expected = case.outputs.get(f"out_query_{name}{level}")
            if expected is None:
                # Stored once where all grids are equal.
                assert level > 0
                expected = case.outputs[f"out_query_{name}0"]
            close(values, expected, FEATURES)


@pytest.mark.parametrize("path", cases_with("out_initial_conv_samples"))
def test_backbone_stages(path: Path) -> None:
    case = Case(path)
    resnet = case.network.resnet_torch
    stages = {"initial_conv": resnet.initial_conv} | {
        f"resnet_unit_{i}": group for i, group in enumerate(resnet.block_groups)
    }
    seen: dict[str, list[Tensor]] = {name: [] for name in stages}
    for name, stage in stages.items():
        stage.register_forward_hook(lambda _, __, out, name=name: seen[name].append(out.clone()))
    case.network.encode(case.frames[: case.outputs["out_initial_conv_shape"][0]])
    for name, parts in seen.items():
        values = torch.cat(parts)
        places = tuple(case.outputs[f"in_idx_{name}"].T)
        assert values.shape == tuple(case.outputs[f"out_{name}_shape"])
        close(values[places], case.outputs[f"out_{name}_samples"], 1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", cases_with("out_heat"))
def test_heat_maps(path: Path) -> None:
    case = Case(path)
    expected = case.outputs["out_heat"]
    heads = case.network.torch_cost_volume_track_mods
    maps: list[Tensor] = []
    heads.register_forward_hook(lambda _, __, out: maps.append(out[0]))
    queries = case.queries.rows(slice(len(expected)))
    next(case.network.predictions(case.features, queries))
    assert isinstance(heads, CostVolumeHeads)
    heat = torch.cat(maps).view(len(case.features), len(expected), *expected.shape[2:])
    close(heat.transpose(0, 1), expected, 1e-6, rtol=1e-3)


@pytest.mark.parametrize("path", cases_with("out_mixer_in", "out_mixer_out"))
def test_first_pass_of_the_mixer(path: Path) -> None:
    case = Case(path)
    seen: list[Tensor] = []

    def mixers() -> Iterator[Mix]:
        def mix(tokens: Tensor) -> Tensor:
            mixed: Tensor = case.network.torch_pips_mixer(tokens, 1000)
            seen.extend((tokens.clone(), mixed))
            return mixed

        yield mix

    steps = case.network.predictions(case.features, case.queries, case.points, mixers())
    assert len(list(steps)) == 2
    points = len(case.outputs["out_mixer_in"])
    close(seen[0].transpose(0, 1)[:points], case.outputs["out_mixer_in"], 1e-4)
    close(seen[1].transpose(0, 1)[:points], case.outputs["out_mixer_out"], 1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", cases_with("out_offline_tracks"))
def test_causal_clip(path: Path) -> None:
    case = Case(path)
    tracks = case.network.track(case.features, case.queries, case.points)
    same_tracks(tracks, case, "out_offline_")


@pytest.mark.parametrize("path", cases_with("out_stream_tracks"))
def test_causal_stream(path: Path) -> None:
    case = Case(path)
    stream = CausalStream(case.network, case.queries)
    parts = [stream.track(case.features.frames(slice(t, t + 1))) for t in range(len(case.features))]
    whole = PointTracks(
        torch.cat([part.xy for part in parts], 1),
        torch.cat([part.occlusion for part in parts], 1),
        torch.cat([part.distance for part in parts], 1),
    )
    same_tracks(whole, case, "out_stream_")


@pytest.mark.parametrize("path", cases_with("out_uncorrected_tracks"))
def test_patches_are_as_wide_as_their_grid(path: Path) -> None:
    case = Case(path)
    tracks = case.network.track(case.features, case.queries, case.points)
    assert np.abs(tracks.xy.numpy() - case.outputs["out_uncorrected_tracks"]).max() > 0.1
