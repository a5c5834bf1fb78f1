"""Settings of the labels by a network."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from moseg.checkpoints.backend import NetworkParams
from moseg.core.stage import Params
from moseg.motion.ladder import LADDER, LONG, LONG_LADDER

Threshold = Annotated[float, Field(ge=0, lt=1)]


class OptionParams(Params):
    """Variant of the classifier; what is null is read from the weights, or as released."""

    tracks: bool | None = Field(None, description="positions and motion are input")
    depths: bool | None = Field(None, description="depth and its change are input")
    extra_info: bool | None = Field(None, description="visibility and confidence are input")
    dino: bool | None = Field(None, description="appearance features are input")
    dino_later: bool | None = Field(None, description="features enter after the motion encoder")
    dino_woatt: bool | None = Field(
        None, description="features enter in feed-forward layers of the decoder, not before it"
    )
    time_att: bool | None = Field(None, description="tracks attend to each other in every frame")
    pos_embed: bool | None = Field(None, description="positions and motion as sines and cosines")
    oanet: bool | None = Field(None, description="order-aware decoder instead of a transformer")
    depth_lookup: Literal["reference", "pixel"] | None = Field(
        None, description="where depth is read: as the released weights want it, or correctly"
    )
    depth_read: Literal["clip8", "full"] | None = Field(
        None, description="16-bit disparity cut off at 255, as the released weights want it, or all"
    )

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if self.oanet and self.dino and self.dino_later and self.dino_woatt:
            raise ValueError("oanet takes dino only with dino_later or dino_woatt set to false")
        return self


class ClassifierParams(NetworkParams):
    """Labels by the track classifier of SegAnyMo."""

    backend: Literal["track_classifier"] = Field(
        "track_classifier", description="the track classifier of SegAnyMo"
    )
    checkpoint: str = Field("moseg", description="name of a known checkpoint, or path of a file")
    depth: Literal["maps", "ones", "none"] = Field(
        "maps",
        description="disparity maps; ones: the released weights, which see little more, without "
        "the depths stage; none: weights that use no depth",
    )
    limit: int = Field(5000, ge=1, description="tracks classified together, per window of frames")
    ladder: tuple[Threshold, ...] = Field(
        LADDER, description="thresholds tried in turn until least_tracks exceed one"
    )
    long_ladder: tuple[Threshold, ...] = Field(
        LONG_LADDER, description=f"the same for windows of more than {LONG} frames"
    )
    least_tracks: int = Field(10, ge=1, description="tracks that have to exceed a threshold")
    fallback_tracks: int = Field(
        3, ge=0, description="most probable tracks that move where too few exceed any threshold"
    )
    minimum_probability: float = Field(
        0.0, ge=0, le=1, description="no track below it moves; above 0, a scene may be still"
    )
    attention: Literal["sdpa", "xformers"] = Field(
        "sdpa", description="attention kernels: PyTorch's own, or those of xformers"
    )
    options: OptionParams = OptionParams()

    @model_validator(mode="after")
    def _depth_fits(self) -> Self:
        used = self.options.depths
        if used is not None and used != (self.depth != "none"):
            wanted = "maps" if used else "none"
            raise ValueError(
                f"options.depths is {str(used).lower()}, but depth is {self.depth}; "
                f"set depth to {wanted}"
            )
        return self

    @property
    def uses_features(self) -> bool:
        """True unless the options say that the weights take no appearance features."""
        return self.options.dino is not False
