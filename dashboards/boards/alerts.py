"""Alerts: what is open and how much money is at stake, what was decided, and whether anybody was told."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Board, Drill, Panel, Text

_TO_CAMPAIGN: Final = Drill("campaign", (("campaign", "campaign_id"),))
_HIDDEN: Final = (column("alert_id", "hidden", label=Text("Alert", "告警")), column("campaign_id", "hidden"))
_NONE_IS_GOOD: Final = ((None, "green"), (1.0, "red"))
_SOME_WAIT: Final = ((None, "green"), (1.0, "amber"))

_NOT_JUDGED: Final = ("blocked", "immature")

_HEADLINE: Final = Panel(
    "alerts-headline",
    Text("What waits for you", "待办"),
    Text(
        "Firing: nobody has taken it up yet. Acknowledged: somebody has, and no decision is made. Money at risk is "
        "that of these two: what is still to be spent * (required - forecast ratio) / required, where budget or pace "
        "is known. While campaigns are not judged, too early or with data at fault, that nothing fires is no "
        "all-clear. Fired counts alerts that fired for the first time in the period, by event time; the change is "
        "against the period of the same length before. Looked at up to: the newest event time that the rule has "
        "seen.",
        "告警中：尚无人受理。已确认：有人受理但未决策。风险金额为这两类之和：剩余待支出 × （要求 - 预测收益比） ÷ 要"
        "求，仅计预算或支出节奏已知者。尚有活动未评判（为时过早或数据异常）时，没有告警并不表示一切正常。新触发：按事件时间在本期内首次触发的告警数，变化与之前同样长度的时段相比。评"
        "估至：规则已看到的最新事件时间。",
    ),
    "figures",
    (
        column("firing", label=Text("Firing", "告警中"), unit="count", steps=_NONE_IS_GOOD, doubts=_NOT_JUDGED),
        column("acknowledged", label=Text("Acknowledged", "已确认"), unit="count", steps=_SOME_WAIT),
        column("money_at_risk_minor"),
        column("pending", label=Text("Below, on hold", "低于要求，待确认"), unit="count", steps=_SOME_WAIT),
        column("blocked", label=Text("Data at fault", "数据异常"), unit="count", steps=_SOME_WAIT),
        column("fired", label=Text("Fired", "新触发"), unit="count"),
        column("fired_before", "previous", label=Text("Fired, before", "上期新触发"), unit="count"),
        column("newest_look", label=Text("Looked at up to", "评估至"), unit="time"),
        column("immature", "hidden", label=Text("Too early", "为时过早"), unit="count"),
    ),
    height=4,
)

_OPEN: Final = Panel(
    "alerts-open",
    Text("Open alerts by money at risk", "未结告警（按风险金额）"),
    Text(
        "Alerts that are on hold, firing, acknowledged or decided, the most money at risk first. The ratio is that "
        "of the touches so far (cohort view); `at most` is the largest settled ratio that the data do not rule out "
        "at the rule's confidence; `return that is in` is how much of the touches' final return has come. Since: the "
        "newest change.",
        "待确认、告警中、已确认、已决策的告警，风险金额最大的在前。收益成本比按触达批次计算，“至多”为在规则置信度下"
        "数据尚不能排除的最大结算比，“已到收益占比”为这些触达的最终收益中已到的部分。自：最近一次状态变化。",
    ),
    "table",
    (
        *_HIDDEN,
        column("name", "label"),
        column("owner", "label"),
        column("alert_state"),
        column("return_ratio"),
        column("min_return_ratio", "limit"),
        column("upper_bound"),
        column("matured_share"),
        column("money_at_risk_minor"),
        *by_language("reason", Text("Reasons", "原因")),
        column("opened_at", label=Text("Opened", "开启"), unit="time"),
        column("changed_at", label=Text("Since", "自"), unit="time"),
    ),
    height=10,
    drill=_TO_CAMPAIGN,
    explains="campaign_id",
    empty=Text("No alert is open.", "没有未结告警。"),
)

_STATES: Final = Panel(
    "alerts-states",
    Text("Campaigns by alert state", "各状态活动数"),
    Text(
        "How many campaigns stand in each state, by their newest alert: a campaign has one from the first look at it "
        "on.",
        "按各活动最新的告警统计处于各状态的活动数。活动自首次评估起即有一条告警记录。",
    ),
    "bars",
    (column("alert_state", "x"), column("campaigns", label=Text("Campaigns", "活动数"), unit="count")),
    width=8,
)

_TIMELINE: Final = Panel(
    "alerts-timeline",
    Text("States over time", "状态时间线"),
    Text(
        "The state of each campaign in event time: a change stands at the newest event that had been looked at. "
        "Campaigns that were too early or watched all the time are left out.",
        "各活动状态随事件时间的变化：每次变化记在当时已评估到的最新事件时间上。整段时间都在“为时过早”或“观察中”的活"
        "动不显示。",
    ),
    "regions",
    (
        column("time", "time"),
        column("end", "end", label=Text("Until", "至"), unit="time"),
        column("name", "label"),
        column("alert_state"),
        column("campaign_id", "hidden"),
        column("alert_id", "hidden", label=Text("Alert", "告警")),
    ),
    width=16,
    height=9,
    drill=_TO_CAMPAIGN,
    empty=Text("No alert has been in any state in this period.", "此时间段内没有告警。"),
)

_DECIDED: Final = Panel(
    "alerts-decided",
    Text("What decisions came to", "决策成效"),
    Text(
        "Alerts by their newest decision within the period. Spend avoided is what would have gone out in the week "
        "after at the pace of the week before, no further than the budget and the campaign's end, less what did; "
        "summed over decisions to stop or optimise whose week is over. It says nothing of what the money would have "
        "earned.",
        "本期内各告警最新的决策。避免支出 = 若按决策前一周的节奏，其后一周本应支出的金额（不超过预算与活动结束）减去"
        "实际支出，对已满一周的停止与优化决策求和。它不表示这些钱本可带来多少收益。",
    ),
    "figures",
    (
        column("decisions", label=Text("Decisions", "决策数"), unit="count"),
        column("stops", label=Text("Stop", "停止"), unit="count"),
        column("optimisations", label=Text("Optimise", "优化"), unit="count"),
        column("continuations", label=Text("Continue", "继续"), unit="count"),
        column("settled", label=Text("A week old", "已满一周"), unit="count"),
        column("spend_avoided_minor", label=Text("Spend avoided", "避免支出"), unit="minor"),
    ),
    width=24,
    height=4,
    empty=Text("Nobody has decided about an alert in this period.", "此时间段内没有决策。"),
)

_DECISIONS: Final = Panel(
    "alerts-decisions",
    Text("Decisions and what became of them", "决策及其后果"),
    Text(
        "The newest decision about each alert: who, why, and the campaign's money in the 7 days of event time before "
        "and after it (event view: money at its own time). The week after is told when it is over; days so far says "
        "how much of it has passed. Spend avoided as in the figures beside; a decision to continue avoids nothing.",
        "各告警最新的决策：谁、为何，以及决策前后各 7 天（事件时间，资金按其发生时间）的收支。后一周满期后才显示，“"
        "已过天数”表示进度。避免支出口径同左，“继续”不计避免支出。",
    ),
    "table",
    (
        *_HIDDEN,
        column("decided_at", label=Text("Decided", "决策时间"), unit="time"),
        column("name", "label"),
        column("owner", "label"),
        column("decision", label=Text("Decision", "决策"), unit="state"),
        column("decided_by", label=Text("By", "决策人"), unit="text"),
        column("approved_by", label=Text("Approved by", "批准人"), unit="text"),
        column("note", label=Text("Why", "理由"), unit="text"),
        column("days_so_far", label=Text("Days so far", "已过天数"), unit="days"),
        column("ratio_before", label=Text("Ratio, week before", "前一周收益比"), unit="ratio"),
        column("ratio_after", label=Text("Ratio, week after", "后一周收益比"), unit="ratio"),
        column("cost_before_minor", label=Text("Cost, week before", "前一周成本"), unit="minor"),
        column("cost_after_minor", label=Text("Cost, week after", "后一周成本"), unit="minor"),
        column("spend_avoided_minor", label=Text("Spend avoided", "避免支出"), unit="minor"),
    ),
    height=7,
    drill=_TO_CAMPAIGN,
    empty=Text("Nobody has decided about an alert in this period.", "此时间段内没有决策。"),
)

_BLOCKED: Final = Panel(
    "alerts-blocked",
    Text("Campaigns whose data are at fault", "数据异常的活动"),
    Text(
        "No campaign is blamed while its data are at fault: its alert waits in this state and goes back to the one "
        "before when the fault is mended. The fault is told as it was found.",
        "数据异常期间不评判任何活动：告警停在此状态，异常消除后回到之前的状态。异常按发现时所述显示。",
    ),
    "table",
    (
        *_HIDDEN,
        column("name", "label"),
        column("owner", "label"),
        column("changed_at", label=Text("Since", "自"), unit="time"),
        column("state_before", label=Text("State before", "之前状态"), unit="state"),
        *by_language("fault", Text("Fault", "异常")),
        column("money_at_risk_minor"),
    ),
    width=12,
    drill=Drill("operations"),
    height=6,
    empty=Text("No campaign's data are at fault.", "没有数据异常的活动。"),
)

_DELIVERIES: Final = Panel(
    "alerts-deliveries",
    Text("Deliveries by receiver", "通知投递"),
    Text(
        "Notices by receiver and how far they are: sent, waiting to be sent (whenever made), suppressed by a "
        "silence, dead (given up; `roi alerts deliveries` and its retry send them again). Newest error: of the "
        "newest notice that has one.",
        "各接收方的通知状态：已送达、待发送（不限时段）、因静默未发、放弃（可用 roi alerts deliveries 重发）。最近错"
        "误：最近一条有错误的通知所记。",
    ),
    "table",
    (
        column("receiver", "label", label=Text("Receiver", "接收方")),
        column("sent", label=Text("Sent", "已送达"), unit="count"),
        column("waiting", label=Text("Waiting", "待发送"), unit="count", steps=_SOME_WAIT),
        column("suppressed", label=Text("Suppressed", "静默未发"), unit="count"),
        column("dead", label=Text("Dead", "放弃"), unit="count", steps=_NONE_IS_GOOD),
        column("last_sent_at", label=Text("Last sent", "最近送达"), unit="time"),
        column("last_error", label=Text("Newest error", "最近错误"), unit="text"),
    ),
    width=24,
    height=7,
    empty=Text("Nobody was told of an alert in this period.", "此时间段内没有发出通知。"),
)

_SILENCES: Final = Panel(
    "alerts-silences",
    Text("Silences", "静默"),
    Text(
        "Silences in force, whenever they were made, and those that ended in the period. A silenced alert changes "
        "its state as ever and tells nobody but its recovery.",
        "生效中的静默（不限时段）及本期内结束的静默。被静默的告警状态照常变化，除恢复外不通知任何人。",
    ),
    "table",
    (
        column("silence_id", "hidden", label=Text("Silence", "静默")),
        column("campaign_id", "hidden"),
        column("name", "label"),
        column("owner", "label"),
        column("state", label=Text("State", "状态"), unit="state"),
        column("until", label=Text("Until", "至"), unit="time"),
        column("by", label=Text("By", "设置人"), unit="text"),
        column("reason", label=Text("Reason", "理由"), unit="text"),
        column("changed_at", label=Text("Changed", "变更时间"), unit="time"),
    ),
    width=12,
    height=6,
    empty=Text(
        "No silence is in force, and none has ended in this period.", "没有生效中的静默，此时间段内也没有结束的静默。"
    ),
)

ALERTS: Final = Board(
    "alerts",
    Text("Alerts", "告警"),
    Text(
        "For whoever acts: which alerts are open and what they put at risk, what was decided and what came of it, "
        "and whether the people who must know were told.",
        "供处置人员查看：哪些告警未结、风险多大，作过什么决策、结果如何，以及该知道的人是否已收到通知。",
    ),
    ("campaign", "owner"),
    (_HEADLINE, _OPEN, _TIMELINE, _STATES, _DECIDED, _DECISIONS, _BLOCKED, _SILENCES, _DELIVERIES),
)
