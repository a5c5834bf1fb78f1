"""Prints the peak of resident memory, in MB, while each stage of a run is at work (Linux).

    python -m tests.pipeline.memory_by_stage VIDEO OUT [SECTION.KEY=VALUE ...]

One thread; nothing may be in OUT. Memory that an earlier stage left behind counts too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from moseg.core.execute import peak_memory_mb
from moseg.core.layout import output_layout
from moseg.core.local import LocalRunner
from moseg.core.progress import Event, Listener
from moseg.core.scene import Scene
from moseg.pipeline.config import load_config
from moseg.pipeline.session import make_plan


class PeakOfEachStage(Listener):
    """Sets the kernel's high-water mark back when a stage starts, and reads it at its end."""

    def __init__(self) -> None:
        self.peaks: dict[str, float] = {}

    def handle(self, event: Event) -> None:
        if event.kind == "start":
            Path("/proc/self/clear_refs").write_text("5")
        elif event.kind == "end":
            self.peaks[event.stage] = round(peak_memory_mb(), 1)


def main(video: str, out: str, *settings: str) -> None:
    plan = make_plan(load_config(settings=settings), output_layout(Path(out)))
    seen = PeakOfEachStage()
    scene = Scene("scene", Path(video), "video")
    result = LocalRunner(threads=1).run(plan, [scene], seen)[0]
    assert result.failure is None, result.failure
    print(json.dumps(seen.peaks))


if __name__ == "__main__":
    main(*sys.argv[1:])
