"""Where a click leads: boards keep the time range and the choices when one leads to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink as LinkBuilder
from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType

from dashboards.definitions.panel import Text

if TYPE_CHECKING:
    from dashboards.definitions.panel import Panel
    from dashboards.generating.edition import Edition

_BOARDS: Final = Text("Boards", "看板")


def drill_link(panel: Panel, edition: Edition) -> DashboardLink | None:
    """Return the link of a panel's rows, bars or points; None where it leads to no board that is there.

    Lines know the values of their labels only, all else knows its row.
    """
    board = next((board for board in edition.boards if panel.drill and board.id == panel.drill.board), None)
    if panel.drill is None or board is None:
        return None
    drill, chart = panel.drill, panel.chart
    values = "__field.labels" if chart in {"time", "line", "regions"} else "__data.fields"
    parts = [f"var-{variable}=${{{values}.{column}:percentencode}}" for variable, column in drill.takes]
    taken = {variable for variable, _ in drill.takes}
    parts += [f"${{{name}:queryparam}}" for name in board.variables if name == "run" and name not in taken]
    url = f"/d/{edition.uid(board.id)}?{'&'.join([*parts, '${__url_time_range}'])}"
    return LinkBuilder(edition.say(board.title)).url(url).type(DashboardLinkType.LINK).build()


def board_links(edition: Edition) -> DashboardLink:
    """Return the list of all boards of an edition, shown on each."""
    return (
        LinkBuilder(edition.say(_BOARDS))
        .type(DashboardLinkType.DASHBOARDS)
        .tags([edition.tag])
        .icon("external link")
        .include_vars(True)
        .keep_time(True)
        .build()
    )
