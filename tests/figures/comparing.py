"""Reading views and comparing them with what was worked out elsewhere."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.oracle.facts import Row

_KEYS: Final = (
    "campaign_id",
    "period_kind",
    "period_start",
    "channel",
    "channel_class",
    "tier",
    "recommended",
    "category",
)


def read(client: Any, view: str, run: str) -> list[Row]:
    """Return a view's rows of a run, without the run."""
    answer = client.raw_query(
        f"SELECT * EXCEPT run FROM roi.{view} WHERE run = '{run}' FORMAT JSONEachRow",
        settings={"output_format_json_quote_64bit_integers": 0},
    )
    return [json.loads(line) for line in answer.splitlines()]


def differences(expected: Iterable[Row], actual: Iterable[Row], *, zero_rows: bool = True) -> list[str]:
    """Return one line per difference; columns only the view has are not compared, rows only it has are.

    Without ``zero_rows``, a row of zeros and nulls may be there or not.
    """
    wanted, given = _table(expected, zero_rows=zero_rows), _table(actual, zero_rows=zero_rows)
    found = [f"missing: {key}" for key in wanted.keys() - given.keys()]
    found += [f"not expected: {key}" for key in given.keys() - wanted.keys()]
    for key in wanted.keys() & given.keys():
        found += [
            f"{key} {name}: expected {value!r}, found {given[key].get(name, 'no such column')!r}"
            for name, value in wanted[key].items()
            if not _same(value, given[key].get(name, "no such column"))
        ]
    return found


def _table(rows: Iterable[Row], *, zero_rows: bool) -> Mapping[tuple[Any, ...], Row]:
    table: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if not zero_rows and not any(value for name, value in row.items() if name not in _KEYS):
            continue
        key = tuple(row.get(name) for name in _KEYS)
        assert key not in table, f"more than one row for {key}"
        table[key] = row
    return table


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, float) and isinstance(actual, int | float):
        return math.isclose(expected, actual, rel_tol=1e-9)
    return bool(expected == actual)
