"""Board Experiments: what campaigns caused beyond their control groups, how sure that is, and since when."""

from __future__ import annotations

from typing import Final

from dashboards.boards.experiment_parts import EXPERIMENT_PARTS
from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Board, Drill, Panel, Text

TO_DO: Final = Text(
    "Nothing is analysed of what is chosen here: roi ab CAMPAIGN compares a campaign's variants with its control, and "
    "the evaluator repeats it as events come in.",
    "所选范围内尚无分析：运行 roi ab CAMPAIGN 将活动各版本与对照组比较，此后评估进程会随新事件自动更新。",
)
_TOO_SOON: Final = Text(
    "Nothing can be said in this range yet: it takes 50 customers of each variant with their window over and 10 with "
    "an "
    "outcome. Where nothing is analysed at all: roi ab CAMPAIGN.",
    "此时间段内尚无法判断：每个版本需 50 位窗口已结束的客户，且共需 10 位有结果。若尚无分析，请运行 roi ab CAMPAIGN。",
)
_ONE: Final = Drill("experiments", (("campaign", "campaign_id"),))
_LIFT: Final = Text("Lift", "提升")
_LOW, _HIGH = Text("At least", "至少"), Text("At most", "至多")
_SERIES: Final = (column("time", "time"), column("name", "label"), column("variant", "label"))
_LIFT_BAND: Final = (
    column("lift", label=_LIFT, unit="share"),
    column("lift_low", "low", label=_LOW, unit="share"),
    column("lift_high", "high", label=_HIGH, unit="share"),
)

_HEADLINE: Final = Panel(
    "experiments-headline",
    Text("Experiments", "实验"),
    Text(
        "Campaigns whose variants have been compared with their control, and what became of the comparisons: one for "
        "each outcome and variant. Invalid: the variants did not get their planned shares of customers. As of: the "
        "newest event that an analysis knows.",
        "已将各版本与对照组比较的活动数，以及各项比较的结论（每个结果指标、每个版本一项）。无效：各版本的客户占比与计"
        "划不"
        "符。截至：分析所知的最新事件时间。",
    ),
    "figures",
    (
        column("experiments", label=Text("Experiments", "实验"), unit="count"),
        column("better", label=Text("Better", "更好"), unit="count"),
        column("worse", label=Text("Worse", "更差"), unit="count", steps=((None, "grey"), (1, "red"))),
        column("no_difference", label=Text("No difference", "无差异"), unit="count"),
        column("too_early", label=Text("Too early", "为时过早"), unit="count"),
        column("invalid", label=Text("Invalid", "无效"), unit="count", steps=((None, "grey"), (1, "red"))),
        column("as_of", label=Text("As of", "截至"), unit="time"),
    ),
    height=4,
    empty=TO_DO,
)

_VERDICTS: Final = Panel(
    "experiments-verdicts",
    Text("Verdicts", "结论"),
    Text(
        "Each variant against the control, in words. The decision rests on customers whose outcome window is over, and "
        "on the test that may be looked at any day: it is wrong in at most 5 % of the experiments however often one "
        "looks. Lift and interval are shares of the control's mean; p is that of the always-valid test with all "
        "comparisons of the analysis in mind. Days to a decision: until a lift of 10 % would be shown with a chance of "
        "80 %.",
        "各版本与对照组的比较结论。结论只依据观察窗口已结束的客户与可随时查看的检验：无论查看多少次，误判的实验不超过 "
        "5 %。提升与区间以对照组均值为基数；p 为随时有效检验、计及该分析全部比较后的值。距结论天数：10 % 的提升有 80 % "
        "机会显示出来所需的天数。",
    ),
    "table",
    (
        column("campaign_id", "hidden"),
        column("name", "label"),
        column("variant", "label"),
        column("outcome", label=Text("Outcome", "结果指标"), unit="state"),
        column("decision", label=Text("Decision", "结论"), unit="state"),
        *_LIFT_BAND,
        column("p_value", label=Text("p", "p 值"), unit="p"),
        column("days_to_decision", label=Text("Days to decision", "距结论天数"), unit="days"),
        *by_language("verdict", Text("Verdict", "说明")),
        *by_language("caveats", Text("Bear in mind", "注意事项")),
    ),
    height=14,
    drill=_ONE,
    empty=TO_DO,
)

