"""Operations: how the pipeline itself does; what ClickHouse knows on every board, what Prometheus knows on Grafana."""

from __future__ import annotations

from typing import Final

from dashboards.boards.operations_rates import RATES
from dashboards.definitions.columns import column
from dashboards.definitions.panel import Board, Panel, Text

_NONE_IS_GOOD: Final = ((None, "green"), (1.0, "red"))
_TOPIC: Final = column("topic", "label", label=Text("Topic", "主题"), unit="text")
_ACCEPTED: Final = column("accepted", label=Text("Accepted", "已采纳"), unit="count")
_DUPLICATES: Final = column("duplicates", label=Text("Duplicates", "重复"), unit="count")
_REFUSED: Final = column("refused", label=Text("Refused", "拒收"), unit="count")
_BEHIND: Final = column(
    "behind_seconds",
    label=Text("Behind", "落后"),
    unit="seconds",
    steps=((None, "green"), (900.0, "amber"), (86_400.0, "red")),
)
_EVALUATOR_AGE: Final = column(
    "evaluator_age_seconds",
    label=Text("Evaluator seen", "评估器心跳"),
    unit="seconds",
    steps=((None, "green"), (15.0, "red")),
)
_BLOCK_AT: Final = column("newest_block_at", label=Text("Newest block", "最新写入"), unit="time")
_NEWEST: Final = column("newest_at", label=Text("Newest", "最近一次"), unit="time")
_CAUSE: Final = column("cause", label=Text("Cause", "原因"), unit="text")

_HEADLINE: Final = Panel(
    "operations-headline",
    Text("Is everything read and written?", "读写是否正常"),
    Text(
        "Events of the run that count, re-sent ones that were dropped, and refused records, since its beginning. "
        "Newest block: when the ledger was written last; on an idle bank that may be long ago. Ended by a fault: "
        "workers that ended by a fault of their own within a day and said so; one that was killed is not counted here, "
        "`roi status` tells of it. Evaluator seen: age of the sign of life of who decides about alerts; more than 15 "
        "s, and nobody does.",
        "本运行自始以来采纳的事件、丢弃的重发事件及拒收记录。最新写入：账本最近一次写入时间，银行空闲时可能较久。"
        "因故障退出：一天内因自身故障退出并留下记录的工作进程；被杀死的进程不计"
        "入，见 roi status。评估器心跳：负责告警决策者最近心跳距今，超过 15 秒即无人评估。",
    ),
    "figures",
    (
        _ACCEPTED,
        _DUPLICATES,
        _REFUSED,
        _BLOCK_AT,
        column("block_age_seconds", label=Text("Age of it", "距今"), unit="seconds"),
        column("halted", label=Text("Halted topics", "停读主题"), unit="count", steps=_NONE_IS_GOOD),
        column("deaths", label=Text("Ended by a fault, 1 d", "一天内因故障退出"), unit="count", steps=_NONE_IS_GOOD),
        _EVALUATOR_AGE,
    ),
    height=4,
)

_TOPICS: Final = Panel(
    "operations-topics",
    Text("Topics", "主题"),
    Text(
        "What became of each topic's records, all partitions together. Shares are of all its records. Watermark: the "
        "newest event of the topic. Behind: how far its slowest partition is behind the newest event of any topic, "
        "in event time; a topic that nobody writes to falls behind, too, until it follows the others. Lag in records "
        "is on Grafana (roi_lag_records).",
        "各主题全部分区的记录去向，占比按该主题全部记录计。水位：该主题最新事件时间。落后：其最慢分区比所有主题的最"
        "新事件落后多少（事件时间），无人写入的主题也会落后，直到跟随其他主题。按条数的积压见 Grafana（"
        "roi_lag_records）。",
    ),
    "table",
    (
        _TOPIC,
        column("state", label=Text("State", "状态"), unit="state"),
        column("partitions", label=Text("Partitions", "分区数"), unit="count"),
        _ACCEPTED,
        _DUPLICATES,
        _REFUSED,
        column("duplicate_share", label=Text("Share of duplicates", "重复占比"), unit="share"),
        column(
            "refused_share",
            label=Text("Share refused", "拒收占比"),
            unit="share",
            steps=((None, "green"), (0.01, "amber"), (0.05, "red")),
        ),
        column("watermark", label=Text("Watermark", "水位"), unit="time"),
        _BEHIND,
        _BLOCK_AT,
        column("block_age_seconds", label=Text("Age of it", "距今"), unit="seconds"),
    ),
    height=7,
)

_HALTS: Final = Panel(
    "operations-halts",
    Text("Halted topics", "停读的主题"),
    Text(
        "Topics that no worker reads until somebody resumes them (`roi resume TOPIC`), with the first cause that was "
        "found. Nothing is lost while the topic keeps its records.",
        "在恢复（roi resume TOPIC）之前没有工作进程读取的主题，及最先发现的原因。主题保留期内不会丢失数据。",
    ),
    "table",
    (
        _TOPIC,
        column("kind", label=Text("Kind", "类型"), unit="text"),
        _CAUSE,
        column("remedy", label=Text("Remedy", "处理办法"), unit="text"),
        column("halted_at", label=Text("Since", "自"), unit="time"),
    ),
    width=12,
    height=6,
    empty=Text("No topic is halted.", "没有停读的主题。"),
)

