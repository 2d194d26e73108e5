"""How columns are shown: one override a column, matched by the column's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    DashboardLink,
    DynamicConfigValue,
    FieldColor,
    FieldColorModeId,
    FieldConfig,
    FieldConfigSource,
    MatcherConfig,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from dashboards.definitions.words import WORDS
from dashboards.generating.links import drill_link
from dashboards.generating.queries import CHANGE, figures, values_of
from dashboards.generating.units import written

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel as GrafanaPanel

    from dashboards.definitions.panel import Column, Panel
    from dashboards.generating.edition import Edition

COLOURS: Final = {"red": "red", "amber": "orange", "green": "green", "grey": "#8e8e8e", "blue": "blue"}
_WORDY: Final = frozenset({"table", "figures", "regions"})
_LINED: Final = frozenset({"time", "line"})

Override = DashboardFieldConfigSourceOverrides


def config_of(built: GrafanaPanel) -> FieldConfigSource:
    """Return how a panel shows its fields; the SDK's panels begin without."""
    if built.field_config is None:
        built.field_config = FieldConfigSource()
    return built.field_config


def defaults_of(built: GrafanaPanel) -> FieldConfig:
    """Return how a panel shows fields that no override names."""
    return config_of(built).defaults


def override(name: str, properties: dict[str, object]) -> Override:
    """Return an override of the column of a name."""
    return DashboardFieldConfigSourceOverrides(
        matcher=MatcherConfig(id_val="byName", options=name),
        properties=[DynamicConfigValue(key, value) for key, value in properties.items()],
    )


def overrides_of(panel: Panel, edition: Edition) -> list[Override]:
    """Return the overrides of a panel's own target: names, units, colours, what is hidden and where a click leads."""
    if panel.source == "prometheus":
        return _of_expressions(panel, edition)
    shown = figures(panel) if panel.chart == "figures" else panel.columns
    linked = next((column for column in shown if column.role == "label"), None) if panel.drill else None
    return [
        override(column.name, _properties(panel, column, edition, linked=column is linked))
        for column in shown
        if not (panel.chart == "regions" and column.role == "end")
    ]


def _of_expressions(panel: Panel, edition: Edition) -> list[Override]:
    """Return the units of a Prometheus panel: its columns are known by the letter of their expression."""
    found = []
    for letter, column in zip("ABCDEFGHIJ", values_of(panel), strict=False):
        unit, decimals = written(column.unit, panel.chart, edition)
        properties: dict[str, object] = {"unit": unit, **({} if decimals is None else {"decimals": decimals})}
        one = override(letter, properties | (_axis(panel, column) if panel.chart == "time" else {}))
        one.matcher.id_val = "byFrameRefID"
        found.append(one)
    return found


def change_overrides(panel: Panel, edition: Edition) -> list[Override]:
    """Return the overrides of the changes below a panel of figures."""
    return [
        override(
            column.name + CHANGE,
            {
                "displayName": edition.say(column.label),
                "unit": "suffix: pp" if column.unit == "share" else "percentunit",
                "decimals": 1,
            },
        )
        for column in figures(panel)
    ]


def thresholds(steps: tuple[tuple[float | None, str], ...]) -> ThresholdsConfig:
    """Return thresholds; without steps one without a colour, as Grafana's own default is green from the start on."""
    found = [Threshold(value=start, color=COLOURS[colour]) for start, colour in steps]
    return ThresholdsConfig(mode=ThresholdsMode.ABSOLUTE, steps=found or [Threshold(value=None, color="text")])


def fixed(colour: str) -> FieldColor:
    """Return one colour whatever the value."""
    return FieldColor(mode=FieldColorModeId.FIXED, fixed_color=colour)


def words(edition: Edition) -> list[ValueMap]:
    """Return what is read and which colour is seen instead of the ledger's words."""
    options = {
        word: ValueMappingResult(text=edition.say(known.text), color=COLOURS[known.colour], index=index)
        for index, (word, known) in enumerate(WORDS.items())
    }
    return [ValueMap(options=options)]


