"""Masks of what moves for Dynamic Replica, beside the files of its authors.

    <root>/<split>/<sequence>_<left or right>/dynamic_masks/   what this writes
    <root>/<split>/processed_dir.json                          which ids move in which sequence

Nothing else is changed. The left camera's trajectories say what moves, for both cameras.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from moseg.core.errors import BackendError, InputError, OutputError
from moseg.core.files import published
from moseg.core.naming import natural_key
from moseg.core.scene import image_files
from moseg.motion.datasets.files import folder_names
from moseg.motion.datasets.instances import find_motion
from moseg.motion.datasets.preparing import Job, whole_folder, write_png

RECORD = "processed_dir.json"
LACKING = tuple(f"{name}-7_obj_source_" for name in ("2960d2", "746af7", "174239", "4e331d"))
"""How the sequences begin that are known to lack an instance id."""

Moving = Sequence[int] | Literal["all"]
"""The values in id maps of what moves, or `all` where every object does."""


def jobs(folder: Path) -> list[Job]:
    """Return what is yet to be done: the sequences without `dynamic_masks`.

    Args:
        folder: of the sequences, `<root>/<split>`.

    Raises:
        InputError: it cannot be listed, or holds no sequences.
    """
    names = [name for name in folder_names(folder) if (folder / name / "images").is_dir()]
    if not names:
        raise InputError(f"{folder} holds no sequences (folders with images); check the path")
    pending = [name for name in names if not (folder / name / "dynamic_masks").is_dir()]
    # Left before right: then what moves is found where it is known.
    pending.sort(key=lambda name: (name.endswith("_right"), natural_key(name)))
    return [
        Job(name, f"{folder / name / 'dynamic_masks'}", partial(_make_masks, folder, name))
        for name in pending
    ]


def _make_masks(folder: Path, name: str) -> str:
    """Write the masks of one sequence."""
    here = folder / name
    moving = _what_moves(folder, _left_of(name))
    if moving == "all":
        sources = _images(here / "masks")
        with whole_folder(here / "dynamic_masks") as made:
            for path in sources:
                shutil.copyfile(path, made / path.name)
        return f"{len(sources)} masks, all objects move"
    sources = _images(here / "instance_id_maps")
    with whole_folder(here / "dynamic_masks") as made:
        for path in sources:
            on = np.isin(_read_ids(path), list(moving))
            write_png(made / f"{path.stem}.png", np.where(on, 255, 0).astype(np.uint8))
    return f"{len(sources)} masks, {len(moving)} instances move"


def _left_of(name: str) -> str:
    """Return the sequence of the left camera, whose trajectories count for both."""
    return f"{name.removesuffix('_right')}_left" if name.endswith("_right") else name


def _what_moves(folder: Path, left: str) -> Moving:
    """Return what moves in a sequence, from the record or, once, from its trajectories.

    Raises:
        InputError: files are missing or damaged, or it cannot be told.
    """
    record = _read_record(folder)
    if left in record:
        return record[left]
    here = folder / left
    if not here.is_dir():
        raise InputError(f"{here} is missing: its trajectories say what moves; get it too")
    values = np.zeros(0, np.int64)
    try:
        motion = find_motion(_read_trajectories(here / "trajectories"))
        if not motion.dynamic.all():
            for path in _images(here / "instance_id_maps"):
                values = np.union1d(values, _read_ids(path))
        found = motion.moving_values(values)
    except InputError as error:
        known = " (known to lack an id)" if left.startswith(LACKING) else ""
        raise InputError(f"{here}: {error}; left out{known}") from error
    moving: Moving = "all" if found is None else found.tolist()
    _write_record(folder, record | {left: moving})
    return moving


def _read_trajectories(
    folder: Path,
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.integer]]]:
    """Yield positions [N, 3] and instances [N] of every frame."""
    if importlib.util.find_spec("torch") is None:
        raise BackendError("trajectories need PyTorch: pip install 'moseg[models]'")
    torch = importlib.import_module("torch")
    paths = sorted(folder.glob("*.pth"), key=lambda path: natural_key(path.name))
    if not paths:
        raise InputError(f"{folder.name}/ is missing or holds no .pth")
    for path in paths:
        try:
            stored = torch.load(path, map_location="cpu", weights_only=True)
            positions = np.asarray(stored["traj_3d_world"])
            instances = np.asarray(stored["instances"])
        except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{folder.name}/{path.name} is damaged") from error
        except (pickle.UnpicklingError, EOFError) as error:
            raise InputError(f"{folder.name}/{path.name} holds more than tensors") from error
        if positions.ndim != 2 or positions.shape != (len(instances), 3) or instances.ndim != 1:
            raise InputError(f"{folder.name}/{path.name} holds no points [N, 3] with instances")
        yield positions, instances


def _read_ids(path: Path) -> NDArray[np.int64]:
    data = np.frombuffer(path.read_bytes() or b"-", np.uint8)
    stored = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if stored is None or stored.ndim != 2:
        raise InputError(f"{path} is damaged or no map of ids; get it again")
    return stored.astype(np.int64)


def _images(folder: Path) -> list[Path]:
    found = image_files(folder) if folder.is_dir() else []
    if not found:
        raise InputError(f"{folder} is missing or holds no images; get it again")
    return found


def _read_record(folder: Path) -> dict[str, Moving]:
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        record = dict(stored.items())
    except (OSError, ValueError, AttributeError) as error:
        raise OutputError(f"{path} is damaged; delete it and run again") from error
    for moving in record.values():
        if moving != "all" and not (
            isinstance(moving, list) and all(isinstance(value, int) for value in moving)
        ):
            raise OutputError(f"{path} is another program's; move it away and run again")
    return record


def _write_record(folder: Path, record: dict[str, Moving]) -> None:
    with published(folder / RECORD) as target:
        target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
