"""Decoding video files.

PyAV is called directly. imageio, which wraps it, gives no time of each frame and no place
of a decoding error, and both are needed: source times are kept, and of a damaged file
what decodes is used.

What a frame is:
  * The frames are those that decode, in presentation order. The container's count is only
    used to tell that some are missing.
  * The display matrix (rotation and mirroring, as phones write it) is applied.
  * Non-square pixels are not resampled and interlaced frames are not split: masks lie on
    the stored pixels.
  * If the frame size changes within the stream, the video ends there, with a note.

Decoding uses one thread. Two were measured to gain 15 % on the decode of a 720p H.264
file, and how damaged parts are patched up would depend on timing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from av.video.stream import VideoStream

from moseg.core.damage import Losses, Promise
from moseg.core.display import Turn
from moseg.core.errors import InputError
from moseg.core.video_times import average_rate, frame_times

_PLAYLISTS = frozenset({"hls", "concat", "dash", "imf", "sdp"})


@dataclass(frozen=True)
class VideoScan:
    """What one full decode of a video says.

    Attributes:
        times: seconds from the first frame, one each, strictly increasing from 0.
        fps: average frames per second.
        height, width: pixels, after rotation.
        notes: sentences about damage; empty for a sound file.
    """

    times: tuple[float, ...]
    fps: float
    height: int
    width: int
    notes: tuple[str, ...]


def scan_video(path: Path) -> VideoScan:
    """Decode every frame once, without converting it, and say what there is.

    Raises:
        InputError: the file cannot be read, is no video, or not one frame decodes.
    """
    losses = Losses()
    with _open(path) as (container, stream):
        time_base, stated_rate = stream.time_base, stream.average_rate
        frames = _decode(container, stream, losses)
        first = next(frames, None)
        if first is None:
            raise InputError(
                f"{path} holds a video stream, but not one frame of it decodes; "
                "copy or convert the file again"
            )
        promise = Promise.of(container, stream, first)
        stamps = [first.pts]
        last = first
        for last in frames:
            stamps.append(last.pts)
        last_shown = float((last.duration or 0) * (last.time_base or 0))
    times = frame_times(stamps, time_base, stated_rate)
    height, width = Turn.of(first).size(first.height, first.width)
    return VideoScan(
        times=times,
        fps=average_rate(times, stated_rate),
        height=height,
        width=width,
        notes=losses.notes(path.name, promise, times, last_shown),
    )


def read_video(path: Path, indices: Sequence[int]) -> Generator[npt.NDArray[np.uint8]]:
    """Decode the frames of the given ascending indices, as RGB uint8 [H, W, 3].

    One frame is held at a time, and decoding stops after the last one asked for. Fewer
    frames come out where the file yields fewer.

    Raises:
        InputError: as `scan_video`.
    """
    chosen = set(indices)
    if not chosen:
        return
    last = max(chosen)
    with _open(path) as (container, stream):
        turn: Turn | None = None
        for index, frame in enumerate(_decode(container, stream, Losses())):
            turn = turn or Turn.of(frame)
            if index in chosen:
                yield turn.apply(_to_rgb(frame))
            if index == last:
                return


@contextmanager
def _open(path: Path) -> Iterator[tuple[av.container.InputContainer, VideoStream]]:
    """Open the file and its video stream; close both at the end.

    Raises:
        InputError: each cause in its own words.
    """
    _check_file(path)
    try:
        # The prefix keeps names with a colon from being read as a protocol, and the
        # white list keeps a crafted file from reaching into the network.
        container = av.open(
            f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except av.FFmpegError as error:
        raise InputError(f"{path} {_why_not_opened(path)}") from error
    with container:
        if container.format.name in _PLAYLISTS:
            raise InputError(f"{path} is a list of other files; give the video itself")
        if not len(container.streams):
            raise InputError(f"{path} was cut off before its video; copy or record it again")
        streams = [s for s in container.streams.video if not _is_cover_picture(s)]
        if not streams:
            raise InputError(
                f"{path} holds no video, only {_other_streams(container)}; give a video"
            )
        stream = streams[0]
        if stream.codec_context is None:
            raise InputError(f"{path} uses a codec that cannot be decoded here; convert it")
        stream.codec_context.thread_count = 1
        yield container, stream


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty (0 bytes); copy or download it again")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the file") from error


def _why_not_opened(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] == b"ftyp":
        return "was cut off before its index, so no frame can be found; copy or record it again"
    if not set(head) & set(range(9)):
        return "is a text file, not a video; give a video or a folder of images"
    return "is damaged or not in a video format known here; check or convert it"


def _is_cover_picture(stream: VideoStream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _other_streams(container: av.container.InputContainer) -> str:
    kinds = sorted({stream.type for stream in container.streams} - {"video"})
    return " and ".join(kinds) or "a cover picture"


def _decode(
    container: av.container.InputContainer, stream: VideoStream, losses: Losses
) -> Generator[av.VideoFrame]:
    """All frames that decode, in order, up to a change of size. Losses are counted."""
    size: tuple[int, int] | None = None
    for packet in _packets(container, stream, losses):
        losses.hidden_packets += packet is not None and packet.is_discard
        try:
            frames = stream.decode(packet)
        except av.FFmpegError:
            losses.broken_packets += 1
            continue
        for frame in frames:
            size = size or (frame.height, frame.width)
            if size != (frame.height, frame.width):
                losses.new_size = (frame.height, frame.width)
                return
            losses.patched_frames += frame.is_corrupt
            yield frame


def _packets(
    container: av.container.InputContainer, stream: VideoStream, losses: Losses
) -> Iterator[av.Packet[VideoStream] | None]:
    """The packets of the stream; an empty one or None at the end flushes the decoder."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        losses.broken_packets += 1
        yield None


def _to_rgb(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    # With one thread the conversion is 8 times as fast at 720p as with PyAV's default.
    return np.asarray(frame.to_ndarray(format="rgb24", threads=1), dtype=np.uint8)
