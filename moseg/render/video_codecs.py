"""The kinds of video that `VideoWriter` writes: encoder, container, and what a frame becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from moseg.core.errors import BackendError

Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Codec:
    """One kind of video.

    Attributes:
        encoder: FFmpeg's name for it.
        container: FFmpeg's name; also the suffix of the file.
        picture: makes what is encoded of a frame, uint8 [H, W, C], with its colours tagged.
        channels: C, 3 for RGB and 4 for RGB with straight alpha.
        options: of the encoder.
        stand_in: what is written where this PyAV lacks the encoder.
        lack: the sentence that says so.
    """

    encoder: str
    container: str
    picture: Callable[[Frame], av.VideoFrame]
    channels: int = 3
    options: Mapping[str, str] = field(default_factory=dict)
    stand_in: Codec | None = None
    lack: str = ""

    def available(self) -> Codec:
        """This codec, or its stand-in where this PyAV lacks the encoder.

        Raises:
            BackendError: it is lacking, and there is no stand-in.
        """
        if self.encoder in av.codecs_available:
            return self
        if self.stand_in is None:
            raise BackendError(
                f"this PyAV has no {self.encoder} encoder; install the wheel: "
                "pip install --only-binary av av"
            )
        return self.stand_in

    def check(self, frame: Frame) -> None:
        """Raise ValueError unless `frame` is a non-empty uint8 [H, W, `channels`]."""
        shape = list(frame.shape)
        if frame.dtype != np.uint8 or shape[2:] != [self.channels] or frame.size == 0:
            raise ValueError(
                f"a frame must be uint8 [H, W, {self.channels}], not {frame.dtype} {shape}"
            )


def _even_yuv(frame: Frame) -> av.VideoFrame:
    """4:2:0, BT.601 limited range, padded to even sizes by the last pixels."""
    bottom, right = frame.shape[0] % 2, frame.shape[1] % 2
    padded = cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    planes = np.asarray(cv2.cvtColor(padded, cv2.COLOR_RGB2YUV_I420), np.uint8)
    picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    picture.colorspace = Colorspace.ITU601
    picture.color_range = ColorRange.MPEG
    return picture


def _rgba(frame: Frame) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame, format="rgba")


def _yuva(frame: Frame) -> av.VideoFrame:
    """4:4:4:4 of 10 bits, BT.709 limited range.

    In one thread: with several, swscale (PyAV 18.1) leaves some pixels grey now and then.
    """
    picture = _rgba(frame).reformat(
        format="yuva444p10le",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
    picture.colorspace = Colorspace.ITU709
    picture.color_range = ColorRange.MPEG
    picture.color_primaries = ColorPrimaries.BT709
    picture.color_trc = ColorTrc.BT709
    return picture


_MPEG4 = Codec(
    encoder="mpeg4",
    container="mp4",
    picture=_even_yuv,
    options={"flags": "+qscale", "global_quality": str(3 * 118)},  # quantiser 3 in lambda units
)

# Measured on 60 frames of two hand-held 1280x720 clips, one thread, colour conversion
# included: superfast/22 takes 8 and 11 ms and 14 and 22 kB a frame at 44 dB; veryfast/21
# without MB-tree 10 and 17 ms, 12 and 20 kB, 44 dB; ultrafast/20 4 ms, 22 kB, 46 dB.
# MB-tree (on from veryfast up) reads memory it never wrote (x264 core 165 in PyAV 18): with
# it, the same frames give other bytes now and then.
H264 = Codec(
    encoder="libx264",
    container="mp4",
    picture=_even_yuv,
    options={"preset": "superfast", "crf": "22", "x264-params": "mbtree=0"},
    stand_in=_MPEG4,
    lack="this PyAV has no H.264 encoder, so the video is MPEG-4 part 2; most browsers will "
    "not play it",
)
"""Plays everywhere. An odd height or width is padded by one repeated row or column at the
bottom or right. Colours are BT.601 limited range, and say so."""

# Measured on 12 frames each of two 854x480 clips, one thread: sub/1 takes 20 ms and 690 and
# 770 kB a frame; paeth/3 36 ms and 660 and 770 kB; FFmpeg's own choice 120 ms and 600 and 720 kB.
PNG = Codec(
    encoder="png",
    container="mp4",
    picture=_rgba,
    channels=4,
    options={"pred": "sub", "compression_level": "1"},
)
"""Every frame a PNG with alpha, in an MP4: exact, of any size, and large. FFmpeg reads it and
what is built on it; browsers do not."""

PRORES = Codec(
    encoder="prores_ks",
    container="mov",
    picture=_yuva,
    channels=4,
    options={"profile": "4444", "alpha_bits": "16", "vendor": "apl0"},
)
"""ProRes 4444, which editors read: alpha exact, colours nearly; of any size. BT.709 limited
range, and says so."""
