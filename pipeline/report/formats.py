"""How values are written, by unit and language; null is a dash, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo

from dashboards.definitions.words import WORDS
from pipeline.ratios import written_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.definitions.panel import Column, Panel, Text, Unit
    from pipeline.settings import Settings

NOTHING: Final = "–"
_WORDS: Final = ("text", "state", "time", "day")
_SUFFIXES: Final[dict[Unit, tuple[str, str]]] = {
    "days": (" days", " 天"),
    "hours": (" h", " 小时"),
    "seconds": (" s", " 秒"),
    "rate": ("/s", "/秒"),
    "bytes": (" bytes", " 字节"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """In which language, currency and time zone."""

    language: Literal["en", "zh"]
    currency: str
    zone: str

    def say(self, text: Text) -> str:
        """Return the text in the language."""
        return text.en if self.language == "en" else text.zh

    def instant(self, milliseconds: int) -> str:
        """Return an instant in the bank's zone."""
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(ZoneInfo(self.zone))
        return f"{moment:%Y-%m-%d %H:%M} ({self.zone})"

    def written(self, value: Any, unit: Unit, limit: float | None = None) -> str:
        """Return a value as people read it; a ratio below its limit never reads as if it were at it."""
        if value is None or value == "":
            return NOTHING
        return self._word(str(value), unit) if unit in _WORDS else self._number(float(value), unit, limit)

    def _word(self, text: str, unit: Unit) -> str:
        if unit == "state":
            return self.say(WORDS[text].text) if text in WORDS else text
        return self._moment(text) if unit == "time" else text

    def _number(self, number: float, unit: Unit, limit: float | None) -> str:
        if unit == "minor":
            return f"{number / 100:,.2f} {self.currency}"
        if unit == "share":
            return f"{100 * number:.1f} %"
        if unit == "ratio":
            return written_ratio(number, limit, 2)
        whole = f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"
        return whole + _SUFFIXES.get(unit, ("", ""))[self.language == "zh"]

    def _moment(self, text: str) -> str:
        """Return an instant that ClickHouse has written in UTC, in the bank's zone."""
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            return text
        return f"{moment.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"


def style_of(language: Literal["en", "zh"], settings: Settings, begun: Mapping[str, str]) -> Style:
    """Return how a run's values are written: by what it was begun under, where that is recorded."""
    return Style(
        language,
        begun.get("reporting_currency", settings.reporting_currency),
        begun.get("time.zone", settings.time.zone),
    )


def limit_of(panel: Panel, row: Sequence[Any]) -> float | None:
    """Return what the ratios of a row are held against; None = nothing."""
    columns = zip(panel.columns, row, strict=True)
    return next((value for column, value in columns if column.role == "limit" and column.unit == "ratio"), None)


def is_number(column: Column) -> bool:
    """Tell columns that stand to the right."""
    return column.unit not in _WORDS


def colour_of(column: Column, value: Any) -> str:
    """Return the colour of a value by its word or the column's steps; '' = none."""
    if column.unit == "state":
        return WORDS[value].colour if value in WORDS else ""
    if value is None or not column.steps:
        return ""
    return next((colour for least, colour in reversed(column.steps) if least is None or float(value) >= least), "")
