"""One step on a workbench: what it took is recorded, and whose scene it is asked at the end."""

from __future__ import annotations

import os

import pytest

from moseg.core.claims import Claims
from moseg.core.device import CPU
from moseg.core.execute import Workbench
from moseg.core.layout import Layout
from moseg.core.resolve import resolve
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Report
from tests.core.test_claims import left_by
from tests.core.toys import Count, CountParams, number_file

MEGABYTE = 2**20


class Hungry(Count):
    """Holds as many megabytes as it is told, and gives them back."""

    def run(self, task):
        held = b"\1" * (self.params.amount * MEGABYTE)
        if task.scene.source.read_text() == "bad":
            raise RuntimeError(f"no use for {len(held)} bytes")
        return super().run(task)


class TakenOver(Count):
    """Computes for so long that another run takes the scene over."""

    def run(self, task):
        report: Report = super().run(task)
        left_by(task.out.parents[1])
        return report


def steps_of(backend, folder, text="3", claim=None):
    scene = Scene("a", number_file(folder / "in", "a", text), "video")
    return resolve(Plan((backend,), Layout(folder / "out")), scene, claim)


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="peaks are measured on Linux"
)
@pytest.mark.parametrize("text", ["3", "bad"])
def test_the_peak_of_memory_is_that_of_the_stage_not_of_those_before_it(tmp_path, text):
    peaks = []
    for megabytes in (200, 0, 100):
        backend = Hungry(CountParams(amount=megabytes))
        (step,) = steps_of(backend, tmp_path / str(megabytes), text)
        record = Workbench([backend], CPU).run(step)
        assert record.status == ("failed" if text == "bad" else "done")
        peaks.append(record.peak_memory_mb)
    most, none, some = peaks
    assert most - none == pytest.approx(200, abs=50)
    assert some - none == pytest.approx(100, abs=50)


def test_a_scene_that_another_run_took_over_meanwhile_is_not_published(tmp_path):
    backend = TakenOver(CountParams())
    with Claims(tmp_path / "out") as claims:
        (step,) = steps_of(backend, tmp_path, claim=claims.take("a"))
        record = Workbench([backend], CPU).run(step)
    assert (record.status, record.error) == ("failed", "OutputError")
    assert "another run took this scene over" in record.reason
    assert list((tmp_path / "out" / "a").iterdir()) == []
