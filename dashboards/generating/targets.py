"""What Grafana asks its data sources: the query models of the ClickHouse plugin 4.20.0 and of Prometheus.

Source: src/types/sql.ts and src/data/migration.ts of grafana-clickhouse-datasource. A target that lacks pluginVersion
or editorType is taken for one of version 3 and rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import DataqueryConfig, register_dataquery_variant
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.generating.queries import asked, values_of

if TYPE_CHECKING:
    from dashboards.definitions.panel import Panel
    from dashboards.generating.edition import Edition

CLICKHOUSE_TYPE: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.20.0"
FORMATS: Final = {"timeseries": 0, "table": 1}
CLICKHOUSE: Final = DataSourceRef(type_val=CLICKHOUSE_TYPE, uid="clickhouse")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="prometheus")

Form = Literal["timeseries", "table"]
"""timeseries: rows become a line for each combination of their strings; needs a time in rising order."""


@dataclass
class ClickHouseQuery(Dataquery):
    """The plugin's CHSqlQuery."""

    sql: str
    form: Form = "table"
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        """Return the target as Grafana keeps it."""
        return {
            "datasource": CLICKHOUSE,
            "editorType": "sql",
            "format": FORMATS[self.form],
            "meta": {},
            "pluginVersion": PLUGIN_VERSION,
            "queryType": self.form,
            "rawSql": self.sql,
            "refId": self.ref,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the query that a target holds."""
        return cls(data["rawSql"], data["queryType"], data["refId"])


@dataclass
class ClickHouse(Builder[ClickHouseQuery]):
    """Builds a target from SQL."""

    sql: str
    form: Form = "table"
    ref: str = "A"

    def build(self) -> ClickHouseQuery:
        """Return the query."""
        return ClickHouseQuery(self.sql, self.form, self.ref)


def source_of(panel: Panel) -> DataSourceRef:
    """Return the data source that a panel asks."""
    return PROMETHEUS if panel.source == "prometheus" else CLICKHOUSE


def targets_of(panel: Panel, edition: Edition) -> list[Dataquery]:
    """Return what a panel asks: its SQL, or an expression for each of its values."""
    if panel.source == "prometheus":
        return _expressions(panel, edition)
    return [ClickHouseQuery(asked(panel), "timeseries" if panel.chart == "time" else "table")]


def expressions_of(panel: Panel) -> list[str]:
    """Return the PromQL expressions of a panel, one for each column that is a value."""
    lines = [line.strip() for line in panel.sql.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "--"))]


def _expressions(panel: Panel, edition: Edition) -> list[Dataquery]:
    expressions = expressions_of(panel)
    values = values_of(panel)
    if len(values) != len(expressions):
        raise ValueError(f"{panel.id} has {len(expressions)} expressions for {len(values)} values")
    labels = " ".join(f"{{{{{column.name}}}}}" for column in panel.columns if column.role == "label")
    targets: list[Dataquery] = []
    for number, (expression, column) in enumerate(zip(expressions, values, strict=True)):
        name = edition.say(column.label)
        legend = f"{labels} · {name}" if labels and len(values) > 1 else labels or name
        target = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        targets.append((target if panel.chart == "time" else target.instant()).build())
    return targets


def register() -> None:
    """Let the SDK read boards with these targets back from JSON."""
    register_default_plugins()
    register_dataquery_variant(DataqueryConfig(identifier=CLICKHOUSE_TYPE, from_json_hook=ClickHouseQuery.from_json))
