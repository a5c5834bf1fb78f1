"""One annotated frame of FBMS-59: looked at, read, scored. All of it can run in processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.evaluation import mask_images, measures
from moseg.evaluation.fbms_regions import AnnotatedPixels, Regions, colours_of, read_annotated
from moseg.evaluation.frame_pairs import FrameMasks, FramePair
from moseg.evaluation.region_counts import Counts, count_overlap


class Survey(NamedTuple):
    """What is looked at before anything is scored: colours and the two sizes (H, W)."""

    colours: frozenset[int]
    size: tuple[int, int]
    pred_size: tuple[int, int]


def survey(pair: FramePair) -> Survey:
    """Look at one frame. See `fbms_regions.colours_of` for what it raises."""
    size = mask_images.read_size(pair.truth[0])
    pred_size = size if pair.pred is None else mask_images.read_size(pair.pred)
    return Survey(colours_of(pair.truth[0]), size, pred_size)


@dataclass(frozen=True)
class FbmsReader:
    """Foreground of both masks as 1: a `frame_pairs.Reader`.

    Attributes:
        regions: folder of annotations -> what the colours in it mean.
    """

    regions: Mapping[Path, Regions]

    def __call__(self, pair: FramePair) -> FrameMasks:
        """Read a pair at the size of the truth."""
        return self.merged(*self.frame(pair))

    def frame(self, pair: FramePair) -> tuple[AnnotatedPixels, NDArray[np.uint8]]:
        """The annotation, and labels of the prediction uint8 [H, W] at its size."""
        truth = read_annotated(pair.truth, self.regions_of(pair))
        height, width = truth.foreground.shape
        if pair.pred is None:
            return truth, np.zeros((height, width), np.uint8)
        labels = mask_images.read_labels(pair.pred)
        if labels.shape != (height, width):
            resized = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            return truth, np.asarray(resized, np.uint8)
        return truth, labels

    def merged(self, truth: AnnotatedPixels, labels: NDArray[np.uint8]) -> FrameMasks:
        """Both as one foreground."""
        return FrameMasks(truth.foreground.view(np.uint8), (labels > 0).view(np.uint8))

    def regions_of(self, pair: FramePair) -> Regions:
        """What the colours of a pair's annotation mean."""
        return self.regions[pair.truth[0].parent]


class FrameScore(NamedTuple):
    """One frame: J, F, and how regions and labels overlap."""

    region: float
    boundary: float
    counts: Counts


@dataclass(frozen=True)
class FbmsScore:
    """Scores one pair: callable, and can be sent to another process."""

    read: FbmsReader

    def __call__(self, pair: FramePair) -> FrameScore:
        """Read the files of a pair once, for both tables."""
        truth, labels = self.read.frame(pair)
        masks = self.read.merged(truth, labels)
        pred, true = masks.pred > 0, masks.truth > 0
        number = len(self.read.regions_of(pair).colours)
        return FrameScore(
            measures.region_similarity(pred, true),
            measures.boundary_measure(pred, true),
            count_overlap(truth.regions, labels, truth.weights, number),
        )
