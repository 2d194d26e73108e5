"""The choices that boards offer."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.panel import Text, Variable

VARIABLES: Final = {
    variable.name: variable
    for variable in (
        Variable("run", Text("Run", "运行"), multiple=False, default="live"),
        Variable("campaign", Text("Campaign", "活动"), multiple=True),
        Variable("tier", Text("Tier", "客户层级"), multiple=True),
        Variable("owner", Text("Owner", "负责人"), multiple=True),
        Variable("outcome", Text("Outcome", "结果指标"), multiple=False, default="converted"),
        Variable("backtest", Text("Backtest", "回测"), multiple=False),
    )
}
