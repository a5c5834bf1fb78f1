"""What a cut or damaged video lost, and the sentences that say so.

The container's promises (frame count, length) are only ever compared here; what is used is
what decodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import av.container
from av.video.stream import VideoStream


@dataclass(frozen=True)
class Promise:
    """What the container says of the stream; 0 where it says nothing worth comparing.

    Only the family of mp4 lists every frame, and only mp4, Matroska and AVI write the
    length down: for other formats a length would be a guess from the file's size.
    """

    frames: int = 0
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        container: av.container.InputContainer,
        stream: VideoStream,
        first: av.VideoFrame,
    ) -> Promise:
        """Read the promise of a stream whose first frame is `first`."""
        formats = set(container.format.name.split(","))
        if "mp4" in formats:
            # An edit list cuts frames off a stream on purpose; the index then lists fewer.
            return cls(frames=min(stream.frames, len(stream.index_entries)))
        if "matroska" in formats:
            # Its clock starts with the file, which may be before the first frame.
            return cls(seconds=_seconds(stream.metadata.get("DURATION", "")) - (first.time or 0))
        if "avi" in formats and stream.average_rate:
            # Its count holds empty places for frames that were dropped, so it tells a time.
            return cls(seconds=float(stream.frames / stream.average_rate))
        return cls()


def _seconds(clock: str) -> float:
    """`00:01:02.500000000` is 62.5; anything else is 0."""
    try:
        hours, minutes, seconds = (float(part) for part in clock.split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


@dataclass
class Losses:
    """What was met while decoding that a sound file does not have.

    Attributes:
        broken_packets: pieces of the file that cannot be read or decoded.
        hidden_packets: pieces meant to be decoded but not shown; no damage.
        patched_frames: frames that decode, but with parts the decoder had to guess.
        new_size: height and width from which on the stream was left out.
    """

    broken_packets: int = 0
    hidden_packets: int = 0
    patched_frames: int = 0
    new_size: tuple[int, int] | None = None

    def notes(
        self, name: str, promise: Promise, times: Sequence[float], last_shown: float
    ) -> tuple[str, ...]:
        """The sentences about a file of which the frames at `times` (seconds) decoded.

        `last_shown` is how long the last of them is to be shown, in seconds; 0 if unknown.
        """
        notes = []
        missing = self._missing(promise, times, last_shown)
        if missing:
            notes.append(f"{name}: {missing}")
        if self.patched_frames:
            notes.append(
                f"{name}: {self.patched_frames} of {len(times)} frames are damaged; "
                "they are used as the decoder patches them"
            )
        return tuple(notes)

    def _missing(self, promise: Promise, times: Sequence[float], last_shown: float) -> str | None:
        count = len(times)
        if self.new_size is not None:
            height, width = self.new_size
            return (
                f"the picture size changes to {width}x{height} after frame {count}; "
                "the frames up to there are used"
            )
        if promise.frames and promise.frames - self.hidden_packets > count:
            return (
                f"{count} of {promise.frames} promised frames decode, "
                "the file is cut or damaged; those are used"
            )
        step = times[-1] / (count - 1) if count > 1 else last_shown or 0.1
        end = times[-1] + max(step, last_shown)
        if promise.seconds > end + 0.75 * step:
            return (
                f"{end:.2f} of {promise.seconds:.2f} promised seconds decode, "
                f"the file is cut or damaged; those {count} frames are used"
            )
        if self.broken_packets:
            return (
                f"the file is cut or damaged in {self.broken_packets} or more places; "
                f"the {count} frames that decode are used"
            )
        return None
