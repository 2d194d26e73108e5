"""A Grafana panel for each kind of chart: its plugin, its options, and what it does to rows first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    stat,
    statetimeline,
    table,
    timeseries,
    trend,
    xychart,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, FieldColor, FieldColorModeId
from grafana_foundation_sdk.models.xychart import XYShowMode

from dashboards.generating.fields import defaults_of, fixed, split, thresholds
from dashboards.generating.units import written

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.models.dashboard import Panel as GrafanaPanel

    from dashboards.definitions.panel import Chart, Column, Panel
    from dashboards.generating.edition import Edition

_MOST_POINTS: Final = 400


def drawn(panel: Panel, edition: Edition) -> GrafanaPanel:
    """Return the panel with its options, and with defaults for fields that no override names."""
    return CHARTS[panel.chart](panel, edition)


def _figures(_: Panel, __: Edition) -> GrafanaPanel:
    return figures_panel()


def figures_panel() -> GrafanaPanel:
    """Return a panel of tiles, one a column; strings are tiles, too.

    No change in percent of Grafana's own: it shows 0 % where nothing was before, and the wrong sign below zero.
    """
    built = (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/"))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .wide_layout(False)
        .show_percent_change(False)
        .build()
    )
    return _plain(built)


def _table(_: Panel, __: Edition) -> GrafanaPanel:
    return _plain(table.Panel().build())


def _time(panel: Panel, _: Edition) -> GrafanaPanel:
    built = (
        timeseries.Panel()
        .legend(_legend())
        .tooltip(_tooltip())
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(False)
        .max_data_points(_MOST_POINTS)
        .interval("1m")
        .build()
    )
    built.max_data_points = _MOST_POINTS if panel.source == "clickhouse" else None
    return _coloured(built)


def _bars(panel: Panel, edition: Edition) -> GrafanaPanel:
    groups = _groups(panel)
    matrix = len(groups) > 1
    name = f"{groups[0].name}\\{groups[1].name}" if matrix else groups[0].name
    built = barchart.Panel().x_field(name).legend(_legend()).tooltip(_tooltip()).fill_opacity(80).build()
    if matrix:
        built.transformations = [_matrix(panel, groups[0], groups[1])]
        _default_unit(panel, built, edition)
    return _coloured(built)


def _line(panel: Panel, _: Edition) -> GrafanaPanel:
    across = next(column for column in panel.columns if column.role == "x")
    if not split(panel):
        built = trend.Panel().x_field(across.name).legend(_legend()).tooltip(_tooltip()).line_width(2).build()
        return _coloured(built)
    built = xychart.Panel().show(XYShowMode.LINES).line_width(2).legend(_legend()).tooltip(_tooltip()).build()
    built.transformations = [_partition(panel)]
    return _coloured(built)


def _funnel(panel: Panel, edition: Edition) -> GrafanaPanel:
    value = _value(panel)
    built = (
        bargauge.Panel()
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(
            common.ReduceDataOptions().values(True).calcs([]).fields(f"/^{_escaped(edition.say(value.label))}$/")
        )
        .min(0)
        .build()
    )
    _plain(built)
    defaults_of(built).color = fixed("blue")
    return built


def _heatmap(panel: Panel, edition: Edition) -> GrafanaPanel:
    """Return a table whose cells are coloured: Grafana's heat map knows only time across."""
    across = next(column for column in panel.columns if column.role == "x")
    down = next(column for column in panel.columns if column.role == "y")
    built = _plain(table.Panel().build())
    built.transformations = [_matrix(panel, down, across)]
    _default_unit(panel, built, edition)
    defaults_of(built).color = FieldColor(mode=FieldColorModeId.CONTINUOUS_BLUES)
    defaults_of(built).custom = {"align": "right", "cellOptions": {"mode": "basic", "type": "color-background"}}
    return built


def _regions(panel: Panel, _: Edition) -> GrafanaPanel:
    built = (
        statetimeline.Panel()
        .legend(_legend())
        .tooltip(_tooltip())
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .build()
    )
    if split(panel):
        built.transformations = [_partition(panel)]
    return _plain(built)


CHARTS: Final[dict[Chart, Callable[[Panel, Edition], GrafanaPanel]]] = {
    "figures": _figures,
    "table": _table,
    "time": _time,
    "bars": _bars,
    "line": _line,
    "funnel": _funnel,
    "heatmap": _heatmap,
    "regions": _regions,
}


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)


def _value(panel: Panel) -> Column:
    return next(column for column in panel.columns if column.role == "value")


def _groups(panel: Panel) -> list[Column]:
    """Return what bars stand for, and what tells those of one place apart, where there is such."""
    across = [column for column in panel.columns if column.role in {"x", "time"}]
    labels = [column for column in panel.columns if column.role == "label"]
    return (across + labels)[:2]


def _matrix(panel: Panel, down: Column, across: Column) -> DataTransformerConfig:
    return DataTransformerConfig(
        id_val="groupingToMatrix",
        options={
            "columnField": across.name,
            "emptyValue": "null",
            "rowField": down.name,
            "valueField": _value(panel).name,
        },
    )


def _partition(panel: Panel) -> DataTransformerConfig:
    labels = [column.name for column in panel.columns if column.role == "label"]
    return DataTransformerConfig(
        id_val="partitionByValues", options={"fields": labels, "keepFields": False, "naming": {"asLabels": True}}
    )


def _default_unit(panel: Panel, built: GrafanaPanel, edition: Edition) -> None:
    """Give the unit of the value to what a matrix makes of it, whose columns have names of their own."""
    unit, decimals = written(_value(panel).unit, panel.chart, edition)
    defaults_of(built).unit, defaults_of(built).decimals = unit, decimals


def _plain(built: GrafanaPanel) -> GrafanaPanel:
    defaults_of(built).thresholds = thresholds(())
    defaults_of(built).color = FieldColor(mode=FieldColorModeId.THRESHOLDS)
    return built


def _coloured(built: GrafanaPanel) -> GrafanaPanel:
    defaults_of(built).color = FieldColor(mode=FieldColorModeId.PALETTE_CLASSIC)
    return built


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in r"\/.*+?()[]{}|^$" else character for character in text)
