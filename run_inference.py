"""Depth, tracks, features, moving tracks and object masks for a data root; see `--help`."""

import sys

from moseg.cli.inference import main

if __name__ == "__main__":
    sys.exit(main())
