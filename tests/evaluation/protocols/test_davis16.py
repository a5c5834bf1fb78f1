"""DAVIS-2016 scores: folder layouts, frame rules, missing and bad predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.frame_rules import FrameRuleName
from moseg.evaluation.measures import Mask
from moseg.evaluation.protocols.davis16 import evaluate_davis16

SIZE = (24, 32)


def square(left: int, top: int = 6) -> Mask:
    mask = np.zeros(SIZE, np.bool_)
    mask[top : top + 10, left : left + 10] = True
    return mask


def write_masks(folder: Path, masks: dict[str, Mask]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{stem}.png")


def numbered(masks: list[Mask]) -> dict[str, Mask]:
    return {f"{index:05d}": mask for index, mask in enumerate(masks)}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and truth of `dog` (6 frames) and `cat` (5): first and last frame are wrong."""
    pred, gt = tmp_path / "pred", tmp_path / "gt"
    for name, length in (("dog", 6), ("cat", 5)):
        truth = [square(4 + index) for index in range(length)]
        shown = [np.zeros(SIZE, np.bool_), *truth[1:-1], np.zeros(SIZE, np.bool_)]
        write_masks(gt / name, numbered(truth))
        write_masks(pred / name, numbered(shown))
    return pred, gt


@pytest.mark.parametrize(
    ("frames", "mean", "recall"),
    [("davis16", 1.0, 1.0), ("all-frames", 4 / 6, 4 / 6), ("mtnet", 4 / 5, 1.0)],
)
def test_frame_rules(
    folders: tuple[Path, Path], frames: FrameRuleName, mean: float, recall: float
) -> None:
    report = evaluate_davis16(*folders, sequences=["dog"], frames=frames)
    for measure in "JF":
        found = report.figures[f"{measure}-Mean"], report.figures[f"{measure}-Recall"]
        assert found == pytest.approx((mean, recall))
        assert len(report.sequences[0].pairs) == len(report.sequences[0].series[measure])
    assert "T-" in report.rules["frames"]


def test_unknown_frame_rule_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match=r"'davis' is unknown.*all-frames"):
        evaluate_davis16(*folders, frames="davis")  # type: ignore[arg-type]


