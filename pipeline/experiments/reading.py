"""An experiment's facts from the ledger: everything is summed up in ClickHouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pipeline.errors import UserError
from pipeline.experiments.facts import METRICS, RETURN, ArmDay, Attributed, ExperimentFacts
from pipeline.experiments.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.ledger.ledger import QueryPort
    from pipeline.state.campaign_registry import CampaignRules

_EPOCH: Final = date(1970, 1, 1).toordinal()
_ANY_RUN: Final = "roi runs list names the runs, roi forecast the campaigns that have events"


@dataclass(frozen=True, slots=True)
class Question:
    """Which experiment.

    Attributes:
        campaign_id: the campaign.
        rules: its goal and margins, as the run counts by them.
        window_ms: how long after the assignment outcomes count.
        end_ms: the run knows nothing of this instant and later, though its clock has gone on; None = it knows all.
        counted: which events the run counts, in words; '' = all.
    """

    campaign_id: str
    rules: CampaignRules
    window_ms: int
    end_ms: int | None = None
    counted: str = ""


def read_experiment(port: QueryPort, run: str, question: Question) -> ExperimentFacts:
    """Return what had happened by the run's clock.

    Raises:
        UserError: there is no such run, no touch of the campaign in it, or nobody who is in a variant.
    """
    campaign = question.campaign_id
    as_of, transactions_until, logins_until, zone = _clock(port, run, question.end_ms)
    touches, assignments, first_at, last_at = port.fetch("experiment_touches", campaign=campaign)[0]
    if not touches:
        remedy = f"{_ANY_RUN}; another range is another run (roi replay)" if question.counted else _ANY_RUN
        raise UserError(f"campaign {campaign!r} has no touch in run {run!r}{question.counted}", remedy)
    window, by_assignment = question.window_ms, assignments > 0
    first_day, last_day = (_day(at, zone) for at in (first_at - window, last_at + window))
    margins = question.rules.margins_bps
    rows = port.fetch(
        "experiment_sums",
        campaign=campaign,
        by_assignment=int(by_assignment),
        window=window,
        first_at=first_at,
        last_at=last_at,
        first_day=first_day - 2,  # the days before are counted back from the assignment's, as many as the window has
        last_day=last_day,
        zone=zone,
        as_of=as_of,
        margin_kinds=list(margins),
        margins_bps=list(margins.values()),
        **_goal(question.rules),
    )
    days = [(_arm_day(row), row[_IN_TWO]) for row in rows]
    return ExperimentFacts(
        by_assignment=by_assignment,
        as_of_ms=as_of,
        today=_day(as_of, zone),
        transactions_until_ms=transactions_until,
        logins_until_ms=logins_until,
        window_ms=window,
        days=[day for day, in_two in days if not in_two],
        left_out=sum(day.spending.customers for day, in_two in days if in_two),
        event_costs={variant: int(cost) for variant, cost in port.fetch("experiment_costs", campaign=campaign)},
        attributed={
            variant: Attributed(int(returned), int(cost))
            for variant, returned, cost, _ in port.fetch("experiment_attributed", campaign=campaign)
        },
    )


def _clock(port: QueryPort, run: str, end_ms: int | None) -> tuple[int, int, int, str]:
    *instants, zone = port.fetch("experiment_clock")[0]
    if not zone:
        raise UserError(f"there is no run {run!r}", _ANY_RUN)
    as_of, transactions_until, logins_until = (each if end_ms is None else min(each, end_ms) for each in instants)
    return as_of, transactions_until, logins_until, zone


def _goal(rules: CampaignRules) -> dict[str, Any]:
    return {
        "any_kind": int(rules.kinds is None),
        "kinds": sorted(rules.kinds or ()),
        "any_product": int(rules.products is None),
        "products": sorted(rules.products or ()),
        "least_amount": rules.min_amount_minor,
    }


_IN_TWO: Final = 2


def _arm_day(row: Sequence[Any]) -> ArmDay:
    variant, tier, _, assigned_day, end_day, is_over, customers, nonzero, y, yy, x, xx, xy, *spent = row
    columns = [[int(value) for value in column] for column in (y, yy, x, xx, xy)]
    outcomes = {
        metric: Moments(customers, nonzero[place], *(column[place] for column in columns))
        for place, metric in enumerate(METRICS)
    }
    returns, (cost, squares, products) = outcomes[RETURN], map(int, spent)
    spending = Moments(customers, returns.nonzero, returns.y, returns.yy, cost, squares, products)
    return ArmDay(variant, tier, assigned_day, end_day, bool(is_over), outcomes, spending)


def _day(at_ms: int, zone: str) -> int:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    return moment.date().toordinal() - _EPOCH
