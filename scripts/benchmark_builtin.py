"""Quality and speed of the built-in preset on a folder of sequences.

    python scripts/benchmark_builtin.py --data ../shared/data/davis16_dev

DATA holds `JPEGImages/480p/<sequence>/` and `Annotations/480p/<sequence>/`. Everything is
computed anew. Printed are J and F (frames 1..T-2, as DAVIS-2016), seconds a frame by stage,
and what each half reaches with the other half's truth:

    labels     IoU of tracks labelled moving against the truth under them: what a perfect
               densifier could use.
    densifier  J of the densifier fed true labels on a grid of 8 pixels, of the working frame
               and (sparse) of a frame of 224x128.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from moseg.core.frame_record import FrameRecord
from moseg.core.labelled_tracks import LabelledTracks
from moseg.core.parallel import single_threaded_libraries
from moseg.core.progress import Display
from moseg.core.scene import Scene
from moseg.core.working_clip import WorkingClip
from moseg.evaluation.mask_images import read_foreground
from moseg.evaluation.measures import region_similarity
from moseg.evaluation.protocols.davis16 import evaluate_davis16
from moseg.evaluation.results import Report
from moseg.pipeline.config import load_config
from moseg.pipeline.place import Place
from moseg.pipeline.report import RunReport
from moseg.pipeline.session import Session
from moseg.sam2.light.densify import DensifySettings, PointLabels, find_regions, sharpen

Bool = NDArray[np.bool_]
SURE = 3.0
SPARSE_WIDTH = 224
COMPUTING = ("frames", "flow", "depths", "tracks", "dinos", "labels", "masks")


@dataclass(frozen=True)
class Halves:
    """Mean over frames 1..T-2 of one sequence, each half with the other half's truth."""

    labels: float
    densifier: float
    densifier_sparse: float


class TrueLabels:
    """A working clip whose points come from the truth, on a regular grid."""

    def __init__(self, clip: WorkingClip, truth: list[Path], spacing: float) -> None:
        self.clip = clip
        self.truth = truth
        self.rgb, self.forward, self.backward = clip.rgb, clip.forward, clip.backward
        height, width = clip.size
        x, y = np.arange(spacing / 2, width, spacing), np.arange(spacing / 2, height, spacing)
        self.grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)

    def __len__(self) -> int:
        return len(self.clip)

    def points(self, index: int) -> PointLabels:
        """The grid with log-odds of +-3 from the annotation under each point."""
        mask = read_foreground(self.truth[index])
        inside = under(mask, self.grid, self.clip.size)
        log_odds = np.where(inside, SURE, -SURE).astype(np.float32)
        return PointLabels(self.grid, log_odds, np.ones(len(log_odds), np.float32))


def under(mask: Bool, xy: NDArray[np.float32], size: tuple[int, int]) -> Bool:
    """Read a full-size mask at points given in pixels of a frame of `size`."""
    scale = np.array([mask.shape[1] / size[1], mask.shape[0] / size[0]])
    at = np.floor((xy + 0.5) * scale).astype(int)
    x = np.clip(at[:, 0], 0, mask.shape[1] - 1)
    y = np.clip(at[:, 1], 0, mask.shape[0] - 1)
    return np.asarray(mask[y, x])


def halves(data: Path, cache: Path, name: str) -> Halves:
    """Measure both halves of one sequence from the caches of a finished run."""
    truth = sorted((data / "Annotations/480p" / name).glob("*.png"))
    record = FrameRecord.load(cache / name / "frames.json")
    frames = record.open(Scene(name, data / "JPEGImages/480p" / name, "images"))
    points = LabelledTracks(cache / name / "tracks", cache / name / "labels")
    with WorkingClip(cache / name / "flow") as clip, single_threaded_libraries():

        def labels() -> Iterator[float]:
            for index, path in enumerate(truth):
                seen = points.points(index)
                true = under(read_foreground(path), seen.xy, (frames.height, frames.width))
                yield region_similarity(true[None], (seen.log_odds > 0)[None])

        def densifier(spacing: float) -> Iterator[float]:
            true, settings = TrueLabels(clip, truth, spacing), DensifySettings()
            scratch: dict[tuple[str, int], NDArray[Any]] = {}
            regions = find_regions(true, scratch, settings)
            dense = sharpen(true, scratch, regions.ids, settings)
            for path, frame, full in zip(truth, dense, frames, strict=True):
                yield region_similarity(read_foreground(path), frame.lift(full) > 0)

        sparse = 8 * clip.size[1] / SPARSE_WIDTH
        return Halves(inner(labels()), inner(densifier(8)), inner(densifier(sparse)))


def inner(values: Iterator[float]) -> float:
    """Mean without the first and last frame."""
    return float(np.mean(list(values)[1:-1]))


def quality_table(report: Report, measured: dict[str, Halves]) -> Table:
    """One row a sequence: J, F and the halves, in percent."""
    table = Table(title="quality, percent")
    for column in ("sequence", "J", "F", "labels alone", "densifier alone", "... sparse"):
        table.add_column(column, justify="left" if column == "sequence" else "right")
    rows = [
        (s.name, s.figures["J-Mean"], s.figures["F-Mean"], measured[s.name])
        for s in report.sequences
    ]
    for name, j, f, half in rows:
        values = (j, f, half.labels, half.densifier, half.densifier_sparse)
        table.add_row(name, *[percent(value) for value in values])
    columns = [[j, f, h.labels, h.densifier, h.densifier_sparse] for _, j, f, h in rows]
    table.add_row("mean", *[percent(value) for value in np.mean(columns, axis=0)])
    return table


def percent(value: float) -> str:
    """Return a share as text; a dash for what was not measured."""
    return "-" if np.isnan(value) else f"{100 * value:.1f}"


def speed_table(run: RunReport, frames: int, wall: float) -> Table:
    """Wall seconds a frame by stage, summed over all scenes."""
    table = Table(title=f"speed, seconds a frame over {frames} frames")
    table.add_column("stage")
    table.add_column("seconds a frame", justify="right")
    records = [record for result in run.results for record in result.records]
    for stage in COMPUTING:
        spent = sum(record.seconds for record in records if record.stage == stage)
        table.add_row(stage, f"{spent / frames:.3f}")
    table.add_row("decode to masks, as a whole", f"{wall / frames:.3f}")
    return table


def main(
    data: Annotated[Path, typer.Option(help="Folder in the layout of DAVIS-2016.")],
    workers: Annotated[int, typer.Option(help="Worker processes.")] = 1,
    with_halves: Annotated[bool, typer.Option("--halves/--no-halves")] = True,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
) -> None:
    """Run the built-in preset on DATA and print quality and speed."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="moseg-benchmark-") as folder:
        out = Path(folder)
        config = load_config(settings=settings or ())
        session = Session((data / "JPEGImages/480p",), out, config, Place(workers=workers))
        begin = time.perf_counter()
        with Display() as display:
            run = session.run(display, only=["frames", "masks"])
        wall = time.perf_counter() - begin
        if run.failures:
            raise SystemExit("\n".join(run.failures))
        report = evaluate_davis16(out, data)
        names = [sequence.name for sequence in report.sequences]
        unknown = Halves(float("nan"), float("nan"), float("nan"))
        measured = {
            name: halves(data, out / "cache", name) if with_halves else unknown for name in names
        }
    frames = sum(record.summary.get("masks", 0) for r in run.results for record in r.records)
    console.print(quality_table(report, measured))
    console.print(speed_table(run, frames, wall))


if __name__ == "__main__":
    typer.run(main)
