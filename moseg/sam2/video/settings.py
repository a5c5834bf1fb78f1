"""How SAM 2 is driven; needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class VideoSettings:
    """Memory, speed and options.

    Attributes:
        memory_bytes: image features held in memory; those of further frames lie on the disk.
        batch: frames encoded at a time; halved where the memory does not suffice.
        features: format in which image features are held.
        fill_holes: close holes of up to 8 cells in the masks that the network gives, as the
            reference does where its CUDA extension is there.
        max_conditioning: prompted frames that are remembered beyond a window, apart from its
            last frame.
    """

    memory_bytes: int = 4 << 30
    batch: int = 1
    features: Literal["bfloat16", "float32"] = "bfloat16"
    fill_holes: bool = False
    max_conditioning: int = 4

    def __post_init__(self) -> None:
        if self.batch < 1 or self.max_conditioning < 1 or self.memory_bytes < 0:
            raise ValueError(f"batch and max_conditioning are at least 1: {self}")
