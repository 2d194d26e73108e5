"""Analyses in ClickHouse: the table behind the views ab_results and ab_history."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.clickhouse import sql
from pipeline.errors import UserError
from pipeline.experiments.rows import STORED
from pipeline.ledger.ledger import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.experiments.rows import Row

_ONE_BLOCK: Final = {"async_insert": 0, "date_time_input_format": "best_effort"}


def store(client: Any, database: str, results: Sequence[Row], days: Iterable[Row]) -> None:
    """Write one analysis, whole; it takes the place of the one before, metric by metric.

    Raises:
        UserError: ClickHouse refuses it.
    """
    version = time.time_ns()
    lines = [_line(row, "result", version) for row in results]
    lines += [json.dumps(row | {"kind": "day", "version": version}) for row in days]
    try:
        client.command(sql.query("write_ab", database), data="\n".join(lines), settings=_ONE_BLOCK)
    except (ClickHouseError, OSError) as error:
        raise UserError(
            f"the analysis could not be stored ({short(error)})", "run roi migrate, and give the writer's password"
        ) from error


def _line(row: Row, kind: str, version: int) -> str:
    columns = {name: value for name, value in row.items() if name in STORED}
    details = {name: value for name, value in row.items() if name not in STORED}
    stored = {"kind": kind, "day": row["as_of"][:10], "version": version, "details": json.dumps(details)}
    return json.dumps(columns | stored, ensure_ascii=False)
