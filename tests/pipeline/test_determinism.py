"""The same command gives the same bytes, however the work is spread."""

from __future__ import annotations

from pathlib import Path

import pytest

from moseg.core.layout import output_layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.scene import Scene
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan
from tests.pipeline.runs import start, tree


def run_with_threads(source: Path, out: Path, threads: int) -> dict[str, bytes]:
    plan = make_plan(load_config(), output_layout(out))
    results = LocalRunner(threads=threads).run(plan, [Scene("sample", source, "video")], Silent())
    assert results[0].failure is None
    return tree(out)


@pytest.mark.slow
def test_the_same_command_twice(tmp_path, objects_clip):
    for name in ("first", "second"):
        process = start("run", objects_clip, "--out", tmp_path / name)
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


@pytest.mark.slow
def test_one_and_two_workers(tmp_path, clips, clips_run):
    process = start("run", clips, "--out", tmp_path / "out", "--workers", 2)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert tree(tmp_path / "out") == tree(clips_run)


def test_one_and_many_threads(tmp_path, objects_clip):
    one = run_with_threads(objects_clip, tmp_path / "one", 1)
    assert run_with_threads(objects_clip, tmp_path / "many", 3) == one


def test_where_the_output_lies_and_what_else_runs_does_not_matter(clips_run, objects_run):
    alone, among = (
        {Path(name).name: data for name, data in tree(folder).items()}
        for folder in (objects_run / "masks/sample", clips_run / "masks/a")
    )
    assert alone == among
