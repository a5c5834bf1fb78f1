"""What must hold of the network whatever its weights are."""

from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from moseg.core.errors import InputError
from moseg.models.tapir.model import ITERATIONS, PointTracks, Tapir
from moseg.models.tapir.stream import CausalStream
from tests.models.tapir.networks import moving_clip, small_network, spread_points

FRAMES = 7
POINTS = 9


def same(ours: PointTracks, other: PointTracks, atol: float = 1e-3) -> bool:
    pairs = zip(astuple(ours), astuple(other), strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=atol) for a, b in pairs)


def tracked(network: Tapir, points: Tensor, batch: int = 128) -> PointTracks:
    features = network.encode(moving_clip(FRAMES))
    return network.track(features, network.query(features, points), points, batch)


@pytest.mark.parametrize("batch", [1, 4])
def test_batches_change_rounding_only(batch: int) -> None:
    network, points = small_network(), spread_points(POINTS, FRAMES)
    assert same(tracked(network, points, batch), tracked(network, points))


def test_order_of_points_changes_rounding_only() -> None:
    network, points = small_network(), spread_points(POINTS, FRAMES)
    order = torch.randperm(POINTS, generator=torch.Generator().manual_seed(0))
    whole = PointTracks(*(values[order] for values in astuple(tracked(network, points))))
    assert same(tracked(network, points[order]), whole)


@pytest.mark.parametrize("chunk", [1, 3])
def test_chunks_of_frames_change_rounding_only(chunk: int) -> None:
    network, clip = small_network(), moving_clip(FRAMES, side=128)
    whole = network.encode(clip, chunk=FRAMES)
    parts = network.encode(clip, chunk=chunk)
    assert len(whole.grids) == 2
    for a, b in zip(whole.levels, parts.levels, strict=True):
        for one, other in zip(a.pyramid, b.pyramid, strict=True):
            assert torch.allclose(one, other, rtol=0, atol=1e-5)


def test_uint8_and_float_frames_are_the_same() -> None:
    network, clip = small_network(), moving_clip(2)
    a, b = network.encode(clip), network.encode(clip.float() / 255 * 2 - 1)
    assert torch.equal(a.initial.lowres, b.initial.lowres)


@settings(max_examples=3, deadline=None)
@given(st.sets(st.integers(1, FRAMES - 1)))
def test_a_causal_stream_in_any_split_is_the_causal_clip(cuts: set[int]) -> None:
    network, points = small_network(causal=True), spread_points(3, FRAMES)
    features = network.encode(moving_clip(FRAMES))
    queries = network.query(features, points)
    *_, whole = network.predictions(features, queries)
    stream = CausalStream(network, queries)
    bounds = [0, *sorted(cuts), FRAMES]
    parts = [stream.track(features.frames(slice(a, b))) for a, b in pairwise(bounds)]
    joined = (torch.cat(values, 1) for values in zip(*map(astuple, parts), strict=True))
    assert same(PointTracks(*joined), whole)


def test_a_causal_network_does_not_look_ahead() -> None:
    points = torch.tensor([[0.0, 30, 30], [1.0, 12, 50]])
    clip = moving_clip(FRAMES)
    for causal in (True, False):
        network = small_network(causal)
        features = network.encode(clip)
        queries = network.query(features, points)
        whole = network.track(features, queries)
        begin = network.track(features.frames(slice(4)), queries)
        seen = PointTracks(*(values[:, :4] for values in astuple(whole)))
        assert same(begin, seen) == causal


def test_only_causal_networks_stream() -> None:
    network = small_network()
    features = network.encode(moving_clip(1))
    with pytest.raises(ValueError, match="causal"):
        CausalStream(network, network.query(features, spread_points(1, 1)))


