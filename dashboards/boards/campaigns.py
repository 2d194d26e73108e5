"""Campaigns: which of them earn their money, and which one to act on first."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Board, Drill, Panel, Text

CAMPAIGNS: Final = Board(
    "campaigns",
    Text("Campaigns", "营销活动"),
    Text(
        "For campaign managers: what all campaigns cost and return, and which one to act on first.",
        "供活动经理查看:全部活动的成本与收益,以及最先要处理的活动。",
    ),
    ("run", "campaign", "owner"),
    (
        Panel(
            "campaigns-ranking",
            Text("Campaigns against their limits", "各活动与其要求对比"),
            Text(
                "Every campaign with its return per unit of cost (cohort view) against what its definition requires, "
                "the most money at risk first. Click a campaign for its own board, a number for the records behind it.",
                "每个活动的收益成本比(按触达批次)与其要求对比,风险金额最大的在前。点击活动进入其看板,点击数字查看背后的记录。",
            ),
            "table",
            (
                column("campaign_id", "hidden"),
                column("name", "label"),
                column("owner", "label"),
                column("alert_state"),
                column("return_ratio"),
                column("min_return_ratio", "limit"),
                column("cost_minor"),
                column("return_minor"),
                column("money_at_risk_minor"),
            ),
            height=14,
            drill=Drill("campaign", (("campaign", "campaign_id"),)),
            explains="campaign_id",
        ),
    ),
)
