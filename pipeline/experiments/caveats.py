"""What to bear in mind about a comparison, in words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.alerts.sayings import Saying, always_english
from pipeline.experiments.always_valid import ALPHA, standard_errors
from pipeline.experiments.facts import LOGINS
from pipeline.experiments.verdict import Decision
from pipeline.experiments.words import chance
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from pipeline.experiments.analysis import Analysis, Compared, Result

_UNEVEN: Final = 1.25
_MUCH_LEFT_OUT: Final = 0.01
_STALE_MS: Final = DAY_MS


def caveats(analysis: Analysis, result: Result) -> list[Saying]:
    """Return what to bear in mind about a comparison."""
    one, p_value = result.compared, result.tiers.difference_p
    found = [*_of_customers(analysis), *_of_lateness(analysis, one)]
    if one.always.is_known and is_uneven(one):
        found.append(
            always_english(
                "few customers carry most of the difference, and the arms are of different sizes: the 95 % interval "
                "and the p-value of one look are too sure. The decision allows for it",
                "差异主要来自少数客户，且两组大小不同：单次查看的 95 % 区间与 p 值过于乐观。结论已考虑这一点",
            )
        )
    if p_value is not None and p_value < ALPHA and result.decision is not Decision.INVALID:
        found.append(
            always_english(
                f"the effect differs between tiers (p = {chance(p_value)} at one look)",
                f"各客户层级的效果不同（单次查看 p = {chance(p_value)}）",
            )
        )
    return found


def _of_customers(analysis: Analysis) -> list[Saying]:
    facts, found = analysis.facts, []
    if not facts.by_assignment:
        found.append(
            always_english(
                "nobody was assigned: variants are those of the first contact, and whoever is easier to reach is "
                "contacted first. The difference may be one between customers",
                "没有随机分组：版本取自首次触达，而更易触达的客户会先被触达，差异可能来自客户本身",
            )
        )
    if facts.left_out > _MUCH_LEFT_OUT * (analysis.customers + facts.left_out):
        found.append(
            always_english(
                f"{facts.left_out:,} customers were assigned to two variants and are left out",
                f"{facts.left_out:,} 位客户被分到两个版本，未计入",
            )
        )
    still_open = analysis.customers - analysis.ended
    if still_open:
        found.append(
            always_english(
                f"{still_open:,} of {analysis.customers:,} windows are open: the decision rests on the others",
                f"{analysis.customers:,} 个观察窗口中有 {still_open:,} 个尚未结束：结论只依据其余窗口",
            )
        )
    return found


def _of_lateness(analysis: Analysis, one: Compared) -> list[Saying]:
    facts = analysis.facts
    known_until = facts.logins_until_ms if one.metric == LOGINS else facts.transactions_until_ms
    if known_until >= facts.as_of_ms - _STALE_MS:
        return []
    until, until_zh = "no outcome is known at all", "尚无任何结果数据"
    if known_until:
        until = f"outcomes are known until {_moment(known_until)}"
        until_zh = f"结果数据截至 {_moment(known_until)}"
    return [
        always_english(
            f"{until}, other events until {_moment(facts.as_of_ms)}: what came after is not in yet",
            f"{until_zh}，其他事件截至 {_moment(facts.as_of_ms)}：其后的结果尚未计入",
        )
    ]


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def is_uneven(one: Compared) -> bool:
    """Tell whether the two standard errors of a comparison say different things."""
    by_arm, pooled = standard_errors(one.ended, one.ended_control)
    return max(by_arm, pooled) > _UNEVEN * min(by_arm, pooled)
