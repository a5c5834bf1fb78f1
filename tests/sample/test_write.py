"""Sample clips on disk: the video shows the clip, the masks are its truth, all or nothing."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from moseg.core.errors import ConfigError, OutputError
from moseg.sample.clip import Kind, render_sample
from moseg.sample.write import write_sample


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_video_and_truth_hold_the_clip(tmp_path: Path) -> None:
    calls: list[int] = []
    files = write_sample(
        tmp_path / "new/demo", "objects", 10, 96, 128, seed=2, on_frame=lambda: calls.append(1)
    )
    assert len(calls) == 10
    assert files.video == tmp_path / "new/demo/sample.mp4"
    masks = sorted((files.truth / "sample").iterdir())
    assert [path.name for path in masks] == [f"{index:05d}.png" for index in range(10)]
    with av.open(str(files.video)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 24
        assert stream.codec_context.name == "h264"
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(shown) == 10
    clip = render_sample(10, 96, 128, seed=2)
    for index, ((frame, ids), path) in enumerate(zip(clip, masks, strict=True)):
        soft = [cv2.blur(picture.astype(np.float32), (5, 5)) for picture in (frame, *shown)]
        distances = [np.abs(soft[0] - other).mean() for other in soft[1:]]
        assert min(distances) < 4
        assert int(np.argmin(distances)) == index
        with Image.open(path) as mask:
            assert mask.mode == "P"
            assert np.array_equal(np.asarray(mask), ids)


def test_equal_arguments_give_equal_bytes_and_replace_what_was_there(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_sample(tmp_path / folder, "objects", 4, 48, 64)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    write_sample(tmp_path / "one", "pan", 2, 32, 48)
    write_sample(tmp_path / "three", "pan", 2, 32, 48)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


@pytest.mark.parametrize("kind", ["static", "pan"])
def test_truth_of_still_clips_is_empty(tmp_path: Path, kind: Kind) -> None:
    files = write_sample(tmp_path, kind, 2, 32, 48)
    for path in (files.truth / "sample").iterdir():
        with Image.open(path) as mask:
            assert not np.asarray(mask).any()


def test_an_interrupted_sample_leaves_nothing_behind(tmp_path: Path) -> None:
    calls: list[int] = []

    def interrupt() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path, "pan", 9, 32, 48, on_frame=interrupt)
    assert contents(tmp_path) == {}


def test_a_folder_of_other_things_is_not_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "truth/sample/notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(OutputError, match="truth/sample: holds something other"):
        write_sample(tmp_path, "pan", 2, 32, 48)
    assert contents(tmp_path) == {"truth/sample/notes.txt": b"mine"}


def test_bad_arguments_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'stars' is unknown; choose one of objects"):
        write_sample(tmp_path, "stars", 2)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="65x48 cannot be a video"):
        write_sample(tmp_path, "pan", 2, 48, 65)
    with pytest.raises(ConfigError, match="frames: 0"):
        write_sample(tmp_path, "pan", 0, 48, 64)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        write_sample(tmp_path / "file", "pan", 2, 32, 48)
