"""What a backtest has found, by rule and campaign, and as the document that `roi backtest --json` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.money import After, Fate, Money, after, money_of, settled_of
from pipeline.backtest.rules import DECIDING
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.backtest.deciding import Deciding
    from pipeline.backtest.past import Past
    from pipeline.backtest.playing import Episode, Trial
    from pipeline.backtest.rules import TriedRule

_NOTHING = After(0, 0)


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """One campaign under one rule; instants in epoch milliseconds, money in minor units.

    Attributes:
        campaign_id: its name.
        product: whose.
        first_ms: its first touch or cost within what is known.
        limit: the ratio that its rule requires.
        settled_ratio: return per cost in the end; None where not all has come yet, or nothing was spent.
        ratio: return per cost by the last instant that is known; None without cost.
        fired_right: whether it ended below its limit, of one that fired; None where it did not or nobody knows yet.
        episodes: every time that the rule fired, the first one first.
        withheld_steps: steps at which a breach had held and did not fire, for too many of all would be false.
        after: money after the first firing, had it been stopped then.
        reasons: in words, at the first firing; of one that never fired, at the last look.
    """

    campaign_id: str
    product: str
    first_ms: int
    limit: float
    settled_ratio: float | None
    ratio: float | None
    fired_right: bool | None
    episodes: tuple[Episode, ...]
    withheld_steps: int
    after: After
    reasons: tuple[str, ...]

    @property
    def first(self) -> Episode | None:
        """The first firing."""
        return self.episodes[0] if self.episodes else None

    @property
    def fate(self) -> Fate:
        """What counts in money."""
        hours = None if self.first is None else (self.first.fired_ms - self.first_ms) / HOUR_MS
        return Fate(self.limit, self.settled_ratio, self.first is not None, self.after, hours)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        first, fate = self.first, self.fate
        return {
            "campaign_id": self.campaign_id,
            "product": self.product,
            "first_at": instant_text(self.first_ms),
            "min_return_ratio": self.limit,
            "held_from": _text(None if first is None else first.held_from_ms),
            "fired_at": _text(None if first is None else first.fired_ms),
            "resolved_at": _text(None if first is None else first.resolved_ms),
            "hours_to_fire": fate.hours,
            "settled_ratio": self.settled_ratio,
            "ratio_so_far": self.ratio,
            "fired_right": self.fired_right,
            "cost_after_firing_minor": self.after.cost,
            "return_after_firing_minor": self.after.returned,
            "withheld_steps": self.withheld_steps,
            "episodes": [
                {
                    "held_from": _text(one.held_from_ms),
                    "fired_at": _text(one.fired_ms),
                    "resolved_at": _text(one.resolved_ms),
                }
                for one in self.episodes
            ],
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule: the campaigns by name, and all of them in money."""

    rule: TriedRule
    campaigns: tuple[CampaignResult, ...]
    money: Money

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.rule.name,
            "decides_by": "ratio so far" if self.rule.is_plain else "stop rule",
            "settings": {name: getattr(self.rule.settings, name) for name in DECIDING},
            "campaigns": [one.document() for one in self.campaigns],
            "money": self.money._asdict(),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A whole backtest.

    Attributes:
        past: what it went through.
        looks: how many looks were taken, by each rule.
        most_peers: of how many finished campaigns a look knew at most.
        rules: `plain` first, then `default`, then those of files.
        notes: what is to be known about the result, in words.
    """

    past: Past
    looks: int
    most_peers: int
    rules: tuple[RuleResult, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it (contract section 8)."""
        grid = self.past.grid
        return {
            "source": self.past.source,
            "from": instant_text(grid.from_ms),
            "to": instant_text(grid.last_ms),
            "known_until": instant_text(self.past.last_ms),
            "every_minutes": grid.every_ms / 60_000,
            "steps": grid.steps,
            "looks": self.looks,
            "notes": list(self.notes),
            "rules": [rule.document() for rule in self.rules],
        }


def rule_result(rule: TriedRule, campaigns: Sequence[CampaignResult]) -> RuleResult:
    """Return what became of campaigns under a rule, with all of them in money."""
    return RuleResult(rule, tuple(campaigns), money_of(one.fate for one in campaigns))


def campaign_result(trial: Trial, past: Past, deciding: Deciding) -> CampaignResult:
    """Return what became of the trial of a rule."""
    history = trial.history
    settled = settled_of(history, past.last_ms)
    first = trial.episodes[0] if trial.episodes else None
    money, right, row = _NOTHING, None, len(trial.outcome) - 1
    if first is not None:
        row = first.fired_row
        money = after(history, int(trial.looked.steps[row]))
        right = None if settled.ratio is None else settled.ratio < trial.rule.min_return_ratio
    return CampaignResult(
        campaign_id=trial.name,
        product=history.plan.product,
        first_ms=history.first_ms,
        limit=trial.rule.min_return_ratio,
        settled_ratio=settled.ratio,
        ratio=settled.returned / settled.cost if settled.cost > 0 else None,
        fired_right=right,
        episodes=tuple(trial.episodes),
        withheld_steps=trial.withheld,
        after=money,
        reasons=deciding.reasons(trial, row),
    )


def _text(instant: int | None) -> str | None:
    return None if instant is None else instant_text(instant)
