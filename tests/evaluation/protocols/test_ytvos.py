"""YTVOS18-m scores: annotated frames, first objects, means, wrong folders."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.frame_pairs import Labels
from moseg.evaluation.protocols.ytvos import evaluate_ytvos18_moving
from tests.evaluation.folders import numbered, write_labels

SIZE = (24, 40)
FRAMES = 11


def frame(ids: tuple[int, ...], left: int = 0) -> Labels:
    labels = np.zeros(SIZE, np.uint8)
    for place, label in enumerate(ids):
        labels[8:16, left + 9 * place : left + 9 * place + 8] = label
    return labels


def annotated(frames: dict[str, Labels]) -> dict[str, Labels]:
    return {stem: labels for stem, labels in frames.items() if int(stem) % 5 == 0}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions for all 11 frames, truth for 3, right but for ids; between them rubbish."""
    pred, gt = tmp_path / "pred", tmp_path / "gt"
    for name, there, shown in (("0a1", (1, 2), (9, 40)), ("0b2", (1,), (3,))):
        write_labels(gt / name, annotated(numbered(frame(there, i) for i in range(FRAMES))))
        write_labels(
            pred / name,
            numbered(frame(shown, i if i % 5 == 0 else i + 3) for i in range(FRAMES)),
        )
    return pred, gt


def test_only_annotated_frames_count(folders: tuple[Path, Path]) -> None:
    report = evaluate_ytvos18_moving(*folders)
    assert report.figures["J&F-Mean"] == 1
    first, second = report.sequences
    assert [pair.name for pair in first.pairs] == ["00000", "00005", "00010"]
    assert [(one.label, one.matched) for one in first.objects] == [(1, 9), (2, 40)]
    assert [(one.label, one.matched) for one in second.objects] == [(1, 3)]
    assert report.notes == ()
    assert "moseg" in report.title
    assert "not those of ytvos18-m:" in report.rules["sequences"]


