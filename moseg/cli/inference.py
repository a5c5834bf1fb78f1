"""`run_inference.py`: the stages by name, over a data root in the field's folder layout.

The flags are those of the track-based reference system (specs: SegAnyMo, CVPR 2025), so
that its users' commands keep working. Both spellings of the classifier's folder are taken.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from moseg.cli.errors import RESUMES, ending_in_one_line
from moseg.core.errors import ConfigError
from moseg.core.progress import Display
from moseg.core.remote.mirror import SCRATCH_GB, is_remote, local_path, open_mirror
from moseg.pipeline.reference import run_request
from moseg.pipeline.report import summarise
from moseg.pipeline.request import Request

_PLACES = ("video_path", "data_dir", "motion_seg_dir", "sam2_dir")
"""Flags that name files or folders of scenes."""


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see {self.prog} --help")


def parse(arguments: Sequence[str], default_config: Path | None = None) -> Request:
    """Return the request that command-line arguments make.

    Args:
        arguments: without the program's name.
        default_config: the settings when `--config_file` is not given.

    Raises:
        ConfigError: wrong usage.
    """
    parser = _Parser(
        prog="run_inference.py",
        description="Depth, tracks and features, then moving tracks, then object masks. "
        "Any mix of stage flags runs in that order.",
        allow_abbrev=False,
    )
    source = parser.add_argument_group("what to work on (one of them)")
    source.add_argument("--video_path", help="one video; its frames are extracted")
    source.add_argument("--data_dir", help="folder of scenes, each a folder of images")
    stages = parser.add_argument_group("stages")
    stages.add_argument("--depths", action="store_true", help="disparity of every frame")
    stages.add_argument("--tracks", action="store_true", help="point tracks")
    stages.add_argument("--dinos", action="store_true", help="appearance features")
    stages.add_argument(
        "--motion_seg_infer", action="store_true", help="which tracks move; needs --motin_seg_dir"
    )
    stages.add_argument(
        "--sam2", action="store_true", help="object masks; needs --motin_seg_dir and --sam2dir"
    )
    stages.add_argument(
        "--dynamic_mask", action="store_true", help="ground truth of Dynamic Replica scenes"
    )
    places = parser.add_argument_group("where results go")
    places.add_argument(
        "--motin_seg_dir", "--motion_seg_dir", dest="motion_seg_dir",
        help="moving tracks: written by --motion_seg_infer, read by --sam2",
    )  # fmt: skip
    places.add_argument("--sam2dir", dest="sam2_dir", help="object masks")
    _add_options(parser, default_config)
    return _request(vars(parser.parse_args(arguments)))


def _request(flags: dict[str, Any]) -> Request:
    """Return the request of parsed flags; places may be paths or URLs of a store."""
    places = {name: flags.pop(name) for name in _PLACES}
    scratch, limit = flags.pop("scratch"), flags.pop("scratch_gb")
    remote = any(is_remote(text) for text in places.values() if text is not None)
    mirror = open_mirror(scratch, limit) if remote else None
    paths: dict[str, Any] = {
        name: None if text is None else local_path(text, mirror) for name, text in places.items()
    }
    return Request(**flags, **paths, mirror=mirror)


def _add_options(parser: argparse.ArgumentParser, default_config: Path | None) -> None:
    options = parser.add_argument_group("options")
    options.add_argument("--config_file", type=Path, default=default_config, help="YAML settings")
    options.add_argument(
        "--e", dest="efficient", action="store_true",
        help="at most 100 frames of a video, evenly spread, and at most 1000 pixels a side",
    )  # fmt: skip
    options.add_argument(
        "--step", type=int, default=None,
        help="frames between query frames (default: that "
        "of the settings, 5 for the built-in preset and 10 for networks)",
    )  # fmt: skip
    options.add_argument(
        "--track_model", default="bootstapir", choices=["bootstapir", "cotracker"],
        help="name of the tracks' folder",
    )  # fmt: skip
    options.add_argument(
        "--attention", choices=["sdpa", "xformers"],
        help="kernels of the track classifier's attention (default: PyTorch's own)",
    )  # fmt: skip
    options.add_argument(
        "--gpus", type=int, nargs="+", default=None,
        help="GPUs by number; one worker process for each (default: that of the settings)",
    )  # fmt: skip
    options.add_argument(
        "--ray", metavar="local|auto|ray://HOST:PORT",
        help="spread stages by Ray: over this machine (with --gpus over those GPUs), over the "
        "cluster that it is part of, or over one that is reached from outside",
    )  # fmt: skip
    options.add_argument(
        "--scratch", type=Path,
        help="folder for copies of what lies in a store (s3://); default: moseg-<user id> in the "
        "system's folder for temporary files",
    )  # fmt: skip
    options.add_argument(
        "--scratch_gb", type=float, default=SCRATCH_GB,
        help="what these copies may take, in gigabytes",
    )  # fmt: skip
    options.add_argument(
        "--shard", metavar="I/N",
        help="only part I of N of the scenes, for batch systems that run one call for each part",
    )  # fmt: skip
    options.add_argument(
        "--clean", action="store_true", help="delete working files that results do not need"
    )
    options.add_argument(
        "--compact", action="store_true",
        help="leave out the reference's depth, track and feature files (a track file for each "
        "query and target frame is large on long videos); later stages do not need them",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None, default_config: Path | None = None) -> int:
    """Run the command line; return the exit code. Arguments are those of `parse`."""
    with ending_in_one_line(RESUMES):
        request = parse(sys.argv[1:] if arguments is None else arguments, default_config)
        with Display() as display:
            report = run_request(request, display)
            for problem in report.problems:
                display.say(f"error: {problem.error}", "red")
        for line in summarise(report, request.places):
            print(line)
        return report.exit_code
