"""What surrounds a run on Ray: which GPUs it sees, and what is printed."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

pytest.importorskip("ray")

from moseg.cluster.runner import VISIBLE, _only, _WithoutRay
from tests.cli.commands import good_frames, run_inference
from tests.media import write_images


@pytest.mark.parametrize(
    ("before", "gpus", "within"),
    [
        (None, (2, 3), "2,3"),
        ("4,5,7", (0, 2), "4,7"),
        ("4,5", None, "4,5"),
        (None, None, None),
        (None, (), ""),
    ],
)
def test_gpus_are_numbered_as_this_process_sees_them(monkeypatch, before, gpus, within):
    monkeypatch.delenv(VISIBLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VISIBLE, before)
    with _only(gpus):
        assert os.environ.get(VISIBLE) == within
    assert os.environ.get(VISIBLE) == before


def test_what_ray_says_of_dead_workers_is_left_out_and_nothing_else():
    out = io.StringIO()
    shown = _WithoutRay(out)
    print("one", file=shown)
    print("\x1b[33m(raylet)\x1b[0m A worker died\nfor some reason", file=shown)
    print("two", file=shown)
    assert out.getvalue() == "one\ntwo\n"


@pytest.mark.slow
def test_gpus_that_are_not_there_do_not_matter_where_none_is_used(tmp_path):
    write_images(tmp_path / "images" / "a", good_frames(4))
    outcome = run_inference(
        "--data_dir", tmp_path / "images", "--gpus", 0, 1, "--ray", "local", "--depths",
    )  # fmt: skip
    assert (outcome.code, outcome.errors) == (0, [])
    assert (tmp_path / "depth_anything_v2" / "a").is_dir()


MISSING = """
import sys, types
from pathlib import Path
from moseg.cluster.runner import open_ray
from moseg.core.layout import Layout
from moseg.core.progress import Silent
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from tests.core.toys import Count, CountParams

here = types.ModuleType("only_here")
exec("from tests.core.toys import Count\\nclass Here(Count): pass", here.__dict__)
here.Here.__module__ = "only_here"
sys.modules["only_here"] = here
source = Path(sys.argv[1]) / "a.mp4"
source.write_text("1")
plan = Plan((here.Here(CountParams()),), Layout(Path(sys.argv[1]) / "out"))
with open_ray("local", 1) as runner:
    print(runner.run(plan, [Scene("a", source, "video")], Silent())[0].failure.reason)
"""


@pytest.mark.slow
def test_a_worker_that_lacks_what_the_driver_has_says_what(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MISSING, tmp_path], capture_output=True, text=True, timeout=100
    )
    assert "No module named 'only_here'" in done.stdout, done.stderr
    assert "each node needs the same moseg" in done.stdout
