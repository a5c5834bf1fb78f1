from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from moseg.core.errors import BackendError
from moseg.render.video_codecs import H264, PNG, PRORES, Codec
from moseg.render.video_writer import TICKS
from tests.render.written_videos import length, moving_square, read, stored_alpha, write

ALPHA_CODECS = pytest.mark.parametrize("codec", [PNG, PRORES], ids=["png", "prores"])


def with_alpha(frames: list[np.ndarray]) -> list[np.ndarray]:
    """The frames with a ragged alpha of 0 and 255, another in each."""
    rng = np.random.default_rng(0)
    alphas = [rng.choice(np.array([0, 255], np.uint8), frame.shape[:2]) for frame in frames]
    return [np.dstack([frame, alpha]) for frame, alpha in zip(frames, alphas, strict=True)]


@ALPHA_CODECS
@pytest.mark.parametrize("size", [(64, 96), (63, 95), (45, 33), (1, 1), (8, 7)])
def test_alpha_comes_back_exactly_at_any_size(tmp_path: Path, codec: Codec, size) -> None:
    frames = with_alpha(moving_square(4, *size))
    assert write(tmp_path / "v", frames, fps=24.0, codec=codec) == []
    with av.open(str(tmp_path / "v")) as container:
        decoded = list(container.decode(video=0))
    assert len(decoded) == 4
    for frame, back in zip(frames, decoded, strict=True):
        alpha = stored_alpha(back)
        assert alpha.shape == size
        assert set(np.unique(alpha)) <= {0, 255 if codec is PNG else 4095}
        assert np.array_equal(alpha > 0, frame[..., 3] > 0)


@ALPHA_CODECS
def test_colours_are_kept_where_alpha_is_0_too(tmp_path: Path, codec: Codec) -> None:
    frames = with_alpha(moving_square(4))
    write(tmp_path / "v", frames, codec=codec)
    with av.open(str(tmp_path / "v")) as container:
        decoded = [f.reformat(format="rgba").to_ndarray() for f in container.decode(video=0)]
    furthest = 0 if codec is PNG else 8
    for frame, back in zip(frames, decoded, strict=True):
        assert np.abs(frame[..., :3].astype(int) - back[..., :3]).max() <= furthest


@ALPHA_CODECS
def test_alpha_videos_keep_times_too(tmp_path: Path, codec: Codec) -> None:
    times = [3.0, 3.04, 3.2, 3.21, 5.5, 5.75]
    write(tmp_path / "v", with_alpha(moving_square(6)), times, codec=codec)
    assert read(tmp_path / "v")[1] == pytest.approx([t - 3.0 for t in times], abs=1 / TICKS)
    assert length(tmp_path / "v") == pytest.approx(3.0, abs=1e-3)
    write(tmp_path / "v", with_alpha(moving_square(3)), fps=30000 / 1001, codec=codec)
    with av.open(str(tmp_path / "v")) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


def test_a_frame_becomes_the_same_picture_every_time() -> None:
    """A frame so large that FFmpeg would share it among threads, some of which err."""
    (frame,) = with_alpha(moving_square(1, 480, 854))
    for _ in range(40):
        alpha = PRORES.picture(frame).planes[3]
        rows = np.frombuffer(alpha, np.uint16).reshape(480, alpha.line_size // 2)[:, :854]
        assert np.array_equal(rows, np.where(frame[..., 3], 1023, 0))


def test_prores_is_4444_in_mov_and_says_its_alpha_and_colours(tmp_path: Path) -> None:
    write(tmp_path / "v.mov", with_alpha(moving_square(3)), codec=PRORES)
    with av.open(str(tmp_path / "v.mov")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.codec_tag) == ("prores", "ap4h")
        assert (context.colorspace, context.color_range) == (1, 1)  # BT.709, limited
        assert (context.color_primaries, context.color_trc) == (1, 1)
    content = (tmp_path / "v.mov").read_bytes()
    entry = content.index(b"ap4h")
    assert content[entry + 78 : entry + 80] == b"\x00\x20"  # depth 32: colours and alpha
    assert b"colrnclc\x00\x01\x00\x01\x00\x01" in content  # where editors look: BT.709 thrice


def test_an_encoder_that_is_lacking_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(BackendError, match="no prores_ks encoder"):
        write(tmp_path / "v.mov", with_alpha(moving_square(3)), codec=PRORES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", [H264, PRORES], ids=["h264", "prores"])
def test_frames_with_other_channels_than_the_codec_takes_are_refused(
    tmp_path: Path, codec: Codec
) -> None:
    frame = np.zeros((8, 8, 7 - codec.channels), np.uint8)
    with pytest.raises(ValueError, match=rf"uint8 \[H, W, {codec.channels}\]"):
        write(tmp_path / "v", [frame], codec=codec)
