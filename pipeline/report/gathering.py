"""What a campaign's report is made from: its board's panels, its alert, and what the run counts with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboards.definitions.macros import TimeRange, expand
from dashboards.definitions.panel import Text
from dashboards.registry import BOARDS
from pipeline.alerts.delivery.texts import Wording, text_of
from pipeline.alerts.views import AlertViews
from pipeline.build import VERSION
from pipeline.clickhouse import sql
from pipeline.clickhouse.answers import ask
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from pipeline.operations.runs import check_run
from pipeline.report.building import definitions, read_in, section, without
from pipeline.report.document import Document, Section, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.formats import Style
    from pipeline.settings import Settings

_BOARD: Final = "campaign"
_MOST_ROWS: Final = 2_000
_SAID: Final = frozenset({"campaign_id", "name"})
_TALKING: Final = frozenset({"pending", "firing", "acknowledged", "decided", "blocked", "resolved"})
_ALERT: Final = Text("Alert", "告警")
_FACTS: Final = (
    Text("Campaign {campaign}, run {run}", "活动 {campaign},运行 {run}"),
    Text("Period {start} to {end}", "时间段 {start} 至 {end}"),
    Text("Newest event {latest}", "最新事件 {latest}"),
)
_FOOT: Final = Text("Campaign ROI {version}, written {now}", "营销 ROI {version},生成于 {now}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is about; where an instant (epoch milliseconds) is None: its first day, the newest event."""

    campaign: str
    run: str
    first_ms: int | None = None
    last_ms: int | None = None


def gather(settings: Settings, asked: Asked, style: Style) -> Document:
    """Read everything and return the report.

    Raises:
        UserError: the campaign or run is unknown, or ClickHouse does not answer.
    """
    reader = Reader(settings)
    found = reader.rows(
        sql.query("report_campaign", settings.clickhouse_database),
        {"run": asked.run, "campaign": asked.campaign, "zone": style.zone},
    )
    if not found:
        check_run(reader, settings.clickhouse_database, asked.run)
        raise UserError(
            f"the run {asked.run[:40]!r} has no campaign {asked.campaign[:64]!r}",
            "roi forecast lists the campaigns that have events, roi campaigns list those that are defined",
        )
    (campaign,) = found
    start = campaign["first_ms"] if asked.first_ms is None else asked.first_ms
    end = campaign["latest_ms"] if asked.last_ms is None else asked.last_ms
    if start >= end:
        raise UserError("the period ends before it begins", "correct --from and --to")
    times = TimeRange.between(start, end)
    values = {"run": [asked.run], "campaign": [asked.campaign], "tier": [], "owner": []}
    board = next(board for board in BOARDS if board.id == _BOARD)
    shown = [
        read_in(*without(panel, ask(reader, expand(panel.sql, times, values), _MOST_ROWS).rows, _SAID), style.language)
        for panel in board.panels
        if panel.source == "clickhouse"
    ]
    sections = [section(panel, rows, style) for panel, rows in shown]
    alert = _alert(settings, reader, asked, style)
    spoken = {
        "campaign": asked.campaign,
        "run": asked.run,
        "start": style.instant(start),
        "end": style.instant(end),
        "latest": style.instant(campaign["latest_ms"]),
    }
    return Document(
        style.language,
        campaign["name"] or asked.campaign,
        tuple(style.say(fact).format(**spoken) for fact in _FACTS),
        (*([alert] if alert else []), *sections, definitions(shown, style)),
        style.say(_FOOT).format(version=VERSION, now=style.instant(time.time_ns() // 1_000_000)),
    )


def _alert(settings: Settings, reader: Reader, asked: Asked, style: Style) -> Section | None:
    """Return what a receiver would be told of the campaign now; nothing where nobody would be told anything."""
    if asked.run != "live":
        return None
    views = AlertViews(reader, settings.clickhouse_database)
    rows = sorted(views.plain(campaign=asked.campaign), key=lambda row: str(row["opened_at"]))
    record: Mapping[str, Any] | None = (views.alert(rows[-1]["alert_id"]) or {}).get("record") if rows else None
    if not record or record["state"] not in _TALKING:
        return None
    message = {"type": f"alert.{record['state']}", "data": record}
    told = text_of([(message, False)], Wording(style.language, style.currency))
    return Section(style.say(_ALERT), told.title, Words(tuple(told.body.splitlines())))
