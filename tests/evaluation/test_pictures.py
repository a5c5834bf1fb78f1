"""Pictures of the worst frames: which files, and that they show the frame of the video."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import InputError, OutputError
from moseg.evaluation import pictures
from moseg.evaluation.frame_pairs import FramePair
from moseg.evaluation.pictures import write_curves, write_worst
from moseg.evaluation.protocols.davis16 import evaluate_davis16
from moseg.evaluation.protocols.davis17 import evaluate_davis17_unsupervised
from moseg.evaluation.protocols.vsod import evaluate_vsod
from moseg.evaluation.results import Report, SequenceScore
from moseg.evaluation.video_frames import check_images, video_frames
from moseg.render.curve_picture import Plot
from moseg.render.error_picture import Caption
from tests.evaluation.folders import numbered, write_labels

SIZE = (24, 32)
PANEL = (28, 130)  # left and top of the frame in a picture
GREY = (128, 128, 128)


def square(left: int) -> np.ndarray:
    labels = np.zeros(SIZE, np.uint8)
    labels[6:16, left : left + 10] = 1
    return labels


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    """A DAVIS root with `dog` and `cat`, five frames each, and predictions in `pred`.

    Frame i of the videos has the red value 10 i, and i = 2 is the worst of both sequences.
    """
    root = tmp_path / "DAVIS"
    for name in ("cat", "dog"):
        truth = [square(4)] * 5
        write_labels(root / "Annotations/480p" / name, numbered(truth))
        write_labels(
            tmp_path / "pred" / name, numbered(square(4 + shift) for shift in (0, 1, 5, 3, 0))
        )
        video = root / "JPEGImages/480p" / name
        video.mkdir(parents=True)
        for index in range(5):
            Image.new("RGB", SIZE[::-1], (10 * index, 200, 0)).save(video / f"{index:05d}.png")
    return root


def scored(root: Path) -> Report:
    return evaluate_davis16(root.parent / "pred", root)


def shown_frame(path: Path) -> tuple[int, ...]:
    """The colour in the middle of the panel of the frame."""
    left, top = PANEL
    with Image.open(path) as picture:
        return tuple(picture.getpixel((left + 320, top + 240)))


def test_files_are_numbered_and_named_worst_first(davis: Path, tmp_path: Path) -> None:
    paths = write_worst(scored(davis), None, 3, tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "out/worst/01_cat_00002.png",
        "out/worst/02_dog_00002.png",
        "out/worst/03_cat_00003.png",
    ]
    assert sorted(path.name for path in (tmp_path / "out/worst").iterdir()) == [
        path.name for path in paths
    ]


def test_frames_of_the_video_are_found_beside_the_truth_of_davis(davis: Path) -> None:
    for truth in (davis, davis / "Annotations", davis / "Annotations/480p"):
        report = evaluate_davis16(davis.parent / "pred", truth)
        paths = write_worst(report, None, 1, davis.parent / "out")
        assert shown_frame(paths[0]) == (20, 200, 0)


@pytest.mark.parametrize("inside", ["JPEGImages/480p", "480p", "JPEGImages", "."])
def test_frames_of_the_video_are_found_where_a_person_says(davis: Path, inside: str) -> None:
    images = davis.parent / "elsewhere"
    (images / inside).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(davis / "JPEGImages/480p", images / inside)
    report = scored(davis)
    assert shown_frame(write_worst(report, None, 1, davis.parent)[0]) == GREY
    assert shown_frame(write_worst(report, images, 1, davis.parent)[0]) == (20, 200, 0)


def test_frames_are_found_by_number_where_names_differ(davis: Path) -> None:
    for file in (davis / "JPEGImages/480p/cat").iterdir():
        file.rename(file.with_name(f"cat1_{int(file.stem):02d}.png"))
    report = evaluate_davis16(davis.parent / "pred", davis, ["cat"])
    assert shown_frame(write_worst(report, None, 1, davis.parent)[0]) == (20, 200, 0)


def test_numbers_that_are_not_unique_are_not_trusted(davis: Path) -> None:
    for file in (davis / "JPEGImages/480p/cat").iterdir():
        file.rename(file.with_name(f"take_{int(file.stem) % 4}_{file.stem}.png"))
    report = evaluate_davis16(davis.parent / "pred", davis, ["cat"])
    assert shown_frame(write_worst(report, None, 1, davis.parent)[0]) == GREY


def test_frames_are_found_by_order_where_there_are_as_many(davis: Path) -> None:
    for file, letter in zip(
        sorted((davis / "JPEGImages/480p/cat").iterdir()), "abcde", strict=True
    ):
        file.rename(file.with_name(f"{letter}.png"))
    report = evaluate_davis16(davis.parent / "pred", davis, ["cat"], frames="all-frames")
    assert shown_frame(write_worst(report, None, 1, davis.parent)[0]) == (20, 200, 0)
    fewer = evaluate_davis16(davis.parent / "pred", davis, ["cat"])  # without first and last
    assert shown_frame(write_worst(fewer, None, 1, davis.parent)[0]) == GREY


@pytest.mark.parametrize(
    ("truth", "image"),
    [
        ("SegTrackv2/GroundTruth/girl/2/0007.png", "SegTrackv2/JPEGImages/girl/0007.png"),
        ("Testset/girl/GroundTruth/girl1_07_gt.png", "Testset/girl/girl1_07.png"),
        ("valid/Annotations/girl/00007.png", "valid/JPEGImages/girl/00007.png"),
        ("test/mask/girl/girl_7.png", "test/frame/girl/girl_07.png"),
        ("Annotations_unsupervised/480p/girl/7.png", "JPEGImages/480p/girl/7.png"),
    ],
)
def test_frames_are_found_in_the_layout_of_each_data_set(
    tmp_path: Path, truth: str, image: str
) -> None:
    (tmp_path / image).parent.mkdir(parents=True)
    (tmp_path / image).touch()
    (tmp_path / image).with_name("0008.png").touch()
    name = Path(truth).stem
    pairs = (FramePair(name, (tmp_path / truth,), None),)
    found = video_frames(SequenceScore("girl", {}, pairs), None)
    assert found == {name: tmp_path / image}


def test_a_frame_that_is_missing_or_damaged_is_grey_and_told(
    davis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = captured(monkeypatch)
    (davis / "JPEGImages/480p/cat/00002.png").write_bytes(b"no image")
    (davis / "JPEGImages/480p/dog/00002.png").unlink()
    (davis.parent / "pred/dog/00002.png").unlink()
    for path in write_worst(scored(davis), None, 2, davis.parent):
        assert shown_frame(path) == GREY
    dog, cat = captions
    assert (dog.sequence, dog.frame) == ("dog", "00002")
    assert dog.facts.startswith("J = 0.000")
    assert "nothing was predicted" in dog.facts
    for caption in (dog, cat):
        assert "the frame of the video was not found" in caption.facts
    assert "nothing was predicted" not in cat.facts


def test_saliency_is_drawn_in_grey_levels(davis: Path) -> None:
    report = evaluate_vsod(davis.parent / "pred", davis)
    (path,) = write_worst(report, None, 1, davis.parent)
    assert shown_frame(path) == (20, 200, 0)
    with Image.open(path) as picture:
        truth = np.asarray(picture)[130 : 130 + 480, 28 + 640 + 16 :][:, :640]
    assert set(np.unique(truth)) == {0, 255}


def test_that_only_matched_objects_are_shown_is_told(
    davis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = captured(monkeypatch)
    truth = davis / "Annotations/480p"
    write_worst(evaluate_davis17_unsupervised(davis.parent / "pred", truth), None, 1, davis.parent)
    write_worst(scored(davis), None, 1, davis.parent)
    assert ["only objects that were scored" in caption.facts for caption in captions] == [
        True,
        False,
    ]


def test_masks_are_those_of_the_worst_frame_itself(
    davis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each frame has another truth and prediction, so that one of another frame shows."""
    root = davis / "Annotations/480p"
    for name in ("cat", "dog"):
        write_labels(root / name, numbered(square(4 + at) for at in range(5)))
        shifts = enumerate((0, 1, 5, 3, 0))
        write_labels(
            davis.parent / "pred" / name, numbered(square(4 + at + by) for at, by in shifts)
        )
    drawn: list[tuple[np.ndarray, np.ndarray]] = []

    def listening(frame, truth, pred, void, caption):  # type: ignore[no-untyped-def]
        drawn.append((truth, pred))
        return np.zeros((1, 1, 3), np.uint8)

    monkeypatch.setattr(pictures, "error_picture", listening)
    monkeypatch.setattr(pictures, "saliency_picture", listening)
    write_worst(scored(davis), None, 3, davis.parent)
    write_worst(evaluate_vsod(davis.parent / "pred", davis), None, 1, davis.parent)
    for (truth, pred), (left, shift) in zip(drawn, ((6, 5), (6, 5), (7, 3), (6, 5)), strict=True):
        np.testing.assert_array_equal(truth, square(left))
        np.testing.assert_array_equal(pred > 0, square(left + shift) > 0)


