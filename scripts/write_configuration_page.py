"""Write docs/configuration.md from the settings themselves; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from moseg.core.config import reference_page
from moseg.pipeline.config import PipelineConfig
from moseg.pipeline.training import TrainConfig

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
HEAD = """# Configuration

Made by `make docs` from the settings in the code; do not edit.

Settings come from a preset (`--preset`), a YAML file on top (`--config`, or `--config_file` of
`run_inference.py`), and single settings on top of that (`--set tracks.spacing=8`). Unknown keys
and values out of range are refused. A changed setting redoes the stages it belongs to, and
those that stand on them. `configs/builtin.yaml` is the built-in preset in full.

"""
TRAINING_HEAD = """
## Training

What a file of `moseg train` may hold; `configs/train/` has some.

"""


def page() -> str:
    """Return the text of the page."""
    training = reference_page(TrainConfig).replace("## ", "### ")
    return HEAD + reference_page(PipelineConfig) + TRAINING_HEAD + training


def main() -> int:
    """Write the page, or with `--check` return 1 when it is not up to date."""
    if "--check" in sys.argv[1:]:
        return int(not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
