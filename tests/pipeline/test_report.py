"""`run.json` and the exit code of runs that never were; those of real runs: test_session.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moseg.core.errors import InputError
from moseg.core.scene import Problem
from moseg.pipeline.report import RunReport, summarise
from tests.core.telling.happenings import record, result

BROKEN = Problem("b", Path("/videos/b.mp4"), InputError("b: no video; give one"))

DONE = result("a", record("a", "frames", summary={"frames": 48}), record("a", "flow", frames=48))
REUSED = result("r", record("r", "frames", "reused", summary={"frames": 900}))
FAULT = result("f", record("f", status="failed", reason="f: a fault"))
BAD = result("u", record("u", status="failed", reason="u: empty", user_error=True))
BUSY = result("c", record("c", status="failed", reason="c: busy", error="Busy", user_error=True))
SKIPPED = result("s", record("s", status="skipped"))
NOTHING = result("n")


def report(*results, problems=(), seconds=12.0, **more):
    return RunReport(results, problems, seconds, {"seed": 0}, **more)


def content(report):
    return json.loads(report.to_json())


@pytest.mark.parametrize(
    ("results", "problems", "code"),
    [
        ([DONE, REUSED], [], 0),
        ([DONE], [BROKEN], 2),
        ([DONE, BAD], [], 2),
        ([DONE, BAD, FAULT], [BROKEN], 1),
        ([DONE, BUSY], [], 2),
        ([DONE, SKIPPED], [], 2),
        ([DONE, NOTHING], [], 2),
    ],
)
def test_the_exit_code_is_0_only_if_every_scene_is_done(results, problems, code):
    made = report(*results, problems=tuple(problems))
    assert made.exit_code == code
    assert content(made)["status"] == ("failed" if code else "done")
    assert len(made.failures) == content(made)["scenes_failed"]
    assert bool(made.failures) is bool(code)


def test_a_stage_says_who_computed_it_and_how_fast():
    stage = record(
        worker="n1:7", node="n1", attempts=2, waited=0.25, seconds=4.0, frames=48,
        peak_memory_mb=700.04, checkpoint="abc", reason="not made yet",
    )  # fmt: skip
    (entry,) = content(report(result("a", stage)))["scenes"][0]["stages"]
    assert entry == {
        "stage": "flow", "backend": "toy", "status": "done", "reason": "not made yet",
        "worker": "n1:7", "node": "n1", "attempts": 2, "seconds_waiting": 0.25, "seconds": 4.0,
        "frames": 48, "frames_per_second": 12.0, "peak_memory_mb": 700.0, "checkpoint": "abc",
    }  # fmt: skip


def test_a_scene_says_its_source_tries_and_time():
    stages = [record("a", "x", seconds=1.5, attempts=2), record("a", "y", seconds=1.0)]
    (scene,) = content(report(result("a", *stages)))["scenes"]
    assert (scene["name"], scene["source"]) == ("a", "/videos/a.mp4")
    assert (scene["status"], scene["error"]) == ("done", None)
    assert (scene["attempts"], scene["seconds"]) == (2, 2.5)


def test_a_failed_scene_says_the_stage_the_class_and_the_message():
    failed = record("a", "depths", "failed", reason="a: no memory", error="ShortOfMemory")
    (scene,) = content(report(result("a", failed)))["scenes"]
    assert (scene["status"], scene["error"]) == ("failed", "a: no memory")
    (stage,) = scene["stages"]
    assert (stage["stage"], stage["error"]) == ("depths", "ShortOfMemory")


def test_frames_a_second_count_scenes_done_in_this_run():
    other = result("d", record("d", frames=72))
    broke = result("e", record("e", frames=99), record("e", "x", "failed", reason="e: bad"))
    assert content(report(DONE, other, REUSED, broke))["frames_per_second"] == 10.0
    assert content(report(REUSED))["frames_per_second"] == 0.0
    assert content(report(DONE, seconds=0.0))["frames_per_second"] == 0.0


def test_the_runner_is_named_and_the_workers_that_computed_are_counted():
    stages = [record("a", stage, worker=f"n:{i % 2}") for i, stage in enumerate("xyz")]
    told = content(report(result("a", *stages), runner="ray", run="1a2b"))
    assert (told["runner"], told["workers"], told["run"]) == ("ray", 2, "1a2b")
    told = content(report(REUSED))
    assert told["runner"] == "local"
    assert not {"workers", "run"} & set(told)


def test_problems_are_scenes_that_failed():
    scene = content(report(DONE, problems=(BROKEN,)))["scenes"][1]
    assert (scene["name"], scene["status"]) == ("b", "failed")
    assert scene["error"] == "b: no video; give one"


@pytest.mark.parametrize(
    ("results", "problems", "line"),
    [
        ([DONE], [], "1 scene done in 12.0 s"),
        ([REUSED], [], "nothing to do: 1 scene finished by an earlier run"),
        ([DONE, BAD, SKIPPED], [BROKEN], "1 of 4 scenes done in 12.0 s"),
    ],
)
def test_the_closing_line(results, problems, line):
    lines = summarise(report(*results, problems=tuple(problems)), ["masks: here"])
    assert lines == [line, "masks: here"]
