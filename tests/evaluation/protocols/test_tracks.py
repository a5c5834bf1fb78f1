"""Labels of tracks against masks: which tracks are judged, where, and in which pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from moseg.core.errors import CacheError, ConfigError, InputError
from moseg.core.frame_index import FrameIndex
from moseg.core.frame_record import FrameRecord, Origin
from moseg.core.query_points import QueryPoints
from moseg.core.selection import Selection
from moseg.core.track_array import TrackArrayWriter
from moseg.core.types import TrackLabels, Tracks
from moseg.evaluation.protocols.tracks import MEASURES, evaluate_tracks
from moseg.evaluation.results import Report
from tests.evaluation.folders import numbered, write_labels

HEIGHT, WIDTH, FRAMES = 20, 30, 6
POINTS = np.array([[4, 4], [12, 4], [4, 12], [12, 12], [25, 15]], np.float32)
"""Of these, the first two lie on the mask of every frame."""


def index(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> FrameIndex:
    names = tuple(f"{at:05d}" for at in range(frames))
    return FrameIndex("images", names, tuple(at / 24 for at in range(frames)), 24, height, width)


def mask() -> NDArray[np.uint8]:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[2:8, 2:8], ids[2:8, 10:16] = 1, 2
    return ids


def write_tracks(
    scene: Path,
    probability: dict[int, list[float]],
    points: NDArray[np.float32] = POINTS,
    hidden: tuple[int, ...] = (),
    record: FrameRecord | None = None,
    labels: Path | None = None,
) -> None:
    """Tracks that stay where they start; query frame -> probabilities of its points."""
    labels = labels or scene
    for folder in (scene / "tracks", labels / "labels"):
        folder.mkdir(parents=True, exist_ok=True)
    record = record or FrameRecord(index(), Selection())
    (scene / "frames.json").write_text(record.to_json(), encoding="utf-8")
    for query, values in probability.items():
        start, length = max(query - 1, 0), 3
        xy = np.repeat(points[:, None], length, axis=1)
        xy[:, [at for at in range(length) if start + at != query]] = 0  # elsewhere before and after
        visible = np.ones((len(points), length), np.bool_)
        visible[list(hidden), query - start] = False
        share = np.ones(visible.shape, np.float32)
        chance = np.array(values, np.float32)
        name = f"{query:05d}.npz"
        Tracks(query, start, xy, visible, share, share).save(scene / "tracks" / name)
        TrackLabels(query, start, chance, share, chance > 0.5, 0.5).save(labels / "labels" / name)


def score(root: Path, sequences: list[str] | None = None, **options: object) -> Report:
    return evaluate_tracks(root / "out", root / "gt", sequences, workers=1, **options)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Truth and tracks of `dog` in tmp_path, query frames 1 and 4."""
    write_labels(tmp_path / "gt/dog", numbered([mask()] * FRAMES))
    write_tracks(
        tmp_path / "out/cache/dog",
        {1: [0.9, 0.8, 0.1, 0.2, 0.95], 4: [0.9, 0.6, 0.1, 0.2, 0.3]},
    )
    return tmp_path


def test_figures_of_a_scene(root: Path) -> None:
    report = score(root)
    figures = report.sequences[0].figures
    assert list(figures) == [measure.name for measure in MEASURES]
    assert (figures["Tracks"], figures["Moving"]) == (10, 4)
    assert figures["IoU"] == pytest.approx(3 / 5)  # 3 of 4 are found, and one that is still
    # Of 24 pairs of a moving and a still track, the still one at 0.95 is above all four.
    assert figures["AUC"] == pytest.approx(20 / 24)
    assert [pair.name for pair in report.sequences[0].pairs] == ["00001", "00004"]
    assert report.notes == ()
    assert report.read is None
    assert report.ranking is None


def test_threshold_is_to_be_exceeded(root: Path) -> None:
    assert score(root, threshold=0.5).figures["IoU"] == pytest.approx(4 / 5)
    assert score(root, threshold=0.9).figures["IoU"] == 0  # 0.9 is not above itself
    with pytest.raises(ConfigError, match=r"threshold: 70 is no probability"):
        score(root, threshold=70)


def test_each_track_is_judged_in_its_query_frame(root: Path) -> None:
    frames = numbered([np.zeros_like(mask())] * FRAMES)
    write_labels(root / "gt/dog", frames | {"00004": mask()})
    assert score(root).figures["Moving"] == 2
    write_labels(root / "gt/dog", frames | {"00003": mask()})
    assert score(root).figures["Moving"] == 0


