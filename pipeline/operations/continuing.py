"""Whether the ledger can go on under today's settings: asked before anything is made, halted or started."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from pipeline.clickhouse.codes import ACCESS_DENIED, UNMADE, has_code
from pipeline.errors import UserError
from schemas.topics import CUSTOMER_KEYED_TOPICS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline.settings import Settings

_LIVE: Final = "live"  # as the ledger calls it, which takes long to import


def counted_partitions(settings: Settings) -> dict[str, int]:
    """Return how many partitions of each topic the live run counts with; nothing is known of a new database.

    Raises:
        UserError: ClickHouse does not answer, or the writer has no rights on the database.
        PipelineError: it does not tell, with its words.
    """
    from pipeline.clickhouse.connection import connect
    from pipeline.clickhouse.migrations import without_rights
    from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError

    with closing(connect(settings, "writer")) as client:
        try:
            rows = ClickHouseLedger(client, settings.clickhouse_database, _LIVE, "").fetch("load_partition_counts")
        except LedgerUnavailableError as error:
            if has_code(error, *UNMADE):
                return {}
            if has_code(error, ACCESS_DENIED):
                raise without_rights(settings) from error
            raise
    return {str(topic): int(partitions) for topic, partitions in rows}


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


def check_settings(settings: Settings) -> bool | None:
    """Return if the live run can go on under these settings, as far as can be told now: whether it has been begun.

    None: ClickHouse does not tell; the parts that need it say so. Without a pseudonym key, as where no worker is
    started, the key is not compared.

    Raises:
        UserError: it was begun under others: worker and evaluator would end with this line again and again.
    """
    from pipeline.policies import describe_policy, policy_of

    policy = policy_of(settings)
    begun = _begun(settings)
    if begun is None:
        return None
    for fingerprint, then, rules in begun:
        has_key = bool(policy.pseudonym_key)
        if fingerprint != policy.fingerprint() if has_key else rules not in {"", policy.rules()}:
            from pipeline.ledger.ledger import other_settings  # 0.2 s, which a start that goes on does not pay

            raise other_settings(_LIVE, then, describe_policy(settings))
    return bool(begun)


def _begun(settings: Settings) -> list[list[str]] | None:
    """Return fingerprint, settings and rules of the live run if it has been begun; None where nobody tells."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.observing import QUESTION_SECONDS
    from pipeline.operations.runs import load_run

    try:
        return load_run(Reader(settings, timeout_seconds=QUESTION_SECONDS), settings.clickhouse_database, _LIVE)
    except UserError as error:
        return [] if has_code(error, *UNMADE) else None
