"""One run over a person's inputs: find scenes, run the pipeline, write `run.json`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from moseg.core.device import CPU, Device
from moseg.core.errors import OutputError
from moseg.core.layout import Layout, output_layout
from moseg.core.progress import Listener, Listeners
from moseg.core.remote.artefacts import check_writable
from moseg.core.remote.mirror import Mirror
from moseg.core.runner import Plan, SceneResult
from moseg.core.scene import Scene, find_scenes
from moseg.core.shard import WHOLE, Shard
from moseg.core.telling.event_log import EventLog
from moseg.core.telling.outcome import is_done
from moseg.pipeline.clean import remove_working_files
from moseg.pipeline.config import PipelineConfig
from moseg.pipeline.place import HERE, Place
from moseg.pipeline.recording import recording
from moseg.pipeline.report import RunReport
from moseg.pipeline.stages import all_backends, select

PUBLIC = ("masks", "overlay", "preview")


@dataclass(frozen=True)
class Session:
    """A run: what to work on, with which settings, and where results go.

    Attributes:
        inputs: videos, image folders, or folders of either.
        out: the output folder; made when needed.
        config: all settings.
        place: where to compute.
        shard: which part of the scenes this run is for.
        mirror: inputs and `out` under it lie in a store.
    """

    inputs: tuple[Path, ...]
    out: Path
    config: PipelineConfig
    place: Place = HERE
    shard: Shard = WHOLE
    mirror: Mirror | None = None

    def run(self, listener: Listener, only: Sequence[str] | None = None) -> RunReport:
        """Run all stages (or those in `only`) for all scenes; write and return the report.

        Raises:
            OutputError: the output folder cannot be written, or is an input. Bad inputs and
                failing scenes do not raise: they are in the report.
            ConfigError: a setting is wrong.
            BackendError: a package, a checkpoint or a device is missing.
        """
        begin = time.perf_counter()
        self.place.check()
        self._check_out()
        prepare_folder(self.out, self.mirror)
        with recording(self.out, self.shard, self.mirror) as record:
            report = self._run(Listeners(record.log, listener), record.log, only, begin)
            record.save(report)
        return report

    def _run(
        self, listener: Listener, log: EventLog, only: Sequence[str] | None, begin: float
    ) -> RunReport:
        scenes, problems = find_scenes(self.inputs, self.mirror)
        mine, broken = self.shard.take(scenes), self.shard.take(problems)
        log.problems(broken)
        with self.place.open() as runner:
            devices = runner.devices(self.config.device, self.config.precision)
            plan = make_plan(self.config, output_layout(self.out, self.mirror), only, devices)
            check_backends(plan)
            results = runner.run(plan, mine, listener)
        return RunReport(
            results=tuple(results),
            problems=tuple(broken),
            seconds=time.perf_counter() - begin,
            config=self.config.model_dump(mode="json"),
            outputs={r.scene.name: _outputs(plan, r) for r in results if is_done(r)},
            runner=runner.name,
            run=log.run,
        )

    def clean(self, report: RunReport, listener: Listener) -> None:
        """Delete working files of finished scenes that no result needs any more."""
        plan = make_plan(self.config, output_layout(self.out, self.mirror))
        for line in remove_working_files(plan, report.results):
            listener.note(line)

    def _check_out(self) -> None:
        """Refuse an input as the output folder: the next run would take results for inputs."""
        for path in self.inputs:
            with suppress(OSError):
                if self.out == path or self.out.samefile(path):
                    raise OutputError(f"the output folder {self.out} is an input; choose another")


def make_plan(
    config: PipelineConfig,
    layout: Layout,
    only: Sequence[str] | None = None,
    devices: tuple[Device, ...] = (CPU,),
) -> Plan:
    """Return the plan of a configuration; `only` names the stages that are wanted."""
    backends = all_backends(config)
    if only is not None:
        backends = select(backends, set(only))
    wanted = frozenset(only or ())
    return Plan(backends, layout, seed=config.seed, devices=devices, wanted=wanted)


def check_backends(plan: Plan) -> None:
    """Check that every backend of a plan can run here, before any scene is begun.

    Raises:
        BackendError: a package or a checkpoint is missing.
    """
    for backend in plan.backends:
        backend.check()


def prepare_folder(folder: Path, mirror: Mirror | None = None) -> None:
    """Make a folder and check that files can be written there.

    Raises:
        OutputError, StoreError: they cannot.
    """
    if mirror and mirror.url(folder):
        check_writable(mirror, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".moseg-write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"the output folder {folder} cannot be written ({error.strerror}); choose another"
        ) from error


def _outputs(plan: Plan, result: SceneResult) -> dict[str, str]:
    scene: Scene = result.scene
    stages = {backend.stage: backend for backend in plan.backends}
    return {
        stage: plan.layout.slot(scene.name, stage, stages[stage].suffix).place
        for stage in PUBLIC
        if stage in stages
    }
