import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moseg.core.errors import OutputError
from moseg.core.files import partial_path
from moseg.render.video_writer import TICKS, VideoWriter
from tests.render.written_videos import length, moving_square, read, write


def test_frames_come_back_in_number_order_size_and_likeness(tmp_path: Path) -> None:
    frames = moving_square(12)
    assert write(tmp_path / "v.mp4", frames, fps=24.0) == []
    decoded, times = read(tmp_path / "v.mp4")
    assert len(decoded) == 12
    assert times == pytest.approx([i / 24 for i in range(12)], abs=1e-4)
    assert length(tmp_path / "v.mp4") == pytest.approx(0.5)
    for frame, back in zip(frames, decoded, strict=True):
        assert back.shape == frame.shape
        assert np.abs(frame.astype(int) - back).mean() < 3
    assert list(tmp_path.iterdir()) == [tmp_path / "v.mp4"]


def test_the_file_is_h264_420_tagged_and_starts_with_its_index(tmp_path: Path) -> None:
    write(tmp_path / "v.mp4", moving_square(3))
    with av.open(str(tmp_path / "v.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.name == "h264"
        assert context.pix_fmt == "yuv420p"
        assert (context.colorspace, context.color_range) == (5, 1)  # BT.601, limited
        assert "creation_time" not in container.metadata
    content = (tmp_path / "v.mp4").read_bytes()
    assert b" threads=1 " in content  # else the bytes depend on the number of cores
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("fps", [30000 / 1001, Fraction(30000, 1001)])
def test_broadcast_rates_are_kept_exactly(tmp_path: Path, fps) -> None:
    write(tmp_path / "v.mp4", moving_square(5), fps=fps)
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


def test_source_times_are_kept_from_the_first_frame_on(tmp_path: Path) -> None:
    times = [3.0, 3.04, 3.2, 3.21, 5.5, 5.75]
    assert write(tmp_path / "v.mp4", moving_square(6), times) == []
    _, shown = read(tmp_path / "v.mp4")
    assert shown == pytest.approx([t - 3.0 for t in times], abs=1 / TICKS)
    assert length(tmp_path / "v.mp4") == pytest.approx(3.0, abs=1e-3)  # last one shown 0.25 s


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=12))
def test_any_rising_times_are_kept(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    path = tmp_path_factory.mktemp("vfr") / "v.mp4"
    times = np.cumsum([0.0, *steps]).tolist()
    write(path, moving_square(len(times), 16, 64), times)
    assert read(path)[1] == pytest.approx(times, abs=1 / TICKS)


def test_times_that_do_not_rise_are_mended_and_said(tmp_path: Path) -> None:
    notes = write(tmp_path / "v.mp4", moving_square(5), [0.0, 0.5, 0.5, 0.4, 1.0])
    _, shown = read(tmp_path / "v.mp4")
    assert shown == pytest.approx([0.0, 0.5, 0.5, 0.5, 1.0], abs=3 / TICKS)
    assert len(notes) == 1
    assert notes[0].startswith("v.mp4: ")


@pytest.mark.parametrize("size", [(63, 96), (64, 95), (45, 33), (1, 1), (8, 8)])
def test_odd_sizes_are_padded_by_one_repeated_pixel(tmp_path: Path, size) -> None:
    height, width = size
    frames = [np.full((height, width, 3), 200, np.uint8) for _ in range(2)]
    for frame in frames:
        frame[-1], frame[:, -1] = 40, 40
    write(tmp_path / "v.mp4", frames)
    decoded, _ = read(tmp_path / "v.mp4")
    assert len(decoded) == 2
    assert decoded[0].shape == (height + height % 2, width + width % 2, 3)
    inside = decoded[0][:height, :width].astype(int)
    assert np.abs(inside - frames[0]).mean() < 8
    if height % 2:
        assert np.abs(decoded[0][-1].astype(int) - 40).max() < 25


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", moving_square(1), fps=10.0)
    write(tmp_path / "b.mp4", moving_square(1), [7.0], fps=10.0)
    for name in ("a.mp4", "b.mp4"):
        assert len(read(tmp_path / name)[0]) == 1
        assert length(tmp_path / name) == pytest.approx(0.1)


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.3, 0.31, 0.5, 0.6, 0.8]
    for name in ("a", "b"):
        write(tmp_path / f"{name}.mp4", moving_square(8, 200, 320), times)
        write(tmp_path / f"{name}_constant.mp4", moving_square(8, 200, 320))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    constant = [(tmp_path / f"{name}_constant.mp4").read_bytes() for name in ("a", "b")]
    assert constant[0] == constant[1]


