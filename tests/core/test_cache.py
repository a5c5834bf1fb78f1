"""Atomic publishing, and reuse only of what fits."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from moseg.core.cache import decide, publish, working_copy
from moseg.core.errors import OutputError
from moseg.core.layout import Layout, Slot, output_layout
from moseg.core.manifest import Identity
from moseg.core.stage import Report


def identity(**changes):
    base = {
        "stage": "s",
        "backend": "b",
        "backend_version": 1,
        "params": {"p": 1},
        "seed": 0,
        "source": {"input": "x"},
        "needs": {"frames": "k"},
    }
    return Identity(**(base | changes))


def make(slot, text="hello", who=None):
    with working_copy(slot, folder=True) as work:
        (work / "a.txt").write_text(text)
        return publish(slot, work, who or identity(), Report({"n": 1}, ("note",)))


@pytest.fixture
def slot(tmp_path):
    return Layout(tmp_path).slot("scene", "s")


def test_published_artefact_is_reused(slot):
    assert decide(slot, identity()).reason == "not made yet"
    manifest = make(slot)
    assert decide(slot, identity()).manifest == manifest
    assert sorted(p.name for p in slot.target.parent.iterdir()) == ["s", "s.manifest.json"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"params": {"p": 2}}, "parameter changed: p 1 -> 2"),
        ({"backend": "c"}, "backend changed from b v1 to c v1"),
        ({"backend_version": 2}, "backend changed from b v1 to b v2"),
        ({"source": {"input": "y"}}, "the input changed"),
        ({"seed": 3}, "seed changed from 0 to 3"),
        ({"needs": {"frames": "other"}}, "it depends on frames, which changed"),
        ({"moseg": "9.9"}, "made by moseg"),
    ],
)
def test_other_identity_is_redone_with_its_reason(slot, change, reason):
    make(slot)
    assert reason in decide(slot, identity(**change)).reason


def test_republishing_leaves_nothing_of_the_old(slot):
    with working_copy(slot, folder=True) as work:
        (work / "old.txt").write_text("old")
        publish(slot, work, identity(), Report())
    make(slot, "new")
    assert [p.name for p in slot.target.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda s: s.manifest.write_text("{half"), "manifest is damaged"),
        (lambda s: s.manifest.write_text('{"format": 99}'), "of another format"),
        (lambda s: s.manifest.write_text("[]"), "of another format"),
        (lambda s: (s.target / "a.txt").write_text("longer text"), "a.txt was altered"),
        (lambda s: (s.target / "a.txt").unlink(), "a.txt is missing"),
        (lambda s: _edit(s, "state", "publishing"), "stopped while writing"),
        (lambda s: _edit(s, "key", "0" * 64), "manifest is damaged"),
    ],
)
def test_damage_is_noticed_and_mended(slot, damage, reason):
    before = make(slot)
    damage(slot)
    assert reason in decide(slot, identity()).reason
    assert make(slot) == before
    assert decide(slot, identity()).manifest == before


def _edit(slot, key, value):
    data = json.loads(slot.manifest.read_text())
    slot.manifest.write_text(json.dumps(data | {key: value}))


def test_failure_leaves_the_old_artefact_and_no_rubbish(slot):
    before = make(slot)
    with pytest.raises(RuntimeError), working_copy(slot, folder=True) as work:
        (work / "half.txt").write_text("half")
        raise RuntimeError
    assert decide(slot, identity()).manifest == before
    assert len(list(slot.target.parent.iterdir())) == 2


def test_working_copies_of_dead_processes_are_swept_others_kept(slot):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder = slot.target.parent
    with working_copy(slot, folder=True) as desk:
        own = desk.name
    mine = own.removesuffix(f".{os.getpid()}.partial")
    gone = [f"{mine}.{dead.pid}.partial", f"{mine}.{dead.pid}.partial.old"]
    kept = [f"{mine}.{os.getppid()}.partial", f".s.otherhost.{dead.pid}.partial"]
    kept.append(mine.replace(".s.", ".s.other.") + f".{dead.pid}.partial")
    for name in (*gone, *kept):
        (folder / name).mkdir(parents=True)
    make(slot)
    assert {p.name for p in folder.iterdir() if p.name.startswith(".")} == set(kept)


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    slot = output_layout(tmp_path).slot("scene", "masks")
    slot.target.mkdir(parents=True)
    (slot.target / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="move it away"):
        make(slot)
    assert (slot.target / "mine.txt").read_text() == "precious"


def test_a_file_in_the_way_is_one_clear_line(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="choose another output folder"):
        make(output_layout(tmp_path).slot("scene", "flow"))


def test_public_places_take_any_scene_name(tmp_path):
    layout = output_layout(tmp_path)
    name = "{scene} {0} 'é"
    assert layout.slot(name, "overlay", ".mp4") == Slot(
        tmp_path / "videos" / f"{name}.mp4", tmp_path / "cache" / name / "overlay.manifest.json"
    )
    assert layout.slot(name, "frames", ".json").target == tmp_path / "cache" / name / "frames.json"
