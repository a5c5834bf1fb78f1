"""What one full pass over a source says of its frames, to be kept in the cache."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from moseg.core.errors import CacheError
from moseg.core.images import list_frames, read_images
from moseg.core.scene import Scene, SceneKind
from moseg.core.video import scan_video

IMAGE_FPS = 24.0
"""Frames per second that an image folder is taken to have: its files do not say."""


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a source, all of them.

    Attributes:
        kind: "video" or "images".
        names: one a frame: image stems, or `00000`, `00001`, ... for a video.
        times: seconds from the first frame, strictly increasing from 0.
        fps: average frames per second.
        height, width: pixels.
        notes: sentences a person should read, such as that the file was cut.
    """

    kind: SceneKind
    names: tuple[str, ...]
    times: tuple[float, ...]
    fps: float
    height: int
    width: int
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def to_json(self) -> str:
        """One JSON object with the fields; equal indices give equal text."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> FrameIndex:
        """Read what `to_json` wrote.

        Raises:
            CacheError: the text is something else.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            index = cls(
                kind=fields["kind"],
                names=tuple(str(name) for name in fields["names"]),
                times=tuple(float(time) for time in fields["times"]),
                fps=float(fields["fps"]),
                height=int(fields["height"]),
                width=int(fields["width"]),
                notes=tuple(str(note) for note in fields["notes"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CacheError("the frame index is damaged") from error
        if index.kind not in ("video", "images") or not 0 < len(index) == len(index.times):
            raise CacheError("the frame index is damaged")
        return index


def index_frames(scene: Scene, image_fps: float = IMAGE_FPS) -> FrameIndex:
    """Decode every frame of the source once and write down what there is.

    Args:
        image_fps: frames per second of an image folder; a video states its own times.

    Raises:
        InputError: the source cannot be used; the line says why.
    """
    if scene.kind == "images":
        return _index_images(scene, image_fps)
    scan = scan_video(scene.source)
    names = tuple(f"{i:05d}" for i in range(len(scan.times)))
    return FrameIndex("video", names, scan.times, scan.fps, scan.height, scan.width, scan.notes)


def _index_images(scene: Scene, fps: float) -> FrameIndex:
    paths = list_frames(scene.source)
    height = width = 0
    for frame in read_images(paths):
        height, width = frame.shape[:2]
    names = tuple(path.stem for path in paths)
    return FrameIndex(
        "images", names, tuple(i / fps for i in range(len(paths))), fps, height, width
    )
