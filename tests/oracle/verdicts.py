"""Which records count: bad, from the future, too late, duplicate or accepted (contract sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from schemas import topics
from tests.oracle.config import MINUTE_MS
from tests.oracle.events import Campaign, Cost, Customer, Login, Touch, Transaction
from tests.oracle.parsing import BadRecordError, read_campaign, read_customer, read_event
from tests.oracle.reversals import match_reversals, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.config import OracleConfig
    from tests.oracle.events import Event
    from tests.oracle.log import Log, Record

Outcome = Literal["accepted", "duplicate", "dead_letter", "pending"]


class Verdict(NamedTuple):
    """What became of a record; ``pending`` is a reversal without an original that may still come."""

    outcome: Outcome
    reason: str = ""


@dataclass(slots=True)
class Judged:
    """A whole log, judged: what counts, and the verdict on every record by (topic, partition, offset)."""

    logins: list[Login] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    reversals: dict[tuple[str, str, int], list[Transaction]] = field(default_factory=dict)
    verdicts: dict[tuple[str, int, int], Verdict] = field(default_factory=dict)


def judge(log: Log, config: OracleConfig) -> Judged:
    """Judge every record.

    ``transactions`` holds originals only; ``reversals`` maps an original's `name_of` to the reversals that
    count.
    """
    judged = Judged()
    places: dict[tuple[str, str, int], Record] = {}
    watermarks: dict[int, int | None] = {}
    for (topic, partition), records in sorted(log.items()):
        if topic in topics.DIMENSION_TOPICS:
            _judge_dimension(records, judged)
            continue
        watermark = _judge_partition(records, config, judged, places)
        if topic == topics.TRANSACTIONS:
            watermarks[partition] = watermark
    _settle_reversals(judged, config, places, watermarks)
    return judged


def _judge_partition(
    records: Sequence[Record], config: OracleConfig, judged: Judged, places: dict[tuple[str, str, int], Record]
) -> int | None:
    watermark: int | None = None
    seen: dict[str, int] = {}
    for record in records:
        place = (record.topic, record.partition, record.offset)
        try:
            event = read_event(record.topic, record.key, record.value, config.currency, config.earliest_ms)
            _check_time(event, watermark, config)
        except BadRecordError as bad:
            judged.verdicts[place] = Verdict("dead_letter", bad.reason)
            continue
        floor = None if watermark is None else watermark - config.lateness_ms
        watermark = event.occurred_at if watermark is None else max(watermark, event.occurred_at)
        if not isinstance(event, Login):
            first = seen.get(event.event_id)
            # a reversal that is in time may name a transaction for longer
            kept_ms = config.reversal_ms if isinstance(event, Transaction) else 0
            if first is not None and floor is not None and first + kept_ms >= floor:
                judged.verdicts[place] = Verdict("duplicate")
                continue
            seen[event.event_id] = event.occurred_at
        judged.verdicts[place] = Verdict("accepted")
        _file(event, judged)
        if isinstance(event, Transaction):
            places[name_of(event)] = record
    return watermark


def _check_time(event: Event, watermark: int | None, config: OracleConfig) -> None:
    if config.now_ms is not None and event.occurred_at > config.now_ms + config.future_minutes * MINUTE_MS:
        raise BadRecordError("from_the_future")
    if watermark is not None and event.occurred_at < watermark - config.lateness_ms:
        raise BadRecordError("too_late")


def _file(event: Event, judged: Judged) -> None:
    if isinstance(event, Login):
        judged.logins.append(event)
    elif isinstance(event, Transaction):
        judged.transactions.append(event)
    elif isinstance(event, Touch):
        judged.touches.append(event)
    else:
        judged.costs.append(event)


def _settle_reversals(
    judged: Judged, config: OracleConfig, places: dict[tuple[str, str, int], Record], watermarks: dict[int, int | None]
) -> None:
    judged.reversals, orphans = match_reversals(judged.transactions, config.reversal_ms)
    judged.transactions = [event for event in judged.transactions if event.reverses is None]
    for orphan in orphans:
        record = places[name_of(orphan)]
        watermark = watermarks[record.partition]
        # from then on an original, which is never younger than its reversal, would be too late
        decided = watermark is not None and watermark - config.lateness_ms > orphan.occurred_at
        verdict = Verdict("dead_letter", "orphan_reversal") if decided else Verdict("pending")
        judged.verdicts[record.topic, record.partition, record.offset] = verdict


def _judge_dimension(records: Sequence[Record], judged: Judged) -> None:
    for record in records:
        place = (record.topic, record.partition, record.offset)
        try:
            _update(record, judged)
        except BadRecordError as bad:
            judged.verdicts[place] = Verdict("dead_letter", bad.reason)
        else:
            judged.verdicts[place] = Verdict("accepted")


def _update(record: Record, judged: Judged) -> None:
    if record.key is None:
        raise BadRecordError("missing_value" if record.value is None else "key_mismatch")
    name = record.key.decode("utf-8", errors="replace")
    if record.topic == topics.CAMPAIGNS:
        if record.value is None:
            judged.campaigns.pop(name, None)
        else:
            judged.campaigns[name] = read_campaign(record.key, record.value)
    elif record.value is None:
        judged.customers.pop(name, None)
    else:
        judged.customers[name] = read_customer(record.key, record.value)
