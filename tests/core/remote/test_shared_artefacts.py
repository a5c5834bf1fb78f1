"""Artefacts in a store that several runs use, over a scratch disk that several processes use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from moseg.core.cache import working_copy
from moseg.core.execute import Workbench
from moseg.core.local import LocalRunner
from moseg.core.manifest import read_manifest
from moseg.core.progress import Silent
from moseg.core.remote import artefacts as remote
from moseg.core.remote.mirror import Mirror
from moseg.core.remote.scratch import make_room
from moseg.core.resolve import resolve
from moseg.core.scene import find_scenes
from tests.core.remote.stored import artefacts, at, make_plan, plain_run, run

pytest_plugins = ("tests.s3",)


def test_a_local_copy_serves_only_while_it_is_what_the_store_has(mirror, other, video, tmp_path):
    run(mirror, video)
    video.put("in/a.mp4", "5")
    run(other, video)  # another machine makes both anew
    results, computed = run(mirror, video, double=2)  # this one has the old `count`
    assert results[0].failure is None
    assert list(computed) == ["double"]
    assert artefacts(video) == plain_run(tmp_path / "plain", "5", double=2)


def begin_again(bucket):
    """The manifest of `count` while it is being replaced by the same."""
    manifest = json.loads(bucket.get("out/a/count.manifest.json"))
    bucket.put("out/a/count.manifest.json", json.dumps(manifest | {"state": "publishing"}))


@pytest.mark.parametrize(
    "change",
    [
        lambda bucket, other: run(other, bucket, count=7),
        lambda bucket, other: bucket.delete("out/a/count.manifest.json"),
        lambda bucket, other: begin_again(bucket),
    ],
)
def test_what_another_run_does_meanwhile_is_not_mixed_in(mirror, other, video, change):
    run(mirror, video)
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    plan = make_plan(at(mirror, f"{video.url}/out"), double=2)
    double = resolve(plan, scenes[0])[1]
    change(video, other)
    record = Workbench(plan.backends, plan.devices[0]).run(double)
    assert (record.status, record.error, record.transient) == ("failed", "CacheError", True)
    assert "changed or removed by another run" in record.reason


def test_a_scratch_disk_with_no_room_holds_what_is_in_use(mirror, video, tmp_path):
    for name in "bcd":
        video.put(f"in/{name}.mp4", "3")
    small = Mirror(mirror.root, limit=0)
    results, _ = run(small, video)
    assert [r.failure for r in results] == [None] * 4
    expected = plain_run(tmp_path / "plain")["a/double.txt"]
    assert [video.get(f"out/{name}/double.txt") for name in "abcd"] == [expected] * 4
    make_room(small)
    assert [path for path in small.copies.rglob("*") if path.is_file()] == []


def test_room_is_made_for_what_is_fetched_and_for_what_is_made(mirror, other, video):
    run(mirror, video)
    small = Mirror(other.root, limit=0)
    first, second = _slots(small, video)
    keys = [read_manifest(slot.manifest).key for slot in _slots(mirror, video)]
    for slot, unused, key in ((first, second, keys[0]), (second, first, keys[1])):
        with remote.at_hand({slot: key}):
            assert slot.target.exists()
            assert not unused.target.exists()
    with working_copy(first, folder=True):
        assert not second.target.exists()


def test_what_a_killed_process_left_beside_a_new_artefact_is_removed(mirror, bucket):
    small = Mirror(mirror.root, limit=0)
    slot = at(small, f"{bucket.url}/out").slot("a", "count")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with working_copy(slot, folder=True) as work:
        left = work.with_name(work.name.replace(f".{os.getpid()}.", f".{dead.pid}."))
    left.mkdir()
    make_room(small, 1)
    assert not left.exists()


RESULTS = (("count",), ("double", ".txt"))


def _slots(mirror, bucket):
    return [at(mirror, f"{bucket.url}/out").slot("a", *names) for names in RESULTS]


def test_two_processes_of_one_machine_share_the_scratch_disk(mirror, video, tmp_path):
    for name in "bcd":
        video.put(f"in/{name}.mp4", "3")
    scenes, _ = find_scenes([mirror.path(f"{video.url}/in")], mirror)
    plan = make_plan(at(mirror, f"{video.url}/out"))
    results = LocalRunner(2).run(plan, scenes, Silent())
    assert [r.failure for r in results] == [None] * 4
    expected = plain_run(tmp_path / "plain")["a/double.txt"]
    assert [video.get(f"out/{name}/double.txt") for name in "abcd"] == [expected] * 4
