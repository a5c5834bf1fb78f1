"""A checkpoint store, and weights of the track classifier."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty checkpoint store."""
    monkeypatch.setenv("MOSEG_CHECKPOINTS", str(tmp_path / "store"))


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as they were released; never written to."""
    from tests.motion.classifier_world import official

    return official(tmp_path_factory.mktemp("weights") / "moseg.pth")
