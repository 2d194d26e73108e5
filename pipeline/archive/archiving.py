"""From the topics into an archive: what is left out, and what the archive has to remember of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipeline.archive.tables import rows_of
from pipeline.archive.writing import ArchiveWriter
from pipeline.inputs.layout import NO_DAY, ArchivedLog, Manifest, key_fingerprint
from pipeline.ledger.rows import LIVE
from pipeline.ledger.run_policy import policy_of_run
from pipeline.policies import policy_of
from pipeline.replay.beginning import ledger_of
from pipeline.replay.fixed_tables import FixedTables
from pipeline.replay.plan import FROM_TOPICS, LogPart, Plan
from pipeline.replay.survey import check_range, survey_topics
from pipeline.replay.topics import TopicSource
from pipeline.replay.verdicts import load_verdicts
from pipeline.state.intake import NEVER
from pipeline.state.policy import Span
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.topics import CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipeline.settings import Settings
    from pipeline.state.policy import Policy
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.worker.verdicts import ClockVerdicts

_CACHED: Final = 200_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive was made of: records read, and those of them that it holds."""

    manifest: Manifest
    read: int


def archive_topics(
    settings: Settings, directory: Path, begin_ms: int | None, end_ms: int | None, show: Callable[[int, int], None]
) -> Archived:
    """Write what the topics hold to a directory, by the business days of the ledger that counts them.

    Args:
        settings: how to connect, and the key of the pseudonyms; all else where no ledger was begun yet.
        directory: empty, or not there yet.
        begin_ms: earliest event time to archive.
        end_ms: event time before which to archive.
        show: told how many records have been read, of how many.

    Raises:
        UserError: the topics do not hold the range, the ledger's record does not say how it counts, or the directory
            cannot be written; nothing is left in it.
    """
    live = ledger_of(settings, LIVE)
    survey = survey_topics(settings, live)
    check_range(settings, survey, begin_ms, live)
    plan = Plan("archive", FROM_TOPICS, survey.logs, survey.tables, survey.partition_counts)
    policy = policy_of_run(live, policy_of(settings))
    erased = {str(found) for (found,) in live.fetch("erased_customers")}
    span = Span(
        *(bound if bound is not None else whole for bound, whole in zip((begin_ms, end_ms), Span(), strict=True))
    )
    writer = ArchiveWriter(directory, key_fingerprint(policy.pseudonym_key))
    archiver = Archiver(policy, span, erased, writer, load_verdicts(live, plan, LIVE))
    writer.begin()
    try:
        logs = (*survey.logs, *survey.tables)
        read = asyncio.run(_read(settings, logs, survey.partition_counts, archiver, show))
        manifest = writer.finish(archiver.manifest(logs, survey.partition_counts, begin_ms, end_ms))
    except BaseException:
        writer.abandon()
        raise
    return Archived(manifest, read)


async def _read(
    settings: Settings,
    logs: tuple[LogPart, ...],
    partition_counts: Mapping[str, int],
    archiver: Archiver,
    show: Callable[[int, int], None],
) -> int:
    nothing = FixedTables(settings, {}, partition_counts[CUSTOMERS], lambda _key: False)
    source = TopicSource(settings, {log.tp: log.end for log in logs}, partition_counts, nothing)
    total, read = sum(log.end - log.start for log in logs), 0
    try:
        await source.start()
        await source.seek({log.tp: log.start for log in logs})
        open_logs = list(logs)
        while open_logs:
            for log in list(open_logs):
                batch = await source.next_batch(log.tp)
                if batch is None:
                    open_logs.remove(log)
                    continue
                archiver.take(batch)
                read += len(batch)
                show(read, total)
    finally:
        await source.stop()
    return read


