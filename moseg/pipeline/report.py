"""`run.json`: what a run did to each scene, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moseg.core.cache import write_atomically
from moseg.core.runner import SceneResult
from moseg.core.scene import Problem
from moseg.core.telling.outcome import (
    is_done,
    json_text,
    per_second,
    scene_fields,
    source_frames,
    stage_fields,
)
from moseg.version import __version__


@dataclass(frozen=True)
class RunReport:
    """The outcome of a run.

    Attributes:
        results: one for each scene that was run, in order.
        problems: inputs that could not be used at all.
        seconds: wall time of the whole run.
        config: the settings it ran with.
        outputs: scene -> what lies where, for scenes that are done.
        runner: which runner it was, `local` or `ray`.
        run: what its lines in `events.jsonl` are marked with; "" without such a file.
    """

    results: tuple[SceneResult, ...]
    problems: tuple[Problem, ...]
    seconds: float
    config: dict[str, Any]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    runner: str = "local"
    run: str = ""

    @property
    def workers(self) -> set[str]:
        """The processes that computed something, as `host:pid`."""
        records = (record for result in self.results for record in result.records)
        return {record.worker for record in records if record.worker}

    @property
    def failures(self) -> list[str]:
        """One line for each scene that failed."""
        lines = [str(problem.error) for problem in self.problems]
        return lines + [scene_fields(r)["error"] for r in self.results if not is_done(r)]

    @property
    def frames_per_second(self) -> float:
        """Frames of the scenes that were done in this run, for each second of it."""
        computed = (r for r in self.results if is_done(r) and not r.reused)
        return per_second(sum(map(source_frames, computed)), self.seconds)

    @property
    def nothing_to_do(self) -> bool:
        """True when every artefact of every scene was already there."""
        return not self.problems and all(result.reused for result in self.results)

    @property
    def exit_code(self) -> int:
        """0: every scene is done. 2: some input or setting is wrong. 1: a fault of moseg."""
        failures = [r.failure for r in self.results if r.failure]
        if any(not failure.user_error for failure in failures):
            return 1
        return 2 if self.failures else 0

    def to_json(self) -> str:
        """Return the text of `run.json`."""
        scenes = [self._scene(result) for result in self.results]
        scenes += [_problem(problem) for problem in self.problems]
        failed = sum(scene["status"] == "failed" for scene in scenes)
        how = {"runner": self.runner, "workers": len(self.workers), "run": self.run}
        content = {
            "moseg": __version__,
            "status": "failed" if failed else "done",
            **{name: value for name, value in how.items() if value},
            "scenes_done": len(scenes) - failed,
            "scenes_failed": failed,
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.frames_per_second, 3),
            "config": self.config,
            "scenes": scenes,
        }
        return json_text(content, indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write `run.json`.

        Raises:
            OutputError: the place cannot be written.
        """
        write_atomically(path, self.to_json())

    def _scene(self, result: SceneResult) -> dict[str, Any]:
        summary: dict[str, Any] = {}
        for record in result.records:
            summary |= record.summary
        return {
            "name": result.scene.name,
            "source": result.scene.place,
            **scene_fields(result),
            **summary,
            "notes": [note for record in result.records for note in record.notes],
            "outputs": self.outputs.get(result.scene.name, {}),
            "stages": [stage_fields(record) for record in result.records],
        }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "name": problem.name,
        "source": problem.place,
        "status": "failed",
        "error": str(problem.error),
    }


def count(number: int, thing: str) -> str:
    """Return `1 frame`, `2 frames`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def summarise(report: RunReport, where: Sequence[str]) -> list[str]:
    """Return the closing lines of a run for a person; `where` says where results lie."""
    done = sum(map(is_done, report.results))
    total = len(report.results) + len(report.problems)
    lines = []
    if report.nothing_to_do:
        lines.append(f"nothing to do: {count(done, 'scene')} finished by an earlier run")
    elif total == done:
        lines.append(f"{count(done, 'scene')} done in {report.seconds:.1f} s")
    else:
        lines.append(f"{done} of {count(total, 'scene')} done in {report.seconds:.1f} s")
    if done:
        lines += where
    return lines
