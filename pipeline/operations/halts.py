"""Halted topics and faults of logs, as commands tell them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.clickhouse.reader import Reader
    from pipeline.settings import Settings

RECREATED: Final = "recreated"
_HALTED: Final = """
    SELECT topic, kind, cause, remedy, toString(halted_at) AS halted_at
    FROM halted_topics WHERE run = 'live' ORDER BY topic
"""
_LOG_FAULTS: Final = """
    SELECT topic, fault, count() AS partitions, toString(max(found_at)) AS last_found_at,
           sum(greatest(next_offset - log_end, 0)) AS lost_by_broker,
           sum(greatest(log_start - next_offset, 0)) AS deleted_unread
    FROM log_faults WHERE run = 'live' AND found_at > now() - INTERVAL 1 DAY
    GROUP BY topic, fault ORDER BY topic, fault
"""


@dataclass(frozen=True, slots=True)
class Halted:
    """A topic that no worker reads until it is resumed."""

    topic: str
    kind: str
    cause: str
    remedy: str
    halted_at: str

    def __str__(self) -> str:
        return f"{self.topic} is halted since {self.halted_at} UTC: {self.cause}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class LogFault:
    """What the workers found wrong with a topic's logs within the last day."""

    topic: str
    fault: str
    partitions: int
    last_found_at: str
    lost_by_broker: int
    deleted_unread: int

    def __str__(self) -> str:
        where = f"{self.topic} ({self.partitions} partitions, last at {self.last_found_at} UTC)"
        if self.fault == RECREATED:
            return f"{where} was recreated: it was read from its beginning"
        if self.fault == "cut_short":
            return (
                f"{where} was read beyond its end: the broker has lost {self.lost_by_broker:,} records; reading goes "
                "on at the end, send again what is missing"
            )
        return f"{where} lost {self.deleted_unread:,} records before they were read; lengthen the topic's retention"


def halted(reader: Reader) -> list[Halted]:
    """Return the topics that are halted now, each with its first cause and the remedy."""
    return [Halted(**row) for row in reader.rows(_HALTED)]


def log_faults(reader: Reader, settings: Settings) -> list[LogFault]:
    """Return what was wrong with the logs within the last day.

    A memory-only broker begins its topics anew with every start: there that is no fault.
    """
    found = [LogFault(**row) for row in reader.rows(_LOG_FAULTS)]
    return [fault for fault in found if fault.fault != RECREATED or not settings.kafka_incarnation]


def resume(settings: Settings, topic: str, *, skip_bad: bool) -> list[Halted]:
    """Let the workers read a halted topic on; return what had halted it.

    Args:
        settings: ClickHouse, with the writer's login.
        topic: an event topic.
        skip_bad: bad events go on to the dead letters, without halting it again, until a good stretch has been read.

    Raises:
        UserError: the topic is not halted, or ClickHouse refuses.
    """
    from pipeline.clickhouse.connection import connect
    from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError

    client = connect(settings, "writer")
    try:
        ledger = ClickHouseLedger(client, settings.clickhouse_database, "live", "")
        rows: list[list[Any]] = ledger.fetch("load_halts")
        found = [
            Halted(name, kind, cause, remedy, "")
            for name, kind, cause, remedy, is_resumed in rows
            if not is_resumed and name == topic
        ]
        if not found:
            raise UserError(f"{topic} is not halted", "see which topics are: roi status")
        ledger.execute("resume_topic", topic=topic, skip_bad=skip_bad)
    except LedgerUnavailableError as error:
        raise UserError(
            f"ClickHouse did not take it ({error})", "look at it with roi doctor, then try again"
        ) from error
    finally:
        client.close()
    return found
