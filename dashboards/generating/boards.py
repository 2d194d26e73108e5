"""Boards as Grafana's Classic JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from zlib import crc32

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, GridPos, VariableHide

from dashboards.definitions.panel import SQL, WIDTH, Text
from dashboards.definitions.variables import VARIABLES
from dashboards.generating.charts import drawn, figures_panel
from dashboards.generating.fields import change_overrides, chart_links, config_of, defaults_of, overrides_of
from dashboards.generating.links import board_links
from dashboards.generating.queries import changes
from dashboards.generating.targets import CLICKHOUSE, ClickHouse, ClickHouseQuery, source_of, targets_of
from dashboards.generating.variables import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel as GrafanaPanel
    from grafana_foundation_sdk.models.dashboard import VariableModel

    from dashboards.definitions.panel import Board, Panel
    from dashboards.generating.edition import Edition

CHANGE_HEIGHT: Final = 3
_ALERTS: Final = Text("Alerts", "告警")
_CHANGES: Final = Text("Change against the period before", "较上期变化")
_CHANGES_ARE: Final = Text(
    "The figures above against the same of the period before, as a share of it; percentage points (pp) where the "
    "figure is a share itself. Nothing where nothing was before.",
    "上方各指标与上期相比的变化率；指标本身为占比时为百分点（pp）差。上期没有数据时不显示。",
)


def panel_id(name: str) -> int:
    """Return the number of a panel: of its name alone, so that links and alert rules outlive changes of a board."""
    return crc32(name.encode()) % 1_000_000 + 1


def board_json(board: Board, edition: Edition) -> str:
    """Return a board's file: the same text for the same definitions."""
    built = (
        dashboard.Dashboard(edition.say(board.title))
        .uid(edition.uid(board.id))
        .description(edition.say(board.description))
        .tags(["roi", edition.tag])
        .time(f"now-{board.latest}", "now")
        .timezone("browser")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables(_variables(board, edition))
        .annotations([_alerts(edition)] if {"run", "campaign"} <= set(board.variables) else [])
        .build()
    )
    built.panels = list(placed(board.panels, edition))
    built.links = [board_links(edition)]
    found = json.loads(JSONEncoder().encode(built))
    for one in [*found["links"], *found.get("annotations", {}).get("list", [])]:
        del one["placement"]  # the SDK's only choice hides them in a menu
    return json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _variables(board: Board, edition: Edition) -> list[Builder[VariableModel]]:
    """Return a board's choices; the run is hidden where it is none, for links and other choices ask for it."""
    hidden = [] if "run" in board.variables else [chosen(VARIABLES["run"], edition).hide(VariableHide.HIDE_VARIABLE)]
    return [*hidden, *(chosen(VARIABLES[name], edition) for name in board.variables)]


def placed(panels: Sequence[Panel], edition: Edition) -> Iterator[GrafanaPanel]:
    """Yield panels in reading order, in rows without gaps: each is as high as the highest of its row."""
    top = 0
    for row in _rows(panels):
        left, height = 0, max(map(_height, row))
        for panel in row:
            below = CHANGE_HEIGHT if _compared(panel) else 0
            yield shown(panel, edition, GridPos(h=height - below, w=panel.width, x=left, y=top))
            if below:
                yield changes_of(panel, edition, GridPos(h=below, w=panel.width, x=left, y=top + height - below))
            left += panel.width
        top += height


def _rows(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    row: list[Panel] = []
    for panel in panels:
        if row and sum(one.width for one in row) + panel.width > WIDTH:
            yield row
            row = []
        row.append(panel)
    if row:
        yield row


def _compared(panel: Panel) -> bool:
    return panel.chart == "figures" and any(column.role == "previous" for column in panel.columns)


def _height(panel: Panel) -> int:
    return max(panel.height, 2 * CHANGE_HEIGHT) if _compared(panel) else panel.height


def shown(panel: Panel, edition: Edition, place: GridPos) -> GrafanaPanel:
    """Return a panel at its place."""
    built = drawn(panel, edition)
    built.id_val = panel_id(panel.id)
    built.title = edition.say(panel.title)
    built.description = edition.say(panel.description)
    built.datasource = source_of(panel)
    built.targets = targets_of(panel, edition)
    _finish(built, place)
    config_of(built).overrides = overrides_of(panel, edition)
    defaults_of(built).links = chart_links(panel, edition) or None
    return built


def changes_of(panel: Panel, edition: Edition, place: GridPos) -> GrafanaPanel:
    """Return the changes below a panel of figures, each below its figure."""
    built = figures_panel()
    built.id_val = panel_id(f"{panel.id}-change")
    built.title = edition.say(_CHANGES)
    built.description = edition.say(_CHANGES_ARE)
    built.datasource = CLICKHOUSE
    built.targets = [ClickHouseQuery(changes(panel))]
    _finish(built, place)
    config_of(built).overrides = change_overrides(panel, edition)
    return built


def _finish(built: GrafanaPanel, place: GridPos) -> None:
    built.grid_pos = place
    built.repeat_direction = None
    defaults_of(built).no_value = "–"


def _alerts(edition: Edition) -> dashboard.AnnotationQuery:
    """Return the alerts of the chosen campaigns, as regions behind lines over time."""
    return (
        dashboard.AnnotationQuery()
        .name(edition.say(_ALERTS))
        .datasource(CLICKHOUSE)
        .enable(True)
        .icon_color("red")
        .target(ClickHouse((SQL / "annotations" / "alerts.sql").read_text(encoding="utf-8").strip(), ref="annotation"))
    )
