"""The file is read back by its documented rule: counts, then `label length` and `x y frame`."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.errors import ConfigError, InputError
from moseg.evaluation.fbms_regions import choose_regions
from moseg.evaluation.fbms_scoring import FbmsReader, survey
from moseg.evaluation.fbms_truth import find_truth
from moseg.evaluation.frame_pairs import FramePair
from moseg.export.clips import find_clips
from moseg.export.fbms_tracks import write_fbms_tracks
from moseg.export.reshape import Reshape
from tests.evaluation.folders import write_labels
from tests.export.scenes import blocks


def read_tracks(path: Path, height: int, width: int):
    """Number of frames, and frame -> labels [H, W] of all its points; -1 where there is none."""
    lines = iter(path.read_text(encoding="ascii").splitlines())
    frames, tracks = int(next(lines)), int(next(lines))
    pictures: dict[int, np.ndarray] = {}
    for _ in range(tracks):
        label, length = map(int, next(lines).split())
        points = [tuple(map(int, next(lines).split())) for _ in range(length)]
        assert [frame for *_, frame in points] == list(range(points[0][2], points[0][2] + length))
        for x, y, frame in points:
            assert 0 <= frame < frames
            picture = pictures.setdefault(frame, np.full((height, width), -1))
            assert picture[y, x] == -1, "one point a pixel"
            picture[y, x] = label
    assert next(lines, None) is None
    return frames, pictures


def scene(root, frames, annotated, first=1, name="cars1"):
    """Masks of all frames, numbered from `first`, and a truth of those numbered `annotated`."""
    stems = {f"{name}_{first + i:03d}": labels for i, labels in enumerate(frames)}
    write_labels(root / "pred" / name, stems)
    truth = {f"{name}_{number:03d}_gt": blocks(1) for number in annotated}
    write_labels(root / "truth" / name / "GroundTruth", truth)
    return find_clips(root / "pred", None, [name])


def export(clips, root, frames=None, shape=Reshape()):  # noqa: B008
    return write_fbms_tracks(clips, root / "truth", root / "out", shape, frames)


def test_every_pixel_of_the_annotated_frames_is_a_track(tmp_path) -> None:
    frames = [blocks(5), blocks(2, 5), blocks(0, 9), blocks()]
    clips = scene(tmp_path, frames, annotated=(1, 3, 4))
    path = tmp_path / "out" / "cars1" / "Tracks4.dat"
    assert export(clips, tmp_path).paths == (path,)
    count, pictures = read_tracks(path, 12, 20)
    assert count == 4
    assert list(pictures) == [0, 2, 3]
    assert np.array_equal(pictures[0], blocks(1))
    assert np.array_equal(pictures[2], blocks(0, 2))
    assert not pictures[3].any()


@settings(max_examples=15, deadline=None)
@given(
    ids=st.lists(st.integers(1, 255), min_size=1, max_size=6, unique=True),
    annotated=st.sets(st.integers(1, 6), min_size=1).map(sorted),
)
def test_labels_have_no_gaps_and_keep_objects_apart(tmp_path_factory, ids, annotated) -> None:
    root = tmp_path_factory.mktemp("tracks")
    labels = blocks(*ids)
    export(scene(root, [labels] * 6, annotated), root)
    _, pictures = read_tracks(root / "out" / "cars1" / "Tracks6.dat", 12, 20)
    order = {0: 0} | {number: i + 1 for i, number in enumerate(sorted(ids))}
    assert list(pictures) == [number - 1 for number in annotated]
    for picture in pictures.values():
        assert np.array_equal(picture, np.vectorize(order.get)(labels))


def test_label_0_is_background_even_where_none_is_seen(tmp_path) -> None:
    export(scene(tmp_path, [np.full((12, 20), 5, np.uint8)], annotated=(1,)), tmp_path)
    _, pictures = read_tracks(tmp_path / "out" / "cars1" / "Tracks1.dat", 12, 20)
    assert (pictures[0] == 1).all()


def test_only_the_first_frames_count_if_asked(tmp_path) -> None:
    clips = scene(tmp_path, [blocks(1)] * 12, annotated=(1, 10, 11))
    export(clips, tmp_path, frames=10)
    count, pictures = read_tracks(tmp_path / "out" / "cars1" / "Tracks10.dat", 12, 20)
    assert count == 10
    assert list(pictures) == [0, 9]


@pytest.mark.parametrize("factor", [2, 0.5])
def test_masks_of_another_size_are_brought_to_that_of_the_truth_as_by_the_score(
    tmp_path, factor
) -> None:
    small = blocks(4, 0, 9)
    size = (round(small.shape[1] * factor), round(small.shape[0] * factor))
    masks = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    clips = scene(tmp_path, [masks] * 2, annotated=(1, 2))
    written = export(clips, tmp_path)
    count, pictures = read_tracks(written.paths[0], 12, 20)
    assert count == 2
    pair = FramePair(
        "1",
        (tmp_path / "truth" / "cars1" / "GroundTruth" / "cars1_001_gt.png",),
        clips[0].files["cars1_001"],
    )
    regions = choose_regions(find_truth(tmp_path / "truth", "cars1"), [survey(pair).colours])
    scored = FbmsReader({pair.truth[0].parent: regions}).frame(pair)[1]
    assert scored.any()
    for picture in pictures.values():
        assert np.array_equal(picture, np.select([scored == 4, scored == 9], [1, 2]))
    assert written.notes == (
        "cars1: the masks of 2 of 2 annotated frames have another size than the truth "
        f"({size[0]}x{size[1]}, not 20x12) and were brought to it",
    )


def test_an_object_that_is_lost_on_the_way_to_a_smaller_truth_leaves_no_gap(tmp_path) -> None:
    masks = np.zeros((24, 40), np.uint8)
    masks[0, 0], masks[8:16, 8:16] = 1, 2
    export(scene(tmp_path, [masks], annotated=(1,)), tmp_path)
    _, pictures = read_tracks(tmp_path / "out" / "cars1" / "Tracks1.dat", 12, 20)
    assert np.unique(pictures[0]).tolist() == [0, 1]


def test_nothing_is_written_where_one_sequence_has_no_truth(tmp_path) -> None:
    clips = [
        *scene(tmp_path, [blocks(1)], annotated=(1,)),
        *scene(tmp_path, [blocks(1)], annotated=(1,), name="cars2"),
    ]
    (tmp_path / "truth" / "cars2" / "GroundTruth" / "cars2_001_gt.png").unlink()
    with pytest.raises(InputError, match="cars2"):
        export(clips, tmp_path)
    assert not (tmp_path / "out").exists()


def test_shorter_sequences_are_left_out_and_told(tmp_path) -> None:
    clips = scene(tmp_path, [blocks(1)] * 3, annotated=(1,))
    written = export(clips, tmp_path, frames=10)
    assert written.paths == ()
    assert written.notes == ("cars1: left out, it has 3 frames, less than 10",)


def test_masks_of_a_video_count_from_0_where_the_frames_are_known(tmp_path) -> None:
    scene(tmp_path, [blocks(1)] * 3, annotated=(1, 3))
    images = tmp_path / "truth" / "cars1"
    write_labels(images, {f"cars1_{i:03d}": blocks() for i in (1, 2, 3)})
    folder = tmp_path / "pred" / "cars1"
    for i, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"{i:05d}.png")
    export(find_clips(tmp_path / "pred", None, None), tmp_path)
    _, pictures = read_tracks(tmp_path / "out" / "cars1" / "Tracks3.dat", 12, 20)
    assert list(pictures) == [0, 2]


def test_masks_numbered_otherwise_are_refused(tmp_path) -> None:
    clips = scene(tmp_path, [blocks(1)] * 3, annotated=(1, 3), first=0)
    with pytest.raises(InputError, match="numbered"):
        export(clips, tmp_path)


def test_masks_of_some_frames_alone_are_refused(tmp_path) -> None:
    scene(tmp_path, [blocks(1)] * 3, annotated=(1, 3))
    (tmp_path / "pred" / "cars1" / "cars1_002.png").unlink()
    with pytest.raises(InputError, match="2 masks, but the sequence has 3 frames"):
        export(find_clips(tmp_path / "pred", None, None), tmp_path)


def test_an_annotated_frame_without_mask_is_named(tmp_path) -> None:
    clips = scene(tmp_path, [blocks(1)] * 4, annotated=(1, 3, 9))
    with pytest.raises(InputError, match="no mask of the annotated frames 9"):
        export(clips, tmp_path)


def test_a_sequence_without_truth_is_told(tmp_path) -> None:
    scene(tmp_path, [blocks(1)], annotated=(1,))
    (clip,) = scene(tmp_path, [blocks(1)], annotated=(1,), name="cars2")
    for path in (tmp_path / "truth" / "cars2" / "GroundTruth").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="cars2"):
        export([clip], tmp_path)


@pytest.mark.parametrize("frames", [0, 1, 20, -10])
def test_other_numbers_of_frames_are_refused(tmp_path, frames) -> None:
    clips = scene(tmp_path, [blocks(1)] * 30, annotated=(1,))
    with pytest.raises(ConfigError, match="10, 50 or 200"):
        export(clips, tmp_path, frames)


def test_ids_cannot_be_inverted(tmp_path) -> None:
    clips = scene(tmp_path, [blocks(1)], annotated=(1,))
    with pytest.raises(ConfigError, match="fbms-tracks"):
        export(clips, tmp_path, shape=Reshape(invert=True))
