"""Our use of SAM 2 against the reference's pattern of calls, on the same weights in one run.

    python scripts/benchmark_masks.py --clip ../shared/data/clips/dog.mp4

Printed, as Markdown tables that can go to docs/performance.md: seconds, calls of the image
encoder and peak memory of each way, and the largest difference of the masks' logits.

The work is that of a scene with OBJECTS objects that are found in the middle of the clip: five
clicks that group tracks, then for each object two clicks on its frame and a pass forwards and
one backwards. Weights are random, of the published sizes; masks mean nothing, time does. A second
table scales both ways to 100 frames by counted work: encoder calls, and frames tracked at the
time of the last, when the memory is full.

`--throughput` measures our way alone, in frames a second, for several sizes and numbers of
objects; it is meant for a GPU:

    python scripts/benchmark_masks.py --clip CLIP --throughput --size tiny,large --objects 1,3,8 \
        --frames 100 --device cuda:0 --precision bfloat16
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from transformers import Sam2VideoModel

sys.path.insert(0, str(Path(__file__).parent))
from mask_cases.reference import ReferencePredictor, sorted_medoid
from stage_cases.common import Clock, peak_mb, read_frames
from stage_cases.common import Setting as ClipSetting

from moseg.checkpoints.weights import read_weights
from moseg.core.device import Device
from moseg.models.foundation import sam2
from moseg.sam2.points import medoid
from moseg.sam2.video.driver import Sam2Predictor
from moseg.sam2.video.settings import VideoSettings

GROUPING_CLICKS = 5
SCENE_FRAMES, SCENE_CLICKS, PROMPT_EVERY = 100, 10, 16
"""What a scene of the reference's takes: clicks of the grouping at most, a prompt so often."""


@dataclass(frozen=True)
class Work:
    """What is measured.

    Attributes:
        size: of the network, `tiny` to `large`; or the path of a checkpoint.
        frames, objects: of the clip.
        points: visible tracks of a group, of which the medoid is clicked.
    """

    clip: str
    size: str
    frames: int
    objects: int
    points: int
    device: str
    precision: str


@dataclass(frozen=True)
class Measured:
    """One way: medians over its runs."""

    seconds: float
    encoding: float
    tracking: float
    encoded: int
    peak_mb: float
    logits: NDArray[np.float32]


def make_network(work: Work) -> Sam2VideoModel:
    """Return SAM 2 of a published size with random weights, or a checkpoint's.

    To it every object is there, as the time depends on that.
    """
    torch.manual_seed(0)
    sizes = {size.name: size for size in sam2.SIZES}
    if work.size in sizes:
        network = Sam2VideoModel(sam2.make_config(sizes[work.size], temporal=False))
    else:
        network = sam2.build(read_weights(Path(work.size)))
    network.train(False)
    network.requires_grad_(False)
    score: Any = network.mask_decoder.pred_obj_score_head.proj_out
    score.bias.add_(10.0)
    torch.nn.Module.to(network, work.device)
    return network


def run_way(way: str, work: Work, folder: Path) -> dict[str, Any]:
    """Do the work one way, here; return its figures and the logits of all masks."""
    network = make_network(work)
    told = ClipSetting(
        Path(work.clip), work.frames, 0, 0, 0, work.device, work.precision, work.size
    )
    frames = read_frames(told)
    size = frames.shape[1], frames.shape[2]
    device = Device(work.device, "bfloat16" if work.precision == "bfloat16" else "float32")
    clock = Clock(work.device)
    spent = {"encoding": 0.0, "tracking": 0.0}
    _time_encoder(network, clock, spent)
    common = network, iter(frames), work.frames, size
    predictor: Sam2Predictor | ReferencePredictor
    begin = time.perf_counter()
    if way == "ours":
        predictor = Sam2Predictor(*common, folder, VideoSettings(), device)
        predictor.open_window(range(work.frames))
        logits = do_work(predictor, medoid, work, size, clock, spent)
        predictor.close()
    else:
        predictor = ReferencePredictor(*common, device)
        logits = do_work(predictor, sorted_medoid, work, size, clock, spent)
    clock.time(lambda: None)
    return {
        "seconds": time.perf_counter() - begin,
        **spent,
        "encoded": predictor.features.encoded,
        "peak_mb": peak_mb(work.device),
        "logits": logits,
    }


def do_work(
    predictor: Sam2Predictor | ReferencePredictor,
    find_medoid: Callable[[NDArray[np.float32]], int],
    work: Work,
    size: tuple[int, int],
    clock: Clock,
    spent: dict[str, float],
) -> NDArray[np.float32]:
    """Group, prompt and follow; return every eighth logit of all masks [objects * T, h, w]."""
    draw = np.random.default_rng(0)
    middle, (height, width) = work.frames // 2, size
    points = draw.uniform([0, 0], [width, height], (work.points, 2)).astype(np.float32)
    for turn in range(GROUPING_CLICKS):
        chosen = find_medoid(points)
        predictor.click(turn % work.frames, points[chosen : chosen + 1])
    kept = {}
    for number in range(work.objects):
        own = points[number :: work.objects]
        one = predictor.new_object()
        chosen = find_medoid(own)
        one.click(middle, own[chosen : chosen + 1])
        one.click(middle, own[:3])
        for frames in (range(middle, work.frames), range(middle, -1, -1)):
            follow = one.propagate(frames)
            for frame in frames:
                encoding, begin = spent["encoding"], clock.now()
                next(follow)
                spent["tracking"] = clock.now() - begin - (spent["encoding"] - encoding)
                outputs = one.session.conditioning | one.session.tracked
                kept[number, frame] = outputs[frame]["pred_masks"][0, 0, ::8, ::8].cpu().numpy()
    return np.stack([kept[key] for key in sorted(kept)])


