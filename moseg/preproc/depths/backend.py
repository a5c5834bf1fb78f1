"""The depth slot, built in: camera motion, what moves against it, and parallax as depth.

Files of the artefact:
    disparity.npy   float16 [T, h, w], 0..1, larger is nearer, 0.5 where nothing is known.
    confidence.npy  float16 [T, h, w], 0..1, how far the disparity can be trusted.
    evidence.npy    float16 [T, h, w], log-odds that a pixel moves on its own.
    cameras.npz     forward, backward: float64 [T-1, 3, 3], homographies between neighbours;
                    forward_confidence, backward_confidence: float64 [T-1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from moseg.core.arrays import FrameArrayWriter
from moseg.core.parallel import ordered_map
from moseg.core.stage import Backend, Params, Report, Resources, Task
from moseg.core.working_clip import WorkingClip
from moseg.preproc.depths.camera import Camera, camera_flow, fit_camera
from moseg.preproc.depths.evidence import Envelope, envelope, motion_evidence, pair_evidence
from moseg.preproc.depths.parallax import disparity
from moseg.preproc.depths.slow import GAP, chained_flow, slow_evidence

Float32 = NDArray[np.float32]
Look = Callable[[int], Envelope]
"""Gives the envelope of a frame."""


@dataclass(frozen=True)
class _FrameGeometry:
    """What is known of one frame: maps float32 [h, w], cameras to its neighbours."""

    evidence: Float32
    disparity: Float32
    confidence: Float32
    forward: Camera | None
    backward: Camera | None


class GeometryParams(Params):
    """Camera motion, motion evidence and parallax."""

    backend: Literal["geometry"] = Field("geometry", description="from flow, without a network")


class Geometry(Backend[GeometryParams]):
    """Homographies, motion evidence, and relative inverse depth from parallax."""

    stage = "depths"
    name = "geometry"
    version = 1
    needs = ("flow",)
    resources = Resources(memory_gb=0.5)

    def run(self, task: Task) -> Report:
        """See `Backend.run`."""
        with WorkingClip(task.inputs["flow"]) as clip:
            look = lru_cache(2 * GAP + 2 * task.threads)(lambda t: envelope(clip.rgb(t)))
            results = ordered_map(
                lambda t: _geometry(clip, look, t), range(len(clip)), task.threads
            )
            cameras: dict[str, list[Camera]] = {"forward": [], "backward": []}
            maps = {
                name: FrameArrayWriter(task.out / f"{name}.npy", clip.size, np.float16)
                for name in ("evidence", "disparity", "confidence")
            }
            for done, result in enumerate(results, start=1):
                for name, writer in maps.items():
                    writer.append(getattr(result, name))
                if result.forward is not None:
                    cameras["forward"].append(result.forward)
                if result.backward is not None:
                    cameras["backward"].append(result.backward)
                task.progress(done, len(clip))
            for writer in maps.values():
                writer.close()
        _save_cameras(task.out / "cameras.npz", cameras)
        lost = sum(camera.confidence == 0 for camera in cameras["forward"])
        return Report({"frames_without_camera": lost})


def _geometry(clip: WorkingClip, look: Look, frame: int) -> _FrameGeometry:
    """Test one frame against its neighbours in time, and against frames farther away."""
    last = len(clip) - 1
    here = look(frame)
    cameras: dict[str, Camera | None] = {"forward": None, "backward": None}
    pairs: list[Float32] = []
    flow = np.zeros((*clip.size, 2), np.float32)
    for name, neighbour in (("backward", frame - 1), ("forward", frame + 1)):
        if not 0 <= neighbour <= last:
            continue
        stored = clip.forward(frame) if name == "forward" else clip.backward(neighbour)
        flow = stored.astype(np.float32)
        camera = fit_camera(flow)
        cameras[name] = camera
        if camera.confidence > 0:
            pairs.append(pair_evidence(flow, camera, here, look(neighbour)))
    evidence = motion_evidence(pairs, *clip.size, _slow(clip, look, frame))
    camera = cameras["forward"] or cameras["backward"] or fit_camera(flow)
    residual = flow - camera_flow(camera, *clip.size)
    depth, confidence = disparity(residual, evidence, camera.confidence)
    return _FrameGeometry(evidence, depth, confidence, cameras["forward"], cameras["backward"])


def _slow(clip: WorkingClip, look: Look, frame: int) -> list[Float32]:
    """Return evidence of slow motion from the frames `GAP` before and after, where they are."""
    found = []
    for gap in (-GAP, GAP):
        if 0 <= frame + gap < len(clip):
            flow, good = chained_flow(clip, frame, gap)
            camera = fit_camera(flow)
            if camera.confidence > 0:
                evidence = slow_evidence(flow, good, camera, look(frame), look(frame + gap))
                found.append(evidence)
    return found


def _save_cameras(path: Path, cameras: dict[str, list[Camera]]) -> None:
    arrays: dict[str, NDArray[np.float64]] = {}
    for name, listed in cameras.items():
        homographies = [camera.homography for camera in listed]
        arrays[name] = np.array(homographies, dtype=np.float64).reshape(-1, 3, 3)
        arrays[f"{name}_confidence"] = np.array([c.confidence for c in listed], dtype=np.float64)
    np.savez(path, **arrays)  # type: ignore[arg-type]
