"""Claims: one run at a time works on a scene, and what a dead run held is taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moseg.core import claims as module
from moseg.core.claims import Claim, ClaimedScenes, Claims, Holder
from moseg.core.errors import OutputError
from moseg.core.processes import machine_id
from moseg.core.progress import Listener
from moseg.core.scene import Scene


class Notes(Listener):
    def __init__(self):
        self.lines = []

    def handle(self, event):
        pass

    def note(self, line):
        self.lines.append(line)


def left_by(folder: Path, scene: str = "a", age: float = 0.0, **holder) -> Path:
    """A claim file as another run leaves it."""
    path = folder / f".{scene}.claim"
    known = {"token": "other", "host": "far", "machine": "far 1 2", "pid": 1} | holder
    path.write_text(json.dumps(known))
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_scene_is_one_runs_at_a_time(tmp_path):
    first, second = Claims(tmp_path), Claims(tmp_path)
    assert isinstance(first.take("a"), Claim)
    held = second.take("a")
    assert isinstance(held, Holder)
    assert held.pid == os.getpid()
    assert isinstance(second.take("b"), Claim)
    first.release("a")
    assert isinstance(second.take("a"), Claim)


def test_nothing_is_left_at_the_end(tmp_path):
    with Claims(tmp_path / "cache") as claims:
        claims.take("a")
        claims.take("b")
        claims.release("a")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_claim_of_a_dead_process_is_taken_over_at_once(tmp_path):
    left_by(tmp_path, machine=machine_id(), pid=dead_process())
    assert isinstance(Claims(tmp_path).take("a"), Claim)
    assert [path.name for path in tmp_path.iterdir()] == [".a.claim"]


@pytest.mark.parametrize(("age", "ours"), [(0, False), (50, False), (70, True)])
@pytest.mark.parametrize("machine", ["far 1 2", machine_id()])
def test_elsewhere_or_alive_only_its_age_tells(tmp_path, age, ours, machine):
    left_by(tmp_path, age=age, machine=machine, pid=os.getpid())
    assert isinstance(Claims(tmp_path).take("a"), Claim) == ours


def test_a_claim_that_is_not_yet_written_is_respected(tmp_path):
    (tmp_path / ".a.claim").touch()
    assert isinstance(Claims(tmp_path).take("a"), Holder)


def test_a_held_claim_is_kept_fresh(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    with Claims(tmp_path) as claims:
        claim = claims.take("a")
        os.utime(claim.path, (0, 0))
        end = time.monotonic() + 10
        while claim.path.stat().st_mtime == 0:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_who_lost_a_claim_finds_out_and_leaves_the_new_one_alone(tmp_path):
    claims = Claims(tmp_path)
    claim = claims.take("a")
    claim.check("a")
    left_by(tmp_path)
    with pytest.raises(OutputError, match="another run took this scene over"):
        claim.check("a")
    claims.close()
    assert (tmp_path / ".a.claim").exists()


@pytest.mark.parametrize("left", [True, False])
def test_of_many_that_try_at_once_one_has_it(tmp_path, left):
    for round_ in range(30):
        if left:
            left_by(tmp_path, f"s{round_}", age=100)
        tried, gate = [], threading.Barrier(4)

        def attempt(claims, scene=f"s{round_}", tried=tried, gate=gate):
            gate.wait()
            tried.append((claims, claims.take(scene)))

        threads = [threading.Thread(target=attempt, args=(Claims(tmp_path),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = []
        for _, got in tried:
            if isinstance(got, Claim):
                try:
                    got.check("s")
                    winners.append(got)
                except OutputError:
                    continue
        assert len(winners) == 1


def scenes(folder, *names):
    return [Scene(name, folder / f"{name}.mp4", "video") for name in names]


def test_scenes_of_another_run_come_last_and_are_spoken_of_once(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    other, notes = Claims(tmp_path), Notes()
    other.take("a")
    other.take("b")
    queue = ClaimedScenes(scenes(tmp_path, "a", "b", "c"), Claims(tmp_path), notes)
    scene, claim = queue.next()
    assert (scene.name, claim.path.name) == ("c", ".c.claim")
    assert queue.next() is None
    assert len(queue) == 2
    other.release("b")
    assert queue.next()[0].name == "b"
    assert queue.next() is None
    other.close()
    assert queue.next()[0].name == "a"
    assert not queue
    (line,) = notes.lines
    assert f"process {os.getpid()} on" in line


def test_a_disk_that_fails_while_others_are_waited_for_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    other = Claims(tmp_path)
    other.take("a")
    claims = Claims(tmp_path)
    queue = ClaimedScenes(scenes(tmp_path, "a"), claims, Notes())
    assert queue.next() is None

    def full(scene):
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(claims, "take", full)
        assert queue.next() is None
    other.close()
    assert queue.next()[0].name == "a"


def test_a_claim_that_was_taken_over_is_not_kept_fresh(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    with Claims(tmp_path) as claims:
        claims.take("a")
        path = left_by(tmp_path, age=1000)
        then = path.stat().st_mtime
        time.sleep(0.1)
        assert path.stat().st_mtime == then


def test_a_scene_comes_without_a_claim_where_none_can_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file in the way")
    queue = ClaimedScenes(scenes(tmp_path, "a"), Claims(tmp_path / "cache"), Notes())
    assert queue.next()[1] is None
