"""What a campaign is made of (board Campaign): cohorts, lag, funnel, models, segments, cost and budget."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Column, Panel, Text

_NAME: Final = column("name", "label")
_HIDDEN: Final = column("campaign_id", "hidden")

COHORTS: Final = Panel(
    "campaign-cohorts",
    Text("Return by touch day and lag", "按触达日与滞后天数的收益"),
    Text(
        "Cohort view: each row is a business day of touches, each column how many whole 24-hour days later the "
        "transaction came, each cell the return credited. Empty cells to the right of young days are still to come. "
        "Cost of a day stands at lag 0.",
        "批次口径：每行为一个触达营业日，每列为交易发生在触达后的第几个整 24 小时日，单元格为归因收益。较新日期右侧的"
        "空格尚未到来。当日成本列在滞后 0 天。",
    ),
    "heatmap",
    (
        column("touch_day", "y", label=Text("Touch day", "触达日"), unit="day"),
        column("lag_day", "x", label=Text("Days later", "滞后天数"), unit="days"),
        _NAME,
        column("return_minor"),
        column("conversions"),
        column("cost_minor"),
    ),
    width=12,
    height=10,
)
LAG: Final = Panel(
    "campaign-lag",
    Text("How fast return comes in", "收益到账曲线"),
    Text(
        "Share of the final return, and of the final conversions, that is in so many days after the touch, from all "
        "touch days old enough to have lived through the lag (right truncation corrected). Touch days: how many those "
        "are; few of them make the curve uncertain. It ends at 100 % with the longest lag seen.",
        "触达后若干天已到账的收益与转化占最终值的比例，只用已完整经历该滞后的触达日计算（校正右截断）。触达日数：样本"
        "天数，过少则曲线不稳。曲线在已见的最长滞后处到达 100 %。",
    ),
    "line",
    (
        column("lag_day", "x", label=Text("Days after the touch", "触达后天数"), unit="days"),
        _NAME,
        column("return_share", label=Text("Return that is in", "已到收益"), unit="share"),
        column("conversion_share", label=Text("Conversions that are in", "已到转化"), unit="share"),
        column("cohorts", "hidden", label=Text("Touch days", "触达日数"), unit="count"),
    ),
    width=12,
    height=8,
)
FUNNEL: Final = Panel(
    "campaign-funnel",
    Text("From touch to conversion", "从触达到转化"),
    Text(
        "Customers, each once a step, since the campaign began: reached by any creditable touch, then those with a "
        "touch of each kind, then converters (with credit). Steps need not contain each other: a visit needs no "
        "click. Touches: how many the step has.",
        "活动开始以来每一步的客户数（每步每人一次）：任一可归因触达的客户，各类触达的客户，最后是转化客户（有归因）。"
        "各步不一定逐级包含：到访不必先点击。触达次数：该步的触达数。",
    ),
    "funnel",
    (
        _NAME,
        column("step", "label", label=Text("Step", "步骤"), unit="state"),
        column("customers", label=Text("Customers", "客户数"), unit="count"),
        column("touches"),
    ),
    width=12,
)
MODELS: Final = Panel(
    "campaign-models",
    Text("Attribution models side by side", "归因模型对照"),
    Text(
        "The same touches and cost under every attribution model of the run. One decides, the others inform. Would: "
        "what the alert's rule would do under that model at its last look; none where it was not judged. A stop that "
        "only one model wants is a weak case.",
        "同样的触达与成本在各归因模型下的结果，其中一个用于决策，其余供参考。判断：告警规则在该模型下最近一次判定的结"
        "果，未判定则为空。只有一个模型主张停止时，依据较弱。",
    ),
    "table",
    (
        _HIDDEN,
        _NAME,
        column("model", "label", unit="state"),
        column("decides", label=Text("Role", "作用"), unit="state"),
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("would_do", label=Text("Would", "判断"), unit="state"),
        column("converters"),
        column("conversions"),
        column("return_minor"),
        column("net_roi"),
    ),
    width=24,
    height=7,
)


def _segment(name: str) -> tuple[Column, ...]:
    return (
        _HIDDEN,
        _NAME,
        column(name, "label"),
        column("touches"),
        column("reached"),
        column("converters"),
        column("conversion_rate"),
        column("cost_minor"),
        column("return_minor"),
        column("return_ratio"),
        column("ratio_without", label=Text("Ratio without it", "去掉后的比值"), unit="ratio"),
    )


TIERS: Final = Panel(
    "campaign-tiers",
    Text("By customer tier", "按客户层级"),
    Text(
        "Since the campaign began. Cost events name no customer: they stand under the empty tier. Ratio without it: "
        "what return / cost of the rest is, as booked so far; the alert's advice uses the forecast instead. Tiers add "
        "up to the totals.",
        "活动开始至今。成本事件不对应客户，列在空层级。去掉后的比值：其余部分迄今的收益 / 成本。告警的建议用的是预测"
        "值。各层级之和等于总数。",
    ),
    "table",
    _segment("tier"),
    explains="campaign_id",
)
VARIANTS: Final = Panel(
    "campaign-variants",
    Text("By variant", "按版本"),
    Text(
        "Since the campaign began, by the variant of the touch or cost event; the empty one is without a variant. The "
        "control group has cost at most, no touches. A customer may be reached by two variants and count in both. "
        "Ratio without it: return / cost of the rest.",
        "活动开始至今，按触达或成本事件的版本，空行为无版本。对照组最多只有成本，没有触达。客户可能被两个版本触达，各"
        "计一次。去掉后的比值：其余部分的收益 / 成本。",
    ),
    "table",
    _segment("variant"),
    explains="campaign_id",
)
CHANNELS: Final = Panel(
    "campaign-channels",
    Text("By channel of the touch", "按触达渠道"),
    Text(
        "Since the campaign began: cost of the channel's touches, and what was credited to them. Cost events name no "
        "channel and are left out, so the ratios are those of the touches alone. Erased customers are counted nowhere "
        "here. Ratio without it: return / cost of the other channels.",
        "活动开始至今：各渠道触达的成本及归于它们的收益。成本事件不对应渠道，未计入，因此比值只反映触达本身。已删除的"
        "客户不计入。去掉后的比值：其余渠道的收益 / 成本。",
    ),
    "table",
    _segment("channel"),
)
COSTS: Final = Panel(
    "campaign-costs",
    Text("Cost by category", "成本构成"),
    Text(
        "All cost since the campaign began: cost events by their category, touches by their kind. Corrections make a "
        "category smaller, even negative. The categories add up to the campaign's cost.",
        "活动开始以来的全部成本：成本事件按类别，触达按类型。更正会使类别变小，甚至为负。各类别之和等于活动成本。",
    ),
    "bars",
    (
        _NAME,
        column("category", "label", unit="state"),
        column("cost_minor"),
        column("cost_share", label=Text("Share", "占比"), unit="share"),
        column("entries", label=Text("Entries", "笔数"), unit="count"),
    ),
    width=10,
)
BUDGET: Final = Panel(
    "campaign-budget",
    Text("Budget and vouchers", "预算与卡券"),
    Text(
        "Spent / budget against the time that is over between begin and end. Pace = spent share / elapsed share: "
        "above 1 the money is gone before the end. Projected = spent / elapsed share. Redeemed share: of the vouchers "
        "issued. Open liability: cost of vouchers issued and not redeemed, the oldest redeemed first. None where the "
        "definition names no budget or end.",
        "已花 / 预算，对比起止之间已过的时间。进度 = 已用占比 / 时间占比：大于 1 表示结束前预算会花完。预计花费 = 已花"
        " / 时间占比。核销率：占已发卡券。未核销余额：已发未核销卡券的成本，先发先销。定义中没有预算或结束日时为空。",
    ),
    "figures",
    (
        _HIDDEN,
        _NAME,
        column("budget_minor", label=Text("Budget", "预算"), unit="minor"),
        column("spent_minor", label=Text("Spent", "已花"), unit="minor"),
        column("remaining_minor", label=Text("Remaining", "剩余"), unit="minor"),
        column("spent_share", label=Text("Budget spent", "预算已用"), unit="share"),
        column("elapsed_share", label=Text("Time elapsed", "时间已过"), unit="share"),
        column("pace", label=Text("Pace", "进度"), unit="ratio", steps=((None, "green"), (1.1, "amber"), (1.5, "red"))),
        column("projected_minor", label=Text("Projected", "预计花费"), unit="minor"),
        column("issued", label=Text("Vouchers issued", "已发卡券"), unit="count"),
        column("redeemed", label=Text("Redeemed", "已核销"), unit="count"),
        column("redemption_rate", label=Text("Redeemed share", "核销率"), unit="share"),
        column("open_liability_minor", label=Text("Open liability", "未核销余额"), unit="minor"),
    ),
    width=14,
)