def test_hidden_and_unjudged_tracks_are_left_out(root: Path) -> None:
    nan = float("nan")
    write_tracks(root / "out/cache/dog", {1: [0.9, nan, 0.1, 0.2, 0.95]}, hidden=(4,))
    write_tracks(root / "out/cache/dog", {4: [0.9, nan, nan, nan, nan]})
    figures = score(root).figures
    assert (figures["Tracks"], figures["Moving"], figures["IoU"]) == pytest.approx((4, 2, 1))


def test_points_are_scaled_by_pixel_centres_to_the_size_of_the_truth(tmp_path: Path) -> None:
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[4:6, 8:10] = 1
    write_labels(tmp_path / "gt/dog", numbered([ids] * FRAMES))
    record = FrameRecord(index(), Selection(max_side=WIDTH // 2))
    # The centre of pixel (4, 2) of the small frame lies between (8, 4) and (9, 5).
    points = np.array([[4, 2], [4.4, 2.4], [3.8, 1.8], [4.6, 2], [3.4, 2], [4, 2.6]], np.float32)
    write_tracks(
        tmp_path / "out/cache/dog", {0: [0.9, 0.9, 0.9, 0.1, 0.1, 0.1]}, points, (), record
    )
    figures = score(tmp_path).figures
    assert (figures["Moving"], figures["IoU"]) == pytest.approx((3, 1))


def test_border_points_stay_inside_where_the_truth_is_smaller(tmp_path: Path) -> None:
    write_labels(tmp_path / "gt/dog", numbered([np.ones((HEIGHT, WIDTH), np.uint8)] * FRAMES))
    record = FrameRecord(index(height=4 * HEIGHT, width=4 * WIDTH), Selection())
    points = np.array([[0, 0], [119, 79], [119.4, 79.4], [-3, 5]], np.float32)
    write_tracks(tmp_path / "out/cache/dog", {0: [0.9, 0.9, 0.9, 0.1]}, points, (), record)
    figures = score(tmp_path).figures
    assert (figures["Moving"], figures["IoU"]) == pytest.approx((3, 1))


def test_selected_frames_are_named_as_in_the_source(tmp_path: Path) -> None:
    truth = numbered([np.zeros_like(mask())] * 11) | {"00010": mask()}
    write_labels(tmp_path / "gt/dog", truth)
    record = FrameRecord(index(11), Selection(max_frames=3))  # frames 0, 5 and 10
    write_tracks(tmp_path / "out/cache/dog", {2: [0.9, 0.9, 0, 0, 0]}, record=record)
    assert score(tmp_path).figures["IoU"] == pytest.approx(1)
    video = Origin(replace(index(11), kind="video"), (0, 4, 10))
    record = FrameRecord(index(3), Selection(), video)
    write_tracks(tmp_path / "out/cache/dog", {2: [0.9, 0.9, 0, 0, 0]}, record=record)
    assert score(tmp_path).figures["IoU"] == pytest.approx(1)


def test_tracks_of_a_network_are_read_too(root: Path) -> None:
    expected = score(root).figures
    scene = root / "out/cache/dog"
    for path in (scene / "tracks").iterdir():
        path.unlink()
    points = QueryPoints(
        starts=np.zeros(1, np.int64),
        length=FRAMES,
        window=np.zeros(10, np.int64),
        frame=np.repeat([1, 4], 5),
        xy=np.tile(POINTS, (2, 1)),
        drawn=True,
    )
    block = np.full((10, FRAMES, 4), -9, np.float32)
    for row, query in enumerate(points.frame):
        block[row, query, :2] = points.xy[row]
    with TrackArrayWriter(scene / "tracks", points) as writer:
        writer.append(block)
    for path in (scene / "labels").iterdir():
        labels = TrackLabels.load(path)
        replace(labels, start=0).save(path)
    assert score(root).figures == expected


def test_whole_set_means_iou_and_pools_tracks(root: Path) -> None:
    write_labels(root / "gt/cat", numbered([mask()] * FRAMES))
    write_tracks(root / "out/cache/cat", {3: [0.3, 0.4, 0.25, 0.1, 0.05]})
    report = score(root)
    assert [part.name for part in report.sequences] == ["cat", "dog"]
    cat, dog = (part.figures for part in report.sequences)
    assert (cat["IoU"], cat["AUC"]) == pytest.approx((0, 1))
    figures = report.figures
    assert figures["IoU"] == pytest.approx((cat["IoU"] + dog["IoU"]) / 2)
    assert figures["Loss"] == pytest.approx((cat["Loss"] + dog["Loss"]) / 2)
    assert (figures["Tracks"], figures["Moving"]) == (15, 6)
    # Of 54 pairs, the 6 with the still 0.95 are in the wrong order, and one has 0.3 twice.
    assert figures["AUC"] == pytest.approx(47.5 / 54)
    above = report.curves["threshold"] > 0.5
    first = int(np.flatnonzero(above)[0])
    assert report.curves["true-positive-rate"][first] == pytest.approx(4 / 6)
    assert report.curves["false-positive-rate"][first] == pytest.approx(1 / 9)
    assert report.curves["precision"][first] == pytest.approx(4 / 5)
    assert report.rules["sequences"] == "2 of the 2 of the truth"


def test_a_scene_in_which_nothing_moves_is_told(root: Path) -> None:
    write_labels(root / "gt/dog", numbered([np.zeros_like(mask())] * FRAMES))
    report = score(root)
    assert report.figures["IoU"] == 0
    assert np.isnan(report.figures["AUC"])
    (note,) = report.notes
    assert "dog: no track is on a mask" in note
    assert "4 tracks above 0.7" in note
    write_tracks(root / "out/cache/dog", {1: [0.9] * 5, 4: [0.9] * 5}, hidden=(0, 1, 2, 3, 4))
    (note,) = score(root).notes
    assert "there is no track to judge" in note


def test_query_frames_without_truth_are_told(root: Path) -> None:
    (root / "gt/dog/00004.png").unlink()
    report = score(root)
    assert report.figures["Tracks"] == 5
    (note,) = report.notes
    assert "dog: 1 of 2 frames that tracks start from have no truth" in note
    assert "00004" in note
    (root / "gt/dog/00001.png").unlink()
    with pytest.raises(InputError, match=r"gt/dog: no mask is named.*\(00001, 00004\); rename"):
        score(root)


def test_a_truth_that_is_numbered_otherwise_is_refused(root: Path) -> None:
    """Frames 1..T: those that tracks start from are among them, but one place off."""
    for file in sorted((root / "gt/dog").iterdir(), reverse=True):
        file.rename(file.with_name(f"{int(file.stem) + 1:05d}.png"))
    told = r"gt/dog: the masks are numbered otherwise .* has 00000 but not 00006; rename"
    with pytest.raises(InputError, match=told):
        score(root)


def test_a_truth_of_some_frames_or_of_more_will_do(root: Path) -> None:
    expected = score(root).figures
    write_labels(root / "gt/dog", {"00006": mask()})
    assert score(root).figures == expected
    for stem in ("00006", "00000", "00002"):
        (root / f"gt/dog/{stem}.png").unlink()
    assert score(root).figures == expected


def test_folders_of_the_reference_command(root: Path) -> None:
    expected = score(root).figures
    (root / "out/cache/dog/labels").rename(root / "labels")
    (root / "out/cache").rename(root / "data.moseg")
    (root / "data").mkdir()
    (root / "data.moseg").rename(root / "data/.moseg")
    (root / "out/.moseg/dog").mkdir(parents=True)
    (root / "labels").rename(root / "out/.moseg/dog/labels")
    assert score(root, tracks=root / "data").figures == expected
    with pytest.raises(InputError, match=r"dog/tracks: not there.*as --tracks"):
        score(root)
    with pytest.raises(InputError, match=r"lost: no such folder for the tracks"):
        score(root, tracks=root / "lost")


def test_missing_labels_say_what_to_give(root: Path) -> None:
    write_labels(root / "gt/cat", numbered([mask()] * FRAMES))
    with pytest.raises(InputError, match=r"no labels of tracks for cat \(1 of 2 .*--motin_seg_dir"):
        score(root)
    assert score(root, ["dog"]).figures["Tracks"] == 10
    with pytest.raises(InputError, match="no sequence cow; it has cat, dog"):
        score(root, ["cow"])
    with pytest.raises(InputError, match="list is empty"):
        score(root, [])
    (root / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no labels of tracks for dog"):
        evaluate_tracks(root / "empty", root / "gt", ["dog"])


def test_what_does_not_fit_is_refused(root: Path) -> None:
    write_labels(root / "gt/dog", {"00001": mask().T})
    with pytest.raises(InputError, match=r"00001\.png: the mask is 20x30, .* 30x20 of the frames"):
        score(root)
    write_labels(root / "gt/dog", {"00001": mask()})
    (root / "out/cache/dog/tracks/00004.npz").unlink()
    with pytest.raises(CacheError, match="does not belong to"):
        score(root)
    (root / "out/cache/dog/frames.json").unlink()
    with pytest.raises(InputError, match=r"frames\.json: not there"):
        score(root)
