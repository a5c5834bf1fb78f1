"""What became of scenes and stages, as `run.json` and `events.jsonl` say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moseg.core.execute import StageRecord
    from moseg.core.runner import SceneResult

_GOOD = frozenset({"done", "reused", "unneeded"})


def is_done(result: SceneResult) -> bool:
    """Return whether every stage of a scene is done, now or by an earlier run."""
    return bool(result.records) and all(record.status in _GOOD for record in result.records)


def source_frames(result: SceneResult) -> int:
    """Return how many frames a scene has; the most that a stage worked on if none says it."""
    for record in result.records:
        if record.stage == "frames" and "frames" in record.summary:
            return int(record.summary["frames"])
    return max((record.frames for record in result.records), default=0)


def scene_fields(result: SceneResult) -> dict[str, Any]:
    """Return what became of a scene.

    `attempts` is how often the stage that took most was tried in this run; `seconds` is
    the time that all its stages computed.
    """
    failure, done = result.failure, is_done(result)
    error = failure.reason if failure else "not every stage is done"
    return {
        "status": "done" if done else "failed",
        "error": None if done else error,
        "attempts": max((r.attempts for r in result.records if _was_tried(r)), default=0),
        "seconds": round(sum(record.seconds for record in result.records), 3),
    }


def stage_fields(record: StageRecord) -> dict[str, Any]:
    """Return what became of a stage; fields that say nothing are left out."""
    tried = _was_tried(record)
    fields = {
        "stage": record.stage,
        "backend": record.backend,
        "status": record.status,
        "reason": record.reason,
        "error": record.error,
        "worker": record.worker,
        "node": record.node,
        "attempts": record.attempts if tried else 0,
        "seconds_waiting": round(record.waited, 3),
        "seconds": round(record.seconds, 3),
        "frames": record.frames,
        "frames_per_second": round(per_second(record.frames, record.seconds), 3),
        "peak_memory_mb": round(record.peak_memory_mb, 1),
        "checkpoint": record.checkpoint,
        "details": record.details,
    }
    return {name: value for name, value in fields.items() if value or name == "seconds"}


def per_second(number: int, seconds: float) -> float:
    """Return `number` for each second; 0 where no time went by."""
    return number / seconds if seconds > 0 else 0.0


def json_text(content: dict[str, Any], indent: int | None = None) -> str:
    """Return JSON as UTF-8 text; bytes of a path that are no text become JSON escapes."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _was_tried(record: StageRecord) -> bool:
    return record.status in ("done", "failed")
