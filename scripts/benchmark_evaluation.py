"""Speed and memory of `moseg eval`, on trees of the benchmarks' sizes.

    python scripts/benchmark_evaluation.py --data ../shared/data/davis16_dev

DATA holds `Annotations/480p/<sequence>/<frame>.png`, whose masks fill the trees; predictions are
the same masks moved by a few pixels. Printed are medians of several runs of the real command:

    davis16    the validation set of DAVIS-2016: 20 sequences, 1 376 frames.
    davis17    as many frames and sequences, four objects and five proposals each; beside it the
               time that the same pairs of one sequence take when each boundary is found and
               widened anew for every pair, over ours.
    length     one sequence of 50 frames and one of 2 000: peak memory of the largest process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import cycle, islice, product
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from moseg.core.masks import write_mask_png
from moseg.evaluation.frame_pairs import FrameMasks
from moseg.evaluation.mask_images import read_foreground, read_labels
from moseg.evaluation.measures import boundary_measure, region_similarity
from moseg.evaluation.objects import compare_objects

DAVIS_VAL = {
    **{"blackswan": 50, "bmx-trees": 80, "breakdance": 84, "camel": 90, "car-roundabout": 75},
    **{"car-shadow": 40, "cows": 104, "dance-twirl": 90, "dog": 60, "drift-chicane": 52},
    **{"drift-straight": 50, "goat": 90, "horsejump-high": 50, "kite-surf": 50, "libby": 49},
    **{"motocross-jump": 40, "paragliding-launch": 80, "parkour": 100, "scooter-black": 43},
    "soapbox": 99,
}
"""Sequences of DAVIS-2016 val and their numbers of frames."""
OBJECTS, PROPOSALS = 4, 5
Labels = NDArray[np.uint8]


def main(
    data: Annotated[Path, typer.Option(help="Folder with Annotations/480p/<sequence>.")],
    workers: Annotated[int, typer.Option(help="Processes of moseg eval.")] = 2,
    runs: Annotated[int, typer.Option(help="Runs of each case.")] = 3,
    share: Annotated[float, typer.Option(help="Part of the frames, for a quick try.")] = 1.0,
) -> None:
    """Measure the cases and print a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        binary, objects = root / "davis16", root / "davis17"
        lengths = {name: max(3, round(share * frames)) for name, frames in DAVIS_VAL.items()}
        fill(binary, lengths, (foreground(file) for file in endless(data)))
        fill(objects, lengths, (cut(foreground(file)) for file in endless(data)))
        print("| case | frames | time | a frame | memory |")
        print("| --- | --- | --- | --- | --- |")
        print(row("davis16", binary, lengths, workers, runs))
        print(row("davis17-unsupervised", objects, lengths, workers, runs))
        for length in (round(50 * share), round(2000 * share)):
            tree = root / f"length{length}"
            fill(tree, {"long": length}, (foreground(file) for file in endless(data)))
            print(row("davis16", tree, {"long": length}, 1, runs))
        print(f"\nEach boundary anew for every pair: {pair_by_pair(objects):.1f}x the time.")


def endless(data: Path) -> Iterator[Path]:
    """The mask files of `data`, again and again."""
    files = sorted((data / "Annotations" / "480p").glob("*/*.png"))
    if not files:
        raise typer.BadParameter(f"{data} holds no Annotations/480p/<sequence>/<frame>.png")
    return cycle(files)


def foreground(file: Path) -> Labels:
    """Mask of one file as 0 and 255, uint8 [H, W]."""
    return read_foreground(file).astype(np.uint8) * 255


def cut(mask: Labels) -> Labels:
    """The foreground cut into `OBJECTS` objects, by columns of equal area."""
    share = np.cumsum((mask > 0).sum(axis=0))
    part = np.minimum(share * OBJECTS // max(1, share[-1]), OBJECTS - 1) + 1
    return np.where(mask > 0, part, 0).astype(np.uint8)


def fill(root: Path, lengths: Mapping[str, int], masks: Iterator[Labels]) -> None:
    """Write `root/gt` and `root/pred`; predictions are moved, and have one object more."""
    for name, length in lengths.items():
        for kind in ("gt", "pred"):
            (root / kind / name).mkdir(parents=True)
        for number, mask in enumerate(islice(masks, length)):
            moved = np.roll(mask, (3, -4), axis=(0, 1))
            if mask.max() < 255:
                moved[:60, :60] = PROPOSALS
            write_mask_png(root / "gt" / name / f"{number:05d}.png", mask)
            write_mask_png(root / "pred" / name / f"{number:05d}.png", moved)


def row(case: str, root: Path, lengths: Mapping[str, int], workers: int, runs: int) -> str:
    """Time the real command on one tree and return a row of the table."""
    frames = sum(lengths.values())
    measured = [run(case, root, workers) for _ in range(runs)]
    seconds, memory = median(m[0] for m in measured), median(m[1] for m in measured)
    name = f"{case}, {len(lengths)} sequence{'s' if len(lengths) > 1 else ''}, workers {workers}"
    cells = (name, str(frames), f"{seconds:.1f} s", f"{1000 * seconds / frames:.1f} ms")
    return f"| {' | '.join(cells)} | {memory:.0f} MB |"


def run(case: str, root: Path, workers: int) -> tuple[float, float]:
    """Seconds of one `moseg eval`, and MB of its largest process."""
    command = [sys.executable, "-m", "moseg.cli", "eval", case, "--workers", str(workers)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--pred", str(root / "pred"), "--gt", str(root / "gt")],
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"moseg eval {case} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def pair_by_pair(root: Path) -> float:
    """Time of one sequence scored pair by pair, over ours."""
    files = sorted((root / "gt" / "car-shadow").glob("*.png"))
    pairs = [
        FrameMasks(read_labels(file), read_labels(root / "pred" / "car-shadow" / file.name))
        for file in files
    ]
    start = time.perf_counter()
    for masks in pairs:
        for proposal, label in product(range(1, PROPOSALS + 1), range(1, OBJECTS + 1)):
            region_similarity(masks.pred == proposal, masks.truth == label)
            boundary_measure(masks.pred == proposal, masks.truth == label)
    naive = time.perf_counter() - start
    start = time.perf_counter()
    for masks in pairs:
        compare_objects(masks)
    return naive / (time.perf_counter() - start)


if __name__ == "__main__":
    typer.run(main)