def test_a_still_distinctive_point_stays_where_it_is() -> None:
    network = small_network()
    frame = torch.full((64, 64, 3), 90, dtype=torch.uint8)
    frame[28:36, 36:44] = torch.tensor([250, 30, 30], dtype=torch.uint8)
    clip = frame.expand(4, -1, -1, -1).contiguous()
    point = torch.tensor([[2.0, 32.0, 40.0]])
    features = network.encode(clip)
    first = next(network.predictions(features, network.query(features, point), point))
    assert first.xy[0, 2].tolist() == [40, 32]
    assert torch.equal(first.xy[0, 0], first.xy[0, 1])
    free = next(network.predictions(features, network.query(features, point)))
    assert torch.equal(free.xy[0, 2], free.xy[0, 0])


@pytest.mark.parametrize(("time", "frame"), [(0.5, 0), (1.5, 2), (1.2, 1)])
def test_times_between_frames_pin_the_nearer_frame_or_the_even_one(time: float, frame: int) -> None:
    network = small_network()
    features = network.encode(moving_clip(4))
    point = torch.tensor([[time, 20.25, 30.75]])
    first = next(network.predictions(features, network.query(features, point), point))
    pinned = (first.xy[0] == torch.tensor([30.75, 20.25])).all(1)
    assert pinned.nonzero().flatten().tolist() == [frame]


def test_levels_are_averaged() -> None:
    network, points = small_network(), spread_points(3, 3, side=128)
    features = network.encode(moving_clip(3, side=128))
    assert features.schedule == ((64, 64), (64, 64), (128, 128))
    queries = network.query(features, points)
    steps = list(network.predictions(features, queries, points))
    assert len(steps) == 1 + 2 * ITERATIONS
    ends = (steps[ITERATIONS], steps[2 * ITERATIONS])
    mean = (sum(values) / 2 for values in zip(*map(astuple, ends), strict=True))
    assert same(network.track(features, queries, points), PointTracks(*mean), atol=1e-5)
    assert not same(ends[0], ends[1])


def test_queries_of_another_video() -> None:
    network = small_network()
    one, other = network.encode(moving_clip(2)), network.encode(moving_clip(5, step=1))
    tracks = network.track(other, network.query(one, spread_points(4, 2)))
    assert tracks.xy.shape == (4, 5, 2)
    assert tracks.xy.isfinite().all()


@pytest.mark.parametrize(("frames", "points"), [(1, 3), (3, 0), (1, 1)])
def test_small_inputs(frames: int, points: int) -> None:
    network, tyx = small_network(), spread_points(points, frames)
    features = network.encode(moving_clip(frames))
    tracks = network.track(features, network.query(features, tyx), tyx)
    assert tracks.xy.shape == (points, frames, 2)
    assert tracks.occlusion.shape == tracks.distance.shape == (points, frames)
    assert all(values.isfinite().all() for values in astuple(tracks))


def test_points_far_outside_are_tracked_without_harm() -> None:
    network = small_network()
    tyx = torch.tensor([[0.0, -1e9, 1e9], [1.0, 1e30, -1e30], [0, 64, 64]])
    features = network.encode(moving_clip(2))
    queries = network.query(features, tyx)
    assert network.track(features, queries, tyx).xy.isfinite().all()


@pytest.mark.parametrize("resolution", [(60, 64), (64, 0)])
def test_odd_resolutions_are_refused(resolution: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="multiples of 8"):
        small_network().encode(moving_clip(1), [resolution])


def test_bfloat16_moves_tracks_little() -> None:
    network, points = small_network(), spread_points(POINTS, FRAMES)
    exact = tracked(network, points)
    network.torch_pips_mixer.compute_in(torch.bfloat16)
    coarse = tracked(network, points)
    assert coarse.xy.dtype == torch.float32
    error = (coarse.xy - exact.xy).norm(dim=-1)
    assert 0 < error.mean() < 0.05
    assert error.max() < 0.5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_grids_in_16_bits(dtype: torch.dtype) -> None:
    network, clip, points = small_network(), moving_clip(3), spread_points(POINTS, 3)
    whole, half = network.encode(clip), network.encode(clip, dtype=dtype)
    assert {grid.dtype for level in half.levels for grid in level.pyramid} == {dtype}
    exact = network.track(whole, network.query(whole, points), points)
    coarse = network.track(half, network.query(half, points), points)
    assert (coarse.xy - exact.xy).norm(dim=-1).median() < 0.05
