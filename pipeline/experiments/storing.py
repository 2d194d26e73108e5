"""Analyses in ClickHouse: the table behind the views ab_results and ab_history."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.alerts.sayings import in_language
from pipeline.clickhouse import sql
from pipeline.errors import UserError
from pipeline.experiments.rows import STORED
from pipeline.ledger.ledger import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.experiments.asking import Asked
    from pipeline.experiments.rows import Row

_ONE_BLOCK: Final = {"async_insert": 0, "date_time_input_format": "best_effort"}


def store(client: Any, database: str, asked: Asked, results: Sequence[Row], days: Iterable[Row]) -> None:
    """Write one analysis, whole, with what was asked for; it takes the place of the one before, metric by metric.

    Raises:
        UserError: ClickHouse refuses it.
    """
    version = time.time_ns()
    lines = [_line(row | {"asked": question_of(asked)}, "result", row["as_of"][:10], version) for row in results]
    lines += [_line(row, "day", row["day"], version) for row in days]
    try:
        client.command(sql.query("write_ab", database), data="\n".join(lines), settings=_ONE_BLOCK)
    except (ClickHouseError, OSError) as error:
        raise UserError(
            f"the analysis could not be stored ({short(error)})", "run roi migrate, and give the writer's password"
        ) from error


def question_of(asked: Asked) -> dict[str, Any]:
    """Return what of a question is kept, for whoever repeats it; null = as the campaign's definition says."""
    return {"control": asked.control, "horizon_days": asked.horizon_days}


def _line(row: Row, kind: str, day: str, version: int) -> str:
    columns = {name: value for name, value in row.items() if name in STORED}
    details = {name: value for name, value in row.items() if name not in STORED and name != "day"}
    if row.get("verdict"):
        details["verdict_zh"] = in_language(row["verdict"], "zh")
        details["caveats_zh"] = [in_language(caveat, "zh") for caveat in row["caveats"]]
    stored = {"kind": kind, "day": day, "version": version, "details": json.dumps(details, ensure_ascii=False)}
    return json.dumps(columns | stored, ensure_ascii=False)
