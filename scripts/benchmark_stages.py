"""Our stages against the reference's way of calling the same networks, in one run.

    python scripts/benchmark_stages.py --clip ../shared/data/clips/dog.mp4

Printed, as a Markdown table that can go to docs/performance.md: seconds and peak memory of each
way, and the largest difference in what reaches the classifier.

    tracks    The reference calls the whole network, backbone included, for every 128 points of
              every query frame, and keeps at most 5 000 of all tracks. Both ways are timed on a
              short clip; the figures for a whole scene are scaled by counted work (frames,
              chunks, points), which both ways are linear in.
    depths    The reference passes one image at a time; `naive` is all of them in one batch.
    features  The reference runs all of DINOv2 and keeps whole maps.
    labels    Time and memory of the classifier alone.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from stage_cases import CASES
from stage_cases.common import Setting, peak_mb, read_frames, run_children
from stage_cases.tracks import REFERENCE_CHUNK

from moseg.core.disparity import to_uint16
from moseg.preproc.queries.draw import grid_points

SCENE_FRAMES, SCENE_QUERIES, SCENE_TRACKS = 100, 10, 5000
"""The reference's own settings."""


@dataclass(frozen=True)
class Result:
    """One case: medians of its runs."""

    seconds: dict[str, float]
    peak_mb: float
    output: NDArray[np.float32]


def run_case(name: str, setting: Setting, runs: int, threads: int) -> Result:
    """Run a case in processes of its own."""
    told = json.dumps(asdict(setting) | {"clip": str(setting.clip)})
    done, output = run_children(__file__, name, told, runs, threads)
    parts = {part: median(d["seconds"][part] for d in done) for part in done[0]["seconds"]}
    print(f"{name}: {parts}, {done[0]['peak_mb']:.0f} MB", file=sys.stderr, flush=True)
    return Result(parts, median(d["peak_mb"] for d in done), output)


def child(name: str, told: str, out: Path, threads: int) -> None:
    """Run one case here and print its figures."""
    fields: dict[str, Any] = json.loads(told)
    setting = Setting(**fields | {"clip": Path(fields["clip"])})
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    with torch.inference_mode():
        measured = CASES[name](setting)
    np.save(out, measured.output)
    print(json.dumps({"seconds": measured.seconds, "peak_mb": peak_mb(setting.device)}))


