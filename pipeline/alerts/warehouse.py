"""A warehouse's export of costs and credits, as facts of campaigns: no topic and no ledger needed.

Two files, each NDJSON (plain or gzip) or Parquet, told by their content:

    costs    campaign_id, product, at, cost_minor                                one line a cost
    credits  campaign_id, customer, touched_at, converted_at, return_minor       one line a transaction

A reversal is a further line of the credits with a negative ``return_minor``, the original's customer and touched_at,
and the time of the reversal as converted_at. Instants are RFC 3339 with an offset, or a Parquet timestamp (UTC without
a zone). An export has no touches: a line of cost stands for one, at its own hour, and its amount for its weight.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.alerts.amounts import summed
from pipeline.alerts.assembly import CampaignFacts, assemble
from pipeline.alerts.conversions import CHANGES, NEVER, as_of
from pipeline.alerts.export_lines import CostLine, CreditLine, Plausible, read_lines
from pipeline.alerts.finished import FEWEST_CONVERTERS, HISTORY_DAYS, QUARTER_MS, finished_of, has_settled
from pipeline.alerts.plans import CampaignPlan
from pipeline.alerts.reading import set_conversions
from pipeline.alerts.statistics import HOUR_MS
from pipeline.errors import UserError
from pipeline.state.calendar import DAY_MS
from pipeline.state.campaign_registry import CampaignRules
from schemas.common import DEFAULT_EARLIEST_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.statistics import FinishedCampaign, Integers, Statistics
    from pipeline.state.policy import Policy

_MEND: Final = "correct the export; nothing was read"
_AHEAD_MS: Final = 366 * DAY_MS  # what is booked ahead is no mistake, another century is
_Key = tuple[str, str, int]  # campaign, customer, touched at


class _Original(NamedTuple):
    """A transaction of the export with what is left of it."""

    line: CreditLine
    left: list[int]  # one number, which reversals lower
    eaten_at: list[int]  # at most one


@dataclass(slots=True)
class Warehouse:
    """An export in memory.

    Attributes:
        plans: the campaigns, by name; those without definition have the widest window that their product needed.
        costs: instants and amounts of each campaign, ascending.
        changes: every conversion and reversal; a row is a place in ``plans``.
        policy: whose business day counts.
    """

    plans: dict[str, CampaignPlan]
    costs: dict[str, tuple[Integers, Integers]]
    changes: Changes
    policy: Policy = field(repr=False)

    def instants(self) -> tuple[int, int]:
        """Return the first and the last instant that anything happened at."""
        moments = [self.changes["at"], *(at for at, _ in self.costs.values())]
        return min(int(each.min()) for each in moments if len(each)), max(
            int(each.max()) for each in moments if len(each)
        )

    def statistics(self, names: Sequence[str], as_of_ms: int, *, ages: int | None = None) -> Statistics:
        """Return campaigns' statistics as of an instant, one row each, in their order."""
        every = self._facts(HOUR_MS, as_of_ms)
        set_conversions(every, as_of(self.changes, as_of_ms), as_of_ms)
        by_name = dict(zip(self.plans, every, strict=True))
        chosen = [by_name[name] for name in names]
        for one in chosen:  # cost stands where the export says
            one.cost_hours, one.cost = one.hours, one.touch_cost.astype(np.float64)
        return assemble(chosen, [as_of_ms] * len(chosen), ZoneInfo(self.policy.zone), ages=ages)

    def finished(
        self, as_of_ms: int, *, history_days: float = HISTORY_DAYS, fewest: int = FEWEST_CONVERTERS
    ) -> list[FinishedCampaign]:
        """Return the campaigns that are over as of an instant and have something to teach, by name."""
        facts = self._facts(QUARTER_MS, as_of_ms)
        taught = finished_of(facts, self.changes, as_of_ms, self.policy.calendar())
        occurred = as_of(self.changes, as_of_ms)
        last = np.full(len(facts), -NEVER)
        np.maximum.at(last, occurred["row"], occurred["touched_at"])
        return [
            one
            for (plan, touched_at), one in zip(
                zip(self.plans.values(), last.tolist(), strict=True), taught, strict=True
            )
            if one.touches.sum() > 0
            and has_settled(plan, max(one.ended_at_ms - plan.window_ms, touched_at), as_of_ms)
            and one.ended_at_ms >= as_of_ms - history_days * DAY_MS
            and one.converters.sum() >= fewest
        ]

    def _facts(self, slot_ms: int, as_of_ms: int) -> list[CampaignFacts]:
        facts: list[CampaignFacts] = []
        for name, plan in self.plans.items():
            at, cost = self.costs[name]
            slots, place = np.unique(at[at <= as_of_ms] // slot_ms, return_inverse=True)
            amounts = summed(place, cost[: len(place)], len(slots))
            lines = np.bincount(place, minlength=len(slots)).astype(np.int64)
            weights = lines if slot_ms == HOUR_MS else np.maximum(amounts, 0)
            facts.append(CampaignFacts(plan, slots, weights, amounts))
        return facts


def read_warehouse(
    costs: Path,
    credits_file: Path,
    policy: Policy,
    plans: Mapping[str, CampaignPlan] | None = None,
    *,
    now_ms: int | None = None,
) -> Warehouse:
    """Read an export.

    Args:
        costs: the file of costs.
        credits_file: the file of credits.
        policy: whose business day and earliest time count, and whose window is the least without a definition.
        plans: definitions that are known, by name; they go before the export's products.
        now_ms: no line may be far ahead of it; None: any may.

    Raises:
        UserError: a file cannot be read, or a line is not what it should be; the message has file and line.
    """
    earliest_ms = DEFAULT_EARLIEST_MS if policy.earliest_ms is None else policy.earliest_ms
    plausible = Plausible(earliest_ms, None if now_ms is None else now_ms + _AHEAD_MS)
    spent: dict[str, list[CostLine]] = defaultdict(list)
    for cost in read_lines(costs, CostLine, plausible):
        known = spent[cost.campaign_id]
        if known and known[0].product != cost.product:
            raise UserError(
                f"{costs}:{cost.line}: campaign {cost.campaign_id} has product {cost.product!r},"
                f" in line {known[0].line} {known[0].product!r}",
                _MEND,
            )
        known.append(cost)
    returned = list(read_lines(credits_file, CreditLine, plausible))
    for credit in returned:
        if credit.campaign_id not in spent:
            raise UserError(
                f"{credits_file}:{credit.line}: campaign {credit.campaign_id} has no line in {costs}", _MEND
            )
        if credit.converted_at < credit.touched_at:
            raise UserError(f"{credits_file}:{credit.line}: converted_at is before touched_at", _MEND)
    products = {name: lines[0].product for name, lines in spent.items()}
    found = _plans(products, returned, policy, plans or {})
    moments: dict[str, tuple[Integers, Integers]] = {}
    for name, lines in spent.items():
        lines.sort(key=lambda line: line.at)
        moments[name] = (
            np.array([line.at for line in lines], np.int64),
            np.array([line.cost_minor for line in lines], np.int64),
        )
    return Warehouse(
        found, moments, _changes(credits_file, returned, {name: place for place, name in enumerate(found)}), policy
    )


def _plans(
    products: Mapping[str, str], returned: Sequence[CreditLine], policy: Policy, plans: Mapping[str, CampaignPlan]
) -> dict[str, CampaignPlan]:
    longest: dict[str, int] = defaultdict(lambda: policy.window_ms)
    for credit in returned:
        if credit.return_minor >= 0:
            product = products[credit.campaign_id]
            lag_ms = credit.converted_at - credit.touched_at
            longest[product] = max(longest[product], -(-lag_ms // DAY_MS) * DAY_MS)
    found: dict[str, CampaignPlan] = {}
    for name, product in sorted(products.items()):
        rules = CampaignRules(longest[product], None, None, 0, {}, "")
        known = plans.get(name)
        if known is None:
            found[name] = CampaignPlan(name, product, (product,), None, rules)
        else:
            found[name] = CampaignPlan(
                name, known.product, (known.product,), known.ends_at_ms, known.rules, known.definition
            )
    return found


def _changes(file: Path, returned: Sequence[CreditLine], places: Mapping[str, int]) -> Changes:
    originals: dict[_Key, list[_Original]] = defaultdict(list)
    in_order = sorted(returned, key=lambda line: (line.converted_at, line.return_minor < 0, line.line))
    for line in in_order:
        if line.return_minor >= 0:
            originals[line.campaign_id, line.customer, line.touched_at].append(_Original(line, [line.return_minor], []))
    rows: list[tuple[int, ...]] = []
    for line in in_order:
        if line.return_minor < 0:
            original = _reversed_by(file, line, originals[line.campaign_id, line.customer, line.touched_at])
            at = line.converted_at, original.converted_at, line.touched_at
            rows.append((places[line.campaign_id], *_pseudonym(line.customer), *at, line.return_minor, 0, 0, NEVER))
    for known in originals.values():
        for one, _, eaten_at in known:
            at = one.converted_at, one.converted_at, one.touched_at
            who = places[one.campaign_id], *_pseudonym(one.customer)
            rows.append((*who, *at, one.return_minor, 0, 1, eaten_at[0] if eaten_at else NEVER))
    return np.array(rows, CHANGES)


def _reversed_by(file: Path, line: CreditLine, originals: Sequence[_Original]) -> CreditLine:
    """Take a reversal off the first transaction before it that is large enough still."""
    for one, left, eaten_at in originals:
        if one.converted_at <= line.converted_at and left[0] >= -line.return_minor:
            left[0] += line.return_minor
            if left[0] == 0:
                eaten_at.append(line.converted_at)
            return one
    raise UserError(
        f"{file}:{line.line}: a reversal of {-line.return_minor} without a transaction that it could reverse"
        " (same campaign, customer and touched_at, no later, and as much left)",
        _MEND,
    )


def _pseudonym(customer: str) -> tuple[int, int]:
    digest = hashlib.blake2b(customer.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
