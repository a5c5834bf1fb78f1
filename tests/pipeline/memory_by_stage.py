"""Prints the peak of resident memory, in MB, while each stage of a run is at work (Linux).

    python -m tests.pipeline.memory_by_stage VIDEO OUT [SECTION.KEY=VALUE ...]

One thread; nothing may be in OUT. Memory that an earlier stage left behind counts too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from moseg.core.layout import output_layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Silent
from moseg.core.scene import Scene
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan


def main(video: str, out: str, *settings: str) -> None:
    plan = make_plan(load_config(settings=settings), output_layout(Path(out)))
    scene = Scene("scene", Path(video), "video")
    result = LocalRunner(threads=1).run(plan, [scene], Silent())[0]
    assert result.failure is None, result.failure
    print(json.dumps({record.stage: round(record.peak_memory_mb, 1) for record in result.records}))


if __name__ == "__main__":
    main(*sys.argv[1:])
