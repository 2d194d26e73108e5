"""Whether two runs are equal row for row: SQL alone, apart from what the product compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.support.cluster import Cluster

# every view of the contract that shows a run, and those below it; and the column that tells when it was processed
VIEWS: Final[dict[str, str]] = {
    "campaign_totals": "updated_at",
    "campaign_variant_totals": "updated_at",
    "campaign_tier_totals": "updated_at",
    "campaign_minutes": "",
    "campaign_hours": "",
    "campaign_days": "",
    "campaign_cohorts": "",
    "active_users": "",
    "credits": "",
    "dead_letters": "at",
}


def differences(cluster: Cluster, run: str, other: str = "live") -> dict[str, list[tuple[Any, ...]]]:
    """Return, view by view, the rows that one run has more often than the other; the last column says by how many."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for view, processed in VIEWS.items():
        left_out = ", ".join(filter(None, ("run", processed)))
        sides = " UNION ALL ".join(
            f"SELECT * EXCEPT ({left_out}), toInt64({side}) AS side FROM roi.{view} WHERE run = '{name}'"
            for side, name in ((1, run), (-1, other))
        )
        rows = cluster.rows(f"SELECT * EXCEPT side, sum(side) AS more FROM ({sides}) GROUP BY ALL HAVING more != 0")
        if rows:
            found[view] = rows
    return found


def sizes(cluster: Cluster, run: str) -> dict[str, int]:
    """Return the number of rows of each view."""
    return {view: cluster.rows(f"SELECT count() FROM roi.{view} WHERE run = '{run}'")[0][0] for view in VIEWS}
