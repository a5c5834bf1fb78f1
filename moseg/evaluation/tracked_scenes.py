"""Labelled tracks of a scene beside the masks of its query frames, read from working files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import InputError
from moseg.core.frame_record import FrameRecord
from moseg.core.labelled_tracks import label_files
from moseg.core.layout import Layout
from moseg.core.sampling import on_mask
from moseg.core.track_sets import TrackSets
from moseg.core.types import TrackLabels
from moseg.evaluation import mask_folders, mask_images
from moseg.evaluation.frame_pairs import FramePair, SequencePairs, listed, refuse_renumbered

CACHES = ("cache", ".moseg")
"""Working folders inside an output of `moseg run`, and inside the folders of `run_inference.py`."""
ASPECT = 0.02
"""How much the shapes of frames and truth may differ; sizes are rounded when frames shrink."""


def working_folder(folder: Path, role: str) -> Path:
    """The working folder in a folder of results, or that folder itself.

    Raises:
        InputError: no such folder; `role` says what for.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder for the {role}; check the path")
    inside = [folder / name for name in CACHES if (folder / name).is_dir()]
    return inside[0] if inside else folder


@dataclass(frozen=True)
class TrackedScene:
    """A scene's working files and truth.

    Attributes:
        name: of the scene and of the sequence of the truth.
        tracks, labels: the artefacts.
        size: height and width of the frames in whose pixels the tracks are.
        pairs: query frames that have a truth; the prediction is the file of labels.
        without: names of those that have none.
    """

    name: str
    tracks: Path
    labels: Path
    size: tuple[int, int]
    pairs: SequencePairs
    without: tuple[str, ...]

    @classmethod
    def find(
        cls, name: str, labels_home: Path, tracks_home: Path, truth_folder: Path
    ) -> TrackedScene:
        """Match query frames with the files of the truth, by name.

        Raises:
            InputError: tracks or the list of frames are gone, no frame has a truth, or scene
                and truth each have frames that the other lacks: they are numbered otherwise.
            CacheError: the files are damaged or do not belong together.
        """
        labels = Layout(labels_home).slot(name, "labels").target
        tracks = Layout(tracks_home).slot(name, "tracks").target
        frames = Layout(tracks_home).slot(name, "frames", ".json").target
        for path in (tracks, frames):
            if not path.exists():
                raise InputError(
                    f"{path}: not there, but the labels are; run again, or give the parent of "
                    "the image folder as --tracks where run_inference.py made them"
                )
        record = FrameRecord.load(frames)
        with TrackSets(tracks) as sets:
            files = label_files(sets, tracks, labels)
        names = {record.target.names[record.target_positions[query]]: query for query in files}
        truth = mask_folders.mask_files(truth_folder)
        if not names.keys() & truth.keys():
            raise InputError(
                f"{truth_folder}: no mask is named like a frame that tracks start from "
                f"({listed(list(names), 2)}); rename the masks like the frames of the scene"
            )
        refuse_renumbered(truth_folder, list(truth), record.target.names, "scene")
        found = tuple(
            FramePair(frame, (truth[frame],), files[query])
            for frame, query in names.items()
            if frame in truth
        )
        return cls(
            name=name,
            tracks=tracks,
            labels=labels,
            size=record.selection.size(record.index.height, record.index.width),
            pairs=SequencePairs(name, labels, found),
            without=tuple(frame for frame in names if frame not in truth),
        )


class QueryTracks(NamedTuple):
    """The tracks of one query frame that are judged: float32 [n] and bool [n]."""

    probability: NDArray[np.float32]
    moving: NDArray[np.bool_]


class _Artefact(NamedTuple):
    """Tracks, and height and width of the frames in whose pixels they are."""

    tracks: Path
    size: tuple[int, int]


@dataclass(frozen=True)
class TrackJudge:
    """Reads the tracks of one query frame: callable, and can be sent to another process.

    Attributes:
        artefacts: folder of labels -> its tracks.
    """

    artefacts: Mapping[Path, _Artefact]

    @classmethod
    def of(cls, scenes: Iterable[TrackedScene]) -> TrackJudge:
        """The judge of these scenes."""
        return cls({scene.labels: _Artefact(scene.tracks, scene.size) for scene in scenes})

    def __call__(self, pair: FramePair) -> QueryTracks:
        """Return the tracks that are visible and were classified, and which of them move.

        Raises:
            InputError: the mask cannot be read or has another shape than the frames.
        """
        assert pair.pred is not None
        folder, size = self.artefacts[pair.pred.parent]
        labels = TrackLabels.load(pair.pred)
        with TrackSets(folder) as sets:
            tracks = sets.load(labels.query_frame)
        mask = mask_images.read_true_foreground(pair.truth[0])
        at = labels.query_frame - tracks.start
        judged = tracks.visible[:, at] & ~np.isnan(labels.probability)
        xy = _scaled(tracks.xy[judged, at], size, mask.shape, pair.truth[0])
        return QueryTracks(labels.probability[judged], on_mask(xy, mask))


def _scaled(
    xy: NDArray[np.float32], size: tuple[int, int], truth: tuple[int, ...], path: Path
) -> NDArray[np.float32]:
    """Points [n, 2] of frames of a size (height, width) as pixels of the truth.

    Raises:
        InputError: the truth has another shape.
    """
    down, along = truth[0] / size[0], truth[1] / size[1]
    if abs(down / along - 1) > ASPECT:
        raise InputError(
            f"{path}: the mask is {truth[1]}x{truth[0]}, which is another shape than the "
            f"{size[1]}x{size[0]} of the frames; give the truth of these frames"
        )
    moved = (xy + 0.5) * np.array([along, down], np.float32) - 0.5
    # A point of the outermost pixels stays in the picture where that is made smaller.
    return np.where(xy >= 0, np.maximum(moved, 0), moved)
