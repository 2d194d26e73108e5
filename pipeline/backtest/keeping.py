"""Backtests kept in ClickHouse, for boards: views `backtest_rules` and `backtest_campaigns`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.backtest.results import Found
    from pipeline.settings import Settings

_COLUMNS: Final = ("name", "rule", "campaign_id", "body", "place", "version")
_SHARED: Final = ("source", "from", "to", "known_until", "every_minutes", "looks")


def keep(settings: Settings, found: Found, name: str) -> int:
    """Keep a backtest under a name, in place of what was kept under it before; return how many rows.

    Raises:
        UserError: ClickHouse does not answer, or refuses.
    """
    version = time.time_ns()
    rows: list[list[Any]] = []
    document = found.document()
    shared = {key: document[key] for key in _SHARED}
    for place, rule in enumerate(document["rules"]):
        campaigns = rule.pop("campaigns")
        rows += [[name, rule["name"], one["campaign_id"], _text(one), place, version] for one in campaigns]
        rows.append([name, rule["name"], "", _text(rule | shared), place, version])
    client = connect(settings, "writer")
    try:
        # one INSERT: a version is there as a whole or not at all
        client.insert(f"{settings.clickhouse_database}.backtests", rows, list(_COLUMNS))
    except (ClickHouseError, OSError) as error:
        raise UserError(f"the backtest could not be kept ({error})", "roi migrate makes the tables") from error
    finally:
        client.close()
    return len(rows)


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False)
