"""Faults of the data in words, English and Chinese. They stay the same while a fault lasts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.alerts.sayings import Language, Saying
from schemas.topics import COSTS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.faults import Code, DataFault

_FEEDS: Final = {TOUCHES: ("touches", "触达"), TRANSACTIONS: ("transactions", "交易"), COSTS: ("costs", "成本")}
_WORDS: Final[dict[Code, tuple[str, str]]] = {
    "lag": ("lag: {feed} are more than {lag} s behind", "数据延迟：{feed}数据落后超过 {lag} 秒"),
    "catching_up": ("lag: {feed} are being caught up with", "数据延迟：正在补处理积压的{feed}数据"),
    "standing": (
        "lag: some {feed} wait while others are counted, as when a worker is taken over from",
        "数据延迟：部分{feed}数据在等待，其余已计入，如工作进程正在交接",
    ),
    "unmeasured": (
        "lag: not known, Kafka has not said yet where its logs end",
        "数据延迟：未知，Kafka 尚未告知日志末尾位置",
    ),
    "unanswered": (
        "lag: not known, Kafka no longer says where its logs end",
        "数据延迟：未知，Kafka 不再告知日志末尾位置",
    ),
    "halted": (
        "halted: {topic} is not read; see roi status, then roi resume {topic}",
        "已停止读取 {topic}。请查看 roi status，然后执行 roi resume {topic}",
    ),
    "dead_letters": (
        "dead letters: more than {dead_letters} of the newest {feed} are refused; see roi dlq list",
        "死信过多：最新{feed}数据中超过 {dead_letters} 被拒绝。请查看 roi dlq list",
    ),
    "duplicates": (
        "duplicates: more than {duplicates} of the newest {feed} are copies; look at what sends them",
        "重复过多：最新{feed}数据中超过 {duplicates} 为重复。请检查发送方",
    ),
    "stands": (
        "transactions stand while touches or logins go on: returns are missing",
        "交易数据停滞，而触达或登录仍在继续：回报缺失",
    ),
    "no_transactions": ("no transactions have come yet: returns are missing", "尚未收到任何交易数据：回报缺失"),
    "silent_cost": (
        "cost feed silent: cost events came regularly and have stopped, touches go on",
        "成本数据中断：此前定期到达，现已停止，而触达仍在继续",
    ),
    "free_touches": (
        "touches without cost: they had one before and go on without",
        "触达缺少成本：此前有成本，现在没有",
    ),
}
"""Words of every code of `pipeline.alerts.faults`."""


_PLACE: Final[dict[Language, int]] = {"en": 0, "zh": 1}
_YOUNG: Final = (
    "as last recorded: the feeds have been watched for less than {lag} s since a start",
    "沿用此前记录：启动后对数据源的观察尚不足 {lag} 秒",
)
_UNJUDGED: Final = (
    "not judged: its figures make the program fail; see the log of roi alerts run, the other campaigns are judged",
    "未判定：该活动的数据使程序出错。请查看 roi alerts run 的日志；其他活动照常判定",
)


def young_text(settings: AlertSettings) -> Saying:
    """Return why blocks of an earlier process stand for a while."""
    lag = f"{settings.lag_seconds:g}"
    return Saying.made(lambda language: _YOUNG[_PLACE[language]].format(lag=lag), settings.language)


def unjudged_text(language: Language) -> Saying:
    """Return why a campaign is not judged whose figures make the program itself fail."""
    return Saying.made(lambda one: _UNJUDGED[_PLACE[one]], language)


def fault_text(fault: DataFault, settings: AlertSettings) -> Saying:
    """Return a fault in words."""
    return Saying.made(lambda language: _fault(fault, settings, _PLACE[language]), settings.language)


def _fault(fault: DataFault, settings: AlertSettings, place: int) -> str:
    return _WORDS[fault.code][place].format(
        topic=fault.topic,
        feed=_FEEDS[fault.topic][place],
        lag=f"{settings.lag_seconds:g}",
        dead_letters=f"{100 * settings.dead_letter_share:g} %",
        duplicates=f"{100 * settings.duplicate_share:g} %",
    )
