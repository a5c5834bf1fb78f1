"""Workers, drivers and nodes that are killed, and stages that fail: what is tried again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from tests.cli.commands import good_frames
from tests.cluster.runs import (
    AGENTS,
    ON_RAY,
    SETTINGS,
    at_work,
    complete,
    computed,
    events,
    halted,
    last_run,
    running,
)
from tests.cluster.troubled import processes, troubled_plan, troubled_scenes
from tests.core.recorder import Recorder
from tests.media import write_images
from tests.pipeline.runs import STAGES, run, tree

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

ONCE = ("dies", "fault", "memory", "card")
TROUBLES = {
    "fine": "",
    **{f"{what}_once": f"{what} once" for what in ONCE},
    "dies_always": "dies always",
    "fault_always": "fault always",
    "input_always": "input always",
    "last": "",
}


ALL_ONCE = {(scene, stage): 1 for scene in "abc" for stage in STAGES}
"""What the runs into one folder do, all together, if none does a thing twice."""


STOPPED = "stopped; run the same command again to go on from here"


class Outcome:
    """A run over all troubles on a local Ray with two workers."""

    def __init__(self, folder: Path) -> None:
        from moseg.cluster.runner import open_ray

        self.out, self.seen = folder / "out", Recorder()
        self.scenes = troubled_scenes(folder / "in", TROUBLES)
        with open_ray("local", workers=2) as runner:
            results = runner.run(troubled_plan(self.out), self.scenes, self.seen)
        self.records = {result.scene.name: result.records for result in results}

    def tries(self, scene: str) -> list[int]:
        """The process of each try."""
        return processes(self.scenes[list(TROUBLES).index(scene)].source)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Outcome:
    return Outcome(tmp_path_factory.mktemp("troubles"))


@pytest.mark.parametrize("what", ONCE)
def test_what_fails_once_is_tried_again_in_another_process(outcome, what):
    first, second = outcome.tries(f"{what}_once")
    assert first != second
    count, double = outcome.records[f"{what}_once"]
    assert (count.status, count.attempts, count.error) == ("done", 2, "")
    assert count.worker.endswith(f":{second}")
    assert (double.status, double.attempts) == ("done", 1)
    (retry,) = [e for e in outcome.seen.events if (e.kind, e.scene) == ("retry", f"{what}_once")]
    assert retry.worker.endswith(f":{first}")


@pytest.mark.parametrize(
    ("what", "tries", "error", "words"),
    [
        ("dies", 2, "WorkerDied", "its worker died in stage count (its process ended"),
        ("fault", 2, "RuntimeError", "unexpected RuntimeError in stage count: a fault"),
        ("input", 1, "InputError", "not a number; write one"),
    ],
)
def test_what_fails_always_is_recorded_after_few_tries(outcome, what, tries, error, words):
    assert len(outcome.tries(f"{what}_always")) == tries
    count, double = outcome.records[f"{what}_always"]
    assert (count.stage, count.status, count.error) == ("count", "failed", error)
    assert count.attempts == tries
    assert count.reason.startswith(f"{what}_always: {words}")
    assert "\n" not in count.reason
    assert double.status == "skipped"
    ends = [e for e in outcome.seen.events if (e.kind, e.scene) == ("end", f"{what}_always")]
    assert [event.record for event in ends] == [count]


def test_what_could_be_done_is_as_in_an_undisturbed_run(outcome, tmp_path):
    good = [name for name in TROUBLES if not name.endswith("always")]
    scenes = troubled_scenes(tmp_path / "in", dict.fromkeys(TROUBLES, ""))
    undisturbed = [scene for scene in scenes if scene.name in good]
    LocalRunner().run(troubled_plan(tmp_path / "out"), undisturbed, Silent())
    left, bad = tree(outcome.out), [name for name in TROUBLES if name not in good]
    # What a worker had begun when it was killed for good stays until the next run.
    begun = {path for path in left if path.startswith("dies_always/.count.")}
    assert left.keys() - begun == {*tree(tmp_path / "out"), *(f"{name}/" for name in bad)}
    assert tree(tmp_path / "out").items() <= left.items()


def test_a_killed_worker_of_a_real_run(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    with running(clips, "--out", out, *ON_RAY, *SETTINGS) as done:
        worker = done.wait_until(lambda: halted(out, "b"))
        os.kill(worker, signal.SIGKILL)
        assert done.wait() == 0, done.told
    assert tree(out) == tree(clips_run)
    assert computed(out) == ALL_ONCE
    (failed,) = events(out, "retry")
    assert failed["worker"].endswith(f":{worker}")
    (end,) = [e for e in events(out, "end") if e["attempts"] == 2]
    assert (end["scene"], end["stage"]) == ("b", failed["stage"])
    assert not end["worker"].endswith(f":{worker}")
    assert f"b: {end['stage']} (try 2)" in done.told


def test_a_killed_driver_does_not_hold_up_the_next_run(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    with running(clips, "--out", out, *ON_RAY, *SETTINGS) as first:
        first.wait_until(lambda: at_work(out, "b"))
        done = complete(out)
        first.process.kill()
        first.process.wait()
        # At once, while workers of the dead driver may still be at it.
        with running(clips, "--out", out, *SETTINGS) as second:
            assert second.wait() == 0, second.told
        first.wait_until_gone(AGENTS)
    assert "another run" not in second.told
    assert tree(out) == tree(clips_run)
    begun = {(e["scene"], e["stage"]) for e in events(out, "start") if e["run"] == last_run(out)}
    assert begun
    assert begun.isdisjoint(done)


def test_a_run_that_a_person_stops(tmp_path, clips, clips_run):
    out = tmp_path / "out"
    with running(clips, "--out", out, *ON_RAY, *SETTINGS) as stopped:
        stopped.wait_until(lambda: at_work(out, "b"))
        os.killpg(stopped.process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        assert stopped.wait() == 130
        lines = stopped.told.splitlines()
        assert [line for line in lines if line[:3] not in ("a: ", "b: ", "c: ")] == [STOPPED]
        stopped.wait_until_gone()
    assert list(out.glob("cache/.*")) == []
    assert run(clips, out, "flow.pixels=3000")[0].exit_code == 0
    assert tree(out) == tree(clips_run)


@pytest.mark.parametrize("places", [((), ()), ((), ON_RAY)], ids=["here", "ray"])
def test_two_runs_share_the_work(tmp_path, clips, clips_run, places):
    out = tmp_path / "out"
    with (
        running(clips, "--out", out, *places[0], *SETTINGS) as one,
        running(clips, "--out", out, *places[1], *SETTINGS) as other,
    ):
        codes = one.wait(), other.wait()
    assert codes == (0, 0), one.told + other.told
    assert tree(out) == tree(clips_run)
    assert computed(out) == ALL_ONCE


def test_two_runs_on_one_cluster_do_not_wait_for_each_other(tmp_path, cluster):
    out, scenes = tmp_path / "out", [f"{number:02d}" for number in range(14)]
    for name in scenes:
        write_images(tmp_path / "in" / name, [frame[:32, :48] for frame in good_frames(3)])
    command = (tmp_path / "in", "--out", out, "--ray", "auto", "--set", "flow.pixels=1000")
    with (
        running(*command, **cluster.environment) as one,
        running(*command, **cluster.environment) as other,
    ):
        # Each has claimed scenes, and only one has workers, since there are two cores.
        codes = one.wait(), other.wait()
    assert codes == (0, 0), one.told + other.told
    assert computed(out) == {(scene, stage): 1 for scene in scenes for stage in STAGES}
    assert len({event["run"] for event in events(out, "start")}) == 2


def test_a_node_that_is_lost(tmp_path, clips, clips_run, cluster):
    out, elsewhere = tmp_path / "out", []

    def on_the_second_node():
        process = halted(out, but=elsewhere)
        if process in {process.pid for process in cluster.nodes[1].processes()}:
            return True
        elsewhere.extend([] if process is None else [process])
        return False

    ray = ("--ray", "auto")
    with running(clips, "--out", out, *ray, *SETTINGS, **cluster.environment) as done:
        done.wait_until(on_the_second_node)
        cluster.kill_node(1)
        for process in elsewhere:
            os.kill(process, signal.SIGCONT)
        assert done.wait() == 0, done.told
    assert tree(out) == tree(clips_run)
    assert computed(out) == ALL_ONCE
    assert "its node was lost" in done.told
