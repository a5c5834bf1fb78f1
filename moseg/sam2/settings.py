"""Settings of both backends of the `masks` stage: how moving tracks become objects."""

from __future__ import annotations

from pydantic import Field

from moseg.core.stage import Params
from moseg.sam2.segment import SegmentSettings


class ObjectParams(Params):
    """From moving tracks to objects, whatever predicts the masks."""

    window: int = Field(
        200, ge=2, description="frames worked on together; longer videos carry objects over"
    )
    interval: int = Field(
        16, ge=1, description="frames between prompts of one object, where its tracks are visible"
    )
    rounds: int | None = Field(
        None,
        ge=1,
        description="clicks that group the tracks of a window at most; null: 5 to 10, one for 16 "
        "frames; short tracks need more",
    )
    tracks: int = Field(5000, ge=1, description="moving tracks used in a window at most")
    confidence: float = Field(
        0.9, ge=0, lt=1, description="tracks count as visible above this confidence"
    )
    specks: int = Field(
        0, ge=0, description="pieces of objects of fewer pixels are removed; 0: none"
    )
    holes: int = Field(0, ge=0, description="holes in objects of fewer pixels are filled; 0: none")

    def segmenting(self) -> SegmentSettings:
        """Return these as the densifier takes them."""
        return SegmentSettings(self.window, self.interval, self.rounds, self.specks, self.holes)
