"""The driver: brings together scenes, workers and calls until every scene is over.

One loop in one thread. It admits a bounded number of scenes, starts workers where calls wait
for them and room is there, gives each free worker the most urgent call it can do, and takes
what comes back. Workers that wait for nothing make room for those that are waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from moseg.cluster.crew import GRACE, STUCK, Crew, Member
from moseg.cluster.hands import Answered, Died, Hands, Report, Started
from moseg.cluster.kinds import CPU_WORKERS, RESOLVE, kinds_of
from moseg.cluster.schedule import Call, Resolution, Schedule
from moseg.core.claims import ClaimedScenes
from moseg.core.execute import StageRecord
from moseg.core.progress import Event, Listener
from moseg.core.resolve import Step
from moseg.core.runner import Plan, SceneResult

AHEAD = 4
"""Scenes in flight besides two for each worker: their sources are read ahead of the networks."""

RETRY_DELAY = 1.0
"""Seconds before another try: a network file system may take that long to show a file."""

LOOK = 2.0
"""Seconds between two looks at the nodes."""

WATCH = 5.0
"""Seconds between two looks at how far calls are, and after which that is worth a look."""

MOST_WATCHED = 32
"""Calls that are looked at, those of the oldest workers."""

SLOW_START = 60.0
"""Seconds after which a worker that has not come up is worth a note."""


class Driver:
    """One run of a plan over scenes.

    Args:
        queue: the scenes, claimed one by one.
        workers: how many CPU workers there may be; None: as many as there is room for.
        clock: seconds.
    """

    def __init__(
        self,
        plan: Plan,
        hands: Hands,
        queue: ClaimedScenes,
        listener: Listener,
        workers: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds = {kind.name: kind for kind in kinds_of(plan)}
        self._plan = plan
        self._hands = hands
        self._queue = queue
        self._listener = listener
        self._clock = clock
        most = {} if workers is None else {CPU_WORKERS: workers}
        self._crew = Crew(self._kinds.values(), hands, most)
        self._schedule = Schedule(plan, self._kinds.values())
        self._later: list[Call] = []
        self._told: set[str] = set()
        self._looked = self._watched = float("-inf")

    def run(self) -> Iterator[SceneResult]:
        """Yield the result of each scene when it is over."""
        try:
            while self._queue or self._schedule.scenes:
                yield from self._look()
                yield from self._try_again()
                self._admit()
                self._make_way()
                self._crew.hire(self._waiting(), self._clock())
                yield from self._give_up()
                self._give_calls()
                for report in self._hands.wait(1.0):
                    yield from self._take(report)
                self._watch()
        finally:
            for member in list(self._crew.members.values()):
                self._crew.dismiss(member)

    def _try_again(self) -> Iterator[SceneResult]:
        """Begin with further tries whose time has come."""
        now = self._clock()
        due = [call for call in self._later if call.ready <= now]
        self._later = [call for call in self._later if call.ready > now]
        for call in due:
            yield from _those(self._schedule.retry(call, now))

    def _admit(self) -> None:
        """Begin with scenes, as many as the workers need to be kept busy."""
        while self._queue and self._schedule.scenes < AHEAD + 2 * len(self._crew.members):
            claimed = self._queue.next()
            if claimed is None:
                return
            self._schedule.admit(*claimed, self._clock())

    def _make_way(self) -> None:
        """End workers that wait for nothing where somebody may wait for their room.

        Other runs do while they hold all scenes that are left; our own workers do while Ray does
        not start them, since another run has what looks free from here.
        """
        now = self._clock()
        unused: list[Member] = []
        if not self._schedule.scenes:
            unused = [m for m in self._crew.members.values() if now - m.since >= GRACE]
        elif self._crew.starting_for(STUCK, now):
            unused = self._crew.idle(self._waiting(), now)
        for member in unused:
            self._crew.dismiss(member)

    def _waiting(self) -> dict[str, int]:
        return {name: self._schedule.waiting(name) for name in self._kinds}

    def _give_calls(self) -> None:
        now = self._clock()
        for kind in self._kinds:
            while (member := self._crew.free(kind)) and (call := self._schedule.next(kind)):
                self._crew.at_work(member, call, now)
                job = self._schedule.job(call)
                if isinstance(job, Step):
                    self._tell_start(call, job, member)
                self._hands.give(member.id, job)

    def _take(self, report: Report) -> Iterator[SceneResult]:
        if report.worker not in self._crew.members:
            return
        if isinstance(report, Started):
            member = self._crew.ready(report.worker, report.process, self._clock())
            self._tell_worker(member, "started")
        elif isinstance(report, Answered):
            yield from self._answered(self._crew.members[report.worker], report.answer)
        else:
            yield from self._died(report)

    def _answered(self, member: Member, answer: StageRecord | Resolution) -> Iterator[SceneResult]:
        now, call = self._clock(), member.call
        assert call is not None
        waited = member.since - call.ready
        self._crew.through(member, now)
        if isinstance(answer, Resolution):
            for kept in answer.kept:
                self._tell_end(kept)
            yield from _those(self._schedule.resolved(call, answer, now))
            return
        record = replace(answer, waited=max(0.0, waited), attempts=call.attempt)
        if record.status == "failed" and record.transient:
            # What failed for no fault of the input may have left the process sick.
            self._crew.dismiss(member)
        yield from self._settle(call, record, lost_node=False)

    def _died(self, report: Died) -> Iterator[SceneResult]:
        member = self._crew.lose(report.worker, report.cause, report.lost_node)
        if report.lost_node:
            self._looked = float("-inf")  # before a worker is started there
        self._tell_worker(member, f"died ({report.cause})")
        if member.call is None:
            return
        where = _where(self._schedule.name(member.call)[1])
        record = replace(
            self._failure(
                member.call,
                "NodeLost" if report.lost_node else "WorkerDied",
                f"its worker died {where} ({report.cause}); run again to resume",
            ),
            transient=True,
            seconds=self._clock() - member.since,
            waited=max(0.0, member.since - member.call.ready),
            worker=member.process,
            node=_host(member.process),
        )
        yield from self._settle(member.call, record, report.lost_node)

    def _settle(self, call: Call, record: StageRecord, lost_node: bool) -> Iterator[SceneResult]:
        """Try a failed call again, or take the record as final."""
        now = self._clock()
        if record.status == "failed":
            again = self._schedule.again(call, record, lost_node)
            if again is not None:
                self._tell_retry(record)
                self._later.append(replace(again, ready=now + RETRY_DELAY))
                return
        self._tell_end(record)
        yield from _those(self._schedule.finished(call, record, now))

    def _give_up(self) -> Iterator[SceneResult]:
        """Fail the calls that no worker can be had for."""
        for kind, reason in self._crew.hopeless.items():
            if self._crew.has(kind):
                continue
            while (call := self._schedule.next(kind)) is not None:
                where = _where(self._schedule.name(call)[1])
                why = f"there is no worker {where}: {reason}"
                record = replace(self._failure(call, "NoWorker", why), user_error=True)
                yield from self._settle(call, record, lost_node=False)

    def _failure(self, call: Call, error: str, message: str) -> StageRecord:
        """Return the record of a call that no worker answered; resolving is the first stage's."""
        scene = self._schedule.name(call)[0]
        backend = self._plan.backends[max(call.stage, 0)]
        return StageRecord(
            scene,
            backend.stage,
            backend.name,
            "failed",
            f"{scene}: {message}",
            error=error,
            attempts=call.attempt,
        )

    def _look(self) -> Iterator[SceneResult]:
        """Look after the nodes from time to time."""
        now = self._clock()
        if now - self._looked < LOOK:
            return
        self._looked = now
        for member in self._crew.look():
            self._hands.stop(member.id)
            yield from self._died(Died(member.id, "its node was lost", lost_node=True))

    def _watch(self) -> None:
        """Pass on how far long calls are."""
        now = self._clock()
        if now - self._watched < WATCH:
            return
        self._watched = now
        self._watch_starts(now)
        self._crew.restart(now)
        for remark in self._hands.remarks():
            self._listener.note(remark)
        members = [m for m in self._crew.members.values() if m.call and now - m.since >= WATCH]
        for member in members[:MOST_WATCHED]:
            frames = self._hands.progress(member.id)
            if frames is not None and member.call is not None and frames[1]:
                scene, stage = self._schedule.name(member.call)
                self._listener.handle(
                    Event("progress", scene, stage, done=frames[0], total=frames[1])
                )

    def _watch_starts(self, now: float) -> None:
        """Say once of each sort of worker that one of it does not come up."""
        for member in self._crew.starting_for(SLOW_START, now):
            kind = member.kind.name
            if kind not in self._told:
                self._told.add(kind)
                self._listener.note(
                    f"{kind}: a worker has not started for {SLOW_START:.0f} s; other programs on "
                    "this Ray cluster may hold the room that it waits for"
                )

    def _tell_start(self, call: Call, step: Step, member: Member) -> None:
        self._listener.handle(
            Event(
                "start",
                step.scene.name,
                step.stage,
                reason=step.decision.reason,
                worker=member.process,
                node=_host(member.process),
                attempt=call.attempt,
            )
        )

    def _tell_end(self, record: StageRecord) -> None:
        self._listener.handle(Event("end", record.scene, record.stage, record=record))

    def _tell_retry(self, record: StageRecord) -> None:
        self._listener.handle(
            Event(
                "retry",
                record.scene,
                record.stage,
                reason=record.reason,
                worker=record.worker,
                node=record.node,
                attempt=record.attempts,
            )
        )

    def _tell_worker(self, member: Member, what: str) -> None:
        self._listener.handle(
            Event("worker", stage=member.kind.name, reason=what,
                  worker=member.process, node=_host(member.process))
        )  # fmt: skip


def _where(stage: str) -> str:
    return "before the first stage" if stage == RESOLVE else f"in stage {stage}"


def _those(result: SceneResult | None) -> Iterator[SceneResult]:
    if result is not None:
        yield result


def _host(process: str) -> str:
    return process.rpartition(":")[0]
