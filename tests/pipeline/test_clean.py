"""Deleting working files, beside other runs."""

from __future__ import annotations

from moseg.core.claims import Claims
from moseg.core.layout import output_layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.scene import find_scenes
from moseg.pipeline.clean import remove_working_files
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan


def test_a_scene_that_another_run_works_on_keeps_its_files(out, objects_clip):
    plan = make_plan(load_config(), output_layout(out))
    results = LocalRunner().run(plan, find_scenes([objects_clip])[0], Silent())
    flow = out / "cache" / objects_clip.stem / "flow"
    with Claims(out / "cache") as other:
        other.take(objects_clip.stem)
        assert remove_working_files(plan, results) == []
        assert flow.is_dir()
    lines = remove_working_files(plan, results)
    assert any("flow" in line for line in lines)
    assert not flow.exists()
    assert not list((out / "cache").glob(".*.claim"))
