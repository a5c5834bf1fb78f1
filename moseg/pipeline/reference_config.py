"""The reference system's own configuration file, taken as settings of ours.

It is recognised by its key `model_name`. What concerns classifying tracks is taken over, keys of
training are passed over, anything else is refused (specs: SegAnyMo, CVPR 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moseg.core.errors import ConfigError

OPTIONS = (
    "tracks",
    "depths",
    "extra_info",
    "dino",
    "dino_later",
    "dino_woatt",
    "time_att",
    "pos_embed",
    "oanet",
)
"""Options of the network, under the same names in `labels.options`."""

TRAINING = frozenset(
    {
        "train_dataset",
        "train_root",
        "test_dataset",
        "test_root",
        "num_workers",
        "track_method",
        "depth_type",
        "prob1",
        "prob2",
        "prob3",
        "prob4",
        "batch_size",
        "max_epochs",
        "lr",
        "weight_decay",
        "print_freq",
        "log_dir",
        "vis",
        "two_label",
        "time_embed",
        "efficient",
        "out_dim",
        "more_label",
        "cfg_name",
        "target_feature_dim",
    }
)
"""Keys that say nothing about inference."""


def is_reference_config(data: Mapping[str, Any]) -> bool:
    """Return whether the keys of a file are the reference's."""
    return "model_name" in data


def translate(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reference's keys as settings of the `seganymo` preset.

    Raises:
        ConfigError: a network that is not supported, or an unknown key.
    """
    if data["model_name"] != "traj_oa_depth":
        raise ConfigError(
            f"model_name {data['model_name']} is not supported: it has no released weights; "
            "use traj_oa_depth"
        )
    if data.get("target_feature_dim") is not None:
        raise ConfigError(
            "target_feature_dim is not supported: its projection cannot be reproduced; "
            "set it to null"
        )
    unknown = data.keys() - TRAINING - set(OPTIONS) - {"model_name", "resume_path"}
    if unknown:
        raise ConfigError(
            f"unknown key '{min(unknown)}' beside model_name; see docs/configuration.md"
        )
    labels: dict[str, Any] = {}
    options = {key: data[key] for key in OPTIONS if key in data}
    if options:
        labels["options"] = options
    if data.get("depths") is False:
        labels["depth"] = "none"
    if data.get("resume_path"):
        labels["checkpoint"] = str(data["resume_path"])
    return {"preset": "seganymo", "labels": labels}
