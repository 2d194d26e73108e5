"""What the board knows of the campaigns: rows of ClickHouse, or why there are none."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse import sql
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from schemas.campaign import MIN_RETURN_RATIO

if TYPE_CHECKING:
    from pipeline.settings import Settings

_SECONDS: Final = 5.0  # of silence; whoever waits for the end of the board waits for a query under way
_log = logging.getLogger(__name__)


class BoardError(Exception):
    """ClickHouse could not be asked; the text may be shown to a visitor."""


def campaigns(settings: Settings) -> list[dict[str, Any]]:
    """Return the campaigns' totals, each with the return per cost that its definition wants and its alert; blocks.

    Args:
        settings: ClickHouse, with the reader's login.

    Raises:
        BoardError: ClickHouse does not answer, or not with rows; its own words go to the log, not to visitors.
    """
    try:
        reader = Reader(settings, timeout_seconds=_SECONDS)
        query = sql.query("board_campaigns", settings.clickhouse_database)
        return reader.rows(query, {"required": MIN_RETURN_RATIO})
    except UserError as error:
        _log.warning("campaigns not read: %s", error)
        has_answered = error.cause.startswith("ClickHouse: ")
        raise BoardError("ClickHouse refused the query" if has_answered else "ClickHouse does not answer") from error
