"""Labelled tracks against masks of what moves: the classifier alone, before any mask.

As Huang et al., "Segment Any Motion in Videos" (SegAnyMo), CVPR 2025: each track is judged in
the frame it starts from. Measures: see `moseg.evaluation.track_measures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moseg.core.errors import ConfigError, InputError
from moseg.core.layout import Layout
from moseg.evaluation import mask_folders
from moseg.evaluation.frame_pairs import listed
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.results import Measure, Report, SequenceScore, mean_figures
from moseg.evaluation.sequence_lists import known_names
from moseg.evaluation.track_measures import (
    THRESHOLDS,
    ThresholdCounts,
    balanced_cross_entropy,
    track_iou,
)
from moseg.evaluation.tracked_scenes import QueryTracks, TrackedScene, TrackJudge, working_folder

MEASURES = (
    Measure("IoU"),
    Measure("AUC"),
    Measure("AP"),
    Measure("Loss", percent=False),
    Measure("Tracks", percent=False, digits=0),
    Measure("Moving", percent=False, digits=0),
)


def evaluate_tracks(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    threshold: float = 0.7,
    tracks: Path | None = None,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score how well tracks are told to move, against masks of what moves.

    Args:
        pred: the output folder of `moseg run`, or the folder given to `run_inference.py` as
            `--motin_seg_dir`. Working files are read: `frames`, `tracks` and `labels`, which
            `--clean` keeps.
        gt: `<gt>/<sequence>/<frame>.png`, or a DAVIS root with `Annotations/480p`; everything
            above 0 moves.
        sequences: which ones to score; None: all of the truth.
        threshold: above this probability a track is taken to move, for the IoU.
        tracks: where the tracks are if they are not in `pred`: of `run_inference.py` the parent
            of the image folder.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame that tracks start from.

    A track is judged in its query frame: it moves where the mask lies under it. Left out are
    tracks hidden there, those that the classifier did not judge, and query frames without a
    truth. Of each track 5 bytes are held. There are no masks to look at.

    Raises:
        InputError: a folder, sequence, mask or working file is missing, unreadable or does not
            fit; the message says what to do.
        CacheError: working files are damaged.
        ConfigError: `threshold` is no probability.
    """
    if not 0 <= threshold < 1:
        raise ConfigError(f"threshold: {threshold} is no probability; choose one from 0 to below 1")
    truth_root = mask_folders.truth_root(gt)
    known = mask_folders.sequence_folders(truth_root)
    labels_home = working_folder(pred, "predictions")
    tracks_home = labels_home if tracks is None else working_folder(tracks, "tracks")
    names = known_names(sequences, known, truth_root)
    _require_labels(names, labels_home)
    scenes = [
        TrackedScene.find(name, labels_home, tracks_home, truth_root / name) for name in names
    ]
    judge = TrackJudge.of(scenes)
    parts = [
        _Judged.of(scene, found, threshold)
        for scene, (_, found) in zip(
            scenes,
            score_frames(judge, [scene.pairs for scene in scenes], workers, progress),
            strict=True,
        )
    ]
    pooled = sum((part.counts for part in parts[1:]), parts[0].counts)
    scores = tuple(part.score for part in parts)
    return Report(
        protocol="tracks",
        title="Labels of tracks",
        pred=pred,
        truth=gt,
        rules={
            "tracks": "judged in their query frame; left out are those hidden there, those "
            "that were not classified, and query frames without a truth",
            "moving": f"predicted: probability above {threshold}; true: on the mask (above 0)",
            "IoU": "of the two sets of tracks; 0 where both are empty, as in the reference",
            "curves": "over 100 thresholds from 0 to 1, of all tracks together",
            "Loss": "cross-entropy in which moving and still tracks weigh the same",
            "size": "points are scaled to the size of the truth",
            "mean": "IoU and Loss over sequences; AUC and AP of all tracks together; "
            "tracks are summed up",
            "sequences": f"{len(names)} of the {len(known)} of the truth",
        },
        measures=MEASURES,
        figures=mean_figures([score.figures for score in scores]) | _pooled_figures(pooled),
        sequences=scores,
        notes=tuple(note for part in parts for note in part.notes),
        curves={
            "threshold": THRESHOLDS,
            "false-positive-rate": pooled.false_positive_rate,
            "true-positive-rate": pooled.recall,
            "precision": pooled.precision,
            "recall": pooled.recall,
        },
    )


@dataclass(frozen=True)
class _Judged:
    """What was found of one scene."""

    score: SequenceScore
    counts: ThresholdCounts
    notes: tuple[str, ...]

    @classmethod
    def of(cls, scene: TrackedScene, found: list[QueryTracks], threshold: float) -> _Judged:
        """Score all tracks of a scene together."""
        probability = np.concatenate([part.probability for part in found])
        moving = np.concatenate([part.moving for part in found])
        chosen = probability > threshold
        counts = ThresholdCounts.of(probability, moving)
        figures = {
            "IoU": track_iou(chosen, moving),
            **_pooled_figures(counts),
            "Loss": balanced_cross_entropy(probability, moving),
        }
        ordered = {measure.name: figures[measure.name] for measure in MEASURES}
        notes = []
        if scene.without:
            notes.append(
                f"{scene.name}: {len(scene.without)} of {len(scene.without) + len(found)} frames "
                f"that tracks start from have no truth and are left out: {listed(scene.without)}"
            )
        if not moving.any():
            true = "no track is on a mask" if moving.size else "there is no track to judge"
            notes.append(
                f"{scene.name}: {true}, so the IoU is 0 whatever is predicted "
                f"({np.count_nonzero(chosen)} tracks above {threshold})"
            )
        return cls(SequenceScore(scene.name, ordered, scene.pairs.pairs), counts, tuple(notes))


def _pooled_figures(counts: ThresholdCounts) -> dict[str, float]:
    return {
        "AUC": counts.area,
        "AP": counts.average_precision,
        "Tracks": float(counts.moving + counts.still),
        "Moving": float(counts.moving),
    }


def _require_labels(names: Sequence[str], labels_home: Path) -> None:
    """Check that each sequence has labels of tracks.

    Raises:
        InputError: some have not.
    """
    bare = [name for name in names if not Layout(labels_home).slot(name, "labels").target.is_dir()]
    if bare:
        raise InputError(
            f"{labels_home}: no labels of tracks for {listed(bare)} ({len(bare)} of {len(names)} "
            "sequences); give the output of moseg run with its cache, or the folder given as "
            "--motin_seg_dir, or choose the sequences to score with --sequences a,b"
        )
