"""The families of networks: how each is recognised, built, and converted.

Modules of networks are imported when a family is used, not before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from moseg.checkpoints.forms import CONFIG
from moseg.checkpoints.manifest import Family
from moseg.core.errors import BackendError, ConfigError

if TYPE_CHECKING:
    from torch import nn

    from moseg.checkpoints.weights import Weights
    from moseg.models.track_classifier.options import Options

CAUSAL = "causal"
"""Metadata of TAPIR: `true` where frames depend on earlier frames alone, else `false`."""
OPTIONS = "options"
"""Metadata of the track classifier: its options as a JSON object (`Options.to_json`)."""


@dataclass(frozen=True)
class Kind:
    """What can be done with the checkpoints of one family.

    Attributes:
        family: its name.
        mark: how some key of every official file begins, and of no earlier family's.
        build: returns the network with given weights, or raises a BackendError that names the
            keys that do not fit, or the packages that are missing.
        converted: the form that moseg converts official files to.
        model_type: what `config.json` of a folder says; "" where moseg reads no folders.
        metadata: returns what a converted file has to tell beside its tensors.
    """

    family: Family
    mark: str
    build: Callable[[Weights], nn.Module]
    converted: Literal["folder", "safetensors"]
    model_type: str = ""
    metadata: Callable[[Weights], Mapping[str, str]] = lambda weights: {}


def kind_of(weights: Weights) -> Kind:
    """Return the family that weights are of, told by their keys or their `config.json`.

    Raises:
        BackendError: they are of none.
    """
    for kind in KINDS.values():
        if weights.form == "folder":
            if kind.model_type and _model_type(weights) == kind.model_type:
                return kind
        elif any(key.startswith(kind.mark) for key in weights.tensors):
            return kind
    raise BackendError(f"{weights.path} is a checkpoint of no network that moseg knows")


def _model_type(weights: Weights) -> str:
    try:
        return str(json.loads((weights.path / CONFIG).read_bytes())["model_type"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BackendError(f"{weights.path / CONFIG} is damaged; get the folder again") from error


def _depth_anything(weights: Weights) -> nn.Module:
    from moseg.models.foundation import depth_anything

    return depth_anything.build(weights)


def _dinov2(weights: Weights) -> nn.Module:
    from moseg.models.foundation import dinov2

    return dinov2.build(weights)


def _edgetam(weights: Weights) -> nn.Module:
    from moseg.models.foundation import edgetam

    return edgetam.build(weights)


def _sam2(weights: Weights) -> nn.Module:
    from moseg.models.foundation import sam2

    return sam2.build(weights)


def _tapir(weights: Weights) -> nn.Module:
    from moseg.models.tapir.variant import load_tapir

    return load_tapir(weights.tensors, str(weights.path))


def _tapir_metadata(weights: Weights) -> dict[str, str]:
    causal = weights.metadata.get(CAUSAL)
    if causal not in ("true", "false"):
        raise ConfigError(
            f"{weights.path}: nothing in the file tells whether it is causal; "
            "say --causal (for the online checkpoints) or --no-causal"
        )
    return {CAUSAL: causal}


def _track_classifier(weights: Weights) -> nn.Module:
    from moseg.models.track_classifier.model import build_classifier

    return build_classifier(weights.tensors, str(weights.path), _classifier_options(weights))


def _classifier_metadata(weights: Weights) -> dict[str, str]:
    return {OPTIONS: _classifier_options(weights).to_json()}


def _classifier_options(weights: Weights) -> Options:
    from moseg.models.track_classifier.options import Options, fitting_options

    what, text = str(weights.path), weights.metadata.get(OPTIONS)
    stored = None if text is None else Options.from_json(text, what)
    shapes = {key: tuple(value.shape) for key, value in weights.tensors.items()}
    return fitting_options(shapes, what, {}, stored)


KINDS: Mapping[Family, Kind] = {
    kind.family: kind
    for kind in (
        Kind("depth_anything", "depth_head.", _depth_anything, "folder", "depth_anything"),
        Kind("dinov2", "cls_token", _dinov2, "folder", "dinov2"),
        Kind("tapir", "torch_pips_mixer.", _tapir, "safetensors", metadata=_tapir_metadata),
        Kind(
            "track_classifier",
            "joint_encoder.",
            _track_classifier,
            "safetensors",
            metadata=_classifier_metadata,
        ),
        Kind("edgetam", "spatial_perceiver.", _edgetam, "folder", "edgetam_video"),
        Kind("sam2", "sam_mask_decoder.", _sam2, "folder", "sam2_video"),
    )
}
