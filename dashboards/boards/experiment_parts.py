"""The lower half of board Experiments: variants, money, tiers of customers, and how long it takes to know."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Column, Drill, Panel, Text

_EMPTY: Final = Text(
    "Nothing is analysed of what is chosen here: roi ab CAMPAIGN.", "所选范围内尚无分析：请运行 roi ab CAMPAIGN。"
)
_TO_CAMPAIGN: Final = Drill("campaign", (("campaign", "campaign_id"),))
_WHO: Final = (column("campaign_id", "hidden"), column("name", "label"), column("variant", "label"))
_ENDED: Final = column("ended", label=Text("Windows over", "窗口已结束"), unit="count")
_P_VALUE: Final = ((None, "red"), (0.001, "grey"))


def _minor(name: str, english: str, chinese: str) -> Column:
    return column(name, label=Text(english, chinese), unit="minor")


_ARMS: Final = Panel(
    "experiments-arms",
    Text("Variants", "各版本"),
    Text(
        "Customers of each variant, and their means by outcome over those whose window is over: share who converted, "
        "return and change of assets per customer, days with an engaged login per customer. Left out: assigned to two "
        "variants. Sample ratio: p of the chi-square test against the planned shares at one look (wrong below 0.001), "
        "and of one that may be looked at any day (wrong below 0.01).",
        "各版本的客户数，以及窗口已结束客户的各项均值：转化占比、客均收益、客均资产变动、客均活跃登录天数。未计入：被"
        "分到"
        "两个版本的客户。样本比例：与计划占比的卡方检验 p 值（单次查看，低于 0.001 为异常）及可随时查看的检验（低于 0."
        "01 "
        "为异常）。",
    ),
    "table",
    (
        *_WHO,
        column("arm", label=Text("Group", "组别"), unit="state"),
        column("customers", label=Text("Customers", "客户数"), unit="count"),
        column("share", label=Text("Share", "占比"), unit="share"),
        column("planned_share", label=Text("Planned", "计划占比"), unit="share"),
        _ENDED,
        column("conversion_rate", label=Text("Conversion", "转化率"), unit="share"),
        _minor("return_each_minor", "Return each", "客均收益"),
        _minor("aum_each_minor", "AUM change each", "客均资产变动"),
        column("logins_each", label=Text("Engaged days each", "客均活跃天数"), unit="ratio"),
        column("left_out", label=Text("Left out", "未计入"), unit="count"),
        column("srm_p", label=Text("Sample ratio p", "样本比例 p"), unit="p", steps=_P_VALUE),
        column(
            "srm_sequential_p", label=Text("At any look", "随时查看 p"), unit="p", steps=((None, "red"), (0.01, "grey"))
        ),
    ),
    height=7,
    drill=_TO_CAMPAIGN,
    empty=_EMPTY,
)

_ROI: Final = Panel(
    "experiments-roi",
    Text("Incremental beside attributed ROI", "增量与归因回报率"),
    Text(
        "Both over the cost of the variant's customers, (return - cost) ÷ cost. Incremental: what they brought beyond "
        "as many customers of the control. Attributed: what attribution credits to the variant's touches, whether or "
        "not "
        "it would have come anyway. The dearest twelve.",
        "均为（收益 - 成本）÷ 成本。增量：比同样多的对照组客户多带来的收益。归因：归因模型记给该版本触达的收益，无论其"
        "是"
        "否本来就会发生。按成本取前十二。",
    ),
    "bars",
    (
        column("arm", "x", label=Text("Variant", "版本"), unit="text"),
        column("incremental_roi", label=Text("Incremental", "增量"), unit="share"),
        column("attributed_roi", label=Text("Attributed", "归因"), unit="share"),
    ),
    width=9,
    height=8,
    empty=_EMPTY,
)

_MONEY: Final = Panel(
    "experiments-money",
    Text("In money", "资金"),
    Text(
        "Of everybody assigned, open windows as they stand: return beyond the control with its 95 % interval at one "
        "look, cost beyond the control, and the ROI of the two; beside it the attributed return and the whole cost of "
        "the variant's customers with the ROI of those.",
        "按全部已分组客户计（未结束窗口按现状）：超出对照组的收益及其单次查看 95 % 区间、超出对照组的成本与二者的回报"
        "率；"
        "旁边为归因收益、该版本客户的全部成本及其回报率。",
    ),
    "table",
    (
        *_WHO,
        _minor("incremental_return_minor", "Incremental return", "增量收益"),
        column("incremental_return_low", "low", label=Text("At least", "至少"), unit="minor"),
        column("incremental_return_high", "high", label=Text("At most", "至多"), unit="minor"),
        _minor("incremental_cost_minor", "Incremental cost", "增量成本"),
        column("incremental_roi", label=Text("Incremental ROI", "增量回报率"), unit="share"),
        _minor("attributed_return_minor", "Attributed return", "归因收益"),
        column("cost_minor"),
        column("attributed_roi", label=Text("Attributed ROI", "归因回报率"), unit="share"),
    ),
    width=15,
    height=8,
    drill=_TO_CAMPAIGN,
    empty=_EMPTY,
)

_TIERS: Final = Panel(
    "experiments-tiers",
    Text("Lift by customer tier", "各客户层级的提升"),
    Text(
        "Lift of the chosen outcome within each tier as a share of its control's mean, with Welch's 95 % interval at "
        "one "
        "look, of customers of variant and control whose window is over. p says whether the lifts differ between tiers "
        "(Cochran's Q over tiers with enough data): above 0.05 one number fits all.",
        "各层级内所选结果指标的提升（以该层级对照组均值为基数），带单次查看的 Welch 95 % 区间，客户数含版本与对照组中"
        "窗口"
        "已结束者。p 表示各层级提升是否不同（Cochran Q，只计数据足够的层级）：高于 0.05 则可用同一数字。",
    ),
    "table",
    (
        *_WHO,
        column("tier", "label"),
        _ENDED,
        column("lift", label=Text("Lift", "提升"), unit="share"),
        column("lift_low", "low", label=Text("At least", "至少"), unit="share"),
        column("lift_high", "high", label=Text("At most", "至多"), unit="share"),
        column("difference_p", label=Text("p, tiers differ", "层级差异 p"), unit="p"),
    ),
    width=12,
    height=7,
    empty=_EMPTY,
)

_POWER: Final = Panel(
    "experiments-power",
    Text("How long until it is known", "还需多久"),
    Text(
        "The smallest lift that matters and the one that today's customers show with a chance of 80 %, as shares of "
        "the "
        "control's mean; customers of variant and control with their window over, how many it takes to show the former "
        "however often one looks, and with one planned look; and the days until then at the pace of the last week.",
        "有意义的最小提升，以及现有客户有 80 % 机会显示出的提升（以对照组均值为基数）；版本与对照组中窗口已结束的客户"
        "数、"
        "显示前者所需的此类客户数（可随时查看或计划内单次查看），以及按最近一周的分组速度还需的天数。",
    ),
    "table",
    (
        *_WHO,
        column("relevant_lift", label=Text("Lift that matters", "有意义的提升"), unit="share"),
        column("detectable_lift", label=Text("Detectable today", "现可显示"), unit="share"),
        _ENDED,
        column("customers_needed", label=Text("Needed", "所需客户"), unit="count"),
        column("customers_needed_once", label=Text("Needed, one look", "单次查看所需"), unit="count"),
        column("days_to_decision", label=Text("Days to decision", "距结论天数"), unit="days"),
    ),
    width=12,
    height=7,
    empty=_EMPTY,
)

EXPERIMENT_PARTS: Final = (_ARMS, _ROI, _MONEY, _TIERS, _POWER)
