"""How people name an alert: by its id, by the beginning of it that tables show, or by its campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.views import AlertViews
    from pipeline.settings import Settings

SHORT: Final = 12
"""Characters of an id in a table: its prefix and eight hex digits."""

ALERT: Final = typer.Argument(
    metavar="ALERT",
    show_default=False,
    help="Its id, the beginning of it that the list shows, or the campaign whose newest alert is meant.",
)


def views_of(settings: Settings) -> AlertViews:
    """Return what the reader sees of alerts."""
    from pipeline.alerts.views import AlertViews
    from pipeline.clickhouse.reader import Reader

    return AlertViews(Reader(settings), settings.clickhouse_database)


def alert_id_of(views: AlertViews, named: str) -> str:
    """Return the id of the alert that a person means.

    Raises:
        UserError: there is none, or there are several.
    """
    alerts = views.alerts()
    of_campaign = [row for row in alerts if row["campaign_id"] == named]
    if of_campaign:
        newest = max(of_campaign, key=lambda row: row["opened_at"] or "")
        return str(newest["alert_id"])
    return whole_id(alerts, "alert_id", named, "alert", "roi alerts list")


def whole_id(rows: Sequence[Mapping[str, Any]], key: str, named: str, what: str, listed_by: str) -> str:
    """Return the one id among the rows that begins so.

    Raises:
        UserError: none does, or several.
    """
    ids = [str(row[key]) for row in rows]
    found = [one for one in ids if one == named] or [one for one in ids if named and one.startswith(named)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{len(found)} of them begin with {named!r}", f"name more of it ({listed_by})")
    raise UserError(f"there is no {what} {named!r}", f"see {listed_by}")


def shortened(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the rows with ids as tables show them."""
    return [{**row, key: str(row[key])[:SHORT]} for row in rows]