def test_marks_of_thresholds_are_codes(davis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plots: list[Plot] = []
    monkeypatch.setattr(
        pictures,
        "curve_picture",
        lambda title, found: plots.extend(found) or np.zeros((1, 1, 3), np.uint8),
    )
    write_curves(evaluate_vsod(davis.parent / "pred", davis), davis.parent)
    (plot,) = plots
    assert plot.marks == (0, 64, 128, 192, 255)


def test_curves_are_written_where_a_protocol_has_some(davis: Path, tmp_path: Path) -> None:
    report = evaluate_vsod(davis.parent / "pred", davis)
    paths = write_curves(report, tmp_path / "out")
    assert paths == [tmp_path / "out/vsod-curves.png"]
    with Image.open(paths[0]) as picture:
        assert picture.mode == "RGB"
    assert write_curves(scored(davis), tmp_path / "out") == []


def captured(monkeypatch: pytest.MonkeyPatch) -> list[Caption]:
    """The captions of the pictures that are drawn from now on."""
    captions: list[Caption] = []
    draw = pictures.error_picture

    def listening(frame, truth, pred, void, caption: Caption):  # type: ignore[no-untyped-def]
        captions.append(caption)
        return draw(frame, truth, pred, void, caption)

    monkeypatch.setattr(pictures, "error_picture", listening)
    return captions


def test_frames_of_another_size_are_brought_to_that_of_the_truth(davis: Path) -> None:
    Image.new("RGB", (64, 48), (7, 8, 9)).save(davis / "JPEGImages/480p/cat/00002.png")
    paths = write_worst(scored(davis), None, 1, davis.parent)
    assert shown_frame(paths[0]) == (7, 8, 9)


def test_pictures_of_an_earlier_call_go_and_other_files_stay(davis: Path) -> None:
    report, out = scored(davis), davis.parent / "out"
    write_worst(report, None, 4, out)
    (out / "worst/notes.txt").write_text("mine")
    write_worst(report, None, 1, out)
    names = {path.name for path in (out / "worst").iterdir()}
    assert names == {"01_cat_00002.png", "notes.txt"}


def test_nothing_is_written_where_there_is_nothing_to_draw(davis: Path, tmp_path: Path) -> None:
    report = scored(davis)
    assert write_worst(replace(report, read=None), None, 3, tmp_path / "out") == []
    assert write_worst(report, None, 0, tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_named(davis: Path) -> None:
    (davis.parent / "file").touch()
    with pytest.raises(OutputError, match="file stands where a folder is needed"):
        write_worst(scored(davis), None, 1, davis.parent / "file")


def test_a_folder_of_images_that_is_not_there_is_named(tmp_path: Path) -> None:
    check_images(None)
    check_images(tmp_path)
    with pytest.raises(InputError, match="nowhere: no such folder for the images"):
        check_images(tmp_path / "nowhere")


def test_a_sequence_without_files_has_no_frames() -> None:
    assert video_frames(SequenceScore("cat", {}), None) == {}
    pair = FramePair("00000", (Path("gt/x/00000.png"),), None)
    assert video_frames(SequenceScore("x", {}, (pair,)), None) == {}