class Archiver:
    """Decides of each record whether it is archived, and remembers what those that are not have moved."""

    def __init__(
        self, policy: Policy, span: Span, erased: set[str], writer: ArchiveWriter, verdicts: Mapping[TP, ClockVerdicts]
    ) -> None:
        self._policy = policy
        self._span = span
        self._erased = erased
        self._writer = writer
        self._verdicts = verdicts
        self._calendar = policy.calendar()
        self._earliest_ms = DEFAULT_EARLIEST_MS if policy.earliest_ms is None else policy.earliest_ms
        self._pseudonyms: dict[str, str] = {}
        self._watermarks: dict[TP, int] = {}
        self._takeovers: dict[TP, list[tuple[int, int]]] = defaultdict(list)

    def take(self, batch: RecordBatch) -> None:
        """Take one partition's next records."""
        if not batch.offsets:
            return
        table, times = rows_of(batch, self._policy.currency, self._pseudonym)
        refused = self._refused_by_settings(table, times)
        keep = self._kept(batch.tp, table, times, refused)
        self._follow(batch.tp, table, [None if bad else at for at, bad in zip(times, refused, strict=True)], keep)
        if not all(keep):
            table = table.filter(pa.array(keep))
            times = [at for at, stays in zip(times, keep, strict=True) if stays]
        days = [NO_DAY if at is None else self._day(at) for at in times]
        found = set(days)
        for day in sorted(found):
            rows = table if len(found) == 1 else table.filter(pa.array([other == day for other in days]))
            self._writer.add(batch.topic, batch.partition, day, rows)

    def manifest(
        self, logs: tuple[LogPart, ...], partition_counts: dict[str, int], begin_ms: int | None, end_ms: int | None
    ) -> Manifest:
        """Return what the archive says of itself, without its files."""
        takeovers = [
            (*tp, offset, watermark)
            for tp in {*self._verdicts, *self._takeovers}
            for offset, watermark in sorted([*self._recorded(tp), *self._takeovers.get(tp, ())])
        ]
        future = [(*tp, offset) for tp, verdicts in self._verdicts.items() for offset in sorted(verdicts.future)]
        return Manifest(
            key=key_fingerprint(self._policy.pseudonym_key),
            digest="",
            partition_counts=partition_counts,
            logs=tuple(ArchivedLog(log.topic, log.partition, log.start, log.end) for log in logs),
            files=(),
            begin_ms=begin_ms,
            end_ms=end_ms,
            takeovers=tuple(sorted(takeovers)),
            future=tuple(sorted(future)),
            zone=self._policy.zone,
        )

    def _recorded(self, tp: TP) -> list[tuple[int, int]]:
        return self._verdicts[tp].takeovers if tp in self._verdicts else []

    def _refused_by_settings(self, table: pa.Table, times: list[int | None]) -> list[bool]:
        """Say of each record whether it is a dead letter for its currency or its year, of every range."""
        earliest, currency = self._earliest_ms, self._policy.currency
        found = [at is not None and at < earliest for at in times]
        if "currency" in table.column_names and table.column("currency").null_count < len(table):
            stated = table.column("currency").to_pylist()
            found = [bad or one not in {None, currency} for bad, one in zip(found, stated, strict=True)]
        return found

    def _kept(self, tp: TP, table: pa.Table, times: list[int | None], refused: list[bool]) -> list[bool]:
        covers = self._span.covers
        keep = [at is None or bad or covers(at) for at, bad in zip(times, refused, strict=True)]
        if self._erased and "customer_id" in table.column_names:
            owners = table.column("customer_id").to_pylist()
            keep = [stays and owner not in self._erased for stays, owner in zip(keep, owners, strict=True)]
        before = self._verdicts[tp].left_out_before if tp in self._verdicts else {}
        if before:  # who had been erased and came back counts from there on only
            rows = zip(
                keep, times, *(table.column(name).to_pylist() for name in ("offset", "customer_id")), strict=True
            )
            keep = [
                stays and (at is None or offset >= before.get(bytes.fromhex(owner), 0))
                for stays, at, offset, owner in rows
            ]
        return keep

    def _follow(self, tp: TP, table: pa.Table, times: list[int | None], keep: list[bool]) -> None:
        """Follow the watermark, and note where records that are left out have moved it."""
        future = self._verdicts[tp].future if tp in self._verdicts else frozenset()
        watermark = self._watermarks.get(tp, NEVER)
        if all(keep) and not future:
            self._watermarks[tp] = max(watermark, *(at for at in times if at is not None), NEVER)
            return
        for offset, at, stays in zip(table.column("offset").to_pylist(), times, keep, strict=True):
            if at is None or at <= watermark or offset in future:
                continue
            watermark = at
            if not stays:
                self._takeovers[tp].append((offset + 1, at))
        self._watermarks[tp] = watermark

    def _pseudonym(self, customer_id: str) -> str:
        found = self._pseudonyms.get(customer_id)
        if found is None:
            if len(self._pseudonyms) >= _CACHED:
                self._pseudonyms.clear()
            found = self._pseudonyms[customer_id] = self._policy.pseudonym(customer_id).hex()
        return found

    def _day(self, at: int) -> str:
        try:
            return date.fromordinal(_EPOCH_ORDINAL + self._calendar.day_of(at)).isoformat()
        except (ValueError, OverflowError):  # a zone may be in the year 10000 already
            return NO_DAY
