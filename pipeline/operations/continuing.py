"""Whether the ledger can go on under today's settings: asked before anything is made, halted or started."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError, UserError
from schemas.topics import CUSTOMER_KEYED_TOPICS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline.settings import Settings


def counted_partitions(settings: Settings) -> dict[str, int]:
    """Return how many partitions of each topic the live run counts with; nothing is known of a new database.

    Nor where ClickHouse does not answer: whoever needs it next tells that.
    """
    from pipeline.clickhouse.connection import connect
    from pipeline.ledger.ledger import ClickHouseLedger
    from pipeline.ledger.rows import LIVE

    with suppress(PipelineError), closing(connect(settings, "writer")) as client:
        rows = ClickHouseLedger(client, settings.clickhouse_database, LIVE, "").fetch("load_partition_counts")
        return {str(topic): int(partitions) for topic, partitions in rows}
    return {}


def check_new_topics(existing: Collection[str], counted: Mapping[str, int], partitions: int) -> None:
    """Return if no topic that is to be made gets another number of partitions than the ledger counts with.

    Args:
        existing: topics that are there; missing customer-keyed ones get as many partitions as these.
        counted: the ledger's numbers.
        partitions: of the other new topics, the setting.

    Raises:
        UserError: one would; workers would halt it, and it would stay halted under the former number, too.
    """
    has_kin = any(topic in existing for topic in CUSTOMER_KEYED_TOPICS)
    for topic, known in counted.items():
        follows_kin = has_kin and topic in CUSTOMER_KEYED_TOPICS
        if topic not in existing and not follows_kin and known != partitions:
            raise UserError(
                f"{topic} would be made with {partitions} partitions, and the ledger counts with {known}",
                f"set ROI_KAFKA_PARTITIONS={known}, or count on with another number (docs/growing.md)",
            )
