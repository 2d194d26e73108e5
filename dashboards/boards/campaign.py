"""Campaign: everything about one campaign, from the verdict down to the records behind a number."""

from __future__ import annotations

from typing import Final

from dashboards.boards.campaign_parts import BUDGET, CHANNELS, COHORTS, COSTS, FUNNEL, LAG, MODELS, TIERS, VARIANTS
from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Board, Drill, Panel, Text

_NAME: Final = column("name", "label")
_HIDDEN: Final = column("campaign_id", "hidden")

_FIGURES: Final = Panel(
    "campaign-figures",
    Text("Since it began", "开始至今"),
    Text(
        "Totals of the campaign, whatever the range; both views of time give the same totals. Ratio = return / cost "
        "against what is required. Forecast, its band, return that is in and money at risk come from the alert's last "
        "look, and are none without one. Net ROI = (return - cost) / cost. Conversion rate = converters / reached. "
        "Every number opens the records behind it.",
        "活动的累计数，与所选区间无关，两种口径的累计数相同。收益成本比 = 收益 / 成本，与要求对比。预测及区间、已到收"
        "益占比、风险金额取自告警最近一次判定，没有则为空。净投资回报率 =（收益 - 成本）/ 成本。转化率 = 转化客户 / 触"
        "达客户。点击任一数字可查看其背后的记录。",
    ),
    "figures",
    (
        _HIDDEN,
        _NAME,
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("forecast_ratio"),
        column("forecast_low", "low"),
        column("forecast_high", "high"),
        column("matured_share"),
        column("alert_state"),
        column("money_at_risk_minor"),
        column("cost_minor"),
        column("return_minor"),
        column("net_roi"),
        column("reached"),
        column("converters"),
        column("conversion_rate"),
        column("cpa_minor"),
        column("aum_minor"),
    ),
    height=5,
    explains="campaign_id",
)
_VIEWS: Final = Panel(
    "campaign-views",
    Text("The period in both views of time", "本期：两种口径对照"),
    Text(
        "Event view (finance): return of the transactions of these days, cost of these days. Cohort view (decisions): "
        "cost of these days and all return their touches have earned so far, whenever it came. Business days that "
        "begin in the range; before: as many days before them, only where the run is that old. A young cohort's "
        "return is still coming: its ratio grows.",
        "事件口径（财务）：这些天的交易收益与这些天的成本。批次口径（决策）：这些天的成本，以及这些天的触达迄今带来的"
        "全部收益，不论何时到账。统计区间内开始的营业日，上期为其前相同天数，数据不足时为空。较新批次的收益仍在到来，"
        "比值还会上升。",
    ),
    "table",
    (
        _HIDDEN,
        _NAME,
        column("view", "label", label=Text("Counted by", "口径"), unit="state"),
        column("cost_minor"),
        column("cost_before_minor", "previous", label=Text("Cost, before", "成本（上期）"), unit="minor"),
        column("return_minor"),
        column("return_before_minor", "previous", label=Text("Return, before", "收益（上期）"), unit="minor"),
        column("return_ratio"),
        column(
            "return_ratio_before", "previous", label=Text("Return ÷ cost, before", "收益成本比（上期）"), unit="ratio"
        ),
        column("conversions"),
        column("new_reached", label=Text("Newly reached", "新触达客户"), unit="count"),
    ),
    width=14,
    height=8,
)
_ALERT: Final = Panel(
    "campaign-alert",
    Text("The alert and its evidence", "告警及其依据"),
    Text(
        "The campaign's newest alert as of its last look. At most: the largest settled ratio the data do not rule out "
        "at the confidence shown: an alert fires when it stays below what is required. Return that is in: how much of "
        "the expected return has come. Expected converters: how many a campaign at the required ratio would have by "
        "now. Advice: the part without which the rest is forecast to reach the limit. Only the live run has alerts.",
        "活动最近一次告警及其最后判定。至多：在所示置信度下数据不能排除的最大落定比值，持续低于要求即告警。已到收益占"
        "比：预期收益已到账的部分。预期转化：按要求比值此时应有的转化客户数。建议：去掉该部分后，其余部分预计可达到要"
        "求。只有实时运行才有告警。",
    ),
    "table",
    (
        _HIDDEN,
        column("alert_id", "hidden", label=Text("Alert id", "告警编号"), unit="text"),
        _NAME,
        column("alert_state"),
        *by_language("reason", Text("Why", "原因")),
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("forecast_ratio"),
        column("forecast_low", "low"),
        column("forecast_high", "high"),
        column("upper_bound"),
        column("confidence", label=Text("Confidence", "置信度"), unit="share"),
        column("matured_share"),
        column("converters"),
        column("converters_expected", label=Text("Expected converters", "预期转化"), unit="count"),
        column("money_at_risk_minor"),
        column("advice_segment", label=Text("Advice: without", "建议去掉"), unit="state"),
        column("advice_label", label=Text("Which", "具体"), unit="text"),
        column("ratio_without", label=Text("Ratio then", "届时比值"), unit="ratio"),
        column("decision", label=Text("Decision", "决策"), unit="state"),
        column("decided_by", label=Text("By", "决策人"), unit="text"),
        column("opened_at", label=Text("Opened", "开启时间"), unit="time"),
        column("as_of", label=Text("As of", "数据截至"), unit="time"),
    ),
    height=5,
    drill=Drill("alerts", (("campaign", "campaign_id"),)),
    explains="campaign_id",
    empty=Text(
        "Not looked at yet: an alert begins with the first look at a campaign.",
        "尚未评估：首次评估活动后才有告警记录。",
    ),
)
_RATIO: Final = Panel(
    "campaign-ratio",
    Text("Ratio so far against the limit", "累计比值与要求"),
    Text(
        "All return so far / all cost so far at the end of each business day (event view): the last point is the "
        "campaign's ratio. Beside it the ratio of the day alone, which swings, as return comes later than cost. None "
        "where nothing was spent.",
        "每个营业日结束时的累计收益 / 累计成本（事件口径）：最后一点即活动的收益成本比。旁边是当日比值，因收益晚于成本"
        "而起伏较大。无成本时为空。",
    ),
    "time",
    (
        column("time", "time"),
        _NAME,
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("day_ratio", label=Text("Of the day", "当日"), unit="ratio"),
    ),
    width=10,
    height=8,
)
_STATES: Final = Panel(
    "campaign-states",
    Text("States of the alert", "告警状态变化"),
    Text(
        "Which state the campaign's alert was in, by the time of the events it had seen (not by the clock on the "
        "wall). The last stretch goes to the end of the range.",
        "告警在各时段所处的状态，按其所见事件的时间（而非墙上时钟）。最后一段延续到区间末尾。",
    ),
    "regions",
    (
        column("time", "time"),
        column("time_end", "end", label=Text("Until", "截至"), unit="time"),
        _NAME,
        column("state", label=Text("State", "状态"), unit="state"),
    ),
    width=12,
    height=6,
    empty=Text("Not looked at in this period.", "此时间段内未评估。"),
)
_DAYS: Final = Panel(
    "campaign-days",
    Text("Cost and return by day", "每日成本与收益"),
    Text(
        "Event view: cost when it was spent, return when the transaction happened, by business day; by hour where the "
        "range is three days or shorter. The last point is still growing.",
        "事件口径：成本按发生时间，收益按交易时间，以营业日计，区间不超过三天时以小时计。最后一点仍在增长。",
    ),
    "time",
    (column("time", "time"), _NAME, column("cost_minor"), column("return_minor")),
    width=12,
)
_HISTORY: Final = Panel(
    "campaign-history",
    Text("What happened to the alert", "告警历史"),
    Text(
        "Every change of the campaign's alerts, the newest first: by the rule (no name), or by the person whose token "
        "is named. At most 200.",
        "活动告警的每次变化，最新的在前：由规则触发（无姓名）或由所列令牌的持有人操作。最多 200 条。",
    ),
    "table",
    (
        column("changed_at", label=Text("At", "时间"), unit="time"),
        _NAME,
        column("previous_state", label=Text("From", "原状态"), unit="state"),
        column("state", label=Text("To", "新状态"), unit="state"),
        column("event", label=Text("By what", "事件"), unit="state"),
        column("by", label=Text("By whom", "操作人"), unit="text"),
        *by_language("note", Text("Note", "备注")),
        column("alert_id", "hidden", label=Text("Alert id", "告警编号"), unit="text"),
    ),
    width=12,
    height=6,
    empty=Text("Not looked at yet.", "尚未评估。"),
)
_CREDITS: Final = Panel(
    "campaign-credits",
    Text("The records behind the return", "收益背后的记录"),
    Text(
        "The newest 100 credits in the range under the attribution model that decides: which transaction was credited "
        "to which touch, with what share and return. Customers appear as pseudonyms (keyed hash) only.",
        "区间内按决策归因模型的最新 100 条归因：哪笔交易归于哪次触达，占多少份额与收益。客户仅以假名（密钥哈希）出现。",
    ),
    "table",
    (
        column("converted_at", label=Text("Converted", "转化时间"), unit="time"),
        _NAME,
        column("customer_hash", label=Text("Customer", "客户"), unit="text"),
        column("transaction_event_id", label=Text("Transaction", "交易"), unit="text"),
        column("touch_event_id", label=Text("Touch", "触达"), unit="text"),
        column("touched_at", label=Text("Touched", "触达时间"), unit="time"),
        column("variant"),
        column("tier"),
        column("credit_share", label=Text("Credit", "归因份额"), unit="share"),
        column("return_minor"),
        column("aum_minor"),
    ),
    height=10,
    empty=Text("No return was credited in this period.", "此时间段内没有归因收益。"),
)
CAMPAIGN: Final = Board(
    "campaign",
    Text("Campaign", "单个活动"),
    Text(
        "For the manager of a campaign: is it worth its money, what drags it, and on which records does that rest? "
        "Choose one campaign; of several, each has rows of its own name, five at most; none chosen shows the five "
        "that cost most.",
        "供活动负责人：这个活动值不值，问题出在哪里，依据是哪些记录。请选择一个活动。选择多个时各占一行，最多五个。未"
        "选择时显示成本最高的五个。",
    ),
    ("run", "campaign"),
    (
        _FIGURES,
        _ALERT,
        _STATES,
        _HISTORY,
        _VIEWS,
        _RATIO,
        _DAYS,
        COHORTS,
        LAG,
        FUNNEL,
        MODELS,
        TIERS,
        VARIANTS,
        CHANNELS,
        COSTS,
        BUDGET,
        _CREDITS,
    ),
    latest="90d",
)
