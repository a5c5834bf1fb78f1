"""SegTrack v2 scores: layouts, objects apart, names that differ, values of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError
from moseg.evaluation.measures import Mask
from moseg.evaluation.protocols.segtrack import evaluate_segtrackv2
from tests.evaluation.folders import close_folder, numbered, write_labels

SIZE = (24, 32)
FRAMES = 4


def square(left: int, top: int = 2) -> Mask:
    mask = np.zeros(SIZE, np.bool_)
    mask[top : top + 8, left : left + 8] = True
    return mask


FIRST = [square(index) for index in range(FRAMES)]
SECOND = [square(20 - index, 12) for index in range(FRAMES)]
BOTH = [first | second for first, second in zip(FIRST, SECOND, strict=True)]


def write(folder: Path, masks: Mapping[str, Mask], suffix: str = ".png", value: int = 255) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        Image.fromarray(mask.astype(np.uint8) * value).save(folder / f"{stem}{suffix}")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A perfect prediction of both objects, and the truth of `bmx` as one object a folder."""
    labels = [1 * first + 2 * second for first, second in zip(FIRST, SECOND, strict=True)]
    write_labels(tmp_path / "pred" / "bmx", numbered(labels))
    write(tmp_path / "gt" / "bmx" / "1", numbered(FIRST))
    write(tmp_path / "gt" / "bmx" / "2", numbered(SECOND))
    return tmp_path / "pred", tmp_path / "gt"


def test_objects_in_folders_of_their_own_are_merged(folders: tuple[Path, Path]) -> None:
    report = evaluate_segtrackv2(*folders)
    assert (report.figures["J-Mean"], report.figures["F-Mean"]) == (1, 1)
    assert len(report.sequences[0].pairs) == FRAMES
    assert not report.notes
    pred, gt = folders
    write(gt / "bmx" / "10", numbered([square(22)] * FRAMES))
    share = np.mean([np.sum(m) / np.sum(m | square(22)) for m in BOTH])
    assert evaluate_segtrackv2(pred, gt).figures["J-Mean"] == pytest.approx(share)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
@pytest.mark.parametrize(
    ("inside", "given"),
    [
        ("birdfall", "."),
        ("GroundTruth/birdfall", "."),
        ("GroundTruth/birdfall", "GroundTruth"),
        ("GroundTruth/birdfall/1", "."),
        ("test/mask/birdfall", "."),
        ("test/mask/birdfall", "test"),
    ],
)
def test_layouts(tmp_path: Path, inside: str, given: str, suffix: str) -> None:
    write(tmp_path / "pred" / "birdfall", numbered(FIRST))
    write(tmp_path / "root" / inside, numbered(FIRST), suffix)
    (tmp_path / "root" / "JPEGImages").mkdir()
    if given != "." or "/" in inside:
        report = evaluate_segtrackv2(tmp_path / "pred", tmp_path / "root" / given)
    else:
        report = evaluate_segtrackv2(tmp_path / "pred", tmp_path / "root", ["birdfall"])
    assert report.figures["J-Mean"] == 1
    assert [score.name for score in report.sequences] == ["birdfall"]


