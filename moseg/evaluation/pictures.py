"""Pictures of a report on disk: the worst frames, and curves."""

from __future__ import annotations

import io
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moseg.core.errors import MosegError, writing_to
from moseg.core.files import published
from moseg.core.images import read_image
from moseg.evaluation.frame_pairs import Reader
from moseg.evaluation.results import Report, SequenceScore
from moseg.evaluation.video_frames import video_frames
from moseg.evaluation.worst_frames import WorstFrame, worst_frames
from moseg.render.curve_picture import Plot, curve_picture
from moseg.render.error_picture import Caption, error_picture, saliency_picture

FOLDER = "worst"
_SHARES, _CODES = (0, 0.25, 0.5, 0.75, 1), (0, 64, 128, 192, 255)
_PLOTS = {
    "vsod": (("F and E", "threshold", ("F", "E"), _CODES),),
    "tracks": (
        ("ROC", "false-positive-rate", ("true-positive-rate",), _SHARES),
        ("Precision and recall", "recall", ("precision",), _SHARES),
    ),
}
"""Protocol -> title, axis, lines and marks of the plots of its curves."""
_EARLIER = re.compile(r"[0-9]{2,}_.*\.png")


def write_worst(report: Report, images: Path | None, count: int, out: Path) -> list[Path]:
    """Write `out/worst/01_<sequence>_<frame>.png` and so on, the worst first.

    Pictures of an earlier call are removed.

    Args:
        report: with a reader, else nothing is written.
        images: where the frames of the videos are, as `video_frames`; without a frame the
            picture is grey and says so.
        count: how many at most.
        out: folder of the results.

    Returns:
        The files.

    Raises:
        InputError: a mask cannot be read any more.
        OutputError: the place cannot be written.
    """
    folder = out / FOLDER
    _remove_earlier(folder)
    if report.read is None:
        return []
    scores = {score.name: score for score in report.sequences}
    written = []
    for number, frame in enumerate(worst_frames(report, count), start=1):
        picture = _picture(report, report.read, scores[frame.sequence], frame, images)
        name = f"{number:02d}_{frame.sequence}_{frame.pair.name}.png".replace("/", "_")
        written.append(folder / name)
        _save(picture, written[-1])
    return written


def write_curves(report: Report, out: Path) -> list[Path]:
    """Write `out/<protocol>-curves.png` if the report has curves that are worth a look.

    Raises:
        OutputError: the place cannot be written.
    """
    plots = [
        Plot(
            title,
            across,
            report.curves[across],
            {name: report.curves[name] for name in lines},
            marks,
        )
        for title, across, lines, marks in _PLOTS.get(report.protocol, ())
    ]
    if not plots:
        return []
    path = out / f"{report.protocol}-curves.png"
    _save(curve_picture(report.title, plots), path)
    return [path]


def _picture(
    report: Report, read: Reader, score: SequenceScore, worst: WorstFrame, images: Path | None
) -> NDArray[np.uint8]:
    masks = read(worst.pair)
    source = video_frames(score, images).get(worst.pair.name)
    frame = None if source is None else _frame(source, masks.truth.shape)
    facts = [f"{worst.measure} = {worst.value:.3f}", report.title]
    if worst.pair.pred is None:
        facts.append("nothing was predicted for this frame")
    if score.objects:
        facts.append("only objects that were scored are shown")
    if frame is None:
        facts.append("the frame of the video was not found")
    caption = Caption(worst.sequence, worst.pair.name, "   ·   ".join(facts))
    if report.protocol == "vsod":
        return saliency_picture(frame, masks.truth, masks.pred, masks.void, caption)
    return error_picture(frame, masks.truth, masks.pred, masks.void, caption)


def _frame(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The frame at the size of its masks; None where it cannot be read."""
    try:
        frame = read_image(path)
    except MosegError:
        return None
    height, width = shape
    if frame.shape[:2] != (height, width):
        frame = np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA))
    return np.asarray(frame, np.uint8)


def _remove_earlier(folder: Path) -> None:
    with writing_to(folder):
        for path in folder.iterdir() if folder.is_dir() else ():
            if _EARLIER.fullmatch(path.name):
                path.unlink()


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG", compress_level=4)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with published(path) as partial:
        partial.write_bytes(encoded.getvalue())
