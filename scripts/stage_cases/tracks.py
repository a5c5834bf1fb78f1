"""Tracking: features once and many points, or everything anew for every chunk of points."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from moseg.models.tapir.model import PointTracks, Tapir
from moseg.preproc.queries.draw import grid_points
from stage_cases.common import Clock, Measured, Setting, read_frames

REFERENCE_CHUNK = 128
"""Points of one call of the tracker in the reference; it runs the backbone in every call."""
RESOLUTION = 256


def _tapir(setting: Setting) -> tuple[Tapir, Tensor, Tensor]:
    torch.manual_seed(0)
    network = Tapir(pyramid_levels=1, extra_convs=True).eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.to(setting.device)
    if setting.precision == "bfloat16":
        network.torch_pips_mixer.compute_in(torch.bfloat16)
    rgb = read_frames(setting)
    small = [
        Image.fromarray(frame).resize((RESOLUTION,) * 2, Image.Resampling.LANCZOS) for frame in rgb
    ]
    frames = torch.from_numpy(np.stack([np.asarray(image) for image in small])).to(setting.device)
    grid = grid_points(*rgb.shape[1:3])
    chosen = np.random.default_rng(0).permutation(len(grid))[: setting.points]
    yx = (grid[chosen][:, ::-1] + 0.5) * RESOLUTION / np.array(rgb.shape[1:3], np.float32)
    tyx = torch.from_numpy(np.insert(yx, 0, 0, axis=1).astype(np.float32)).to(setting.device)
    return network, frames, tyx


def tracks_ours(setting: Setting) -> Measured:
    """Features once, then all points in large batches."""
    network, frames, tyx = _tapir(setting)
    clock, found = Clock(setting.device), Measured()
    kept: list[PointTracks] = []
    features = network.encode(frames)
    found.seconds["encode"] = clock.time(lambda: network.encode(frames))
    queries = network.query(features, tyx)
    found.seconds["track"] = clock.time(lambda: kept.append(network.track(features, queries, tyx)))
    found.output = _table(kept[0])
    return found


def tracks_reference(setting: Setting) -> Measured:
    """A whole call of the network for each chunk of points, in fp32."""
    network, frames, tyx = _tapir(setting)
    clock, found = Clock(setting.device), Measured()
    kept: list[PointTracks] = []

    def chunk(points: Tensor) -> PointTracks:
        features = network.encode(frames, chunk=10)
        tracks = network.track(features, network.query(features, points), points, batch=64)
        kept.append(tracks)
        return tracks

    chunks = torch.split(tyx, REFERENCE_CHUNK)
    chunk(chunks[0][:1])
    kept.clear()
    found.seconds["chunks"] = clock.time(lambda: list(map(chunk, chunks)))
    found.output = np.concatenate([_table(tracks) for tracks in kept])
    return found


def _table(tracks: PointTracks) -> NDArray[np.float32]:
    logits = torch.stack([tracks.occlusion, tracks.distance], dim=-1)
    return np.asarray(torch.cat([tracks.xy, logits], dim=-1).cpu().numpy())
