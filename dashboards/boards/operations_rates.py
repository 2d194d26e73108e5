"""Panels of the board Operations that Prometheus answers: rates, latencies and sizes, on Grafana only."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Column, Panel, Text, Unit

_TIME: Final = column("time", "time")
_HALF: Final = Text("Half within", "一半在内")
_MOST: Final = Text("95 % within", "95% 在内")
_NEARLY_ALL: Final = Text("99 % within", "99% 在内")


def _label(name: str, english: str, chinese: str) -> Column:
    return column(name, "label", label=Text(english, chinese), unit="text")


_TOPIC: Final = _label("topic", "Topic", "主题")
_OUTCOME: Final = _label("outcome", "Outcome", "结果")
_INSTANCE: Final = _label("instance", "Instance", "实例")


def _lines(
    name: str, title: Text, description: Text, labels: tuple[Column, ...], values: tuple[tuple[str, Text, Unit], ...]
) -> Panel:
    """Return a panel with a line per series; ``values``: one per expression, in their order."""
    columns = (_TIME, *labels, *(column(value, label=label, unit=unit) for value, label, unit in values))
    return Panel(f"operations-{name}", title, description, "time", columns, width=12, source="prometheus")


_RATES: Final = (
    _lines(
        "throughput",
        Text("Events per second", "每秒事件数"),
        Text(
            "Events taken in per second over the last minute, by topic, all workers together, whatever became of them.",
            "最近一分钟每秒接收的事件，按主题，全部工作进程合计，不论结果。",
        ),
        (_TOPIC,),
        (("events", Text("Events", "事件"), "rate"),),
    ),
    _lines(
        "lag",
        Text("Records not visible yet", "积压记录"),
        Text(
            "Records of the owned partitions that are in Kafka and not in the ledger yet, looked up every 10 s by "
            "each worker.",
            "已在 Kafka、尚未进入账本的记录，各工作进程每 10 秒查询一次。",
        ),
        (_TOPIC,),
        (("lag", Text("Records", "记录"), "count"),),
    ),
    _lines(
        "freshness",
        Text("From Kafka to visible", "从写入到可见"),
        Text(
            "Age of the oldest record of a batch, by its Kafka timestamp, when its block was acknowledged: quantiles "
            "over five minutes of all topics, from histogram buckets.",
            "批次中最旧记录（按 Kafka 时间戳）在写入确认时的时长：全部主题五分钟内的分位数，由直方图估算。",
        ),
        (),
        (("half", _HALF, "seconds"), ("most", _MOST, "seconds"), ("nearly_all", _NEARLY_ALL, "seconds")),
    ),
    _lines(
        "blocks",
        Text("Time to write a block", "写入耗时"),
        Text(
            "Time from sending a block to ClickHouse to its acknowledgement: quantiles over five minutes, all workers.",
            "从发送区块到 ClickHouse 确认的时间：五分钟内的分位数，全部工作进程。",
        ),
        (),
        (("half", _HALF, "seconds"), ("nearly_all", _NEARLY_ALL, "seconds")),
    ),
    _lines(
        "refusal-rate",
        Text("Refused records per second", "每秒拒收记录"),
        Text(
            "Records refused per second over five minutes, by topic and reason; reasons that do not occur are left "
            "out.",
            "五分钟内每秒拒收的记录，按主题与原因，未出现的原因不显示。",
        ),
        (_TOPIC, _label("reason", "Reason", "原因")),
        (("letters", Text("Records", "记录"), "rate"),),
    ),
    _lines(
        "block-outcomes",
        Text("Blocks by outcome", "区块（按结果）"),
        Text(
            "Blocks per second over five minutes: written; retried, while ClickHouse does not take them; fenced, of "
            "a worker whose partitions another one has taken over.",
            "五分钟内每秒区块数：written 已写入，retried 因 ClickHouse 未接受而重试，fenced 为分区已被他人接管的进程"
            "所写、被拒绝。",
        ),
        (_OUTCOME,),
        (("blocks", Text("Blocks", "区块"), "rate"),),
    ),
    _lines(
        "writes",
        Text("Ledger rows per second", "每秒账本行数"),
        Text(
            "Rows made durable per second over the last minute, all workers together.",
            "最近一分钟每秒持久化的行数，全部工作进程合计。",
        ),
        (),
        (("rows", Text("Rows", "行"), "rate"),),
    ),
    _lines(
        "bytes",
        Text("Ledger bytes per second", "每秒账本字节"),
        Text(
            "Bytes of the blocks made durable per second over the last minute, before ClickHouse compresses them.",
            "最近一分钟每秒持久化的区块字节数（ClickHouse 压缩前）。",
        ),
        (),
        (("bytes", Text("Bytes per second", "字节/秒"), "bytes"),),
    ),
    _lines(
        "customers",
        Text("Customers in memory", "内存中的客户"),
        Text(
            "Customers with any state in the memory of each worker: those of whom something can still change.",
            "各工作进程内存中仍有状态的客户，即其数字仍可能变化者。",
        ),
        (_INSTANCE,),
        (("customers", Text("Customers", "客户"), "count"),),
    ),
    _lines(
        "memory",
        Text("Memory", "内存"),
        Text(
            "Resident memory of each worker and evaluator, as its operating system tells it.",
            "各工作进程与评估器的常驻内存，由操作系统给出。",
        ),
        (_label("job", "Part", "组件"), _INSTANCE),
        (("memory", Text("Memory", "内存"), "bytes"),),
    ),
    _lines(
        "turns",
        Text("Looks at the campaigns", "活动评估"),
        Text(
            "Time of one look at all campaigns with its changes made durable, quantiles over five minutes; and how "
            "old the newest look of the deciding instance is: one a second is usual.",
            "一次评估全部活动并持久化变化的耗时（五分钟分位数），以及当值评估器最近一次评估距今多久：通常每秒一次。",
        ),
        (),
        (
            ("half", _HALF, "seconds"),
            ("nearly_all", _NEARLY_ALL, "seconds"),
            ("age", Text("Age of the newest", "最近一次距今"), "seconds"),
        ),
    ),
    _lines(
        "notices",
        Text("Notices by outcome", "通知（按结果）"),
        Text(
            "Attempts within five minutes to tell a receiver of an alert, by outcome; a dead one was given up.",
            "五分钟内向接收方发送告警通知的尝试，按结果，dead 为已放弃。",
        ),
        (_OUTCOME,),
        (("notices", Text("Attempts", "尝试"), "count"),),
    ),
    _lines(
        "waiting",
        Text("Messages and notices that wait", "待发送"),
        Text(
            "Messages for Kafka and notices for receivers that wait to be sent. None is lost while it waits.",
            "等待发往 Kafka 的消息与等待发给接收方的通知，等待期间不会丢失。",
        ),
        (_label("kind", "Kind", "类型"),),
        (("waiting", Text("Waiting", "待发送"), "count"),),
    ),
)
RATES: Final = (*_RATES[:-3], *(replace(panel, width=8) for panel in _RATES[-3:]))
"""Two a row, and the three about alerts in one."""
