"""DAVIS-2017: several objects a sequence, found without being told which.

Protocol: Caelles et al., "The 2019 DAVIS Challenge on VOS: Unsupervised Multi-Object
Segmentation", 2019, whose tool gives the same figures. Its moving part is the list of Huang et
al., "Segment Any Motion in Videos", CVPR 2025, with their two evaluations: object by object as
above, and all objects as one foreground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moseg.core.errors import InputError
from moseg.evaluation import mask_folders, mask_images, measures
from moseg.evaluation.binary import BY_J, J_AND_F, j_and_f_figures
from moseg.evaluation.frame_pairs import (
    FrameMasks,
    FramePair,
    Labels,
    Reader,
    SequencePairs,
    fitted,
    pair_folders,
    pair_notes,
)
from moseg.evaluation.frame_pool import Progress, score_frames, unheard
from moseg.evaluation.objects import (
    FrameTable,
    MatchedReader,
    ObjectTables,
    compare_objects,
    score_sequence,
)
from moseg.evaluation.results import (
    Measure,
    Report,
    SequenceScore,
    mean_figures,
)
from moseg.evaluation.sequence_lists import find_sequences

VOID = 255
MOST_PROPOSALS = 20
ALL_J_AND_F = tuple(Measure(f"all {measure.name}") for measure in J_AND_F)
"""`J_AND_F` of all objects as one foreground."""
_ALL_COLUMNS = tuple(measure for measure in ALL_J_AND_F if measure.name.endswith("-Mean"))

_RULES = {
    "frames": "all frames 0..T-1",
    "objects": "ids 1 to the highest of the first frame's truth; ids that come later are ignored",
    "void": "pixels of id 255 in the truth count for nothing and are taken out of predictions",
    "proposals": f"at most {MOST_PROPOSALS}, counted up to the highest id; a gap is an empty mask",
    "matching": "one assignment a sequence, best in mean J&F over all frames; an object without "
    "a proposal is scored against empty masks, proposals left over cost nothing",
    "absent": "an object neither annotated nor predicted in a frame has J = F = 1 there",
    "mean": "over all objects of all sequences; recall and decay of each object first",
}


def evaluate_davis17_unsupervised(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score object ids against DAVIS-2017 annotations of the unsupervised task.

    Args:
        pred: `<pred>/<sequence>/<frame>.png`, pixel values are object ids from 1 to 20; or the
            output folder of `moseg run`.
        gt: `<gt>/<sequence>/<frame>.png`, or a DAVIS root with `Annotations_unsupervised/480p`.
        sequences: which ones to score; None: those of `davis17-val`, or all of the truth where
            it lacks some of these.
        workers: processes; None: one for each core. See `frame_pool.score_frames`.
        progress: is told after each frame.

    Which id an object has does not matter, if it keeps it for the whole sequence. Files are
    matched by frame stem; a frame without a prediction counts as empty and is told in the notes.
    Objects are listed by their id in the truth.

    Raises:
        InputError: a folder, sequence or mask is missing, empty, unreadable or of another
            size than the truth; a prediction holds colours or ids above 20; the truth of a
            first frame has no objects. The message names the file or folder.
    """
    found = find_sequences(pred, _truth_root(gt), sequences, "davis17-val")
    found.require_predictions()
    parts = [pair_folders(*folders) for folders in found.folders]
    tables = score_frames(ObjectTables(read_pair), parts, workers, progress)
    scores = tuple(score_sequence(part, some, _objects(part, some)) for part, some in tables)
    return Report(
        protocol="davis17-unsupervised",
        title="DAVIS-2017, unsupervised",
        pred=pred,
        truth=gt,
        rules=_RULES
        | {
            "missing": "a frame without a prediction counts as empty",
            "sequences": found.sentence,
        },
        measures=J_AND_F,
        figures=_over_objects(scores),
        sequences=scores,
        notes=pair_notes(parts),
        read=MatchedReader.of(read_pair, scores),
        ranking=BY_J,
    )


def evaluate_davis17_moving(
    pred: Path,
    gt: Path,
    sequences: Sequence[str] | None = None,
    void_as_foreground: bool = False,
    workers: int | None = 1,
    progress: Progress = unheard,
) -> Report:
    """Score both evaluations of DAVIS17-Moving, by default over the list `davis17-moving`.

    Object by object: as `evaluate_davis17_unsupervised`, whose columns come first. Columns named
    `all ...`: every annotated pixel against every predicted one; J and F of all frames, mean
    over sequences. A sequence without a folder of predictions counts as empty and is told in
    the notes.

    Args:
        void_as_foreground: the published figures of `all ...` take void pixels for foreground;
            True reproduces them.

    The other arguments and the errors: see `evaluate_davis17_unsupervised`.

    Raises:
        InputError: also if no sequence at all has predictions.
    """
    found = find_sequences(pred, _truth_root(gt), sequences, "davis17-moving")
    if not any(folder.is_dir() for _, folder, _ in found.folders):
        found.require_predictions()
    parts = [pair_folders(*folders) for folders in found.folders]
    frames = score_frames(BothTasks(read_pair, void_as_foreground), parts, workers, progress)
    scores = tuple(_score_both(part, some) for part, some in frames)
    of_all = tuple({one.name: score.figures[one.name] for one in ALL_J_AND_F} for score in scores)
    return Report(
        protocol="davis17-moving",
        title="DAVIS17-Moving, object by object and (all ...) as one foreground",
        pred=pred,
        truth=gt,
        rules=_RULES | _rules_of_all(void_as_foreground) | {"sequences": found.sentence},
        measures=J_AND_F + _ALL_COLUMNS,
        figures=_over_objects(scores) | mean_figures(of_all),
        sequences=scores,
        notes=pair_notes(parts),
        read=MatchedReader.of(read_pair, scores),
        ranking=BY_J,
    )


