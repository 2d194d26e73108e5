"""Verdicts and caveats in words that a manager understands, short enough for a phone; English and Chinese. Pure."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from pipeline.alerts.sayings import Language, Saying
from pipeline.ratios import MOST_DECIMALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Caveat, Verdict

CAVEATS: Final[dict[str, tuple[str, str]]] = {
    "immature": ("immature: {share} of the return is in", "尚未成熟：预计回报仅到 {share}"),
    "needs_converters": (
        "needs about {needed} converters, has {has}",
        "约需 {needed} 名转化客户才能判断，现有 {has} 名",
    ),
    "little_cost": (
        "too little spent to judge: {cost_minor} of {needed}",
        "花费太少，无法判断：{cost_minor} / {needed}",
    ),
    "few_expected": (
        "too early: about {expected} converters would be expected by now, {needed} are needed",
        "为时过早：按要求此时应有约 {expected} 名转化客户，至少需 {needed} 名",
    ),
    "values_unlike_peers": (
        "values unlike this product's: may be wrong more often than promised",
        "客户价值分布与同类产品不同：误判可能多于承诺",
    ),
    "one_customer": ("one customer is {share} of the return", "单个客户占回报的 {share}"),
    "infinite_variance": (
        "a few customers make this product's return: may be wrong more often than promised",
        "该产品的回报取决于少数客户：误判可能多于承诺",
    ),
    "mean_uncertain": (
        "this product's mean value is known to ±{share} only: may be wrong more often than promised",
        "该产品的平均客户价值只能估计到 ±{share}：误判可能多于承诺",
    ),
    "no_known_value": (
        "nothing is known of values: judged as if {rate} of the touches should convert",
        "客户价值未知：按 {rate} 的触达应转化来判断",
    ),
    "changing": (
        "changing: the newest customers convert better (ratio {newest}, before {before})",
        "正在变化：最新客户转化更好（比率 {newest}，此前 {before}）",
    ),
    "changing_for_nothing": (
        "changing: the newest customers convert better, at too little cost to tell a ratio",
        "正在变化：最新客户转化更好，但成本太少，无法给出比率",
    ),
    "upfront_cost": (
        "cost stands about {hours} hours before its touches: the return may only look late",
        "成本比触达早约 {hours} 小时：回报可能只是看似偏低",
    ),
    "no_end_date": ("no end date: judged by what is known so far", "没有结束日期：按已有信息判断"),
    "reversals_assumed": ("reversals assumed: {share}", "假定冲正比例为 {share}"),
    "no_peers": ("no finished peers: own data only", "没有已结束的同类活动：只凭自身数据"),
    "few_customers": (
        "values known from {has} customers alone: may be wrong more often than promised",
        "客户价值仅由 {has} 名客户得知：误判可能多于承诺",
    ),
    "few_peers": ("only {peers} finished peers: slower to decide", "仅有 {peers} 个已结束的同类活动：判断较慢"),
}
"""Words of every code of `pipeline.alerts.caveats`, English and Chinese."""

_OUTCOMES: Final[dict[str, tuple[str, str]]] = {
    "below": (
        "stays below {required}: at most {upper} at {confidence} confidence",
        "回报持续低于 {required}：{confidence} 置信上限 {upper}",
    ),
    "below_unbounded": ("stays below {required}: converts nobody", "回报持续低于 {required}：几乎无人转化"),
    "above": ("above {required}: forecast {value}", "高于 {required}：预计 {value}"),
    "undecided": ("undecided: forecast {value} ({low} to {high})", "尚不能判定：预计 {value}（{low} 至 {high}）"),
    "unknown": ("undecided: no forecast yet", "尚不能判定：还没有预测"),
    "immature": ("too early to judge", "为时过早，无法判断"),
}
_FORECAST: Final[dict[str, tuple[str, ...]]] = {"above": ("value",), "undecided": ("value", "low", "high")}
_RETIRED: Final = ("retired: its definition was withdrawn, it is judged no more", "活动定义已撤销，不再判定")
_UNKNOWN: Final = "?"
_READABLE: Final = 1e18
"""Nobody counts the digits of a greater number."""
_PERCENT: Final = frozenset({"share", "rate"})
_MONEY: Final = frozenset({("little_cost", "cost_minor"), ("little_cost", "needed")})
_INDEX: Final[dict[Language, int]] = {"en": 0, "zh": 1}


def caveat_text(caveat: Caveat, language: Language = "en") -> Saying:
    """Return a caveat in words; one whose code is unknown, by its code."""
    words = CAVEATS.get(caveat.code)
    if words is None:
        return Saying.made(lambda _: caveat.code, language)
    return _said(words, {name: _number(caveat.code, name, value) for name, value in caveat.values.items()}, language)


def retired_text(language: Language = "en") -> Saying:
    """Return why a campaign is judged no more whose definition was retired."""
    return Saying.made(lambda one: _RETIRED[_INDEX[one]], language)


def outcome_text(verdict: Verdict, rule: AlertRule, language: Language = "en") -> Saying:
    """Return what is decided, with the number that decides it."""
    key: str = verdict.outcome
    required, upper, band = rule.min_return_ratio, verdict.upper_bound, verdict.forecast
    values = {"required": _known_ratio_text(required)}
    if key == "below" and upper is not None:
        values |= {"upper": ratio_text(upper, required), "confidence": _percent(rule.confidence)}
    elif key == "below":
        key = "below_unbounded"
    elif key in _FORECAST and band is not None:
        values |= {name: ratio_text(getattr(band, name), required) for name in _FORECAST[key]}
    elif key in _FORECAST:
        key = "unknown"
    return _said(_OUTCOMES[key], values, language)


def reasons(verdict: Verdict, rule: AlertRule, language: Language = "en") -> tuple[Saying, ...]:
    """Return the verdict and its caveats in words, the most important first."""
    caveats = [caveat_text(caveat, language) for caveat in verdict.caveats]
    return (outcome_text(verdict, rule, language), *caveats)


def _said(words: tuple[str, str], values: Mapping[str, str], language: Language) -> Saying:
    # ten thousand campaigns are told in one look: numbers are written once, and read the same in every language
    return Saying.made(lambda one: words[_INDEX[one]].format_map(values), language)


def advice_text(label: str, segment: str, ratio_without: float, language: Language = "en") -> str:
    """Return the advice to optimise in words."""
    if language == "zh":
        name = {"channel": "渠道", "variant": "版本", "tier": "客户层级"}.get(segment, segment)
        return f"去掉{name} {label} 后比率为 {ratio_text(ratio_without)}"
    return f"without {segment} {label} the ratio is {ratio_text(ratio_without)}"


def withheld_text(share: float, language: Language = "en") -> Saying:
    """Return why a breach does not fire: too many of all breaches would be false."""
    return Saying.made(partial(_withheld, share), language)


def _withheld(share: float, language: Language) -> str:
    if language == "zh":
        return f"暂不告警：所有告警中预计 {_percent(share)} 为误报，证据须更强"
    return f"held back: {_percent(share)} of all alerts would be false, so more evidence is asked for"


def ratio_text(ratio: float, required: float | None = None) -> str:
    """Return a return ratio as managers write it: 1:2, 1:1.38.

    One that is less than what is required has as many decimals (up to 8) as it takes to see that: 1:1.9999, not 1:2.
    """
    decimals, separator = (2, ",") if abs(ratio) < 1000 else (0, "")
    text = f"1:{_digits(ratio, decimals, separator=separator)}"
    if required is None or not ratio < required:
        return text
    limit = _known_ratio_text(required)
    while text == limit and decimals < MOST_DECIMALS:
        decimals += 1
        text = f"1:{_digits(ratio, decimals, separator=separator)}"
    return text


_known_ratio_text: Final = lru_cache(256)(ratio_text)  # of the ratios that rules require: there are few


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{_digits(percent, 0, separator='')} %" if abs(percent) >= 1 or percent == 0 else f"{percent:.1g} %"


def _number(code: str, name: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    if name in _PERCENT:
        return _percent(value)
    if (code, name) in _MONEY:
        return _digits(value / 100, 2, keeps_zeros=True)
    return _digits(value, 2)


def _digits(value: float, decimals: int, *, separator: str = ",", keeps_zeros: bool = False) -> str:
    """Return a number whatever it is: a text that cannot be written would end the look at every campaign."""
    if not math.isfinite(value):
        return _UNKNOWN
    if abs(value) >= _READABLE:
        return f"{value:.3g}"
    text = f"{value:{separator}.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals and not keeps_zeros else text
