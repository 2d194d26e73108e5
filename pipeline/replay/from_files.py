"""Plans of replays whose records come from files, and their sources: no broker is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.inputs.archived import ArchiveSource
from pipeline.inputs.given import is_parquet
from pipeline.inputs.layout import KEY_ENTRY, MANIFEST, Manifest, key_fingerprint, read_manifest
from pipeline.inputs.spooled import SpooledSource, survey_files
from pipeline.policies import policy_of
from pipeline.replay.files import read_profiles
from pipeline.replay.plan import FROM_FILES, LogPart, Plan
from pipeline.transport.dimensions import DimensionRecord
from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP
from pipeline.worker.verdicts import ClockVerdicts
from schemas.customer import Customer
from schemas.topics import CAMPAIGNS, CUSTOMERS, DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.order import Order
    from pipeline.replay.ports import ReplaySource
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

_SPREAD: Final = "spread"  # in partition_counts: over how many partitions files are spread


def plan_files(settings: Settings, order: Order, live: LedgerPort) -> Plan:
    """Return what is to be done for an order of files.

    Raises:
        UserError: they cannot be read, are of another key, or hold no event.
    """
    directory = _archive_of(order.inputs)
    if directory is not None:
        return _plan_archive(settings, order.run, directory)
    counts: dict[str, int] = dict(live.fetch("load_partition_counts"))
    count = counts.get(CUSTOMERS) or max(counts.values(), default=settings.kafka_partitions)
    found = survey_files(order.inputs, order.topic, count)
    if found.refused.count:
        raise UserError(
            f"{_lines(found.refused.count)}: {'; '.join(found.refused.first)}",
            "correct or remove them (roi ingest --check names all), or name their topic: --topic",
        )
    if not found.counts:
        raise UserError(f"{', '.join(map(str, order.inputs))}: there is no event in it", "name files of events")
    logs = tuple(LogPart(*tp, 0, records, found.digest) for tp, records in sorted(found.counts.items()))
    return Plan(
        order.run, FROM_FILES, logs, (), {_SPREAD: count}, topic=order.topic, has_definitions=found.definitions > 0
    )


def _lines(count: int) -> str:
    return "1 line is no record" if count == 1 else f"{count:,} lines are no records"


def _archive_of(inputs: Sequence[Path]) -> Path | None:
    """Return the archive that is named, None where other files are."""
    for path in inputs:
        if not path.exists():
            raise UserError(f"{path} is not there", "correct the name")
        if path.is_dir() or path.name == MANIFEST:
            if len(inputs) > 1:
                raise UserError(
                    f"{path} is an archive, and other files are named beside it",
                    "an archive is replayed by itself: its customers are pseudonyms",
                )
            return path if path.is_dir() else path.parent
        if is_parquet(path) and _is_archived(path):
            raise UserError(f"{path} is a part of an archive", "name the directory that its manifest.json is in")
    return None


def _is_archived(path: Path) -> bool:
    import pyarrow as pa  # costs the start of a replay of lines
    import pyarrow.parquet as pq

    try:
        return KEY_ENTRY in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False  # whoever reads it says what is wrong


def _plan_archive(settings: Settings, run: str, directory: Path) -> Plan:
    manifest = read_manifest(directory)
    if manifest.key != key_fingerprint(policy_of(settings).pseudonym_key):
        raise UserError(
            f"{directory} was written with another pseudonym key, under which every customer has another name",
            "replay it where that key is configured (ROI_PSEUDONYM_KEY)",
        )
    logs = tuple(
        LogPart(log.topic, log.partition, log.start, log.end, manifest.digest)
        for log in manifest.logs
        if log.topic not in DIMENSION_TOPICS
    )
    if not any(file.topic not in DIMENSION_TOPICS for file in manifest.files):
        raise UserError(f"{directory} holds no event", "name another archive")
    return Plan(
        run,
        FROM_FILES,
        logs,
        (),
        {_SPREAD: manifest.partition_counts[CUSTOMERS]},
        has_pseudonyms=True,
        has_definitions=any(file.topic == CAMPAIGNS for file in manifest.files),
    )


def open_files(plan: Plan, part: frozenset[TP], policy: Policy, is_erased: Callable[[bytes], bool]) -> ReplaySource:
    """Return the source of some of a plan's partitions, not started yet.

    Raises:
        UserError: the files are not those that the plan was made with.
    """
    ends = {log.tp: log.end for log in plan.logs if log.tp in part}
    paths = [Path(name) for name in plan.inputs]
    profiles = _profiles_by_partition(plan, policy) if plan.customers else None
    if plan.has_pseudonyms:
        directory, manifest = _opened(plan)
        return ArchiveSource(
            directory, manifest, ends, is_erased, profiles=profiles, without_campaigns=bool(plan.campaigns)
        )
    return SpooledSource(
        paths,
        plan.topic,
        plan.partition_counts[_SPREAD],
        ends,
        plan.logs[0].topic_id,
        is_erased=is_erased,
        profiles=profiles,
        without_campaigns=bool(plan.campaigns),
    )


def archived_verdicts(plan: Plan) -> dict[TP, ClockVerdicts]:
    """Return what the archive of a plan remembers of watermarks and of events that were from the future."""
    if not plan.has_pseudonyms:
        return {}
    _, manifest = _opened(plan)
    takeovers: dict[TP, list[tuple[int, int]]] = {}
    future: dict[TP, list[int]] = {}
    for topic, partition, offset, watermark in manifest.takeovers:
        takeovers.setdefault(TP(topic, partition), []).append((offset, watermark))
    for topic, partition, offset in manifest.future:
        future.setdefault(TP(topic, partition), []).append(offset)
    return {tp: ClockVerdicts(takeovers.get(tp, ()), future.get(tp, ())) for tp in {*takeovers, *future}}


def _opened(plan: Plan) -> tuple[Path, Manifest]:
    named = Path(plan.inputs[0])
    directory = named if named.is_dir() else named.parent
    manifest = read_manifest(directory)
    if manifest.digest != plan.logs[0].topic_id:
        raise UserError(f"{directory} is another archive than the run began with", "roi runs drop the run")
    return directory, manifest


def _profiles_by_partition(plan: Plan, policy: Policy) -> Callable[[int], Sequence[DimensionRecord]]:
    """Return the profiles of --customers, each in its customer's partition and under the name the events have."""
    count = plan.partition_counts[_SPREAD]
    found: dict[int, list[DimensionRecord]] = {}
    for key, value in read_profiles(Path(plan.customers)):
        partition = partition_of(key, count)
        records = found.setdefault(partition, [])
        renamed = _renamed(key, value, policy) if plan.has_pseudonyms else (key, value)
        records.append(DimensionRecord(*renamed, partition, len(records)))
    return lambda partition: found.get(partition, [])


def _renamed(key: bytes, value: bytes, policy: Policy) -> tuple[bytes, bytes]:
    name = policy.hashed(key.decode()).hex()
    profile = Customer.model_validate_json(value).model_copy(update={"customer_id": name})
    return name.encode(), profile.model_dump_json().encode()