def tracks_rows(setting: Setting, runs: int, threads: int) -> list[str]:
    """Compare tracking; scale to a whole scene by counted work."""
    ours = run_case("tracks-ours", setting, runs, threads)
    reference = run_case("tracks-reference", setting, runs, threads)
    height, width = read_frames(setting).shape[1:3]
    chunks = SCENE_QUERIES * (len(grid_points(height, width)) // REFERENCE_CHUNK)
    longer = SCENE_FRAMES / setting.frames
    done = -(-setting.points // REFERENCE_CHUNK)
    scene_reference = reference.seconds["chunks"] / done * chunks * longer
    scene_ours = longer * (
        ours.seconds["encode"] + ours.seconds["track"] * SCENE_TRACKS / setting.points
    )
    away = np.abs(ours.output - reference.output)
    difference = f"{away[..., :2].max():.1e} px, logits {away[..., 2:].max():.1e}"
    here = f"{setting.points} points, {setting.frames} frames"
    scene = f"{SCENE_FRAMES} frames, {SCENE_QUERIES} query frames, scaled"
    return [
        _row(f"tracks, {here}", "reference", sum(reference.seconds.values()), reference.peak_mb),
        _row(
            f"tracks, {here}", "ours", sum(ours.seconds.values()), ours.peak_mb,
            sum(reference.seconds.values()), difference,
        ),
        _row(f"tracks, {scene}", f"reference ({chunks} calls)", scene_reference),
        _row(
            f"tracks, {scene}", f"ours ({SCENE_TRACKS} tracks)", scene_ours, None, scene_reference
        ),
    ]  # fmt: skip


def image_rows(stage: str, setting: Setting, runs: int, threads: int) -> list[str]:
    """Compare depth or features per frame."""
    ours, single, naive = (
        run_case(f"{stage}-{way}", setting, runs, threads) for way in ("ours", "single", "naive")
    )
    slow = single.seconds["frames"]
    rows = [
        _row(f"{stage}, {setting.frames} frames", way, r.seconds["frames"], r.peak_mb, slow, note)
        for way, r, note in (
            ("reference, one at a time", single, ""),
            ("all in one batch", naive, ""),
            ("ours", ours, _difference(stage, ours.output, single.output)),
        )
    ]
    return [
        *rows,
        f"| {stage} | memory, one batch / ours | | {naive.peak_mb / ours.peak_mb:.2f}x | | |",
    ]


def label_rows(setting: Setting, runs: int, threads: int) -> list[str]:
    """Time and memory of the classifier."""
    result = run_case("labels-ours", setting, runs, threads)
    what = f"labels, {setting.tracks} tracks x {setting.window} frames"
    return [_row(what, "ours", result.seconds["classify"], result.peak_mb)]


def _difference(stage: str, ours: NDArray[np.float32], other: NDArray[np.float32]) -> str:
    away = np.abs(ours - other).max()
    if stage == "features":
        return f"{away / np.abs(other).max():.1e} of the largest"
    steps = [to_uint16(a).astype(int) - to_uint16(b) for a, b in zip(ours, other, strict=True)]
    return f"{away / np.ptp(other):.1e} of the range, {np.abs(steps).max()} of 65535 steps"


def _row(
    what: str, way: str, seconds: float, memory: float | None = None,
    against: float | None = None, difference: str = "",
) -> str:  # fmt: skip
    held = "" if memory is None else f"{memory:.0f} MB"
    ratio = "" if against is None else f"{against / seconds:.1f}x"
    return f"| {what} | {way} | {seconds:.2f} s | {held} | {ratio} | {difference} |"


def main(
    clip: Annotated[Path, typer.Option(help="A real video.")] = Path("clip.mp4"),
    frames: Annotated[int, typer.Option(help="Frames of the short clip for tracks.")] = 8,
    images: Annotated[int, typer.Option(help="Frames for depths and features.")] = 4,
    points: Annotated[int, typer.Option(help="Points that are tracked.")] = 256,
    tracks: Annotated[int, typer.Option(help="Tracks for the classifier.")] = 5000,
    window: Annotated[int, typer.Option(help="Frames for the classifier.")] = 200,
    size: Annotated[str, typer.Option(help="Depth network: small, base or large.")] = "large",
    device: Annotated[str, typer.Option(help="cpu or cuda:N.")] = "cpu",
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    runs: Annotated[int, typer.Option(help="Runs of each case; medians are printed.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    stages: Annotated[str, typer.Option(help="Which stages.")] = "tracks,depths,features,labels",
    child_case: Annotated[str, typer.Option("--child", hidden=True)] = "",
    told: Annotated[str, typer.Option(hidden=True)] = "",
    out: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure and print the table."""
    if child_case:
        return child(child_case, told, out, threads)
    setting = Setting(clip, frames, points, tracks, window, device, precision, size)
    few = Setting(clip, images, points, tracks, window, device, precision, size)
    print(
        f"device {_device_name(device)}, {precision}, {threads} threads, torch {torch.__version__}"
    )
    print("| stage | way | time | peak memory | times faster | largest difference |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for stage in stages.split(","):
        if stage == "tracks":
            rows = tracks_rows(setting, runs, threads)
        elif stage == "labels":
            rows = label_rows(setting, runs, threads)
        else:
            rows = image_rows(stage, few, runs, threads)
        print("\n".join(rows), flush=True)
    return None


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"


if __name__ == "__main__":
    typer.run(main)
