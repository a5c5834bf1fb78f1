"""What runs in a Ray actor, here without Ray around it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ray")

from moseg.cluster import ray_worker
from moseg.cluster.kinds import CPU_WORKERS, Kind
from moseg.core.frame_index import index_frames
from moseg.core.frames import Frames
from moseg.core.layout import Layout
from moseg.core.runner import Plan
from moseg.core.scene import Scene
from moseg.core.stage import Backend, NoParams, Report
from tests.cli.commands import good_frames
from tests.media import write_images

FRAMES = good_frames(3)
FROM_DECODER = 7
"""Value of all pixels of the frames that the decoder gives."""


class Average(Backend[NoParams]):
    """Writes the average of all pixels that it is given, and counts the frames."""

    stage, name, version, suffix = "average", "toy", 1, ".txt"

    def identity(self, scene):
        return {"input": scene.name}

    def run(self, task):
        frames = Frames(task.scene, index_frames(task.scene))
        pixels = []
        for frame in frames:
            pixels.append(frame)
            task.progress(len(pixels), len(frames))
        task.out.write_text(str(np.mean(pixels)))
        return Report()


@pytest.fixture
def average(tmp_path, monkeypatch):
    """Resolve and compute on a worker of a kind; return what was written, and the worker."""

    def decoder():
        return lambda frames: (np.full_like(frame, FROM_DECODER) for frame in frames.decode())

    def compute(gpu_gb):
        monkeypatch.setattr(ray_worker, "FramesFromDecoder", decoder)
        scene = Scene("a", write_images(tmp_path / "a", FRAMES), "images")
        plan = Plan((Average(NoParams()),), Layout(tmp_path / "out"))
        worker = ray_worker.RayWorker(plan, Kind(CPU_WORKERS, ("average",), 1, 1, gpu_gb))
        (step,) = worker.resolve(scene, None).steps
        record = worker.run(step)
        assert (record.status, record.frames) == ("done", len(FRAMES)), record.reason
        return float(step.slot.target.read_text()), worker

    return compute


def test_a_worker_on_a_card_has_its_frames_from_the_decoder_while_a_stage_runs(average):
    assert average(gpu_gb=4.0)[0] == FROM_DECODER


def test_a_worker_without_a_card_decodes_by_itself(average):
    assert average(gpu_gb=0.0)[0] == pytest.approx(np.mean(FRAMES))


def test_how_far_a_stage_is_can_be_asked(average):
    assert average(gpu_gb=0.0)[1].progress() == (3, 3)