def _properties(panel: Panel, column: Column, edition: Edition, *, linked: bool) -> dict[str, object]:
    unit, decimals = written(column.unit, panel.chart, edition)
    if column.role == "hidden" or column.language not in {"", edition.language}:
        return {"custom.hideFrom": _hidden(), **({"custom.hidden": True} if panel.chart == "table" else {})}
    found: dict[str, object] = {"displayName": _name(panel, column, edition)}
    # a time axis has units of its own, and a day there is no text
    if not (panel.chart in {"time", "regions"} and column.role == "time"):
        found["unit"] = "string" if column.unit == "day" else unit
    if decimals is not None:
        found["decimals"] = decimals
    if column.unit == "state":
        found["mappings"] = words(edition)
    if column.steps and column.unit != "state":
        found |= {"thresholds": thresholds(_steps(column)), "color": FieldColor(mode=FieldColorModeId.THRESHOLDS)}
    if panel.chart == "table":
        found |= _cell(column)
    if panel.chart in _LINED:
        found |= _line(panel, column)
    link = drill_link(panel, edition) if linked and panel.chart == "table" else None
    if link is not None:
        found["links"] = [{"targetBlank": False, "title": link.title, "url": link.url}]
    return found


def _steps(column: Column) -> tuple[tuple[float | None, str], ...]:
    """Return a column's steps; what may be in doubt is never green, as Grafana knows nothing of the doubt."""
    return tuple((start, "grey" if column.doubts and colour == "green" else colour) for start, colour in column.steps)


def _name(panel: Panel, column: Column, edition: Edition) -> str:
    """Return a column's label; in a chart of many lines with what tells them apart before it."""
    label = edition.say(column.label)
    if not (split(panel) and column.role not in {"time", "x", "label", "hidden"}):
        return label
    names = " ".join(f"${{__field.labels.{one.name}}}" for one in panel.columns if one.role == "label")
    values = [one for one in panel.columns if one.role not in {"time", "x", "label", "hidden", "end"}]
    return f"{names} · {label}" if len(values) > 1 else names


def split(panel: Panel) -> bool:
    """Whether labels make many lines of a chart's rows."""
    return panel.chart in {"time", "line", "regions"} and any(one.role == "label" for one in panel.columns)


def _cell(column: Column) -> dict[str, object]:
    found: dict[str, object] = {"custom.align": "left" if column.unit in {"text", "state", "series"} else "right"}
    if column.unit == "state":
        found["custom.cellOptions"] = {"mode": "basic", "type": "color-background"}
        found["thresholds"] = ThresholdsConfig(
            mode=ThresholdsMode.ABSOLUTE, steps=[Threshold(value=None, color="transparent")]
        )
    elif column.steps:
        found["custom.cellOptions"] = {"type": "color-text"}
    if column.role == "label":
        found["custom.filterable"] = True
    return found


def _line(panel: Panel, column: Column) -> dict[str, object]:
    """Return how a line is drawn by its role: limits and the period before dashed, a band filled down to its low."""
    dashed = {"custom.lineStyle": {"dash": [6, 6], "fill": "dash"}, "custom.fillOpacity": 0}
    if column.role == "limit":
        return {"color": fixed(COLOURS["red"]), **dashed}
    if column.role == "previous":
        return {"color": fixed(COLOURS["grey"]), **dashed}
    if column.role in {"low", "high"}:
        if split(panel):
            return {"custom.lineWidth": 1, **dashed}
        found: dict[str, object] = {"color": fixed(COLOURS["grey"]), "custom.lineWidth": 0, "custom.fillOpacity": 0}
        low = next((one.name for one in panel.columns if one.role == "low"), None)
        if column.role == "high" and low is not None:
            found |= {"custom.fillBelowTo": low, "custom.fillOpacity": 20}
        return found
    return _axis(panel, column)


def _axis(panel: Panel, column: Column) -> dict[str, object]:
    first = next(one for one in panel.columns if one.role == "value")
    if column.role != "value" or column.unit == first.unit:
        return {}
    return {"custom.axisPlacement": "right"}


def _hidden() -> dict[str, bool]:
    return {"legend": True, "tooltip": True, "viz": True}


def chart_links(panel: Panel, edition: Edition) -> list[DashboardLink]:
    """Return where a click on a mark leads, of charts that are no table."""
    link = drill_link(panel, edition) if panel.chart != "table" else None
    return [] if link is None else [link]
