"""Our use of SAM 2 against the reference's pattern of calls, on the same weights in one run.

    python scripts/benchmark_masks.py --clip ../shared/data/clips/dog.mp4

Printed, as Markdown tables that can go to docs/performance.md: seconds, calls of the image
encoder and peak memory of each way, and how much of the masks is equal to the reference's.

The work is that of a scene with OBJECTS objects: five clicks that group tracks, then for each
object two clicks on a frame, and passes in both directions. Weights are random, of the published
sizes; masks mean nothing, time does. Two cases:

    full     every object goes through all frames forwards from the first, and backwards from the
             last.
    middle   every object is found in the middle: forwards from there, and backwards from there,
             so that each frame is passed once. The reference does this with an object that comes
             late; one that is there from the start goes forwards alone.

A further table scales `middle` to 100 frames by counted work: encoder calls, and frames tracked at
the time of the last, when the memory is full. `ours, bfloat16` is our way in that precision, which
changes masks a little; the others compute in `--precision`.

`--throughput` measures our way alone, in frames a second, for several sizes and numbers of
objects; it is meant for a GPU:

    python scripts/benchmark_masks.py --clip CLIP --throughput --size tiny,large --objects 1,3,8 \
        --frames 100 --device cuda:0 --precision bfloat16
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from mask_cases.work import Work, run_way
from stage_cases.common import run_children

SCENE_FRAMES, SCENE_CLICKS, PROMPT_EVERY = 100, 10, 16
"""What a scene of the reference's takes: clicks of the grouping at most, a prompt so often."""


@dataclass(frozen=True)
class Measured:
    """One way: medians over its runs."""

    seconds: float
    encoding: float
    tracking: float
    encoded: int
    peak_mb: float
    logits: NDArray[np.float32]


def measure(way: str, work: Work, runs: int, threads: int) -> Measured:
    """Do the work in processes of its own; return medians."""
    done, logits = run_children(__file__, way, json.dumps(asdict(work)), runs, threads)
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
    """Return the rows of one case, and of what it scales to."""
    low = Work(**asdict(work) | {"precision": "bfloat16"})
    found = {
        "reference": measure("reference", work, runs, threads),
        "ours": measure("ours", work, runs, threads),
        "ours, bfloat16": measure("ours", low, runs, threads),
    }
    reference = found["reference"]
    rows = ["| way | time | of it encoding | encoder calls | peak memory | times faster | masks |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one in found.items():
        rows.append(
            f"| {name} | {one.seconds:.1f} s | {one.encoding:.1f} s | {one.encoded} | "
            f"{one.peak_mb:.0f} MB | {reference.seconds / one.seconds:.1f}x | "
            f"{agreement(one.logits, reference.logits)} |"
        )
    return [*rows, "", *scaled(work, found)] if work.case == "middle" else rows


def agreement(ours: NDArray[np.float32], reference: NDArray[np.float32]) -> str:
    """Return the share of the cells of all masks that are on the same side of the edge."""
    same = float(((ours > 0) == (reference > 0)).mean())
    return f"{100 * same:.2f} % equal"


def scaled(work: Work, found: dict[str, Measured]) -> list[str]:
    """Return the table of a scene of `SCENE_FRAMES` frames, by counted work."""
    prompts = work.objects * (1 + -(-SCENE_FRAMES // PROMPT_EVERY))
    passed = work.objects * (SCENE_FRAMES + 1)
    calls = dict.fromkeys(found, SCENE_FRAMES) | {"reference": SCENE_CLICKS + prompts + passed}
    seconds = {
        name: calls[name] * one.encoding / one.encoded + passed * one.tracking
        for name, one in found.items()
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
    cases: Annotated[str, typer.Option(help="full, middle; commas.")] = "full,middle",
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
    work = Work(str(clip), "middle", sizes[0], frames, counts[0], points, device, precision)
    if by_objects:
        print("\n".join(throughput(work, sizes, counts, runs, threads)))
        return None
    for one, case in product(sizes, cases.split(",")):
        print(f"SAM 2 {one}, {frames} frames, {counts[0]} objects, {case}")
        told_work = Work(**asdict(work) | {"size": one, "case": case})
        print("\n".join(comparison(told_work, runs, threads)), flush=True)
    return None


if __name__ == "__main__":
    typer.run(main)
