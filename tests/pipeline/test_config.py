"""Settings: presets, files, flags, and the documents made from them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml

from moseg.core.errors import ConfigError
from moseg.pipeline.config import PipelineConfig, load_config
from moseg.pipeline.presets import PRESETS
from moseg.pipeline.stages import all_backends, reference_backends, select

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_preset_file_is_the_preset_in_full(preset):
    path = ROOT / f"configs/{preset}.yaml"
    assert yaml.safe_load(path.read_text()) == load_config(preset).model_dump(mode="json")
    assert load_config(None, path) == load_config(preset)


def test_the_example_is_the_default():
    assert load_config(None, ROOT / "configs/example.yaml") == PipelineConfig()


@pytest.mark.parametrize("preset", ["seganymo", "fast"])
def test_every_key_of_a_file_for_networks_has_its_meaning_above_it(preset):
    lines = (ROOT / f"configs/{preset}.yaml").read_text().splitlines()
    keys = [i for i, line in enumerate(lines) if ":" in line and "#" not in line]
    plain = [i for i in keys if not lines[i].endswith(":")]
    assert len(plain) > 40
    assert all(lines[i - 1].strip().startswith("#") for i in plain)


def test_the_reference_page_is_up_to_date():
    script = ROOT / "scripts/write_configuration_page.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, "run make docs"


def test_every_setting_is_described():
    def fields(model):
        for name, info in model.model_fields.items():
            inners = get_args(info.annotation) or (info.annotation,)
            if all(hasattr(inner, "model_fields") for inner in inners):
                for inner in inners:
                    yield from fields(inner)
            else:
                yield name, info

    assert all(info.description for _, info in fields(PipelineConfig))


def test_file_below_single_settings(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("tracks: {spacing: 8, span: 12}\nseed: 3\n")
    config = load_config(None, path, ["tracks.spacing=9"])
    assert (config.tracks.spacing, config.tracks.span, config.seed) == (9, 12, 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["tracks.step=7"], "they must be equal"),
        (["device=gpu"], "device: device 'gpu' is unknown"),
        (["preset=other"], "unknown preset 'other': choose builtin or fast or seganymo"),
        (["preset=seganymo", "tracks.backend=grid"], "tracks.backend is grid: labels.backend"),
        (["preset=seganymo", "depths.backend=geometry"], "needs depth_anything_v2"),
        (["tracks.backend=tapir"], "labels.backend statistics needs grid"),
        (["tracks.backend=raft"], "tracks.backend: input should be 'grid' or 'tapir'"),
        (["preset=seganymo", "tracks.resolution=100"], "tracks.resolution"),
        (["masks.decay=1.5"], "masks.decay"),
        (["labels.treshold=0.5"], "did you mean 'labels.threshold'"),
    ],
)
def test_wrong_settings_are_named(settings, words):
    with pytest.raises(ConfigError, match=words):
        load_config(settings=settings)


@pytest.mark.parametrize("flags", [{"depths"}, {"tracks"}, {"masks"}, {"depths", "labels"}])
def test_stages_come_after_those_they_need(flags):
    config = PipelineConfig()
    for backends in (
        all_backends(config),
        reference_backends(config, flags, True, False, Path("o")),
    ):
        seen: set[str] = set()
        for backend in backends:
            assert set(backend.needs) <= seen
            seen.add(backend.stage)


def test_only_what_is_wanted_and_what_it_stands_on():
    stages = [b.stage for b in select(all_backends(PipelineConfig()), {"tracks"})]
    assert stages == ["frames", "flow", "tracks"]
