from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import OutputError
from moseg.core.progress import Event
from moseg.core.telling.event_log import EventLog
from tests.core.telling.happenings import end, over, progress, scenes, start

ROOT = Path(__file__).parents[3]


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def logged(path, *events):
    """What a log says of events, but for the run."""
    with EventLog(path, clock=lambda: 1700000000.0456) as log:
        for event in events:
            log.handle(event)
    told = lines(path)
    assert {line.pop("run") for line in told} == {log.run}
    assert {line.pop("time") for line in told} == {"2023-11-14T22:13:20.045Z"}
    return told


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_a_line_for_each_event_with_what_it_says(path):
    who = {"worker": "n1:7", "node": "n1"}
    assert logged(
        path,
        scenes(2),
        Event("worker", stage="flow", reason="died (SIGKILL)", **who),
        start(**who),
        Event("retry", "a", "flow", reason="out of memory", **who),
        start(attempt=2, **who),
        end(seconds=2.0, frames=48, attempts=2, waited=0.5, checkpoint="abc", notes=("dark",)),
        end("b", "flow", "failed", reason="b: bad", error="InputError"),
        over("a", frames=48, seconds=2.0, attempts=2),
        over("b", "failed", reason="b: bad"),
    ) == [
        {"event": "scenes", "total": 2},
        {"event": "worker", "stage": "flow", **who, "reason": "died (SIGKILL)"},
        {"event": "start", "scene": "a", "stage": "flow", **who, "attempt": 1,
         "reason": "not made yet"},
        {"event": "retry", "scene": "a", "stage": "flow", **who, "attempt": 1,
         "reason": "out of memory"},
        {"event": "start", "scene": "a", "stage": "flow", **who, "attempt": 2,
         "reason": "not made yet"},
        {"event": "end", "scene": "a", "stage": "flow", "backend": "toy", "status": "done",
         "attempts": 2, "seconds_waiting": 0.5, "seconds": 2.0, "frames": 48,
         "frames_per_second": 24.0, "checkpoint": "abc", "notes": ["dark"]},
        {"event": "end", "scene": "b", "stage": "flow", "backend": "toy", "status": "failed",
         "reason": "b: bad", "error": "InputError", "attempts": 1, "seconds": 0.0},
        {"event": "scene", "scene": "a", "status": "done", "attempts": 2, "seconds": 2.0,
         "frames": 48},
        {"event": "scene", "scene": "b", "status": "failed", "error": "b: bad", "attempts": 1,
         "seconds": 0.0},
    ]  # fmt: skip


def test_times_are_those_of_no_place(path, monkeypatch):
    monkeypatch.setenv("TZ", "XST-5")
    time.tzset()
    try:
        logged(path, scenes(1))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_frames_that_go_by_are_not_written(path):
    assert logged(path, scenes(1), progress(1, 2)) == [{"event": "scenes", "total": 1}]


def test_notes_and_what_else_a_run_has_to_say(path):
    with EventLog(path) as log:
        log.note("tracks: read from /x")
        log.write("problem", scene="a", error="a: no video", more="")
    note, problem = lines(path)
    assert (note["event"], note["text"]) == ("note", "tracks: read from /x")
    assert (problem["event"], problem["error"]) == ("problem", "a: no video")
    assert "more" not in problem


def test_a_line_is_there_before_the_log_is_closed(path):
    log = EventLog(path)
    log.handle(scenes(3))
    assert lines(path)[0]["total"] == 3
    log.close()
    log.close()


def test_runs_that_share_a_file_can_be_told_apart(path):
    with EventLog(path) as first, EventLog(path) as second:
        first.handle(scenes(1))
        second.handle(scenes(2))
        first.handle(scenes(3))
    assert [line["run"] for line in lines(path)] == [first.run, second.run, first.run]
    assert first.run != second.run


def test_a_line_that_was_cut_does_not_spoil_the_next(path):
    path.write_text('{"event": "scenes"}\n{"event": "sta')
    with EventLog(path) as log:
        log.handle(scenes(1))
    whole, cut, new = path.read_text().splitlines()
    assert (whole, cut) == ('{"event": "scenes"}', '{"event": "sta')
    assert json.loads(new)["total"] == 1


@pytest.mark.parametrize("before", ["", '{"event": "scenes"}\n'])
def test_after_whole_lines_there_is_no_empty_one(path, before):
    path.write_text(before)
    with EventLog(path) as log:
        log.handle(scenes(1))
    assert "" not in path.read_text().split("\n")[:-1]


NO_TEXT = st.sampled_from("\udc80\udcff")
"""Bytes of file names that are no text."""


@given(text=st.text(st.characters(exclude_categories=["Cs"]) | NO_TEXT, max_size=40))
def test_whatever_a_name_holds_it_stays_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    with EventLog(path) as log:
        log.note(f"x{text}")
    data = path.read_bytes()
    assert data.count(b"\n") == 1
    assert json.loads(data.decode("utf-8"))["text"] == f"x{text}"


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path):
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*events.jsonl: a folder stands where"):
        EventLog(tmp_path / "events.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_said_in_one_line():
    log = EventLog(Path("/dev/full"))
    with pytest.raises(OutputError, match="the disk is full"):
        log.handle(scenes(1))
    log.close()


def test_each_line_is_one_write(path, monkeypatch):
    writes = []
    with EventLog(path) as log:
        write = os.write
        monkeypatch.setattr("os.write", lambda file, data: writes.append(data) or write(file, data))
        log.handle(end(details="a trace\n" * 10000))
        log.note("two")
    assert b"".join(writes) == path.read_bytes()
    assert len(writes) == 2


WRITER = """
import sys
from pathlib import Path
from moseg.core.telling.event_log import EventLog
with EventLog(Path(sys.argv[1])) as log:
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(1500):
        log.note(f"{i} " + sys.argv[2] * (i % 700))
"""


@pytest.mark.slow
def test_two_processes_write_to_one_file_at_a_time(path):
    def writer(letter):
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, path, letter],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    processes = [writer(letter) for letter in "xy"]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    ends = [threading.Thread(target=process.communicate, args=("go\n",)) for process in processes]
    for thread in ends:
        thread.start()
    for thread in ends:
        thread.join()
    assert [process.returncode for process in processes] == [0, 0]
    told = lines(path)
    runs = [line["run"] for line in told]
    assert sorted(map(runs.count, set(runs))) == [1500, 1500]
    for run, letter in {(line["run"], line["text"][-1]) for line in told if len(line["text"]) > 9}:
        numbers = [i % 700 for i in range(1500)]
        texts = [line["text"] for line in told if line["run"] == run]
        assert texts == [f"{i} " + letter * number for i, number in enumerate(numbers)]