_EVALUATOR: Final = Panel(
    "operations-evaluator",
    Text("Who decides about alerts", "告警评估器"),
    Text(
        "The newest sign of life of the newest claim: up to which event time it has looked at how many campaigns, "
        "how long one look takes, how old it was, and what kept it from its work in its own words.",
        "最新一任评估器的最近心跳：已评估到的事件时间与活动数、一次评估耗时、当时距上次评估多久，以及妨碍其工作的原"
        "因。",
    ),
    "table",
    (
        column("state", label=Text("State", "状态"), unit="state"),
        column("owner", label=Text("Instance", "实例"), unit="text"),
        column("epoch", label=Text("Claim", "任期"), unit="text"),
        _EVALUATOR_AGE,
        column("as_of", label=Text("Looked at up to", "评估至"), unit="time"),
        column("campaigns", label=Text("Campaigns", "活动数"), unit="count"),
        column("turn_seconds", label=Text("Time of a look", "评估耗时"), unit="seconds"),
        column("turn_age_seconds", label=Text("Age of the look", "距上次评估"), unit="seconds"),
        column("reasons", label=Text("Trouble", "障碍"), unit="text"),
    ),
    width=12,
    height=6,
    empty=Text("Nobody decides about alerts: start roi alerts run.", "没有实例在评估告警，请启动 roi alerts run。"),
)

_LETTERS: Final = Panel(
    "operations-refused",
    Text("Dead letters by reason", "拒收记录（按原因）"),
    Text(
        "Records refused in the range, by the clock on the wall, by topic and reason. The detail names field and "
        "rule of the newest one, never a value; its place is partition:offset. `roi dlq list` shows them, `roi dlq "
        "retry` sends them again.",
        "范围内（按实际时间）拒收的记录，按主题与原因。细节为最近一条的字段与规则，绝不含取值，位置为 分区：偏移。"
        "roi dlq list 查看，roi dlq retry 重发。",
    ),
    "table",
    (
        _TOPIC,
        column("reason", "label", label=Text("Reason", "原因"), unit="text"),
        column("letters", label=Text("Records", "记录数"), unit="count"),
        _NEWEST,
        column("newest_detail", label=Text("Detail of the newest", "最近一条细节"), unit="text"),
        column("newest_place", label=Text("Its place", "位置"), unit="text"),
    ),
    width=12,
    height=6,
    empty=Text("No record was refused in this period.", "此时间段内没有拒收记录。"),
)

_DEATHS: Final = Panel(
    "operations-deaths",
    Text("Workers that ended by a fault", "因自身故障退出的工作进程"),
    Text(
        "Workers that ended by a fault of their own in the range, in their own words; they are kept for 30 days. One "
        "that was killed could tell nothing and is not here: `roi status` tells of it.",
        "范围内因自身故障退出的工作进程及其所述原因，保留 30 天。被杀死的进程无法留下记录，不在此列，见 roi status。",
    ),
    "table",
    (
        column("at", label=Text("When", "时间"), unit="time"),
        column("host", "label", label=Text("Host", "主机"), unit="text"),
        column("owner", label=Text("Process", "进程"), unit="text"),
        _CAUSE,
    ),
    width=12,
    height=6,
    empty=Text(
        "No worker told of a fault that ended it in this period. One that was killed is not counted here.",
        "此时间段内没有工作进程因自身故障退出。被杀死的进程不计入。",
    ),
)

_LOG_FAULTS: Final = Panel(
    "operations-log-faults",
    Text("Logs that were not what they had been", "日志异常"),
    Text(
        "Topics found recreated, cut short or with records deleted before they were read, in the range: how many "
        "records the broker has lost, and how many its retention removed unread.",
        "范围内发现被重建、被截断或有记录未读即被删除的主题：代理丢失的记录数，以及因保留期未读即删除的记录数。",
    ),
    "table",
    (
        _TOPIC,
        column("fault", "label", label=Text("Fault", "异常"), unit="text"),
        column("partitions", label=Text("Partitions", "分区数"), unit="count"),
        column("lost_by_broker", label=Text("Lost by the broker", "代理丢失"), unit="count"),
        column("deleted_unread", label=Text("Deleted unread", "未读即删"), unit="count"),
        _NEWEST,
    ),
    width=12,
    height=6,
    empty=Text("Every log is what it had been.", "所有日志均与此前一致。"),
)

_PARTITIONS: Final = Panel(
    "operations-partitions",
    Text("Partitions, the slowest first", "分区（最慢在前）"),
    Text(
        "How far each topic partition is durable: the first offset that is not, the events that count, the newest "
        "event, and how far that is behind the newest event of any topic. A partition without any event comes first.",
        "各主题分区已持久化到哪里：第一个未持久化的偏移、已采纳事件数、最新事件，及其比所有主题的最新事件落后多少。"
        "尚无事件的分区排在最前。",
    ),
    "table",
    (
        _TOPIC,
        column("partition", "label", label=Text("Partition", "分区"), unit="count"),
        column("next_offset", label=Text("Next offset", "下一偏移"), unit="count"),
        _ACCEPTED,
        column("watermark", label=Text("Watermark", "水位"), unit="time"),
        _BEHIND,
        _BLOCK_AT,
    ),
    width=12,
    height=6,
)

OPERATIONS: Final = Board(
    "operations",
    Text("Operations", "运行状况"),
    Text(
        "For who runs it: is every topic read, how fresh are the numbers, what was refused and why, and does "
        "somebody decide.",
        "供运维查看：各主题是否都在读取、数字有多新、拒收了什么及原因、是否有人在评估告警。",
    ),
    ("run",),
    (_HEADLINE, _TOPICS, _HALTS, _EVALUATOR, _LETTERS, _DEATHS, _LOG_FAULTS, _PARTITIONS, *RATES),
    latest="7d",
)
