"""Plots of panels, by Matplotlib; colours are told apart by those who see no red, and in print by their shades."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager
from matplotlib.figure import Figure

from pipeline.report.document import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from dashboards.definitions.panel import Column, Panel
    from pipeline.report.formats import Style

    Rows = Sequence[Sequence[Any]]

FONT: Final = Path(__file__).parent / "fonts" / "NotoSansSC-Subset.otf"
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Source: Okabe and Ito, Color Universal Design, 2008."""
_INCHES: Final = (7.2, 2.7)
_MOST_SERIES: Final = 7
_MOST_BARS: Final = 15
_LONGEST_LABEL: Final = 28


def plot(panel: Panel, rows: Rows, style: Style) -> Picture:
    """Return a panel's plot.

    Args:
        panel: of chart time, line, bars, funnel, heatmap or regions.
        rows: its answer, in the order of its columns; not empty.
        style: language and formats.
    """
    with mpl.rc_context(_settings()):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.subplots()
        _DRAW[panel.chart](axes, panel, rows, style)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return Picture(_saved(figure, "svg").decode(), _saved(figure, "png"), _alternative(panel, rows, style))


def _settings() -> Any:
    """Return Matplotlib's settings: our font, glyphs as paths, and nothing that differs from run to run."""
    if not any(entry.fname == str(FONT) for entry in font_manager.fontManager.ttflist):
        font_manager.fontManager.addfont(FONT)
    family = font_manager.FontProperties(fname=FONT).get_name()
    return {
        "font.family": family,
        "font.size": 8,
        "svg.fonttype": "path",
        "svg.hashsalt": "roi",
        "axes.unicode_minus": True,
        "axes.prop_cycle": cycler(color=_COLOURS),
        "text.parse_math": False,  # a name with $ is no formula
    }


def _saved(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
    saved = buffer.getvalue()
    return saved[saved.index(b"<svg") :] if kind == "svg" else saved


def _alternative(panel: Panel, rows: Rows, style: Style) -> str:
    return f"{style.say(panel.title)}: {len(rows)} " + ("points" if style.language == "en" else "个数据点")


def _places(panel: Panel, *roles: str) -> list[int]:
    return [place for place, column in enumerate(panel.columns) if column.role in roles]


def _number(value: Any, column: Column) -> float:
    """Return a value as it is drawn: money in whole units, shares in percent, nothing as a gap."""
    if value is None:
        return float("nan")
    scale = {"minor": 0.01, "share": 100.0}.get(column.unit, 1.0)
    return float(value) * scale


def _unit(column: Column, style: Style) -> str:
    named = {"minor": f" ({style.currency})", "share": " (%)"}.get(column.unit, "")
    return _short(style.say(column.label)) + named


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _series(panel: Panel, rows: Rows, style: Style) -> Mapping[str, tuple[list[Any], list[float], Column]]:
    """Return each line: the values of a column, or of one label where a column tells lines apart."""
    (x,) = _places(panel, "time", "x")[:1]
    labels, values = _places(panel, "label"), _places(panel, "value", "low", "high", "limit")
    found: dict[str, tuple[list[Any], list[float], Column]] = {}
    for row in rows:
        for place in values:
            column = panel.columns[place]
            name = " · ".join(str(row[label]) for label in labels) if labels else _unit(column, style)
            if labels and len(values) > 1:
                name += f" · {_unit(column, style)}"
            line = found.setdefault(name, ([], [], column))
            line[0].append(row[x])
            line[1].append(_number(row[place], column))
    return dict(list(found.items())[:_MOST_SERIES])


def _lines(axes: Axes, panel: Panel, rows: Rows, style: Style) -> None:
    for name, (places, heights, column) in _series(panel, rows, style).items():
        across = _across(panel, places)
        is_bound = column.role in {"low", "high", "limit"}
        mark = "o" if len(heights) == 1 else None  # one point makes no line
        axes.plot(
            across,
            heights,
            "--" if is_bound else "-",
            linewidth=1.0 if is_bound else 1.6,
            marker=mark,
            label=_short(name),
        )
    (x,) = _places(panel, "time", "x")[:1]
    if panel.columns[x].role == "time":
        axes.xaxis_date(tz=style.zone)
    else:
        axes.set_xlabel(style.say(panel.columns[x].label))
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _across(panel: Panel, places: Sequence[Any]) -> list[Any]:
    (x,) = _places(panel, "time", "x")[:1]
    if panel.columns[x].role != "time":
        return [float(place) for place in places]
    return [datetime.fromisoformat(str(place)).replace(tzinfo=UTC) for place in places]


def _bars(axes: Axes, panel: Panel, rows: Rows, style: Style) -> None:
    labels = _places(panel, "label", "x", "time")
    (value,) = _places(panel, "value")[:1]
    column = panel.columns[value]
    shown = list(reversed(rows[:_MOST_BARS]))
    names = [
        _short(" · ".join(style.written(row[place], panel.columns[place].unit) for place in labels)) for row in shown
    ]
    lengths = [_number(row[value], column) for row in shown]
    axes.barh(range(len(shown)), lengths, color=_COLOURS[0])
    axes.set_yticks(range(len(shown)), names)
    axes.set_xlabel(_unit(column, style))
    axes.grid(axis="x", alpha=0.3)


def _heatmap(axes: Axes, panel: Panel, rows: Rows, style: Style) -> None:
    across, (down,), (value,) = _places(panel, "x")[:1], _places(panel, "y", "time")[:1], _places(panel, "value")[:1]
    columns, lines = sorted({row[across[0]] for row in rows}), sorted({str(row[down]) for row in rows})
    grid = [[float("nan")] * len(columns) for _ in lines]
    for row in rows:
        grid[lines.index(str(row[down]))][columns.index(row[across[0]])] = _number(row[value], panel.columns[value])
    image = axes.imshow(grid, aspect="auto", cmap="cividis", origin="upper")
    step_across, step_down = max(1, len(columns) // 15), max(1, len(lines) // 10)
    axes.set_xticks(range(0, len(columns), step_across), [str(one) for one in columns[::step_across]])
    axes.set_yticks(range(0, len(lines), step_down), lines[::step_down])
    axes.set_xlabel(style.say(panel.columns[across[0]].label))
    axes.figure.colorbar(image, ax=axes, label=_unit(panel.columns[value], style))


_DRAW: Final[Mapping[str, Callable[[Axes, Panel, Rows, Style], None]]] = {
    "time": _lines,
    "line": _lines,
    "bars": _bars,
    "funnel": _bars,
    "heatmap": _heatmap,
}
DRAWN: Final = frozenset(_DRAW)
"""Kinds of chart that are drawn; others are printed as tables."""
