"""Decoding video files: real small ones, turned, uneven, of odd names and sizes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from moseg.core import video
from moseg.core.errors import InputError
from moseg.core.video import read_video, scan_video
from tests.media import RGB, moving_square_frames, write_video

FRAMES = moving_square_frames(30)


def _all(path: Path) -> list[RGB]:
    return list(read_video(path, range(len(scan_video(path).times))))


def _close(first: RGB, second: RGB) -> bool:
    """Whether two frames are equal but for the losses of the codec."""
    if first.shape != second.shape:
        return False
    return float(np.abs(first.astype(int) - second).mean()) < 3


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.ts", "libx264"), ("a.webm", "libvpx")],
)
def test_containers(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, FRAMES, codec=codec)
    scan = scan_video(path)
    assert (len(scan.times), scan.height, scan.width, scan.fps) == (30, 48, 64, 25.0)
    assert scan.times == pytest.approx([i / 25 for i in range(30)])
    assert scan.notes == ()
    frames = _all(path)
    assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in frames)
    assert all(_close(a, b) for a, b in zip(frames, FRAMES, strict=True))
    assert frames[0][20, 8, 0] > 150 > frames[0][20, 8, 2]  # red first


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_a_lossless_codec_gives_every_pixel(tmp_path: Path, name: str) -> None:
    frames = _all(write_video(tmp_path / name, FRAMES, codec="ffv1"))
    np.testing.assert_array_equal(frames, FRAMES)


@pytest.mark.parametrize("name", ["-lead.mp4", "a b'\"ü日本.mp4", "a:b%03d.mp4", "a|b?.mp4"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    assert len(scan_video(write_video(tmp_path / name, FRAMES[:2])).times) == 2


def test_a_relative_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "http:a.mp4", FRAMES[:2])
    monkeypatch.chdir(tmp_path)
    assert len(scan_video(Path("http:a.mp4")).times) == 2


@pytest.mark.parametrize(
    ("count", "height", "width"), [(1, 48, 64), (2, 8, 8), (3, 7, 9), (2, 1, 1)]
)
def test_few_frames_and_odd_sizes(tmp_path: Path, count: int, height: int, width: int) -> None:
    originals = moving_square_frames(count, height, width, side=4)
    path = write_video(tmp_path / "a.mkv", originals, codec="ffv1")
    scan = scan_video(path)
    assert (len(scan.times), scan.height, scan.width) == (count, height, width)
    np.testing.assert_array_equal(_all(path), originals)


def test_chosen_frames_alone_are_given(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", FRAMES, codec="ffv1")
    chosen = list(read_video(path, [0, 3, 29]))
    np.testing.assert_array_equal(chosen, [FRAMES[0], FRAMES[3], FRAMES[29]])
    assert list(read_video(path, [])) == []
    assert len(list(read_video(path, [28, 29, 30, 31]))) == 2


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_and_mirroring(tmp_path: Path, rotation: int, mirror: bool) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES[:2], rotation=rotation, mirror=mirror)
    shown = np.rot90(FRAMES[0], rotation // 90)
    shown = np.fliplr(shown) if mirror else shown
    scan = scan_video(path)
    assert (scan.height, scan.width) == shown.shape[:2]
    assert _close(next(read_video(path, [0])), shown)


def test_rotation_as_a_phone_writes_it(tmp_path: Path) -> None:
    """Held upright, a phone stores a matrix that sends the right of the sensor down."""
    path = write_video(tmp_path / "a.mp4", FRAMES[:2])
    data = path.read_bytes()
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 16
    assert struct.unpack(">3i", data[matrix : matrix + 12]) == (65536, 0, 0)
    one, unit = 65536, 1 << 30
    turned = struct.pack(">9i", 0, one, 0, -one, 0, 0, 48 * one, 0, unit)
    path.write_bytes(data[:matrix] + turned + data[matrix + 36 :])
    frame = next(read_video(path, [0]))
    # (x, y) goes to (48 - y, x): a quarter turn clockwise.
    assert _close(frame, np.rot90(FRAMES[0], -1))


def test_rotation_where_side_data_cannot_be_listed(tmp_path: Path) -> None:
    """A Motion-JPEG frame with an EXIF block, of which PyAV gives the angle alone."""
    from PIL import Image

    tag = Image.Exif()
    tag[0x112] = 6  # turn clockwise to show
    jpeg = tmp_path / "a.jpg"
    Image.fromarray(FRAMES[0]).save(jpeg, exif=tag, quality=95, subsampling=0)
    video = jpeg.rename(tmp_path / "a.mjpeg")
    assert _close(next(read_video(video, [0])), np.rot90(FRAMES[0], -1))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_uneven_times_are_kept(tmp_path: Path, name: str) -> None:
    times = [0.0, 0.04, 0.1, 0.5, 0.52, 2.0, 2.04]
    scan = scan_video(write_video(tmp_path / name, FRAMES[:7], times=times))
    assert scan.times == pytest.approx(times, abs=1e-3)
    assert scan.fps == pytest.approx(6 / 2.04, rel=1e-3)
    assert scan.notes == ()


def test_a_later_start_is_no_damage(tmp_path: Path) -> None:
    times = [5 + i / 25 for i in range(10)]
    for name in ("a.mp4", "a.mkv"):
        scan = scan_video(write_video(tmp_path / name, FRAMES[:10], times=times))
        assert scan.times == pytest.approx([i / 25 for i in range(10)], abs=1e-3)
        assert scan.notes == ()


def test_frames_hidden_by_an_edit_list_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "30", "crf": "8"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        pictures = [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in FRAMES]
        for picture in [*pictures, None]:
            for packet in stream.encode(picture):
                packet.pts -= 5
                packet.dts -= 5
                container.mux(packet)
    scan = scan_video(path)
    assert (len(scan.times), scan.notes) == (25, ())
    assert _close(_all(path)[0], FRAMES[5])


def test_sound_beside_the_picture_changes_nothing(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        scan = scan_video(write_video(tmp_path / name, FRAMES, audio=True))
        assert (len(scan.times), scan.notes) == (30, ())


def test_decoding_stops_after_the_last_frame_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    decoded = []
    decode = video._decode

    def counting(*args: Any) -> Iterator[av.VideoFrame]:
        for frame in decode(*args):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(video, "_decode", counting)
    assert len(list(read_video(path, [1, 3]))) == 2
    assert len(decoded) == 4


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(FRAMES[0], format="rgb24")))
        container.mux(cover.encode(None))
    with pytest.raises(InputError, match="only a cover picture"):
        scan_video(path)


def test_broken_titles_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLE"
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(FRAMES[0], format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"TITLE", b"T\xff\xfeLE"))
    assert len(scan_video(path).times) == 1


def test_reading_can_stop_early_and_closes_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", FRAMES)
    held = Path("/proc/self/fd")
    if not held.is_dir():
        pytest.skip("open files cannot be listed here")

    def is_open() -> bool:
        return any(link.is_symlink() and link.readlink() == path for link in held.iterdir())

    frames = read_video(path, range(30))
    next(frames)
    assert is_open()
    frames.close()
    assert not is_open()
