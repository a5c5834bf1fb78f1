"""The local runner: scenes one after the other, or over worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from moseg.core.claims import PATIENCE, Claim, ClaimedScenes
from moseg.core.device import Device, Precision, choose_device
from moseg.core.errors import MosegError
from moseg.core.execute import StageRecord, Workbench, failure_record, kept_record
from moseg.core.processes import core_count, die_with_parent, interrupts_held_back
from moseg.core.progress import Event, Listener
from moseg.core.resolve import Step, resolve
from moseg.core.runner import Plan, Runner, SceneResult
from moseg.core.scene import Scene


class SceneWorker:
    """Runs whole scenes in this process."""

    def __init__(self, plan: Plan, device: Device, threads: int, listener: Listener) -> None:
        self.plan = plan
        self.listener = listener
        self._bench = Workbench(plan.backends, device, threads)

    def run(self, scene: Scene, claim: Claim | None) -> SceneResult:
        """Run all stages of one scene; stages after a failed one are skipped."""
        begin = time.perf_counter()
        records: list[StageRecord] = []
        try:
            steps = resolve(self.plan, scene, claim)
        except Exception as error:
            first = self.plan.backends[0]
            records.append(failure_record(scene.name, first.stage, first.name, error, begin))
            self._tell(records[0])
            steps = []
        for step in steps:
            records.append(self._run_step(step) if step.must_run else kept_record(step))
            self._tell(records[-1])
            if records[-1].status == "failed":
                break
        for backend in self.plan.backends[len(records) :]:
            records.append(StageRecord(scene.name, backend.stage, backend.name, "skipped"))
        return SceneResult(scene, tuple(records))

    def _run_step(self, step: Step) -> StageRecord:
        scene, stage = step.scene.name, step.stage
        self.listener.handle(Event("start", scene, stage, reason=step.decision.reason))

        def progress(done: int, total: int) -> None:
            self.listener.handle(Event("progress", scene, stage, done=done, total=total))

        return self._bench.run(step, progress)

    def _tell(self, record: StageRecord) -> None:
        self.listener.handle(Event("end", record.scene, record.stage, record=record))


class LocalRunner(Runner):
    """Runs scenes on this machine.

    With one worker everything happens in this process and a stage may use all cores as
    threads. With more, each worker is a process of its own that takes scenes in turn; one
    that dies costs the scene it was at, and is replaced.
    """

    name = "local"

    def __init__(
        self,
        workers: int = 1,
        threads: int | None = None,
        gpus: Sequence[int] | None = None,
    ) -> None:
        self.workers = workers
        self.gpus = gpus
        self.threads = threads or max(1, core_count() // workers)

    def devices(self, request: str, precision: Precision) -> tuple[Device, ...]:
        """See `Runner.devices`; those given by name come before the settings' one."""
        names = [request] if self.gpus is None else [f"cuda:{number}" for number in self.gpus]
        return tuple(choose_device(name, precision) for name in names)

    def _results(
        self, plan: Plan, queue: ClaimedScenes, listener: Listener
    ) -> Iterator[SceneResult]:
        if self.workers == 1 or len(queue) <= 1:
            return self._run_here(plan, queue, listener)
        return self._run_in_processes(plan, queue, listener)

    def _run_here(
        self, plan: Plan, queue: ClaimedScenes, listener: Listener
    ) -> Iterator[SceneResult]:
        worker = SceneWorker(plan, plan.devices[0], self.threads * self.workers, listener)
        while queue:
            claimed = queue.next()
            if claimed is None:
                time.sleep(PATIENCE)
            else:
                yield worker.run(*claimed)

    def _run_in_processes(
        self, plan: Plan, queue: ClaimedScenes, listener: Listener
    ) -> Iterator[SceneResult]:
        busy: list[_Process] = []
        idle: list[_Process] = []
        try:
            while queue or busy:
                self._give_scenes(plan, queue, busy, idle)
                ready = wait([process.connection for process in busy], PATIENCE if queue else None)
                for process in [p for p in busy if p.connection in ready]:
                    result = process.receive(listener)
                    if result is None:
                        continue
                    busy.remove(process)
                    if process.dead:
                        process.stop()
                    else:
                        idle.append(process)
                    yield result
        finally:
            for process in (*busy, *idle):
                process.kill()

    def _give_scenes(
        self, plan: Plan, queue: ClaimedScenes, busy: list[_Process], idle: list[_Process]
    ) -> None:
        """Give each free place a scene, as far as there are any that can be worked on."""
        while len(busy) < self.workers:
            claimed = queue.next()
            if claimed is None:
                return
            if idle:
                process = idle.pop()
            else:
                place = min(set(range(self.workers)) - {process.place for process in busy})
                process = _Process.start(plan, self.threads, place)
            process.give(*claimed)
            busy.append(process)


@dataclass
class _Process:
    """A worker process, its place among the workers, its pipe, and the scene it is at."""

    process: BaseProcess
    place: int
    connection: Connection[Any, Any]
    scene: Scene | None = None
    dead: bool = False

    @classmethod
    def start(cls, plan: Plan, threads: int, place: int) -> _Process:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        device = plan.devices[place % len(plan.devices)]
        arguments = (theirs, plan, device, threads)
        process = context.Process(target=_serve, args=arguments, daemon=True)
        with interrupts_held_back():
            process.start()
        theirs.close()
        return cls(process, place, ours)

    def give(self, scene: Scene, claim: Claim | None) -> None:
        """Send the next scene. A worker that has died shows at the next `receive`."""
        self.scene = scene
        try:
            self.connection.send((scene, claim))
        except OSError:
            self.dead = True

    def receive(self, listener: Listener) -> SceneResult | None:
        """Pass on one event, or return the scene's result, also when the process died."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.dead = True
            self.process.join()
            assert self.scene is not None
            record = self._death(self.scene, self.process.exitcode)
            listener.handle(Event("end", record.scene, record.stage, record=record))
            return SceneResult(self.scene, (record,))
        if isinstance(message, Event):
            listener.handle(message)
            return None
        assert isinstance(message, SceneResult)
        return message

    def _death(self, scene: Scene, code: int | None) -> StageRecord:
        killed = code is not None and code < 0
        cause = signal.Signals(-code).name if killed and code is not None else f"exit code {code}"
        if code == -signal.SIGKILL:
            cause += ", often the system running out of memory"
        message = f"{scene.name}: its worker process died ({cause}); run again to resume"
        error, worker = "WorkerDied", f"{socket.gethostname()}:{self.process.pid}"
        return StageRecord(
            scene.name, "worker", "local", "failed", message, error, transient=True, worker=worker
        )

    def stop(self) -> None:
        self.connection.close()
        self.process.join()

    def kill(self) -> None:
        self.process.kill()
        self.stop()


class _PipeListener(Listener):
    """Sends events to the parent process."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection

    def handle(self, event: Event) -> None:
        self._connection.send(event)


def _serve(connection: Connection[Any, Any], plan: Plan, device: Device, threads: int) -> None:
    """Body of a worker process: scenes in, events and results out, until the pipe closes."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    worker = SceneWorker(plan, device, threads, _PipeListener(connection))
    try:
        while True:
            connection.send(worker.run(*connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def check_workers(workers: int) -> int:
    """Return `workers` if a machine can have that many.

    Raises:
        MosegError: it is not 1 or more.
    """
    if workers < 1:
        raise MosegError(f"{workers} workers are asked for; use 1 or more")
    return workers