def test_predictions_for_annotated_frames_alone_will_do(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for file in pred.glob("*/*.png"):
        if int(file.stem) % 5:
            file.unlink()
    assert evaluate_ytvos18_moving(pred, gt).figures["J&F-Mean"] == 1


def test_mean_is_over_objects_then_over_sequences(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_labels(pred / "0a1", numbered(frame((9,), i) for i in range(FRAMES)))
    report = evaluate_ytvos18_moving(pred, gt)
    assert [score.figures["J-Mean"] for score in report.sequences] == [0.5, 1]
    assert report.figures["J-Mean"] == pytest.approx(0.75)


def test_first_objects_are_those_of_the_lowest_ids(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    later = {"00005": frame((4, 2, 7, 5)), "00010": frame((2,))}
    write_labels(gt / "0a1", {"00000": frame((4, 2)), **later})
    for count, labels in ((3, [2, 4, 5]), (1, [2]), (9, [2, 4, 5, 7])):
        report = evaluate_ytvos18_moving(pred, gt, ["0a1"], objects=count)
        assert [one.label for one in report.sequences[0].objects] == labels
        assert f"at most {count} " in report.rules["objects"]
    assert len(evaluate_ytvos18_moving(pred, gt, ["0a1"]).sequences[0].objects) == 3
    with pytest.raises(ConfigError, match="objects: 0 are too few"):
        evaluate_ytvos18_moving(pred, gt, objects=0)


def test_matching_is_by_region_alone(folders: tuple[Path, Path]) -> None:
    """A thin frame around the object has its boundary; most of its inside is the better region."""
    pred, gt = folders
    truth = np.zeros(SIZE, np.uint8)
    truth[2:22, 4:36] = 1
    shown = truth.copy()
    shown[3:21, 5:35] = 0
    shown[5:19, 7:33] = 2
    write_labels(gt / "0b2", annotated(numbered([truth] * FRAMES)))
    write_labels(pred / "0b2", numbered([shown] * FRAMES))
    report = evaluate_ytvos18_moving(pred, gt, ["0b2"])
    assert report.sequences[0].objects[0].matched == 2
    assert report.figures["J-Mean"] == pytest.approx(14 * 26 / (20 * 32))
    assert report.figures["F-Mean"] < 0.5


def test_missing_annotated_frame_counts_as_empty(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for file in pred.glob("0b2/*.png"):
        if file.stem not in {"00000", "00010"}:
            file.unlink()
    report = evaluate_ytvos18_moving(pred, gt, ["0b2"])
    assert report.figures["J-Mean"] == pytest.approx(2 / 3)
    assert report.notes == (
        "0b2: 1 of 3 frames have no prediction and count as empty masks: 00005",
    )


def test_frames_counted_without_the_gaps_are_refused(folders: tuple[Path, Path]) -> None:
    """Predictions of annotated frames numbered 0, 1, 2: some names agree by chance."""
    pred, gt = folders
    for file in pred.glob("0b2/*.png"):
        if int(file.stem) > 2:
            file.unlink()
    with pytest.raises(
        InputError, match=r"0b2: .* numbered otherwise .*00001, 00002, and 00000, 00005, 00010 are"
    ):
        evaluate_ytvos18_moving(pred, gt)


@pytest.mark.parametrize("missing", [0, 5, 10])
def test_predictions_of_all_frames_but_an_annotated_one(
    folders: tuple[Path, Path], missing: int
) -> None:
    pred, gt = folders
    (pred / f"0b2/{missing:05d}.png").unlink()
    if missing == 5:  # they may go on after the last annotated frame
        write_labels(pred / "0b2", {f"{at:05d}": frame((3,)) for at in (11, 12)})
    report = evaluate_ytvos18_moving(pred, gt, ["0b2"])
    assert report.figures["J-Mean"] == pytest.approx(2 / 3)
    (note,) = report.notes
    assert note.startswith("0b2: 1 of 3 frames have no prediction")
    assert f"{missing:05d}" in note


def test_a_truth_counted_from_one_is_refused(folders: tuple[Path, Path]) -> None:
    """Predictions go on after it, so that none lacks."""
    pred, gt = folders
    write_labels(pred / "0b2", {"00011": frame((3,))})
    for file in sorted(gt.glob("0b2/*.png"), reverse=True):
        file.rename(file.with_name(f"{int(file.stem) + 1:05d}.png"))
    with pytest.raises(InputError, match=r"pred/0b2: .* numbered otherwise"):
        evaluate_ytvos18_moving(pred, gt)


@pytest.mark.parametrize("shift", [1, 3, 100])
def test_frames_counted_from_another_number_are_refused(
    folders: tuple[Path, Path], shift: int
) -> None:
    pred, gt = folders
    for file in sorted(pred.glob("0b2/*.png"), reverse=True):
        file.rename(file.with_name(f"{int(file.stem) + shift:05d}.png"))
    with pytest.raises(InputError, match=r"pred/0b2: .*(numbered otherwise|named like a frame)"):
        evaluate_ytvos18_moving(pred, gt)
    for file in sorted(gt.glob("0b2/*.png"), reverse=True):
        file.rename(file.with_name(f"{int(file.stem) + 2 * shift:05d}.png"))
    with pytest.raises(InputError, match=r"pred/0b2: .*(numbered otherwise|named like a frame)"):
        evaluate_ytvos18_moving(pred, gt)


def test_roots_of_data_set_and_output(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pred, gt = folders
    (tmp_path / "ytvos/train").mkdir(parents=True)
    shutil.move(gt, tmp_path / "ytvos/train/Annotations")
    (tmp_path / "out").mkdir()
    shutil.move(pred, tmp_path / "out/masks")
    for root in ("ytvos", "ytvos/train", "ytvos/train/Annotations"):
        report = evaluate_ytvos18_moving(tmp_path / "out", tmp_path / root)
        assert [score.name for score in report.sequences] == ["0a1", "0b2"]


def test_masks_of_the_report_are_those_that_were_scored(folders: tuple[Path, Path]) -> None:
    report = evaluate_ytvos18_moving(*folders)
    read = pickle.loads(pickle.dumps(report.read))
    for score in report.sequences:
        masks = read(score.pairs[1])
        assert masks.truth.any()
        np.testing.assert_array_equal(masks.truth, masks.pred)


def test_wrong_files_are_named(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    file = pred / "0b2/00005.png"
    Image.open(file).convert("RGB").save(file)
    with pytest.raises(InputError, match=r"0b2/00005\.png: holds colours \(RGB\)"):
        evaluate_ytvos18_moving(pred, gt)
    write_labels(pred / "0b2", {"00005": frame((255,))})
    with pytest.raises(InputError, match=r"0b2/00005\.png: holds the id 255"):
        evaluate_ytvos18_moving(pred, gt)
    Image.new("L", (20, 12)).save(file)
    with pytest.raises(InputError, match=r"0b2/00005\.png: the mask is 20x12 .* truth is 40x24"):
        evaluate_ytvos18_moving(pred, gt)
    file.write_bytes(b"")
    with pytest.raises(InputError, match=r"0b2/00005\.png: cannot be read"):
        evaluate_ytvos18_moving(pred, gt)
    shutil.rmtree(pred / "0b2")
    with pytest.raises(InputError, match=r"no predictions for 0b2 \(1 of 2"):
        evaluate_ytvos18_moving(pred, gt)


def test_wrong_truth_is_named(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    empty = annotated(numbered(frame(()) for _ in range(FRAMES)))
    write_labels(gt / "0a1", empty)
    with pytest.raises(InputError, match=r"gt/0a1: no frame of the truth has an object"):
        evaluate_ytvos18_moving(pred, gt)
    write_labels(gt / "0a1", {"00000": frame((255,))})
    with pytest.raises(InputError, match=r"gt/0a1/00000\.png: holds the id 255"):
        evaluate_ytvos18_moving(pred, gt)
