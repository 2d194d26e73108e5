"""Board Backtest: the alert rule tried on the past, rules side by side in money."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import by_language, column
from dashboards.definitions.panel import Board, Column, Drill, Panel, Text

_EMPTY: Final = Text(
    "No backtest is kept: roi backtest --keep NAME tries the alert rule on the past of this instance, and "
    "roi backtest --costs FILE --credits FILE --keep NAME on a warehouse's export.",
    "尚未保存任何回测：roi backtest --keep NAME 在本实例的历史上试用告警规则，roi backtest --costs FILE --credits FILE "
    "--keep NAME 则用数据仓库导出的文件。",
)
_NONE_SETTLED: Final = Text(
    "No campaign of the backtest has ended so, or none is kept: roi backtest --keep NAME.",
    "回测中没有如此结束的活动，或尚未保存回测：roi backtest --keep NAME。",
)
_RULE: Final = Text("Rule", "规则")
_GAIN: Final = Text("Gain at the limit", "按要求计的净收益")
_HARM: Final = ((None, "red"), (0.0, "grey"), (1.0, "green"))


def _minor(name: str, label: Text, steps: tuple[tuple[float | None, str], ...] = ()) -> Column:
    return column(name, label=label, unit="minor", steps=steps)


def _count(name: str, english: str, chinese: str) -> Column:
    return column(name, label=Text(english, chinese), unit="count")


_AVOIDED: Final = _minor("spend_avoided_minor", Text("Spend avoided", "避免支出"))
_FORGONE: Final = _minor("return_forgone_minor", Text("Return forgone", "放弃收益"))

_HEADLINE: Final = Panel(
    "backtest-headline",
    Text("The backtest", "回测"),
    Text(
        "Campaigns whose ratio can change no more, how many of them ended below their limit, and how many are not "
        "settled yet (neither right nor wrong). Gain at the limit: over all fired on, limit × cost after the firing - "
        "return after it: what the money could have brought elsewhere at the required ratio, less what it did bring. "
        "Below zero the rule would have done harm.",
        "收益成本比已不再变化的活动数、其中最终低于要求者，以及尚未定局者（不算对错）。按要求计的净收益：对所有被告警"
        "的活"
        "动，要求 × 告警后成本 - 告警后收益，即这些钱按要求的比率在别处本可带来的收益减去实际收益；低于零则该规则有害"
        "。",
    ),
    "figures",
    (
        _count("campaigns", "Campaigns settled", "已定局活动"),
        _count("below_limit", "Ended below", "最终低于要求"),
        _count("not_settled", "Not settled", "未定局"),
        _minor("plain_gain_minor", Text("Gain, plain rule", "净收益·简单规则"), _HARM),
        _minor("default_gain_minor", Text("Gain, product's rule", "净收益·产品规则"), _HARM),
        column("from_time", label=Text("From", "自"), unit="time"),
        column("to_time", label=Text("To", "至"), unit="time"),
        column("kept_at", label=Text("Kept", "保存于"), unit="time"),
    ),
    height=4,
    empty=_EMPTY,
)

_RULES: Final = Panel(
    "backtest-rules",
    Text("Rules side by side", "规则对比"),
    Text(
        "What each rule would have done, had each campaign been stopped when it fired. plain: ratio so far below the "
        "limit; default: the rule of this product; others: files given. Rightly: ended below its limit. Too late: "
        "rightly, with nothing left to spend. Spend avoided, with the return that it had brought; return forgone of "
        "campaigns stopped wrongly, with the cost that would not have been made. Against plain: gain beyond that of "
        "the plain rule.",
        "若告警即停，各规则的结果。plain：目前收益比低于要求；default：本产品规则；其余为所给文件。正确：最终低于要求"
        "。太"
        "迟：正确但已无可省支出。避免支出及其本已带来的收益；误停活动所放弃的收益及其本不会发生的成本。较简单规则：净"
        "收益"
        "超出简单规则的部分。",
    ),
    "table",
    (
        column("rule", "label", label=_RULE),
        _AVOIDED,
        _minor("return_given_up_minor", Text("Its return", "其收益")),
        _FORGONE,
        _minor("spend_not_made_minor", Text("Its cost", "其成本")),
        _minor("gain_at_limit_minor", _GAIN, _HARM),
        _minor("beyond_plain_minor", Text("Against plain", "较简单规则"), _HARM),
        _count("fired", "Fired", "告警"),
        _count("fired_rightly", "Rightly", "正确"),
        _count("fired_wrongly", "Wrongly", "错误"),
        _count("fired_too_late", "Too late", "太迟"),
        column("precision", label=Text("Precision", "准确率"), unit="share"),
        column("recall", label=Text("Recall", "召回率"), unit="share"),
        column("days_to_fire", label=Text("Days to fire, median", "告警天数中位"), unit="days"),
    ),
    height=6,
    empty=_EMPTY,
)

_MONEY: Final = Panel(
    "backtest-money",
    Text("Rules in money", "各规则的资金结果"),
    Text(
        "By rule: cost after the firing of campaigns that ended below their limit, return after it of those that did "
        "not, and the gain of both at the limit. The return forgone is an upper bound: a customer who is not touched "
        "again may convert all the same.",
        "按规则：最终低于要求的活动告警后的成本、未低于要求的活动告警后的收益，以及二者按要求计的净收益。放弃收益为上"
        "限："
        "不再触达的客户仍可能转化。",
    ),
    "bars",
    (column("rule", "x", label=_RULE, unit="text"), _AVOIDED, _FORGONE, _minor("gain_at_limit_minor", _GAIN)),
    width=12,
    height=8,
    empty=_EMPTY,
)

_FIRED: Final = Panel(
    "backtest-fired",
    Text("Fired rightly and wrongly", "告警对错"),
    Text(
        "Settled campaigns by rule: fired on and ended below their limit, fired on and did not, and missed: ended "
        "below "
        "without the rule having fired.",
        "已定局活动按规则统计：告警且最终低于要求、告警但并未低于要求，以及漏报（低于要求而未告警）。",
    ),
    "bars",
    (
        column("rule", "x", label=_RULE, unit="text"),
        _count("fired_rightly", "Rightly", "正确"),
        _count("fired_wrongly", "Wrongly", "错误"),
        _count("missed", "Missed", "漏报"),
    ),
    width=12,
    height=8,
    empty=_EMPTY,
)


def _soon(name: str, title: Text, description: Text) -> Panel:
    return Panel(
        f"backtest-{name}",
        title,
        description,
        "line",
        (
            column("day", "x", label=Text("Days from the first touch", "距首次触达天数"), unit="days"),
            column("rule", "label", label=_RULE),
            column("share", label=Text("Fired on", "已告警占比"), unit="share"),
        ),
        width=12,
        height=8,
        empty=_NONE_SETTLED,
    )


_FOUND: Final = _soon(
    "found",
    Text("How soon bad campaigns are found", "多快发现不达标活动"),
    Text(
        "Of the campaigns that ended below their limit, the share that each rule had fired on so many days after their "
        "first touch or cost. Higher and further to the left is better.",
        "最终低于要求的活动中，各规则在首次触达或成本后若干天内已告警的占比。越高、越靠左越好。",
    ),
)
_SPARED: Final = _soon(
    "spared",
    Text("How soon good campaigns are stopped", "多快误停达标活动"),
    Text(
        "Of the campaigns that ended at or above their limit, the share that each rule would have stopped so many days "
        "after their first touch or cost. Lower is better: nothing at all is best.",
        "最终达到要求的活动中，各规则在首次触达或成本后若干天内会误停的占比。越低越好，零最好。",
    ),
)

_CAMPAIGNS: Final = Panel(
    "backtest-campaigns",
    Text("When each rule fired", "各规则何时告警"),
    Text(
        "Each campaign under each rule, those with the most money after a firing first: when it fired, counted in days "
        "from the first touch or cost, whether rightly, the settled ratio against the limit, and the money of the "
        "touches after the firing. Reason: at the firing; of one that never fired, at the last look. As JSON: "
        "roi backtest --json.",
        "各活动在各规则下的结果，告警后资金最大的在前：何时告警（距首次触达或成本的天数）、是否正确、定局收益比与要求"
        "，以及"
        "告警后触达的资金。原因：告警时的说明；从未告警者为最后一次评估的说明。JSON：roi backtest --json。",
    ),
    "table",
    (
        column("campaign_id", "hidden"),
        column("name", "label"),
        column("rule", "label", label=_RULE),
        column("fate", label=Text("Outcome", "结果"), unit="state"),
        column("days_to_fire", label=Text("Days to fire", "告警天数"), unit="days"),
        column("fired_at", label=Text("Fired", "告警时间"), unit="time"),
        column("resolved_at", label=Text("Resolved", "解除时间"), unit="time"),
        column("settled_ratio", label=Text("Settled ratio", "定局收益比"), unit="ratio"),
        column("min_return_ratio", "limit"),
        _minor("cost_after_minor", Text("Cost after", "告警后成本")),
        _minor("return_after_minor", Text("Return after", "告警后收益")),
        _minor("gain_minor", Text("Gain", "净收益"), _HARM),
        *by_language("reason", Text("Reasons", "原因")),
    ),
    height=12,
    drill=Drill("campaign", (("campaign", "campaign_id"),)),
    empty=_EMPTY,
)

BACKTEST: Final = Board(
    "backtest",
    Text("Backtest", "回测"),
    Text(
        "Would the rule have been right? The alert rule as of every step of the past, and what it would have been in "
        "money, had each campaign been stopped when it fired. The plain rule always stands beside. The time range "
        "above "
        "chooses nothing here: a backtest has its own.",
        "检验规则当时是否正确：以历史每一时点之所知评估告警规则，若告警即停，资金上会怎样，并始终与简单规则对比。上方"
        "的时间"
        "范围在此不起作用：回测有自己的时间范围。",
    ),
    ("backtest",),
    (_HEADLINE, _RULES, _MONEY, _FIRED, _FOUND, _SPARED, _CAMPAIGNS),
)
