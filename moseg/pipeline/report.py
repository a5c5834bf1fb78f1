"""`run.json`: what a run did to each scene, what failed and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from moseg.core.cache import write_atomically
from moseg.core.runner import SceneResult
from moseg.core.scene import Problem
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
    """

    results: tuple[SceneResult, ...]
    problems: tuple[Problem, ...]
    seconds: float
    config: dict[str, Any]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def failures(self) -> list[str]:
        """One line for each scene that failed."""
        lines = [str(problem.error) for problem in self.problems]
        return lines + [r.failure.reason for r in self.results if r.failure]

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
        return 2 if failures or self.problems else 0

    def to_json(self) -> str:
        """Return the text of `run.json`."""
        scenes = [self._scene(result) for result in self.results]
        scenes += [_problem(problem) for problem in self.problems]
        failed = sum(scene["status"] == "failed" for scene in scenes)
        content = {
            "moseg": __version__,
            "status": "failed" if failed else "done",
            "scenes_done": len(scenes) - failed,
            "scenes_failed": failed,
            "seconds": round(self.seconds, 3),
            "config": self.config,
            "scenes": scenes,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        # Bytes of a path that are no text become JSON escapes.
        return text.encode("utf-8", "backslashreplace").decode("utf-8")

    def save(self, path: Path) -> None:
        """Write `run.json`.

        Raises:
            OutputError: the place cannot be written.
        """
        write_atomically(path, self.to_json())

    def _scene(self, result: SceneResult) -> dict[str, Any]:
        failure = result.failure
        summary: dict[str, Any] = {}
        for record in result.records:
            summary |= record.summary
        return {
            "name": result.scene.name,
            "source": str(result.scene.source),
            "status": "failed" if failure else "done",
            "error": failure.reason if failure else None,
            **summary,
            "notes": [note for record in result.records for note in record.notes],
            "outputs": self.outputs.get(result.scene.name, {}),
            "stages": [_stage(asdict(record)) for record in result.records],
        }


def _stage(record: dict[str, Any]) -> dict[str, Any]:
    kept = ("stage", "backend", "status", "reason", "details")
    entry = {key: record[key] for key in kept if record[key]}
    entry["seconds"] = round(record["seconds"], 3)
    entry["peak_memory_mb"] = round(record["peak_memory_mb"], 1)
    return entry


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "name": problem.name,
        "source": str(problem.source),
        "status": "failed",
        "error": str(problem.error),
    }


def count(number: int, thing: str) -> str:
    """Return `1 frame`, `2 frames`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def summarise(report: RunReport, where: Sequence[str]) -> list[str]:
    """Return the closing lines of a run for a person; `where` says where results lie."""
    done = len(report.results) - sum(1 for r in report.results if r.failure)
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
