"""A run's ledger as a past, by its name and an installation's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.alerts.facts import LedgerFacts
from pipeline.backtest.ledger import past_of_run
from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError
from pipeline.ledger.ledger import other_settings
from pipeline.policies import describe_policy, policy_of

if TYPE_CHECKING:
    from pipeline.backtest.past import Past, Range
    from pipeline.settings import Settings


def open_run(settings: Settings, run: str, span: Range) -> Past:
    """Return a run as a past, read with the reader's rights.

    Raises:
        UserError: there is no such run, it was counted under other settings, or the range is outside of it; ClickHouse
            does not answer.
        LedgerUnavailableError: ClickHouse has gone meanwhile.
    """
    port = LedgerFacts(connect(settings, "reader"), settings.clickhouse_database, run)
    policy = policy_of(settings)
    known = port.fetch("load_run")
    if not known:
        names = ", ".join(name for (name,) in port.fetch("run_names")) or "none yet"
        raise UserError(f"there is no run {run!r}", f"runs there are: {names}")
    for _, then, rules in known:
        if rules and rules != policy.rules():
            raise other_settings(run, then, describe_policy(settings))
    return past_of_run(port, policy, span, f"run {run}")
