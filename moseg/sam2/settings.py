"""Settings of both backends of the `masks` stage: how moving tracks become objects."""

from __future__ import annotations

from pydantic import Field

from moseg.core.stage import Params
from moseg.sam2.segment import SegmentSettings

SHORT_ROUNDS = 60
"""Clicks that group the tracks of a window, for tracks that are shorter than the window."""


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
        "frames; 60 for built-in tracks, which are short",
    )
    tracks: int = Field(5000, ge=1, description="moving tracks used in a window at most")
    confidence: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="tracks count as visible above this confidence; null: 0.9, or 0.5 for "
        "built-in tracks",
    )
    specks: int = Field(
        50, ge=0, description="pieces of objects of fewer pixels of the source are removed; 0: none"
    )
    holes: int = Field(
        50, ge=0, description="holes in objects of fewer pixels of the source are filled; 0: none"
    )

    def segmenting(self, short_tracks: bool) -> SegmentSettings:
        """Return these as the densifier takes them.

        Args:
            short_tracks: whether tracks are shorter than a window by far.
        """
        rounds = SHORT_ROUNDS if self.rounds is None and short_tracks else self.rounds
        return SegmentSettings(window=self.window, interval=self.interval, rounds=rounds)
