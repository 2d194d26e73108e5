"""Backtests kept in ClickHouse, for boards: views `backtest_rules` and `backtest_campaigns`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.alerts.sayings import kept as kept_texts
from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.backtest.results import Found
    from pipeline.settings import Settings

COLUMNS: Final = ("name", "rule", "campaign_id", "body", "place", "version")
_SHARED: Final = ("source", "from", "to", "known_until", "every_minutes", "looks")


def keep(settings: Settings, found: Found, name: str) -> int:
    """Keep a backtest under a name, in place of what was kept under it before; return how many rows.

    Raises:
        UserError: ClickHouse does not answer, or refuses.
    """
    rows = kept_rows(found, name, time.time_ns())
    client = connect(settings, "writer")
    try:
        # one INSERT: a version is there as a whole or not at all
        client.insert(f"{settings.clickhouse_database}.backtests", rows, list(COLUMNS))
    except (ClickHouseError, OSError) as error:
        raise UserError(f"the backtest could not be kept ({error})", "roi migrate makes the tables") from error
    finally:
        client.close()
    return len(rows)


def kept_rows(found: Found, name: str, version: int) -> list[list[Any]]:
    """Return a backtest as rows of the table `backtests`, one of `COLUMNS` each."""
    rows: list[list[Any]] = []
    document = found.document()
    shared = {key: document[key] for key in _SHARED}
    for place, rule in enumerate(document["rules"]):
        for one in rule.pop("campaigns"):
            chinese = {"reasons_zh": kept_texts(one["reasons"])["zh"]}
            rows.append([name, rule["name"], one["campaign_id"], _text(one | chinese), place, version])
        rows.append([name, rule["name"], "", _text(rule | shared), place, version])
    return rows


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False)
