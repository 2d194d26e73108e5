"""What is at fault, decided from what was observed: one judgement for status, doctor, drain and /healthz. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.transport.membership import strangers_cause, strangers_remedy
from pipeline.transport.reading import MISSING_REMEDY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.operations.evaluators import EvaluatorSeen
    from pipeline.operations.halts import Halted, LogFault

RECENT_SECONDS: Final = 300.0
LOOP_DEATHS: Final = 2  # so many within the recent past, and a part is said to die again and again
_TROUBLE_SECONDS: Final = 6.0  # what is over sooner is no trouble
STALLED_SECONDS: Final = 30.0
_STANDING_SECONDS: Final = 60.0  # by then a worker that was started or taken over from has written its first block
SILENT_EVALUATOR_SECONDS: Final = 15.0  # a standby takes over from a silent one sooner
_BEGIN_SECONDS: Final = 30.0  # in which an evaluator that was started has given its first sign of life
STALE_LOOK_SECONDS: Final = 30.0
_LITTLE_BYTES: Final = 32 * 1024 * 1024  # less than a merge or a few blocks need: writes fail or are about to
_LOW_BYTES: Final = 1024 * 1024 * 1024
_LOW_SHARE: Final = 0.05

_SILENT: Final = "does not answer: frozen, or without any processor time"
_KILLED: Final = "wait: roi up kills it where it stays silent, and starts it again; look into the log of {}"
BROKER: Final = "broker"  # the parts of an embedded instance that answer for a server
ENDPOINT: Final = "endpoint"
BROKER_FROZEN: Final = (
    "Kafka does not answer: the broker's process {pid} takes requests and answers none: "
    "frozen, or without any processor time"
)
# nobody kills it for that: its topics live in its memory only
BROKER_REMEDY: Final = "kill -CONT {pid}, or stop and start the instance, whose topics are empty then"
_GONE: Final = "none is in the consumer group any more: nothing is read"
_NEVER_EVALUATED: Final = "no evaluator has run yet: nobody is told of any campaign"
_START_EVALUATOR: Final = "start one: roi alerts run (roi up runs one)"
_SEND_AGAIN: Final = "see that all events are there, and send again what is missing"

Severity = Literal["failed", "warning"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is at fault.

    Attributes:
        part: what it is about: a topic, a process, ClickHouse, a disk.
        cause: what is wrong.
        remedy: what to do about it.
        severity: ``failed`` makes commands exit with 1 and /healthz answer 503.
        is_lasting: waiting does not mend it.
    """

    part: str
    cause: str
    remedy: str
    severity: Severity = "failed"
    is_lasting: bool = False

    def __str__(self) -> str:
        return f"{self.part}: {self.cause}; {self.remedy}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as JSON shows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Death:
    """One end of a process that nobody had asked for. ``at`` is in epoch seconds; ``is_killed``: by somebody else."""

    part: str
    at: float
    cause: str
    is_killed: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """A process that runs and does not get on: why, and since when (epoch seconds)."""

    part: str
    cause: str
    since: float


