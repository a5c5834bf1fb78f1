"""`Frames`: order, selection, size, laziness, and sources that change under way."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from moseg.core.errors import InputError
from moseg.core.frame_index import index_frames
from moseg.core.frames import Frames
from moseg.core.scene import Scene
from moseg.core.selection import EVERYTHING, Selection
from tests.media import moving_square_frames, write_images, write_video

FRAMES = moving_square_frames(11)


def _video(tmp_path: Path) -> Scene:
    return Scene("a", write_video(tmp_path / "a.mkv", FRAMES, fps=10, codec="ffv1"), "video")


def _images(tmp_path: Path) -> Scene:
    return Scene("a", write_images(tmp_path / "a", FRAMES), "images")


SOURCES = pytest.mark.parametrize("make", [_video, _images])
Make = Callable[[Path], Scene]


def _frames(scene: Scene, selection: Selection = EVERYTHING) -> Frames:
    return Frames(scene, index_frames(scene), selection)


@SOURCES
def test_all_frames_come_in_order_again_and_again(tmp_path: Path, make: Make) -> None:
    frames = _frames(make(tmp_path))
    assert (len(frames), frames.height, frames.width) == (11, 48, 64)
    for _ in range(2):
        read = list(frames)
        assert all(frame.dtype == np.uint8 for frame in read)
        np.testing.assert_array_equal(read, FRAMES)


@SOURCES
def test_a_selection_keeps_names_times_and_places(tmp_path: Path, make: Make) -> None:
    frames = _frames(make(tmp_path), Selection(max_frames=3, max_side=32))
    assert frames.source_indices == (0, 5, 10)
    assert frames.names == ("00000", "00005", "00010")
    rate = frames.index.fps
    assert frames.times == pytest.approx((0, 5 / rate, 10 / rate))
    assert frames.fps == pytest.approx(rate / 5)
    assert (frames.height, frames.width) == (24, 32)
    expected = [cv2.resize(FRAMES[i], (32, 24), interpolation=cv2.INTER_AREA) for i in (0, 5, 10)]
    np.testing.assert_array_equal(list(frames), expected)


def test_rate_of_whole_and_single_selections(tmp_path: Path) -> None:
    scene = _video(tmp_path)
    assert _frames(scene).fps == 10.0
    assert _frames(scene, Selection(max_frames=1)).fps == 10.0
    assert len(list(_frames(scene, Selection(max_frames=1)))) == 1


@SOURCES
def test_resized(tmp_path: Path, make: Make) -> None:
    frames = _frames(make(tmp_path), Selection(max_frames=2))
    small = frames.resized(12, 16)
    assert (len(small), small.height, small.width, small.names) == (2, 12, 16, frames.names)
    blocks = FRAMES[10].reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(list(small)[1] - blocks).max() <= 0.5
    assert (frames.height, frames.width) == (48, 64)
    assert frames.resized(48, 64).source_indices == frames.source_indices
    for size in ((49, 64), (48, 65), (0, 64)):
        with pytest.raises(ValueError, match="cannot shrink"):
            frames.resized(*size)


@SOURCES
def test_subset(tmp_path: Path, make: Make) -> None:
    frames = _frames(make(tmp_path), Selection(max_frames=6)).resized(24, 32)
    some = frames.subset([1, 4])
    assert some.source_indices == (2, 8)
    assert (some.height, some.width) == (24, 32)
    whole = list(frames)
    np.testing.assert_array_equal(list(some), [whole[1], whole[4]])
    assert list(frames.subset([])) == []
    with pytest.raises(ValueError, match="ascend"):
        frames.subset([4, 1])


@SOURCES
@pytest.mark.parametrize("size", [1, 4, 11, 50])
def test_batches(tmp_path: Path, make: Make, size: int) -> None:
    batches = list(_frames(make(tmp_path)).batches(size))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    np.testing.assert_array_equal(np.concatenate(batches), FRAMES)


@SOURCES
def test_few_frames_are_alive_at_a_time(tmp_path: Path, make: Make) -> None:
    frames = _frames(make(tmp_path))
    for view in (frames, frames.resized(24, 32)):
        seen = []
        for frame in view:
            seen.append(weakref.ref(frame))
            assert sum(ref() is not None for ref in seen) <= 2


def test_leaving_early_stops_decoding_and_closes_the_file(tmp_path: Path) -> None:
    scene = _video(tmp_path)
    held = Path("/proc/self/fd")
    if not held.is_dir():
        pytest.skip("open files cannot be listed here")

    def is_open() -> bool:
        links = [link for link in held.iterdir() if link.is_symlink()]
        return any(link.readlink() == scene.source for link in links)

    frames = iter(_frames(scene))
    next(frames)
    assert is_open()
    frames.close()
    assert not is_open()
    batches = _frames(scene).batches(2)
    next(batches)
    assert is_open()
    batches.close()
    assert not is_open()


def test_a_video_that_became_shorter(tmp_path: Path) -> None:
    scene = _video(tmp_path)
    frames = _frames(scene)
    write_video(scene.source, FRAMES[:5], codec="ffv1")
    with pytest.raises(InputError, match=r"a\.mkv changed"):
        list(frames)
    with pytest.raises(InputError, match="changed"):
        list(frames.subset([3, 9]))
    scene.source.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        list(frames)


def test_a_video_of_another_size(tmp_path: Path) -> None:
    scene = _video(tmp_path)
    frames = _frames(scene)
    write_video(scene.source, moving_square_frames(11, 32, 32), codec="ffv1")
    with pytest.raises(InputError, match="changed"):
        list(frames.resized(16, 16))


def test_images_that_changed(tmp_path: Path) -> None:
    scene = _images(tmp_path)
    frames = _frames(scene)
    write_images(scene.source / "other", moving_square_frames(1, 32, 32))
    (scene.source / "other" / "00000.png").rename(scene.source / "00004.png")
    with pytest.raises(InputError, match="changed"):
        list(frames)
    (scene.source / "00004.png").unlink()
    with pytest.raises(InputError, match="changed"):
        list(frames)
