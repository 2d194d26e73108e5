"""What a rule says of single looks: in the hours before a breach began, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.judging import judge
from pipeline.alerts.sayings import always_english
from pipeline.alerts.words import ratio_text, reasons
from pipeline.backtest.looked import ABOVE, BELOW, IMMATURE, OUTCOMES, UNDECIDED, Decisions, decisions_of, judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import BankLevel, Floats, Statistics
    from pipeline.alerts.verdict import Outcome, Verdict
    from pipeline.backtest.history import CampaignHistory
    from pipeline.backtest.looked import Looked
    from pipeline.backtest.past import Past
    from pipeline.backtest.playing import Trial

NEVER_SEEN: Final = always_english("nothing happened within the range", "范围内没有任何事件")


def plain_outcomes(cost: Floats, returned: Floats, rule: AlertRule) -> NDArray[np.int8]:
    """Return the codes of what the ratio so far says: no verdict before the minimum cost, and none without cost."""
    ratio = returned / np.where(cost > 0, cost, 1.0)
    limit = rule.min_return_ratio
    ripe = (cost >= rule.min_cost_minor) & (cost > 0)
    decided = np.select([ratio < limit, ratio >= limit + rule.resolve_margin], [BELOW, ABOVE], UNDECIDED)
    return np.where(ripe, decided, IMMATURE).astype(np.int8)


class Deciding:
    """Answers about looks of one past.

    Args:
        past: where statistics come from.
        libraries: what peers had taught, as `Looked.which` names them.
    """

    def __init__(self, past: Past, libraries: Sequence[PeerLibrary]) -> None:
        self._past = past
        self._libraries = libraries

    def with_bank_levels(self, history: CampaignHistory, looked: Looked, rules: Sequence[AlertRule]) -> None:
        """Judge again, by the bank's own transactions, the looks at which nothing is known of values (as live does)."""
        if self._past.bank_levels is None or not looked.by_rule:
            return
        spent = looked.cost >= min(rule.min_cost_minor for rule in rules)
        rows = np.flatnonzero(looked.by_rule[0].floor_rule & spent)
        levels = [self._level(history, instant) for instant in self._past.grid.instants(looked.steps[rows]).tolist()]
        kept = [place for place, level in enumerate(levels) if level is not None]
        if not kept:
            return
        rows, levels = rows[kept], [levels[place] for place in kept]
        statistics = history.statistics(looked.steps[rows])
        of_rows = [self._libraries[place] for place in looked.which[rows].tolist()]
        again = judged(statistics, of_rows, rules, levels)
        for found, new, rule in zip(looked.by_rule, again, rules, strict=True):
            fits = looked.cost[rows] >= rule.min_cost_minor
            changed = decisions_of([new])
            for name in Decisions._fields:
                getattr(found, name)[rows[fits]] = getattr(changed, name)[fits]

    def _level(self, history: CampaignHistory, instant: int) -> BankLevel | None:
        levels = self._past.bank_levels
        return None if levels is None else levels([history.plan], instant)[0]

    def outcome_then(self, trial: Trial, row: int, instant: int) -> Outcome:
        """Return what a look as of an earlier instant says, by what was known of peers at a row."""
        looked = trial.looked
        step = self._past.grid.step_at(instant)
        if step is not None:
            place = looked.last(step)
            if place >= 0 and looked.steps[place] == step and looked.which[place] == looked.which[row]:
                return OUTCOMES[int(trial.outcome[place])]
        rows = self._rows(trial.history, instant)
        if trial.decisions is None:
            return OUTCOMES[int(plain_outcomes(rows.cost_total, rows.return_all, trial.rule)[0])]
        library = self._libraries[int(looked.which[row])]
        found = decisions_of(judged(rows, [library], [trial.rule]))
        if found.floor_rule[0] and rows.cost_total[0] >= trial.rule.min_cost_minor:
            level = self._level(trial.history, instant)
            if level is not None:
                found = decisions_of(judged(rows, [library], [trial.rule], [level]))
        return OUTCOMES[int(found.outcome[0])]

    def _rows(self, history: CampaignHistory, instant: int) -> Statistics:
        if history.knows(instant):
            return history.statistics_at(np.array([instant], np.int64))
        return self._past.as_of([history.plan], instant)

    def reasons(self, trial: Trial, row: int) -> tuple[str, ...]:
        """Return in words what a look says, the most important first."""
        if row < 0:
            return (NEVER_SEEN,)
        if trial.decisions is None:
            return _plain_reasons(trial, row)
        return reasons(self.verdict(trial, row), trial.rule)

    def verdict(self, trial: Trial, row: int) -> Verdict:
        """Return the whole verdict of a look, as a live look makes it."""
        rows = trial.history.statistics(trial.looked.steps[[row]])
        library = self._libraries[int(trial.looked.which[row])]
        (verdict,) = judge(rows, library, trial.rule)
        is_unknown = any(caveat.code == "no_known_value" for caveat in verdict.caveats)
        if is_unknown and verdict.cost_minor >= trial.rule.min_cost_minor:
            level = self._level(trial.history, verdict.as_of_ms)
            if level is not None:
                (verdict,) = judge(rows, library, trial.rule, level)
        return verdict


def _plain_reasons(trial: Trial, row: int) -> tuple[str, ...]:
    cost, returned = trial.looked.cost[row], trial.looked.returned[row]
    if trial.outcome[row] == IMMATURE:
        spent, least = f"{cost / 100:,.2f}", f"{trial.rule.min_cost_minor / 100:,.2f}"
        english = f"too little spent to judge: {spent} of {least}"
        return (always_english(english, f"支出太少，无法判断：{spent}，至少需 {least}"),)
    required = trial.rule.min_return_ratio
    limit, ratio = ratio_text(required), ratio_text(returned / cost, required)
    is_below = trial.outcome[row] == BELOW
    return (
        always_english(
            f"the ratio so far, {ratio}, is {'below' if is_below else 'not below'} {limit}",
            f"目前收益成本比 {ratio} {'低于' if is_below else '不低于'} {limit}",
        ),
    )
