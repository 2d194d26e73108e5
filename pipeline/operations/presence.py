"""Who is there: workers, by their group and their claims, and whether the parts of an instance say anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.clickhouse.sql import query
from pipeline.probe import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.clickhouse.reader import Reader
    from pipeline.settings import Settings

_OWNERS: Final = """
    SELECT uniqExact(owner) AS owners
    FROM (SELECT argMax(owner, epoch) AS owner FROM claims WHERE run = 'live' GROUP BY shard)
"""


class WorkersSeen(NamedTuple):
    """Workers that run, as far as it is known, and whether there were some and are none, or who is there instead."""

    number: int
    are_gone: bool = False
    are_claims: bool = False  # the number is of those who have claimed shards last: one of them may have ended
    strangers_in: str = ""  # the consumer group, where those in it are another installation's


def workers_seen(settings: Settings, reader: Reader) -> WorkersSeen:
    """Ask the broker who is in the workers' group; one that is frozen leaves it after some seconds.

    Raises:
        UserError: broker or ClickHouse do not answer, or there are no tables.
    """
    from pipeline.transport.membership import protocol_of
    from pipeline.transport.reading import group_seen

    owners = shard_owners(reader)
    # the embedded broker does not tell a group's members: the claims stand in for them
    group = None if settings.kafka_incarnation else group_seen(settings)
    if group is None:
        return WorkersSeen(owners, are_claims=True)
    if group.members and group.protocol not in {"", protocol_of(_installation(reader, settings.clickhouse_database))}:
        return WorkersSeen(0, strangers_in=settings.kafka_group)
    return WorkersSeen(group.members, are_gone=owners > 0 and group.members == 0)


def _installation(reader: Reader, database: str) -> str:
    return str(reader.lists(query("installation", database))[0][0])


def shard_owners(reader: Reader) -> int:
    """Return how many workers own shards by the latest claims; one that has ended counts until another claims."""
    return int(reader.rows(_OWNERS)[0]["owners"])


def silent_parts(parts: Sequence[Mapping[str, Any]], seconds: float) -> tuple[str, ...]:
    """Return the names of the parts that run, take a question and do not answer it.

    The supervisor finds them too, but says so only of those that stay silent.

    Args:
        parts: as the supervisor writes them.
        seconds: how long an answer may take.
    """
    asked = [part for part in parts if part["is_running"] and part.get("url")]
    if not asked:
        return ()
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda part: ask(part["url"], seconds), asked))
    return tuple(part["name"] for part, answer in zip(asked, answers, strict=True) if answer.is_silent)
