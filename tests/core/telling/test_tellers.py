from __future__ import annotations

import pytest

from moseg.core.progress import Event
from moseg.core.telling.tally import Tally
from moseg.core.telling.tellers import (
    SceneTeller,
    SlowStageTeller,
    StageTeller,
    Teller,
    headline,
    rough_time,
)
from tests.core.telling.happenings import Clock, end, over, progress, scenes, start

ALL = [Teller, StageTeller, SlowStageTeller, SceneTeller]


class Told:
    """What a teller says of events, in order, at the times that the clock shows."""

    def __init__(self, kind: type[Teller], number: int) -> None:
        self.clock = Clock()
        self._tally = Tally(self.clock)
        self._tally.follow(scenes(number))
        self._teller = kind(self._tally, self.clock)

    def __call__(self, *events: Event) -> list[str]:
        lines = []
        for event in events:
            self._tally.follow(event)
            lines += [line.text for line in self._teller.lines(event)]
        return lines


@pytest.mark.parametrize("kind", ALL)
def test_a_failed_scene_is_one_error_however_many_of_its_stages_failed(kind):
    told = Told(kind, 3)
    failures = [end("a", stage, "failed", reason=f"a: {stage} broke") for stage in ("x", "y")]
    assert told(*failures, over("a", "failed", reason="a: x broke")) == ["error: a: x broke"]


@pytest.mark.parametrize("kind", ALL)
def test_a_scene_that_failed_without_a_stage_is_told_too(kind):
    assert Told(kind, 3)(over("a", "failed", reason="a: gone")) == ["error: a: gone"]


@pytest.mark.parametrize("kind", ALL)
def test_the_same_scene_can_fail_in_the_next_run(kind):
    told, failure = Told(kind, 1), end("a", status="failed", reason="a: bad")
    again = [failure, over("a", "failed", reason="a: bad")]
    assert told(*again, *again) == ["error: a: bad"] * 2


@pytest.mark.parametrize("kind", ALL)
def test_notes_are_told_also_of_what_was_there_already(kind):
    note = end("a", status="reused", notes=("nothing moves",))
    assert Told(kind, 3)(note) == ["note: a: nothing moves"]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("who", "where"),
    [
        ({"worker": "n1:7", "node": "n1"}, " on n1:7"),
        ({"worker": "depths-2", "node": "n1"}, " on depths-2 at n1"),
        ({"worker": "n10:7", "node": "n1"}, " on n10:7 at n1"),
        ({"node": "n1"}, " on n1"),
        ({}, ""),
    ],
)
def test_a_second_try_is_told_with_what_went_wrong_and_where(kind, who, where):
    retry = Event("retry", "a", "flow", reason="a: out of memory", **who)
    assert Told(kind, 3)(retry) == [f"a: flow failed{where} (out of memory); trying again"]


@pytest.mark.parametrize("kind", ALL)
def test_workers_are_told_of_when_they_die(kind):
    told = Told(kind, 3)
    assert told(Event("worker", worker="n1:7", node="n1", reason="started")) == []
    died = Event("worker", worker="n1:7", node="n1", reason="died (SIGKILL)")
    assert told(died) == ["worker n1:7 died (SIGKILL)"]
    unknown = Event("worker", stage="depths", reason="died (node lost)")
    assert told(unknown) == ["a depths worker died (node lost)"]


@pytest.mark.parametrize("kind", [StageTeller, SlowStageTeller])
def test_stages_of_few_scenes_are_told(kind):
    told = Told(kind, 3)
    assert told(start(), end(seconds=1.26), over()) == ["a: flow", "a: flow done in 1.3 s"]
    assert told(start(reason="settings changed")) == ["a: flow (settings changed)"]
    assert told(start(attempt=2)) == ["a: flow (try 2)"]
    assert told(end(status="reused")) == []


@pytest.mark.parametrize("kind", [Teller, SceneTeller])
def test_stages_of_many_scenes_are_not(kind):
    assert Told(kind, 300)(start(), progress(1, 2), end(seconds=1.0)) == []


def test_a_slow_stage_is_told_of_every_ten_seconds():
    told = Told(SlowStageTeller, 1)
    told(start())
    said = []
    for second in range(1, 26):
        told.clock.now += 1.0
        said.append(told(progress(second, 30)))
    spoken = {second: lines for second, lines in enumerate(said, 1) if lines}
    assert spoken == {11: ["a: flow 11/30 frames"], 22: ["a: flow 22/30 frames"]}


def test_two_slow_stages_are_each_told_of():
    told = Told(SlowStageTeller, 1)
    told(start(stage="depths"), start(stage="tracks"))
    told.clock.now += 11.0
    both = told(progress(1, 9, stage="depths"), progress(2, 9, stage="tracks"))
    assert both == ["a: depths 1/9 frames", "a: tracks 2/9 frames"]


def test_of_many_scenes_each_that_is_done_now_is_told():
    told = Told(SceneTeller, 300)
    said = told(over("a", frames=48, seconds=3.21), over("b", "reused"))
    assert said == ["a: done (48 frames, 3.2 s)"]


def test_of_many_scenes_the_run_is_told_every_ten_seconds():
    told = Told(SceneTeller, 300)
    said = []
    for _ in range(25):
        told.clock.now += 1.0
        said += told(start("a"))
    assert said == ["0 of 300 scenes done, 1 running, 299 waiting"] * 2


def test_the_headline_of_a_run():
    told = Told(Teller, 200)
    assert headline(told._tally.view()) == "0 of 200 scenes done, 0 running, 200 waiting"
    for i in range(12):
        told(start(str(i)))
        told.clock.now += 2.0
        told(over(str(i), frames=70))
    told(over("x", "failed"), *(start(name) for name in "abcd"))
    assert headline(told._tally.view()) == (
        "12 of 200 scenes done, 4 running, 1 failed, 183 waiting; 35.0 frames/s; about 6 min left"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (89.4, "89 s"), (90, "2 min"), (89 * 60, "89 min"), (90 * 60, "1.5 h"),
        (35 * 3600, "35.0 h"), (72 * 3600, "3.0 days"),
    ],
)  # fmt: skip
def test_rough_times(seconds, words):
    assert rough_time(seconds) == words
