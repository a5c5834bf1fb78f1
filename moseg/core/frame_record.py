"""The artefact of the `frames` stage: which frames are worked on, and whose masks they give.

Two views matter. The *selected* frames are what stages compute on. The *target* frames are
those a person wants masks for: every frame of the source, at its own size; and where the
source itself was extracted from a video, every frame of that video.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from moseg.core.errors import CacheError
from moseg.core.frame_index import FrameIndex
from moseg.core.frames import Frames
from moseg.core.scene import Scene
from moseg.core.selection import Selection


@dataclass(frozen=True)
class Origin:
    """The video from which an image folder was extracted.

    Attributes:
        index: all frames of the video.
        kept: which of them the folder holds, in order.
    """

    index: FrameIndex
    kept: tuple[int, ...]


@dataclass(frozen=True)
class FrameRecord:
    """What the `frames` stage found and chose.

    Attributes:
        index: all frames of the scene's source.
        selection: which of them are worked on, and at which size.
        origin: where the source was extracted from, or None.
    """

    index: FrameIndex
    selection: Selection
    origin: Origin | None = None

    def open(self, scene: Scene) -> Frames:
        """Return the selected frames of `scene`."""
        return Frames(scene, self.index, self.selection)

    @property
    def target(self) -> FrameIndex:
        """The frames that get masks."""
        return self.origin.index if self.origin else self.index

    @property
    def source_positions(self) -> tuple[int, ...]:
        """For each frame of the source, its position among the target frames."""
        return self.origin.kept if self.origin else tuple(range(len(self.index)))

    @property
    def target_positions(self) -> tuple[int, ...]:
        """For each selected frame, its position among the target frames."""
        return tuple(self.source_positions[i] for i in self.selection.indices(len(self.index)))

    def to_json(self) -> str:
        """One JSON object; equal records give equal text."""
        fields = {
            "index": json.loads(self.index.to_json()),
            "selection": asdict(self.selection),
            "origin": origin_to_dict(self.origin) if self.origin else None,
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def load(cls, path: Path) -> FrameRecord:
        """Read what `to_json` wrote.

        Raises:
            CacheError: the file is missing or holds something else.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            origin = fields["origin"]
            return cls(
                index=FrameIndex.from_json(json.dumps(fields["index"])),
                selection=Selection(**fields["selection"]),
                origin=origin_from_dict(origin) if origin else None,
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CacheError(f"{path} is damaged; delete it and run again") from error


def origin_to_dict(origin: Origin) -> dict[str, object]:
    """Return an origin as JSON values."""
    return {"index": json.loads(origin.index.to_json()), "kept": list(origin.kept)}


def origin_from_dict(fields: dict[str, object]) -> Origin:
    """Return what `origin_to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError, CacheError: the fields are something else.
    """
    kept = fields["kept"]
    if not isinstance(kept, list):
        raise TypeError("kept")
    index = FrameIndex.from_json(json.dumps(fields["index"]))
    return Origin(index, tuple(int(i) for i in kept))
