"""The local runner: scenes one after the other, or over worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from moseg.core.device import Device
from moseg.core.errors import MosegError
from moseg.core.execute import StageRecord, Workbench, failure_record, kept_record
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

    def run(self, scene: Scene) -> SceneResult:
        """Run all stages of one scene; stages after a failed one are skipped."""
        begin = time.perf_counter()
        records: list[StageRecord] = []
        try:
            steps = resolve(self.plan, scene)
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

    def __init__(self, workers: int = 1, threads: int | None = None) -> None:
        self.workers = workers
        self.threads = threads or max(1, (os.cpu_count() or 1) // workers)

    def run(self, plan: Plan, scenes: Sequence[Scene], listener: Listener) -> list[SceneResult]:
        """See `Runner.run`."""
        listener.handle(Event("scenes", total=len(scenes)))
        if self.workers == 1 or len(scenes) <= 1:
            threads = self.threads * self.workers
            worker = SceneWorker(plan, plan.devices[0], threads, listener)
            return [_finish(listener, worker.run(scene)) for scene in scenes]
        return self._run_in_processes(plan, scenes, listener)

    def _run_in_processes(
        self, plan: Plan, scenes: Sequence[Scene], listener: Listener
    ) -> list[SceneResult]:
        waiting = deque(scenes)
        results: dict[str, SceneResult] = {}
        busy: list[_Process] = []
        try:
            while waiting or busy:
                while waiting and len(busy) < self.workers:
                    place = min(set(range(self.workers)) - {process.place for process in busy})
                    busy.append(_Process.start(plan, self.threads, place, waiting.popleft()))
                ready = wait([process.connection for process in busy])
                for process in [p for p in busy if p.connection in ready]:
                    result = process.receive(listener)
                    if result is None:
                        continue
                    results[result.scene.name] = _finish(listener, result)
                    if not process.dead and waiting:
                        process.give(waiting.popleft())
                    else:
                        process.stop()
                        busy.remove(process)
        finally:
            for process in busy:
                process.kill()
        return [results[scene.name] for scene in scenes]


def _finish(listener: Listener, result: SceneResult) -> SceneResult:
    listener.handle(Event("scene", result.scene.name, result=result))
    return result


@dataclass
class _Process:
    """A worker process, its place among the workers, its pipe, and the scene it is at."""

    process: BaseProcess
    place: int
    connection: Connection[Any, Any]
    scene: Scene
    dead: bool = False

    @classmethod
    def start(cls, plan: Plan, threads: int, place: int, scene: Scene) -> _Process:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        device = plan.devices[place % len(plan.devices)]
        arguments = (theirs, plan, device, threads)
        process = context.Process(target=_serve, args=arguments, daemon=True)
        with _interrupts_held_back():
            process.start()
        theirs.close()
        worker = cls(process, place, ours, scene)
        worker.give(scene)
        return worker

    def give(self, scene: Scene) -> None:
        """Send the next scene. A worker that has died shows at the next `receive`."""
        self.scene = scene
        try:
            self.connection.send(scene)
        except OSError:
            self.dead = True

    def receive(self, listener: Listener) -> SceneResult | None:
        """Pass on one event, or return the scene's result, also when the process died."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.dead = True
            self.process.join()
            record = self._death(self.process.exitcode)
            listener.handle(Event("end", record.scene, record.stage, record=record))
            return SceneResult(self.scene, (record,))
        if isinstance(message, Event):
            listener.handle(message)
            return None
        assert isinstance(message, SceneResult)
        return message

    def _death(self, code: int | None) -> StageRecord:
        killed = code is not None and code < 0
        cause = signal.Signals(-code).name if killed and code is not None else f"exit code {code}"
        if code == -signal.SIGKILL:
            cause += ", often the system running out of memory"
        message = f"{self.scene.name}: its worker process died ({cause}); run again to resume"
        return StageRecord(self.scene.name, "worker", "local", "failed", message)

    def stop(self) -> None:
        self.connection.close()
        self.process.join()

    def kill(self) -> None:
        self.process.kill()
        self.stop()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until the block ends; processes started in it are deaf to it for good."""
    resource_tracker.ensure_running()  # it lets interrupts through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _PipeListener(Listener):
    """Sends events to the parent process."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection

    def handle(self, event: Event) -> None:
        self._connection.send(event)


def _serve(connection: Connection[Any, Any], plan: Plan, device: Device, threads: int) -> None:
    """Body of a worker process: scenes in, events and results out, until the pipe closes."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    worker = SceneWorker(plan, device, threads, _PipeListener(connection))
    try:
        while True:
            connection.send(worker.run(connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _die_with_parent() -> None:
    """End this worker at once when the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def check_workers(workers: int) -> int:
    """Return `workers` if a machine can have that many.

    Raises:
        MosegError: it is not 1 or more.
    """
    if workers < 1:
        raise MosegError(f"{workers} workers are asked for; use 1 or more")
    return workers
