"""What one full pass over a source says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moseg.core.errors import CacheError, InputError
from moseg.core.frame_index import FrameIndex, index_frames
from moseg.core.scene import Scene
from tests.media import moving_square_frames, write_images, write_video

FRAMES = moving_square_frames(4)

INDICES = st.integers(1, 5).flatmap(
    lambda count: st.builds(
        FrameIndex,
        kind=st.sampled_from(["video", "images"]),
        names=st.tuples(*[st.text(max_size=9)] * count),
        times=st.tuples(*[st.floats(0, 1e6)] * count),
        fps=st.floats(0.01, 1000),
        height=st.integers(1, 9000),
        width=st.integers(1, 9000),
        notes=st.lists(st.text(max_size=20), max_size=2).map(tuple),
    )
)


def test_of_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", FRAMES, fps=10, codec="ffv1")
    index = index_frames(Scene("a", path, "video"))
    assert index == FrameIndex(
        "video", ("00000", "00001", "00002", "00003"), (0.0, 0.1, 0.2, 0.3), 10.0, 48, 64, ()
    )
    assert len(index) == 4


def test_of_images(tmp_path: Path) -> None:
    scene = Scene("a", write_images(tmp_path / "a", FRAMES), "images")
    (scene.source / "00003.png").rename(scene.source / "9b.png")
    index = index_frames(scene)
    assert index.names == ("00000", "00001", "00002", "9b")
    assert index.times == pytest.approx((0, 1 / 24, 2 / 24, 3 / 24))
    assert (index.kind, index.fps, index.height, index.width) == ("images", 24.0, 48, 64)
    assert index_frames(scene, image_fps=2).times == (0.0, 0.5, 1.0, 1.5)


def test_notes_of_a_cut_video_are_kept(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", FRAMES, codec="ffv1")
    path.write_bytes(path.read_bytes()[:-6000])
    index = index_frames(Scene("a", path, "video"))
    assert len(index) < 4
    assert "cut or damaged" in index.notes[0]


def test_every_image_is_decoded(tmp_path: Path) -> None:
    scene = Scene("a", write_images(tmp_path / "a", FRAMES), "images")
    (scene.source / "00002.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"00002\.png"):
        index_frames(scene)


@given(INDICES)
def test_json_round_trip(index: FrameIndex) -> None:
    text = index.to_json()
    assert FrameIndex.from_json(text) == index
    assert FrameIndex.from_json(text).to_json() == text
    assert text.isascii()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "film"},
        {"names": []},
        {"times": [0.0]},
        {"height": None},
        {"fps": "fast"},
        {"notes": 3},
    ],
)
def test_damaged_json_is_refused(change: dict[str, object]) -> None:
    good = FrameIndex("video", ("0", "1"), (0.0, 1.0), 1.0, 2, 2).to_json()
    with pytest.raises(CacheError):
        FrameIndex.from_json(json.dumps({**json.loads(good), **change}))
    with pytest.raises(CacheError):
        FrameIndex.from_json(good[:40])
    with pytest.raises(CacheError):
        FrameIndex.from_json("[]")
