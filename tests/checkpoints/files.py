"""Small checkpoint files, and stores with a manifest of their own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from moseg.checkpoints.manifest import Entry, Manifest
from moseg.checkpoints.store import Store


def checkpoint_bytes(seed: int = 0, values: int = 5000) -> bytes:
    """What `torch.save` writes for two tensors."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    stream = io.BytesIO()
    torch.save({"a": torch.rand(values, generator=generator), "b": torch.ones(3)}, stream)
    return stream.getvalue()


def entry(**changes: Any) -> Entry:
    """A manifest entry called `small`."""
    settings: dict[str, Any] = {
        "name": "small",
        "family": "tapir",
        "for": "tests",
        "file": "small_v1.pt",
        "megabytes": 0.02,
        "licence": {"name": "MIT", "non_commercial": False, "url": "https://example.org/licence"},
        "url": "http://127.0.0.1:9/none/small_v1.pt",
        "page": "https://example.org/small",
        "hub": None,
        "sha256": None,
    }
    return Entry.model_validate({**settings, **changes})


def store(folder: Path, *entries: Entry) -> Store:
    """A store that knows the entries, `small` by default."""
    return Store(folder, Manifest(checkpoints=entries or (entry(),)))


def save_folder(folder: Path, seed: int = 0) -> Path:
    """A folder as `save_pretrained` writes it, of no real network."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "toy"}')
    generator = torch.Generator().manual_seed(seed)
    save_file({"a": torch.rand(100, generator=generator)}, folder / "model.safetensors")
    return folder