def _time_encoder(network: Sam2VideoModel, clock: Clock, spent: dict[str, float]) -> None:
    """Count the seconds in the image encoder; they do not count as tracking."""
    inner: Any = network.get_image_features

    def timed(*inputs: Any, **named: Any) -> Any:
        found: list[Any] = []
        spent["encoding"] += clock.time(lambda: found.append(inner(*inputs, **named)))
        return found[0]

    outer: Any = network
    outer.get_image_features = timed


def measure(way: str, work: Work, runs: int, threads: int) -> Measured:
    """Do the work in processes of its own; return medians."""
    done = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "logits.npy"
        for _ in range(runs):
            command = [sys.executable, __file__, "--child", way, "--out", str(out)]
            command += ["--told", json.dumps(asdict(work)), "--threads", str(threads)]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                raise SystemExit(f"{way} failed:\n{ended.stderr}")
            done.append(json.loads(ended.stdout.splitlines()[-1]))
        logits = np.load(out)
    middle = {key: median(run[key] for run in done) for key in done[0]}
    return Measured(**middle | {"logits": logits})


def child(way: str, told: str, out: Path, threads: int) -> None:
    """Do the work here and print its figures."""
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        found = run_way(way, Work(**json.loads(told)), Path(folder))
    np.save(out, found.pop("logits"))
    print(json.dumps(found))


def comparison(work: Work, runs: int, threads: int) -> list[str]:
    """Return the rows of both tables."""
    reference, ours = (measure(way, work, runs, threads) for way in ("reference", "ours"))
    away = np.abs(ours.logits - reference.logits).max()
    told = f"{away:.1e} of {np.abs(reference.logits).max():.1f}"
    rows = ["| way | time | of it encoding | encoder calls | peak memory | times faster | logits |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one, difference in (("reference", reference, ""), ("ours", ours, told)):
        rows.append(
            f"| {name} | {one.seconds:.1f} s | {one.encoding:.1f} s | {one.encoded} | "
            f"{one.peak_mb:.0f} MB | {reference.seconds / one.seconds:.1f}x | {difference} |"
        )
    return [*rows, "", *scaled(work, reference, ours)]


def scaled(work: Work, reference: Measured, ours: Measured) -> list[str]:
    """Return the table of a scene of `SCENE_FRAMES` frames, by counted work."""
    prompts = work.objects * (1 + -(-SCENE_FRAMES // PROMPT_EVERY))
    passed = work.objects * (SCENE_FRAMES + 1)
    encode = ours.encoding / ours.encoded
    calls = {"reference": SCENE_CLICKS + prompts + passed, "ours": SCENE_FRAMES}
    seconds = {
        name: calls[name] * encode + passed * one.tracking
        for name, one in (("reference", reference), ("ours", ours))
    }
    rows = [f"| way, {SCENE_FRAMES} frames, scaled | encoder calls | time | times faster |"]
    rows.append("| --- | --- | --- | --- |")
    for name, time_taken in seconds.items():
        faster = seconds["reference"] / time_taken
        rows.append(f"| {name} | {calls[name]} | {time_taken:.0f} s | {faster:.1f}x |")
    return rows


def throughput(
    work: Work, sizes: Sequence[str], counts: Sequence[int], runs: int, threads: int
) -> list[str]:
    """Return frames a second of our way, by size and number of objects."""
    rows = ["| network | " + " | ".join(f"{n} objects" for n in counts) + " |"]
    rows.append("| --- |" + " --- |" * len(counts))
    for size in sizes:
        found = []
        for count in counts:
            told = Work(**asdict(work) | {"size": size, "objects": count})
            one = measure("ours", told, runs, threads)
            found.append(f"{work.frames / one.seconds:.2f} frames/s, {one.peak_mb:.0f} MB")
        rows.append(f"| {size} | " + " | ".join(found) + " |")
    return rows


def main(
    clip: Annotated[Path, typer.Option(help="A real video.")] = Path("clip.mp4"),
    size: Annotated[
        str, typer.Option(help="tiny, small, base+, large, or a path; commas.")
    ] = "large",
    frames: Annotated[int, typer.Option(help="Frames of the short clip.")] = 12,
    objects: Annotated[str, typer.Option(help="Objects followed; commas.")] = "3",
    points: Annotated[int, typer.Option(help="Visible tracks.")] = 1000,
    device: Annotated[str, typer.Option(help="cpu or cuda:N.")] = "cpu",
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    runs: Annotated[int, typer.Option(help="Runs of each way; medians are printed.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    by_objects: Annotated[bool, typer.Option("--throughput", help="Our way alone.")] = False,
    child_way: Annotated[str, typer.Option("--child", hidden=True)] = "",
    told: Annotated[str, typer.Option(hidden=True)] = "",
    out: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure and print."""
    if child_way:
        return child(child_way, told, out, threads)
    named = torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"
    print(f"device {named}, {precision}, {threads} threads, torch {torch.__version__}")
    sizes = size.split(",")
    counts = [int(count) for count in objects.split(",")]
    work = Work(str(clip), sizes[0], frames, counts[0], points, device, precision)
    if by_objects:
        print("\n".join(throughput(work, sizes, counts, runs, threads)))
        return None
    for one in sizes:
        print(f"SAM 2 {one}, {frames} frames, {counts[0]} objects, both directions")
        print("\n".join(comparison(Work(**asdict(work) | {"size": one}), runs, threads)))
    return None


if __name__ == "__main__":
    typer.run(main)
