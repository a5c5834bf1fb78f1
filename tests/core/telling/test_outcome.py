from __future__ import annotations

import json

import pytest

from moseg.core.telling.outcome import is_done, json_text, scene_fields, source_frames, stage_fields
from tests.core.telling.happenings import record, result


@pytest.mark.parametrize(
    ("statuses", "done"),
    [
        (["done", "reused", "unneeded"], True),
        (["done", "failed", "skipped"], False),
        (["done", "skipped"], False),
        ([], False),
    ],
)
def test_a_scene_is_done_when_each_of_its_stages_is(statuses, done):
    made = result("a", *(record(status=status, reason="no") for status in statuses))
    assert is_done(made) is done
    assert scene_fields(made)["status"] == ("done" if done else "failed")
    assert (scene_fields(made)["error"] is None) is done


def test_tries_and_time_of_a_scene_are_those_of_its_stages():
    made = result(
        "a",
        record(status="reused"),
        record(attempts=3, seconds=2.5),
        record(status="failed", attempts=2, seconds=0.25, reason="a: bad"),
        record(status="skipped"),
    )
    fields = {"status": "failed", "error": "a: bad", "attempts": 3, "seconds": 2.75}
    assert scene_fields(made) == fields


def test_the_frames_of_a_scene_are_those_of_its_source():
    source = record(stage="frames", status="reused", summary={"frames": 48})
    other = record(stage="depths", frames=400, summary={"frames": 20})
    assert source_frames(result("a", source, other)) == 48
    assert source_frames(result("a", other)) == 400
    assert source_frames(result("a")) == 0


def test_all_that_is_known_of_a_stage():
    fields = stage_fields(
        record(
            reason="not made yet", worker="n:7", node="n", attempts=2, waited=1.23456,
            seconds=2.0, frames=48, peak_memory_mb=512.34, checkpoint="abc",
        )
    )  # fmt: skip
    assert fields == {
        "stage": "flow",
        "backend": "toy",
        "status": "done",
        "reason": "not made yet",
        "worker": "n:7",
        "node": "n",
        "attempts": 2,
        "seconds_waiting": 1.235,
        "seconds": 2.0,
        "frames": 48,
        "frames_per_second": 24.0,
        "peak_memory_mb": 512.3,
        "checkpoint": "abc",
    }


def test_what_says_nothing_is_left_out():
    fields = {"stage": "flow", "backend": "toy", "status": "reused", "seconds": 0.0}
    assert stage_fields(record(status="reused")) == fields


def test_a_failure_says_its_class_and_its_trace():
    failed = record(status="failed", reason="a: bad", error="ValueError", details="Traceback")
    fields = stage_fields(failed)
    assert (fields["error"], fields["reason"]) == ("ValueError", "a: bad")
    assert (fields["details"], fields["attempts"]) == ("Traceback", 1)


def test_bytes_that_are_no_text_become_escapes():
    text = json_text({"source": "caf\udce9 é"})
    assert text == '{"source": "caf\\udce9 é"}'
    assert json.loads(text)["source"] == "caf\udce9 é"
