"""Write frames as a video, one at a time, at their own times; by default an H.264 MP4."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import ThreadType
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from moseg.core.errors import OutputError, writing_to
from moseg.core.files import discard, partial_path
from moseg.render.video_codecs import H264, Codec

TICKS = 60_000  # a second, for frames with their own times; MPEG-4 allows at most 65535


class VideoWriter:
    """Context manager that writes frames to a video file, one at a time.

    The file appears at `path` when the block ends without an error, and not at all
    otherwise. Equal frames and times give equal bytes: one thread, no creation time.
    It is ready to stream.

    Args:
        path: the video file; its folder must exist.
        height, width: of the frames in pixels.
        fps: frames a second when frames come without times; with times it only sets
            how long a single frame lasts.
        codec: the kind of video; it says what becomes of odd sizes and of colours.

    Attributes:
        notes: sentences about what was done differently, for the person who asked.
    """

    def __init__(
        self,
        path: Path,
        height: int,
        width: int,
        fps: float | Fraction = 30.0,
        codec: Codec = H264,
    ) -> None:
        if height < 1 or width < 1 or not 0.0 < fps < 1e5:
            raise ValueError(f"no video of {width}x{height} at {fps} frames a second")
        self.notes: list[str] = []
        self._path = path
        self._partial = partial_path(path)
        self._size = (height, width)
        self._codec = codec
        self._rate = Fraction(fps).limit_denominator(1001)
        self._output: tuple[OutputContainer, VideoStream] | None = None
        self._first_time: float | None = None
        self._pts = -1
        self._step = 1

    def __enter__(self) -> Self:
        return self

    def add(self, frame: npt.NDArray[np.uint8], time: float | None = None) -> None:
        """Append a frame, uint8 [H, W, C]: RGB, with a codec of 4 channels also straight alpha.

        Args:
            frame: of the size given at the start.
            time: of the source frame in seconds. Give it for every frame or for none.
                The first frame is shown at 0, every other one as long after it as in the
                source, to 1/60000 s. Without times the rate is constant.

        Raises:
            OutputError: the place cannot be written, or no encoder takes this size.
            BackendError: this PyAV lacks the encoder.
            ValueError: wrong shape or type; a time for some frames and not for others.
        """
        self._codec.check(frame)
        if frame.shape[:2] != self._size:
            raise ValueError(f"frame {list(frame.shape)} in a video of {list(self._size)}")
        if self._output is not None and (time is None) != (self._first_time is None):
            raise ValueError("give a time for every frame of a video, or for none")
        picture = self._codec.picture(frame)
        with self._writing():
            container, stream = self._output or self._open(picture, time)
            picture.pts = self._next_pts(time)
            picture.time_base = stream.codec_context.time_base
            self._mux(container, stream.encode(picture))

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            self._abandon()

    def _open(
        self, picture: av.VideoFrame, time: float | None
    ) -> tuple[OutputContainer, VideoStream]:
        """Start the file for pictures like this one, the first."""
        codec = self._codec.available()
        if codec is not self._codec:
            self.notes.append(f"{self._path.name}: {self._codec.lack}")
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        container = av.open(f"file:{self._partial}", "w", format=codec.container, options=options)
        stream = cast(
            VideoStream, container.add_stream(codec.encoder, self._rate, dict(codec.options))
        )
        stream.height, stream.width = picture.height, picture.width
        stream.pix_fmt = picture.format.name
        context = stream.codec_context
        context.thread_count, context.thread_type = 1, ThreadType.NONE
        context.max_b_frames = 0  # so that decoding order and durations follow the times
        context.colorspace, context.color_range = picture.colorspace, picture.color_range
        context.color_primaries, context.color_trc = picture.color_primaries, picture.color_trc
        context.time_base = 1 / self._rate if time is None else Fraction(1, TICKS)
        self._step = 1 if time is None else max(1, round(TICKS / self._rate))
        self._output, self._first_time = (container, stream), time
        return self._output

    def _next_pts(self, time: float | None) -> int:
        if time is None or self._first_time is None:
            pts = self._pts + 1
        else:
            pts = round((time - self._first_time) * TICKS)
            if pts <= self._pts:
                pts = self._pts + 1
                self._note_once("frames whose time is not after the one before follow at once")
            if self._pts >= 0:
                self._step = pts - self._pts
        self._pts = pts
        return pts

    def _note_once(self, sentence: str) -> None:
        note = f"{self._path.name}: {sentence}"
        if note not in self.notes:
            self.notes.append(note)

    def _mux(self, container: OutputContainer, packets: Iterable[Packet[VideoStream]]) -> None:
        """Write packets. The length of the last one counts: it is shown as long as the one
        before; the player takes the others' lengths from the times."""
        for packet in packets:
            packet.duration = self._step
            container.mux(packet)

    def _finish(self) -> None:
        if self._output is None:
            raise ValueError(f"{self._path}: a video needs at least one frame")
        container, stream = self._output
        with self._writing():
            self._mux(container, stream.encode(None))
            container.close()
            self._partial.replace(self._path)

    def _abandon(self) -> None:
        """Close what is open and remove the partial file; nothing to do after `_finish`."""
        if self._output is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._output[0].close()
        discard(self._partial)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with writing_to(self._path):
            try:
                yield
            except av.FFmpegError as error:
                if isinstance(error, OSError):
                    raise
                height, width = self._size
                raise OutputError(
                    f"cannot write {self._path}: the encoder refused {width}x{height} "
                    f"frames ({error.strerror}); make the frames smaller"
                ) from error
