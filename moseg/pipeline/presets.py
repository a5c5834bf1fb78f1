"""Presets: named settings, as the differences from the defaults."""

from __future__ import annotations

from typing import Any

_REFERENCE: dict[str, Any] = {
    "precision": "float32",
    "queries": {"step": 10, "limit": 5000},
    "depths": {"backend": "depth_anything_v2", "resize": "minimal"},
    "tracks": {"backend": "tapir", "coordinates": "reference"},
    "dinos": {"backend": "dinov2"},
    "labels": {"backend": "track_classifier"},
    "masks": {
        "backend": "sam2",
        "features": "float32",
        "fill_holes": True,
        "specks": 0,
        "holes": 0,
    },
}

PRESETS: dict[str, dict[str, Any]] = {
    "builtin": {},
    "seganymo": _REFERENCE,
    "fast": {
        **_REFERENCE,
        "precision": "bfloat16",
        "tracks": {**_REFERENCE["tracks"], "grids": "float16"},
        "labels": {**_REFERENCE["labels"], "depth": "ones"},
        "masks": {**_REFERENCE["masks"], "features": "bfloat16"},
    },
}
"""Preset -> the settings in which it differs from the defaults."""
