"""Annotations that are incomplete or of another year: one line or a note, never just a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.evaluation.protocols.davis16 import evaluate_davis16, evaluate_davis16_moving
from moseg.evaluation.protocols.davis17 import evaluate_davis17_unsupervised
from tests.evaluation.folders import numbered, write_labels

FRAME = np.zeros((24, 32), np.uint8)
FRAME[6:16, 4:14] = 1


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and truth of `dog`, 5 frames, equal."""
    write_labels(tmp_path / "pred/dog", numbered([FRAME] * 5))
    write_labels(tmp_path / "gt/dog", numbered([FRAME] * 5))
    return tmp_path / "pred", tmp_path / "gt"


@pytest.mark.parametrize("lost", ["00000", "00002", "00004"])
def test_frames_that_the_truth_lacks_are_told(folders: tuple[Path, Path], lost: str) -> None:
    pred, gt = folders
    (gt / f"dog/{lost}.png").unlink()
    for evaluate in (evaluate_davis16, evaluate_davis16_moving, evaluate_davis17_unsupervised):
        (note,) = evaluate(pred, gt).notes
        assert f"dog: 1 predicted frames have no truth and are left out: {lost}" in note


def test_stray_file_in_the_truth_is_told_though_it_is_not_scored(
    folders: tuple[Path, Path],
) -> None:
    pred, gt = folders
    write_labels(gt / "dog", {"_overlay": FRAME})
    (note,) = evaluate_davis16(pred, gt).notes
    assert "1 of 6 frames have no prediction" in note
    assert "_overlay" in note


@pytest.mark.parametrize("mark", ["ImageSets/2017", "Annotations_unsupervised/480p"])
def test_davis17_is_no_truth_of_davis16(
    folders: tuple[Path, Path], tmp_path: Path, mark: str
) -> None:
    pred, gt = folders
    root = tmp_path / "DAVIS"
    (root / mark).mkdir(parents=True)
    (root / "Annotations").mkdir()
    gt.rename(root / "Annotations/480p")
    for inside in ("", "Annotations", "Annotations/480p"):
        with pytest.raises(InputError, match=r"is of DAVIS-2017, .* use moseg eval davis17-moving"):
            evaluate_davis16(pred, root / inside)


def test_semi_supervised_annotations_are_no_truth_of_the_unsupervised_task(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    pred, gt = folders
    (tmp_path / "DAVIS/ImageSets/2017").mkdir(parents=True)
    (tmp_path / "DAVIS/Annotations").mkdir()
    gt.rename(tmp_path / "DAVIS/Annotations/480p")
    for inside in ("Annotations", "Annotations/480p"):
        with pytest.raises(InputError, match="annotations of the semi-supervised task"):
            evaluate_davis17_unsupervised(pred, tmp_path / "DAVIS" / inside)


def test_several_objects_in_the_truth_are_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    assert evaluate_davis16(pred, gt).notes == ()
    two = FRAME.copy()
    two[18:22, 20:30] = 2
    write_labels(gt / "dog", numbered([two] * 5))
    (note,) = evaluate_davis16(pred, gt).notes
    assert "several objects, here merged into one foreground" in note
    assert note.endswith(": dog")


@pytest.mark.parametrize("mode", ["L", "P"])
def test_ids_beside_void_are_refused(folders: tuple[Path, Path], mode: str) -> None:
    pred, gt = folders
    labels = FRAME.copy()
    labels[20:22] = 255
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette([0] * 768)
    image.save(gt / "dog/00002.png")
    with pytest.raises(InputError, match=r"00002\.png: holds object ids beside 255, which is void"):
        evaluate_davis16(pred, gt)


def test_smooth_edges_of_a_grey_truth_are_taken(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    smooth = FRAME * 255
    smooth[16, 4:14] = 128
    Image.fromarray(smooth).save(gt / "dog/00002.png")
    assert evaluate_davis16(pred, gt).figures["J-Mean"] == pytest.approx((2 + 10 / 11) / 3)


def test_grey_maps_as_predictions_are_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    grey = np.arange(24 * 32, dtype=np.uint32).reshape(24, 32) % 256
    Image.fromarray(grey.astype(np.uint8)).save(pred / "dog/00002.png")
    (note,) = evaluate_davis16(pred, gt).notes
    assert "predictions have grey levels" in note


def test_mask_in_the_transparency_is_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    rgba = np.full((24, 32, 4), 200, np.uint8)
    rgba[..., 3] = FRAME * 255
    Image.fromarray(rgba).save(pred / "dog/00002.png")
    with pytest.raises(InputError, match=r"00002\.png: its transparency differs"):
        evaluate_davis16(pred, gt)