@dataclass(frozen=True)
class BothTasks:
    """What both evaluations need of one pair: callable, and can be sent to another process."""

    read: Reader
    void_as_foreground: bool = False

    def __call__(self, pair: FramePair) -> tuple[FrameTable, float, float]:
        """Return the table of the objects, and J and F of all of them as one foreground."""
        masks = self.read(pair)
        pred, truth, void = masks.pred > 0, masks.truth > 0, masks.void
        if self.void_as_foreground and void is not None:
            truth, void = truth | void, None
        return (
            compare_objects(masks),
            measures.region_similarity(pred, truth, void),
            measures.boundary_measure(pred, truth, void),
        )


def read_pair(pair: FramePair) -> FrameMasks:
    """Object ids of both, and where the truth is void. See `frame_pairs.Reader`.

    Raises:
        InputError: a file cannot be read or holds no object ids, or the sizes differ.
    """
    truth = mask_images.read_labels(pair.truth[0])
    pred = None if pair.pred is None else _read_proposals(pair.pred)
    masks = fitted(pred, truth, pair)
    void = masks.truth == VOID
    return replace(masks, truth=np.where(void, np.uint8(0), masks.truth), void=void)


def _read_proposals(path: Path) -> Labels:
    labels = mask_images.read_labels(path)
    highest = int(labels.max(initial=0))
    if highest == VOID:
        raise InputError(
            f"{path}: holds the id 255, which is void in DAVIS and no object; number the objects "
            f"from 1 to {MOST_PROPOSALS} (a single foreground is 1)"
        )
    if highest > MOST_PROPOSALS:
        raise InputError(
            f"{path}: holds the object id {highest}, and DAVIS-2017 takes at most "
            f"{MOST_PROPOSALS} objects a sequence, counted up to the highest id; keep the largest "
            "ones and number them from 1"
        )
    return labels


def _score_both(
    part: SequencePairs, found: Sequence[tuple[FrameTable, float, float]]
) -> SequenceScore:
    tables = [table for table, _, _ in found]
    score = score_sequence(part, tables, _objects(part, tables))
    region = np.array([value for _, value, _ in found])
    boundary = np.array([value for _, _, value in found])
    of_all = j_and_f_figures(measures.statistics(region), measures.statistics(boundary))
    return replace(
        score,
        figures={**score.figures, **{f"all {name}": value for name, value in of_all.items()}},
        series={**score.series, "all J": region, "all F": boundary},
    )


def _objects(part: SequencePairs, tables: Sequence[FrameTable]) -> range:
    """Ids of the objects: up to the highest of the first frame."""
    highest = max(tables[0].objects)
    if highest == 0:
        raise InputError(
            f"{part.pairs[0].truth[0]}: the first frame of {part.name} has no object id (255 is "
            "void); give annotations of DAVIS-2017 (Annotations_unsupervised/480p), or use moseg "
            "eval davis16 for annotations with one foreground"
        )
    return range(1, highest + 1)


def _over_objects(scores: Sequence[SequenceScore]) -> dict[str, float]:
    return mean_figures([one.figures for score in scores for one in score.objects])


def _rules_of_all(void_as_foreground: bool) -> dict[str, str]:
    void = (
        "void pixels are foreground of the truth, as in published figures"
        if void_as_foreground
        else "void pixels count for nothing"
    )
    return {
        "all": "all annotated ids together against all predicted ids together; all frames, "
        f"mean over sequences; {void}",
        "missing": "a frame without a prediction counts as empty, and so does a sequence",
    }


def _truth_root(gt: Path) -> Path:
    inside = "Annotations_unsupervised/480p"
    root = mask_folders.truth_root(gt, (inside, "480p"))
    if root == gt and (gt / "Annotations").is_dir():
        raise InputError(
            f"{gt}: holds Annotations but no {inside}; fetch the annotations of the unsupervised "
            "task of DAVIS-2017, or give the folder of sequence folders itself"
        )
    if "Annotations" in root.absolute().parts[-2:] and mask_folders.is_davis17(root):
        raise InputError(
            f"{gt}: these are annotations of the semi-supervised task, without void; give the "
            f"root of DAVIS-2017 or its {inside}"
        )
    return root