def test_global_figure_is_the_mean_over_sequences(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    write_masks(pred / "cat", {"00002": np.zeros(SIZE, np.bool_)})
    report = evaluate_davis16(pred, gt)
    assert [score.name for score in report.sequences] == ["cat", "dog"]
    assert [score.figures["J-Mean"] for score in report.sequences] == pytest.approx([2 / 3, 1])
    assert report.figures["J-Mean"] == pytest.approx(5 / 6)
    both = (report.figures["J-Mean"] + report.figures["F-Mean"]) / 2
    assert report.figures["J&F-Mean"] == pytest.approx(both)


def test_missing_frame_counts_as_empty_and_is_told(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    (pred / "dog" / "00003.png").unlink()
    (pred / "dog" / "00000.png").unlink()  # not scored
    report = evaluate_davis16(pred, gt, ["dog"])
    assert report.sequences[0].missing == ("00003",)
    assert report.figures["J-Mean"] == pytest.approx(3 / 4)
    assert len(report.notes) == 1
    assert "dog: 2 of 6 frames" in report.notes[0]


def test_davis_root_and_moseg_run_output_are_accepted(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    pred, gt = folders
    plain = evaluate_davis16(pred, gt)
    davis, out = tmp_path / "DAVIS", tmp_path / "out"
    (davis / "Annotations").mkdir(parents=True)
    gt.rename(davis / "Annotations" / "480p")
    (out / "videos").mkdir(parents=True)
    pred.rename(out / "masks")
    for root in (davis, davis / "Annotations"):
        assert evaluate_davis16(out, root).sequences[0].figures == plain.sequences[0].figures


def test_labels_are_merged_whatever_their_colours(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    truth = square(6)
    labels = truth.astype(np.uint8)
    labels[:, 10:] *= 2
    palette = Image.fromarray(labels, mode="P")
    palette.putpalette([0] * 768)  # every label is drawn black
    palette.save(pred / "dog" / "00002.png")
    colours = np.zeros((*SIZE, 4), np.uint8)
    colours[..., 3] = 255
    colours[square(7), 2] = 1
    Image.fromarray(colours).save(pred / "dog" / "00003.png")
    assert evaluate_davis16(pred, gt, ["dog"]).figures["J-Mean"] == 1


def test_first_and_last_frame_are_by_number_not_by_spelling(tmp_path: Path) -> None:
    truth = {f"f{index}": square(index) for index in range(12)}
    shown = truth | {"f0": np.zeros(SIZE, np.bool_), "f11": np.zeros(SIZE, np.bool_)}
    write_masks(tmp_path / "gt/dog", truth)
    write_masks(tmp_path / "pred/dog", shown)
    report = evaluate_davis16(tmp_path / "pred", tmp_path / "gt")
    assert tuple(pair.name for pair in report.sequences[0].pairs) == tuple(
        f"f{index}" for index in range(1, 11)
    )
    assert report.figures["J-Mean"] == 1


def test_missing_sequence_says_how_to_choose(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    (pred / "dog").rename(pred / "hidden")
    with pytest.raises(InputError, match=r"predictions for dog \(1 of 2.*--sequences a,b"):
        evaluate_davis16(pred, gt)
    assert len(evaluate_davis16(pred, gt, ["cat"]).sequences) == 1


def test_unknown_sequence_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"no sequence \.\./gt/cat; it has cat, dog"):
        evaluate_davis16(*folders, sequences=["../gt/cat"])
    with pytest.raises(InputError, match="list is empty"):
        evaluate_davis16(*folders, sequences=[])


def test_size_mismatch_names_the_file_and_both_sizes(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    Image.new("L", (16, 12)).save(pred / "cat" / "00002.png")
    with pytest.raises(InputError, match=r"cat/00002\.png: the mask is 16x12 .* truth is 32x24"):
        evaluate_davis16(pred, gt)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_unreadable_mask_is_named(folders: tuple[Path, Path], content: bytes) -> None:
    pred, gt = folders
    (pred / "cat" / "00002.png").write_bytes(content)
    with pytest.raises(InputError, match=r"cat/00002\.png: cannot be read"):
        evaluate_davis16(pred, gt)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.8])
def test_cut_mask_is_named(folders: tuple[Path, Path], kept: float) -> None:
    pred, gt = folders
    noise = np.random.default_rng(0).integers(0, 2, SIZE, np.uint8)
    file = pred / "cat" / "00002.png"
    Image.fromarray(noise).save(file)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(InputError, match=r"cat/00002\.png: cannot be read"):
        evaluate_davis16(pred, gt)


def test_frames_of_other_names_are_refused(folders: tuple[Path, Path]) -> None:
    pred, gt = folders
    for file in list((pred / "cat").iterdir()):
        file.rename(file.with_name("frame_" + file.name))
    with pytest.raises(InputError, match=r"no mask is named like .*frame_00000\.png.* 00000\.png"):
        evaluate_davis16(pred, gt)


def test_too_short_sequence_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    masks = numbered([square(2), square(3)])
    write_masks(tmp_path / "gt2/dog", masks)
    write_masks(tmp_path / "pred2/dog", masks)
    with pytest.raises(InputError, match=r"dog: 2 frames are too few"):
        evaluate_davis16(tmp_path / "pred2", tmp_path / "gt2")
    report = evaluate_davis16(tmp_path / "pred2", tmp_path / "gt2", frames="all-frames")
    assert report.figures["J-Mean"] == 1


def test_empty_and_missing_folders_are_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pred, gt = folders
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="empty: holds no sequence folders"):
        evaluate_davis16(pred, empty)
    with pytest.raises(InputError, match="nowhere: no such folder for the predictions"):
        evaluate_davis16(tmp_path / "nowhere", gt)
    with pytest.raises(InputError, match="nowhere: no such folder for the ground truth"):
        evaluate_davis16(pred, tmp_path / "nowhere")
    with pytest.raises(InputError, match="must be a folder"):
        evaluate_davis16(pred / "dog" / "00000.png", gt)
    for file in (pred / "cat").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="cat: holds no PNG mask"):
        evaluate_davis16(pred, gt)
