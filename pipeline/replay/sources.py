"""Where a plan's records come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.replay.files import read_profiles
from pipeline.replay.fixed_tables import FixedTables
from pipeline.replay.from_files import open_files
from pipeline.replay.plan import FROM_FILES
from pipeline.replay.topics import TopicSource
from schemas.topics import CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.plan import Plan
    from pipeline.replay.ports import ReplaySource
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy
    from pipeline.transport.ports import TP


def open_source(
    settings: Settings, plan: Plan, part: frozenset[TP], policy: Policy, is_erased: Callable[[bytes], bool]
) -> ReplaySource:
    """Return the source of some of a plan's partitions, not started yet."""
    if plan.source == FROM_FILES:
        return open_files(plan, part, policy, is_erased)
    tables = FixedTables(
        settings,
        {table.tp: table.end for table in plan.tables},
        plan.partition_counts[CUSTOMERS],
        is_erased,
        profiles=read_profiles(Path(plan.customers)) if plan.customers else None,
        without_campaigns=bool(plan.campaigns),
    )
    return TopicSource(
        settings, {log.tp: log.end for log in plan.logs if log.tp in part}, plan.partition_counts, tables
    )


def erased_in(ledger: LedgerPort, policy: Policy) -> Callable[[bytes], bool]:
    """Return what says of a customer's key whether that customer is erased."""
    hashes = {found for (found,) in ledger.fetch("erased_customers")}

    def is_erased(key: bytes) -> bool:
        return bool(hashes) and policy.pseudonym(key.decode(errors="replace")).hex() in hashes

    return is_erased
