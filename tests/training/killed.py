"""A training that is killed in its 26th step; run as a module, with the folder as argument."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.training.toy import ToyTask, train_toy

train_toy(Path(sys.argv[1]), ToyTask(dies_at=25))
