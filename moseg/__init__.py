"""moseg: any video in, masks of what moves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moseg.version import __version__

if TYPE_CHECKING:
    from moseg.api import segment
    from moseg.core.types import ObjectMasks

__all__ = ["ObjectMasks", "__version__", "segment"]


def __getattr__(name: str) -> Any:
    """Load the pipeline when it is first asked for; `import moseg` alone stays quick."""
    if name == "segment":
        from moseg.api import segment

        return segment
    if name == "ObjectMasks":
        from moseg.core.types import ObjectMasks

        return ObjectMasks
    raise AttributeError(f"module 'moseg' has no attribute '{name}'")
