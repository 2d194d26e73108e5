"""What an experiment says, in words for those who decide: commands say it in English, boards in each reader's language.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.alerts.sayings import Saying, always_english
from pipeline.experiments.always_valid import ALPHA, MIN_CUSTOMERS, MIN_NONZERO
from pipeline.experiments.facts import CONVERTED, LOGINS
from pipeline.experiments.verdict import Decision

if TYPE_CHECKING:
    from pipeline.experiments.analysis import Analysis, Compared, Result

LABELS: Final = {
    "converted": always_english("conversion", "转化率"),
    "return": always_english("return per customer", "客均收益"),
    "aum": always_english("change of AUM per customer", "客均资产变动"),
    "logins": always_english("engaged days per customer", "客均活跃天数"),
}


def amount(metric: str, value: float | None, *, sign: bool = False) -> Saying:
    """Return a mean or a difference of means as people read it: percent, money in whole units, days."""
    if value is None:
        return always_english("unknown", "未知")
    plus = "+" if sign else ""
    if metric == CONVERTED:
        share = f"{value * 100:{plus}.2f}"
        return always_english(f"{share} points", f"{share} 个百分点") if sign else _same(f"{share} %")
    if metric == LOGINS:
        return _same(f"{value:{plus}.3f}")
    return _same(f"{value / 100:{plus},.2f}")


def chance(p_value: float | None) -> str:
    """Return a p-value as people read it."""
    if p_value is None:
        return "-"
    return "<0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def sentence(analysis: Analysis, result: Result) -> Saying:
    """Return the verdict of a comparison, and why."""
    one, control = result.compared, analysis.design.control
    label, said = LABELS[one.metric], _SAYINGS[result.decision](analysis, result)
    return always_english(
        f"{one.variant or 'no variant'} against {control}: {label} {said}",
        f"{one.variant or '无版本'} 对比 {control}：{zh(label)}{zh(said)}",
    )


def _called(analysis: Analysis, result: Result) -> Saying:
    one, comparisons = result.compared, len(analysis.results)
    p_value, all_p = chance(one.always.p_value), chance(result.always_q)
    many = comparisons > 1
    others = f", {all_p} with all {comparisons} comparisons in mind" if many else ""
    others_zh = f"，计及全部 {comparisons} 项比较后为 {all_p}" if many else ""
    is_better = result.decision is Decision.BETTER
    return always_english(
        f"is {'higher' if is_better else 'lower'} by {_lift(one)} ({_means(one)}). "
        f"The difference is called because the test that may be looked at any day says so "
        f"(p = {p_value}{others}): it is wrong in at most {ALPHA:.0%} however often one looks.",
        f"{'更高' if is_better else '更低'}，差值 {zh(_lift(one))}（{zh(_means(one))}）。该结论依据可随时查看的检验"
        f"（p = {p_value}{others_zh}）：无论查看多少次，误判概率不超过 {ALPHA:.0%}。",
    )


def _no_difference(analysis: Analysis, result: Result) -> Saying:
    one, relevant = result.compared, result.outlook.relevant_lift or 0
    share = f"{analysis.design.relevant_share:.0%}"
    if one.always.high <= relevant and -one.always.low <= relevant:
        return always_english(
            f"does not differ by as much as {share} of the control: the difference is {_lift(one)} ({_means(one)}).",
            f"的差异不到对照组的 {share}：差值 {zh(_lift(one))}（{zh(_means(one))}）。",
        )
    if one.always.low > 0 or one.always.high < 0:  # it would be called if nothing else had been compared
        alone, all_p, many = chance(one.always.p_value), chance(result.always_q), len(analysis.results)
        return always_english(
            f"shows no difference beyond what {many} comparisons show by chance, and nobody comes any more: it is "
            f"{_lift(one)} ({_means(one)}), p = {alone} alone and {all_p} with all of them in mind. "
            f"An experiment that compares this alone can tell.",
            f"未显示超出 {many} 项比较偶然水平的差异，且不再有新客户进入：差值 {zh(_lift(one))}（{zh(_means(one))}），"
            f"单项 p = {alone}，计及全部比较 p = {all_p}。只比较这一项的实验可以给出定论。",
        )
    return always_english(
        f"shows no difference, and nobody comes any more: it is {_lift(one)} ({_means(one)}). "
        f"An effect within that interval cannot be ruled out.",
        f"未显示差异，且不再有新客户进入：差值 {zh(_lift(one))}（{zh(_means(one))}）。不能排除该区间内的效果。",
    )


def _too_early(analysis: Analysis, result: Result) -> Saying:
    one = result.compared
    if not one.always.is_known:
        return _too_few(analysis, one)
    p_value, wait = chance(one.always.p_value), _wait(analysis, result)
    return always_english(
        f"is not decided: the difference is {_lift(one)} ({_means(one)}), which chance may explain "
        f"(p = {p_value} by the test that may be looked at any day).{wait}",
        f"尚无定论：差值 {zh(_lift(one))}（{zh(_means(one))}），可能只是偶然（可随时查看的检验 p = {p_value}）。"
        f"{zh(wait)}",
    )


def _too_few(analysis: Analysis, one: Compared) -> Saying:
    ended = min(one.ended.customers, one.ended_control.customers)
    found = one.ended.nonzero + one.ended_control.nonzero
    still_open = analysis.customers - analysis.ended
    shorter = f". {still_open:,} windows are still open; --horizon-days judges by a shorter one." if still_open else "."
    shorter_zh = f"。{still_open:,} 个观察窗口尚未结束，可用 --horizon-days 改用较短窗口。" if still_open else "。"
    return always_english(
        f"cannot be told yet: it takes {MIN_CUSTOMERS} customers of each variant with their window over "
        f"(now {ended:,}) and {MIN_NONZERO} with an outcome (now {found:,}){shorter}",
        f"尚无法判断：每个版本需 {MIN_CUSTOMERS} 位窗口已结束的客户（现有 {ended:,}），且共需 {MIN_NONZERO} 位有结果"
        f"的客户（现有 {found:,}）{shorter_zh}",
    )


def _wait(analysis: Analysis, result: Result) -> Saying:
    metric, outlook = result.compared.metric, result.outlook
    if not outlook.customers_needed:
        return _same("")
    wait = always_english("more customers are needed than are assigned now", "按目前的分组速度人数不足")
    if outlook.days == 0:
        wait = always_english("today's customers would show it", "现有客户数已足以显示")
    elif outlook.days is not None:
        wait = always_english(f"that takes about {outlook.days:,} days more", f"约需再等 {outlook.days:,} 天")
    relevant, share = amount(metric, outlook.relevant_lift, sign=True), f"{analysis.design.relevant_share:.0%}"
    return always_english(
        f" A lift of {relevant} ({share} of the control) would be shown with a chance of 80 % by "
        f"{outlook.customers_needed:,} customers; {wait}.",
        f"若提升为 {zh(relevant)}（对照组的 {share}），{outlook.customers_needed:,} 位客户有 80 % 的机会显示出来；"
        f"{zh(wait)}。",
    )


def _invalid(analysis: Analysis, result: Result) -> Saying:
    del result
    told = mismatch(analysis)
    return always_english(f"cannot be compared: {told}", f"无法比较：{zh(told)}")


def mismatch(analysis: Analysis) -> Saying:
    """Return what is wrong with the sample ratio, and what to do."""
    ratio = analysis.sample_ratio
    total = sum(ratio.counts.values())
    counted = [(name, ratio.counts.get(name, 0), share) for name, share in ratio.planned.items()]
    shares, shares_zh = (
        separator.join(
            f"{name or nameless} {count:,} {of} {total:,} ({count / total:.2%}, {planned} {share:.2%})"
            for name, count, share in counted
        )
        for separator, nameless, of, planned in ((", ", "no variant", "of", "planned"), ("、", "无版本", "/", "计划"))
    )
    return always_english(
        f"the variants did not get their planned shares of customers ({shares}; p = {chance(ratio.p_value)}), so "
        f"something else than the variant tells them apart. Find what loses or adds customers (a filter after the "
        f"assignment, a sender that fails), or correct variant_shares of the definition.",
        f"各版本的客户占比与计划不符（{shares_zh}；p = {chance(ratio.p_value)}），说明除版本外还有别的因素使两组不同。"
        f"请查明客户在哪里丢失或增加（分组后的筛选、发送失败），或更正定义中的 variant_shares。",
    )


_SAYINGS: Final = {
    Decision.BETTER: _called,
    Decision.WORSE: _called,
    Decision.NO_DIFFERENCE: _no_difference,
    Decision.TOO_EARLY: _too_early,
    Decision.INVALID: _invalid,
}


def _lift(one: Compared) -> Saying:
    lift = amount(one.metric, one.ended_lift.lift, sign=True)
    low, high = (amount(one.metric, bound, sign=True) for bound in (one.always.low, one.always.high))
    return always_english(f"{lift} (between {low} and {high})", f"{zh(lift)}（{zh(low)} 至 {zh(high)}）")


def _means(one: Compared) -> Saying:
    mean, kept = amount(one.metric, one.ended.mean), amount(one.metric, one.ended_control.mean)
    return always_english(f"{mean} against {kept}", f"{zh(mean)} 对 {zh(kept)}")


def _same(text: str) -> Saying:
    return always_english(text, text)


def zh(saying: Saying) -> str:
    """Return a text in Chinese."""
    return saying.read("zh")
