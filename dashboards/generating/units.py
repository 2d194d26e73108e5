"""Units as Grafana writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboards.definitions.panel import Text, Unit

if TYPE_CHECKING:
    from dashboards.definitions.panel import Chart
    from dashboards.generating.edition import Edition


@dataclass(frozen=True, slots=True)
class Written:
    """How values of a unit are written.

    Attributes:
        unit: Grafana's name of it; ``%s`` takes the currency's sign.
        decimals: digits behind the point; None = as many as Grafana finds fit.
    """

    unit: Text
    decimals: int | None = None


def _same(unit: str, decimals: int | None = None) -> Written:
    return Written(Text(unit, unit), decimals)


UNITS: Final[dict[Unit, Written]] = {
    "text": _same("string"),
    "state": _same("string"),
    "series": _same("string"),
    "time": _same("time:YYYY-MM-DD HH:mm"),
    "day": _same("time:YYYY-MM-DD"),
    # all digits of the ledger's amount; the SQL around the panel's has made major units of it
    "minor": _same("currency:financial:%s", 2),
    "count": _same("locale", 0),
    "share": _same("percentunit", 1),
    "ratio": _same("none", 2),
    "p": _same("none", 4),
    "days": Written(Text("suffix: d", "suffix: 天"), 1),
    "hours": Written(Text("suffix: h", "suffix: 小时"), 1),
    "seconds": _same("s"),
    "rate": _same("suffix:/s", 1),
    "bytes": _same("bytes"),
}


def unit_of(unit: Unit, edition: Edition) -> str:
    """Return Grafana's name of a unit."""
    return edition.say(UNITS[unit].unit).replace("%s", edition.symbol)


_SHORT: Final = frozenset({"time", "bars", "line", "heatmap"})


def written(unit: Unit, chart: Chart, edition: Edition) -> tuple[str, int | None]:
    """Return Grafana's unit and decimals of a column: on axes short (¥1.2 Mil), else with every digit."""
    if unit == "minor" and chart in _SHORT:
        return f"currency:{edition.symbol}", None
    if unit == "minor" and chart == "figures":
        return unit_of(unit, edition), 0
    return unit_of(unit, edition), UNITS[unit].decimals
