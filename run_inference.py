"""Depth, tracks, features, moving tracks and object masks for a data root; see `--help`."""

import sys
from pathlib import Path

from moseg.cli.inference import main

if __name__ == "__main__":
    sys.exit(main(default_config=Path(__file__).parent / "configs" / "example.yaml"))
