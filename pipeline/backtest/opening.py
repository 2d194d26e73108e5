"""A run's ledger as a past, by its name and an installation's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.alerts.facts import LedgerFacts
from pipeline.backtest.ledger import past_of_run
from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError
from pipeline.ledger.ledger import ClickHouseLedger, expect_joined_credits
from pipeline.ledger.rows import LIVE
from pipeline.ledger.run_policy import policy_of_run
from pipeline.policies import policy_of
from pipeline.replay.beginning import policy_for
from pipeline.replay.plan import range_text
from pipeline.replay.record import State, load_record
from pipeline.replay.what_if import settings_with

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.backtest.past import Past, Range
    from pipeline.settings import Settings


def open_run(settings: Settings, run: str, span: Range, data: Path | None = None, holds: Iterable[float] = ()) -> Past:
    """Return a run as a past, read with the reader's rights.

    A run's past is counted, and its campaigns are defined, as the run was begun.

    Args:
        settings: the installation's.
        run: its name.
        span: what is looked at.
        data: the directory of the instance, where the settings are of one.
        holds: minutes that breaches must hold for by rules to be tried beside that of the settings.

    Raises:
        UserError: there is no such run, its record does not say how it counts, the range is outside of it, or the
            tables are too old for its models; ClickHouse does not answer.
        LedgerUnavailableError: ClickHouse has gone meanwhile.
    """
    client, database = connect(settings, "reader"), settings.clickhouse_database
    port = LedgerFacts(client, database, run)
    if not port.fetch("load_run"):
        names = ", ".join(name for (name,) in port.fetch("run_names")) or "none yet"
        raise UserError(f"there is no run {run!r}", f"runs there are: {names}")
    policy, source, end_ms = policy_of(settings), f"run {run}", None
    record = None if run == LIVE else load_record(ClickHouseLedger(client, database, run, ""))
    if record is not None:
        policy = policy_for(settings_with(record.plan.overrides, data), record.plan)
        end_ms = record.plan.end_ms
        source += "" if record.state == State.COMPLETE else f" ({record.state}, not complete)"
        source += range_text(record.plan)
    policy = policy_of_run(port, policy)
    expect_joined_credits(port, policy)
    return past_of_run(port, policy, span, source, holds=(settings.alerts.hold_minutes, *holds), end_ms=end_ms)
