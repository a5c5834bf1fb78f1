"""The manifest: what is in it, what it refuses, and that it is found however moseg came here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from moseg.checkpoints.manifest import known_checkpoints, manifest_path, read_manifest
from moseg.core.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_the_manifest_names_what_the_stages_need():
    known = {entry.name: entry for entry in known_checkpoints().checkpoints}
    for size in ("small", "base", "large"):
        assert known[f"depth-anything-v2-{size}"].family == "depth_anything"
    for size in "sblg":
        assert known[f"dinov2-vit{size}14"].file == f"dinov2_vit{size}14_pretrain.pth"
    assert known["tapir"].file == "tapir_checkpoint_panning.pt"
    assert known["bootstapir"].file == "bootstapir_checkpoint_v2.pt"
    assert known["bootstapir-online"].file == "causal_bootstapir_checkpoint.pt"
    assert known["moseg"].family == "track_classifier"
    for size in ("tiny", "small", "base-plus", "large"):
        for version in ("sam2", "sam2.1"):
            entry = known[f"{version}-hiera-{size}"]
            assert entry.family == "sam2"
            assert entry.file == f"{version}_hiera_{size.replace('-', '_')}.pt"
            assert entry.hub == f"facebook/{entry.name}"
    assert known["edgetam"].family == "edgetam"


def test_only_online_weights_are_causal():
    tapirs = [entry for entry in known_checkpoints().checkpoints if entry.family == "tapir"]
    causal = {entry.name: entry.settings["causal"] for entry in tapirs}
    assert causal == {"bootstapir": "false", "bootstapir-online": "true", "tapir": "false"}


def test_licences_that_forbid_commercial_use_are_marked():
    closed = {
        entry.name for entry in known_checkpoints().checkpoints if entry.licence.non_commercial
    }
    assert closed == {"depth-anything-v2-base", "depth-anything-v2-large", "moseg"}


def test_addresses_lead_to_the_file_that_is_expected():
    for entry in known_checkpoints().checkpoints:
        if entry.url is not None:
            assert entry.url.startswith("https://")
            assert entry.url.endswith(f"/{entry.file}")


def test_what_has_no_address_is_fetched_by_hand():
    moseg = known_checkpoints().find("moseg")
    assert moseg is not None
    assert moseg.url is None
    assert moseg.page in moseg.advice
    command = "moseg checkpoints download moseg --accept-licence --from FILE"
    assert moseg.advice.endswith(command)


GOOD = yaml.safe_load((ROOT / "checkpoints/manifest.yaml").read_text())["checkpoints"][0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"colour": "red"}, "colour"),
        ({"sha256": "abc"}, "sha256"),
        ({"family": "resnet"}, "family"),
        ({"url": "ftp://example.org/x.pth"}, "url"),
        ({"file": "../x.pth"}, "file"),
        ({"file": "x.exe"}, "file"),
        ({"name": "Big Name"}, "name"),
        ({"megabytes": 0}, "megabytes"),
        ({"licence": {"name": "MIT", "url": "https://example.org"}}, "licence.non_commercial"),
        ({"for": None}, "for"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line(tmp_path, change, complaint):
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"checkpoints": [{**GOOD, **change}]}))
    with pytest.raises(ConfigError, match=re.escape(complaint)) as caught:
        read_manifest(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("same", ["name", "file"])
def test_nothing_is_there_twice(tmp_path, same):
    other = {**GOOD, "name": "other", "file": "other.pth", same: GOOD[same]}
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump({"checkpoints": [GOOD, other]}))
    with pytest.raises(ConfigError, match=f"more than once: {GOOD[same]}"):
        read_manifest(path)


def test_a_checkout_uses_its_own_manifest():
    assert manifest_path() == ROOT / "checkpoints/manifest.yaml"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the tree."""
    source, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "checkpoints/manifest.yaml"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "moseg", source / "moseg", ignore=shutil.ignore_patterns("__pycache__"))
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, source)
    return next(out.glob("*.whl"))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["environment", "target"])
def test_an_installed_moseg_brings_its_manifest(tmp_path, wheel, way):
    place = tmp_path / "place"
    if way == "environment":
        venv.create(place, with_pip=False, symlinks=True)
        python = place / "bin/python"
        _pip("--python", python, "install", "--no-deps", wheel)
        packages = next(place.glob("lib/python*/site-packages"))
    else:
        python, packages = Path(sys.executable), place
        _pip("install", "--no-deps", "--target", place, wheel)
    code = (
        "import moseg.checkpoints.manifest as m, moseg.checkpoints.store as s;"
        "print(m.manifest_path()); print(s.open_store().folder); print(m.__file__)"
    )
    libraries = Path(yaml.__file__).parents[1]
    variables = {"PYTHONPATH": f"{packages}:{libraries}", "HOME": str(tmp_path)}
    command = [str(python), "-c", code]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, check=True)
    manifest, folder, module = done.stdout.decode().splitlines()
    assert Path(module).is_relative_to(place)
    assert Path(manifest).is_relative_to(place)
    assert Path(manifest).read_bytes() == (ROOT / "checkpoints/manifest.yaml").read_bytes()
    assert Path(folder) == tmp_path / ".cache/moseg/checkpoints"


def _pip(*words: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *map(str, words)], check=True)
