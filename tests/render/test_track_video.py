from pathlib import Path

import av
import numpy as np
import pytest

from moseg.core.errors import OutputError
from moseg.render.track_video import ResultVideos, TrackVideos

SIZE = (64, 96)


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in decoded], [f.time for f in decoded]


def near(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(image.astype(int) - colour).max(axis=2) < 60


def frame_and_ids(i: int) -> tuple[np.ndarray, np.ndarray]:
    ids = np.zeros(SIZE, np.uint8)
    ids[20:40, 10 + 8 * i : 30 + 8 * i] = 1
    ids[44:60, 70:90] = 2
    frame = np.full((*SIZE, 3), 100, np.uint8)
    frame[ids > 0] = (40, 40, 200)
    return frame, ids


def test_result_videos_show_frames_silhouette_cutout_and_green(tmp_path: Path) -> None:
    with ResultVideos(tmp_path / "a" / "video", *SIZE) as videos:
        for i in range(5):
            videos.add(*frame_and_ids(i))
    assert videos.notes == []
    names = {"original_rgb", "mask", "mask_rgb", "mask_rgb_color"}
    assert {p.name for p in (tmp_path / "a" / "video").iterdir()} == {f"{n}.mp4" for n in names}
    for name in names:
        frames, times = read(tmp_path / "a" / "video" / f"{name}.mp4")
        assert times == pytest.approx([i / 30 for i in range(5)], abs=1e-4)
        for i, frame in enumerate(frames):
            ids = frame_and_ids(i)[1]
            inside = {
                "original_rgb": (40, 40, 200),
                "mask": (0, 0, 0),
                "mask_rgb": (40, 40, 200),
                "mask_rgb_color": (20, 148, 100),
            }[name]
            outside = (255, 255, 255) if name in ("mask", "mask_rgb") else (100, 100, 100)
            assert near(frame, inside)[ids > 0].mean() > 0.9
            assert near(frame, outside)[ids == 0].mean() > 0.9


def test_result_videos_keep_source_times(tmp_path: Path) -> None:
    with ResultVideos(tmp_path, *SIZE) as videos:
        for i, time in enumerate((0.0, 0.5, 0.6)):
            videos.add(*frame_and_ids(i), time)
    for path in tmp_path.iterdir():
        assert read(path)[1] == pytest.approx([0.0, 0.5, 0.6], abs=1e-4)


def test_an_error_leaves_no_video(tmp_path: Path) -> None:
    def interrupted() -> None:
        with ResultVideos(tmp_path, *SIZE) as videos:
            videos.add(*frame_and_ids(0))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="a file stands"):
        ResultVideos(tmp_path / "file" / "video", *SIZE)


def track_videos(folder: Path, count: int) -> None:
    """Two tracks in rows 10 and 54: the upper one walks right and moves, the other hides."""
    start = np.array([[20.0, 10.0], [60.0, 54.0]])
    dynamic = np.array([True, False])
    with TrackVideos(folder, *SIZE, start[:, 1], dynamic) as videos:
        for i in range(count):
            xy = start + np.array([[8.0 * i, 0.0], [0.0, 0.0]])
            videos.add(np.full((*SIZE, 3), 100, np.uint8), xy, np.array([True, i == 0]))


def test_track_videos_have_every_frame_once_and_the_right_tracks(tmp_path: Path) -> None:
    track_videos(tmp_path, 12)
    assert {p.name for p in tmp_path.iterdir()} == {"original.mp4", "dynamic.mp4"}
    original, times = read(tmp_path / "original.mp4")
    dynamic, _ = read(tmp_path / "dynamic.mp4")
    assert times == pytest.approx([i / 10 for i in range(12)], abs=1e-4)
    assert len(dynamic) == 12
    border = 120
    for i in range(12):
        upper = (border + 10, border + 20 + 8 * i)  # the last ones lie on the white border
        for frame in (original[i], dynamic[i]):
            assert frame.shape == (SIZE[0] + 2 * border, SIZE[1] + 2 * border, 3)
            assert frame[upper].min() < 60
        lower = (border + 54, border + 60)
        assert np.abs(dynamic[i][lower].astype(int) - 100).max() < 15
        visible = np.abs(original[i][lower].astype(int) - 100).max() > 60
        assert visible == (i == 0)
        ring = original[i][border + 48 : border + 61, border + 54 : border + 67]
        assert np.abs(ring.astype(int) - 100).max() > 40


def test_many_tracks_do_not_cover_the_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    xy = rng.uniform((0, 0), (400, 300), (1500, 2))
    with TrackVideos(tmp_path, 300, 400, xy[:, 1], np.ones(1500, bool)) as videos:
        videos.add(np.full((300, 400, 3), 100, np.uint8), xy, np.ones(1500, bool))
    frame = read(tmp_path / "original.mp4")[0][0][120:-120, 120:-120]
    assert near(frame, (100, 100, 100)).mean() > 0.5


def test_no_track_and_lost_tracks_are_fine(tmp_path: Path) -> None:
    frame = np.full((*SIZE, 3), 100, np.uint8)
    with TrackVideos(tmp_path, *SIZE, np.zeros(0), np.zeros(0, bool)) as videos:
        videos.add(frame, np.zeros((0, 2)), np.zeros(0, bool))
    with TrackVideos(tmp_path, *SIZE, np.array([np.nan]), np.array([True])) as videos:
        videos.add(frame, np.array([[np.nan, 3.0]]), np.array([False]))
        with pytest.raises(ValueError, match="do not fit"):
            videos.add(frame, np.zeros((2, 2)), np.array([True]))
    assert len(read(tmp_path / "dynamic.mp4")[0]) == 1


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        track_videos(tmp_path / folder, 6)
    for name in ("original.mp4", "dynamic.mp4"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
