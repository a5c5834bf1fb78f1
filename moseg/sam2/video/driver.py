"""SAM 2 (Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024) as a `Predictor`.

Prompts, passes and memory follow the authors' video predictor. EdgeTAM, which was made from it,
is driven the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moseg.core.closing import Closing
from moseg.core.device import Device
from moseg.sam2.predictor import Prediction
from moseg.sam2.video.features import FeatureStore, ImageEncoder, VideoNetwork
from moseg.sam2.video.settings import VideoSettings
from moseg.sam2.video.state import Output
from moseg.sam2.video.steps import Bool, Float32, Int32, Steps

UInt8 = NDArray[np.uint8]

__all__ = ["Sam2Object", "Sam2Predictor", "VideoSettings"]


class Sam2Predictor(Closing):
    """See `moseg.sam2.predictor.Predictor`; close it to remove its files.

    Attributes:
        features: of the open window; tells frames encoded, and batches.
    """

    def __init__(
        self,
        network: VideoNetwork,
        frames: Iterator[UInt8],
        count: int,
        size: tuple[int, int],
        folder: Path,
        settings: VideoSettings,
        device: Device,
    ) -> None:
        """Prepare; no frame is read yet.

        Args:
            network: in evaluation mode and float32 on `device`.
            frames: RGB uint8 [H, W, 3], of any size.
            count: of `frames`; how far back the network looks depends on it.
            size: height and width of masks, and of the pixels in which points are given.
            folder: for image features beyond `settings.memory_bytes`.
        """
        encoder = ImageEncoder(network, device)
        self.features = FeatureStore(encoder, frames, count, folder, settings, device)
        self._steps = Steps(network, self.features, count, size, settings.fill_holes, device)
        self._single = self._steps.new_session()
        self._max_conditioning = settings.max_conditioning

    @property
    def size(self) -> tuple[int, int]:
        """See `Predictor.size`."""
        return self._steps.size

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done otherwise than set, a line each."""
        return tuple(
            f"memory did not suffice at frame {frame}: batches of {batch} from there"
            for frame, batch in self.features.halvings
        )

    def open_window(self, frames: range) -> None:
        """See `Predictor.open_window`; see `FeatureStore.open_window` for errors."""
        self.features.open_window(frames)

    def click(self, frame: int, points: Float32) -> Bool:
        """See `Predictor.click`."""
        output = self._steps.click(self._single, frame, points, _labels(points, None))
        return self._steps.mask(output)

    def new_object(self) -> Sam2Object:
        """See `Predictor.new_object`; it lives as long as the predictor."""
        return Sam2Object(self._steps, self._max_conditioning)

    def close(self) -> None:
        """Remove the image features."""
        self.features.close()


class Sam2Object:
    """See `moseg.sam2.predictor.ObjectPredictor`.

    Prompts on a frame come before the object is tracked through it. What is held does not grow
    with the number of frames.

    Attributes:
        session: what is remembered.
    """

    def __init__(self, steps: Steps, max_conditioning: int) -> None:
        self.session = steps.new_session()
        self._steps = steps
        self._max_conditioning = max_conditioning
        self._prompts: set[int] = set()
        """Frames of this window with prompts."""
        self._fresh: set[int] = set()
        """Those whose memory has not been encoded."""
        self._passed: set[int] = set()
        """Frames of this window through which the object was tracked."""

    def click(self, frame: int, points: Float32, labels: Int32 | None = None) -> Bool:
        """See `ObjectPredictor.click`.

        Args:
            labels: [n], 1 for points on the object (where none are given: all), 0 beside it.

        Raises:
            ValueError: no points, or the object was tracked through this frame before.
        """
        kinds = _labels(points, labels)
        self._refuse_passed(frame)
        before = self.session.conditioning.get(frame)
        return self._prompt(frame, self._steps.click(self.session, frame, points, kinds, before))

    def draw(self, frame: int, mask: Bool) -> Bool:
        """See `ObjectPredictor.draw`; clicks on the frame are forgotten.

        Raises:
            ValueError: the mask has another size, or the object was tracked through this frame.
        """
        if mask.shape != self._steps.size:
            raise ValueError(f"a mask of {mask.shape} where masks are {self._steps.size}")
        self._refuse_passed(frame)
        return self._prompt(frame, self._steps.draw(frame, mask))

    def propagate(self, frames: Sequence[int]) -> Iterator[Prediction]:
        """See `ObjectPredictor.propagate`.

        All prompted frames are attended, ahead and behind; a second pass, the other way and from
        the earliest prompt, sees what the first has found there. Prompted frames are not tracked.

        Raises:
            ValueError: nothing is known of the object.
        """
        if not self.session.conditioning:
            raise ValueError("an object without prompts cannot be followed")
        return self._pass(frames, self._is_reverse(frames))

    def carry(self, frame: int) -> None:
        """See `ObjectPredictor.carry`.

        Where the object is seen in `frame`, that mask acts as a prompt from now on. Besides it the
        last `max_conditioning` prompted frames are kept, and what lies just before `frame`.
        """
        session = self.session
        self._remember_prompts()
        output = session.tracked.get(frame)
        if output is not None and bool((output["pred_masks"] > 0).any()):
            session.conditioning[frame] = session.tracked.pop(frame)
            self._steps.remember(session, frame)
        others = sorted(session.conditioning.keys() - {frame})
        for other in others[: -self._max_conditioning]:
            del session.conditioning[other]
        session.forget({frame}, ())
        self._prompts.clear()
        self._passed.clear()

    def _prompt(self, frame: int, output: Output) -> Bool:
        self.session.tracked.pop(frame, None)
        self.session.conditioning[frame] = output
        self._prompts.add(frame)
        self._fresh.add(frame)
        return self._steps.mask(output)

    def _pass(self, frames: Sequence[int], reverse: bool) -> Iterator[Prediction]:
        session = self.session
        self._remember_prompts()
        for frame in frames:
            output = session.conditioning.get(frame)
            if output is None:
                output = self._steps.track(session, frame, reverse)
                self._passed.add(frame)
                last = max(session.tracked)
                session.forget({frame, last, min(self._prompts, default=frame)}, {frame, last})
            yield self._steps.prediction(frame, output)

    def _is_reverse(self, frames: Sequence[int]) -> bool:
        """Tell which way time runs; a single frame of a list is reached from the prompts."""
        if isinstance(frames, range):
            return frames.step < 0
        if len(frames) > 1:
            return frames[1] < frames[0]
        return all(frame < min(self.session.conditioning) for frame in frames)

    def _remember_prompts(self) -> None:
        for frame in sorted(self._fresh):
            self._steps.remember(self.session, frame)
        self._fresh.clear()

    def _refuse_passed(self, frame: int) -> None:
        if frame in self._passed:
            raise ValueError(f"frame {frame} was passed already; prompts come before")


def _labels(points: Float32, labels: Int32 | None) -> Int32:
    """Return a label for each of the points [n, 2].

    Raises:
        ValueError: no points, or other shapes.
    """
    found = np.ones(len(points), np.int32) if labels is None else labels
    if (
        points.ndim != 2
        or points.shape[1] != 2
        or not len(points)
        or found.shape != points.shape[:1]
    ):
        raise ValueError(f"points {points.shape} with labels {found.shape}; at least one point")
    return found
