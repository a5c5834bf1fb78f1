"""Videos that are cut, damaged or none at all: what decodes is used and said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from moseg.core import video
from moseg.core.errors import InputError
from moseg.core.video import read_video, scan_video
from tests.media import RGB, moving_square_frames, write_audio, write_image, write_video

FRAMES = moving_square_frames(30)


def _all(path: Path) -> list[RGB]:
    return list(read_video(path, range(len(scan_video(path).times))))


def _cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_what_decodes_of_a_cut_file_is_used_and_said(
    tmp_path: Path, name: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    codec = "libx264" if name == "a.mp4" else "ffv1"
    path = _cut(write_video(tmp_path / name, FRAMES, codec=codec), share)
    scan = scan_video(path)
    assert 0 < len(scan.times) < 30
    assert len(scan.notes) >= 1
    assert scan.notes[0].startswith(f"{name}: ")
    assert "cut or damaged" in scan.notes[0]
    assert str(len(scan.times)) in scan.notes[0]
    assert len(_all(path)) == len(scan.times)
    assert capfd.readouterr() == ("", "")


def test_the_note_on_a_cut_mp4_counts_frames(tmp_path: Path) -> None:
    scan = scan_video(_cut(write_video(tmp_path / "clip.mp4", FRAMES), 0.8))
    assert scan.notes[0] == (
        f"clip.mp4: {len(scan.times)} of 30 promised frames decode, "
        "the file is cut or damaged; those are used"
    )


def test_what_came_before_a_read_error_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails under way cannot be made here, so the demuxer is made to fail."""
    path = write_video(tmp_path / "a.mp4", FRAMES)

    class Failing:
        def __init__(self, container: av.container.InputContainer) -> None:
            self.container = container

        def demux(self, stream: av.VideoStream) -> Iterator[av.Packet]:
            yield from islice(self.container.demux(stream), 20)
            raise av.OSError(5, "Input/output error")

    decode = video._decode
    monkeypatch.setattr(
        video, "_decode", lambda container, *rest: decode(Failing(container), *rest)
    )
    scan = scan_video(path)
    assert len(scan.times) == 20
    assert "20 of 30 promised frames" in scan.notes[0]


def test_a_long_last_frame_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        packets = [
            packet
            for frame in FRAMES[:3]
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
        ]
        packets[-1].duration = 100  # 4 s
        container.mux(packets)
    with av.open(str(path)) as container:
        assert container.duration == 4_080_000
    assert scan_video(path).notes == ()


def test_damage_in_the_middle_is_said(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat")
    for place in range(start + (len(data) - start) // 2, len(data), 50):
        data[place] ^= 0xFF
    path.write_bytes(data)
    scan = scan_video(path)
    assert "frames are damaged; they are used as the decoder patches them" in scan.notes[-1]
    assert len(_all(path)) == len(scan.times)


def test_a_change_of_size_ends_the_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    small = moving_square_frames(2, 32, 32, side=8)
    jpegs = [write_image(tmp_path / f"{i}.jpg", f) for i, f in enumerate([*FRAMES[:3], *small])]
    path.write_bytes(b"".join(jpeg.read_bytes() for jpeg in jpegs))
    scan = scan_video(path)
    assert (len(scan.times), scan.height, scan.width) == (3, 48, 64)
    assert scan.notes[0].startswith("a.mjpeg: the picture size changes to 32x32 after frame 3;")
    assert len(_all(path)) == 3


def _write_text(path: Path) -> None:
    path.write_text("just words\n" * 50)


def _write_no_frame(path: Path) -> None:
    write_video(path, FRAMES)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 30])


def _write_late_index(path: Path) -> None:
    write_video(path, FRAMES)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4] + data[data.index(b"mdat") - 4 :])


REFUSED = {
    "empty.mp4": (lambda path: path.write_bytes(b""), "is empty (0 bytes)"),
    "text.mp4": (_write_text, "is a text file"),
    "sound.mp4": (write_audio, "holds no video, only audio"),
    "noise.mp4": (
        lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
        "not in a video format known here",
    ),
    "none.mp4": (_write_no_frame, "not one frame of it decodes"),
    "headless.mp4": (_write_late_index, "was cut off before its index"),
    "gone.mp4": (lambda path: None, "cannot be read"),
    "list.mp4": (
        lambda path: path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n"),
        "is a text file",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_files_get_a_line_of_their_own(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write, message = REFUSED[name]
    write(tmp_path / name)
    with pytest.raises(InputError) as caught:
        scan_video(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert capfd.readouterr() == ("", "")
