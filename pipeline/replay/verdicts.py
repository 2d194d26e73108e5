"""What live decided by its clock, for the shards of a replay."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipeline.replay.from_files import archived_verdicts
from pipeline.replay.plan import FROM_FILES
from pipeline.transport.ports import TP
from pipeline.worker.verdicts import ClockVerdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.plan import Plan
    from pipeline.transport.ports import RecordBatch


def load_verdicts(ledger: LedgerPort, plan: Plan, run: str) -> dict[TP, ClockVerdicts]:
    """Return what ``run`` has decided about the plan's partitions, of the lives of topics that are replayed.

    An archive has its own record of it.
    """
    if plan.source == FROM_FILES:
        return archived_verdicts(plan)
    lives = {log.tp: log.topic_id for log in plan.logs}
    takeovers: dict[TP, list[tuple[int, int]]] = defaultdict(list)
    future: dict[TP, list[int]] = defaultdict(list)
    revived: dict[TP, dict[bytes, int]] = defaultdict(dict)
    for kind, topic, partition, offset, watermark, topic_id, customer in ledger.fetch("live_verdicts", source=run):
        tp = TP(topic, partition)
        if tp not in lives or topic_id not in {"", lives[tp]}:
            continue
        if kind == "takeover":
            takeovers[tp].append((offset, watermark))
        elif kind == "revived":
            pseudonym = bytes.fromhex(customer)
            revived[tp][pseudonym] = max(offset, revived[tp].get(pseudonym, 0))
        else:
            future[tp].append(offset)
    return {
        tp: ClockVerdicts(takeovers[tp], future[tp], revived[tp])
        for tp in lives
        if takeovers[tp] or future[tp] or revived[tp]
    }


def cut(batch: RecordBatch, verdicts: Mapping[TP, ClockVerdicts]) -> Iterator[RecordBatch]:
    """Yield a batch in pieces, each of which begins where a watermark was taken over; together they are the batch."""
    recorded = verdicts.get(batch.tp)
    cuts = [] if recorded is None else recorded.cuts(batch.offsets)
    if not cuts:
        yield batch
        return
    for start, end in zip([0, *cuts], [*cuts, len(batch)], strict=True):
        yield batch.part(start, end)
