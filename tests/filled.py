"""Official-form checkpoint files with random weights: real loading code, meaningless answers."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch

from moseg.models.tapir.model import Tapir
from moseg.models.track_classifier.model import TrackClassifier
from moseg.models.track_classifier.options import Options
from tests.models.foundation.official import Shapes, depth_anything_shapes, dinov2_shapes
from tests.sam2.video.small import save_small_sam2

SMALL_SAM2 = "small-sam2"
"""Folder beside the checkpoint files; the published sizes are too large for tests."""


def fill(shapes: Shapes, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return tensors that keep a signal's size from layer to layer."""
    random = torch.Generator().manual_seed(seed)
    tensors = {}
    for key, shape in shapes.items():
        values = torch.randn(shape, generator=random)
        if len(shape) >= 2:
            values /= math.sqrt(math.prod(shape[1:]))
        else:
            values = values * 0.1 + (1.0 if key.endswith("weight") else 0.0)
        tensors[key] = values
    return tensors


def shapes_of(network: torch.nn.Module) -> Shapes:
    """Return key -> shape; our own networks have the official names."""
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def classifier_tensors(options: Options | None = None, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return weights under which tracks get different logits."""
    with torch.device("meta"):
        shapes = shapes_of(TrackClassifier(options or Options()))
    tensors = fill(shapes, seed)
    for key in tensors:
        if key.startswith(("joint_encoder.input_fc1", "joint_encoder.fc2")) or (
            key == "decoder.output_layer.weight"
        ):
            tensors[key] *= 3
        if key.endswith("out_proj.weight"):
            tensors[key] *= 0.25
    return tensors


def mostly_visible(tapir: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Lower the first guess of both logits, so that most points are seen in most frames."""
    tapir["torch_cost_volume_track_mods.occ_out.bias"] -= 4
    tapir["torch_pips_mixer.linear_1.weight"] *= 0.3
    return tapir


def write_checkpoints(folder: Path, depth: str = "s", extra_convs: bool = False) -> None:
    """Write what the stages of the track classifier need, under the official names.

    Args:
        depth: size of Depth Anything V2, s, b or l.
        extra_convs: BootsTAPIR instead of the smaller TAPIR.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        tapir = shapes_of(Tapir(pyramid_levels=1 if extra_convs else 0, extra_convs=extra_convs))
    name = "bootstapir_checkpoint_v2.pt" if extra_convs else "tapir_checkpoint_panning.pt"
    torch.save(mostly_visible(fill(tapir)), folder / name)
    torch.save(fill(depth_anything_shapes(depth)), folder / f"depth_anything_v2_vit{depth}.pth")
    torch.save(fill(dinov2_shapes("b")), folder / "dinov2_vitb14_pretrain.pth")
    released = {"epoch": 5, "model_state_dict": classifier_tensors()}
    torch.save(released, folder / "moseg.pth")
    save_small_sam2(folder / SMALL_SAM2)


def shared_checkpoints(base: Path) -> Path:
    """Return a folder of checkpoints that all test processes share; the first one writes it."""
    folder, done = base / "checkpoints", base / "checkpoints.done"
    try:
        (base / "checkpoints.begun").mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not done.exists():
            assert time.monotonic() < deadline, "another test process failed to write checkpoints"
            time.sleep(0.2)
    else:
        write_checkpoints(folder)
        done.touch()
    return folder
