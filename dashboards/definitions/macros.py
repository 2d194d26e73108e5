"""Panels' SQL without Grafana: the macros of its ClickHouse plugin and Grafana's variables, expanded alike.

Source: grafana-clickhouse-datasource 4.20.0, pkg/macros/macros.go and src/data/CHDatasource.ts. What is not in `MACROS`
is refused, so that no panel can come to depend on what only one of the two boards knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_STEPS: Final = (60, 300, 900, 3600, 86_400)
_POINTS: Final = 400
_PIECE: Final = re.compile(
    r"""(?P<skipped>'(?:[^'\\]|\\.|'')*'|`[^`]*`|"[^"]*")
      | (?P<comment>--[^\n]*|/\*.*?\*/)
      | \$__(?P<macro>\w+)
      | \$\{(?P<name>\w+)(?::(?P<form>\w+))?\}
      | \$(?P<bare>\w+)""",
    re.VERBOSE | re.DOTALL,
)


class MacroError(ValueError):
    """The SQL has a macro or variable that is not known, or uses it wrongly."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From and to, both included, in epoch milliseconds, and how many seconds a point of a chart stands for."""

    from_ms: int
    to_ms: int
    step_seconds: int

    @classmethod
    def between(cls, from_ms: int, to_ms: int) -> TimeRange:
        """Return the range with the finest step that makes no more than some hundred points."""
        seconds = max(1, (to_ms - from_ms) // 1000)
        step = next((step for step in _STEPS if seconds / step <= _POINTS), _STEPS[-1])
        return cls(from_ms, to_ms, step)


def quoted(values: Sequence[str]) -> str:
    r"""Return values as SQL literals with commas between; unlike Grafana's `singlequote`, a \ is escaped too."""
    return ",".join("'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in values)


def expand(sql: str, times: TimeRange, values: Mapping[str, Sequence[str]]) -> str:
    """Return the SQL as ClickHouse runs it.

    Args:
        sql: of a panel or variable.
        times: what the time macros stand for.
        values: of each variable, by name; empty = all.

    Raises:
        MacroError: a macro or variable is unknown, or the brackets of one do not close.
    """
    parts: list[str] = []
    position = 0
    while found := _PIECE.search(sql, position):
        parts.append(sql[position : found.start()])
        position = found.end()
        if macro := found["macro"]:
            text, position = _called(sql, position, macro, times, values)
            parts.append(text)
        elif name := found["name"] or found["bare"]:
            parts.append(_variable(name, found["form"], values))
        elif found["skipped"]:
            parts.append(found[0])
    return "".join([*parts, sql[position:]])


def _variable(name: str, form: str | None, values: Mapping[str, Sequence[str]]) -> str:
    if name not in values:
        raise MacroError(f"${name} is no variable here, these are: {', '.join(sorted(values))}")
    if form != "singlequote":
        raise MacroError(f"${name} must be written ${{{name}:singlequote}}, the one form that is quoted everywhere")
    return quoted(values[name]) or "''"


def _called(
    sql: str, position: int, macro: str, times: TimeRange, values: Mapping[str, Sequence[str]]
) -> tuple[str, int]:
    arguments: list[str] = []
    if sql[position : position + 1] == "(":
        arguments, position = _arguments(sql, position)
    if macro == "conditionalAll":
        return _conditional(arguments, times, values), position
    if macro not in MACROS:
        raise MacroError(f"$__{macro} is not one of the macros that panels may use: {', '.join(sorted(MACROS))}")
    wanted, make = MACROS[macro]
    if len(arguments) != wanted:
        raise MacroError(f"$__{macro} takes {wanted} arguments, has {len(arguments)}")
    return make(times, *(expand(argument, times, values) for argument in arguments)), position


def _arguments(sql: str, position: int) -> tuple[list[str], int]:
    """Return what stands between the bracket at a position and its partner, cut at its commas, and what follows."""
    arguments: list[str] = []
    depth, began, quote = 0, position + 1, False
    for place in range(position, len(sql)):
        character = sql[place]
        if character == "'":
            quote = not quote
        elif quote:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                last = sql[began:place].strip()
                return ([*arguments, last] if last else arguments), place + 1
        elif character == "," and depth == 1:
            arguments.append(sql[began:place].strip())
            began = place + 1
    raise MacroError("a macro's brackets do not close")


def _conditional(arguments: Sequence[str], times: TimeRange, values: Mapping[str, Sequence[str]]) -> str:
    condition, name = arguments[0], arguments[-1].strip("${}")
    if len(arguments) != 2 or name not in values:
        raise MacroError("$__conditionalAll takes a condition and a $variable")
    return expand(condition, times, values) if values[name] else "1=1"


def _instant(milliseconds: int) -> str:
    return f"fromUnixTimestamp64Milli({milliseconds})"


def _seconds(milliseconds: int) -> str:
    return f"toDateTime({milliseconds // 1000})"


def _day(milliseconds: int) -> str:
    return f"toDate('{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}')"


MACROS: Final[dict[str, tuple[int, Callable[..., str]]]] = {
    "timeFilter": (1, lambda times, c: f"{c} >= {_seconds(times.from_ms)} AND {c} <= {_seconds(times.to_ms)}"),
    "timeFilter_ms": (1, lambda times, c: f"{c} >= {_instant(times.from_ms)} AND {c} <= {_instant(times.to_ms)}"),
    "dateFilter": (1, lambda times, c: f"{c} >= {_day(times.from_ms)} AND {c} <= {_day(times.to_ms)}"),
    "fromTime": (0, lambda times: _seconds(times.from_ms)),
    "toTime": (0, lambda times: _seconds(times.to_ms)),
    "fromTime_ms": (0, lambda times: _instant(times.from_ms)),
    "toTime_ms": (0, lambda times: _instant(times.to_ms)),
    "timeInterval": (1, lambda times, c: f"toStartOfInterval(toDateTime({c}), INTERVAL {times.step_seconds} second)"),
    "interval_s": (0, lambda times: str(times.step_seconds)),
}
"""By name: how many arguments, and what it stands for."""
