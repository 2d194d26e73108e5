"""Columns that many panels share: one label and one unit for a number, wherever it stands."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.panel import Column, Role, Text, Unit

_SHARED: Final[dict[str, tuple[str, str, Unit]]] = {
    "campaign_id": ("Campaign", "活动", "text"),
    "name": ("Campaign", "活动", "text"),
    "owner": ("Owner", "负责人", "text"),
    "variant": ("Variant", "版本", "text"),
    "tier": ("Tier", "客户层级", "text"),
    "model": ("Attribution model", "归因模型", "text"),
    "category": ("Category", "类别", "text"),
    "channel": ("Channel", "渠道", "text"),
    "touches": ("Touches", "触达次数", "count"),
    "reached": ("Reached", "触达客户", "count"),
    "converters": ("Converters", "转化客户", "count"),
    "conversions": ("Conversions", "转化次数", "count"),
    "cost_minor": ("Cost", "成本", "minor"),
    "return_minor": ("Return", "收益", "minor"),
    "aum_minor": ("AUM change", "资产变动", "minor"),
    "cpa_minor": ("Cost per converter", "单个转化成本", "minor"),
    "conversion_rate": ("Conversion rate", "转化率", "share"),
    "return_ratio": ("Return ÷ cost", "收益成本比", "ratio"),
    "net_roi": ("Net ROI", "净投资回报率", "share"),
    "min_return_ratio": ("Required", "要求", "ratio"),
    "forecast_ratio": ("Forecast", "预测", "ratio"),
    "forecast_low": ("Forecast, low", "预测下限", "ratio"),
    "forecast_high": ("Forecast, high", "预测上限", "ratio"),
    "upper_bound": ("At most", "至多", "ratio"),
    "matured_share": ("Return that is in", "已到收益占比", "share"),
    "money_at_risk_minor": ("Money at risk", "风险金额", "minor"),
    "alert_state": ("Alert", "告警", "state"),
    "time": ("Time", "时间", "time"),
    "day": ("Day", "日期", "day"),
    "counted_at": ("Counted at", "统计于", "time"),
}


def column(  # noqa: PLR0913 - keywords that say themselves what they are
    name: str,
    role: Role = "value",
    *,
    steps: tuple[tuple[float | None, str], ...] = (),
    label: Text | None = None,
    unit: Unit | None = None,
    doubts: tuple[str, ...] = (),
) -> Column:
    """Return a column; what is not given is taken from the shared ones."""
    english, chinese, own = _SHARED.get(name, ("", "", "text"))
    shown = label or Text(english, chinese)
    if not shown.en:
        raise ValueError(f"the column {name} is none of the shared ones and has no label")
    return Column(name, shown, unit or own, role, steps, doubts=doubts)


def by_language(name: str, label: Text) -> tuple[Column, Column]:
    """Return the columns NAME_en and NAME_zh of one text, of which each reader sees the one in his language."""
    return Column(f"{name}_en", label, "text", language="en"), Column(f"{name}_zh", label, "text", language="zh")
