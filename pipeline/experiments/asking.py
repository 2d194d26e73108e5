"""From a campaign's name to its analysis: what was planned, by what rules the run counts, and which window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.experiments.analysis import Analysis, Design, analyse
from pipeline.experiments.facts import METRICS
from pipeline.experiments.reading import Question, read_experiment
from pipeline.ledger.run_policy import policy_of_run
from pipeline.policies import policy_of, rules_of
from pipeline.replay.plan import range_text
from pipeline.replay.record import load_record
from pipeline.state.calendar import whole_milliseconds
from pipeline.state.campaign_registry import default_rules
from schemas.decode import decode_campaign
from schemas.instants import to_epoch_milliseconds
from schemas.judge import RejectedError

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort
    from pipeline.settings import Settings
    from schemas import Campaign


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know.

    Attributes:
        campaign_id: of which campaign.
        run: of which run.
        metrics: which outcomes.
        control: None = the definition's.
        horizon_days: length of the outcome window; None = the campaign's attribution window.
    """

    campaign_id: str
    run: str = "live"
    metrics: tuple[str, ...] = METRICS
    control: str | None = None
    horizon_days: float | None = None


def analysis_of(port: LedgerPort, settings: Settings, asked: Asked) -> Analysis:
    """Return a campaign's analysis as of the run's clock.

    Args:
        port: the run's ledger.
        settings: the installation's.
        asked: the question.

    Raises:
        UserError: there is no such run, campaign or control, or nothing to compare.
    """
    record = load_record(port)
    policy = policy_of_run(port, policy_of(settings))
    definition = definition_of(port, asked.campaign_id)
    rules = rules_of(definition, policy) or default_rules(policy)
    window_ms = rules.window_ms if asked.horizon_days is None else whole_milliseconds(asked.horizon_days)
    end_ms, counted = (None, "") if record is None else (record.plan.end_ms, range_text(record.plan))
    facts = read_experiment(port, asked.run, Question(asked.campaign_id, rules, window_ms, end_ms, counted))
    ends_at = None if definition is None else definition.ends_at
    return analyse(
        facts,
        Design(
            control=rules.control_variant if asked.control is None else asked.control,
            shares=None if definition is None else definition.variant_shares,
            ends_at_ms=None if ends_at is None else to_epoch_milliseconds(ends_at),
            metrics=asked.metrics,
            relevant_share=settings.experiments.relevant_lift,
        ),
    )


def definition_of(port: LedgerPort, campaign_id: str) -> Campaign | None:
    """Return the definition that a run counts by; one that this version does not understand counts as none."""
    for row in port.fetch("experiment_definition", campaign=campaign_id):
        return _decoded(campaign_id, row)
    return None


def _decoded(campaign_id: str, row: list[Any]) -> Campaign | None:
    try:
        return decode_campaign(campaign_id.encode(), str(row[0]).encode())
    except RejectedError:
        return None


def planned_weights(port: LedgerPort, campaign_id: str) -> tuple[dict[str, float], str]:
    """Return the weights of a campaign's variants and the name of its control.

    Raises:
        UserError: its definition names none.
    """
    definition = definition_of(port, campaign_id)
    if definition is None or definition.variant_shares is None:
        raise UserError(
            f"campaign {campaign_id!r} has no variant_shares in its definition",
            "give --shares control=0.1,A=0.9, or define them (roi campaigns apply)",
        )
    return dict(definition.variant_shares), definition.control_variant