_LIFT_DAYS: Final = Panel(
    "experiments-lift",
    Text("Lift, safe to look at any day", "提升（可随时查看）"),
    Text(
        "Lift of the chosen outcome as a share of the control's mean, by customers whose window was over by the end of "
        "each day, with the always-valid 95 % interval: it may be looked at daily and stopped at any time. This one "
        "decides. Events that came late and reversals count as known today.",
        "所选结果指标的提升（以对照组均值为基数），按截至每天窗口已结束的客户计算，带随时有效的 95 % 区间：可每天查看并"
        "随时停止，结论依据此图。迟到事件与冲正按目前所知计入。",
    ),
    "time",
    (*_SERIES, *_LIFT_BAND),
    width=12,
    height=9,
    empty=_TOO_SOON,
)

_LIFT_ONCE: Final = Panel(
    "experiments-once",
    Text("Lift, as of one planned look", "提升（计划内单次查看）"),
    Text(
        "The same lift on the same days with Welch's 95 % interval, as most tools show it. It holds for one look at a "
        "day fixed beforehand: who stops at the first day on which it leaves zero errs in a third of the experiments "
        "and more.",
        "相同日期的同一提升，带多数工具所用的 Welch 95 % 区间。它只对事先定好的单次查看成立：若在区间首次离开零时停止，"
        "三分之一以上的实验会误判。",
    ),
    "time",
    (*_SERIES, *_LIFT_BAND),
    width=12,
    height=9,
    empty=_TOO_SOON,
)

_SHARES: Final = Panel(
    "experiments-shares",
    Text("Share of customers by variant", "各版本客户占比"),
    Text(
        "Customers assigned by the end of each day, by variant, as a share of all; dashed: the planned share. Where "
        "they part, something else than the variant tells customers apart, and the comparison is invalid (sample "
        "ratio, p in the table of variants).",
        "截至每天已分组客户中各版本的占比；虚线为计划占比。二者偏离说明除版本外还有别的因素区分客户，比较即为无效（样本"
        "比例检验，p 值见各版本表）。",
    ),
    "time",
    (
        *_SERIES,
        column("share", label=Text("Share", "占比"), unit="share"),
        column("planned_share", "limit", label=Text("Planned", "计划"), unit="share"),
    ),
    width=12,
    height=8,
    empty=TO_DO,
)

_ROI_DAYS: Final = Panel(
    "experiments-roi-days",
    Text("Incremental ROI over time", "增量投资回报率走势"),
    Text(
        "(Incremental return - incremental cost) ÷ incremental cost of customers whose window was over by the end of "
        "each day: what they brought beyond as many customers of the control, over what they cost beyond them. The "
        "band is that of the return's always-valid interval. Touches and cost events count as known today, cost events "
        "by customers.",
        "截至每天窗口已结束客户的（增量收益 - 增量成本）÷ 增量成本：比同样多的对照组客户多带来的收益与多花的成本之比。"
        "色带为收益的随时有效区间。触达与成本事件按目前所知计入，成本事件按客户数分摊。",
    ),
    "time",
    (
        *_SERIES,
        column("incremental_roi", label=Text("Incremental ROI", "增量回报率"), unit="share"),
        column("incremental_roi_low", "low", label=_LOW, unit="share"),
        column("incremental_roi_high", "high", label=_HIGH, unit="share"),
    ),
    width=12,
    height=8,
    empty=_TOO_SOON,
)

EXPERIMENTS: Final = Board(
    "experiments",
    Text("Experiments", "实验"),
    Text(
        "For whoever decides about variants: what a campaign caused that would not have come anyway, how sure that is, "
        "and how long it takes to know. Charts over time and the tables below them show the chosen outcome, charts of "
        "at most three experiments: those chosen with the most customers whose window is over.",
        "供决定版本取舍者查看：活动带来了哪些本不会发生的结果、把握多大、还需多久。走势图与其下各表按所选结果指标显示"
        "，走势图最多显示三个实验：所选中窗口已结束客户最多者。",
    ),
    ("run", "campaign", "outcome"),
    (_HEADLINE, _VERDICTS, _LIFT_DAYS, _LIFT_ONCE, _SHARES, _ROI_DAYS, *EXPERIMENT_PARTS),
    latest="90d",
)
