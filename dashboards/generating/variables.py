"""The choices above a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh

from dashboards.definitions.panel import Text
from dashboards.generating.targets import CLICKHOUSE, PLUGIN_VERSION

if TYPE_CHECKING:
    from dashboards.definitions.panel import Variable
    from dashboards.generating.edition import Edition

_ALL = Text("All", "全部")


def chosen(variable: Variable, edition: Edition) -> QueryVariable:
    """Return a variable whose values come from ClickHouse.

    "All" stands for itself (``$__all``), never for a list of values: the plugin's $__conditionalAll asks for it.
    """
    query: dict[str, object] = {
        "editorType": "sql",
        "format": 1,
        "pluginVersion": PLUGIN_VERSION,
        "queryType": "table",
        "rawSql": variable.sql.strip(),
        "refId": "variable",
    }
    found = (
        QueryVariable(variable.name)
        .label(edition.say(variable.label))
        .datasource(CLICKHOUSE)
        .query(query)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .allow_custom_value(False)
    )
    if variable.multiple:
        everything = VariableOption(selected=True, text=[edition.say(_ALL)], value=["$__all"])
        return found.multi(True).include_all(True).current(everything)
    return found.multi(False).current(VariableOption(selected=True, text=variable.default, value=variable.default))
