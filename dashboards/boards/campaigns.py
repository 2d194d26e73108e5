"""Campaigns: which of them earn their money, and which one to act on first."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Board, Drill, Panel, Text

_NOT_JUDGED: Final = ("blocked_campaigns", "immature_campaigns")
_IMMATURE: Final = column("immature_campaigns", "hidden", label=Text("Too early", "为时过早"), unit="count")
_TO_CAMPAIGN: Final = Drill("campaign", (("campaign", "campaign_id"),))

_FIGURES: Final = Panel(
    "campaigns-figures",
    Text("The period, and the one before", "本期与上期"),
    Text(
        "Event view: cost by the time it was spent, return by the time of the transaction, all campaigns of the "
        "choice. Ratio = return / cost; none where nothing was spent. New converters: customers by their first "
        "credited transaction, once in each campaign. Active: campaigns with touches, cost or return. The period "
        "before is as long as the range and ends where it begins; it is shown only where the run is that old. Exact "
        "to the hour of the business day.",
        "事件口径：成本按发生时间，收益按交易时间，统计所选的全部活动。收益成本比 = 收益 / 成本，无成本时为空。新转化"
        "客户：按首笔归因交易计，每个活动各计一次。活跃活动：期内有触达、成本或收益的活动。上期与所选区间等长、紧接其"
        "前，数据不足时为空。精确到营业日的整点。",
    ),
    "figures",
    (
        column("cost_minor"),
        column("cost_before_minor", "previous", label=Text("Cost, before", "成本（上期）"), unit="minor"),
        column("return_minor"),
        column("return_before_minor", "previous", label=Text("Return, before", "收益（上期）"), unit="minor"),
        column("return_ratio"),
        column(
            "return_ratio_before", "previous", label=Text("Return ÷ cost, before", "收益成本比（上期）"), unit="ratio"
        ),
        column("new_converters", label=Text("New converters", "新转化客户"), unit="count"),
        column(
            "new_converters_before",
            "previous",
            label=Text("New converters, before", "新转化客户（上期）"),
            unit="count",
        ),
        column("active_campaigns", label=Text("Active campaigns", "活跃活动"), unit="count"),
        column(
            "active_campaigns_before",
            "previous",
            label=Text("Active campaigns, before", "活跃活动（上期）"),
            unit="count",
        ),
    ),
    width=13,
    height=4,
)
_RISK: Final = Panel(
    "campaigns-risk",
    Text("What needs a decision", "待决策事项"),
    Text(
        "Alerts as they stand now, whatever the range. Open: firing, acknowledged or decided and not yet resolved. "
        "Unanswered: firing, nobody has acknowledged it. Money at risk: what the campaigns that are judged "
        "have left to spend x (required - forecast ratio) / required, added up, whether their alerts are open or on "
        "hold; none where no budget or end is known. On hold: below, not "
        "yet long enough. Campaigns that are not judged, too early or with data at fault, are told below the open "
        "alerts: while there are some, no alert is no all-clear. Replays have no alerts.",
        "告警的当前状况，与所选区间无关。未结：告警中、已确认或已决策但尚未解除。无人应答：告警中且无人确认。风险金"
        "额：所有已评判活动（无"
        "论告警未结或待确认）的剩余待花金额 x（要求 - 预测比）/ 要求之和，预算与结束日"
        "均未知时为空。待确认：低于要求但持续时间"
        "不足。尚未评判的活动（为时过早或数据异常）列在未结告警之下：有此类活动时，没有告警并不表示一切正常。回放没有告"
        "警。",
    ),
    "figures",
    (
        column(
            "open_alerts",
            label=Text("Open alerts", "未结告警"),
            unit="count",
            steps=((None, "green"), (1, "amber")),
            doubts=_NOT_JUDGED,
        ),
        column(
            "unanswered_alerts", label=Text("Unanswered", "无人应答"), unit="count", steps=((None, "grey"), (1, "red"))
        ),
        column("money_at_risk_minor", doubts=_NOT_JUDGED),
        column("pending_alerts", label=Text("On hold", "待确认"), unit="count", steps=((None, "grey"), (1, "amber"))),
        column(
            "blocked_campaigns",
            label=Text("Data at fault", "数据异常"),
            unit="count",
            steps=((None, "green"), (1, "red")),
        ),
        _IMMATURE,
    ),
    width=11,
    height=4,
    drill=Drill("alerts"),
)
_RANKING: Final = Panel(
    "campaigns-ranking",
    Text("Campaigns against their limits", "各活动与其要求对比"),
    Text(
        "Who to act on first: alerts that wait for somebody, then the most money at risk; none is told of a campaign "
        "that is not judged yet. Ratio = return / cost since "
        "the campaign began, held against what its definition requires. Standing: the alert's state where it says "
        "something, else whether the ratio reaches the limit. Forecast: where the ratio is expected to settle, with "
        "its band, and how much of the return is in: from the alert's last look, none without one. Budget spent "
        "against time elapsed: spending ahead of the calendar is seen here. Trend: return / cost of each of the last "
        "30 business days. Shown: campaigns with anything in the range, or an open alert; at most 500. Click a "
        "campaign for its own board, a number for the records behind it.",
        "先处理谁：先是等待处理的告警，再按风险金额从大到小；尚未评判的活动不列风险金额。"
        "收益成本比 = 活动开始以来的收益 / 成本，与其定义的要求对"
        "比。状态：有告警时取告警状态，否则看是否达到要求。预测：预计最终落定的比值及区间，以及已到收益的占比，取自告"
        "警最近一次判定，没有则为空。预算进度对比时间进度，可看出花得过快的活动。走势：最近 30 个营业日每日的收益 / 成"
        "本。只列区间内有动静或有未结告警的活动，最多 500 个。点击活动进入其看板，点击数字查看背后的记录。",
    ),
    "table",
    (
        column("campaign_id", "hidden"),
        column("name", "label"),
        column("standing", label=Text("Standing", "状态"), unit="state"),
        column("money_at_risk_minor"),
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("forecast_ratio"),
        column("forecast_low", "low"),
        column("forecast_high", "high"),
        column("matured_share"),
        column("trend", label=Text("Trend, 30 days", "30 日走势"), unit="series"),
        *by_language("reason", Text("Why", "原因")),
        column(
            "spent_share",
            label=Text("Budget spent", "预算已用"),
            unit="share",
            steps=((None, "grey"), (0.9, "amber"), (1, "red")),
        ),
        column("elapsed_share", label=Text("Time elapsed", "时间已过"), unit="share"),
        column("cost_minor"),
        column("return_minor"),
        column("converters"),
        column("alert_state", "hidden"),
        column("owner"),
    ),
    height=14,
    drill=_TO_CAMPAIGN,
    explains="campaign_id",
)
_MONEY: Final = Panel(
    "campaigns-money",
    Text("Cost and return", "成本与收益"),
    Text(
        "Event view, all campaigns of the choice: by business day, each day that begins in the range; by hour where "
        "the range is three days or shorter. The last point is still growing. Return comes later than its cost: "
        "compare over weeks, not days.",
        "事件口径，所选全部活动：按营业日（区间内开始的每一天），区间不超过三天时按小时。最后一点仍在增长。收益晚于成"
        "本到来：请按周而不是按天比较。",
    ),
    "time",
    (column("time", "time"), column("cost_minor"), column("return_minor")),
    width=8,
)
_TIERS: Final = Panel(
    "campaigns-tiers",
    Text("By customer tier", "按客户层级"),
    Text(
        "Touch cost and credited return by the tier of the customer, over the campaigns' whole life. Cost events name "
        "no customer and are left out here: the ratio is that of the touches alone.",
        "按客户层级统计触达成本与归因收益，覆盖活动全程。成本事件不对应客户，未计入此处：比值只反映触达本身。",
    ),
    "bars",
    (
        column("tier", "label"),
        column("cost_minor", label=Text("Touch cost", "触达成本")),
        column("return_minor"),
        column("return_ratio", label=Text("Return ÷ touch cost", "收益与触达成本比")),
    ),
    width=6,
)
_OWNERS: Final = Panel(
    "campaigns-owners",
    Text("By owner", "按负责人"),
    Text(
        "Cost, return and ratio since the campaigns began, by the owner in their definitions, with the alerts that "
        "are open and the money at risk of all campaigns that are judged. Campaigns without an owner stand "
        "under an empty one.",
        "按定义中的负责人统计活动开始以来的成本、收益与比值，以及未结告警与全部已评判活"
        "动的风险金额。没有负责人的活动列在空行。",
    ),
    "table",
    (
        column("owner", "label"),
        column(
            "open_alerts",
            label=Text("Open alerts", "未结告警"),
            unit="count",
            steps=((None, "green"), (1, "amber")),
            doubts=_NOT_JUDGED,
        ),
        column("money_at_risk_minor", doubts=_NOT_JUDGED),
        column("return_ratio"),
        column("campaigns", label=Text("Campaigns", "活动数"), unit="count"),
        column("cost_minor"),
        column("return_minor"),
        column("blocked_campaigns", "hidden", label=Text("Data at fault", "数据异常"), unit="count"),
        _IMMATURE,
    ),
    width=10,
    drill=Drill("campaigns", (("owner", "owner"),)),
)
CAMPAIGNS: Final = Board(
    "campaigns",
    Text("Campaigns", "营销活动"),
    Text(
        "For campaign managers: what all campaigns cost and return, and which one to act on first.",
        "供活动经理查看：全部活动的成本与收益，以及最先要处理的活动。",
    ),
    ("run", "campaign", "owner"),
    (_RISK, _FIGURES, _RANKING, _MONEY, _TIERS, _OWNERS),
)
