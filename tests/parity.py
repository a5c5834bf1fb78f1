"""Where the reference outputs lie, and state dicts filled by their rule."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import os
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FIXTURES = Path(os.environ.get("MOSEG_FIXTURES") or Path(__file__).parents[2] / "shared/fixtures")


def cases(kind: str, pattern: str = "*.npz") -> list[Any]:
    """Return the files of one kind as test parameters; one skipped case where there are none."""
    found = sorted((FIXTURES / kind).glob(pattern))
    if found:
        return [pytest.param(path, id=path.stem) for path in found]
    reason = f"no reference outputs in {FIXTURES / kind}; set MOSEG_FIXTURES"
    return [pytest.param(None, id="none", marks=pytest.mark.skip(reason=reason))]


def folder(kind: str) -> Path:
    """Return the folder of one kind, or skip the test, saying why."""
    path = FIXTURES / kind
    if not path.is_dir():
        pytest.skip(f"no reference outputs in {path}; set MOSEG_FIXTURES")
    return path


def settings(kind: str) -> dict[str, Any]:
    """Return `fixture.json`: the salt, and gains where there are some."""
    return dict(json.loads((folder(kind) / "fixture.json").read_text(encoding="utf-8")))


def key_list(kind: str, name: str = "keys.json") -> dict[str, dict[str, Any]]:
    """Return official key -> {shape, dtype} in the official order."""
    return dict(json.loads((folder(kind) / name).read_text(encoding="utf-8")))


def filled(kind: str, keys: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a state dict of torch tensors, filled by rule with the kind's salt and gains."""
    import torch

    told = settings(kind)
    gains: dict[str, float] = told.get("gains", {})
    state = {}
    for key, about in keys.items():
        values = _fill().fill_tensor(key, tuple(about["shape"]), told["salt"])
        factor = float(about.get("scale", 1.0))
        for pattern, gain in gains.items():
            if fnmatch.fnmatchcase(key, pattern):
                factor *= gain
        state[key] = torch.from_numpy(values * values.dtype.type(factor))
    return state


@lru_cache(maxsize=1)
def _fill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", FIXTURES / "fill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
