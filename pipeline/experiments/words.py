"""What an experiment says, in words for those who decide. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.experiments.always_valid import ALPHA, MIN_CUSTOMERS, MIN_NONZERO, standard_errors
from pipeline.experiments.facts import CONVERTED, LOGINS
from pipeline.experiments.verdict import Decision
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from pipeline.experiments.analysis import Analysis, Compared, Result

LABELS: Final = {
    "converted": "conversion",
    "return": "return per customer",
    "aum": "change of AUM per customer",
    "logins": "engaged days per customer",
}
_UNEVEN: Final = 1.25
_MUCH_LEFT_OUT: Final = 0.01
_STALE_MS: Final = DAY_MS


def amount(metric: str, value: float | None, *, sign: bool = False) -> str:
    """Return a mean or a difference of means as people read it: percent, money in whole units, days."""
    if value is None:
        return "unknown"
    plus = "+" if sign else ""
    if metric == CONVERTED:
        return f"{value * 100:{plus}.2f} {'points' if sign else '%'}"
    if metric == LOGINS:
        return f"{value:{plus}.3f}"
    return f"{value / 100:{plus},.2f}"


def chance(p_value: float | None) -> str:
    """Return a p-value as people read it."""
    if p_value is None:
        return "-"
    return "<0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def sentence(analysis: Analysis, result: Result) -> str:
    """Return the verdict of a comparison, and why."""
    one = result.compared
    names = f"{one.variant or 'no variant'} against {analysis.design.control}: {LABELS[one.metric]}"
    return f"{names} {_SAYINGS[result.decision](analysis, result)}"


def _called(analysis: Analysis, result: Result) -> str:
    one = result.compared
    comparisons = len(analysis.results)
    others = f", {chance(result.always_q)} with all {comparisons} comparisons in mind" if comparisons > 1 else ""
    return (
        f"is {'higher' if result.decision is Decision.BETTER else 'lower'} by {_lift(one)} ({_means(one)}). "
        f"The difference is called because the test that may be looked at any day says so "
        f"(p = {chance(one.always.p_value)}{others}): it is wrong in at most {ALPHA:.0%} however often one looks."
    )


def _no_difference(analysis: Analysis, result: Result) -> str:
    one = result.compared
    relevant = f"{analysis.design.relevant_share:.0%} of the control"
    if one.always.high <= (result.outlook.relevant_lift or 0) and -one.always.low <= (
        result.outlook.relevant_lift or 0
    ):
        return f"does not differ by as much as {relevant}: the difference is {_lift(one)} ({_means(one)})."
    return (
        f"shows no difference, and nobody comes any more: it is {_lift(one)} ({_means(one)}). "
        f"An effect within that interval cannot be ruled out."
    )


def _too_early(analysis: Analysis, result: Result) -> str:
    one, outlook = result.compared, result.outlook
    if not one.always.is_known:
        ended = min(one.ended.customers, one.ended_control.customers)
        found = one.ended.nonzero + one.ended_control.nonzero
        return (
            f"cannot be told yet: it takes {MIN_CUSTOMERS} customers of each variant with their window over "
            f"(now {ended:,}) and {MIN_NONZERO} with an outcome (now {found:,}){_shorter(analysis)}"
        )
    wait = "more customers are needed than are assigned now"
    if outlook.days is not None:
        more = f"that takes about {outlook.days:,} days more"
        wait = "today's customers would show it" if outlook.days == 0 else more
    relevant = (
        f" A lift of {amount(one.metric, outlook.relevant_lift, sign=True)} "
        f"({analysis.design.relevant_share:.0%} of the control) would be shown with a chance of 80 % by "
        f"{outlook.customers_needed:,} customers; {wait}."
        if outlook.customers_needed
        else ""
    )
    return (
        f"is not decided: the difference is {_lift(one)} ({_means(one)}), which chance may explain "
        f"(p = {chance(one.always.p_value)} by the test that may be looked at any day).{relevant}"
    )


def _invalid(analysis: Analysis, result: Result) -> str:
    del result
    return f"cannot be compared: {mismatch(analysis)}"


def mismatch(analysis: Analysis) -> str:
    """Return what is wrong with the sample ratio, and what to do."""
    ratio = analysis.sample_ratio
    total = sum(ratio.counts.values())
    shares = ", ".join(
        f"{name or 'no variant'} {ratio.counts.get(name, 0):,} of {total:,} ({ratio.counts.get(name, 0) / total:.2%}, "
        f"planned {share:.2%})"
        for name, share in ratio.planned.items()
    )
    return (
        f"the variants did not get their planned shares of customers ({shares}; p = {chance(ratio.p_value)}), so "
        f"something else than the variant tells them apart. Find what loses or adds customers (a filter after the "
        f"assignment, a sender that fails), or correct variant_shares of the definition."
    )


_SAYINGS: Final = {
    Decision.BETTER: _called,
    Decision.WORSE: _called,
    Decision.NO_DIFFERENCE: _no_difference,
    Decision.TOO_EARLY: _too_early,
    Decision.INVALID: _invalid,
}


def _lift(one: Compared) -> str:
    low, high = (amount(one.metric, bound, sign=True) for bound in (one.always.low, one.always.high))
    return f"{amount(one.metric, one.ended_lift.lift, sign=True)} (between {low} and {high})"


def _means(one: Compared) -> str:
    return f"{amount(one.metric, one.ended.mean)} against {amount(one.metric, one.ended_control.mean)}"


def _shorter(analysis: Analysis) -> str:
    still_open = analysis.customers - analysis.ended
    if not still_open:
        return "."
    return f". {still_open:,} windows are still open; --horizon-days judges by a shorter one."


def caveats(analysis: Analysis, result: Result) -> list[str]:
    """Return what to bear in mind about a comparison."""
    one, facts = result.compared, analysis.facts
    found = []
    if not facts.by_assignment:
        found.append(
            "nobody was assigned: variants are those of the first contact, and whoever is easier to reach is contacted "
            "first. The difference may be one between customers"
        )
    if facts.left_out > _MUCH_LEFT_OUT * (analysis.customers + facts.left_out):
        found.append(f"{facts.left_out:,} customers were assigned to two variants and are left out")
    still_open = analysis.customers - analysis.ended
    if still_open:
        found.append(f"{still_open:,} of {analysis.customers:,} windows are open: the decision rests on the others")
    known_until = facts.logins_until_ms if one.metric == LOGINS else facts.transactions_until_ms
    if known_until < facts.as_of_ms - _STALE_MS:
        until = f"outcomes are known until {_moment(known_until)}" if known_until else "no outcome is known at all"
        found.append(f"{until}, other events until {_moment(facts.as_of_ms)}: what came after is not in yet")
    if one.always.is_known and is_uneven(one):
        found.append(
            "few customers carry most of the difference, and the arms are of different sizes: the 95 % interval and "
            "the p-value of one look are too sure. The decision allows for it"
        )
    if (
        result.tiers.difference_p is not None
        and result.tiers.difference_p < ALPHA
        and result.decision is not Decision.INVALID
    ):
        found.append(f"the effect differs between tiers (p = {chance(result.tiers.difference_p)} at one look)")
    return found


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def is_uneven(one: Compared) -> bool:
    """Tell whether the two standard errors of a comparison say different things."""
    by_arm, pooled = standard_errors(one.ended, one.ended_control)
    return max(by_arm, pooled) > _UNEVEN * min(by_arm, pooled)
