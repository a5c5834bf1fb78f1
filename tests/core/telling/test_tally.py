from __future__ import annotations

import sys
import threading

import pytest

from moseg.core.progress import Event
from moseg.core.telling.tally import Tally
from tests.core.telling.happenings import Clock, end, over, progress, result, scenes, start


def tally_of(*events):
    tally = Tally(Clock())
    for event in events:
        tally.follow(event)
    return tally


def counts(tally):
    view = tally.view()
    return view.done, view.failed, view.running, view.waiting


def test_scenes_are_counted_by_what_became_of_them():
    tally = tally_of(
        *(scenes(9), start("a"), start("b"), start("c")),
        *(over("a"), over("b", "failed"), over("d", "reused"), over("e", "skipped")),
    )
    assert counts(tally) == (2, 2, 1, 4)
    assert tally.view().total == 9


def test_a_scene_without_a_record_is_not_done():
    assert counts(tally_of(scenes(2), Event("scene", "a", result=result("a")))) == (0, 1, 0, 1)


def test_a_scene_runs_also_between_its_stages():
    tally = tally_of(scenes(3), start("a", "flow"), end("a", "flow"))
    assert counts(tally) == (0, 0, 1, 2)
    assert tally.view().at_work == 0


def test_stages_at_work_are_those_that_began_first():
    begun = [start(name, stage) for name in "abc" for stage in ("depths", "tracks")]
    view = tally_of(scenes(3), *begun, end("a", "depths")).view(rows=3)
    shown = [(work.scene, work.stage) for work in view.works]
    assert shown == [("a", "tracks"), ("b", "depths"), ("b", "tracks")]
    assert view.at_work == 5


def test_a_stage_knows_since_when_and_how_far_it_is():
    clock = Clock()
    tally = Tally(clock)
    tally.follow(start("a", "flow", worker="node1:7", attempt=2))
    clock.now += 5.0
    tally.follow(progress(3, 8))
    (work,) = tally.view(rows=1).works
    assert (work.since, work.done, work.total) == (1000.0, 3, 8)
    assert (work.worker, work.attempt) == ("node1:7", 2)


def test_a_view_stays_as_it_was():
    tally = tally_of(scenes(1), start("a"))
    view = tally.view(rows=1)
    tally.follow(progress(3, 8))
    assert view.works[0].done == 0


def test_a_stage_that_waits_for_its_second_try_is_not_at_work():
    tally = tally_of(scenes(1), start("a"), Event("retry", "a", "flow", reason="died"))
    assert tally.view(rows=1).works == ()
    assert counts(tally) == (0, 0, 1, 0)


def test_the_stage_at_which_a_worker_died_goes_with_its_scene():
    tally = tally_of(scenes(2), start("a"), start("b"), over("a", "failed"))
    assert [work.scene for work in tally.view(rows=9).works] == ["b"]


def test_news_of_what_never_began_is_no_error():
    assert counts(tally_of(scenes(1), progress(1, 2), end(), over("a", "failed"))) == (0, 1, 0, 0)


def test_the_next_run_begins_anew():
    tally = tally_of(scenes(2), start("a"))
    tally._clock.now += 1.0
    for event in (over("a", frames=9), start("b"), scenes(5)):
        tally.follow(event)
    assert counts(tally) == (0, 0, 0, 5)
    assert tally.view(rows=9).works == ()
    assert tally.view().frames_per_second is None


def test_the_pace_is_that_of_scenes_done_now():
    clock = Clock()
    tally = Tally(clock)
    tally.follow(scenes(9))
    for name in "abcd":
        tally.follow(over(name, "reused"))
    clock.now += 100.0
    tally.follow(start("e"))
    clock.now += 10.0
    tally.follow(over("e", frames=50))
    view = tally.view()
    assert view.frames_per_second == pytest.approx(5.0)
    assert view.seconds_left == pytest.approx(40.0)
    tally.follow(over("f", "reused", frames=50))
    assert tally.view().frames_per_second == pytest.approx(5.0)


def test_frames_of_a_failed_scene_do_not_count_but_its_time_does():
    clock = Clock()
    tally = Tally(clock)
    for event in (scenes(4), start("a"), start("b")):
        tally.follow(event)
    clock.now += 10.0
    tally.follow(over("a", "failed", frames=50))
    clock.now += 10.0
    tally.follow(over("b", frames=50))
    assert tally.view().frames_per_second == pytest.approx(2.5)
    assert tally.view().seconds_left == pytest.approx(20.0)


@pytest.fixture
def hasty_threads():
    """Threads take turns every microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_it_is_looked_at_while_events_come():
    tally, stop, faults = tally_of(scenes(1000)), threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                tally.view(rows=12)
            except Exception as error:
                faults.append(error)
                return

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(400):
        for name in ("a", "b"):
            tally.follow(start(f"{name}{number}"))
        tally.follow(over(f"a{number}"))
    stop.set()
    looking.join()
    assert faults == []
