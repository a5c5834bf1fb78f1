"""The reference system's configuration files."""

from __future__ import annotations

import pytest

from moseg.core.errors import ConfigError
from moseg.motion.classifier import ClassifierParams
from moseg.pipeline.config import load_config

THEIRS = """
model_name: traj_oa_depth
resume_path: weights/mine.pth
tracks: true
depths: true
extra_info: true
dino: true
dino_later: true
dino_woatt: true
time_att: true
pos_embed: true
oanet: false
target_feature_dim: null
batch_size: 1
lr: 0.0001
"""


def load(tmp_path, text):
    path = tmp_path / "theirs.yaml"
    path.write_text(text)
    return load_config(None, path)


def test_it_stands_for_the_seganymo_preset_with_these_weights(tmp_path):
    config = load(tmp_path, THEIRS)
    assert config.preset == "seganymo"
    assert isinstance(config.labels, ClassifierParams)
    assert config.labels.checkpoint == "weights/mine.pth"
    assert config.labels.options.time_att is True
    assert config.labels.options.oanet is False
    assert config.labels.depth == "maps"
    assert config.tracks.backend == "tapir"


def test_weights_without_depth_need_no_depth_stage(tmp_path):
    config = load(tmp_path, THEIRS.replace("depths: true", "depths: false"))
    assert config.labels.depth == "none"
    assert config.labels.options.depths is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (THEIRS.replace("traj_oa_depth", "traj_seg"), "traj_seg is not supported"),
        (THEIRS.replace("dim: null", "dim: 64"), "target_feature_dim is not supported"),
        (THEIRS + "speed: 3\n", "unknown key 'speed'"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, text)
