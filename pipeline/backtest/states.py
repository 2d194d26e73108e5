"""The alerts of a run that nobody is told of: as they stand by the run's own clock.

A replay sends nothing and nobody decides about it, so its alerts are those of a backtest whose last step is the last
instant that the run knows, an hour from step to step.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.money_at_risk import money_at_risk, spend_per_day
from pipeline.alerts.record import Evidence
from pipeline.alerts.words import reasons
from pipeline.backtest.backtest import play, see
from pipeline.backtest.rules import DEFAULT, TriedRule
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.record import AlertRecord
    from pipeline.backtest.deciding import Deciding
    from pipeline.backtest.past import Past
    from pipeline.backtest.playing import Trial

_NO_BOARD: Final = ""
_SHOWN: Final = (
    *("alert_id", "campaign_id", "state", "opened_at", "changed_at"),
    *("return_ratio", "upper_bound", "matured_share", "money_at_risk_minor"),
)


def alerts_of(
    past: Past, settings: AlertSettings, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> list[AlertRecord]:
    """Return the alert of every campaign after the last step, those with the most money at risk first.

    Args:
        past: of the run, its last step the last instant that it knows.
        settings: of alerts.
        tell: hears how many campaigns have been looked at, of how many.
    """
    rules = [TriedRule(DEFAULT, settings)]
    seen = see(past, rules, history_days=settings.history_days, tell=tell)
    (played,) = play(past, rules, seen)
    found = [
        seen.unjudged.alone(trial.name, partial(_told, trial, trial.record, played.deciding, settings), None)
        for trial in played.trials
        if trial.record is not None
    ]
    told = [one for one in found if one is not None and not seen.unjudged.faults(one.campaign_id)]
    return sorted(told, key=lambda record: (-(record.money_at_risk_minor or 0), record.campaign_id))


def _told(trial: Trial, record: AlertRecord, deciding: Deciding, settings: AlertSettings) -> AlertRecord:
    """Return an alert with what its reader is shown beside its state."""
    row = len(trial.outcome) - 1
    verdict = deciding.verdict(trial, row)
    rows = trial.history.statistics(trial.looked.steps[[row]])
    said = (*record.evidence.reasons, *reasons(verdict, trial.rule, settings.language))
    risk = money_at_risk(trial.history.plan, verdict, trial.rule, spend_per_day(rows))
    return replace(record, verdict=verdict, evidence=Evidence(said, risk))


def row_of(record: AlertRecord) -> dict[str, Any]:
    """Return an alert in the columns of view ``alerts``."""
    data = record.data(_NO_BOARD)
    return {
        **{name: data[name] for name in _SHOWN},
        "decision": None,
        "decided_by": None,
        "reason": "; ".join(data["reasons"]),
        "campaign_name": data["campaign_name"],
        "owner": data["owner"],
        "as_of": instant_text(record.as_of_ms),
        "proposed_by": None,
        "proposal_reason": None,
        "record": record.body(_NO_BOARD),
    }
