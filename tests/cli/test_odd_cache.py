"""A cache whose manifests are damaged or from elsewhere: made again, and said."""

from __future__ import annotations

import json
import shutil

import pytest

from moseg.core.manifest import Identity
from tests.cli.commands import FAST, good_frames, moseg, moseg_alone, results
from tests.media import write_images
from tests.pipeline.runs import TIMED

STAGES = (
    *("frames", "flow", "depths", "tracks", "dinos", "labels"),
    *("masks", "overlay", "preview"),
)


@pytest.fixture
def finished(tmp_path, finished_once):
    """A finished run of two scenes, `a` and `b`: its output folder and a way to start it again."""
    source, out = finished_once
    shutil.copytree(out, tmp_path / "out")
    return tmp_path / "out", lambda *more: moseg(
        "run", source, "--out", tmp_path / "out", *FAST, *more
    )


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    for name in ("a", "b"):
        write_images(folder / "in" / name, good_frames(6))
    assert moseg("run", folder / "in", "--out", folder / "out", *FAST).code == 0
    return folder / "in", folder / "out"


def tree(out):
    """All files but the report, which holds times."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name not in TIMED)
    return {path.relative_to(out): path.read_bytes() for path in files}


def edited(**changes):
    """A damage that sets fields of the manifest; of its identity, with the key that fits."""

    def edit(path):
        data = json.loads(path.read_text())
        identity = {k: v for k, v in changes.items() if k in data["identity"]}
        data |= {k: v for k, v in changes.items() if k not in identity}
        data["identity"] |= identity
        if identity:
            data["key"] = Identity(**data["identity"]).key
        path.write_text(json.dumps(data))

    return edit


DAMAGES = {
    "empty": (lambda path: path.write_bytes(b""), "its manifest is damaged"),
    "noise": (lambda path: path.write_bytes(b"\xff\x00\x80"), "its manifest is damaged"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "its manifest is damaged"),
    "a list": (lambda path: path.write_text("[1]"), "its manifest is of another format"),
    "a number": (edited(files=3), "its manifest is damaged"),
    "wrong key": (edited(key="0" * 64), "its manifest is damaged"),
    "more keys": (edited(colour="red"), "its manifest is damaged"),
    "half": (edited(state="publishing"), "an earlier run was stopped while writing it"),
    "next format": (edited(format=2), "its manifest is of another format"),
    "old moseg": (edited(moseg="0.0.1"), "made by moseg 0.0.1, this is"),
    "old backend": (edited(backend_version=0), "backend changed from"),
    "lost files": (edited(files={"gone.png": {"size": 1, "sha256": ""}}), "gone.png is missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_result_with_a_damaged_manifest_is_made_again(finished, damage):
    out, run_again = finished
    harm, reason = DAMAGES[damage]
    before = tree(out)
    harm(out / "cache/a/masks.manifest.json")
    outcome = run_again()
    assert (outcome.code, outcome.errors) == (0, [])
    (said,) = (line for line in outcome.err.splitlines() if line.startswith("a: masks ("))
    assert reason in said
    assert not any(line.startswith("b: ") for line in outcome.err.splitlines())
    assert tree(out) == before
    assert run_again().out.startswith("nothing to do")


@pytest.mark.parametrize("damage", ["noise", "next format", "old moseg"])
def test_all_manifests_of_a_scene_damaged(finished, damage):
    out, run_again = finished
    harm, reason = DAMAGES[damage]
    before = tree(out)
    for stage in STAGES:
        harm(out / f"cache/a/{stage}.manifest.json")
    outcome = run_again()
    assert (outcome.code, outcome.errors) == (0, [])
    for stage in STAGES:
        (said,) = (line for line in outcome.err.splitlines() if line.startswith(f"a: {stage} ("))
        assert reason in said
    assert not any(line.startswith("b: ") for line in outcome.err.splitlines())
    assert tree(out) == before


def test_a_working_file_with_a_damaged_manifest_is_made_again_when_needed(finished):
    out, run_again = finished
    (out / "cache/a/flow.manifest.json").write_text("{")
    idle = run_again()
    assert idle.out.startswith("nothing to do"), "no result needs the flow"
    outcome = run_again("--set", "masks.smallest_area=0.001")
    assert outcome.code == 0
    assert "a: flow (its manifest is damaged)" in outcome.err
    assert "a: masks (parameter changed: smallest_area " in outcome.err
    assert "a: tracks" not in outcome.err
    assert "b: flow" not in outcome.err


def test_a_real_process_says_it_too(finished_once, tmp_path):
    source, out = finished_once
    shutil.copytree(out, tmp_path / "out")
    (tmp_path / "out/cache/b/overlay.manifest.json").write_text("no manifest")
    outcome = moseg_alone("run", source, "--out", tmp_path / "out", *FAST)
    assert outcome.code == 0
    lines = [line for line in outcome.err.splitlines() if not line.startswith("note: ")]
    assert lines[0] == "b: overlay (its manifest is damaged)"
    assert results(tmp_path / "out", "b") == results(out, "b")
