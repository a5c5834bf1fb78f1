"""Variants of the classifier, their official keys, and inputs, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from moseg.motion.track_depth import Lookup, lookup_index
from tests import parity

KIND = "track_classifier"
ENTRY, JOIN, LATE = (
    "joint_encoder.input_fc1.weight",
    "decoder.embedding.embedding.weight",
    "decoder.encoders.{}.ffn.0.weight",
)

VARIANTS: dict[str, dict[str, Any]] = {
    "no_time_att": {"time_att": False},
    "no_depth": {"depths": False},
    "no_extra": {"extra_info": False},
    "no_pos_embed": {"pos_embed": False},
    "no_dino": {"dino": False},
    "dino_early": {"dino_later": False},
    "dino_att": {"dino_woatt": False},
    "no_tracks": {"tracks": False},
    "oanet_no_dino": {"oanet": True, "dino": False},
    "oanet_dino_att": {"oanet": True, "dino_woatt": False},
}
"""Name of a variant in the reference outputs -> the options in which it differs."""

# Input channels by the table of the specification: of the first layer, before the decoder, and
# in the feed-forward layers of the decoder's first half.
CHANNELS = {
    "no_time_att": (88, 16, 896),
    "no_depth": (86, 16, 896),
    "no_extra": (86, 16, 896),
    "no_pos_embed": (8, 16, 896),
    "no_dino": (88, 16, 128),
    "dino_early": (856, 16, 128),
    "dino_att": (88, 784, 128),
    "no_tracks": (2, 16, 896),
}


GAINS = {
    "input_fc1.weight": 3.0,
    "fc2.weight": 3.0,
    "embedding.embedding.weight": 3.0,
    "output_layer.weight": 3.0,
    "out_proj.weight": 0.25,
}
"""Without them every track gets nearly the same answer."""


def variant(name: str) -> Options:
    """Return the options of a variant."""
    return replace(Options(), **VARIANTS[name])


def official_keys(name: str | None = None) -> dict[str, dict[str, Any]]:
    """Return official key -> {shape, dtype} of a variant, by list or by the table."""
    if name is not None and name not in CHANNELS:
        return parity.key_list(KIND, f"keys_{name}.json")
    keys = parity.key_list(KIND)
    if name is None:
        return keys
    entry, join, late = CHANNELS[name]
    keys[ENTRY] = {"shape": [16, entry, 1, 1], "dtype": "float32"}
    keys[JOIN] = {"shape": [128, join], "dtype": "float32"}
    for block in range(4):
        keys[LATE.format(block)] = {"shape": [512, late], "dtype": "float32"}
    return keys


def official_tensors(name: str | None = None) -> dict[str, torch.Tensor]:
    """Return the official tensors of a variant, filled by rule; counters are 0."""
    keys = official_keys(name)
    counters = {key for key, about in keys.items() if about["dtype"].startswith("int")}
    state = parity.filled(KIND, {k: v for k, v in keys.items() if k not in counters})
    return state | {key: torch.zeros((), dtype=torch.int64) for key in counters}


def read_inputs(path: Path, lookup: Lookup = "reference") -> dict[str, torch.Tensor]:
    """Return the arguments of the network from a file of reference inputs."""
    with np.load(path) as stored:
        depth = stored["in_depth"][0, 0]
        pixels = stored["in_traj_px"][0].transpose(1, 2, 0)
        size = depth.shape[:2]
        columns = [
            depth[:, :, t].ravel()[lookup_index(pixels[:, t], size, lookup)]
            for t in range(depth.shape[2])
        ]
        arrays = {
            "traj": stored["in_traj"][0],
            "mask": stored["in_mask"][0, 0],
            "depth": np.stack(columns, axis=1),
            "visibility": stored["in_visib_value"][0, 0],
            "confidence": stored["in_confi_value"][0, 0],
            "dino": stored["in_dino"][0, :, :, 0].T,
        }
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}


def random_classifier(options: Options | None = None, seed: int = 0) -> TrackClassifier:
    """Return a network with weights that make its answers differ."""
    network = TrackClassifier(options or Options()).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for key, value in network.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        gain = next((gain for end, gain in GAINS.items() if key.endswith(end)), 1.0)
        if value.ndim > 1:
            value.copy_(gain * noise / value[0].numel() ** 0.5)
        else:
            value.copy_(0.1 * noise + float("norm" in key and key.endswith("weight")))
    return network


def random_inputs(
    tracks: int, frames: int, seed: int = 0, hidden: float = 0.3
) -> Mapping[str, torch.Tensor]:
    """Return arguments of the network; a track in each frame is visible, the last one in none."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    mask = (uniform(tracks, frames) < hidden).float()
    mask[-1] = 1
    mask[0] = 0
    return {
        "traj": uniform(2, tracks, frames) * 2 - 1,
        "mask": mask,
        "depth": uniform(tracks, frames),
        "visibility": uniform(tracks, frames),
        "confidence": uniform(tracks, frames),
        "dino": torch.randn(tracks, 768, generator=generator),
    }