@pytest.mark.parametrize(
    ("codec", "height", "width"), [("H264", 304, 336), ("PNG", 303, 335), ("PRORES", 303, 335)]
)
def test_the_bytes_do_not_depend_on_what_memory_held_before(
    tmp_path: Path, codec: str, height: int, width: int
) -> None:
    code = f"""
import sys
from pathlib import Path
import numpy as np
from moseg.render import video_codecs
from moseg.render.video_writer import VideoWriter
codec = video_codecs.{codec}
with VideoWriter(Path(sys.argv[1]), {height}, {width}, codec=codec) as writer:
    for i in range(12):
        frame = np.full(({height}, {width}, codec.channels), 255, np.uint8)
        frame[100:230] = np.arange({width})[None, :, None] % 196 + 60
        frame[110:150, 3 * i : 3 * i + 84, :3] = (250, 40, 30)
        writer.add(frame)
"""
    written = []
    for fill in ("0", "1", "5"):  # glibc fills fresh memory with the complement of this
        path = tmp_path / f"{fill}.mp4"
        environment = os.environ | {"MALLOC_PERTURB_": fill}
        subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]


def test_without_h264_it_is_mpeg4_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    frames = moving_square(6)
    notes = write(tmp_path / "v.mp4", frames, [0.0, 0.1, 0.3, 0.4, 0.5, 0.6])
    assert len(notes) == 1
    assert "no H.264" in notes[0]
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    decoded, times = read(tmp_path / "v.mp4")
    assert times == pytest.approx([0.0, 0.1, 0.3, 0.4, 0.5, 0.6], abs=1 / TICKS)
    assert np.abs(frames[5].astype(int) - decoded[5]).mean() < 4


@pytest.mark.parametrize("written", [0, 1, 40])
@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt(), OSError(28, "other")])
def test_an_error_in_the_block_leaves_the_folder_as_it_was(
    tmp_path: Path, written: int, error: BaseException
) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with VideoWriter(path, 64, 96) as writer:
            for frame in moving_square(1) * written:
                writer.add(frame)
            raise error

    with pytest.raises(type(error)) as caught:
        interrupted()
    assert caught.value is error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_killed_writer_leaves_no_video_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
import numpy as np
from moseg.render.video_writer import VideoWriter
rng = np.random.default_rng(0)
with VideoWriter(Path(sys.argv[1]), 64, 96) as writer:
    for i in range(100):
        writer.add(rng.integers(0, 255, (64, 96, 3), np.uint8))
    print("ready", flush=True)
    time.sleep(60)
"""
    path = tmp_path / "v.mp4"
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        os.kill(child.pid, signal.SIGKILL)
    assert not path.exists()
    write(path, moving_square(3))
    assert len(read(path)[0]) == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    path = tmp_path / "v.mp4"
    partial_path(path).symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    with pytest.raises(OutputError, match=r"v\.mp4: the disk is full"):
        write(path, [noise] * 100)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        write(tmp_path / "file" / "v.mp4", moving_square(2))


def test_a_size_no_encoder_takes_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="refused 20000x2 frames"):
        write(tmp_path / "v.mp4", [np.zeros((2, 20000, 3), np.uint8)])
    assert list(tmp_path.iterdir()) == []


def test_misuse_is_refused(tmp_path: Path) -> None:
    frame = moving_square(1)[0]
    with pytest.raises(ValueError, match="at least one frame"), VideoWriter(tmp_path / "a", 2, 2):
        pass
    with pytest.raises(ValueError, match="for every frame"):
        write(tmp_path / "a", [frame, frame], [0.0, None])
    with pytest.raises(ValueError, match="for every frame"):
        write(tmp_path / "a", [frame, frame], [None, 1.0])
    with pytest.raises(ValueError, match="in a video of"):
        write(tmp_path / "a", [frame, frame[:50]])
    with pytest.raises(ValueError, match="no video"):
        VideoWriter(tmp_path / "a", 2, 2, fps=float("nan"))
    assert list(tmp_path.iterdir()) == []
