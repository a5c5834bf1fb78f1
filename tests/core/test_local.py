"""The local runner, with toy stages in this process and in worker processes."""

from __future__ import annotations

from typing import ClassVar

import pytest

from moseg.core.device import Device
from moseg.core.layout import Layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Report
from tests.core.recorder import Recorder
from tests.core.toys import Count, CountParams, Double, WhereItRuns, number_file


def make_plan(cache, count=1, double=1, **options):
    backends = (Count(CountParams(amount=count)), Double(CountParams(amount=double)))
    return Plan(backends, Layout(cache), **options)


def make_scenes(folder, **texts):
    return [Scene(n, number_file(folder, n, t), "video") for n, t in texts.items()]


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_computes_once_and_then_reuses(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="3")
    plan, seen = make_plan(tmp_path / "out"), Recorder()
    first = LocalRunner().run(plan, scenes, Silent())[0]
    assert (tmp_path / "out/a/double.txt").read_text() == "9"
    assert [r.status for r in first.records] == ["done", "done"]
    second = LocalRunner().run(plan, scenes, seen)[0]
    assert second.reused
    assert seen.started == []
    assert second.records[0].notes == ("counted",)


@pytest.mark.parametrize(
    ("change", "stages", "word"),
    [
        ({"count": 5}, ["count", "double"], "amount 1 -> 5"),
        ({"double": 5}, ["double"], "amount 1 -> 5"),
        ({"seed": 7}, ["count", "double"], "seed changed"),
        ({"input": "4"}, ["count", "double"], "input changed"),
    ],
)
def test_change_redoes_what_depends_on_it_and_says_why(tmp_path, change, stages, word):
    scenes = make_scenes(tmp_path / "in", a="3")
    LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())
    if "input" in change:
        scenes[0].source.write_text(change.pop("input"))
    seen = Recorder()
    LocalRunner().run(make_plan(tmp_path / "out", **change), scenes, seen)
    assert [stage for _, stage, _ in seen.started] == stages
    assert word in seen.started[0][2]
    fresh = tmp_path / "fresh"
    LocalRunner().run(make_plan(fresh, **change), scenes, Silent())
    assert tree(tmp_path / "out") == tree(fresh)


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_stay_with_their_scene(tmp_path, workers):
    scenes = make_scenes(tmp_path / "in", a="1", b="bad", c="bug", d="4")
    results = LocalRunner(workers).run(make_plan(tmp_path / "out"), scenes, Silent())
    assert [r.failure is None for r in results] == [True, False, False, True]
    assert results[1].failure.user_error
    assert results[1].failure.reason == "b: not a number; write one"
    assert [r.status for r in results[1].records] == ["failed", "skipped"]
    assert not results[2].failure.user_error
    assert "RuntimeError" in results[2].failure.details
    assert not (tmp_path / "out/b/count").exists()


def test_a_worker_that_dies_costs_one_scene(tmp_path):
    texts = {f"s{i}": str(i) for i in range(4)} | {"dead": "die"} | {"last": "9"}
    scenes = make_scenes(tmp_path / "in", **texts)
    results = LocalRunner(2).run(make_plan(tmp_path / "out"), scenes, Silent())
    failed = [r for r in results if r.failure]
    assert [r.scene.name for r in failed] == ["dead"]
    assert "SIGKILL" in failed[0].failure.reason
    assert [r.scene.name for r in results] == list(texts)


def test_one_and_two_workers_write_the_same_bytes(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="1", b="slow", c="3")
    for workers in (1, 2):
        LocalRunner(workers).run(make_plan(tmp_path / f"out{workers}"), scenes, Silent())
    assert tree(tmp_path / "out1") == tree(tmp_path / "out2")


def test_a_required_stage_is_never_computed(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="1")
    plan = make_plan(tmp_path / "out", required={"count": "run --count first"})
    failure = LocalRunner().run(plan, scenes, Silent())[0].failure
    assert "run --count first" in failure.reason
    assert failure.user_error
    LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())
    assert LocalRunner().run(plan, scenes, Silent())[0].failure is None


def test_a_deleted_working_artefact_is_made_again_only_when_it_is_read(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="3")
    LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())
    before = tree(tmp_path / "out")
    for path in (tmp_path / "out/a/count").rglob("*.txt"):
        path.unlink()
    result = LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())[0]
    assert [r.status for r in result.records] == ["unneeded", "reused"]
    assert result.reused
    (tmp_path / "out/a/double.txt").unlink()
    LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())
    assert tree(tmp_path / "out") == before


class Seedless(Double):
    stage = "seedless"
    needs = ()

    def run(self, task):
        task.out.write_text("same")
        return Report()


def test_another_seed_changes_nothing_where_none_is_used(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="3")
    for seed in (0, 1):
        plan = Plan((Seedless(CountParams()),), Layout(tmp_path / "out"), seed=seed)
        result = LocalRunner().run(plan, scenes, Silent())[0]
    assert result.reused


class PatientParams(CountParams):
    """Settings of which one changes nothing."""

    harmless: ClassVar[frozenset[str]] = frozenset({"patience"})
    patience: int = 1


def test_a_setting_that_changes_no_byte_redoes_nothing(tmp_path):
    scenes, layout = make_scenes(tmp_path / "in", a="3"), Layout(tmp_path / "out")
    LocalRunner().run(Plan((Count(PatientParams()),), layout), scenes, Silent())
    same = Plan((Count(PatientParams(patience=2)),), layout)
    assert LocalRunner().run(same, scenes, Silent())[0].reused
    other = Plan((Count(PatientParams(amount=2)),), layout)
    assert not LocalRunner().run(other, scenes, Silent())[0].reused


def test_a_wanted_stage_is_a_result(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="3")
    LocalRunner().run(make_plan(tmp_path / "out"), scenes, Silent())
    (tmp_path / "out/a/count/value.txt").unlink()
    plan = make_plan(tmp_path / "out", wanted=frozenset({"count"}))
    records = LocalRunner().run(plan, scenes, Silent())[0].records
    assert [r.status for r in records] == ["done", "reused"]
    assert (tmp_path / "out/a/count/value.txt").exists()


def test_a_foreign_folder_is_refused_before_anything_runs(tmp_path):
    scenes = make_scenes(tmp_path / "in", a="3")
    public = {"double": (f"{tmp_path}/public/", ".txt")}
    (tmp_path / "public").mkdir()
    (tmp_path / "public/a.txt").write_text("mine")
    backends = (Count(CountParams()), Double(CountParams()))
    seen = Recorder()
    result = LocalRunner().run(Plan(backends, Layout(tmp_path / "out", public)), scenes, seen)[0]
    assert "move it away" in result.failure.reason
    assert seen.started == []
    assert (tmp_path / "public/a.txt").read_text() == "mine"


def test_workers_take_the_devices_in_turn(tmp_path):
    names = [f"s{i}" for i in range(4)]
    scenes = make_scenes(tmp_path / "in", **dict.fromkeys(names, "1"))
    devices = (Device("cuda:0"), Device("cuda:1"))
    plan = Plan((WhereItRuns(CountParams()),), Layout(tmp_path / "out"), devices=devices)
    LocalRunner(2).run(plan, scenes, Silent())
    used = {(tmp_path / f"out/{name}/where.txt").read_text() for name in names}
    assert used <= {"cuda:0", "cuda:1"}
    assert "cuda:1" in used
