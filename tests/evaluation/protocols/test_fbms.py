"""FBMS-59 scores: both tables, frame numbers, sizes, what is wrong with predictions."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.protocols.fbms import evaluate_fbms
from tests.evaluation.fbms_folders import (
    ANNOTATED,
    BLACK_GROUND,
    PERFECT,
    SIZE,
    WHITE_GROUND,
    painted,
    scene,
    write_definition,
    write_folders,
    write_images,
    write_pred,
    write_truth,
)
from tests.evaluation.folders import write_labels
from tests.evaluation.test_fbms_definition import definition_text
from tests.parity import cases


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """See `write_folders`."""
    return write_folders(tmp_path)


@pytest.mark.parity
@pytest.mark.parametrize("file", cases("davis_evaluation", "fbms_pr*.npz"))
def test_precision_and_recall_equal_those_of_the_tool(file: Path, tmp_path: Path) -> None:
    with np.load(file) as stored:
        known = dict(stored)
    truth = tmp_path / "TestSet" / "Data" / "shot" / "GroundTruth"
    truth.mkdir(parents=True)
    values = known["in_region_scale_values"].tolist()
    palette = {i: (v >> 16, v >> 8 & 255, v & 255) for i, v in enumerate(values)}
    frames = known["in_labeled_frames"].tolist()
    for frame in frames:
        painted(known["in_gt"][frame], palette).save(truth / f"shot_{frame + 1:03d}.ppm")
        Image.fromarray(known["in_prob"][frame]).save(truth / f"shot_{frame + 1:03d}.pgm")
    told = [(f, f"shot_{f + 1:03d}.ppm", f"shot_{f + 1:03d}.jpg") for f in frames]
    (truth / "shotDef.dat").write_text(definition_text(values, len(known["in_gt"]), told))
    shown = {f"shot_{i + 1:03d}": labels for i, labels in enumerate(known["in_pred"])}
    write_labels(tmp_path / "pred" / "shot", shown)
    found = evaluate_fbms(tmp_path / "pred", tmp_path).sequences[0].figures
    figures = [found[name] for name in ("Precision", "Recall", "F-Measure")]
    np.testing.assert_allclose(figures, known["out_P_R_F"], rtol=0, atol=1e-5)
    assert found["Extracted"] == known["out_extracted"]
    assert found["Visible"] == known["out_visible"]
    assert 100 * found["Density"] == pytest.approx(float(known["out_density_percent"]))


def test_both_tables_by_hand(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for frame in ANNOTATED:  # both objects under one id, and half of the first one only
        labels = np.where(scene(frame) > 0, 7, 0).astype(np.uint8)
        labels[2:6] = 0
        write_labels(pred / "cars1", {f"cars1_{frame:02d}": labels})
    found = evaluate_fbms(pred, gt).figures
    assert found["J-Mean"] == pytest.approx(96 / 128)
    pixels = SIZE[0] * SIZE[1]
    ground = pixels - 128
    # Background with 0, the second object with 7; the first one is left without a cluster.
    assert found["Precision"] == pytest.approx((ground / (ground + 32) + 64 / 96 + 1) / 3)
    assert found["Recall"] == pytest.approx((1 + 1 + 0) / 3)
    p, r = found["Precision"], found["Recall"]
    assert found["F-Measure"] == pytest.approx(2 * p * r / (p + r))
    assert (found["Extracted"], found["Visible"]) == (1, 2)  # 0.8 is more than 0.75
    assert evaluate_fbms(pred, gt, threshold=0.85).figures["Extracted"] == 0


def test_figures_of_the_set(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_truth(gt / "cats01")
    write_labels(pred / "cats01", {f"{f:04d}": np.zeros(SIZE, np.uint8) for f in ANNOTATED})
    report = evaluate_fbms(pred, gt)
    first, second = (score.figures for score in report.sequences)
    assert second["J-Mean"] == 0
    assert report.figures["J-Mean"] == pytest.approx(0.5)
    p = (first["Precision"] + second["Precision"]) / 2
    r = (first["Recall"] + second["Recall"]) / 2
    assert report.figures["F-Measure"] == pytest.approx(2 * p * r / (p + r))
    assert report.figures["F-Measure"] != pytest.approx(
        (first["F-Measure"] + second["F-Measure"]) / 2
    )
    assert (report.figures["Extracted"], report.figures["Visible"]) == (2, 4)
    assert "2 of the 30 of fbms-test" in report.rules["sequences"]
    assert "never to be mixed" in report.rules["tables"]


def test_mtnet_leaves_out_the_ends_of_j_and_f_only(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_labels(pred / "cars1", {f"cars1_{f:02d}": np.zeros(SIZE, np.uint8) for f in (1, 19)})
    report = evaluate_fbms(pred, gt, frames="mtnet")
    whole = evaluate_fbms(pred, gt)
    assert report.figures["J-Mean"] == 1
    assert whole.figures["J-Mean"] == pytest.approx(1 / 3)
    assert [pair.name for pair in report.sequences[0].pairs] == ["cars1_10"]
    assert len(report.sequences[0].series["J"]) == 1
    assert report.figures["Recall"] == whole.figures["Recall"] < 1
    assert "without the first and the last" in report.rules["frames"]
    (gt / "cars1" / "cars1_10.png").unlink()
    with pytest.raises(InputError, match="cars1: 2 frames are too few"):
        evaluate_fbms(pred, gt, frames="mtnet")


def test_unknown_options_are_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match=r"'davis16' is unknown.*mtnet"):
        evaluate_fbms(*folders, frames="davis16")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="75 is not between 0 and 1"):
        evaluate_fbms(*folders, threshold=75)


@pytest.mark.parametrize("name", ["cars1_{:02d}", "{:05d}", "frame_{}", "{:03d}_gt"])
@pytest.mark.parametrize("true_name", ["cars1_{:02d}", "{:04d}", "cars1_{:03d}_gt"])
def test_names_may_differ_as_long_as_numbers_agree(
    tmp_path: Path, name: str, true_name: str
) -> None:
    write_pred(tmp_path / "pred", name)
    write_truth(tmp_path / "gt" / "cars1", name=true_name)
    assert evaluate_fbms(tmp_path / "pred", tmp_path / "gt").figures["J-Mean"] == 1


def test_predictions_from_zero_are_refused_where_only_annotations_are_known(
    tmp_path: Path,
) -> None:
    write_pred(tmp_path / "pred", "{:05d}", first=0)
    write_truth(tmp_path / "gt" / "cars1")
    with pytest.raises(InputError, match=r"pred/cars1: the masks are numbered 0\.\.18.*1, 10, 19"):
        evaluate_fbms(tmp_path / "pred", tmp_path / "gt")


@pytest.mark.parametrize("known_by", ["images", "mtnet images", "definition"])
def test_predictions_from_zero_are_matched_where_all_frames_are_known(
    tmp_path: Path, known_by: str
) -> None:
    write_pred(tmp_path / "pred", "{:05d}", first=0)
    gt = tmp_path / "gt"
    if known_by == "mtnet images":
        write_truth(gt / "test" / "mask" / "cars1")
        write_images(gt / "test" / "frame" / "cars1")
    else:
        write_truth(gt / "cars1" / "GroundTruth")
    if known_by == "images":
        write_images(gt / "cars1")
    if known_by == "definition":
        write_definition(gt / "cars1" / "GroundTruth", [0, 0xFF0000, 0x00C80A], ".png")
    report = evaluate_fbms(tmp_path / "pred", gt)
    assert report.figures["J-Mean"] == 1
    assert [note.split(":")[0] for note in report.notes] == [
        "predictions are numbered from 0, not like the images; matched in this order"
    ]


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    write_pred(tmp_path / "pred", "{:05d}", first=101)
    write_truth(tmp_path / "gt" / "cars1" / "GroundTruth")
    with pytest.raises(InputError, match=r"numbered 101\.\.119.*annotated frames are 1, 10, 19"):
        evaluate_fbms(tmp_path / "pred", tmp_path / "gt")
    write_images(tmp_path / "gt" / "cars1")
    with pytest.raises(InputError, match=r"numbered 101\.\.119, but the 19 frames .* 1\.\.19"):
        evaluate_fbms(tmp_path / "pred", tmp_path / "gt")


def test_missing_annotated_frame_counts_as_empty_and_is_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    (pred / "cars1" / "cars1_10.png").unlink()
    (pred / "cars1" / "cars1_11.png").unlink()  # not annotated
    report = evaluate_fbms(pred, gt)
    assert report.figures["J-Mean"] == pytest.approx(2 / 3)
    assert report.figures["Recall"] < 1
    assert len(report.notes) == 1
    assert "cars1: 1 of 3 frames have no prediction" in report.notes[0]


def test_prediction_of_another_size_is_brought_to_the_truth_and_told(
    folders: tuple[Path, Path],
) -> None:
    pred, gt = folders
    twice, half = scene(1).repeat(2, axis=0).repeat(2, axis=1), scene(10)[::2, ::2]
    write_labels(pred / "cars1", {"cars1_01": 100 * twice, "cars1_10": 100 * half})
    write_labels(pred / "cars1", {"cars1_19": 100 * scene(19)})
    report = evaluate_fbms(pred, gt)
    assert report.figures.items() >= PERFECT.items()
    assert len(report.notes) == 1
    assert "predictions of 2 of 3 annotated frames" in report.notes[0]
    assert "(64x48, not 32x24)" in report.notes[0]


def test_a_greater_prediction_is_read_at_the_centres_of_pixels(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for at in ANNOTATED:
        thrice = np.zeros((3 * SIZE[0], 3 * SIZE[1]), np.uint8)
        thrice[1::3, 1::3] = scene(at)
        write_labels(pred / "cars1", {f"cars1_{at:02d}": thrice})
    assert evaluate_fbms(pred, gt).figures.items() >= PERFECT.items()


@pytest.mark.parametrize("colours", [BLACK_GROUND, WHITE_GROUND])
def test_a_prediction_of_foreground_alone_does_not_flip(
    folders: tuple[Path, Path], colours: dict[int, tuple[int, int, int]]
) -> None:
    pred, gt = folders
    write_truth(gt / "cars1", colours)
    for value in (1, 255):
        full = {f"cars1_{f:02d}": np.full(SIZE, value, np.uint8) for f in ANNOTATED}
        write_labels(pred / "cars1", full)
        share = 128 / (SIZE[0] * SIZE[1])
        assert evaluate_fbms(pred, gt).figures["J-Mean"] == pytest.approx(share)


def test_wrong_predictions_are_told_in_one_line(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    file = pred / "cars1" / "cars1_10.png"
    painted(scene(10), BLACK_GROUND).save(file)
    with pytest.raises(InputError, match=r"cars1_10\.png: holds colours \(RGB\)"):
        evaluate_fbms(pred, gt)
    Image.fromarray(scene(10).astype(np.uint16) * 300).save(file)
    with pytest.raises(InputError, match=r"cars1_10\.png: holds the id 600"):
        evaluate_fbms(pred, gt)
    file.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"cars1_10\.png: cannot be read"):
        evaluate_fbms(pred, gt)
    write_labels(pred / "cars1", {"1_010": scene(10), "cars1_10": scene(10)})
    with pytest.raises(InputError, match="are both frame 10 by their names"):
        evaluate_fbms(pred, gt)
    for path in (pred / "cars1").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="cars1: holds no PNG mask"):
        evaluate_fbms(pred, gt)
    (pred / "cars1").rmdir()
    with pytest.raises(InputError, match="no predictions for cars1"):
        evaluate_fbms(pred, gt)


def test_masks_of_a_pair_are_read_as_they_were_scored(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_labels(pred / "cars1", {"cars1_10": scene(12).repeat(2, axis=0)})
    report = evaluate_fbms(pred, gt)
    assert report.read is not None
    masks = pickle.loads(pickle.dumps(report.read))(report.sequences[0].pairs[1])
    np.testing.assert_array_equal(masks.truth, scene(10) > 0)
    np.testing.assert_array_equal(masks.pred, scene(12) > 0)