@dataclass(frozen=True, slots=True)
class Disk:
    """Room on the disk that holds an instance's data."""

    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Observations:
    """What was seen, by whoever looked; what nobody looked at stays empty.

    Attributes:
        now: when, in epoch seconds.
        unreachable: (part, why, remedy) of servers that do not answer.
        missing_topics: the contract's that the broker does not have.
        halts: topics that no worker reads.
        log_faults: what was wrong with logs within the last day.
        deaths: recent ones, of any part.
        troubles: of processes that run.
        silent: processes that run and did not answer a question of some seconds.
        stopped_supervisor: the process of `roi up`, where it stands still.
        is_endpoint_own: the ClickHouse that is asked is the instance's own.
        broker_pid: the process of the embedded broker, where it is known to run.
        is_endpoint_own: the ClickHouse that is asked is the instance's own.
        workers_are_gone: there were workers, and none is in their group now.
        group_of_strangers: the consumer group, where another installation's workers are in it.
        disk: of an embedded instance.
        lag: records that wait, None where nobody asked.
        block_age_seconds: age of the newest block.
        evaluator: who decides about alerts.
        evaluator_begun_seconds: how long the instance's own evaluator has run, None where none does.
    """

    now: float
    unreachable: tuple[tuple[str, str, str], ...] = ()
    missing_topics: tuple[str, ...] = ()
    halts: tuple[Halted, ...] = ()
    log_faults: tuple[LogFault, ...] = ()
    deaths: tuple[Death, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    silent: tuple[str, ...] = ()
    stopped_supervisor: int | None = None
    broker_pid: int | None = None
    is_endpoint_own: bool = False
    workers_are_gone: bool = False
    group_of_strangers: str = ""
    disk: Disk | None = None
    lag: int | None = None
    block_age_seconds: float | None = None
    evaluator: EvaluatorSeen | None = None
    evaluator_begun_seconds: float | None = None

    @property
    def is_broker_frozen(self) -> bool:
        """Whether the embedded broker runs and answers nobody: now, or the supervisor for a while."""
        return self.broker_pid is not None and self._is_silent(BROKER)

    @property
    def is_endpoint_frozen(self) -> bool:
        """Whether the instance's own ClickHouse runs and answers nobody, likewise."""
        return self.is_endpoint_own and self._is_silent(ENDPOINT)

    def _is_silent(self, part: str) -> bool:
        noticed = (it for it in self.troubles if it.part == part and self.now - it.since >= _TROUBLE_SECONDS)
        return part in self.silent or any(noticed)


def faults(seen: Observations) -> list[Fault]:
    """Return what is at fault, what no waiting mends first."""
    found = [
        *_disk(seen.disk),
        *(Fault(it.topic, f"halted: {it.cause}", it.remedy, is_lasting=True) for it in seen.halts),
        *_supervisor(seen.stopped_supervisor),
        *_strangers(seen.group_of_strangers),
        *_unreachable(seen),
        *_loops(seen),
        *(Fault(topic, "this topic is missing", MISSING_REMEDY) for topic in seen.missing_topics),
        *_troubles(seen),
        *_evaluator(seen.evaluator, seen.evaluator_begun_seconds),
        *(Fault("log", str(it), _SEND_AGAIN, _log_severity(it)) for it in seen.log_faults),
    ]
    return sorted(found, key=lambda fault: (not fault.is_lasting, fault.severity != "failed"))


def failed(found: Iterable[Fault]) -> list[Fault]:
    """Return those that make a command fail."""
    return [fault for fault in found if fault.severity == "failed"]


def _supervisor(stopped: int | None) -> list[Fault]:
    if stopped is None:
        return []
    cause = f"its process {stopped} is stopped: parts that end are not started again"
    return [Fault("roi up", cause, f"let it go on: kill -CONT {stopped}", is_lasting=True)]


def _strangers(group: str) -> list[Fault]:
    return [Fault("workers", strangers_cause(group), strangers_remedy(group), is_lasting=True)] if group else []


def _disk(disk: Disk | None) -> list[Fault]:
    if disk is None:
        return []
    cause = f"{disk.free_bytes / 2**20:,.0f} MiB are free of {disk.total_bytes / 2**20:,.0f}"
    if disk.free_bytes < _LITTLE_BYTES:
        remedy = "make room: what was read waits, and is written as soon as there is some"
        return [Fault(f"disk of {disk.path}", f"full: {cause}", remedy, is_lasting=True)]
    if disk.free_bytes < min(_LOW_BYTES, disk.total_bytes * _LOW_SHARE):
        return [Fault(f"disk of {disk.path}", f"nearly full: {cause}", "make room", "warning")]
    return []


def _unreachable(seen: Observations) -> list[Fault]:
    """Tell which servers do not answer; of an instance's own frozen ones more is known than that."""
    known = {"ClickHouse"} if seen.is_endpoint_frozen else set()  # told of the part, with what is done about it
    found = []
    if seen.is_broker_frozen:
        known.add("Kafka")
        cause, remedy = BROKER_FROZEN.format(pid=seen.broker_pid), BROKER_REMEDY.format(pid=seen.broker_pid)
        found.append(Fault(BROKER, cause, remedy))
    return [*found, *(Fault(*told) for told in seen.unreachable if told[0] not in known)]


def _loops(seen: Observations) -> list[Fault]:
    """Tell which kind of part dies again and again; workers count together, for what kills one may move to the next."""
    now, is_explained = seen.now, bool(seen.unreachable)  # without their servers workers end, and come back with them
    recent = sorted((it for it in seen.deaths if now - it.at <= RECENT_SECONDS), key=lambda death: death.at)
    kinds: dict[str, list[Death]] = {}
    for death in recent:
        kinds.setdefault("worker" if death.part.startswith("worker") else death.part, []).append(death)
    found = []
    for kind, ends in kinds.items():
        if len(ends) < LOOP_DEATHS:
            continue
        own = [death for death in ends if not death.is_killed]
        last, telling = ends[-1], (own or ends)[-1]
        cause = f"died {len(ends)} times in five minutes, last {max(0.0, now - last.at):.0f} s ago: {last.cause}"
        if telling is not last:
            cause += f"; the last one by itself {max(0.0, now - telling.at):.0f} s ago: {telling.cause}"
        # a worker that somebody kills comes back; one that ends by itself meets the same again
        lasting = kind == "worker" and len(own) >= LOOP_DEATHS and not is_explained
        found.append(Fault(kind, cause, f"look into the log of {telling.part}", is_lasting=lasting))
    return found


def _evaluator(seen: EvaluatorSeen | None, begun_seconds: float | None) -> list[Fault]:
    """Tell whether nobody decides about alerts, or nobody gets to it."""
    if seen is None:
        return []
    if seen.age_seconds is None or seen.has_ended or seen.age_seconds > SILENT_EVALUATOR_SECONDS:
        return [_silent_evaluator(seen.age_seconds, begun_seconds)]
    if seen.turn_age_seconds > STALE_LOOK_SECONDS:
        why = f": {'; '.join(seen.reasons)}" if seen.reasons else ""
        cause = f"the newest look at the campaigns is {seen.turn_age_seconds:.0f} s old{why}"
        return [Fault("alerts", cause, "look into the log of alerts")]
    return []


def _silent_evaluator(age_seconds: float | None, begun_seconds: float | None) -> Fault:
    if begun_seconds is None and age_seconds is None:
        return Fault("alerts", _NEVER_EVALUATED, _START_EVALUATOR, "warning")
    sign = "there has been no sign of life"
    if age_seconds is not None:
        sign = f"the last sign of life is {age_seconds:.0f} s old"
    if begun_seconds is None:
        return Fault("alerts", f"no evaluator runs, {sign}", _START_EVALUATOR)
    if begun_seconds < _BEGIN_SECONDS:  # any sign of life is of the one before
        cause = f"the evaluator was started {begun_seconds:.0f} s ago and has not looked yet"
        return Fault("alerts", cause, "wait a moment", "warning")
    # it is there: starting another would not help
    cause = f"the evaluator runs, but {sign}: it cannot write to ClickHouse, or stands still"
    return Fault("alerts", cause, "mend what else is at fault, then look into the log of alerts")


def _log_severity(fault: LogFault) -> Severity:
    return "warning" if fault.fault == "recreated" else "failed"


def is_stalled(seen: Observations) -> bool:
    """Tell whether records wait, nobody has written for long, and nothing else is known that would explain it."""
    is_old = (seen.block_age_seconds or 0.0) > STALLED_SECONDS
    # a halted topic's records wait for it, and those of a group that is others' are theirs
    return bool(seen.lag) and is_old and not (seen.halts or seen.group_of_strangers or _troubles_of_parts(seen))


def _troubles(seen: Observations) -> list[Fault]:
    if not is_stalled(seen):
        return _troubles_of_parts(seen)
    age = seen.block_age_seconds or 0.0
    cause = f"{seen.lag:,} records wait, and the last block was written {age:.0f} s ago"
    remedy = (
        "start a worker if none runs (roi worker), or look into their logs; "
        "a producer's open transaction keeps records back, too"
    )
    return [Fault("workers", cause, remedy, "failed" if age > _STANDING_SECONDS else "warning")]


def _troubles_of_parts(seen: Observations) -> list[Fault]:
    found = [Fault(name, _SILENT, _KILLED.format(name)) for name in seen.silent if name != BROKER]
    found += [
        Fault(it.part, f"{it.cause}, since {seen.now - it.since:.0f} s", f"look into the log of {it.part}")
        for it in seen.troubles
        # of a silent one the supervisor knows no more than that it is silent
        if it.part not in {*seen.silent, BROKER} and seen.now - it.since >= _TROUBLE_SECONDS
    ]
    if seen.workers_are_gone:
        found.append(Fault("workers", _GONE, "start one: roi worker; kill one that is frozen"))
    return found