def test_all_frames_count_and_the_set_is_a_mean_over_sequences(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    empty = np.zeros(SIZE, np.uint8)
    write_labels(pred / "bmx", {"00000": empty, "00003": empty})
    write(gt / "worm", numbered(FIRST[:3]))
    write(pred / "worm", numbered(FIRST[:3]))
    report = evaluate_segtrackv2(pred, gt)
    assert [score.figures["J-Mean"] for score in report.sequences] == [0.5, 1]
    assert report.figures["J-Mean"] == 0.75
    assert "all frames" in report.rules["frames"]
    assert "2 of the 14" in report.rules["sequences"]


def test_frames_of_other_names_are_matched_in_order_and_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for index, file in enumerate(sorted((pred / "bmx").iterdir())):
        file.rename(file.with_name(f"bmx_{index + 8}.png"))  # 8, 9, 10, 11: by number
    report = evaluate_segtrackv2(pred, gt)
    assert report.figures["J-Mean"] == 1
    assert report.notes == ("names of predictions and truth differ, matched in order: bmx",)
    assert report.sequences[0].pairs[2].name == "00002"


def test_numbers_from_one_are_matched_in_order(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for index, file in reversed(list(enumerate(sorted((pred / "bmx").iterdir())))):
        file.rename(file.with_name(f"{index + 1:05d}.png"))
    assert evaluate_segtrackv2(pred, gt).figures["J-Mean"] == 1


def test_other_names_and_another_count_are_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for index, file in enumerate(sorted((pred / "bmx").iterdir())[1:]):
        file.rename(file.with_name(f"bmx_{index}.png"))
    (pred / "bmx" / "00000.png").unlink()
    with pytest.raises(InputError, match=r"bmx: 3 masks .* 4 frames .*bmx_0, truth has 00000"):
        evaluate_segtrackv2(pred, gt)


def test_a_missing_frame_counts_as_empty_and_is_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    (pred / "bmx" / "00002.png").unlink()
    report = evaluate_segtrackv2(pred, gt)
    assert report.figures["J-Mean"] == 0.75
    assert len(report.notes) == 1
    assert "bmx: 1 of 4 frames have no prediction" in report.notes[0]


def test_objects_with_other_names_are_matched_in_order(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for index, file in enumerate(sorted((gt / "bmx" / "2").iterdir())):
        file.rename(file.with_name(f"b{index + 8}.png"))
    report = evaluate_segtrackv2(pred, gt)
    assert report.figures["J-Mean"] == 1
    (gt / "bmx" / "2" / "b8.png").unlink()
    with pytest.raises(InputError, match=r"bmx/2: holds 3 masks but 1 beside it 4"):
        evaluate_segtrackv2(pred, gt)


def test_smoothed_edges_of_the_truth_count_from_half_on(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    soft = BOTH[1].astype(np.uint8) * 255
    soft[1, :] = 100  # less than half
    soft[2, :] = np.where(BOTH[1][2], 128, 3)
    for mode in ("L", "RGB", "RGBA"):
        Image.fromarray(soft).convert(mode).save(gt / "bmx" / "1" / "00001.png")
        assert evaluate_segtrackv2(pred, gt).figures["J-Mean"] == 1


def test_ids_of_a_palette_image_count_whatever_their_number(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_labels(gt / "bmx" / "1", numbered([3 * mask.astype(np.uint8) for mask in FIRST]))
    assert evaluate_segtrackv2(pred, gt).figures["J-Mean"] == 1


def test_ids_as_grey_values_are_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for part in "12":
        write(gt / "bmx" / part, numbered(FIRST), value=int(part))
    with pytest.raises(InputError, match=r"gt/bmx: no frame of the truth has foreground"):
        evaluate_segtrackv2(pred, gt)


def test_other_sizes_are_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    Image.new("L", (16, 12)).save(pred / "bmx" / "00002.png")
    with pytest.raises(InputError, match=r"00002\.png: the mask is 16x12 .* truth is 32x24"):
        evaluate_segtrackv2(pred, gt)
    Image.new("L", (16, 12)).save(gt / "bmx" / "2" / "00001.png")
    with pytest.raises(InputError, match=r"2/00001\.png: has another size than .*1/00001\.png"):
        evaluate_segtrackv2(pred, gt)


def test_wrong_folders_are_told_in_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pred, gt = folders
    with pytest.raises(InputError, match="no sequence frog; it has bmx"):
        evaluate_segtrackv2(pred, gt, ["frog"])
    with pytest.raises(InputError, match="no such folder for the ground truth"):
        evaluate_segtrackv2(pred, tmp_path / "nowhere")
    (gt / "bmx" / "1" / "00001.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1/00001\.png: cannot be read"):
        evaluate_segtrackv2(pred, gt)
    (gt / "empty").mkdir()
    (pred / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no PNG or BMP mask"):
        evaluate_segtrackv2(pred, gt, ["empty"])
    (pred / "bmx").rename(pred / "other")
    with pytest.raises(InputError, match="no predictions for bmx"):
        evaluate_segtrackv2(pred, gt, ["bmx"])


@pytest.mark.parametrize("closed", ["bmx", "bmx/2"])
def test_a_folder_without_permission_is_told(
    folders: tuple[Path, Path], closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_folder(folders[1] / closed, monkeypatch)
    with pytest.raises(InputError, match=rf"gt/{closed}: cannot be listed \(Permission denied\)"):
        evaluate_segtrackv2(*folders)


def test_predicted_frames_that_the_truth_lacks_are_told(folders: tuple[Path, Path]) -> None:
    write_labels(folders[0] / "bmx", {"00004": np.ones(SIZE, np.uint8)})
    report = evaluate_segtrackv2(*folders)
    assert report.figures["J-Mean"] == 1
    (note,) = report.notes
    assert note.startswith("bmx: 1 predicted frames have no truth and are left out: 00004")
