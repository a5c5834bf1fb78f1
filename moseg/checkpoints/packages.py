"""The packages that networks need, which a plain installation of moseg lacks."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from moseg.core.errors import BackendError

PACKAGES = {"torch": "PyTorch", "safetensors": "safetensors", "transformers": "transformers"}
"""Name to import -> name for people."""


def require_packages(who: str, packages: Iterable[str] = tuple(PACKAGES)) -> None:
    """Make sure that packages are installed, without importing them.

    Args:
        who: what needs them, in the plural, for the error.

    Raises:
        BackendError: one is missing; the line ends with the command that installs it.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise BackendError(f"{who} need {PACKAGES[package]}: pip install 'moseg[models]'")
